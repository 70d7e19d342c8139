"""What somebody has open and has typed: told apart from what others saved meanwhile, so that nothing of anybody's is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from retrieval.errors import CorpusError
from retrieval.keeping.library import Value
from retrieval.types import Article

__all__ = ["FORM", "Opened", "as_typed", "entered", "like_it_was", "merged", "values_of"]

FORM = (
    ("title", "Title", "As patients see it. Empty: the article's first heading."),
    ("publisher", "Publisher", "Who stands behind it."),
    ("based_on", "Based on", "Guidelines or sources that it was written from."),
    ("language", "Language", "Two letters, such as en or ms."),
    ("topics", "Topics", "With commas between them, such as aftercare, lasers."),
    ("reviewed_by", "Reviewed by", "The clinician who reviewed it."),
    ("reviewed_on", "Reviewed on", "Year-month-day, such as 2026-05-03."),
    ("review_by", "Review by", "When it is to be reviewed next, such as 2027-05-03."),
)
"""The values of an article that can be edited: name, label, what it means."""
_DATES = frozenset({"reviewed_on", "review_by"})
_BREAK = re.compile(r"\r\n?")
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Opened:
    """The article that somebody has open: the digest that what was read has, and what its two forms showed and when."""

    doc: str = ""
    seen: str = ""
    values: tuple[str, ...] = ("",) * len(FORM)
    values_seen: str = ""
    text: str = ""
    text_seen: str = ""


def values_of(article: Article) -> tuple[str, ...]:
    """The values of an article as the form shows them."""
    data = article.metadata
    on, by = (day.isoformat() if day else "" for day in (data.reviewed_on, data.review_by))
    return (
        data.title, data.publisher, data.based_on, data.language, ", ".join(data.topics), data.reviewed_by, on, by,
    )  # fmt: skip


def entered(shown: Sequence[str], typed: Sequence[str]) -> dict[str, Value]:
    """The values that somebody changed in the form; raises CorpusError for one that is no date."""
    changed: dict[str, Value] = {}
    for (name, label, _), before, after in zip(FORM, shown, typed, strict=True):
        value = after.strip()
        if value == before:
            continue
        changed[name] = value or None
        if name == "topics":
            changed[name] = [part.strip() for part in value.split(",") if part.strip()]
        elif name in _DATES and value:
            try:
                changed[name] = date.fromisoformat(value)
            except ValueError:
                raise CorpusError(f"{label}: {value!r} is no date. Write it as year-month-day, such as 2026-05-03.") from None
    return changed


def merged(shown: Shown, seen: str, typed: Shown, now: Shown, now_seen: str) -> tuple[Shown, Shown, str]:
    """What a form shows after the file has changed: what is there now, unless something else was typed.

    Parameters: what it showed and the file's digest then, what stands in it, what the file has now, and its digest now.
    Returns what to show, what counts as shown, and the digest with which it is saved. Where the same place was changed by
    others and by who typed, the digest stays the old one: saving then is refused, and overwrites nothing.
    """
    if typed in (shown, now):
        return now, now, now_seen
    return (typed, shown, now_seen) if now == shown else (typed, shown, seen)


def as_typed(text: str) -> str:
    """A file's text as a browser's box has it: with one kind of line end."""
    return _BREAK.sub("\n", text)


def like_it_was(typed: str, was: str) -> str:
    """Typed text with the line ends that the file had."""
    return typed.replace("\n", "\r\n") if was.count("\r\n") == was.count("\n") > 0 else typed
