"""Metadata of an article, from its front matter or from NAME.toml beside it: checked, never guessed."""

from __future__ import annotations

import contextlib
import json
import re
import tomllib
from dataclasses import fields
from datetime import date, datetime, time
from pathlib import Path
from typing import get_args

from retrieval.errors import UnreadableFile, shown_name
from retrieval.types import Metadata, State

__all__ = ["FIELDS", "metadata_from", "sidecar_of", "sidecar_values"]

_MAX_BYTES = 30_000  # the time that TOML takes to read can grow with the square of its length
_MAX_SHOWN = 60
_MAX_UNKNOWN = 20
_PLACE = re.compile(r"\(at (line \d+, column \d+|end of document)\)$")

FIELDS = tuple(item.name for item in fields(Metadata))
_STATES: tuple[State, ...] = get_args(State)


def sidecar_of(path: Path) -> Path:
    """The metadata file that may stand beside an article."""
    return path.with_suffix(".toml")


def sidecar_values(data: bytes, path: Path) -> dict[str, object]:
    """Read a metadata file's bytes; raises UnreadableFile naming it."""
    if len(data) > _MAX_BYTES:
        reason = f"it has {len(data):,} bytes, more than the {_MAX_BYTES:,} that are read"
        raise UnreadableFile(path, reason, "Keep only what is known of the article.")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as problem:  # ValueError: not UTF-8, not TOML, or a number that is too long
        # What Python says beyond the place is not meant for those who write articles.
        place = _PLACE.search(str(problem)) if isinstance(problem, tomllib.TOMLDecodeError) else None
        where = f" ({place.group(1)})" if place else ""
        raise UnreadableFile(path, f"it is not valid TOML{where}", "Mend what it says there, or take it out.") from problem


def metadata_from(path: Path, values: dict[str, object]) -> tuple[Metadata, tuple[str, ...]]:
    """Check the values of an article's metadata.

    Parameters: the file they stand in, for messages, and the values by name.
    Returns the metadata and warnings about names that mean nothing here.
    Raises UnreadableFile for a value of the wrong kind, since a wrong review date must not be shown as a right one.
    """
    unknown = sorted(set(values) - set(FIELDS))[:_MAX_UNKNOWN]
    known = ", ".join(FIELDS)
    warnings = tuple(f"{shown_name(path)}: {_shown(name)} means nothing here (known: {known})." for name in unknown)
    metadata = Metadata(
        title=_text(path, values, "title"),
        based_on=_text(path, values, "based_on"),
        publisher=_text(path, values, "publisher"),
        language=_text(path, values, "language") or "en",
        topics=_texts(path, values, "topics"),
        reviewed_by=_text(path, values, "reviewed_by"),
        reviewed_on=_date(path, values, "reviewed_on"),
        review_by=_date(path, values, "review_by"),
        state=_state(path, values),
        checked_by=_text(path, values, "checked_by"),
        checked_on=_date(path, values, "checked_on"),
        confirmed=_texts(path, values, "confirmed"),
        confirmed_by=_text(path, values, "confirmed_by"),
    )
    if metadata.reviewed_on and not metadata.reviewed_by:
        raise UnreadableFile(path, "it has reviewed_on but not reviewed_by", "Name who reviewed it, or take the date out.")
    return metadata, warnings


def _state(path: Path, values: dict[str, object]) -> State:
    named = _text(path, values, "state")
    state = next((state for state in _STATES if state == named), None)
    if state is None:
        known = ", ".join(filter(None, _STATES))
        raise UnreadableFile(path, f"state = {_shown(named)} is none that an article can have", f"Write one of: {known}.")
    return state


def _text(path: Path, values: dict[str, object], name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise UnreadableFile(path, f"{name} = {_shown(value)} is not text", f'Write {name} = "...".')
    return " ".join(value.split())


def _texts(path: Path, values: dict[str, object], name: str) -> tuple[str, ...]:
    value = values.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnreadableFile(path, f"{name} = {_shown(value)} is not a list of words", f'Write {name} = ["...", "..."].')
    return tuple(value)


def _date(path: Path, values: dict[str, object], name: str) -> date | None:
    value = values.get(name)
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = date.fromisoformat(value)
    if value is None:
        return None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise UnreadableFile(path, f"{name} = {_shown(value)} is not a date", f"Write {name} = 2026-05-03 (year-month-day).")
    return value


def _shown(value: object) -> str:
    """A value on one short line, much as TOML has it."""
    try:
        text = value.isoformat() if isinstance(value, date | time) else json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):  # numbers that Python refuses to write, tables without end
        text = "what is written there"
    short = text[:_MAX_SHOWN] if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in short)
