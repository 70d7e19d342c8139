"""Where the characters of one text stand in another that has more or less the same words: longest stretches first."""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher
from itertools import pairwise

from retrieval.reading.draft import BULLETS

__all__ = ["MIN_STRETCH", "aligned"]

MIN_STRETCH = 12
"""Characters that must agree, one after the other, before two stretches are taken for the same words."""
_CLOSER = ((4, 400), (1, 12))
"""Between two such stretches fewer letters are enough: how many, and how long the gap may be."""
_MIN_ALONE = 6
# What one reader keeps and the other drops: hyphens at a line's end, and what stands before list items.
_DROPPED = frozenset("-\u00ad\u2010\u2011\u2012\u2013\u2014\u2212\ufffe" + BULLETS)

Stretch = tuple[int, int, int]
"""Place in ours, length, place in theirs."""


def aligned(text: str, drawn: str) -> list[tuple[int, ...]]:
    """Find a text's characters in another text.

    Parameters: the text that is looked for, and the one that it is looked for in. Blanks, hyphens and ligatures may
    differ, and either may hold words that the other has not.
    Returns, for each character of `text`, its places in `drawn`: none where it was not found with certainty.
    """
    ours, our_places = _solid(text)
    theirs, their_places = _solid(drawn)
    found: list[list[int]] = [[] for _ in text]
    for at, size, to in _stretches(ours, theirs):
        for step in range(size):
            found[our_places[at + step]].append(their_places[to + step])
    return [tuple(dict.fromkeys(places)) for places in found]


def _solid(text: str) -> tuple[str, list[int]]:
    """A text as it is compared, letter by letter, and the place each letter comes from."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character in _DROPPED or character.isspace() or unicodedata.category(character) in {"Cc", "Cf"}:
            continue
        for letter in unicodedata.normalize("NFKC", character).casefold():
            letters.append(letter)
            places.append(place)
    return "".join(letters), places


def _stretches(ours: str, theirs: str) -> list[Stretch]:
    """Stretches that are the same in both, in the order of ours."""
    chains = _chains(ours, theirs, MIN_STRETCH)
    for shorter, most in _CLOSER:
        chains = sorted([*chains, *_between(ours, theirs, chains, shorter, most)])
    return sorted([*chains, *_elsewhere(ours, theirs, chains)])


def _chains(ours: str, theirs: str, shortest: int) -> list[Stretch]:
    """The stretches of some length that come in the same order, longest first.

    Compared in pieces of that length: pieces of many letters hardly ever repeat, so that a page takes milliseconds, and
    what is shorter is not taken for the same words at all.
    """
    matcher = SequenceMatcher(None, _pieces(ours, shortest), _pieces(theirs, shortest), autojunk=False)
    found: list[Stretch] = []
    for at, to, size in matcher.get_matching_blocks():
        # The last letters of one stretch may be the first of the next.
        ahead = max((max(found[-1][0] + found[-1][1] - at, found[-1][2] + found[-1][1] - to) if found else 0), 0)
        if size and size + shortest - 1 > ahead:
            found.append((at + ahead, size + shortest - 1 - ahead, to + ahead))
    return found


def _pieces(letters: str, length: int) -> list[str]:
    return [letters[at : at + length] for at in range(len(letters) - length + 1)]


def _between(ours: str, theirs: str, chains: list[Stretch], shortest: int, most: int) -> list[Stretch]:
    """What agrees in gaps between two stretches, where there is no doubt about the place."""
    found: list[Stretch] = []
    for (at, size, to), (next_at, _, next_to) in pairwise(chains):
        low, low_to = at + size, to + size
        if 0 < next_at - low <= most and 0 < next_to - low_to <= most:
            inner = _chains(ours[low:next_at], theirs[low_to:next_to], shortest)
            found.extend((low + begin, length, low_to + start) for begin, length, start in inner)
    return found


def _elsewhere(ours: str, theirs: str, chains: list[Stretch]) -> list[Stretch]:
    """What comes in another order there, such as a box in the margin: where it stands only once, and nothing else does."""
    found: list[Stretch] = []
    low = 0
    for at, size, _ in [*chains, (len(ours), 0, 0)]:
        gap, begins, low = ours[low:at], low, at + size
        if len(gap) < _MIN_ALONE:
            continue
        for begin, length, _ in _chains(gap, theirs, min(len(gap), MIN_STRETCH)):
            same = gap[begin : begin + length]
            to = theirs.find(same)
            taken = any(to < start + long and start < to + length for _, long, start in [*chains, *found])
            if length >= _MIN_ALONE and theirs.count(same) == 1 and not taken:
                found.append((begins + begin, length, to))
    return found
