"""The clinic's file: its contacts and the wording of its cards, checked line by line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from retrieval.clinic import CARD_KINDS, clinic_from_json, clinic_to_json, load_clinic
from retrieval.errors import SettingsError


def clinic_toml(folder: Path, text: str) -> Path:
    (folder / "clinic.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_plain_folder_gets_a_placeholder_and_every_card(tmp_path: Path) -> None:
    clinic = load_clinic(tmp_path)
    assert clinic.placeholder
    assert tuple(card.kind for card in clinic.cards) == CARD_KINDS
    assert all(card.heading and card.label and card.level for card in clinic.cards)


def test_numbers_are_filled_into_the_cards(tmp_path: Path) -> None:
    clinic = load_clinic(clinic_toml(tmp_path, 'name = "A"\nphone = "+60 3 1"\nemergency_number = "999"'))
    urgent = next(card for card in clinic.cards if card.kind == "urgent")
    assert "999" in urgent.heading
    assert "+60 3 1" in urgent.text
    assert not clinic.placeholder


def test_without_an_emergency_number_the_card_says_local(tmp_path: Path) -> None:
    urgent = next(card for card in load_clinic(clinic_toml(tmp_path, 'name = "A"')).cards if card.kind == "urgent")
    assert "your local emergency number" in urgent.heading


def test_the_wording_of_a_card_can_be_set_and_the_rest_stays(tmp_path: Path) -> None:
    default = load_clinic(tmp_path).cards
    changed = load_clinic(clinic_toml(tmp_path, 'name = "A"\n[cards.consult]\nheading = "See {clinic}"')).cards
    assert changed[2].heading == "See A"
    assert changed[2].label == default[2].label


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
