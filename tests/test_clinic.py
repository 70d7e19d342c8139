"""The clinic's file: its contacts and the wording of its cards, checked line by line."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from retrieval.clinic import CARD_KINDS, clinic_from_json, clinic_to_json, is_signed, load_clinic, wording_of
from retrieval.errors import SettingsError
from retrieval.language import FILE as LANGUAGES
from retrieval.types import Card, Clinic

CODES = sorted(file.stem for file in (LANGUAGES.parent / "cards").glob("*.toml"))


def clinic_toml(folder: Path, text: str) -> Path:
    (folder / "clinic.toml").write_text(text, encoding="utf-8")
    return folder


def card(clinic: Clinic, kind: str, code: str = "en") -> Card:
    return next(card for card in clinic.cards if (card.kind, card.language) == (kind, code))


def test_a_plain_folder_gets_a_placeholder_and_every_card(tmp_path: Path) -> None:
    clinic = load_clinic(tmp_path)
    assert clinic.placeholder
    assert tuple(card.kind for card in clinic.cards if card.language == "en") == CARD_KINDS
    assert len({(card.kind, card.language) for card in clinic.cards}) == len(clinic.cards)


def test_every_card_of_every_language_has_what_is_shown_of_it(tmp_path: Path) -> None:
    for shown in load_clinic(tmp_path).cards:
        assert shown.heading, shown
        assert shown.label, shown
        assert shown.level, shown
        assert shown.text or shown.bullets, shown
        assert all(shown.bullets), shown


def test_every_language_that_is_told_has_a_card_that_says_which_we_answer_in(tmp_path: Path) -> None:
    told = [language["code"] for language in tomllib.loads(LANGUAGES.read_text(encoding="utf-8"))["language"]]
    assert sorted(told) == CODES
    clinic = load_clinic(tmp_path)
    assert all("{languages}" in card(clinic, "language", code).heading for code in told)


@pytest.mark.parametrize("code", ["en", "ms", "zh"])
def test_danger_is_said_in_the_first_languages(tmp_path: Path, code: str) -> None:
    clinic = load_clinic(clinic_toml(tmp_path, 'name = "A"\nphone = "+60 3 1"\nemergency_number = "999"'))
    urgent, self_harm, consult = (card(clinic, kind, code) for kind in ("urgent", "self_harm", "consult"))
    assert "999" in urgent.heading
    assert "+60 3 1" in urgent.text
    assert len(urgent.bullets) == 5
    assert "999" in self_harm.bullets[0]
    assert not self_harm.contacts
    assert "+60 3 1" in consult.bullets[0]
    assert "999" in card(clinic, "trouble", code).text


@pytest.mark.parametrize("code", CODES)
def test_a_language_with_one_care_card_has_them_all(tmp_path: Path, code: str) -> None:
    kinds = {card.kind for card in load_clinic(tmp_path).cards if card.language == code}
    care = {"urgent", "self_harm", "consult", "trouble"}
    assert kinds & care in (set(), care)


@pytest.mark.parametrize("code", CODES)
def test_no_card_is_shown_with_a_brace_or_another_languages_words(tmp_path: Path, code: str) -> None:
    english = ("your local emergency number", "the clinic")
    for shown in (card for card in load_clinic(tmp_path).cards if card.language == code):
        text = " ".join((shown.label, shown.level, shown.heading, shown.text, *shown.bullets)).replace("{languages}", "")
        assert "{" not in text
        assert code == "en" or not any(words in text for words in english)


@pytest.mark.parametrize(
    ("code", "emergency", "clinic_words"),
    [
        ("en", "your local emergency number", "call the clinic now"),
        ("ms", "nombor kecemasan tempatan anda", "hubungi klinik sekarang"),
        ("zh", "当地急救电话", "致电 诊所"),
    ],
)
def test_a_clinic_without_numbers_is_told_of_in_words(tmp_path: Path, code: str, emergency: str, clinic_words: str) -> None:
    urgent = card(load_clinic(clinic_toml(tmp_path, 'name = "A"')), "urgent", code)
    assert emergency in urgent.heading
    assert clinic_words in urgent.text


@pytest.mark.parametrize("code", [code for code in CODES if code != "en"])
def test_the_language_card_says_what_to_call_in_an_emergency(tmp_path: Path, code: str) -> None:
    words = tomllib.loads((LANGUAGES.parent / "cards" / f"{code}.toml").read_text(encoding="utf-8"))["emergency_number"]
    assert words in card(load_clinic(clinic_toml(tmp_path, 'name = "A"')), "language", code).text
    numbered = load_clinic(clinic_toml(tmp_path, 'name = "A"\nemergency_number = "112"'))
    assert "112" in card(numbered, "language", code).text


def test_numbers_are_filled_into_the_cards(tmp_path: Path) -> None:
    clinic = load_clinic(clinic_toml(tmp_path, 'name = "A"\nphone = "+60 3 1"\nemergency_number = "999"'))
    assert "999" in card(clinic, "urgent").heading
    assert "+60 3 1" in card(clinic, "urgent").text
    assert not clinic.placeholder


def test_the_wording_of_a_card_can_be_set_and_the_rest_stays(tmp_path: Path) -> None:
    default = load_clinic(tmp_path)
    changed = load_clinic(clinic_toml(tmp_path, 'name = "A"\n[cards.consult]\nheading = "See {clinic}"'))
    assert card(changed, "consult").heading == "See A"
    assert card(changed, "consult").label == card(default, "consult").label
    assert card(changed, "consult", "ms") == card(load_clinic(clinic_toml(tmp_path, 'name = "A"')), "consult", "ms")


def test_the_wording_can_be_set_for_one_language(tmp_path: Path) -> None:
    default = load_clinic(tmp_path)
    changed = load_clinic(clinic_toml(tmp_path, 'name = "A"\n[cards.ms.consult]\nheading = "Jumpa {clinic}"'))
    assert card(changed, "consult", "ms").heading == "Jumpa A"
    assert card(changed, "consult", "ms").label == card(default, "consult", "ms").label
    assert card(changed, "consult").heading == card(default, "consult").heading


def test_english_can_be_set_by_its_code_too(tmp_path: Path) -> None:
    both = 'name = "A"\n[cards.consult]\nheading = "One"\n[cards.en.not_found]\nheading = "Two"'
    changed = load_clinic(clinic_toml(tmp_path, both))
    assert (card(changed, "consult").heading, card(changed, "not_found").heading) == ("One", "Two")


def test_a_language_can_be_given_a_card_that_it_lacks(tmp_path: Path) -> None:
    worded = (
        '[cards.fr.urgent]\nlabel = "Urgence"\nlevel = "Urgence"\nheading = "Appelez le {emergency_number}"\ncontacts = false'
    )
    changed = card(load_clinic(clinic_toml(tmp_path, f'name = "A"\n{worded}')), "urgent", "fr")
    assert changed.heading == "Appelez le numéro d'urgence local"
    assert (changed.text, changed.bullets, changed.contacts) == ("", (), False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "cannot be read"),
        ('phone = "1"', "name is missing"),
        ('name = "A"\ncolour = "red"', "colour"),
        ('name = "A"\naccent = "red"', "no colour"),
        ('name = "A"\nphone = 5', "phone = 5"),
        ('name = "A"\nbooking_url = "javascript:alert(1)"', "booking_url"),
        ('name = "A"\n[cards.urgnt]\nheading = "x"', "cards"),
        ('name = "A"\n[cards.urgent]\nhead = "x"', "head"),
        ('name = "A"\n[cards.urgent]\nheading = "{price}"', "price"),
        ('name = "A"\n[cards.urgent]\nheading = "{phone"', "brace"),
        ('name = "A"\n[cards.urgent]\nheading = "{phone.__class__}"', "phone"),
        ('name = "A"\n[cards.urgent]\nbullets = "one"', "bullets"),
        ('name = "A"\n[cards.urgent]\nbullets = [1]', "1"),
        ('name = "A"\nsigned_off_on = "soon"', "signed_off_on"),
        ('name = "A"\ncards = "x"', "cards"),
        ('name = "A"\n[cards]\nurgent = "x"', "urgent"),
        ('name = "A"\n[cards]\nms = "x"', "cards.ms"),
        ('name = "A"\n[cards.ms]\nurgent = "x"', "cards.ms.urgent"),
        ('name = "A"\n[cards.xx.urgent]\nheading = "x"', "languages"),
        ('name = "A"\n[cards.ms.urgnt]\nheading = "x"', "cards.ms"),
        ('name = "A"\n[cards.ms.urgent]\nhead = "x"', "cards.ms.urgent.*head"),
        ('name = "A"\n[cards.ms.urgent]\nheading = "{price}"', "cards.ms.urgent.*price"),
        ('name = "A"\n[cards.ms.urgent]\nheading = ""', "cards.ms.urgent.*heading"),
        ('name = "A"\n[cards.fr.urgent]\nheading = "x"', "cards.fr.urgent.*label"),
        ('name = "A"\n[cards.urgent]\ncontacts = "no"', "contacts"),
    ],
)
def test_a_fault_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as problem:
        load_clinic(clinic_toml(tmp_path, text))
    assert "clinic.toml" in str(problem.value)


def test_a_clinic_survives_json(tmp_path: Path) -> None:
    clinic = load_clinic(clinic_toml(tmp_path, 'name = "A"\nsigned_off_by = "Dr B"\nsigned_off_on = 2026-05-03'))
    assert clinic_from_json(clinic_to_json(clinic)) == clinic
    assert clinic.signed_off_on == date(2026, 5, 3)


SIGNED = 'name = "A"\nsigned_off_by = "Dr B"\nsigned_off_on = 2026-05-03\nsigned_off_wording = "{wording}"\n'


def test_cards_are_a_draft_until_somebody_signs_their_very_wording(tmp_path: Path) -> None:
    draft = load_clinic(clinic_toml(tmp_path, 'name = "A"\n'))
    assert not is_signed(draft)
    signed = SIGNED.format(wording=wording_of(draft))
    assert is_signed(load_clinic(clinic_toml(tmp_path, signed)))
    for missing in signed.splitlines()[1:]:
        assert not is_signed(load_clinic(clinic_toml(tmp_path, signed.replace(missing, ""))))


@pytest.mark.parametrize(
    "change", ['phone = "+1 555 0100"', '[cards.consult]\nheading = "Ask us"', '[cards.ms.urgent]\ntext = "x"']
)
def test_what_changes_a_card_makes_the_cards_a_draft_again(tmp_path: Path, change: str) -> None:
    wording = wording_of(load_clinic(clinic_toml(tmp_path, 'name = "A"\n')))
    assert not is_signed(load_clinic(clinic_toml(tmp_path, SIGNED.format(wording=wording) + change)))


def test_review_rules_are_read_and_faults_named(tmp_path: Path) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text(
        'name = "A"\n[review]\nwarn_days = 14\nwithdraw_topics = ["aftercare"]\nwithdraw_after_days = 7\n', encoding="utf-8"
    )
    clinic = load_clinic(tmp_path)
    assert (clinic.review_warn_days, clinic.withdraw_topics, clinic.withdraw_after_days) == (14, ("aftercare",), 7)
    assert clinic_from_json(clinic_to_json(clinic)) == clinic
    for line, fault in (
        ("warn_days = -1", "warn_days = -1 is not a number of days"),
        ('withdraw_topics = "aftercare"', "is not a list of topics"),
        ("warn = 3", r"\[review\] may hold only"),
    ):
        file.write_text(f'name = "A"\n[review]\n{line}\n', encoding="utf-8")
        with pytest.raises(SettingsError, match=fault):
            load_clinic(tmp_path)
