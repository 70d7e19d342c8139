"""How an article's review stands on a day: staff are warned, then patients are told, then some articles are withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from retrieval.types import Article, Clinic, Metadata

__all__ = ["Due", "due", "review_notes", "withdrawn_from"]

Due = Literal["", "soon", "due", "withdrawn"]


def due(metadata: Metadata, clinic: Clinic, today: date) -> Due:
    """How an article's review stands on a day.

    Parameters: what is known of the article, the clinic with its rules for reviews, and the day.
    Returns "soon" from `review_warn_days` before `review_by` up to that day itself (for staff only), "due" from the day after,
    and "withdrawn" from the first day of `withdrawn_from` on; "" before all that, and always where there is no `review_by`.
    """
    if metadata.review_by is None:
        return ""
    last = withdrawn_from(metadata, clinic)
    if last is not None and today >= last:
        return "withdrawn"
    late = (today - metadata.review_by).days
    return "due" if late > 0 else "soon" if late >= -clinic.review_warn_days else ""


def withdrawn_from(metadata: Metadata, clinic: Clinic) -> date | None:
    """The first day on which an article is withdrawn by itself; None where that never happens.

    That is the day after `review_by` and `withdraw_after_days` more, if any of its topics is one of `withdraw_topics`.
    """
    if metadata.review_by is None or not _folded(metadata.topics) & _folded(clinic.withdraw_topics):
        return None
    day = metadata.review_by.toordinal() + clinic.withdraw_after_days + 1
    return date.fromordinal(day) if day <= date.max.toordinal() else None


def review_notes(articles: Sequence[Article], clinic: Clinic, today: date) -> tuple[str, ...]:
    """What staff should know of the articles' reviews on a day, an article a line, the most overdue first."""
    concerned = [(one, state) for one in articles if (state := due(one.metadata, clinic, today))]
    concerned.sort(key=lambda each: (each[0].metadata.review_by or date.max, each[0].doc))
    return tuple(_note(article, state, clinic, today) for article, state in concerned)


def _note(article: Article, state: Due, clinic: Clinic, today: date) -> str:
    by, end = article.metadata.review_by or today, withdrawn_from(article.metadata, clinic)
    if state == "withdrawn":
        return (
            f"{article.doc}: was due for review on {by} and is withdrawn by itself since {end}: "
            "patients see nothing of it until it is reviewed."
        )
    then = f" It is withdrawn by itself on {end}." if end else ""
    if state == "due":
        return f"{article.doc}: was due for review on {by}; patients are told so.{then}"
    days = (by - today).days
    when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    return f"{article.doc}: is due for review on {by}, {when}.{then}"


def _folded(topics: Sequence[str]) -> frozenset[str]:
    return frozenset(" ".join(topic.split()).casefold() for topic in topics)
