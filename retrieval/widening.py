"""Question -> the words to look for: slips of the pen mended, and the articles' terms beside the patient's words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import orjson
from rapidfuzz import process
from rapidfuzz.distance import OSA

from retrieval.errors import DamagedRelease
from retrieval.glossary import Glossary
from retrieval.lexical import stems
from retrieval.phrases import words

__all__ = ["Widening"]

_GLOSSARY, _KNOWN = "glossary.json", "known.txt"
_SHORTEST, _TWO_SLIPS = 4, 7  # letters from which a word may be mended, and may have two slips


class Widening:
    """What a corpus's questions are widened by: the glossary, and the words that slips of the pen are mended to."""

    def __init__(self, glossary: Glossary, known: Iterable[str]) -> None:
        self.glossary = glossary
        self.known = frozenset(known)
        self._by_letter: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self.known | glossary.words):
            if len(word) >= _SHORTEST and word.isalpha():
                self._by_letter[word[0]].append(word)

    @classmethod
    def of(cls, glossary: Glossary, texts: Iterable[str]) -> Widening:
        """By a glossary and all words of some texts."""
        return cls(glossary, (word for text in texts for word in words(text)))

    def save(self, folder: Path) -> None:
        """Write everything to a folder."""
        (folder / _GLOSSARY).write_bytes(orjson.dumps(self.glossary.to_json()))
        (folder / _KNOWN).write_text("\n".join(sorted(self.known)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Widening:
        """Read what `save` wrote; raises DamagedRelease where that fails."""
        try:
            glossary = Glossary.from_json(orjson.loads((folder / _GLOSSARY).read_bytes()))
            return cls(glossary, (folder / _KNOWN).read_text(encoding="utf-8").split())
        except (OSError, TypeError, ValueError) as problem:
            raise DamagedRelease(f"{folder}: the glossary cannot be read ({problem}). Build again.") from problem

    def widen(self, question: str, strange: Sequence[str]) -> str:
        """Widen a question for a search by words.

        Parameters: the question, and the words of it that may be slips of the pen; no other is touched.
        Returns the question, mended, and the terms that its words are lay words for where these do not stand in it anyway.
        """
        text = question
        for suspect in dict.fromkeys(strange):
            word = words(suspect)
            mended = self._mended(word[0]) if len(word) == 1 else suspect
            if [mended] != word:
                text = re.sub(rf"(?<!\w){re.escape(suspect)}(?!\w)", mended, text)
        there = set(stems(text))
        return " ".join([text, *(term for term in self.glossary.terms_of(text) if not there.issuperset(stems(term)))])

    def _mended(self, word: str) -> str:
        """The one known word that is nearest, where there is just one within reach; else the word itself.

        Optimal string alignment: a letter too few, too many, wrong, or changed over with the next counts one; the first stays.
        """
        candidates = self._by_letter.get(word[0], [])
        if len(word) < _SHORTEST or word in candidates:
            return word
        reach = 1 if len(word) < _TWO_SLIPS else 2
        found = process.extract(word, candidates, scorer=OSA.distance, score_cutoff=reach, limit=2)
        only = len(found) == 1 or (len(found) == 2 and found[0][1] < found[1][1])
        return str(found[0][0]) if only else word
