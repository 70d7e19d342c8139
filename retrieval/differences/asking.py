"""Question -> the difference that it asks about."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.differences.points import Points
from retrieval.encoder import Vectors
from retrieval.errors import DamagedRelease
from retrieval.lexical import stems
from retrieval.types import Difference, Settled, Statement

__all__ = ["Differences"]

Passages = Sequence[tuple[int, int, int]]

_WORDS = 0.7
"""How much the words of a question count beside its vector."""
_SMOOTHING = 0.5
_AHEAD, _FAR_AHEAD = 0.08, 0.15
"""How far a point must be ahead of every other; chosen on half of the points of a list that others wrote."""
_NEAR, _RANKED = 5, 20
"""Where one of its statements must stand among the passages found: among the first, or, where it is far ahead, later."""
_CONTRADICTED = 3
_KIN = 0.5


class Differences:
    """The differences of a release, and which of them a question asks about.

    A question's vector and words are compared with what all points are asked: a linear classifier, fitted by least squares
    when the release is built (ridge regression, one column a point and one for the ordinary questions). Points on which
    nothing differs take part, so that what asks about them finds nothing.
    """

    def __init__(
        self,
        found: Sequence[Difference],
        names: Sequence[str],
        vocabulary: Mapping[str, float],
        weights: Vectors,
        digest: str = "",
    ) -> None:
        self.digest = digest
        self.found = tuple(found)
        self._names = tuple(names)
        self._vocabulary = dict(vocabulary)
        self._rows = {term: row for row, term in enumerate(self._vocabulary)}
        self._idf = np.array(list(self._vocabulary.values()), dtype=np.float32)
        self._weights = weights
        self._dimension = weights.shape[0] - len(self._vocabulary)
        self._by_name = {difference.point: difference for difference in found}
        self._rivals = {difference.point: self._rivals_of(difference) for difference in found}

    @classmethod
    def of(cls, points: Points, found: Sequence[Difference], vectors: Vectors) -> Differences:
        """Fit to the points' asks.

        Parameters: the points, what `find_differences` found, and the vectors of `points.asks`, float32 (asks, dimension).
        """
        terms = [frozenset(stems(ask)) for ask in points.asks]
        counts = Counter(term for held in terms for term in sorted(held))
        vocabulary = {term: math.log(len(terms) / count) for term, count in sorted(counts.items())}
        names = [point.name for point in points.points]
        owners = [number for number, point in enumerate(points.points) for _ in ("name", *point.asks)] + [len(names)] * len(
            points.ordinary
        )
        weights = np.zeros((vectors.shape[1] + len(vocabulary), len(names) + 1), dtype=np.float32)
        fitted = cls(found, names, vocabulary, weights, points.digest)
        rows = np.array([fitted._row(ask, vector) for ask, vector in zip(points.asks, vectors, strict=True)], dtype=np.float64)
        if len(rows):
            likeness = rows @ rows.T + _SMOOTHING * np.eye(len(rows))
            weights[:] = rows.T @ np.linalg.solve(likeness, np.eye(len(names) + 1)[owners])
        return fitted

    def renewed(self, found: Sequence[Difference]) -> Differences:
        """The same points with other differences: what is asked about them has not changed."""
        return Differences(found, self._names, self._vocabulary, self._weights, self.digest)

    def without(self, articles: frozenset[int]) -> Differences:
        """What is left where some articles, by number, are not to be shown: what the others say differently, if they do."""
        found = []
        for difference in self.found:
            left = tuple(said for said in difference.statements if said.article not in articles)
            # Of what is left two articles must differ; a difference that loses nothing is one as it was.
            values, sayers = {said.value.casefold() for said in left}, {said.article for said in left}
            if len(left) == len(difference.statements):
                found.append(difference)
            elif len(values) > 1 and len(sayers) > 1:
                found.append(dataclasses.replace(difference, statements=left))
        return self.renewed(found)

    def asked_about(self, question: str, vector: Vectors, ranked: Passages) -> Difference | None:
        """Find the difference that a question asks about.

        Parameters: the question, its vector, and the passages found for it, best first, as (article, first, last).
        Returns a difference whose point is ahead of every other (those on which the same is said apart) and of which a
        statement is among the first five passages, or the first twenty where it is far ahead; or one without a point, whose
        statements are the best passage and one of the next two; or None. One that staff have marked is never returned.
        """
        scores = self._row(question, vector) @ self._weights
        best = int(np.argmax(scores))
        name = self._names[best] if best < len(self._names) else ""
        difference = self._by_name.get(name)
        if difference is not None:
            ahead = scores[best] - scores[self._rivals[name]].max()
            reach = _RANKED if ahead >= _FAR_AHEAD else _NEAR if ahead >= _AHEAD else 0
            return difference if not difference.settled and _said_in(difference, ranked[:reach]) else None
        first = ranked[:1]
        return next(
            (
                found
                for found in self.found
                if found.point not in self._names
                and not found.settled
                and len(_said_in(found, first)) == 1
                and len(_said_in(found, ranked[:_CONTRADICTED])) > 1
            ),
            None,
        )

    def _row(self, text: str, vector: Vectors) -> Vectors:
        """What the weights are multiplied with: the vector, and a text's words by their rarity, of length `_WORDS`."""
        row = np.zeros(self._dimension + len(self._rows), dtype=np.float32)
        row[: self._dimension] = vector
        places = [self._rows[term] for term in set(stems(text)) if term in self._rows]
        held = self._idf[places]
        if len(places):
            row[[self._dimension + place for place in places]] = _WORDS * held / (np.linalg.norm(held) or 1.0)
        return row

    def _rivals_of(self, difference: Difference) -> list[int]:
        """The columns of the rivals of a difference: all but itself and those that have largely the same statements."""
        own = {(said.article, said.last) for said in difference.statements}
        rivals = [len(self._names)]
        for column, name in enumerate(self._names):
            other = self._by_name.get(name)
            theirs = {(said.article, said.last) for said in other.statements} if other else set()
            if len(own & theirs) < _KIN * len(own | theirs):
                rivals.append(column)
        return rivals

    def save(self, folder: Path) -> None:
        """Write everything to a folder."""
        np.save(folder / "weights.npy", self._weights, allow_pickle=False)
        values = {
            "digest": self.digest,
            "names": self._names,
            "vocabulary": self._vocabulary,
            "found": [dataclasses.asdict(difference) for difference in self.found],
        }
        (folder / "differences.json").write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Differences:
        """Read what `save` wrote; raises DamagedRelease where that fails."""
        try:
            values = json.loads((folder / "differences.json").read_text(encoding="utf-8"))
            weights = np.load(folder / "weights.npy", allow_pickle=False)
            found = [_difference(value) for value in values["found"]]
            return cls(found, values["names"], values["vocabulary"], weights, values["digest"])
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise DamagedRelease(f"{folder}: the differences cannot be read ({problem}). Build again.") from problem


def _said_in(difference: Difference, ranked: Passages) -> set[tuple[int, int]]:
    """The statements of a difference that stand in some passages, as (article, sentence)."""
    return {
        (said.article, said.last)
        for said in difference.statements
        for article, first, last in ranked
        if said.article == article and said.first <= last and said.last >= first
    }


def _difference(value: Mapping[str, Any]) -> Difference:
    mark = value["settled"]
    settled = Settled(**{**mark, "said": tuple(mark["said"])}) if mark else None
    statements = tuple(Statement(**said) for said in value["statements"])
    return Difference(value["point"], statements, settled, value.get("personal", False))
