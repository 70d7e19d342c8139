"""Which words inside a quote answer the question: the clause that is nearest to it in meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.encoder import Question, Vectors
from retrieval.errors import DamagedRelease
from retrieval.types import Article

__all__ = ["CLAUSES_VERSION", "Clauses", "clauses_of"]

# Counts up whenever the same article would be divided differently.
CLAUSES_VERSION = 1
_OPENERS = (
    r"(?:but|because|while|whereas|which|who|where|so|if|when|although|though|unless|until|depending on|as|since|after|before"
    r"|and (?:can|may|will|should|must|is|are|has|have|the|it|you|they|this|therefore)"
    r"|it|you|they|we|this|these|there|the|your|our)\b"
)
# At a comma only where a clause opens, so that what is enumerated stays together.
_BORDER = re.compile(
    rf"(?<=[;–—)])\s+|\s+(?=\()|(?<=,)\s+(?={_OPENERS})|\s+(?=(?:but|because|whereas|although|unless|so that)\b)"
)
_FEWEST_WORDS = 3
# "Before pico laser," says nothing alone; "If your skin is sensitive," limits what follows and need not be marked with it.
_FRONT = re.compile(r"(?:before|after|during|for|on|in|with|without|at|over|by|from|to|as|like)\b", re.IGNORECASE)
_LONGEST_FRONT = 6
_HOW_LONG = re.compile(r"\bhow (?:long|soon|fast|quick|far apart|often)|\bwhen\b|\bwhat time\b", re.IGNORECASE)
_HOW_MUCH = re.compile(r"\bhow (?:many|much|often|big|small|strong|likely)|\bwhat (?:percentage|share)\b", re.IGNORECASE)
_TIME = re.compile(
    r"\b(?:second|minute|hour|day|week|month|year|night|fortnight|immediate|daily|weekly|monthly)", re.IGNORECASE
)
_NUMBER = re.compile(
    r"\d|\b(?:half|one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|several|few|once|twice|single)\b",
    re.IGNORECASE,
)
# What is asked for in figures is answered by a clause that has one: as much as two sentences differ that are about as good.
_HAS_VALUE = 0.15

Ints = npt.NDArray[np.int32]


def clauses_of(article: Article) -> list[tuple[int, int]]:
    """Divide an article's sentences into clauses: where each begins and ends in its text, in order.

    A clause has three words or more where the sentence has; its closing punctuation is left out.
    """
    found: list[tuple[int, int]] = []
    for sentence in article.sentences:
        text = article.text[sentence.start : sentence.end]
        starts = [0]
        for border in _BORDER.finditer(text):
            before = text[starts[-1] : border.start()]
            front = _FRONT.match(before) and len(before.split()) <= _LONGEST_FRONT
            enough = min(len(before.split()), len(text[border.end() :].split())) >= _FEWEST_WORDS
            if enough and not front:
                starts.append(border.end())
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            found.append((sentence.start + start, sentence.start + start + len(text[start:end].rstrip(" \n\t.,;:–—"))))
    return found


class Clauses:
    """All clauses of a release's articles: places, int32 (clauses, 3): article, start, end; vectors (clauses, dimension)."""

    def __init__(self, places: Ints, vectors: Vectors) -> None:
        self._places, self._vectors = np.asarray(places), np.asarray(vectors)
        self._starts = np.searchsorted(places[:, 0], np.arange(places[-1, 0] + 2 if len(places) else 1))

    @classmethod
    def of(cls, parts: Sequence[tuple[Sequence[tuple[int, int]], Vectors]]) -> Clauses:
        """Put articles together: for each in order its clauses' spans and vectors, as `of_article` gives them."""
        rows = [(number, *span) for number, (spans, _) in enumerate(parts) for span in spans]
        return cls(np.array(rows, dtype=np.int32).reshape(-1, 3), np.concatenate([vectors for _, vectors in parts]))

    def of_article(self, article: int) -> tuple[list[tuple[int, int]], Vectors]:
        """The spans and vectors of an article's clauses."""
        rows = self._rows(article)
        return [(start, end) for _, start, end in self._places[rows].tolist()], self._vectors[rows].astype(np.float32)

    def best(self, articles: Sequence[Article], article: int, start: int, end: int, question: Question) -> tuple[int, int]:
        """The clause of a quote that answers a question best.

        Parameters: the articles, the quote's article number and its span in canonical text, and the question.
        Returns the clause's span in canonical text, (start, start) where the quote holds no whole clause.
        """
        rows, places = self._rows(article), self._places
        first, last = rows.start + np.searchsorted(places[rows, 1], [start, end])
        inside = slice(int(first), int(last))
        if first == last or places[last - 1, 2] > end:
            return start, start
        scores = self._vectors[inside].astype(np.float32) @ question.searching
        for asked, value in ((_HOW_LONG, _TIME), (_HOW_MUCH, _NUMBER)):
            if asked.search(question.text):
                texts = (articles[article].text[begin:stop] for _, begin, stop in places[inside].tolist())
                scores += _HAS_VALUE * np.array([value.search(text) is not None for text in texts])
        chosen = places[first + int(scores.argmax())]
        return int(chosen[1]), int(chosen[2])

    def _rows(self, article: int) -> slice:
        low, high = self._starts[min(article, len(self._starts) - 1)], self._starts[min(article + 1, len(self._starts) - 1)]
        return slice(int(low), int(high))

    def save(self, folder: Path) -> None:
        """Write everything to a folder."""
        np.save(folder / "places.npy", self._places, allow_pickle=False)
        np.save(folder / "vectors.npy", self._vectors.astype(np.float16), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Clauses:
        """Read what `save` wrote; raises DamagedRelease where that fails."""
        try:
            places, vectors = (
                np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ("places", "vectors")
            )
            return cls(places, vectors)
        except (OSError, ValueError) as problem:
            raise DamagedRelease(f"{folder}: the clauses cannot be read ({problem}). Build again.") from problem
