"""Operations that are killed, or refused by the disk, at each system call that touches their files, and what was left."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.faults.calls import Call, faulty, listed
from benchmarks.faults.place import Caught, Outcome, State, World, told

__all__ = ["FAULTS", "Fault", "Row", "for_strace", "injected"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to fail: what strace does at a call, of which calls, and whether the same goes on for all calls that write."""

    name: str
    does: str
    writes: bool
    lasts: bool = False


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("killed", "signal=KILL", writes=True),
        Fault("disk full from there on (ENOSPC)", "error=ENOSPC", writes=True, lasts=True),
        Fault("one write error (EIO)", "error=EIO", writes=True),
        Fault("over quota from there on (EDQUOT)", "error=EDQUOT", writes=True, lasts=True),
        Fault("one refusal (EROFS)", "error=EROFS", writes=True),
        Fault("one read error (EIO)", "error=EIO", writes=False),
    )
}
_NEEDS_ROOM = ("write", "pwrite64", "writev", "fsync", "fdatasync", "mkdir", "rename", "link", "ftruncate", "copy_file_range")
"""What a full disk refuses from some call on. (`openat` does not say by its name whether it is for writing.)"""


@dataclass(slots=True)
class Row:
    """What became of one operation under one fault.

    `before` and `after` count the release that was in force; `done` are operations that succeeded all the same, `refused` those
    that said that they had not; `left` are runs after which something stayed that nobody needs; `findings` is what must not be.
    """

    operation: str
    fault: str
    calls: int = 0
    tried: int = 0
    unmet: int = 0
    before: int = 0
    after: int = 0
    done: int = 0
    refused: int = 0
    left: int = 0
    findings: list[str] = field(default_factory=list)
    messages: Counter[str] = field(default_factory=Counter)
    remains: Counter[str] = field(default_factory=Counter)


def injected(world: World, operation: str, faults: Sequence[tuple[Fault, int]], last: int, log: Path) -> Iterator[Row]:
    """Do an operation again and again, each time with a fault at another of its calls.

    Parameters: the world; the operation; the faults, each with how many calls lie between two that are hit (1: all are); how
    many of the last calls that write are hit in any case, since there one release takes the other's place; where strace may
    write. Yields a row for each fault.
    """
    world.fresh()
    before = world.state()
    work = partial(told, world.command(operation))
    assert work().status == 0  # imports what it needs
    after = world.state()
    assert before.served != after.served
    assert not before.problem
    assert not after.problem
    world.fresh()
    calls, outcome = listed(work, world.now, log)
    assert outcome is not None
    assert outcome.status == 0, outcome.said
    for fault, every in faults:
        mine = [place for place, call in enumerate(calls) if call.writes == fault.writes]
        row = Row(operation, fault.name, len(mine))
        for count, place in enumerate(mine):
            if count % every == 0 or count >= len(mine) - (last if fault.writes else 0):
                _hit(world, before, after, work, calls[: place + 1], fault, log, row)
            if count % 100 == 0:
                print(f"{operation}, {fault.name}: {count} of {len(mine)}", file=sys.stderr, flush=True)
        yield row


def _hit(
    world: World, before: State, after: State, work: partial[Outcome], calls: Sequence[Call], fault: Fault, log: Path, row: Row
) -> None:
    call = calls[-1]
    world.fresh()
    outcome, met = faulty(work, for_strace(calls, fault), log)
    row.tried += 1
    where = f"{call.name} {call.number} ({call.where or 'the folder'})"
    if not met:
        row.unmet += 1
        row.findings.append(f"{where}: was not met, so the operation does not do the same each time")
        return
    for problem in _problems(world, before, after, outcome, row):
        row.findings.append(f"{where}: {problem}")


def for_strace(calls: Sequence[Call], fault: Fault) -> list[str]:
    """A fault at the last of some calls, as strace has it; where it lasts, all further ones of a full disk with it."""
    call = calls[-1]
    if not fault.lasts:
        return [f"{call.name}:{fault.does}:when={call.number}"]
    seen = {each.name: each.number for each in calls}
    more = {name: seen.get(name, 0) + 1 for name in _NEEDS_ROOM if name != call.name}
    lasting = [f"{name}:{fault.does}:when={number}+" for name, number in more.items()]
    once = call.name not in _NEEDS_ROOM  # opening or deleting: others of its name may be for reading
    return [f"{call.name}:{fault.does}:when={call.number}{'' if once else '+'}", *lasting]


def _problems(world: World, before: State, after: State, outcome: Outcome | None, row: Row) -> Iterator[str]:
    """What is wrong now, and after somebody else went on."""
    left = world.state()
    row.before += left.served == before.served
    row.after += left.served == after.served
    if left.served not in (before.served, after.served):
        yield f"neither the release before nor the one after: {left.release or left.problem}"
    yield from (f"history: {each}" for each in world.history_faults())
    yield from _lost(before, after, left)
    if outcome is not None:
        yield from _said(before, after, left, outcome, row)
    with Caught() as caught:
        world.go_on()
    if caught.problem:
        yield f"the next one cannot go on: {caught.problem!r}"
        return
    settled = world.state()
    if settled.served != left.served:
        yield f"the next one's look at it changed the release in force: {settled.release or settled.problem}"
    yield from (f"history, after the next one: {each}" for each in world.history_faults())
    belongs = after if settled.served == after.served else before
    withdrawn = row.operation == "withdraw" and settled.files == after.files  # marked first, so that nothing brings it back
    if settled.files != belongs.files and not withdrawn:
        yield "release and files do not belong together, after the next one"
    remains = world.leftovers()
    row.left += bool(remains)
    row.remains.update(remains)


def _lost(before: State, after: State, left: State) -> Iterator[str]:
    for path, digest in left.files.items():
        if digest not in {before.files.get(path), after.files.get(path)}:
            yield f"{path}: neither as before nor as after"
    for path in set(before.files) & set(after.files) - set(left.files):
        yield f"{path}: lost"


def _said(before: State, after: State, left: State, outcome: Outcome, row: Row) -> Iterator[str]:
    """Whether what the command said is true."""
    last = (outcome.said.strip().splitlines() or [""])[-1]
    if outcome.status == -1:
        yield f"a traceback at the command: {last}"
        return
    if outcome.status == 0:
        row.done += 1
        if left.served != after.served or left.files != after.files:
            yield f"said that it was done, and it was not: {last}"
        return
    row.refused += 1
    if not outcome.said.strip() or "Traceback" in outcome.said:
        yield "ended without a message"
        return
    row.messages[_general(last)] += 1
    unchanged = "is unchanged" in outcome.said or "not published" in outcome.said
    if unchanged and left.served != before.served:
        yield f"said that nothing had changed, and it had: {last}"


def _general(message: str) -> str:
    """A message without the names that differ from one to the next."""
    words = message.removeprefix("patient-faq: ").split()
    return " ".join("PATH" if "/" in word else word for word in words)[:160]
