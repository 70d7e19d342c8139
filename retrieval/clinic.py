"""Who runs the FAQ and what its cards say: corpus/clinic.toml over the default cards of the package."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from retrieval.errors import SettingsError
from retrieval.types import Card, Clinic

__all__ = ["CARD_KINDS", "clinic_from_json", "clinic_to_json", "load_clinic"]

_DEFAULT_CARDS = Path(__file__).parent / "safety" / "cards.toml"
CARD_KINDS = ("urgent", "self_harm", "consult", "not_found", "clinic_matter", "trouble")
_TEXTS = ("name", "phone", "email", "booking_url", "emergency_number", "accent", "signed_off_by")
_CARD_TEXTS = ("label", "level", "heading", "text")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_PLACEHOLDER = re.compile(r"\{\w*\}")


def load_clinic(corpus: Path) -> Clinic:
    """Read a corpus's clinic.toml; a folder without one gets a placeholder clinic and the default cards.

    Raises SettingsError naming the line or the key that is wrong: a clinic's card must never be dropped in silence.
    """
    defaults: dict[str, dict[str, Any]] = _toml(_DEFAULT_CARDS)["cards"]
    path = corpus / "clinic.toml"
    values = _toml(path) if path.is_file() else {"name": "The clinic", "placeholder": True}
    overrides = values.pop("cards", {})
    unknown = sorted(set(values) - {*_TEXTS, "placeholder", "signed_off_on"})
    if unknown:
        raise SettingsError(f"{path}: {unknown[0]!r} is no setting of a clinic. Known are: {', '.join(_TEXTS)}.")
    if not isinstance(overrides, dict) or set(overrides) - set(CARD_KINDS):
        raise SettingsError(f"{path}: [cards] may hold only {', '.join(CARD_KINDS)}.")
    texts: dict[str, Any] = {name: _text(path, values, name) for name in _TEXTS if name in values}
    if not texts.get("name"):
        raise SettingsError(f'{path}: name is missing. Write name = "...".')
    _check(path, texts)
    signed_on = values.get("signed_off_on")
    if signed_on is not None and not isinstance(signed_on, date):
        raise SettingsError(f"{path}: signed_off_on = {signed_on!r} is not a date. Write it as 2026-05-03.")
    clinic = Clinic(placeholder=bool(values.get("placeholder", False)), signed_off_on=signed_on, **texts)
    cards = tuple(_card(path, kind, {**defaults[kind], **overrides.get(kind, {})}, clinic) for kind in CARD_KINDS)
    return dataclasses.replace(clinic, cards=cards)


def clinic_to_json(clinic: Clinic) -> dict[str, Any]:
    """A clinic as plain JSON values."""
    values = dataclasses.asdict(clinic)
    values["signed_off_on"] = clinic.signed_off_on.isoformat() if clinic.signed_off_on else None
    return values


def clinic_from_json(values: dict[str, Any]) -> Clinic:
    """The opposite of `clinic_to_json`."""
    cards = tuple(Card(**{**card, "bullets": tuple(card["bullets"])}) for card in values["cards"])
    signed = values["signed_off_on"]
    return Clinic(**{**values, "cards": cards, "signed_off_on": date.fromisoformat(signed) if signed else None})


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingsError(f"{path}: cannot be read ({problem}). Mend the line it names.") from problem


def _text(path: Path, values: dict[str, Any], name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        raise SettingsError(f'{path}: {name} = {value!r} is not text. Write {name} = "...".')
    return " ".join(value.split())


def _check(path: Path, texts: dict[str, Any]) -> None:
    if "accent" in texts and not _COLOUR.fullmatch(texts["accent"]):
        raise SettingsError(f'{path}: accent = {texts["accent"]!r} is no colour. Write it as "#0b6e69".')
    url = texts.get("booking_url", "")
    if url and not url.startswith(("https://", "http://", "mailto:", "tel:")):
        raise SettingsError(f"{path}: booking_url = {url!r} is no address. It begins with https://.")


def _card(path: Path, kind: str, values: dict[str, Any], clinic: Clinic) -> Card:
    unknown = sorted(set(values) - {*_CARD_TEXTS, "bullets", "contacts"})
    if unknown:
        raise SettingsError(f"{path}: [cards.{kind}] has {unknown[0]!r}; it may have {', '.join(_CARD_TEXTS)}, bullets.")
    bullets = values.get("bullets", [])
    if not isinstance(bullets, list):
        raise SettingsError(f'{path}: bullets of [cards.{kind}] is not a list. Write bullets = ["...", "..."].')
    texts = {name: _filled(path, kind, values.get(name, ""), clinic) for name in _CARD_TEXTS}
    return Card(
        kind=kind,
        bullets=tuple(_filled(path, kind, bullet, clinic) for bullet in bullets),
        contacts=bool(values.get("contacts", True)),
        **texts,
    )


def _filled(path: Path, kind: str, text: object, clinic: Clinic) -> str:
    """Put the clinic's name and numbers into a card's text, and what to say instead where it has none."""
    if not isinstance(text, str):
        raise SettingsError(f"{path}: [cards.{kind}] holds {text!r} where text belongs.")
    values = {
        "{clinic}": clinic.name,
        "{phone}": clinic.phone or "the clinic",
        "{emergency_number}": clinic.emergency_number or "your local emergency number",
    }
    filled = _PLACEHOLDER.sub(lambda found: values.get(found.group(), found.group()), text)
    left = re.search(r"[{}].{0,20}", _PLACEHOLDER.sub(lambda found: "" if found.group() in values else found.group(), text))
    if left:
        raise SettingsError(f"{path}: [cards.{kind}] has a brace at {left.group()!r}; it may use {', '.join(values)}.")
    return filled
