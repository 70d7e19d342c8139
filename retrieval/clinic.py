"""Who runs the FAQ and what its cards say: corpus/clinic.toml over the package's cards (safety/cards/, a file a language)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from retrieval.errors import SettingsError
from retrieval.types import Card, Clinic

__all__ = ["CARD_KINDS", "clinic_from_json", "clinic_to_json", "is_signed", "load_clinic", "wording_of"]

_CARDS = Path(__file__).parent / "safety" / "cards"
CARD_KINDS = ("urgent", "self_harm", "consult", "not_found", "clinic_matter", "private_data", "language", "trouble", "busy")
_FIRST = "en"
"""The language that has every card; others have some."""
_TEXTS = (
    "name",
    "phone",
    "email",
    "booking_url",
    "whatsapp",
    "emergency_number",
    "accent",
    "signed_off_by",
    "signed_off_wording",
)
_CARD_TEXTS = ("label", "level", "heading", "text")
_MOST_DAYS = 730
_DEFAULTS: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(Clinic)}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_NUMBER = re.compile(r"\+\d[\d ()-]{6,20}")
_PLACEHOLDER = re.compile(r"\{\w*\}")


def load_clinic(corpus: Path) -> Clinic:
    """Read a corpus's clinic.toml; a folder without one gets a placeholder clinic and the default cards.

    Its [cards.KIND] words a card in English, [cards.CODE.KIND] in another language. Raises SettingsError naming the line
    or the key that is wrong: a clinic's card must never be dropped in silence.
    """
    path = corpus / "clinic.toml"
    values = _toml(path) if path.is_file() else {"name": "The clinic", "placeholder": True}
    overrides = values.pop("cards", {})
    known = (*_TEXTS, "placeholder", "signed_off_on", "journal", "journal_days", "review")
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise SettingsError(f"{path}: {unknown[0]!r} is no setting of a clinic. Known are: {', '.join(known)}.")
    texts: dict[str, Any] = {name: _text(path, values, name) for name in _TEXTS if name in values}
    if not texts.get("name"):
        raise SettingsError(f'{path}: name is missing. Write name = "...".')
    _check(path, texts)
    signed_on = values.get("signed_off_on")
    if signed_on is not None and not isinstance(signed_on, date):
        raise SettingsError(f"{path}: signed_off_on = {signed_on!r} is not a date. Write it as 2026-05-03.")
    journal = values.get("journal", False)
    if not isinstance(journal, bool):
        raise SettingsError(f"{path}: journal = {journal!r} is neither true nor false.")
    days = _days(path, values, "journal_days", _DEFAULTS["journal_days"], least=1)
    placeholder = bool(values.get("placeholder", False))
    rules = _review(path, values.get("review", {}))
    clinic = Clinic(placeholder=placeholder, signed_off_on=signed_on, journal=journal, journal_days=days, **rules, **texts)
    return dataclasses.replace(clinic, cards=_cards(path, overrides, clinic))


def wording_of(clinic: Clinic) -> str:
    """A name for all that the cards say, eight hexadecimal digits: another word, number or card, another name."""
    cards = [dataclasses.asdict(card) for card in clinic.cards]
    return hashlib.sha256(json.dumps(cards, sort_keys=True).encode()).hexdigest()[:8]


def is_signed(clinic: Clinic) -> bool:
    """Whether somebody signed off just this wording of the cards; until then it is a draft."""
    return bool(clinic.signed_off_by and clinic.signed_off_on) and clinic.signed_off_wording == wording_of(clinic)


def clinic_to_json(clinic: Clinic) -> dict[str, Any]:
    """A clinic as plain JSON values."""
    values = dataclasses.asdict(clinic)
    values["signed_off_on"] = clinic.signed_off_on.isoformat() if clinic.signed_off_on else None
    return values


def clinic_from_json(values: dict[str, Any]) -> Clinic:
    """The opposite of `clinic_to_json`."""
    cards = tuple(Card(**{**card, "bullets": tuple(card["bullets"])}) for card in values["cards"])
    signed = values["signed_off_on"]
    topics = tuple(values["withdraw_topics"])
    signed_on = date.fromisoformat(signed) if signed else None
    return Clinic(**{**values, "cards": cards, "withdraw_topics": topics, "signed_off_on": signed_on})


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingsError(f"{path}: cannot be read ({problem}). Mend the line it names.") from problem


def _review(path: Path, values: object) -> dict[str, Any]:
    """[review]: when staff are warned, and which articles are withdrawn by themselves when nobody has reviewed them."""
    known = ("warn_days", "withdraw_topics", "withdraw_after_days")
    if not isinstance(values, dict) or set(values) - set(known):
        raise SettingsError(f"{path}: [review] may hold only {', '.join(known)}.")
    topics = values.get("withdraw_topics", [])
    if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
        raise SettingsError(f'{path}: withdraw_topics = {topics!r} is not a list of topics. Write ["aftercare", "..."].')
    return {
        "review_warn_days": _days(path, values, "warn_days", _DEFAULTS["review_warn_days"]),
        "withdraw_topics": tuple(" ".join(topic.split()) for topic in topics),
        "withdraw_after_days": _days(path, values, "withdraw_after_days", _DEFAULTS["withdraw_after_days"]),
    }


def _days(path: Path, values: dict[str, Any], name: str, default: int, least: int = 0) -> int:
    days = values.get(name, default)
    if not isinstance(days, int) or isinstance(days, bool) or not least <= days <= _MOST_DAYS:
        raise SettingsError(f"{path}: {name} = {days!r} is not a number of days from {least} to {_MOST_DAYS}.")
    return days


def _text(path: Path, values: dict[str, Any], name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        raise SettingsError(f'{path}: {name} = {value!r} is not text. Write {name} = "...".')
    return " ".join(value.split())


def _check(path: Path, texts: dict[str, Any]) -> None:
    if "accent" in texts and not _COLOUR.fullmatch(texts["accent"]):
        raise SettingsError(f'{path}: accent = {texts["accent"]!r} is no colour. Write it as "#0b6e69".')
    if "whatsapp" in texts and not _NUMBER.fullmatch(texts["whatsapp"]):
        raise SettingsError(
            f'{path}: whatsapp = {texts["whatsapp"]!r} is no number. Write it with its country, as "+60 12 345 6789".'
        )
    url = texts.get("booking_url", "")
    if url and not url.startswith(("https://", "http://", "mailto:", "tel:")):
        raise SettingsError(f"{path}: booking_url = {url!r} is no address. It begins with https://.")


def _cards(path: Path, overrides: object, clinic: Clinic) -> tuple[Card, ...]:
    """Every card of every language, as the clinic words it."""
    languages = {file.stem: _toml(file) for file in sorted(_CARDS.glob("*.toml"))}
    if not isinstance(overrides, dict) or set(overrides) - {*CARD_KINDS, *languages}:
        raise SettingsError(f"{path}: [cards] may hold only {', '.join(CARD_KINDS)}, and codes of languages that have cards.")
    cards = []
    for code in sorted(languages, key=lambda code: (code != _FIRST, code)):
        own = {kind: value for kind, value in overrides.items() if kind in CARD_KINDS} if code == _FIRST else {}
        worded = overrides.get(code, {})
        if not isinstance(worded, dict) or set(worded) - set(CARD_KINDS):
            raise SettingsError(f"{path}: [cards.{code}] may hold only {', '.join(CARD_KINDS)}.")
        own |= worded
        defaults = languages[code]["cards"]
        values = {
            "{clinic}": clinic.name,
            "{phone}": clinic.phone or languages[code]["clinic"],
            "{emergency_number}": clinic.emergency_number or languages[code]["emergency_number"],
        }
        for kind in CARD_KINDS:
            if kind in defaults or kind in own:
                key = f"cards.{kind}" if kind in overrides and code == _FIRST else f"cards.{code}.{kind}"
                cards.append(_card(f"{path}: [{key}]", kind, code, defaults.get(kind, {}), own.get(kind, {}), values))
    return tuple(cards)


def _card(where: str, kind: str, code: str, default: dict[str, Any], own: object, values: dict[str, str]) -> Card:
    """A card as it comes with the package, with the clinic's own words over it; `where` begins what is said of a fault."""
    if not isinstance(own, dict):
        raise SettingsError(f'{where} is {own!r}. Write it on a line of its own, and below it heading = "...".')
    worded = {**default, **own}
    unknown = sorted(set(worded) - {*_CARD_TEXTS, "bullets", "contacts"})
    if unknown:
        raise SettingsError(f"{where} has {unknown[0]!r}; it may have {', '.join(_CARD_TEXTS)}, bullets, contacts.")
    missing = [name for name in ("label", "level", "heading") if not worded.get(name)]
    if missing:
        raise SettingsError(f"{where} lacks {missing[0]!r}.")
    bullets, contacts = worded.get("bullets", []), worded.get("contacts", True)
    if not isinstance(bullets, list):
        raise SettingsError(f'{where}: bullets is not a list. Write bullets = ["...", "..."].')
    if not isinstance(contacts, bool):
        raise SettingsError(f"{where}: contacts is neither true nor false.")
    texts = {name: _filled(where, worded.get(name, ""), values) for name in _CARD_TEXTS}
    filled = tuple(_filled(where, bullet, values) for bullet in bullets)
    return Card(kind=kind, bullets=filled, contacts=contacts, language=code, **texts)


def _filled(where: str, text: object, values: dict[str, str]) -> str:
    """Put the clinic's name and numbers into a card's text; the articles' languages are known only to a release."""
    if not isinstance(text, str):
        raise SettingsError(f"{where} holds {text!r} where text belongs.")
    allowed = {*values, "{languages}"}
    left = re.search(r"[{}].{0,20}", _PLACEHOLDER.sub(lambda found: "" if found.group() in allowed else found.group(), text))
    if left:
        raise SettingsError(f"{where} has a brace at {left.group()!r}; it may use {', '.join(sorted(allowed))}.")
    return _PLACEHOLDER.sub(lambda found: values.get(found.group(), found.group()), text)
