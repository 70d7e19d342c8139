"""Message -> route, by rules that a clinician can read and sign. Runs before retrieval and without it.

The rules in safety/*.toml are the floor, in force for any corpus; those in corpus/routing/*.toml are what a clinic adds.
Rules only raise the route: urgent > consult > everything else. Matters of the clinic's office (prices, hours) are told
apart here, since articles may mention them without being the clinic's own word.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from retrieval.errors import SettingsError
from retrieval.phrases import Index, Pattern, Spelling, clauses, line, words
from retrieval.types import Route, Routing

__all__ = ["FLOOR", "Rule", "Rules", "load_rules"]

FLOOR = Path(__file__).parent / "safety"
_FILES = ("danger_signs.toml", "clinical_topics.toml", "clinic_matters.toml")
_NEED: dict[Route, int] = {"no_answer": 0, "answer": 0, "consult": 1, "urgent": 2}
_NEGATION_REACH = 3
_SUBJECT_REACH = 6
_BREAKS = frozenset({"but", "however", "now", "only", "just", "except", "because", "cos", "coz", "bcos", "tapi", "但", "可"})
_LISTS = frozenset({"or", "nor", "atau"})
_KEYS = {
    "name", "says", "route", "card", "when", "unless", "needs", "even_if_general", "even_if_past", "even_if_denied",
    "examples", "counterexamples",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One danger sign, clinical topic or office matter.

    `when`: any of these patterns in a clause raises the message; `unless`: not if one of these stands in the message
    (for danger signs: in the same clause); `needs`: and only if one of these stands in the message. A match does not
    count when it is denied ("no fever"), asked of people in general ("can it blister?") or told of the past ("years
    ago"), except where `even_if_...` is set.
    """

    name: str
    says: str
    route: Route
    card: str
    when: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]
    needs: tuple[Pattern, ...]
    even_if_general: bool
    even_if_past: bool
    even_if_denied: bool
    examples: tuple[str, ...]
    counterexamples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What turns a match into none: words that deny, words of general questions, of the past; and what undoes these.

    For danger signs also: `over` (an old or lasting matter, unless one of `turns` says that it has changed), `figures`
    of speech, and `others` (an animal, a thing or a film before the match, and nobody of `body` in between).

    `right` are ordinary words that are not to be taken for misspelt words of a rule.
    """

    denials: tuple[Pattern, ...]
    claims: tuple[Pattern, ...]
    asking: tuple[Pattern, ...]
    general: tuple[Pattern, ...]
    personal: tuple[Pattern, ...]
    past: tuple[Pattern, ...]
    present: tuple[Pattern, ...]
    over: tuple[Pattern, ...]
    turns: tuple[Pattern, ...]
    figures: tuple[Pattern, ...]
    others: tuple[Pattern, ...]
    body: tuple[Pattern, ...]
    right: tuple[str, ...]

    def patterns(self) -> list[Pattern]:
        told = [*self.denials, *self.claims, *self.asking, *self.general, *self.personal, *self.past, *self.present]
        return [*told, *self.over, *self.turns, *self.figures, *self.others, *self.body]


class _Clause:
    """A clause of a message and, found once and only when needed, how it is told."""

    def __init__(self, text: str, frame: _Frame, possible: set[Pattern]) -> None:
        self.text = text
        self._frame = frame
        self._possible = possible

    @cached_property
    def general(self) -> bool:
        frame = self._frame
        asked = _any(frame.general, self.text, self._possible) and not _any(frame.personal, self.text, self._possible)
        return asked or _any(frame.asking, self.text, self._possible)

    @cached_property
    def past(self) -> bool:
        frame = self._frame
        return _any(frame.past, self.text, self._possible) and not _any(frame.present, self.text, self._possible)

    @cached_property
    def over(self) -> bool:
        frame = self._frame
        return _any(frame.over, self.text, self._possible) and not _any(frame.turns, self.text, self._possible)

    @cached_property
    def figure(self) -> bool:
        return _any(self._frame.figures, self.text, self._possible)

    def of_other(self, start: int) -> bool:
        """Whether what stands there is told of an animal or a thing ("my laptop is wheezing")."""
        before = self.text[:start].split()
        last_break = max((at for at, token in enumerate(before) if token in _BREAKS), default=-1)
        near = line(before[last_break + 1 :][-_SUBJECT_REACH:])
        ends = [end for pattern in self._frame.others if pattern in self._possible for _, end in pattern.spans(near)]
        return bool(ends) and not _any(self._frame.body, near[max(ends) :], self._possible)

    def denied(self, start: int, end: int) -> bool:
        """Whether what stands there is denied, directly or in a list ("no heat, pus or fever")."""
        before = self.text[:start].split()
        last_break = max((at for at, token in enumerate(before) if token in _BREAKS), default=-1)
        before = before[last_break + 1 :]
        listed = [*before[-3 * _NEGATION_REACH :], *self.text[end:].split()[:_NEGATION_REACH]]
        reach = _NEGATION_REACH * (1 + sum(token in _LISTS for token in listed))
        if not _any(self._frame.denials, line(before[-reach:]), self._possible):
            return False
        return not _any(self._frame.claims, line(before[-reach - _NEGATION_REACH :]), self._possible)


class Rules:
    """A set of rules. Holds nothing of any message."""

    def __init__(self, rules: Sequence[Rule], frame: _Frame) -> None:
        self.rules = tuple(rules)
        self._frame = frame
        patterns = [pattern for rule in rules for pattern in (*rule.when, *rule.unless, *rule.needs)]
        self._index = Index([*patterns, *frame.patterns()])
        self._spelling = Spelling([*patterns, *frame.patterns()], frame.right)

    @classmethod
    def floor(cls) -> Rules:
        """The rules that are in force for any corpus; raises SettingsError naming the file and the rule that is wrong."""
        frame, groups = _frames()
        return cls([rule for name in _FILES for rule in _rules(FLOOR / name, groups)], frame)

    @classmethod
    def from_folder(cls, folder: Path) -> Rules:
        """What a clinic adds: the rules of all .toml files of a folder, read with the floor's frames.

        Raises SettingsError as `floor` does.
        """
        frame, groups = _frames()
        return cls([rule for path in sorted(folder.glob("*.toml")) for rule in _rules(path, groups)], frame)

    def route(self, message: str) -> Routing | None:
        """Find the highest need that a rule sees in a message; None where no rule does.

        An office matter (route no_answer) counts only where nothing higher is seen.
        """
        if not self.rules:
            return None
        tokens = [[self._spelling.mend(word) for word in words(clause)] for clause in clauses(message)]
        possible = self._index.possible(token for clause in tokens for token in clause)
        told = [_Clause(line(clause), self._frame, possible) for clause in tokens]
        everything = "".join(clause.text for clause in told)
        hits = [rule for rule in self.rules if _holds(rule, told, everything, possible)]
        if not hits:
            return None
        hits.sort(key=lambda rule: -_NEED[rule.route])
        first = hits[0]
        return Routing(first.route, first.card, tuple(rule.name for rule in hits))


def load_rules(folder: Path) -> dict[str, str]:
    """Read and try a clinic's own rules; returns the files as text, by name.

    Raises SettingsError where a rule cannot be read, has the name of another, or does not do what its examples say.
    """
    added = Rules.from_folder(folder)
    names = [rule.name for rule in (*Rules.floor().rules, *added.rules)]
    for rule in added.rules:
        if names.count(rule.name) > 1:
            raise SettingsError(f"{folder}: there is more than one rule {rule.name!r}. A clinic's rules add to the others.")
        for text, wanted in [*((text, True) for text in rule.examples), *((text, False) for text in rule.counterexamples)]:
            routing = added.route(text)
            if (routing is not None and rule.name in routing.rules) is not wanted:
                does = "does not catch its example" if wanted else "catches its counterexample"
                raise SettingsError(f"{folder}: rule {rule.name!r} {does} {text!r}. Mend `when`, `unless` or the example.")
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.toml"))}


def _holds(rule: Rule, told: Sequence[_Clause], everything: str, possible: set[Pattern]) -> bool:
    when = [pattern for pattern in rule.when if pattern in possible]
    if not when or (rule.needs and not _any(rule.needs, everything, possible)):
        return False
    if rule.route != "urgent" and _any(rule.unless, everything, possible):
        return False
    # A harmless phrase elsewhere in the message must not silence a danger sign: it counts in its own clause alone.
    return any(
        _counts(rule, pattern, clause)
        for clause in told
        if rule.route != "urgent" or not _any(rule.unless, clause.text, possible)
        for pattern in when
    )


def _counts(rule: Rule, pattern: Pattern, clause: _Clause) -> bool:
    danger = rule.route == "urgent"
    for start, end in pattern.spans(clause.text):
        if (
            (rule.even_if_denied or not clause.denied(start, end))
            and (rule.even_if_past or not clause.past)
            and (rule.even_if_general or not clause.general)
            and not (danger and (clause.figure or clause.of_other(start) or (clause.over and not rule.even_if_past)))
        ):
            return True
    return False


def _any(patterns: Sequence[Pattern], text: str, possible: set[Pattern]) -> bool:
    return any(pattern in possible and pattern.stands_in(text) for pattern in patterns)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingsError(f"{path}: cannot be read ({problem}). Without its rules no message can be routed.") from problem


@cache
def _frames() -> tuple[_Frame, dict[str, str]]:
    path = FLOOR / "frames.toml"
    values = _toml(path)
    groups = _groups(path, values.get("groups", {}))
    return _frame(path, values, groups), groups


def _groups(path: Path, values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Write out the named groups of choices; a group may name groups that stand above it."""
    groups: dict[str, str] = {}
    for name, choices in values.items():
        written = "|".join(choices)
        for above, meaning in groups.items():
            written = written.replace(f"{{{above}}}", meaning)
        if "{" in written or " " in written:
            raise SettingsError(f"{path}: the group {name!r} has a blank or a group not above it. Write `_` between words.")
        groups[name] = written
    return groups


def _frame(path: Path, values: Mapping[str, Any], groups: Mapping[str, str]) -> _Frame:
    def read(name: str) -> tuple[Pattern, ...]:
        return _patterns(path, "frames", values.get(name, []), groups)

    return _Frame(
        denials=read("denials"),
        claims=read("claims"),
        asking=read("asking"),
        general=read("general"),
        personal=read("personal"),
        past=read("past"),
        present=read("present"),
        over=read("over"),
        turns=read("turns"),
        figures=read("figures"),
        others=read("others"),
        body=read("body"),
        right=tuple(values.get("right", [])),
    )


def _rules(path: Path, groups: Mapping[str, str]) -> list[Rule]:
    return [_rule(path, values, groups) for values in _toml(path).get("rule", [])]


def _rule(path: Path, values: dict[str, Any], groups: Mapping[str, str]) -> Rule:
    name = str(values.get("name", "?"))
    unknown = sorted(set(values) - _KEYS)
    missing = sorted({"name", "says", "route", "when", "examples"} - set(values))
    if unknown or missing:
        fault = f"has {unknown[0]!r}, which means nothing" if unknown else f"lacks {missing[0]!r}"
        raise SettingsError(f"{path}: rule {name!r} {fault}. A rule may have: {', '.join(sorted(_KEYS))}.")
    if values["route"] not in _NEED:
        raise SettingsError(f"{path}: rule {name!r} has route {values['route']!r}; it is one of {', '.join(_NEED)}.")
    route: Route = values["route"]
    return Rule(
        name=name,
        says=str(values["says"]),
        route=route,
        card=str(values.get("card", "clinic_matter" if route == "no_answer" else route)),
        when=_patterns(path, name, values["when"], groups),
        unless=_patterns(path, name, values.get("unless", []), groups),
        needs=_patterns(path, name, values.get("needs", []), groups),
        even_if_general=bool(values.get("even_if_general", False)),
        even_if_past=bool(values.get("even_if_past", False)),
        even_if_denied=bool(values.get("even_if_denied", False)),
        examples=tuple(values["examples"]),
        counterexamples=tuple(values.get("counterexamples", [])),
    )


def _patterns(path: Path, rule: str, sources: Sequence[str], groups: Mapping[str, str]) -> tuple[Pattern, ...]:
    try:
        return tuple(Pattern(source, groups) for source in sources)
    except SettingsError as problem:
        raise SettingsError(f"{path}: rule {rule!r}: {problem}") from problem
