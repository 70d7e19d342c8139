"""Which language a message is in, and which languages the articles lack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import language
from retrieval.errors import SettingsError
from retrieval.language import base_of, language_of, names_of, other_language

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("en", "How long will my skin be red?"),
        ("ms", "Berapa lama kemerahan selepas laser?"),
        ("ms", "buat pico laser ni sakit ke?"),
        ("ms", "sy tgh mengandung, boleh buat tak"),
        ("ms", "harga?"),
        ("ms", "apakah laser sakit, berapa biaya?"),
        ("zh", "皮秒激光痛吗？"),
        ("zh", "打完雷射之後需要擦防曬嗎?"),
        ("ja", "レーザーは痛いですか？"),
        ("ja", "皮秒レーザーの料金"),
        ("ko", "레이저 아파요?"),
        ("th", "เลเซอร์เจ็บไหม"),
        ("ta", "லேசர் வலிக்குமா?"),
        ("hi", "लेज़र में दर्द होता है?"),
        ("ar", "كم سعر الليزر؟"),
        ("ru", "Сколько стоит лазер?"),
        ("es", "¿Cuánto cuesta el tratamiento?"),
        ("es", "estoy embarazada, me duele mucho la cara"),
        ("fr", "Combien coûte une séance ?"),
        ("fr", "Je suis enceinte, est-ce possible ?"),
        ("de", "Wie lange dauert die Rötung?"),
        ("de", "Tut es weh?"),
        ("pt", "Quanto custa uma sessão?"),
        ("pt", "estou grávida, posso fazer?"),
        ("it", "Quanto costa una seduta?"),
        ("it", "sono incinta, posso farlo?"),
        ("vi", "Laser có đau không?"),
        ("vi", "mặt tôi bị đỏ sau khi làm"),
        ("tl", "Magkano po ang laser?"),
        ("tl", "buntis ako, pwede ba?"),
    ],
)
def test_each_language_is_told(code: str, message: str) -> None:
    assert language_of(message) == code
    assert other_language(message, ["en"]) == ("" if code == "en" else code)


def test_letters_that_are_put_together_count_as_one() -> None:
    assert language_of("co\u0302\u0301 \u0111au kho\u0302ng") == language_of("cố đau không") == "vi"


@pytest.mark.parametrize(
    "message",
    [
        "can meh",
        "got pain or not la",
        "how much ah",
        "pregnant 3 bulan, can do facial laser for jeragat or better wait?",
        "still pinkish after 5 days, tak merebak, I should sapu steroid cream or not",
        "my face merah after laser, normal ke",
        "can i do pico for 黄褐斑?",
        "who is Dr 陈小明 and when is he in",
        "wat is pico laser",
        "hw long redness last thx",
        "does it hrut??",
        "lol idk tbh",
        "melasma",
        "pico laser",
        "redness duration",
        "price per ml",
        "ipl price per shot",
        "non ablative meaning?",
        "birthmark son pico",
        "pico de gallo recipe",
        "cafe au lait spots",
        "café au lait macules",
        "plus size",
        "comment",
        "come in",
        "may i go out",
        "ai laser",
        "dove soap after?",
        "otp never come",
        "nevus of ota",
        "vitamin c",
        "picosure.com reviews",
        "Los Angeles clinic hours",
        "asdf qwer",
    ],
)
def test_english_of_every_kind_is_never_taken_for_another_language(message: str) -> None:
    assert language_of(message) in {"en", ""}
    assert other_language(message, ["en"]) == ""


@pytest.mark.parametrize("message", ["", " ", "?!", "12345", "🙂", "pico"])
def test_what_speaks_for_no_language_is_in_none(message: str) -> None:
    assert language_of(message) == ""
    assert other_language(message, []) == ""


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("my skin sakit, can i come", "en"),
        ("saya rasa sakit kat muka, how ah", "ms"),
        ("我的皮肤很红, is it ok", "zh"),
        ("is it ok for me to use 面膜 after the session", "en"),
    ],
)
def test_a_mixed_message_is_in_the_language_it_has_more_of(message: str, code: str) -> None:
    assert language_of(message) == code


def test_no_judged_english_question_is_taken_for_another_language() -> None:
    lines = [
        line
        for name in ("questions", "unanswerable", "dialogues")
        for line in (ROOT / "corpus" / "judged" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    turns = [turn for line in lines for turn in json.loads(line)["turns"]]
    assert [turn for turn in turns if other_language(turn, ["en"])] == []


def test_judged_messages_are_in_the_languages_they_were_written_in() -> None:
    lines = (ROOT / "corpus" / "judged" / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    turns = [turn for line in lines for turn in json.loads(line)["turns"]]
    assert {language_of(turn) for turn in turns} <= {"en", "ms", "zh", ""}


def test_no_small_word_of_a_language_is_an_english_one() -> None:
    languages = {known.code: known.words for known in language._languages()}
    usual = languages["en"] | set("come may per plus son comment pour non me im do no as at hospital laser".split())
    assert {code: words & usual for code, words in languages.items() if code != "en" and words & usual} == {}


def test_a_language_that_articles_are_in_is_not_another() -> None:
    assert other_language("Berapa lama merah?", ["en", "ms"]) == ""
    assert other_language("How long will it be red?", ["en-GB"]) == ""
    assert other_language("Berapa lama merah?", ["en-GB"]) == "ms"
    assert other_language("皮秒激光痛吗？", ["EN", "zh-Hant"]) == ""
    assert other_language("How long will it be red?", ["ms"]) == "en"


def test_languages_are_named_as_they_call_themselves() -> None:
    assert names_of(["en", "zh"]) == "English, 中文"
    assert names_of(["en-GB", "en-US", "ms"]) == "English, Bahasa Melayu"
    assert names_of(["xx"]) == "xx"
    assert names_of([]) == ""


def test_every_language_is_told_once_by_letters_or_words() -> None:
    known = language._languages()
    assert len({each.code for each in known}) == len(known)
    assert all(each.name and (each.letters or each.words) for each in known)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(language, "FILE", tmp_path / "languages.toml")
    language._languages.cache_clear()
    yield tmp_path / "languages.toml"
    language._languages.cache_clear()


@pytest.mark.parametrize("text", [None, "[[language", 'name = "no languages"'])
def test_a_damaged_installation_is_said(file: Path, text: str | None) -> None:
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"languages\.toml.*Install"):
        language_of("hello")


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert other_language(text, ["en"]) in {"", language_of(text)}


def test_a_language_is_the_same_in_every_region() -> None:
    assert [base_of(code) for code in ("en", "en-GB", "EN-us", "zh-Hant-TW", "")] == ["en", "en", "en", "zh", ""]
