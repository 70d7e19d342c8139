"""Beside the points: what two articles say in nearly the same words, with other figures."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.differences.amounts import AMOUNT, AMOUNT_WORDS, Kind, Value, read_values
from retrieval.differences.points import Line, Points
from retrieval.lexical import stems
from retrieval.passages import context_of, sentence_text
from retrieval.phrases import Index
from retrieval.types import Article, Difference, Settled, Statement

__all__ = ["beside", "held"]

_FEWEST_WORDS = 3
_MOST_EXTRA = 1  # a word more, such as "please"; two words that differ may be two subjects
_TURNS = frozenset({"befor", "after", "dure", "without", "not", "no", "never", "onli", "first", "until"})
# Words of titles that tell no treatment from another.
_GENERAL = frozenset(
    stems(
        "treatment treat skin session laser clinic patient care aftercare procedure before after during time day remove removal"
    )
)
_MOST_APART = 60.0  # a week is not another figure for an hour: something else is measured
_BESIDE: tuple[Kind, ...] = ("time", "fraction", "factor", "share")
_AMOUNTS = frozenset(stem for word in (*AMOUNT_WORDS, "times") for stem in stems(f"{word} {word}s")) | frozenset(
    stems("about around approximately roughly least most usually typically generally percent")
)


@dataclass(frozen=True, slots=True)
class _Figure:
    """The amounts of one kind in a sentence, its other words, and those of them that its title or headings have too."""

    article: int
    place: int
    kind: Kind
    values: tuple[Value, ...]
    terms: frozenset[str]
    subject: frozenset[str]

    def contradicts(self, other: _Figure) -> bool:
        """Whether both say the same of the same thing, which their titles or headings name too, with another figure."""
        if self.article == other.article or self.kind != other.kind or not self.subject & other.subject:
            return False
        if len(self.terms & other.terms) < _FEWEST_WORDS or len(self.terms ^ other.terms) > _MOST_EXTRA:
            return False
        if not (self.terms <= other.terms or other.terms <= self.terms) or (self.terms ^ other.terms) & _TURNS:
            return False
        pairs = [(one, two) for one in self.values for two in other.values]
        return all(not one.agrees(two) and max(one.low, two.low) <= _MOST_APART * min(one.low, two.low) for one, two in pairs)


def beside(articles: Sequence[Article], points: Points, index: Index, found: Sequence[Difference]) -> list[Difference]:
    """Pairs of sentences of two articles that are alike but for their figures, where no point has them both."""
    by_terms: dict[tuple[str, frozenset[str]], list[_Figure]] = defaultdict(list)
    told = [{(said.article, said.last) for said in difference.statements} for difference in found]
    pairs: dict[tuple[_Figure, _Figure], None] = {}
    for number, article in enumerate(articles):
        for place in range(len(article.sentences)):
            for figure in _figures(article, number, place, points, index):
                # Two can only contradict each other where one has the words of the other and at most one more.
                keys = [(figure.kind, figure.terms), *((figure.kind, figure.terms - {term}) for term in sorted(figure.terms))]
                near = {other: None for key in keys for other in by_terms.get(key, ())}
                pairs |= {(other, figure): None for other in near if other.contradicts(figure)}
                for key in keys:
                    by_terms[key].append(figure)
    marks = {mark.point: mark for mark in points.settled}
    names = {difference.point for difference in found}
    differences = []
    for one, two in pairs:
        if any({(one.article, one.place), (two.article, two.place)} <= places for places in told):
            continue
        article = articles[one.article]
        heading = article.sections[article.sentences[one.place].section].title or article.title
        name = next(name for n in itertools.count(1) if (name := heading if n == 1 else f"{heading} ({n})") not in names)
        names.add(name)
        statements = tuple(Statement(f.article, f.place, f.place, "; ".join(v.text for v in f.values)) for f in (one, two))
        differences.append(Difference(name, statements, held(marks.get(name), statements, beside=True)))
    return differences


def _figures(article: Article, number: int, place: int, points: Points, index: Index) -> list[_Figure]:
    text = sentence_text(article, place)
    if not AMOUNT.search(text):
        return []
    if Line.of(text, index).has(points.unless) or text.rstrip().endswith("?"):
        return []
    terms = frozenset(term for term in stems(text) if term not in _AMOUNTS and not term[0].isdigit())
    subject = (terms & frozenset(stems(context_of(article, article.sentences[place].section)))) - _GENERAL
    read = [(kind, read_values(text, kind)) for kind in _BESIDE]
    return [_Figure(number, place, kind, values, terms, subject) for kind, values in read if values]


def held(mark: Settled | None, statements: Sequence[Statement], beside: bool = False) -> Settled | None:
    """A mark lapses where the articles have come to say something that staff did not see.

    One on a difference beside the points must name the values, since its name is a heading and says less.
    """
    if mark is None or ((mark.said or beside) and not {statement.value for statement in statements} <= set(mark.said)):
        return None
    return mark
