"""Judged questions: what a patient asks, and the spans of the articles that answer it (or that nothing does).

One JSON object a line:

    {"id": "c-001", "turns": ["How long is it red?"], "style": "plain", "topic": "redness", "split": "dev",
     "answers": [{"doc": "aftercare.md", "start": 120, "end": 163, "digest": "..."}]}

The last of `turns` is asked, the others are the chat so far. Empty `answers` mean that the articles do not answer. `digest`
is that of the article's canonical text, so that a span is never judged against a text that has changed. `route`, where it
is given, is the route that the message must take; such a line needs no `answers`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from retrieval.errors import EvaluationError
from retrieval.types import Article, Route

__all__ = ["CHANGED", "SPLITS", "Judged", "Span", "answering", "find_faults", "load_judged", "split_by_passage"]

SPLITS = ("dev", "test", "mixed")
"""dev is for choosing, test for reports only; mixed are questions with answering passages on both sides: reports only."""
CHANGED = "has changed since its spans were judged"
"""What `find_faults` says of an article with another text than the one that was judged."""
_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class Span:
    """A place in an article's canonical text that answers a question."""

    doc: str
    start: int
    end: int
    digest: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One judged question; see the module's docstring."""

    id: str
    turns: tuple[str, ...]
    answers: tuple[Span, ...]
    style: str = ""
    topic: str = ""
    split: str = ""
    route: str = ""


def load_judged(path: Path) -> list[Judged]:
    """Read a file of judged questions; raises EvaluationError naming file and line for anything that does not fit."""
    try:
        # Not splitlines: JSON may hold a line separator (U+2028) as it is.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as problem:
        raise EvaluationError(f"{path}: cannot be read ({problem}). Name a file of judged questions.") from problem
    judged = [_judged(f"{path}, line {number}", line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not judged:
        raise EvaluationError(f"{path}: holds no judged questions. Write one JSON object a line.")
    return judged


def answering(spans: Iterable[Span], doc: str, start: int, end: int) -> bool:
    """Say whether a quote answers: it shares with a span at least half of the shorter of the two.

    So a quote that holds the answering sentence counts, and so does a sentence out of a longer answering run.
    """
    for span in spans:
        shared = min(end, span.end) - max(start, span.start)
        if span.doc == doc and shared > 0 and 2 * shared >= min(end - start, span.end - span.start):
            return True
    return False


def find_faults(judged: Sequence[Judged], articles: Mapping[str, Article]) -> list[str]:
    """Check judged questions against the articles they point at.

    Parameters: the questions, and the articles by file name.
    Returns a line for each fault: names used twice, questions asked twice, spans outside their article or not at
    sentence boundaries, articles that have changed, splits that share a passage.
    """
    faults: list[str] = []
    seen_ids: set[str] = set()
    seen_turns: set[tuple[str, ...]] = set()
    edges = {
        doc: ({sentence.start for sentence in article.sentences}, {sentence.end for sentence in article.sentences})
        for doc, article in articles.items()
    }
    for item in judged:
        key = tuple(" ".join(turn.lower().split()) for turn in item.turns)
        if item.id in seen_ids:
            faults.append(f"{item.id}: the name is used twice")
        if key in seen_turns:
            faults.append(f"{item.id}: the question stands there twice")
        seen_ids.add(item.id)
        seen_turns.add(key)
        faults.extend(f"{item.id}: {fault}" for span in item.answers for fault in _span_faults(span, articles, edges))
    faults.extend(_shared_passages(judged))
    return faults


def split_by_passage(judged: Sequence[Judged]) -> dict[str, str]:
    """Divide questions so that no answering passage has questions in both dev and test.

    Questions with at most three answering spans are put into groups that share no passage; the groups go to dev and test
    in turn, the largest first, to the side that has fewer. A question with more spans goes where all of them are, or to
    `mixed`. Questions without answers are divided in turn. Returns the split by the question's name, which does not
    depend on the order of the questions.
    """
    judged = sorted(judged, key=lambda item: item.id)
    groups = _groups([item for item in judged if 1 <= len(item.answers) <= 3])
    sides: dict[str, list[Judged]] = {"dev": [], "test": []}
    for group in sorted(groups, key=lambda members: (-len(members), members[0].id)):
        sides[min(sides, key=lambda side: len(sides[side]))].extend(group)
    spans = {side: [span for item in members for span in item.answers] for side, members in sides.items()}
    split = {item.id: side for side, members in sides.items() for item in members}
    for item in judged:
        if item.id not in split and item.answers:
            touched = {side for side in sides if any(_overlap(one, other) for one in item.answers for other in spans[side])}
            split[item.id] = touched.pop() if len(touched) == 1 and _all_touch(item, spans) else "mixed"
            # A span may reach further than those it touches: what the next questions touch of it is on this side too.
            spans.get(split[item.id], []).extend(item.answers)
    for number, item in enumerate(item for item in judged if not item.answers):
        split[item.id] = "dev" if number % 2 == 0 else "test"
    return split


def _judged(where: str, line: str) -> Judged:
    try:
        values: dict[str, Any] = json.loads(line)
        turns = _of(list, values.get("turns") or [values["question"]])
        style, topic, split, route = (_of(str, values.get(name, "")) for name in ("style", "topic", "split", "route"))
        # A name spelt wrong must not make a question one that has no answer.
        answers = _of(list, values.get("answers", []) if route else values["answers"])
        spans = tuple(
            Span(_of(str, a["doc"]), _of(int, a["start"]), _of(int, a["end"]), _of(str, a["digest"])) for a in answers
        )
        judged = Judged(_of(str, values["id"]), tuple(_of(str, turn) for turn in turns), spans, style, topic, split, route)
    except (json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise EvaluationError(f"{where}: not a judged question ({problem!r}). See docs/evaluating.md.") from problem
    if not all(turn.strip() for turn in judged.turns) or (judged.split and judged.split not in SPLITS):
        raise EvaluationError(f"{where}: a turn is empty or split is none of {', '.join(SPLITS)}.")
    if not judged.id or (judged.route and judged.route not in get_args(Route)):
        raise EvaluationError(f"{where}: the id is empty or route is none of {', '.join(get_args(Route))}.")
    return judged


def _of(kind: type[_Kind], value: Any) -> _Kind:
    """The value, if it is of this kind and no other; a text must not be taken for a list of letters, nor 1.5 for 1."""
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not of the kind {kind.__name__}")
    return value


def _span_faults(span: Span, articles: Mapping[str, Article], edges: Mapping[str, tuple[set[int], set[int]]]) -> list[str]:
    article = articles.get(span.doc)
    if article is None:
        return [f"there is no article {span.doc}"]
    if article.digest != span.digest:
        return [f"{span.doc} {CHANGED}"]
    starts, ends = edges[span.doc]
    if span.start not in starts or span.end not in ends or span.start >= span.end:
        return [f"{span.doc} {span.start}-{span.end} is not a run of whole sentences"]
    return []


def _shared_passages(judged: Sequence[Judged]) -> list[str]:
    dev = [(item, span) for item in judged if item.split == "dev" for span in item.answers]
    test = [(item, span) for item in judged if item.split == "test" for span in item.answers]
    return [
        f"{one.id} (dev) and {other.id} (test) share {span.doc} {span.start}-{span.end}"
        for one, span in dev
        for other, against in test
        if _overlap(span, against)
    ]


def _groups(judged: Sequence[Judged]) -> list[list[Judged]]:
    """Put questions together whose spans overlap, directly or through others."""
    groups: list[list[Judged]] = []
    for item in judged:
        touching = [group for group in groups if any(_overlap(a, b) for m in group for a in m.answers for b in item.answers)]
        groups = [group for group in groups if group not in touching]
        groups.append([*(member for group in touching for member in group), item])
    return groups


def _all_touch(item: Judged, spans: Mapping[str, Sequence[Span]]) -> bool:
    """Whether each span of a question is one that a side already has, so that the question adds no new passage to it."""
    return all(any(_overlap(span, other) for side in spans.values() for other in side) for span in item.answers)


def _overlap(one: Span, other: Span) -> bool:
    return one.doc == other.doc and one.start < other.end and other.start < one.end
