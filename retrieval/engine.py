"""Which passages can be among the best for a question: nearest in meaning, and strongest in words."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from retrieval.encoder import Vectors
from retrieval.lexical import LexicalIndex
from retrieval.places import joined
from retrieval.vector_index import VectorIndex

__all__ = ["Engine", "Found", "LocalEngine"]

Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates: their places among the passages, int64 (found,), ascending; their vectors, float32 (found, dimension), and
    the share of the question's word weight that each holds, float32 (found,)."""

    places: Places
    vectors: Vectors
    lexical: Floats


class Engine(Protocol):
    """What holds the passages' vectors and words: files beside the process, or a server."""

    def find(self, vector: Vectors, words: str, pool: int, also: Places, without: Set[int]) -> Found:
        """Find the candidates for a question.

        Parameters: its vector (dimension,), the words to look for (widening.py), how many are wanted that are nearest and how
        many that are strongest in words, the places of others that are candidates in any case, and the numbers of the articles
        none of whose passages may be found.
        """
        ...


class LocalEngine:
    """Vectors and words in files of the release, mapped into memory.

    `articles` are the numbers of the passages' articles, (passages,).
    """

    def __init__(self, vectors: VectorIndex, lexical: LexicalIndex, articles: npt.NDArray[np.int32]) -> None:
        self._vectors, self._lexical, self._articles = vectors, lexical, articles
        self._kept: tuple[Set[int], npt.NDArray[np.bool_]] | None = None

    def find(self, vector: Vectors, words: str, pool: int, also: Places, without: Set[int]) -> Found:
        """Find the candidates; see Engine."""
        count, hits = self._vectors.count, self._lexical.hits(words)
        kept = self._without(without)
        if count <= pool:
            places = np.arange(count)
        else:
            # Among so many more there are as many as are wanted that are kept.
            more = 0 if kept is None else count - int(np.count_nonzero(kept))
            near = self._vectors.nearest(vector, min(pool + more, count))
            places = joined([near, hits.strongest(pool + more), also]).astype(np.int64, copy=False)
        if kept is not None:
            places = places[kept[places]]
        return Found(places, self._vectors.at(places), hits.at(places))

    def _without(self, articles: Set[int]) -> npt.NDArray[np.bool_] | None:
        """Which passages are not of these articles, bool (passages,); None where there are none. Worked out once a day."""
        if not articles:
            return None
        known = self._kept
        if known is None or known[0] != articles:
            known = self._kept = (articles, ~np.isin(self._articles, sorted(articles)))
        return known[1]
