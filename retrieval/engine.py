"""Which passages can be among the best for a question: nearest in meaning, and strongest in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from retrieval.encoder import Vectors
from retrieval.lexical import LexicalIndex
from retrieval.places import joined
from retrieval.vector_index import VectorIndex

__all__ = ["Engine", "Found", "LocalEngine", "Scope"]

Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Kept = npt.NDArray[np.bool_]

_SCOPES = 8
"""So many masks are kept: one a language, until what is withdrawn changes with the day."""


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates: their places among the passages, int64 (found,), ascending; their vectors, float32 (found, dimension), and
    the share of the question's word weight that each holds, float32 (found,)."""

    places: Places
    vectors: Vectors
    lexical: Floats


@dataclass(frozen=True, slots=True)
class Scope:
    """Which articles are searched: all but those of the numbers in `without`; where `languages` names any, only articles in
    these, which are codes as the articles have them."""

    without: frozenset[int] = frozenset()
    languages: frozenset[str] = frozenset()


_EVERYTHING = Scope()


class Engine(Protocol):
    """What holds the passages' vectors and words: files beside the process, or a server."""

    def find(self, vector: Vectors, words: str, pool: int, also: Places, scope: Scope) -> Found:
        """Find the candidates for a question.

        Parameters: its vector (dimension,), the words to look for (widening.py), how many are wanted that are nearest and how
        many that are strongest in words, the places of others that are candidates in any case, and the articles whose passages
        may be found.
        """
        ...


class LocalEngine:
    """Vectors and words in files of the release, mapped into memory.

    `articles` are the numbers of the passages' articles, int32 (passages,), and `languages` those of the articles, by number.
    """

    def __init__(
        self, vectors: VectorIndex, lexical: LexicalIndex, articles: npt.NDArray[np.int32], languages: Sequence[str]
    ) -> None:
        self._vectors, self._lexical, self._articles = vectors, lexical, articles
        self._languages = np.array(languages, dtype=np.str_)
        self._kept: dict[Scope, Kept] = {}

    def find(self, vector: Vectors, words: str, pool: int, also: Places, scope: Scope) -> Found:
        """Find the candidates; see Engine."""
        hits = self._lexical.hits(words)
        kept = self._in(scope) if scope != _EVERYTHING else None
        if self._vectors.count <= pool:
            places = np.arange(self._vectors.count)
        else:
            near = self._vectors.nearest(vector, pool, kept)
            places = joined([near, hits.strongest(pool, kept), also]).astype(np.int64, copy=False)
        if kept is not None:
            places = places[kept[places]]
        return Found(places, self._vectors.at(places), hits.at(places))

    def _in(self, scope: Scope) -> Kept:
        """Which passages are in a scope, bool (passages,). Worked out once: there is one for each language, each day."""
        kept = self._kept.get(scope)
        if kept is None:
            articles = (
                np.isin(self._languages, sorted(scope.languages)) if scope.languages else np.ones(len(self._languages), bool)
            )
            articles[sorted(scope.without)] = False
            if len(self._kept) >= _SCOPES:
                self._kept.clear()
            kept = self._kept[scope] = articles[self._articles]
        return kept  # not looked up once more: another thread may have cleared them
