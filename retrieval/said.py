"""A message of a chat word by word: the things that it names and the small words that give away how it leans."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

from retrieval.errors import SettingsError
from retrieval.lexical import stems
from retrieval.phrases import Pattern, line, words

__all__ = ["FILE", "SUBJECTS", "THINGS", "TREATED", "Field", "Said", "Thing", "field", "key_of", "singular"]

FILE = Path(__file__).parent / "field" / "conversation.toml"
_WORD = re.compile(r"[^\s,.;:!?()\[\]\"“”*~/\-–—]+")
_SLIP_FROM, _TWO_SLIPS_FROM = 6, 9  # letters a word must have before slips of the pen are looked for
_SHORTEST_PLURAL = 4  # letters from which a word may be one
# Kinds of things, as field/conversation.toml names them: what can be asked about, what can be treated, and both.
THINGS = ("effect", "product", "step", "activity", "problem", "colour")
TREATED = ("problem", "colour", "part", "laser", "skin", "person")
SUBJECTS = tuple(dict.fromkeys((*THINGS[:5], "laser", "colour", "skin", "part", "person")))


@dataclass(frozen=True, slots=True)
class Thing:
    """Something of a kind, and where it stands; `first` counts in the words that describe it."""

    kind: str
    first: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Said:
    """A message, or a part of one, word by word."""

    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Said:
        """Take a text apart; marks between words are left out."""
        return cls(tuple(_WORD.findall(text)))

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, part: slice) -> Said:
        return Said(self.words[part])

    def __add__(self, other: Said) -> Said:
        return Said(self.words + other.words)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(map(key_of, self.words))

    @property
    def key(self) -> str:
        """The first word, as it is compared; "" where there is none."""
        return key_of(self.words[0]) if self.words else ""

    @property
    def own(self) -> Said:
        """The words that say what it is about."""
        return Said(tuple(word for word in self.words if stems(word) and key_of(word) not in field().lists["everyday"]))

    @property
    def things(self) -> list[Thing]:
        """What it names, in order; of several names the longest counts."""
        keys = [_mended(singular(key)) for key in self.keys]
        found: list[Thing] = []
        at = 0
        while at < len(keys):
            lengths = range(min(4, len(keys) - at), 0, -1)
            length, kind = next(((n, kind) for n in lengths if (kind := field().kinds.get(tuple(keys[at : at + n])))), (1, ""))
            if kind and kind != "nothing":
                first = at
                while first > (found[-1].end if found else 0) and self[first - 1 : first].has("describing"):
                    first -= 1
                found.append(Thing(kind, first, at, at + length))
            at += length
        return found

    def subjects(self, kinds: Sequence[str] = SUBJECTS) -> list[Thing]:
        """The things of some kinds that are not in every question."""
        return [thing for thing in self.things if thing.kind in kinds and self[thing.start : thing.end].own]

    def has(self, name: str) -> bool:
        """Whether one of its words is in a list."""
        return not field().lists[name].isdisjoint(self.keys)

    def without(self, name: str, but: Sequence[str] = ()) -> Said:
        """The words that are not in a list."""
        return Said(tuple(word for word in self.words if key_of(word) not in field().lists[name] or key_of(word) in but))

    def instead(self, name: str) -> Said:
        """The same with the words that take the place of some."""
        return Said(tuple(field().instead[name].get(key_of(word), word) for word in self.words))

    def begins(self, name: str) -> int:
        """How many words at the front one of the patterns takes, at most; 0 where none stands there."""
        told = line(self.keys)
        spans = (next(pattern.spans(told), None) for pattern in field().patterns[name])
        return max((told.count(" ", 0, span[1]) for span in spans if span and span[0] == 0), default=0)

    def ends(self, name: str) -> int:
        """How many words at the end are one entry of a list, at most, so that something is left before."""
        told = f" {' '.join(self.keys)}"
        lengths = (len(entry.split()) for entry in field().lists[name] if told.endswith(f" {entry}"))
        return max((length for length in lengths if length < len(self)), default=0)


@lru_cache(4096)
def _mended(key: str) -> str:
    """A word of a known name, or the one that it is a slip of the pen of (optimal string alignment, same first letter)."""
    known = field().known
    if len(key) < _SLIP_FROM or key in known:
        return key
    near = sorted(word for word in known if word[0] == key[0] and len(word) >= _SLIP_FROM)
    found = process.extractOne(key, near, scorer=OSA.distance, score_cutoff=1 + (len(key) >= _TWO_SLIPS_FROM))
    return found[0] if found else key


def singular(key: str) -> str:
    """A word in the singular, roughly."""
    if len(key) < _SHORTEST_PLURAL or not key.endswith("s") or key.endswith(("ss", "us", "is")):
        return key
    return key[:-2] if key.endswith(("ches", "shes", "xes")) else key[:-1]


@lru_cache(4096)
def key_of(word: str) -> str:
    """A word as it is compared."""
    return "".join(words(word))


@dataclass(frozen=True, slots=True)
class Field:
    """What conversation.toml says. `known` are the words of all things, `forms` those that only say how a message leans."""

    kinds: dict[tuple[str, ...], str]
    known: frozenset[str]
    patterns: dict[str, tuple[Pattern, ...]]
    lists: dict[str, frozenset[str]]
    instead: dict[str, dict[str, str]]
    forms: frozenset[str]


@cache
def field() -> Field:
    """What the file says; raises SettingsError where it cannot be read."""
    try:
        values = tomllib.loads(FILE.read_text(encoding="utf-8"))
        kinds = {
            tuple(singular(key) for key in Said.of(name).keys): kind
            for kind, names in values["kinds"].items()
            for name in names
        }
        lists = {name: frozenset(given.split() if isinstance(given, str) else given) for name, given in values["words"].items()}
        fronts = (source for name in ("openers", "why", "corrections", "same_for") for source in values["patterns"][name])
        said = [*fronts, *lists["tags"], *lists["everyday"], *lists["pointers"], *values["instead"]["before_noun"]]
        return Field(
            kinds=kinds,
            known=frozenset(word for name in kinds for word in name),
            patterns={name: tuple(map(Pattern, sources)) for name, sources in values["patterns"].items()},
            lists=lists,
            instead=values["instead"],
            forms=frozenset(word for source in said for word in words(source.replace("_", " "))),
        )
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as problem:
        raise SettingsError(f"{FILE}: cannot be read ({problem}). Install patient-faq again.") from problem
