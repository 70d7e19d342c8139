"""Ranked passages + route -> Answer: which quotes are shown, and the proof that each is what its article says."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Iterable, Sequence

from retrieval.abstaining import Likely
from retrieval.encoder import Question
from retrieval.passages import adjoin, passage_text
from retrieval.quoting import complete
from retrieval.release import Release
from retrieval.types import (
    Answer,
    Article,
    Card,
    Citation,
    Clinic,
    Difference,
    Heading,
    Match,
    Passage,
    Quote,
    Section,
    SideBySide,
)

__all__ = [
    "ANSWERS_FROM",
    "IN_THE_FIELD_FROM",
    "answer",
    "card_of",
    "citation_of",
    "marked",
    "proved",
    "quote_of",
    "side_by_side",
]

_LOG = logging.getLogger(__name__)

# Chosen on the dev halves of the judged questions and routing messages; docs/design.md has the figures.
ANSWERS_FROM = 0.5
"""How likely it must be that the articles answer a question in the field for quotes to be shown; see abstaining.py."""
_DIFFERS_FROM = 0.3
"""The same where the question seems to ask about something that articles differ on."""
_CLEARLY_FROM = 0.32
"""The score from which a passage is on the point enough to stand below a consultation card."""
_BELOW_BEST = 0.15
"""A further quote may score this much less than the best one."""
IN_THE_FIELD_FROM = 0.5
"""How likely a question must be in the field for quotes to be shown, or the nearest headings where nothing is quoted."""
_MOST_QUOTES = 3
_MOST_SENTENCES = 4
_MOST_WORDS = 60
_MOST_QUOTES_CONSULT = 2
_MOST_SUGGESTIONS = 3


def answer(release: Release, matches: Sequence[Match], likely: Likely | None, difference: Difference | None = None) -> Answer:
    """Put an answer together.

    Parameters: the release, its matches for the question, best first, how likely the articles answer it (None where the
    question was raised to a consultation), and the difference between articles that it asks about. Returns an Answer by the
    routing policy: consultations have quotes that are clearly on the point, at most two; otherwise quotes, or the nearest
    headings where the question is in the field. Where articles differ is shown with both. Cards are the caller's.
    """
    if likely is None:
        clear = _joined(release, [match for match in matches if match.score >= _CLEARLY_FROM])[:_MOST_QUOTES_CONSULT]
        quotes = tuple(proved(release, (quote_of(release, match) for match in clear)))
        general = None if difference and difference.personal else difference
        return Answer("consult", quotes, differs=_differs(release, general, clear))
    best = matches[0].score if matches else 0.0
    good = _joined(release, [match for match in matches if match.score >= best - _BELOW_BEST])[:_MOST_QUOTES]
    if likely.in_the_field < IN_THE_FIELD_FROM:
        return Answer("no_answer", confidence=likely.by_quotes)
    # Articles that differ on just what was asked mostly do say something on it.
    quoted = likely.answered >= (ANSWERS_FROM if difference is None else _DIFFERS_FROM)
    quotes = tuple(proved(release, (quote_of(release, match) for match in good))) if quoted else ()
    if not quotes:
        return Answer("no_answer", suggestions=_headings(release, matches), confidence=likely.by_quotes)
    differs = _differs(release, difference, good)
    return Answer("answer", quotes, suggestions=_following(release, good), differs=differs, confidence=likely.by_quotes)


def _differs(release: Release, difference: Difference | None, shown: Sequence[Match]) -> tuple[SideBySide, ...]:
    return side_by_side(release, difference, [match.passage for match in shown]) if difference else ()


def _joined(release: Release, matches: Sequence[Match]) -> list[Match]:
    """Put matches that stand side by side together, in the order in which they are read, as long as they stay short.

    "It is not painful." and "You may feel some warmth." must not be shown as two answers.
    """
    joined = list(matches)
    while True:
        pairs = ((one, other) for other in range(len(joined)) for one in range(other))
        found = ((one, other, _side_by_side(release, joined[one].passage, joined[other].passage)) for one, other in pairs)
        pair = next(((one, other, both) for one, other, both in found if both is not None), None)
        if pair is None:
            return joined
        one, other, both = pair
        # What says the same as a part does not say the same as the whole.
        joined[one] = dataclasses.replace(joined[one], passage=both, also=())
        del joined[other]


def _side_by_side(release: Release, one: Passage, other: Passage) -> Passage | None:
    """Two passages as one, if they adjoin and are short enough together."""
    first, second = (one, other) if one.first < other.first else (other, one)
    if first.article != second.article or first.last + 1 != second.first:
        return None
    article = release.articles[first.article]
    both = Passage(first.article, first.first, second.last)
    short = both.last - both.first < _MOST_SENTENCES and len(passage_text(article, both).split()) <= _MOST_WORDS
    return both if short and adjoin(article, first.last) else None


def side_by_side(release: Release, difference: Difference, shown: Sequence[Passage] = ()) -> tuple[SideBySide, ...]:
    """What articles say on a point, each statement proved, none twice; nothing where fewer than two could be.

    Parameters: the release, the difference, and the passages that are shown as quotes: one that overlaps a statement is shown
    with it.
    """
    said = [complete(release.articles[one.article], Passage(one.article, one.first, one.last)) for one in difference.statements]
    said += [passage for passage in shown if any(_overlap(passage, other) for other in said)]
    rows: list[Passage] = []
    for passage in sorted(said, key=lambda one: (one.article, one.first)):
        if rows and _overlap(rows[-1], passage):
            rows[-1] = Passage(passage.article, rows[-1].first, max(rows[-1].last, passage.last))
        else:
            rows.append(passage)
    quotes = proved(release, (quote_of(release, Match(passage, 0.0, 0.0, 0.0)) for passage in rows))
    return (SideBySide(difference.point, tuple(quotes)),) if len(quotes) > 1 else ()


def _overlap(one: Passage, other: Passage) -> bool:
    return one.article == other.article and one.first <= other.last and other.first <= one.last


def quote_of(release: Release, match: Match) -> Quote:
    """Cut a match out of its article, with its citation and those of the passages that say the same."""
    citation = citation_of(release, match.passage)
    article = release.articles[match.passage.article]
    also = tuple(citation_of(release, passage) for passage in match.also)
    return Quote(article.text[citation.start : citation.end], citation, match.score, also)


def marked(release: Release, found: Answer, question: Question) -> Answer:
    """Mark in all quotes of an answer the words that answer the question."""

    def mark(quote: Quote) -> Quote:
        cited = quote.citation
        return dataclasses.replace(quote, marked=release.marked(cited.doc, cited.start, cited.end, question))

    differs = tuple(dataclasses.replace(one, quotes=tuple(map(mark, one.quotes))) for one in found.differs)
    return dataclasses.replace(found, quotes=tuple(map(mark, found.quotes)), differs=differs)


def citation_of(release: Release, passage: Passage) -> Citation:
    """Where a passage stands."""
    article = release.articles[passage.article]
    first, last = article.sentences[passage.first], article.sentences[passage.last]
    return Citation(
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
        language=article.metadata.language,
        review_by=article.metadata.review_by,
        overdue=release.overdue(article),
    )


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
            release.withheld += 1
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


def _headings(release: Release, matches: Sequence[Match]) -> tuple[Heading, ...]:
    """The headings that matches stand under, best first, each once."""
    found: dict[str, Heading] = {}
    for match in matches:
        article = release.articles[match.passage.article]
        _note(found, article, article.sections[article.sentences[match.passage.first].section])
    return tuple(found.values())[:_MOST_SUGGESTIONS]


def _following(release: Release, matches: Sequence[Match]) -> tuple[Heading, ...]:
    """The headings that follow those of the quotes: what a patient may want to know next."""
    shown = {heading.title for heading in _headings(release, matches)}
    found: dict[str, Heading] = {}
    for match in matches:
        article = release.articles[match.passage.article]
        section = article.sentences[match.passage.first].section
        for later in article.sections[section + 1 : section + 3]:
            if later.title not in shown:
                _note(found, article, later)
    return tuple(found.values())[:_MOST_SUGGESTIONS]


def _note(found: dict[str, Heading], article: Article, section: Section) -> None:
    """Note a section's heading by its words, unless a section without one goes on under a heading further up."""
    start, end = section.start, section.start + len(section.title)
    if section.title and article.text[start:end] == section.title:
        found.setdefault(section.title, Heading(section.title, article.doc, start, end, article.metadata.language))
