"""What was measured, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.faults.flipped import Damage
from benchmarks.faults.injected import Row
from benchmarks.faults.meeting import Meeting
from benchmarks.faults.place import OPERATIONS

__all__ = ["lines"]

_MOST = 20
"""Findings of a row that are printed."""
_OPERATIONS = """\
Tried: at how many of the system calls that touch the operation's files the fault came (by strace, each in a fresh copy).
Before, after: which release was in force then, whole, every digest checked. Succeeded: the command said that it was done, and
all of it was. Refused: it said in a message that it was not. Left over: runs after which, once somebody else had gone on, a
file stayed that nobody needs. Found: what must not be (a release that is neither, a file lost, a history with faults, a message
that is not true, a traceback, somebody next who cannot go on, files that do not belong to the release after that).
"""
_JOURNAL = """\
Exact: what had been acknowledged was kept, and nothing else; one more: an entry too whose writer was not told any more. Found:
an acknowledged entry that is not there, one that is half there, a file that does not open. A fault that did not come (not met)
is one at a call that a run does not always make.
"""
_DAMAGE = """\
A bit at the beginning, the middle and the end of each file, or each bit where it says so; a byte cut off, a byte more; the file
deleted. Found: what nobody notices, what is not one of our messages, what names nothing.
"""
_MET = """\
Each in a process of their own, up to 1.2 seconds apart. Who was told to wait tried again afterwards, and got what they wanted.
"""


def lines(about: Mapping[str, object], rows: Sequence[Row], damage: Sequence[Damage], met: Sequence[Meeting]) -> Iterator[str]:
    """The lines of a Markdown file.

    Parameters: commit, machine and seconds; what was measured of each kind.
    """
    yield "# Faults\n"
    yield f"`python -m benchmarks.faults.run`, commit {about['commit']}; {about['machine']}; {about['seconds']} s.\n"
    yield from _table("Killed and refused, call by call", _OPERATIONS, _operations(rows))
    yield from _table("The journal", _JOURNAL, _journals(rows))
    yield from _table("Answers while the journal's disk refuses", "", _answers(rows))
    yield from _table("Flipped bits, cut and deleted files", _DAMAGE, _damage(damage))
    yield from _table("Two at once", _MET, _met(met))
    yield from _found(rows, damage, met)


def _table(title: str, about: str, rows: Iterator[Sequence[object]]) -> Iterator[str]:
    """A table under a heading; nothing where it has no rows besides the names of its columns."""
    header, *body = rows
    if not body:
        return
    yield f"## {title}\n"
    if about:
        yield about
    yield f"| {' | '.join(map(str, header))} |"
    yield "|" + "---|" * len(header)
    for row in body:
        yield f"| {' | '.join(map(str, row))} |"
    yield ""


def _operations(rows: Sequence[Row]) -> Iterator[Sequence[object]]:
    yield "operation", "fault", "calls", "tried", "before", "after", "succeeded", "refused", "left over", "found"
    for row in rows:
        if row.operation in OPERATIONS:
            said = ("-", "-") if row.fault == "killed" else (row.done, row.refused)
            yield row.operation, row.fault, row.calls, row.tried, row.before, row.after, *said, row.left, len(row.findings)


def _journals(rows: Sequence[Row]) -> Iterator[Sequence[object]]:
    yield "where", "fault", "calls", "tried", "not met", "exact", "one more", "succeeded", "refused", "found"
    for row in rows:
        if row.operation.startswith("journal"):
            said = (row.done, row.refused) if row.calls and row.fault != "killed" else ("-", "-")
            calls = (row.calls or "-", row.tried, row.unmet)
            yield row.operation, row.fault, *calls, row.before, row.after, *said, len(row.findings)


def _answers(rows: Sequence[Row]) -> Iterator[Sequence[object]]:
    yield "fault", "calls", "tried", "not met", "all answers the same", "found"
    for row in rows:
        if row.operation.startswith("answers"):
            yield row.fault, row.calls, row.tried, row.unmet, row.done, len(row.findings)


def _damage(damage: Sequence[Damage]) -> Iterator[Sequence[object]]:
    yield "what", "files", "tried", "what came of it", "found"
    for one in damage:
        came = "; ".join(f"{count} {what}" for what, count in _most(one.came) if not what.startswith("NOT"))
        yield one.what, one.files, one.tried, came, len(one.findings)


def _met(met: Sequence[Meeting]) -> Iterator[Sequence[object]]:
    yield "operations", "rounds", "what came of it", "found"
    for one in met:
        yield one.what, one.rounds, "; ".join(f"{count} {what}" for what, count in _most(one.came)), len(one.findings)


def _most(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    return Counter(counted).most_common()


def _found(rows: Sequence[Row], damage: Sequence[Damage], met: Sequence[Meeting]) -> Iterator[str]:
    found = [(f"{row.operation}, {row.fault}", row.findings) for row in rows]
    found += [*((one.what, one.findings) for one in damage), *((one.what, one.findings) for one in met)]
    if any(findings for _, findings in found):
        yield "## Found\n"
        for what, findings in found:
            yield from (f"- {what}: {finding}" for finding in findings[:_MOST])
