"""The points on which articles may differ: read from field/differences.toml and from what a clinic adds to it."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.differences.amounts import KINDS, Kind
from retrieval.errors import SettingsError
from retrieval.phrases import Index, Pattern, line, words
from retrieval.types import Settled

__all__ = ["FIELD", "Line", "Point", "Points", "Subject", "load_points"]

FIELD = Path(__file__).parent.parent / "field" / "differences.toml"
_SETTLED = ("settled", "not a difference")
_POINT_KEYS = {"name", "says", "about", "unless", "read", "of", "within", "personal", "asks", "answers", "alike"}
_SETTLED_KEYS = {"point", "kind", "by", "on", "note", "said"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What tells sentences of the field from those on other treatments: `[subject]` in a file of points."""

    own: tuple[Pattern, ...] = ()
    others: tuple[Pattern, ...] = ()
    also: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the field; field/differences.toml explains each part."""

    name: str
    says: tuple[Pattern, ...]
    about: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]
    read: tuple[Kind, ...]
    of: Pattern | None
    within: bool
    personal: bool
    answers: tuple[tuple[str, tuple[Pattern, ...]], ...]
    alike: tuple[frozenset[str], ...]
    asks: tuple[str, ...]
    subject: Subject


@dataclass(frozen=True, slots=True)
class Points:
    """All points, what makes a sentence lean on the one before, what never counts, ordinary questions, and marks.

    `digest` names the files that they were read from.
    """

    points: tuple[Point, ...]
    leans: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]
    ordinary: tuple[str, ...]
    settled: tuple[Settled, ...]
    digest: str = ""

    @property
    def asks(self) -> tuple[str, ...]:
        """All questions, point by point with its name first, then the ordinary ones: `Differences.of` needs their vectors."""
        return tuple(ask for point in self.points for ask in (point.name, *point.asks)) + self.ordinary

    def patterns(self) -> Iterable[Pattern]:
        """Every pattern that is compared with sentences."""
        for point in self.points:
            yield from (*point.says, *point.about, *point.unless)
            yield from (*point.subject.own, *point.subject.others, *point.subject.also)
            for _, patterns in point.answers:
                yield from patterns
        yield from (*self.leans, *self.unless)


@dataclass(frozen=True, slots=True)
class Line:
    """Some text in the form that patterns read, and the patterns that can stand in it at all."""

    text: str
    possible: set[Pattern]

    def has(self, patterns: Sequence[Pattern]) -> bool:
        return any(pattern in self.possible and pattern.stands_in(self.text) for pattern in patterns)

    def begins_with(self, patterns: Sequence[Pattern]) -> bool:
        return any(
            pattern in self.possible and next((start for start, _ in pattern.spans(self.text)), 1) == 0 for pattern in patterns
        )

    @classmethod
    def of(cls, text: str, index: Index) -> Line:
        """A text as a line."""
        tokens = words(text)
        return cls(line(tokens), index.possible(tokens))


def load_points(*files: Path) -> Points:
    """Read the field's points and what a clinic adds; files that do not exist are passed over.

    Raises SettingsError naming the file and the point for what cannot be understood.
    """
    points: dict[str, Point] = {}
    leans: list[Pattern] = []
    unless: list[Pattern] = []
    ordinary: list[str] = []
    settled: list[Settled] = []
    groups: dict[str, str] = {}
    digest = hashlib.sha256()
    for file in files:
        values = _toml(file)
        digest.update(file.read_bytes() if file.is_file() else b"")
        groups |= {name: "|".join(_texts(file, name, choices)) for name, choices in _table(file, "groups", values).items()}
        leans.extend(_patterns(file, "leans", values.get("leans", []), groups))
        unless.extend(_patterns(file, "unless", values.get("unless", []), groups))
        ordinary.extend(_texts(file, "ordinary", values.get("ordinary", [])))
        subject = _subject(file, _table(file, "subject", values), groups)
        for entry in _tables(file, "point", values):
            point = _point(file, entry, groups, subject)
            if point.name in points:
                raise SettingsError(f"{file}: there is more than one point {point.name!r}. Give each a name of its own.")
            points[point.name] = point
        settled.extend(_settled(file, entry) for entry in _tables(file, "settled", values))
    return Points(tuple(points.values()), tuple(leans), tuple(unless), tuple(ordinary), tuple(settled), digest.hexdigest())


def _toml(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingsError(f"{file}: cannot be read ({problem}). Mend it, or take it away.") from problem


def _subject(file: Path, entry: Mapping[str, Any], groups: Mapping[str, str]) -> Subject:
    _checked(f"{file}: [subject]", entry, {"own", "others", "also"}, set())
    own, others, also = (_patterns(file, "subject", entry.get(key, []), groups) for key in ("own", "others", "also"))
    return Subject(own, others, also)


def _point(file: Path, entry: Mapping[str, Any], groups: Mapping[str, str], subject: Subject) -> Point:
    name = str(entry.get("name", "?"))
    where = f"{file}: point {name!r}"
    _checked(where, entry, _POINT_KEYS, {"name", "asks"})
    wrong = sorted(set(_texts(where, "read", entry.get("read", []))) - set(KINDS))
    if wrong:
        raise SettingsError(f"{where} reads {wrong[0]!r}. It may read: {', '.join(KINDS)}.")
    answers = _table(where, "answers", entry)
    if not (entry.get("read") or answers) or (entry.get("read") and not entry.get("says")):
        raise SettingsError(f"{where} has nothing to tell values by. Give it answers, or `read` and `says`.")
    of = _patterns(file, name, [entry["of"]] if "of" in entry else [], groups)
    return Point(
        name=name,
        says=_patterns(file, name, entry.get("says", []), groups),
        about=_patterns(file, name, entry.get("about", []), groups),
        unless=_patterns(file, name, entry.get("unless", []), groups),
        read=tuple(entry.get("read", [])),
        of=of[0] if of else None,
        within=bool(entry.get("within", False)),
        personal=bool(entry.get("personal", False)),
        answers=tuple((answer, _patterns(file, name, sources, groups)) for answer, sources in answers.items()),
        alike=tuple(frozenset(_texts(where, "alike", names)) for names in entry.get("alike", [])),
        asks=tuple(_texts(where, "asks", entry["asks"])),
        subject=subject,
    )


def _settled(file: Path, entry: Mapping[str, Any]) -> Settled:
    where = f"{file}: the mark on {entry.get('point', '?')!r}"
    _checked(where, entry, _SETTLED_KEYS, {"point", "kind", "by", "on"})
    if entry["kind"] not in _SETTLED:
        raise SettingsError(f"{where} is of the kind {entry['kind']!r}. It is one of: {', '.join(_SETTLED)}.")
    return Settled(
        str(entry["point"]), str(entry["kind"]), str(entry["by"]), str(entry["on"]), str(entry.get("note", "")),
        tuple(_texts(where, "said", entry.get("said", []))),
    )  # fmt: skip


def _checked(where: str, entry: Mapping[str, Any], may: set[str], must: set[str]) -> None:
    unknown, missing = sorted(set(entry) - may), sorted(must - set(entry))
    if unknown or missing:
        fault = f"has {unknown[0]!r}, which means nothing" if unknown else f"lacks {missing[0]!r}"
        raise SettingsError(f"{where} {fault}. It may have: {', '.join(sorted(may))}.")


def _table(where: object, key: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    found = values.get(key, {})
    if not isinstance(found, dict):
        raise SettingsError(f"{where}: {key!r} is no table. Write it as [{key}], with `name = ...` below.")
    return found


def _tables(where: object, key: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found = values.get(key, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise SettingsError(f"{where}: {key!r} stands there once for all. Begin each with [[{key}]], in double brackets.")
    return found


def _texts(where: object, key: str, found: object) -> Sequence[str]:
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise SettingsError(f'{where}: {key!r} is no list of texts. Write it as {key} = ["...", "..."].')
    return found


def _patterns(file: Path, name: str, sources: Sequence[str], groups: Mapping[str, str]) -> tuple[Pattern, ...]:
    try:
        return tuple(Pattern(source, groups) for source in _texts(file, name, sources))
    except SettingsError as problem:
        raise SettingsError(f"{file}: {name!r}: {problem}") from problem
