"""The screens say the same in every language, in files that a translator can edit."""

from __future__ import annotations

import re
import string
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.words import LANGUAGES, screen_language, words_of

ENGLISH = words_of("en")
OTHERS = [code for code in LANGUAGES if code != "en"]


def flat(texts: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(texts, dict):
        return {name: texts}
    return {key: value for step, inner in texts.items() for key, value in flat(inner, f"{name}.{step}".strip(".")).items()}


def named(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_english_comes_first_and_malay_and_chinese_are_there() -> None:
    assert LANGUAGES[0] == "en"
    assert {"ms", "zh"} <= set(LANGUAGES)


@pytest.mark.parametrize("code", OTHERS)
def test_each_language_has_the_words_of_english_and_their_values(code: str) -> None:
    english, other = flat(dict(ENGLISH.texts)), flat(dict(words_of(code).texts))
    assert set(english) == set(other)
    for name, text in english.items():
        if isinstance(text, list):
            assert len(text) == len(other[name]), name
        elif text:
            assert named(text) == named(other[name]), name
            assert other[name].strip(), name


@pytest.mark.parametrize("code", OTHERS)
def test_nothing_was_left_in_english(code: str) -> None:
    same = {name for name, text in flat(dict(ENGLISH.texts)).items() if text and text == flat(dict(words_of(code).texts))[name]}
    assert same <= {"review.date"}


@pytest.mark.parametrize("code", LANGUAGES)
def test_words_are_plain_and_calm(code: str) -> None:
    for name, text in flat(dict(words_of(code).texts)).items():
        for line in text if isinstance(text, list) else [text]:
            assert not re.search(r"[<>!！]", line), name


@pytest.mark.parametrize(("code", "says"), [("en", "3 May 2026"), ("ms", "3 Mei 2026"), ("zh", "2026年5月3日")])
def test_dates_are_in_words(code: str, says: str) -> None:
    assert words_of(code).day(date(2026, 5, 3)) == says


def test_values_stand_in_their_places() -> None:
    assert ENGLISH("reader.page", number=3) == "Page 3"
    assert ENGLISH("review.on_by", date="{name}", name="Dr A") == "reviewed {name} by Dr A"
    assert ENGLISH("answer.looking_for", other="x") == "Looking for: {text}"


@pytest.mark.parametrize(
    ("chosen", "accepted", "code"),
    [
        ("ms", "zh", "ms"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "fr-FR,fr;q=0.9,ms;q=0.5,en;q=0.8", "en"),
        ("", "fr", "en"),
        ("", "", "en"),
        ("", "ms;q=0", "en"),
        ("../x", "ms-MY", "ms"),
        ("de", ";;;,=", "en"),
    ],
)
def test_the_address_decides_before_the_browser(chosen: str, accepted: str, code: str) -> None:
    assert screen_language(chosen, accepted) == code


@given(st.text(max_size=40), st.text(max_size=80))
def test_whatever_is_sent_gives_a_language_that_there_is(chosen: str, accepted: str) -> None:
    assert screen_language(chosen, accepted) in LANGUAGES
