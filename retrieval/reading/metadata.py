"""Metadata of an article, from its front matter or from NAME.toml beside it: checked, never guessed."""

from __future__ import annotations

import contextlib
import tomllib
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path

from retrieval.errors import UnreadableFile
from retrieval.types import Metadata

__all__ = ["metadata_from", "sidecar_of", "sidecar_values"]

_FIELDS = tuple(item.name for item in fields(Metadata))
_DATES = {"reviewed_on", "review_by"}


def sidecar_of(path: Path) -> Path:
    """The metadata file that may stand beside an article."""
    return path.with_suffix(".toml")


def sidecar_values(data: bytes, path: Path) -> dict[str, object]:
    """Read a metadata file's bytes; raises UnreadableFile naming it."""
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as problem:  # ValueError: not UTF-8, not TOML, or a number that is too long
        raise UnreadableFile(path, f"it is not valid TOML ({problem})", "Mend the line it names.") from problem


def metadata_from(path: Path, values: dict[str, object]) -> tuple[Metadata, tuple[str, ...]]:
    """Check the values of an article's metadata.

    Parameters: the file they stand in, for messages, and the values by name.
    Returns the metadata and warnings about names that mean nothing here.
    Raises UnreadableFile for a value of the wrong kind, since a wrong review date must not be shown as a right one.
    """
    unknown = sorted(set(values) - set(_FIELDS))
    warnings = tuple(f"{path.name}: {name!r} means nothing here (known: {', '.join(_FIELDS)})." for name in unknown)
    metadata = Metadata(
        title=_text(path, values, "title"),
        based_on=_text(path, values, "based_on"),
        publisher=_text(path, values, "publisher"),
        language=_text(path, values, "language") or "en",
        topics=_texts(path, values, "topics"),
        reviewed_by=_text(path, values, "reviewed_by"),
        reviewed_on=_date(path, values, "reviewed_on"),
        review_by=_date(path, values, "review_by"),
    )
    if metadata.reviewed_on and not metadata.reviewed_by:
        raise UnreadableFile(path, "it has reviewed_on but not reviewed_by", "Name who reviewed it, or take the date out.")
    return metadata, warnings


def _text(path: Path, values: dict[str, object], name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise UnreadableFile(path, f"{name} = {value!r} is not text", f'Write {name} = "...".')
    return " ".join(value.split())


def _texts(path: Path, values: dict[str, object], name: str) -> tuple[str, ...]:
    value = values.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnreadableFile(path, f"{name} = {value!r} is not a list of words", f'Write {name} = ["...", "..."].')
    return tuple(value)


def _date(path: Path, values: dict[str, object], name: str) -> date | None:
    value = values.get(name)
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = date.fromisoformat(value)
    if value is None:
        return None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise UnreadableFile(path, f"{name} = {value!r} is not a date", f"Write {name} = 2026-05-03 (year-month-day).")
    return value
