"""The words of a corpus's field: which words of a question belong to it, if only by a slip of the pen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

from retrieval.phrases import words

__all__ = ["Vocabulary"]

_SHORTEST = 3
_ONE_SLIP, _TWO_SLIPS = 4, 7  # letters from which a word may have so many


class Vocabulary:
    """All words of some texts: a corpus's articles and the example questions of its field."""

    def __init__(self, known: Iterable[str]) -> None:
        self.words = frozenset(known)
        self._by_letter: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self.words):
            self._by_letter[word[0]].append(word)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """The vocabulary of some texts."""
        return cls(word for text in texts for word in words(text) if _counts(word))

    def foreign(self, text: str) -> list[str]:
        """The words of a text that are neither known nor a known word with a slip of the pen, in order.

        A slip keeps the first letter; words of four letters may have one, of seven two, each a letter too few, too many,
        wrong, or changed over with the next (optimal string alignment).
        """
        return [word for word in words(text) if _counts(word) and word not in self.words and not self._is_slip(word)]

    def _is_slip(self, word: str) -> bool:
        slips = (len(word) >= _ONE_SLIP) + (len(word) >= _TWO_SLIPS)
        candidates = self._by_letter.get(word[0], [])
        return slips > 0 and process.extractOne(word, candidates, scorer=OSA.distance, score_cutoff=slips) is not None


def _counts(word: str) -> bool:
    """Numbers, particles and signs of a writing without blanks tell nothing of a field."""
    return len(word) >= _SHORTEST and word.isalpha()
