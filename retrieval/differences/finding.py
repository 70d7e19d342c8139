"""Articles -> the points on which they say different things."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.differences.amounts import AMOUNT, Value, read_values
from retrieval.differences.beside import beside, held
from retrieval.differences.points import Line, Point, Points, Subject
from retrieval.passages import adjoin, sentence_text
from retrieval.phrases import Index, line, words
from retrieval.types import Article, Difference, Statement

__all__ = ["find_differences", "notes_on_marks"]

_OWN, _ALSO = 0.1, 0.2  # the share of an article's sentences that must name its subject where its title does not


@dataclass(frozen=True, slots=True)
class _Said:
    """A statement with what is compared: the name of an answer, or values."""

    statement: Statement
    answer: str
    values: tuple[Value, ...]

    def differs(self, other: _Said, alike: Sequence[frozenset[str]]) -> bool:
        if self.answer or other.answer:
            return self.answer != other.answer and not any({self.answer, other.answer} <= names for names in alike)
        return not any(one.agrees(two) for one in self.values for two in other.values)


def find_differences(articles: Sequence[Article], points: Points) -> tuple[Difference, ...]:
    """Find the points on which articles say different things.

    Parameters: the articles of the release, and the points of the field.
    Returns, in the order of the points, each point on which statements of two articles differ (or of one, where the point
    says `within`), with all statements on it, those included that say the same; then pairs of sentences beside the points
    that are alike but for their figures, named after the heading of the first.
    """
    index = Index(points.patterns())
    marks = {mark.point: mark for mark in points.settled}
    subjects = {point.subject for point in points.points}
    said: dict[str, list[_Said]] = {point.name: [] for point in points.points}
    for number, article in enumerate(articles):
        lines, headings = _lines(article, index)
        title = Line.of(article.title, index)
        ours = {subject: _ours(article, lines, headings, title, subject) for subject in subjects}
        for place in range(len(article.sentences)):
            if lines[place].has(points.unless) or sentence_text(article, place).rstrip().endswith("?"):
                continue
            before = lines[place - 1] if place and adjoin(article, place - 1) else None
            for point in points.points:
                if not ours[point.subject][place]:
                    continue
                found = _statement(article, number, place, point, points, lines[place], before, headings)
                if found is not None:
                    said[point.name].append(found)
    differences = []
    for point in points.points:
        if _differ(said[point.name], point):
            statements = tuple(one.statement for one in said[point.name])
            settled = held(marks.get(point.name), statements)
            differences.append(Difference(point.name, statements, settled, point.personal))
    return (*differences, *beside(articles, points, index, differences))


def _differ(said: Sequence[_Said], point: Point) -> bool:
    """Whether two statements differ: of two articles, or of one where the point says `within`."""
    return any(
        (point.within or one.statement.article != two.statement.article) and one.differs(two, point.alike)
        for one, two in itertools.combinations(said, 2)
    )


def _lines(article: Article, index: Index) -> tuple[list[Line], list[Line]]:
    """The sentences of an article and the headings of its sections, ready for patterns."""
    sentences = [Line.of(sentence_text(article, place), index) for place in range(len(article.sentences))]
    return sentences, [Line.of(" . ".join(section.path) or article.title, index) for section in article.sections]


def _ours(
    article: Article, lines: Sequence[Line], headings: Sequence[Line], title: Line, subject: Subject
) -> list[bool]:  # fmt: skip
    """Which sentences are of a subject: they name it, or their headings, the title or enough of the article do.

    The nearest of these that names a subject decides; a treatment of another kind that a heading or the title names makes
    their sentences its own. Where a file names no subject, all sentences are of it.
    """
    if not subject.own:
        return [True] * len(lines)

    def named(level: Line) -> bool | None:
        if level.has(subject.own):
            return True
        return False if level.has(subject.others) else True if level.has(subject.also) else None

    whole = named(title)
    if whole is None:
        shares = [sum(held.has(patterns) for held in lines) for patterns in (subject.own, subject.also, subject.others)]
        whole = shares[0] >= _OWN * len(lines) or shares[1] > max(shares[2], _ALSO * len(lines))
    sections = [named(heading) for heading in headings]
    places = (sections[sentence.section] for sentence in article.sentences)
    return [held.has(subject.own) or (whole if place is None else place) for held, place in zip(lines, places, strict=True)]


def _statement(
    article: Article, number: int, place: int, point: Point, points: Points, own: Line, before: Line | None,
    headings: Sequence[Line],
) -> _Said | None:  # fmt: skip
    """What one sentence says on a point, with the sentence before it where it leans on that one; None if it says nothing."""
    if (point.says and not own.has(point.says)) or own.has(point.unless):
        return None
    named = not point.about or own.has(point.about)
    named_before = before is not None and not named and before.has(point.about)
    if not named and not named_before and not headings[article.sentences[place].section].has(point.about):
        return None
    answer = next((name for name, patterns in point.answers if own.has(patterns)), "")
    values = () if answer else _values(sentence_text(article, place), point)
    if not answer and not values:
        return None
    leans = before is not None and own.begins_with(points.leans)
    if leans and before is not None and (before.has(points.unless) or before.has(point.unless)):
        return None
    first = place - 1 if leans or named_before else place
    shown = answer or "; ".join(dict.fromkeys(value.text for value in values))
    return _Said(Statement(number, first, place, shown), answer, values)


_CLAUSES = re.compile(r"[,;:()–—](?=\s|$)|(?<=\s)[–—(]")


def _values(text: str, point: Point) -> tuple[Value, ...]:
    """The values of a sentence: those of the clauses in which it speaks of the point, if they hold any."""
    if not point.read or not AMOUNT.search(text):
        return ()
    clauses = [clause for clause in _CLAUSES.split(text) if any(p.stands_in(line(words(clause))) for p in point.says)]
    for pieces in (clauses, [text]):
        values = tuple(value for piece in pieces for kind in point.read for value in read_values(piece, kind, point.of))
        if values:
            return values
    return ()


def notes_on_marks(points: Points, found: Sequence[Difference]) -> tuple[str, ...]:
    """What staff should know of their marks: those that lapsed, and those on what is no difference any more."""
    listed = {difference.point: difference for difference in found}
    notes = []
    for mark in points.settled:
        difference = listed.get(mark.point)
        if difference is None:
            notes.append(f"The mark on {mark.point!r} is not needed: the articles do not differ there. Take it away.")
        elif difference.settled is None:
            values = ", ".join(dict.fromkeys(repr(said.value) for said in difference.statements))
            notes.append(f"The mark on {mark.point!r} does not hold: the articles say {values}. Look at them and mark it anew.")
    return tuple(notes)
