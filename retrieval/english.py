"""Which English words are known, and what was done to a word that is not: for texts whose extraction lost or added spaces.

A word is known where the model or field/words.toml has it, or where it is made of a known one by what English words begin and
end in. What is not known is called damaged only where a single repair makes it known.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from retrieval.errors import SettingsError

__all__ = ["FILE", "English"]

FILE = Path(__file__).parent / "field" / "words.toml"
_KEYS = {"short", "joining", "compounding", "beginning", "pieces", "prefixes", "endings", "whole", "field"}
_SHORT = 3  # letters of a word that counts only where the file has it
_LIGATURES = ("fi", "fl", "ff", "ffi", "ffl")
_LEAST_STEM = 4
_INFLECTIONS = {"s", "es", "d", "ed", "ing", "ings", "er", "ers", "est", "y", "ly", "ied", "ies"}  # of short words too
_LONGEST = 40  # a longer word is not looked at for what it is made of
_VOWELS = set("aeiouy")


class English:
    """The English words of an article.

    Parameters: whole words that the model knows, in lower case, and those of the article, which count as evidence of what a
    damaged word was but never of its being sound.
    """

    def __init__(self, known: frozenset[str], own: Iterable[str] = ()) -> None:
        self._lists = _lists()
        self._words = _all_words(known)
        self._own = frozenset(word for word in own if len(word) > _SHORT)
        self._small = self._lists["joining"] | self._lists["compounding"]
        self._cache: dict[str, bool] = {}
        self._divided: dict[str, tuple[str, ...]] = {}
        self._lost: dict[tuple[str, str], str] = {}

    def knows(self, word: str) -> bool:
        """Whether a word is known, as it is or by what it begins and ends in."""
        word = word.lower()
        if word not in self._cache:
            self._cache[word] = self._stands(word)
        return self._cache[word]

    def is_prefix(self, word: str) -> bool:
        """Whether it stands before words and makes others of them ("non", "pre")."""
        return word.lower() in self._lists["prefixes"]

    def is_beginning(self, word: str) -> bool:
        """Whether sentences begin with it, and names seldom go on with it."""
        return word.lower() in self._lists["beginning"]

    def is_joining(self, word: str) -> bool:
        """Whether it stands between all other words ("the", "of", "after")."""
        return word.lower() in self._small

    def is_divided(self, left: str, right: str, gap: bool) -> bool:
        """Whether two parts with a hyphen between them, and perhaps a gap after it, are one word.

        Without a gap it may be how the word is written ("co-ordinate"), so that less is believed.
        """
        whole = (left + right).lower()
        if not gap and (self.is_prefix(left) or (self.knows(left) and self.knows(right))):
            return False
        if self.knows(right) and (self.is_prefix(left) or len(right) > _SHORT):
            return self._is_plain(whole) and not self.is_prefix(left)
        return self.is_word(whole) if gap else self.knows(whole)

    def is_word(self, word: str) -> bool:
        """Whether the word that pieces would make is known, or stands whole elsewhere in the article."""
        return self.knows(word) or word.lower() in self._own

    def is_split(self, pieces: list[str]) -> bool:
        """Whether pieces with spaces between them are one word: it is known, and not all of the pieces are.

        A single letter beside a known word is no piece ("T cell"), nor is what stands before words ("non invasive").
        """
        word = "".join(pieces).lower()
        strange = [piece for piece in pieces if not self.knows(piece)]
        rest = strange[1:] if self.is_prefix(pieces[0]) and strange[:1] == pieces[:1] else strange
        # "in vertebrates" and "a symptom" are two words each, however few of them a model knows.
        begins = pieces[0] == "a" or (self.is_prefix(pieces[0]) and self.is_joining(pieces[0]))
        if not rest or begins or len(pieces[-1]) == 1 or all(len(piece) == 1 for piece in strange):
            return False
        if len(word) <= _SHORT + 1:
            return word in self._small and len(word) > 2
        # "vers or": what words end in tells nothing where the end is a word of its own.
        small = any(self.is_joining(piece) for piece in pieces) or (len(pieces[-1]) <= 2 and self.knows(pieces[0]))
        return self._is_plain(word) if small else self.is_word(word)

    def lost_letters(self, first: str, second: str = "") -> str:
        """The word that a word, or two with a space between them, was before a ligature (fi, fl, ff ...) got lost, or ""."""
        both = first.lower(), second.lower()
        if both not in self._lost:
            self._lost[both] = self._without_ligature(*both)
        return self._lost[both]

    def _without_ligature(self, first: str, second: str) -> str:
        if self.knows(first) and (not second or self.knows(second)):
            return ""
        if second:
            return next((first + lost + second for lost in _LIGATURES if self._is_plain(first + lost + second)), "")
        if len(first) < _SHORT:
            return ""
        found = (first[:at] + lost + first[at:] for lost in _LIGATURES for at in range(len(first) + 1))
        return next((word for word in found if word in self._words), "")

    def lost_at_edge(self, left: str, right: str) -> str:
        """The word that begins or ends with a lost ligature: only one of `left` and `right`, what is left of it, is given."""
        if self.knows(left or right):
            return ""
        return next((left + lost + right for lost in _LIGATURES if left + lost + right in self._words), "")

    def put_together(self, word: str) -> tuple[str, ...]:
        """The words that lost the spaces between them, or () where it is one word or cannot be told."""
        word = word.lower()
        if word not in self._divided:
            self._divided[word] = self._apart(word)
        return self._divided[word]

    def _apart(self, word: str) -> tuple[str, ...]:
        if len(word) <= _SHORT or len(word) > _LONGEST * 4 or word in self._words:
            return ()
        halves = [(word[:at], word[at:]) for at in range(2, len(word) - 1)]
        # "inthe" and the like first: by what it begins with, it would be known.
        for left, right in halves:
            if {left, right} <= self._small and {left, right} & self._lists["joining"] and len(word) > _SHORT + 1:
                return left, right
        if self.knows(word):
            return ()
        return next((both for both in halves if self._are_two(*both)), None) or self._are_many(word)

    def _are_two(self, left: str, right: str) -> bool:
        """Whether one is a joining word and the other is known."""
        joining = self._lists["joining"]
        if left in joining:
            least = 4 if len(left) != 3 or left in {"the", "and"} else 5
            return len(right) >= least and self._is_plain(right)
        if right in joining:
            # "fetalis" and the like are Latin.
            latin = right == "is" and (len(left) < 5 or left.endswith("al"))
            return len(left) >= _LEAST_STEM and not latin and self._is_plain(left)
        return False

    def _are_many(self, word: str) -> tuple[str, ...]:
        """Three known words or more, one of them a joining one, or five: the fewest that it can be divided into."""
        best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - 20), end):
                before, piece = best[start], word[start:end]
                if before is None or not self._counts(piece):
                    continue
                kept = best[end]
                if kept is None or len(before) + 1 < len(kept):
                    best[end] = (*before, piece)
        found = best[-1] or ()
        enough = len(found) >= (3 if any(piece in self._lists["joining"] for piece in found) else 5)
        # Few and short ones stand in many a long word: "prop an the line".
        return found if enough and len(word) >= 4 * len(found) - (3 if len(found) > 4 else 0) else ()

    def _counts(self, piece: str) -> bool:
        """Whether a piece of many is a word: small, or longer than "pig" or "men", which stand in names of diseases."""
        return len(piece) > 1 and (piece in self._small or (len(piece) > _SHORT and self._is_plain(piece)))

    def _is_plain(self, word: str) -> bool:
        """A word as it is, without regard to what it begins and ends in, but for the plural."""
        return word in self._words or (len(word) > 4 and word.endswith("s") and word[:-1] in self._words)

    def _stands(self, word: str) -> bool:
        if word in self._words:
            return True
        if len(word) <= _SHORT or len(word) > _LONGEST:
            return False
        return self._ended(word) or self._prefixed(word)

    def _ended(self, word: str) -> bool:
        for ending in self._lists["endings"]:
            stem = word[: -len(ending)]
            if not word.endswith(ending) or len(stem) < _LEAST_STEM - (ending in _INFLECTIONS):
                continue
            doubled = stem[:-1] if stem[-1] == stem[-2] else stem
            stems = {stem, stem + "e", doubled} if ending[0] in _VOWELS else {stem}
            stems |= {stem + "y"} if ending[0] == "i" else set()
            if any(len(one) >= _LEAST_STEM - 1 and one in self._words and len(one) + len(ending) > 4 for one in stems):
                return True
        return False

    def _prefixed(self, word: str) -> bool:
        return any(
            word.startswith(prefix)
            and len(word) - len(prefix) >= _LEAST_STEM
            and (word[len(prefix) :] in self._words or self._ended(word[len(prefix) :]))
            for prefix in self._lists["prefixes"]
        )


@lru_cache(maxsize=2)
def _all_words(known: frozenset[str]) -> frozenset[str]:
    """What the model and the file know, without pieces of words."""
    lists = _lists()
    longer = frozenset(word for word in known if len(word) > _SHORT)
    return (longer | lists["short"] | lists["field"] | lists["whole"]) - lists["pieces"]


@cache
def _lists() -> dict[str, frozenset[str]]:
    try:
        values: dict[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))
        return {key: frozenset(str(values[key]).split()) for key in _KEYS}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as problem:
        raise SettingsError(f"{FILE}: cannot be read ({problem}). Install patient-faq again.") from problem
