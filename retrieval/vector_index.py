"""The passages' vectors: all of them compared where that is quick, a part of them where there are very many (faiss).

vectors.npy     every vector, float32 (passages, dimension), mapped into memory: processes that serve one release share it
nearest.faiss   only from EXACT_UP_TO passages on: where to look for those that are near (an inverted file of 8-bit codes)
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.encoder import Vectors
from retrieval.errors import DamagedRelease

__all__ = ["EXACT_UP_TO", "VectorIndex"]

Places = npt.NDArray[np.int64]
Kept = npt.NDArray[np.bool_]

EXACT_UP_TO = 10_000
"""So many vectors are compared one by one, by one product: benchmarks/growth.py shows when a part of them is quicker."""
_RECALL = 0.99
"""Of the ten that are nearest, the share that is to be found; how much is looked at is chosen for it when the index is made."""
_LISTS_PER_ROOT, _TRAINED_ON = 4, 40
"""Lists for each vector's root, and vectors for each list from which the lists are made."""
_TRIED, _FEWEST_ASKED = 400, 64
_NEAREST, _WANTED = 10, 400
_VECTORS, _NEAR = "vectors.npy", "nearest.faiss"


class VectorIndex:
    """Vectors by their place. Inner products; of vectors of length 1 these are cosines."""

    def __init__(self, vectors: Vectors, near: Any = None) -> None:
        self._vectors, self._near = np.asarray(vectors), near  # a plain array: slices of a mapped one cost more
        self.count, self.dimension = vectors.shape

    @classmethod
    def of(cls, vectors: Vectors, asked: Vectors | None = None) -> VectorIndex:
        """Index vectors.

        Parameters: the vectors, float32 (passages, dimension), and those of questions, (questions, dimension): how much must be
        looked at is told better by what patients ask than by the passages themselves, which take the place of too few.
        """
        made = cls(vectors)
        if made.count > EXACT_UP_TO:
            made._near = _inverted(vectors)
            made._look_at_enough(asked)
        return made

    @classmethod
    def load(cls, folder: Path) -> VectorIndex:
        """Open what `save` wrote, without reading it into memory; raises DamagedRelease where that fails."""
        try:
            vectors = np.load(folder / _VECTORS, mmap_mode="r", allow_pickle=False)
            near = folder / _NEAR
            if not near.exists():
                return cls(vectors)
            import faiss  # only here: most corpora have fewer passages, and it takes a tenth of a second

            return cls(vectors, faiss.read_index(str(near), faiss.IO_FLAG_MMAP))
        except (OSError, ValueError, RuntimeError) as problem:  # RuntimeError: all that faiss raises
            raise DamagedRelease(f"{folder}: the vectors cannot be read ({problem}). Build again.") from problem

    def save(self, folder: Path) -> None:
        """Write the files; raises OSError, or RuntimeError where faiss cannot, since it has no error of its own for that."""
        np.save(folder / _VECTORS, np.ascontiguousarray(self._vectors, dtype=np.float32), allow_pickle=False)
        if self._near is not None:
            import faiss

            faiss.write_index(self._near, str(folder / _NEAR))

    def nearest(self, vector: Vectors, count: int, kept: Kept | None = None) -> Places:
        """The places of the vectors nearest to one of (dimension,), at most `count`, in no order.

        `kept`, bool (passages,), says which may be found; without it all may.
        """
        if self._near is not None:
            told = None if kept is None else _only(kept, self._near)
            _, places = self._near.search(np.ascontiguousarray(vector[None, :], dtype=np.float32), count, params=told)
            found: Places = places[0][places[0] >= 0]
            return found
        among = np.arange(self.count) if kept is None else np.flatnonzero(kept)
        if count >= len(among):
            return among
        products = self._vectors @ vector
        return among[_best(products if kept is None else products[among], count)]

    def at(self, places: Places) -> Vectors:
        """The vectors at some places, float32 (places, dimension)."""
        return self._vectors[places]

    def part(self, first: int, end: int) -> Vectors:
        """The vectors from one place up to another, which is not included; they stay where they are."""
        return self._vectors[first:end]

    def _look_at_enough(self, asked: Vectors | None) -> None:
        """Look at as many lists as it takes to find `_RECALL` of what is nearest to questions, or to passages."""
        few = asked is None or len(asked) < _FEWEST_ASKED
        tried = self._vectors if asked is None or few else asked
        tried = tried[np.linspace(0, len(tried) - 1, min(_TRIED, len(tried))).astype(np.int64)]
        # Of a passage's neighbours the nearest is itself, and easily found.
        right = [_best(self._vectors @ one, _NEAREST + 1 if few else _NEAREST) for one in tried]
        enough = _RECALL * sum(map(len, right))
        probes = 0
        found = 0
        while found < enough and probes < self._near.nlist:
            probes += max(1, probes // 4)
            self._near.nprobe = min(probes, self._near.nlist)
            found = sum(len(np.intersect1d(best, self.nearest(one, _WANTED))) for one, best in zip(tried, right, strict=True))


def _inverted(vectors: Vectors) -> Any:
    """An inverted file of 8-bit codes over the vectors."""
    import faiss

    count, dimension = vectors.shape
    lists = int(_LISTS_PER_ROOT * np.sqrt(count))
    near = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension), dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    # Taken at even distances and not by chance: the same vectors give the same lists.
    sample = np.linspace(0, count - 1, min(count, _TRAINED_ON * lists)).astype(np.int64)
    near.cp.min_points_per_centroid = 1  # else faiss warns whoever builds some ten thousand, on standard error
    near.train(vectors[sample])
    near.add(vectors)
    return near


def _only(kept: Kept, near: Any) -> Any:
    """What tells faiss to look for those that are kept alone, and in more lists: the nearest of few lie farther apart.

    Of 200,000 vectors at random half to a hundredth were kept: as many lists as for all found 0.99 to 0.78 of the ten nearest,
    as many as all's by the root of their share at least 0.99, in 0.7 ms for 0.4.
    """
    import faiss

    share = max(int(np.count_nonzero(kept)), 1) / len(kept)
    lists = min(near.nlist, math.ceil(near.nprobe / share**0.5))
    only = faiss.IDSelectorBitmap(np.packbits(kept, bitorder="little"))  # type: ignore[call-arg, arg-type]  # declared as in C++
    return faiss.SearchParametersIVF(sel=only, nprobe=lists)  # type: ignore[call-arg]  # likewise


def _best(products: Vectors, count: int) -> Places:
    best: Places = np.argpartition(products, -count)[-count:]
    return best
