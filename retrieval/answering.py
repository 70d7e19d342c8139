"""Ranked passages + route -> Answer: which quotes are shown, and the proof that each is what its article says."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Iterable, Sequence

from retrieval.abstaining import Likely
from retrieval.passages import adjoin, passage_text
from retrieval.release import Release
from retrieval.types import Answer, Card, Citation, Clinic, Match, Passage, Quote

__all__ = ["ANSWERS_FROM", "IN_THE_FIELD_FROM", "answer", "card_of", "proved", "quote_of"]

_LOG = logging.getLogger(__name__)

# Chosen on the dev halves of the judged questions and routing messages; docs/design.md has the figures.
ANSWERS_FROM = 0.45
"""How likely it must be that the articles answer a question in the field for quotes to be shown; see abstaining.py."""
_CLEARLY_FROM = 0.32
"""The score from which a passage is on the point enough to stand below a consultation card."""
_BELOW_BEST = 0.12
"""A further quote may score this much less than the best one."""
IN_THE_FIELD_FROM = 0.5
"""How likely a question must be in the field for quotes to be shown, or the nearest headings where nothing is quoted."""
_MOST_QUOTES = 3
_MOST_SENTENCES = 4
_MOST_WORDS = 60
_MOST_QUOTES_CONSULT = 2
_MOST_SUGGESTIONS = 3


def answer(release: Release, matches: Sequence[Match], likely: Likely | None) -> Answer:
    """Put an answer together.

    Parameters: the release, its matches for the question, best first, and how likely the articles answer it; None where
    the question was raised to a consultation. Returns an Answer by the routing policy: consultations have quotes that are
    clearly on the point, at most two; otherwise quotes, or the nearest headings where the question is in the field. Cards
    are the caller's.
    """
    if likely is None:
        clear = _joined(release, [match for match in matches if match.score >= _CLEARLY_FROM])[:_MOST_QUOTES_CONSULT]
        quotes = tuple(proved(release, (quote_of(release, match) for match in clear)))
        return Answer("consult", quotes)
    best = matches[0].score if matches else 0.0
    good = _joined(release, [match for match in matches if match.score >= best - _BELOW_BEST])[:_MOST_QUOTES]
    if likely.in_the_field < IN_THE_FIELD_FROM:
        return Answer("no_answer", confidence=likely.by_quotes)
    quotes = tuple(proved(release, (quote_of(release, match) for match in good))) if likely.answered >= ANSWERS_FROM else ()
    if not quotes:
        return Answer("no_answer", suggestions=_headings(release, matches), confidence=likely.by_quotes)
    return Answer("answer", quotes, suggestions=_following(release, good), confidence=likely.by_quotes)


def _joined(release: Release, matches: Sequence[Match]) -> list[Match]:
    """Put matches that stand side by side together, in the order in which they are read, as long as they stay short.

    "It is not painful." and "You may feel some warmth." must not be shown as two answers.
    """
    joined: list[Match] = []
    for match in matches:
        for place, other in enumerate(joined):
            both = _side_by_side(release, match.passage, other.passage)
            if both is not None:
                joined[place] = dataclasses.replace(other, passage=both)
                break
        else:
            joined.append(match)
    return joined


def _side_by_side(release: Release, one: Passage, other: Passage) -> Passage | None:
    """Two passages as one, if they adjoin and are short enough together."""
    first, second = (one, other) if one.first < other.first else (other, one)
    if first.article != second.article or first.last + 1 != second.first:
        return None
    article = release.articles[first.article]
    both = Passage(first.article, first.first, second.last)
    short = both.last - both.first < _MOST_SENTENCES and len(passage_text(article, both).split()) <= _MOST_WORDS
    return both if short and adjoin(article, first.last) else None


def quote_of(release: Release, match: Match) -> Quote:
    """Cut a match out of its article, with its citation."""
    article = release.articles[match.passage.article]
    first, last = article.sentences[match.passage.first], article.sentences[match.passage.last]
    citation = Citation(
        doc=article.doc,
        title=article.title,
        section=article.sections[first.section].title,
        page=first.page,
        start=first.start,
        end=last.end,
        digest=article.digest,
        based_on=article.metadata.based_on,
        reviewed_on=article.metadata.reviewed_on,
        reviewed_by=article.metadata.reviewed_by,
    )
    return Quote(article.text[first.start : last.end], citation, match.score)


def proved(release: Release, quotes: Iterable[Quote]) -> list[Quote]:
    """Keep the quotes that are slices of their articles as they were when the release was built; report the others."""
    kept: list[Quote] = []
    for quote in quotes:
        cited = quote.citation
        article = release.article(cited.doc)
        text = article.text if article else ""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        if digest == cited.digest and text[cited.start : cited.end] == quote.text:
            kept.append(quote)
        else:
            _LOG.error(
                "withheld a quote that failed its proof: %s %d-%d of release %s", cited.doc, cited.start, cited.end, release.id
            )
    return kept


def card_of(clinic: Clinic, kind: str, language: str = "en", languages: str = "") -> Card:
    """A clinic's card of a kind, in a language where it has one, else in English.

    `languages` are the names of those that the articles are in, for the card that says so.
    """
    kinds = {card.language: card for card in clinic.cards if card.kind == kind}
    card = kinds.get(language) or kinds["en"]
    heading, text = (part.replace("{languages}", languages) for part in (card.heading, card.text))
    return dataclasses.replace(card, heading=heading, text=text)


def _headings(release: Release, matches: Sequence[Match]) -> tuple[str, ...]:
    """The headings that matches stand under, best first, each once."""
    found: dict[str, None] = {}
    for match in matches:
        article = release.articles[match.passage.article]
        title = article.sections[article.sentences[match.passage.first].section].title
        if title:
            found.setdefault(title)
    return tuple(found)[:_MOST_SUGGESTIONS]


def _following(release: Release, matches: Sequence[Match]) -> tuple[str, ...]:
    """The headings that follow those of the quotes: what a patient may want to know next."""
    shown = set(_headings(release, matches))
    found: dict[str, None] = {}
    for match in matches:
        article = release.articles[match.passage.article]
        section = article.sentences[match.passage.first].section
        for later in article.sections[section + 1 : section + 3]:
            if later.title and later.title not in shown:
                found.setdefault(later.title)
    return tuple(found)[:_MOST_SUGGESTIONS]
