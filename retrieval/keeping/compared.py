"""A comparison of two releases in words for staff, and as values for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from retrieval.evaluation.carrying import lost_lines
from retrieval.keeping.comparing import AnswerChange, ArticleChange, Comparison, FigureChange, Said

__all__ = ["lines", "values"]

_LONGEST, _LONGEST_LIST = 90, 8
_ROUTES = {
    "answer": "answered with quotes",
    "consult": "pointed to a clinician",
    "urgent": "sent to urgent help",
    "no_answer": "not answered",
}
_FEW = 0.05  # below it a difference is worth believing; docs/evaluating.md


def lines(comparison: Comparison, verbose: bool = False) -> list[str]:
    """Say what would change for patients, what matters most first.

    Parameters: the comparison, and whether everything is listed; else long lists end with how many more there are.
    """
    one = comparison
    against = f"against {one.old}" if one.old else "the first one: there is nothing to compare it with"
    most = len(one.changes) + len(one.danger) + len(one.articles) if verbose else _LONGEST_LIST
    told = [f"Release {one.new}, {against}."]
    told += _section("Messages for a person that would go elsewhere", _each(one.danger, verbose), most)
    told += _section("Limits that are not kept", [f"  {each}" for each in one.broken], len(one.broken))
    told += _section("Articles", [_article(each) for each in one.articles], most)
    groups: dict[str, list[AnswerChange]] = {title: [] for title, _ in _GROUPS}
    for change in one.changes:
        groups[next(title for title, fits in _GROUPS if fits(change))].append(change)
    for title, changes in groups.items():
        told += _section(title, _each(changes, verbose), most)
    if one.old and not one.changes:
        told.append(f"No answer changes ({one.asked} questions were asked of both).")
    elif one.old:
        told.append(f"In all {len(one.changes)} of {one.asked} questions are answered differently.")
    if one.messages:
        told.append(f"{one.messages} messages for a person were sent to both; {len(one.danger)} would go elsewhere.")
    told += _figures(one, verbose)
    losses = lost_lines(one.lost)
    told += losses if verbose else [*losses[: _LONGEST_LIST + 1], *_more(losses, _LONGEST_LIST + 1)]
    return [*told, *(f"note: {note}" for note in one.notes)]


def values(comparison: Comparison) -> dict[str, Any]:
    """All that the comparison holds, as JSON has it."""
    return dataclasses.asdict(comparison)


# Each change is told once, under the first that fits.
_GROUPS: tuple[tuple[str, Callable[[AnswerChange], bool]], ...] = (
    ("Questions that go another way", lambda change: change.moved),
    ("Quotes that vanish", lambda change: bool(change.vanished)),
    ("No longer right", lambda change: change.right == (True, False)),
    ("Right now", lambda change: change.right == (False, True)),
    ("Articles differ otherwise", lambda change: bool(change.differs)),
    ("Other changes", lambda change: True),
)


def _section(title: str, entries: Sequence[str], most: int) -> list[str]:
    if not entries:
        return []
    return [f"{title} ({len(entries)}):", *entries[:most], *_more(entries, most)]


def _more(entries: Sequence[str], most: int) -> list[str]:
    return [f"  ... and {len(entries) - most} more"] if len(entries) > most else []


def _article(change: ArticleChange) -> str:
    counts = f"{_count(change.came, 'sentence')} more, {change.went} fewer"
    said = {
        "added": f"new, {_count(change.came, 'sentence')}",
        "removed": f"gone, {_count(change.went, 'sentence')}",
        "changed": f"changed, {counts}",
        "described": "the same words, described otherwise",
    }
    return f"  {change.doc}: {said[change.what]}"


def _each(changes: Sequence[AnswerChange], verbose: bool) -> list[str]:
    return ["\n".join(_change(change, verbose)) for change in changes]


def _change(change: AnswerChange, verbose: bool) -> Iterator[str]:
    name = f"{change.id}: " if change.id else "recent: "
    yield f"  {name}{_cut(change.question, verbose)}"
    if change.moved:
        before, now = (_way(route, card) for route, card in zip(change.route, change.card, strict=True))
        yield f"    was {before}, is {now}"
    if change.right == (True, False):
        yield "    was right, is not"
    elif change.right == (False, True):
        yield "    was not right, is now"
    for said in change.vanished:
        yield f"    no longer shown{'' if said.left else ' (no article says it any more)'}: {_quoted(said, verbose)}"
    for said in change.appeared:
        yield f"    shown now{'' if said.left else ' (new in the articles)'}: {_quoted(said, verbose)}"
    if all(change.top) and change.top[0] != change.top[1] and not change.vanished and not change.appeared:
        yield f'    comes first now: "{_cut(change.top[1], verbose)}"'
    for point in change.differs:
        yield f"    side by side on {point.point}: {_count(len(point.before), 'statement')} before, {len(point.now)} now"


def _way(route: str, card: str) -> str:
    return _ROUTES[route] + (f" (card {card})" if card else "")


def _figures(comparison: Comparison, verbose: bool) -> list[str]:
    if not comparison.figures:
        return []
    over = _count(max(figure.now.count for figure in comparison.figures), "judged question")
    head = f"Figures over {over}, before and now" if comparison.old else f"Figures over {over}"
    shown = [figure for figure in comparison.figures if verbose or _has_changed(figure)]
    if not shown:
        return [f"{head}: none has changed."]
    return [f"{head}{'' if verbose or not comparison.old else ', those that changed'}:", *map(_figure, shown)]


def _has_changed(figure: FigureChange) -> bool:
    return figure.before is None or f"{figure.before.mean:.3f}" != f"{figure.now.mean:.3f}"


def _figure(figure: FigureChange) -> str:
    if figure.before is None:
        return f"  {figure.name:24} {figure.now.mean:8.3f}"
    line = f"  {figure.name:24} {figure.before.mean:8.3f} {figure.now.mean:8.3f} {figure.now.mean - figure.before.mean:+8.3f}"
    if figure.p_value is None or not _has_changed(figure):
        return line
    return line + f"   p = {figure.p_value:.4f}" + ("" if figure.p_value < _FEW else ", may be chance")


def _quoted(said: Said, verbose: bool) -> str:
    return f'"{_cut(said.text, verbose)}" ({said.doc})'


def _cut(text: str, verbose: bool) -> str:
    text = " ".join(text.split())
    return text if verbose or len(text) <= _LONGEST else text[: _LONGEST - 4].rsplit(" ", 1)[0] + " ..."


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
