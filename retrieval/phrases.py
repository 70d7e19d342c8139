"""The small language in which routing rules are written, and its matcher.

    swollen lips              these words, one after the other
    lip|lips|mouth            any of them
    short_of|out_of breath    `_` joins several words into one choice
    swell*   *cillin          any word that begins, or ends, so
    lips .. swell*            in this order, at most four other words between, none of them "not" or the like
    fever & laser*            both, in any order, at most ten words apart
    {lips} .. {swollen}       a group of choices that has a name, see `[groups]` in frames.toml
    胸口|胸痛                  Chinese is matched character by character, without blanks

Words are compared in lower case, without accents and apostrophes ("can't" is `cant`); a letter that is repeated more
than twice counts twice ("sooo" is `soo`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

from retrieval.errors import SettingsError

__all__ = ["Index", "Pattern", "Spelling", "clauses", "line", "without_marks", "words"]

_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
_APOSTROPHES = re.compile(r"(?<=\w)['’`´](?=\w)")
_REPEATED = re.compile(r"(\w)\1{2,}")
_CLAUSE_END = re.compile(r"[.!?;:\n。！？；]+(?:\s+|$)|(?<=[。！？；])")
_GROUP = re.compile(r"\{(\w+)\}")
_GAP = 4
_NOT_SKIPPED = "no|not|isnt|arent|wasnt|werent|hasnt|havent|doesnt|dont|didnt|never|without|tak|tidak|tiada|没|沒|不|无"
_SKIPPED = f"(?:(?!(?:{_NOT_SKIPPED}) (?!(?:only|just|sure) ))[^ ]+ )"  # a word that `..` may pass over
_NEAR = 10
_LONG = 6  # letters a word must have before a slip of the pen is looked for


def words(text: str) -> list[str]:
    """Divide a text into the words that patterns are compared with."""
    return _TOKEN.findall(_REPEATED.sub(r"\1\1", _APOSTROPHES.sub("", without_marks(text.lower()))))


def without_marks(text: str) -> str:
    """A text in compatible letters without accents and the like ("café" is "cafe", "ﬁ" is "fi")."""
    if text.isascii():  # most are, and are so already
        return text
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def clauses(text: str) -> list[str]:
    """Divide a message at full stops, question marks and the like."""
    return [piece.strip(" 。！？；") for piece in _CLAUSE_END.split(text) if piece.strip(" 。！？；")]


def line(tokens: Sequence[str]) -> str:
    """Write words in the form that `Pattern.spans` reads: each followed by one blank."""
    return "".join(f"{token} " for token in tokens)


class Pattern:
    """One compiled pattern.

    `steps` has, for each step, the words of which a text must have one if the pattern is to stand in it; a word may
    have `*` in front or behind.
    """

    __slots__ = ("_parts", "source", "steps")

    def __init__(self, source: str, groups: Mapping[str, str] | None = None) -> None:
        self.source = source
        steps: list[frozenset[str]] = []
        self._parts = tuple(_compiled(source, part, steps) for part in _expanded(source, groups or {}).split(" & "))
        self.steps = tuple(steps)

    def find(self, tokens: Sequence[str]) -> tuple[int, int] | None:
        """The first place where the pattern stands: indices of its first word and after its last, or None."""
        text = line(tokens)
        for start, end in self.spans(text):
            return text.count(" ", 0, start), text.count(" ", 0, end)
        return None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Every place where the pattern stands in a `line`, from left to right: first letter and after the last.

        Of parts joined by `&` it is the place of the first part, the sign itself, which is what may be denied.
        """
        first, *others = map(_expression, self._parts)
        if not others:
            yield from (match.span() for match in first.finditer(text))
            return
        choices = [[match.span() for match in other.finditer(text)] for other in others]
        for match in first.finditer(text) if all(choices) else ():
            low, high = match.span()
            for spans in choices:
                near = next((s for s in spans if _apart(text, (low, high), s) <= _NEAR), None)
                if near is None:
                    break
                low, high = min(low, near[0]), max(high, near[1])
            else:
                yield match.span()

    def stands_in(self, text: str) -> bool:
        """Whether the pattern stands anywhere in a `line`."""
        return next(self.spans(text), None) is not None


class Index:
    """Which of many patterns can stand in a text at all, judged by their words alone: a quick first look."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        steps: dict[frozenset[str], int] = {}
        # Each pattern stands under its step of the fewest words: most texts have none of these, and it is not looked at.
        self._under: dict[int, list[tuple[frozenset[int], Pattern]]] = {}
        for pattern in dict.fromkeys(patterns):
            needed = frozenset(steps.setdefault(step, len(steps)) for step in pattern.steps)
            self._under.setdefault(steps[min(pattern.steps, key=len)], []).append((needed, pattern))
        self._whole: dict[str, tuple[int, ...]] = {}
        self._begin: dict[str, tuple[int, ...]] = {}
        self._end: dict[str, tuple[int, ...]] = {}
        for step, number in steps.items():
            for word in step:
                table = self._begin if word.endswith("*") else self._end if word.startswith("*") else self._whole
                table[word.strip("*")] = (*table.get(word.strip("*"), ()), number)

    def possible(self, tokens: Iterable[str]) -> set[Pattern]:
        """Find the patterns each of whose steps has a word among these."""
        present: set[int] = set()
        for token in set(tokens):
            present.update(self._whole.get(token, ()))
            for cut in range(1, len(token) + 1):
                present.update(self._begin.get(token[:cut], ()), self._end.get(token[-cut:], ()))
        return {pattern for step in present & self._under.keys() for needed, pattern in self._under[step] if needed <= present}


class Spelling:
    """Mends slips of the pen in long words: a letter too few or too many, two changed over, a wrong vowel.

    Knows the words of the patterns and leaves alone what is one of them, and the words that it is told are right.
    """

    def __init__(self, patterns: Iterable[Pattern], right: Collection[str] = ()) -> None:
        known = {word for pattern in patterns for step in pattern.steps for word in step}
        self._whole = {word for word in known if "*" not in word} | set(right)
        self._begin = {word[:-1] for word in known if word.endswith("*")}
        self._end = {word[1:] for word in known if word.startswith("*")}
        self._slips: dict[str, str] = {}
        for word in sorted(w.rstrip("*") for w in known if len(w) >= _LONG and not w.startswith("*") and w.isascii()):
            for slip in _slips(word):
                self._slips.setdefault(slip, word)

    def mend(self, token: str) -> str:
        """Return the pattern's word that a misspelt one stands for; any other word as it is."""
        if len(token) < _LONG - 1 or token in self._whole:
            return token
        cuts = range(1, len(token) + 1)
        if any(token[:cut] in self._begin or token[-cut:] in self._end for cut in cuts):
            return token
        return self._slips.get(token, token)


def _slips(word: str) -> set[str]:
    """All slips of one word that keep its first letter."""
    inner = range(1, len(word))
    fewer = {word[:at] + word[at + 1 :] for at in inner}
    twice = {word[:at] + word[at] + word[at:] for at in inner}
    swapped = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in inner if at + 1 < len(word)}
    vowels = {word[:at] + other + word[at + 1 :] for at in inner if word[at] in "aeiou" for other in "aeiou"}
    return (fewer | twice | swapped | vowels) - {word}


def _apart(text: str, one: tuple[int, int], other: tuple[int, int]) -> int:
    """How many words stand between two spans."""
    return max(text.count(" ", one[1], other[0]), text.count(" ", other[1], one[0]))


def _expanded(source: str, groups: Mapping[str, str]) -> str:
    unknown = next((name for name in _GROUP.findall(source) if name not in groups), None)
    if unknown is not None:
        raise SettingsError(f"the pattern {source!r} names the group {unknown!r}, which frames.toml does not have.")
    return _GROUP.sub(lambda found: groups[found[1]], source)


def _compiled(source: str, part: str, steps: list[frozenset[str]]) -> str:
    """Write the expression for one part of a pattern; its words are added to `steps`."""
    expression = ""
    gap = False
    for piece in part.split():
        if piece == "..":
            gap = True
            continue
        choices = [_choice(source, choice) for choice in piece.split("|") if choice]
        steps.append(frozenset(first for first, _ in choices))
        between = f"{_SKIPPED}{{0,{_GAP}}}?" if gap and expression else ""
        expression += f"{between}(?:{'|'.join(written for _, written in choices)})"
        gap = False
    if not expression:
        raise SettingsError(f"the pattern {source!r} has no words.")
    return f"(?<![^ ]){expression}"


def _choice(source: str, choice: str) -> tuple[str, str]:
    """Return the first word of a choice, with its star, and the expression for the whole choice."""
    written = _written(choice)
    if written is None:
        raise SettingsError(f"the pattern {source!r} has an empty word. Write words, `|`, `*`, `_`, `..` and `&` only.")
    return written


@cache
def _written(choice: str) -> tuple[str, str] | None:
    found = words(choice.strip("*"))
    if not found:
        return None
    begins = choice.endswith("*")
    ends = choice.startswith("*") and len(found) == 1 and not begins
    first = found[0] + "*" if begins and len(found) == 1 else "*" + found[0] if ends else found[0]
    return first, ("[^ ]*" if ends else "") + " ".join(found) + ("[^ ]* " if begins else " ")


@cache
def _expression(source: str) -> re.Pattern[str]:
    """Compile on first use: a message needs few of the thousand expressions, and all of them take half a second."""
    return re.compile(source)
