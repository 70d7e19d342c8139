"""BM25 over stemmed words (bm25s, PyStemmer), with scores that mean the same for every question."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import Stemmer

from retrieval.errors import DamagedRelease
from retrieval.phrases import without_marks
from retrieval.places import joined

__all__ = ["Hits", "LexicalIndex", "stems"]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer[Any]]
Places = npt.NDArray[np.int64]
Kept = npt.NDArray[np.bool_]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_STEMMER = Stemmer.Stemmer("english")
_STOPWORDS = frozenset(
    "a an and are as at be been but by can could did do does for from had has have having he her him his how i if in "
    "into is it its just me my of on or our she should so some than that the their them then there these they this "
    "those to too us was we were what when where which who why will with would you your am i'm it's i've you're "
    "dont don't isn't im ill i'll get got".split()
)


def stems(text: str) -> list[str]:
    """A text's content words, folded to plain lower-case letters and stemmed, in order."""
    plain = without_marks(text.lower()).replace("’", "'")
    return list(_STEMMER.stemWords([word for word in _WORD.findall(plain) if word not in _STOPWORDS]))


class LexicalIndex:
    """BM25 in Lucene's form. A score is the share of the question's weight that a passage holds.

    Source: BM25 as in Lù (2024), "BM25S". There each term adds less than its idf, so the idf of all of the question's
    terms, known to the corpus or not, add up to a bound; divided by it, a score is a number from 0 to 1.
    Built by bm25s; asked with numpy alone on the arrays that bm25s made, which spares the asking side its import.
    """

    def __init__(self, weights: Floats, places: Ints, starts: Ints, vocabulary: dict[str, int], count: int) -> None:
        # As plain arrays: each slice of a mapped one costs more than what is done with it.
        self._weights, self._places, self._starts = np.asarray(weights), np.asarray(places), np.asarray(starts)
        self._vocabulary = vocabulary
        self._count = count
        lengths = np.diff(starts)
        self._idf = np.log(1.0 + (count - lengths + 0.5) / (lengths + 0.5))
        self._unknown = float(np.log(1.0 + (count + 0.5) / 0.5))

    @classmethod
    def build(cls, texts: Sequence[str]) -> LexicalIndex:
        """Index texts, one a passage, in order."""
        terms = [stems(text) for text in texts]
        if not any(terms):  # bm25s needs a word
            return cls(np.empty(0, np.float32), np.empty(0, np.int32), np.zeros(1, np.int64), {}, len(texts))
        import bm25s

        index = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        index.index(terms, show_progress=False)
        data, indices, starts = (np.asarray(index.scores[name]) for name in ("data", "indices", "indptr"))
        # bm25s numbers terms anew in each process; in the order of the alphabet the same texts give the same files.
        vocabulary = sorted(term for term in index.vocab_dict if term)
        columns = [slice(starts[column], starts[column + 1]) for column in map(index.vocab_dict.__getitem__, vocabulary)]
        return cls(
            np.concatenate([data[column] for column in columns]).astype(np.float32),
            np.concatenate([indices[column] for column in columns]).astype(np.int32),
            np.cumsum([0, *(column.stop - column.start for column in columns)], dtype=np.int64),
            {term: place for place, term in enumerate(vocabulary)},
            len(texts),
        )

    def save(self, folder: Path) -> None:
        """Write the index to a folder as arrays and JSON."""
        for name, array in (("weights", self._weights), ("places", self._places), ("starts", self._starts)):
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        values = {"passages": self._count, "vocabulary": self._vocabulary}
        (folder / "vocabulary.json").write_text(json.dumps(values, ensure_ascii=False, sort_keys=True), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Read an index that `save` wrote; raises DamagedRelease where that fails."""
        try:
            values = orjson.loads((folder / "vocabulary.json").read_bytes())
            arrays = [
                np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ("weights", "places", "starts")
            ]
            weights, places, starts = arrays
            return cls(weights, places, starts, values["vocabulary"], int(values["passages"]))
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise DamagedRelease(f"{folder}: the word index cannot be read ({problem}). Build again.") from problem

    def knows(self, term: str) -> bool:
        """Whether any passage has a term, as `stems` gives it."""
        return term in self._vocabulary

    def weight_of(self, term: str) -> float:
        """How much a term of a question counts: its idf, also where no passage has it."""
        column = self._vocabulary.get(term)
        return self._unknown if column is None else float(self._idf[column])

    @property
    def rarest(self) -> float:
        """How much a term counts that no passage has: no other counts for more."""
        return self._unknown

    def strength(self, question: str) -> float:
        """How much a question's words can tell: their number times the square of their mean idf.

        BM25 is a share (`scores`) times the sum of the idf; times their mean once more, since rare words tell more than many.
        """
        weights = [self.weight_of(term) for term in stems(question)]
        return sum(weights) ** 2 / len(weights) if weights else 0.0

    def hits(self, question: str) -> Hits:
        """Look a question's words up."""
        terms = stems(question)
        total = np.zeros(self._count, dtype=np.float32)
        columns = [column for column in map(self._vocabulary.get, terms) if column is not None]
        for column in columns:
            places, weights = self._column(column)
            np.add.at(total, places, weights)  # half as long as `total[places] += weights`, which copies twice
        # Each term is counted as often as it is asked, and looked for once.
        bounds = {column: columns.count(column) * float(self._idf[column]) for column in columns}
        return Hits(
            total, [(bound, self._column(column)[0]) for column, bound in bounds.items()], sum(map(self.weight_of, terms))
        )

    @property
    def terms(self) -> int:
        """How many terms the passages have; each has a number below it."""
        return len(self._idf)

    def asked(self, question: str) -> tuple[dict[int, float], float]:
        """A question's terms that the passages have, by number, with how often each is asked; and what no passage can be above.

        A passage's score (`scores`) is the sum of its weights (`by_passage`), each so many times, divided by the latter.
        """
        words = stems(question)
        known = Counter(number for number in map(self._vocabulary.get, words) if number is not None)
        return {number: float(times) for number, times in known.items()}, sum(map(self.weight_of, words))

    def by_passage(self) -> tuple[Places, Ints, Floats]:
        """The index the other way round.

        Returns where each passage's terms begin, int64 (passages + 1,), and their numbers and weights, each (held,).
        """
        order = np.argsort(self._places, kind="stable")
        numbers = np.repeat(np.arange(self.terms), np.diff(self._starts))
        starts = np.searchsorted(self._places[order], np.arange(self._count + 1))
        return starts, numbers[order], self._weights[order]

    def scores(self, question: str) -> Floats:
        """Score every passage for a question: float32 of shape (passages,), from 0 to 1."""
        return self.hits(question).at(slice(None))

    def _column(self, column: int) -> tuple[Ints, Floats]:
        held = slice(self._starts[column], self._starts[column + 1])
        return self._places[held], self._weights[held]


class Hits:
    """What the words of one question hit.

    `total` is BM25, float32 (passages,); `columns` has, for each term of the question that the corpus has, the most it can add,
    and the places of the passages that hold it; `most` is what no passage can be above.
    """

    def __init__(self, total: Floats, columns: Sequence[tuple[float, Ints]], most: float) -> None:
        self._total, self._most = total, np.float32(most or 1.0)
        self._columns = sorted(columns, key=lambda column: -column[0])

    def at(self, places: Places | slice) -> Floats:
        """The scores of some passages, by their places: float32 (places,), from 0 to 1."""
        found: Floats = self._total[places] / self._most
        return found

    def strongest(self, count: int, kept: Kept | None = None) -> Places:
        """The places of the passages with the best scores above 0, at most `count`, in no order.

        `kept`, bool (passages,), says which may be found; without it all may.
        Rare terms first; what only frequent terms hit is not looked at where it cannot be among the best any more (Turtle and
        Flood 1995, "MaxScore").
        """
        rest = sum(bound for bound, _ in self._columns)
        found: Ints = np.empty(0, dtype=np.int32)
        least = 0.0
        for bound, places in self._columns:
            rest -= bound
            if kept is not None:
                places = places[kept.take(places)]
            # What was hit before and left out has no more than the least of those that are kept.
            found = joined([found, places[self._total.take(places) >= least]])
            if len(found) > count:
                scores = self._total[found]
                best = np.argpartition(scores, -count)[-count:]
                least = float(scores[best[0]])
                found = found[np.sort(best)]
                if least > rest:
                    break
        return found.astype(np.int64)
