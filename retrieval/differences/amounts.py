"""Amounts in a text: times, counts, factors, fractions, shares, as ranges in one unit that can be compared."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from retrieval.phrases import Pattern, line, words

__all__ = ["AMOUNT", "AMOUNT_WORDS", "KINDS", "Kind", "Value", "amounts_in", "read_values"]

Kind = Literal["time", "count", "ordinal", "factor", "fraction", "share"]
KINDS = ("time", "count", "ordinal", "factor", "fraction", "share")
_TOKEN = re.compile(r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?(?:st|nd|rd|th)?|[^\W\d_]+|[^\w\s]")
_WRITTEN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen"
)
_NUMBERS = {word: float(number) for number, word in enumerate(_WRITTEN.split())} | {"single": 1.0, "sole": 1.0, "dozen": 12.0}
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_ORDINALS = {word: float(number) for number, word in enumerate("first second third fourth fifth sixth".split(), start=1)}
_PARTS = {"thousandth": 1e-3, "millionth": 1e-6, "billionth": 1e-9, "trillionth": 1e-12}
_VAGUE = frozenset({"few", "several", "multiple", "many", "numerous", "various"})
_FEW = 3.0
"""What "a few" and "several" stand for; they agree with anything from half to twice as much."""
_HOUR = 3600.0
_UNITS = {
    "picosecond": 1e-12, "nanosecond": 1e-9, "microsecond": 1e-6, "millisecond": 1e-3, "second": 1.0, "minute": 60.0,
    "hour": _HOUR, "day": 24 * _HOUR, "week": 168 * _HOUR, "fortnight": 336 * _HOUR, "month": 730.5 * _HOUR,
    "year": 8766 * _HOUR,
}  # fmt: skip
_SHORT_UNITS = {"sec": "second", "min": "minute", "hr": "hour", "wk": "week", "yr": "year", "mth": "month"}
_TINY = frozenset({"picosecond", "nanosecond", "microsecond", "millisecond"})
AMOUNT_WORDS = (
    *_UNITS, *_SHORT_UNITS, *_NUMBERS, *_TENS, *_SCALES, *_ORDINALS, *_PARTS, *_VAGUE, "couple", "half", "twice", "double",
)  # fmt: skip
AMOUNT = re.compile(rf"\d|\b(?:{'|'.join(AMOUNT_WORDS)})s?\b", re.IGNORECASE)
_TELLING = re.compile(
    rf"\d+(?:[.,]\d+)*|\b(?:{'|'.join(AMOUNT_WORDS)})s?\b|n['’]t\b|\bcannot\b|\bno[nt]?\b"
    r"|\b(?:never|none|nothing|neither|nor|without|hardly|rarely|little|less|more|before|after|avoid|unless)\b",
    re.IGNORECASE,
)
_FILLERS = frozenset({"more", "full", "whole", "good", "next", "following", "further", "short", "-"})
_JOINS = frozenset({"to", "or", "-", "–", "—", "until", "till"})
# Words before a time that make it none: how often, office hours, "these days".
_NO_TIME_AFTER = frozenset("once twice times per these those office working opening business split".split())
_LIKE_UNITS = 1.08  # a month and four weeks are the same
_COUNT_REACH = 4
_STOPS = frozenset({*".,;:()?!", "of"})
_LINKS = frozenset({"of", "at", "least", ":", "is"})


@dataclass(frozen=True, slots=True)
class Value:
    """An amount as read: times in seconds, everything else as it is counted; `text` is how staff see it."""

    kind: str
    low: float
    high: float
    vague: bool
    unit: str
    text: str

    def agrees(self, other: Value) -> bool:
        """Whether both may be meant by the same person: equal, or within a factor of two where one is vague."""
        if self.kind != other.kind:
            return False
        reach = 2.0 if self.vague or other.vague else _LIKE_UNITS if self.unit != other.unit else 1.0 + 1e-9
        pairs = ((self.low, other.low), (self.high, other.high))
        return all(max(one, two) <= reach * min(one, two) for one, two in pairs)


@dataclass(frozen=True, slots=True)
class _Part:
    """One end of a range: a number with or without its unit, and the place after it."""

    number: float
    vague: bool
    unit: str
    end: int

    def text(self, few: str = "a few") -> str:
        amount = few if self.vague else f"{self.number:g}"
        return f"{amount} {self.unit}{'s' * (self.vague or self.number != 1)}" if self.unit else amount


def read_values(text: str, kind: Kind, of: Pattern | None = None) -> tuple[Value, ...]:
    """Read the amounts of one kind in a text, in order.

    Parameters: the text, what is to be read, and for counts and ordinals the words for the things that are counted.
    Times are read as ranges in one unit ("2 to 4 weeks", "30 minutes to an hour"); "a couple" is two, "few" and "several"
    are vague; "once a week" is no time. A fraction is one of a second, or a time in picoseconds and the like; it is a time too.
    """
    tokens = _TOKEN.findall(text.lower().replace("’", "'"))
    found: list[Value] = []
    at = 0
    while at < len(tokens):
        read = _READERS[kind](tokens, at, of)
        if read is None:
            at += 1
        else:
            found.append(read[0])
            at = max(read[1], at + 1)
    return tuple(found)


_Read = tuple[Value, int] | None


def amounts_in(text: str) -> tuple[str, ...]:
    """The numbers and the words of a text that tell amounts or deny, in order: what two texts that say the same have alike."""
    return tuple(found.group().lower() for found in _TELLING.finditer(text))


def _time(tokens: Sequence[str], at: int, of: Pattern | None = None) -> _Read:
    if at and tokens[at - 1] in _NO_TIME_AFTER:
        return None
    first = _part(tokens, at)
    if first is None:
        return None
    after = _joined(tokens, at, first.end)
    second = _part(tokens, after) if after else None
    if second is not None and not second.unit:
        # "an hour or two"; any other number without a unit counts something else
        one_or_two = first.unit and first.number == 1 and second.number == 2
        second = _Part(second.number, second.vague, first.unit, second.end) if one_or_two else None
    if not first.unit:
        if second is None:
            return None
        first = _Part(first.number, first.vague, second.unit, first.end)
    last = second or first
    follows = tokens[last.end : last.end + 2]
    if follows == ["of", "experience"] or (follows[:1] == ["old"] and last.unit == "year"):
        return None
    ends = sorted(part.number * _UNITS[part.unit] for part in (first, last))
    text = first.text() if second is None or first.text() == last.text() else f"{first.text()} to {last.text()}"
    return Value("time", ends[0], ends[1], first.vague or last.vague, first.unit, text), last.end


def _fraction(tokens: Sequence[str], at: int, of: Pattern | None = None) -> _Read:
    span = _time(tokens, at)
    if span is not None and span[0].unit in _TINY:
        return span
    part = _PARTS.get(tokens[at].removesuffix("s"))
    near = tokens[at + 1 : at + 4]
    if part is None and tokens[at] in _SCALES and near[:1] == ["times"] and near[1:2] in (["shorter"], ["smaller"], ["less"]):
        part, near = 1 / _SCALES[tokens[at]], tokens[at + 3 : at + 7]  # "a million times shorter than a second"
    if part is None or not {"second", "seconds", "sec"} & set(near):
        return None
    return Value("time", part, part, False, "second", f"{part:.0e} seconds"), at + 1


def _count(tokens: Sequence[str], at: int, of: Pattern | None = None) -> _Read:
    if of is None:
        return None
    span = _time(tokens, at)
    if span is not None and not any(_is(of, token) for token in tokens[at : span[1]]):
        return None
    first = _quantity(tokens, at, articles=False)
    if first is None or (span is None and at and _time(tokens, at - 1) is not None):
        return None
    return _counted(tokens, at, of, first, _quantity)


def _ordinal(tokens: Sequence[str], at: int, of: Pattern | None = None) -> _Read:
    first = _ordinal_part(tokens, at)
    return None if of is None or first is None else _counted(tokens, at, of, first, _ordinal_part)


def _counted(tokens: Sequence[str], at: int, of: Pattern, first: _Part, read: Callable[..., _Part | None]) -> _Read:
    """The count that begins here if what it counts stands after it or directly before it."""
    after = _joined(tokens, at, first.end)
    second = read(tokens, after) if after else None
    last = second or first
    if tokens[last.end : last.end + 1] in (["%"], ["percent"], ["times"], ["of"]):
        return None
    following = list(itertools.takewhile(lambda word: word not in _STOPS, tokens[last.end : last.end + _COUNT_REACH]))
    before = [word for word in tokens[max(0, at - 3) : at] if word not in _LINKS][-1:]
    if not any(_is(of, word) for word in (*following, *before)):
        return None
    more = tokens[max(0, at - 2) : at] == ["more", "than"] and first.number == 1
    vague = more or first.vague or last.vague
    low, high = (_FEW, _FEW) if more else sorted((first.number, last.number))
    text = "several" if more else first.text("several")
    text = text if last is first or more else f"{text} to {last.text('several')}"
    return Value("count", low, high, vague, "", text), last.end


def _factor(tokens: Sequence[str], at: int, of: Pattern | None = None) -> _Read:
    if tokens[at] in ("twice", "double"):
        return (
            (Value("factor", 2, 2, False, "", "2 times"), at + 1) if tokens[at + 1 : at + 2] not in (["a"], ["per"]) else None
        )
    return _before(tokens, at, ("times", "x", "fold"), "factor", "times")


def _share(tokens: Sequence[str], at: int, of: Pattern | None = None) -> _Read:
    return _before(tokens, at, ("%", "percent", "per"), "share", "%")


def _before(tokens: Sequence[str], at: int, marks: Sequence[str], kind: str, unit: str) -> _Read:
    """A number or range that stands before one of these marks."""
    first = _quantity(tokens, at, articles=False)
    if first is None:
        return None
    after = _joined(tokens, at, first.end)
    last = (_quantity(tokens, after, articles=False) if after else None) or first
    end = last.end + (tokens[last.end : last.end + 1] == ["-"])
    follows = tokens[end + 1 : end + 2]
    if end >= len(tokens) or tokens[end] not in marks or follows in (["a"], ["per"], ["daily"]):
        return None
    if tokens[end] == "per" and follows != ["cent"]:
        return None
    low, high = sorted((first.number, last.number))
    text = first.text("several") if last is first else f"{first.text('several')} to {last.text('several')}"
    return Value(kind, low, high, first.vague or last.vague, "", f"{text} {unit}"), end + 1


_READERS = {"time": _time, "count": _count, "ordinal": _ordinal, "factor": _factor, "fraction": _fraction, "share": _share}


def _part(tokens: Sequence[str], at: int) -> _Part | None:
    """A quantity with the unit of time that follows it, or a bare plural ("weeks")."""
    if at >= len(tokens):
        return None
    quantity = _quantity(tokens, at)
    end = at if quantity is None else quantity.end
    while quantity is not None and end < len(tokens) and tokens[end] in _FILLERS and _unit(tokens, end + 1):
        end += 1
    unit = _unit(tokens, end)
    if quantity is None:
        return _Part(_FEW, True, unit, at + 1) if unit and tokens[at].endswith("s") and unit not in _TINY | {"second"} else None
    if unit == "second" and tokens[end] == "second" and (tokens[at] in ("a", "an") or tokens[end - 1] in ("the", "or")):
        return None  # "a second session"
    if unit in _TINY and not tokens[at][0].isdigit():
        return None  # "a picosecond" is its name
    return _Part(quantity.number, quantity.vague, unit, end + bool(unit))


def _unit(tokens: Sequence[str], at: int) -> str:
    """The unit of time that stands here, in the singular, or nothing."""
    if at >= len(tokens):
        return ""
    word = tokens[at] if tokens[at] in _UNITS else tokens[at].removesuffix("s")
    word = _SHORT_UNITS.get(word, word)
    return word if word in _UNITS else ""


def _joined(tokens: Sequence[str], start: int, at: int) -> int:
    """The place after a word that joins the two ends of a range, or 0."""
    if tokens[at : at + 2] == ["up", "to"]:
        return at + 2
    if tokens[at : at + 1] == ["and"] and start and tokens[start - 1] == "between":
        return at + 1
    return at + 1 if at < len(tokens) and tokens[at] in _JOINS else 0


def _quantity(tokens: Sequence[str], at: int, articles: bool = True) -> _Part | None:
    """The number that begins here, in digits or words."""
    if at >= len(tokens):
        return None
    word, following = tokens[at], tokens[at + 1 : at + 2]
    if word in ("a", "an"):
        beyond = (
            _quantity(tokens, at + 1, articles=False)
            if following and following[0] in {*_VAGUE, "couple", "dozen", "single", "half", *_SCALES}
            else None
        )
        return beyond or (_Part(1, False, "", at + 1) if articles else None)
    if word in _VAGUE and at and tokens[at - 1] in ("how", "so", "as", "too"):
        return None
    if word in _VAGUE:
        return _Part(_FEW, True, "", at + 1)
    if word == "couple":
        return _Part(2, False, "", at + 1 + (following == ["of"]))
    if word == "half":
        return _Part(0.5, False, "", at + 1 + (following in (["a"], ["an"])))
    number, end = _number(tokens, at)
    if number is None:
        return None
    if tokens[end : end + 1] and tokens[end] in _SCALES:
        number, end = number * _SCALES[tokens[end]], end + 1
    if tokens[end : end + 3] == ["and", "a", "half"]:
        number, end = number + 0.5, end + 3
    return _Part(number, False, "", end)


def _number(tokens: Sequence[str], at: int) -> tuple[float | None, int]:
    word = tokens[at]
    if word in _TENS:
        hyphen = tokens[at + 1 : at + 2] == ["-"]
        ones = _NUMBERS.get("".join(tokens[at + 1 + hyphen : at + 2 + hyphen]), 0)
        return (_TENS[word] + ones, at + 2 + hyphen) if 0 < ones < 10 else (_TENS[word], at + 1)
    if word in _SCALES:
        return _SCALES[word], at + 1
    if word in _NUMBERS:
        return _NUMBERS[word], at + 1
    digits = word.replace(",", "")
    return (float(digits), at + 1) if digits.replace(".", "", 1).isdigit() and digits.isascii() else (None, at)


def _ordinal_part(tokens: Sequence[str], at: int) -> _Part | None:
    if at >= len(tokens):
        return None
    digits = re.fullmatch(r"(\d+)(?:st|nd|rd|th)", tokens[at])
    number = float(digits[1]) if digits else _ORDINALS.get(tokens[at])
    return None if number is None else _Part(number, False, "", at + 1)


def _is(of: Pattern, token: str) -> bool:
    return of.stands_in(line(words(token)))
