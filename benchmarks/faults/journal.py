"""The patients' journal: processes that are killed while they write, disks that are full, a server that goes away."""

from __future__ import annotations

import os
import random
import secrets
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from support import Postgres

from benchmarks.faults.calls import Call, faulty, listed
from benchmarks.faults.injected import FAULTS, Fault, Row, for_strace
from benchmarks.faults.place import Caught, Outcome, World
from retrieval.assistant import Assistant
from retrieval.clinic import load_clinic
from retrieval.errors import JournalError
from retrieval.journal import Feedback, Journal, Noted, Spot
from retrieval.rules import Rules
from web.recording import Recorder

__all__ = ["answers", "postgresql", "sqlite"]

DAYS = 30
_ENTRIES = 12
_QUESTIONS = ("Stay out of the sun for a month", "Eleven sessions are usual now", "Redness fades in two days")
_SPOTS = (Spot("redness.md", 0, 4), Spot("sun.html", 2, 9))


def sqlite(folder: Path, faults: Sequence[tuple[Fault, int]], log: Path) -> Iterator[Row]:
    """Record entries in SQLite with a fault at each system call that touches its files.

    Parameters: a folder that may be written to; the faults, each with how many calls that write lie between two that are hit
    (1: all are); where strace may write. Yields a row for each fault: `before` counts runs after which exactly what had been
    acknowledged was kept, `after` those that kept an entry more, which the writer was not told of any more.
    """
    where = folder / "journal" / "journal.sqlite3"
    where.parent.mkdir(exist_ok=True)
    told, tell = socket.socketpair()
    work = partial(_record, where, tell)
    calls, outcome = _listed(work, where, told, log)
    assert outcome is not None
    assert outcome.status == 0, outcome.said
    for fault, every in faults:
        mine = [place for place, call in enumerate(calls) if call.writes == fault.writes]
        row = Row("journal in SQLite", fault.name, len(mine))
        for place in mine[:: every if fault.writes else 1]:
            _clear(where)
            outcome, met = faulty(work, for_strace(calls[: place + 1], fault), log)
            acknowledged = _drained(told)
            row.tried += 1
            row.unmet += not met
            call = calls[place]
            for problem in _journal_problems(where, acknowledged, outcome, row):
                row.findings.append(f"{call.name} {call.number} ({call.where}): {problem}")
        print(f"journal, {fault.name}: {row.tried} of {row.calls}", file=sys.stderr, flush=True)
        yield row


def _listed(work: Callable[[], Outcome], where: Path, told: socket.socket, log: Path) -> tuple[list[Call], Outcome | None]:
    _clear(where)
    found = listed(work, where.parent, log)
    _drained(told)
    return found


def _record(where: Path, tell: socket.socket) -> Outcome:
    """Record entries, and acknowledge each, by ways that are no calls of the file system."""
    secrets.randbits = random.Random(1).getrandbits  # the same entries get the same numbers each time
    try:
        journal = Journal.open(where)
        for number in range(_ENTRIES):
            journal.note(Noted("r1", f"question {number}", "answer", "", _SPOTS), DAYS)
            tell.sendall(b"n")
            journal.tell(Feedback("r1", "redness.md", 0, 4, "helped", f"question {number}"), DAYS)
            tell.sendall(b"t")
        journal.close()
    except JournalError as problem:
        return Outcome(2, str(problem))
    return Outcome(0, "")


def _drained(told: socket.socket) -> bytes:
    told.setblocking(False)
    found = b""
    with Caught():
        while more := told.recv(1 << 16):
            found += more
    return found


def _clear(where: Path) -> None:
    for path in where.parent.iterdir():
        path.unlink()


def _journal_problems(where: Path | str, acknowledged: bytes, outcome: Outcome | None, row: Row) -> Iterator[str]:
    with Caught() as caught:
        journal = Journal.open(where)
        asked, felt = journal.noted(), journal.told()
        journal.note(Noted("r1", "afterwards", "answer"), DAYS)
        again = [one.question for one in journal.noted()]
        journal.close()
    if caught.problem:
        yield f"it does not open any more: {caught.problem!r}"
        return
    numbers = sorted(int(one.question.split()[1]) for one in asked)
    feelings = [int(one.question.split()[1]) for one in felt]
    noted, told = acknowledged.count(b"n"), acknowledged.count(b"t")
    if numbers not in (list(range(noted)), list(range(noted + 1))) or feelings not in (
        list(range(told)),
        list(range(told + 1)),
    ):
        yield f"acknowledged were {noted} and {told}, kept are {numbers} and {feelings}"
    if any(one.quotes != _SPOTS for one in asked):
        yield "an entry is half there"
    if "afterwards" not in again:
        yield "nothing can be kept afterwards"
    row.before += len(numbers) + len(feelings) == noted + told
    row.after += len(numbers) + len(feelings) > noted + told
    if isinstance(where, Path):
        with sqlite3.connect(where) as database:
            if database.execute("pragma integrity_check").fetchone() != ("ok",):
                yield "SQLite finds it damaged"
        database.close()
    if outcome is not None:
        row.done += outcome.status == 0
        row.refused += outcome.status == 2
        if outcome.status == 0 and len(numbers) != _ENTRIES:
            yield "all was acknowledged, and something is not there"
        if outcome.status == -1:
            yield f"a traceback: {outcome.said.splitlines()[-1]}"


def answers(world: World, every: int, log: Path) -> Iterator[Row]:
    """Ask while the journal's disk refuses: the same answers must come, and nothing that was kept may be lost.

    Parameters: a world whose clinic keeps a journal; how many calls lie between two that are hit; where strace may write.
    Yields a row for each fault: `done` counts runs in which every answer was the same as without a fault.
    """
    where = world.folder / "asked" / "journal.sqlite3"
    where.parent.mkdir(exist_ok=True)
    assistant = Assistant(world.index, world.encoder, Rules.floor(), load_clinic(world.corpus))
    plain = [_said(assistant, question) for question in _QUESTIONS]
    assert all(quotes for _, quotes in plain), plain
    work = partial(_asked, assistant, where, plain)
    _clear(where)
    calls, outcome = listed(work, where.parent, log)
    assert outcome is not None
    assert outcome.status == 0, outcome.said
    for fault in FAULTS.values():
        if fault.writes and "ENOSPC" not in fault.name:
            continue  # what lasts is the harder case, and takes seconds each
        mine = [place for place, call in enumerate(calls) if call.writes == fault.writes]
        row = Row("answers while the journal is kept", fault.name, len(mine))
        for place in mine[::every]:
            _clear(where)
            with Journal.open(where).database.reading():
                pass
            _first_entry(where)
            outcome, met = faulty(work, for_strace(calls[: place + 1], fault), log)
            row.tried += 1
            row.unmet += not met
            for problem in _answer_problems(where, outcome, row):
                row.findings.append(f"{calls[place].name} {calls[place].number}: {problem}")
        print(f"answers, {fault.name}: {row.tried} of {row.calls}", file=sys.stderr, flush=True)
        yield row


def _first_entry(where: Path) -> None:
    journal = Journal.open(where)
    journal.note(Noted("r1", "there from the beginning", "answer"), DAYS)
    journal.close()


def _said(assistant: Assistant, question: str) -> tuple[str, tuple[str, ...]]:
    answer = assistant.ask(question)
    return answer.route, tuple(quote.text for quote in answer.quotes)


def _asked(assistant: Assistant, where: Path, plain: list[tuple[str, tuple[str, ...]]]) -> Outcome:
    """Ask with the recorder at work; status 1 where an answer was another, or none."""
    recorder = Recorder(assistant, str(where))
    recorder.start()
    same = 0
    for question, expected in zip(_QUESTIONS, plain, strict=True):
        answer = assistant.ask(question)
        recorder.asked(question, answer)
        same += (answer.route, tuple(quote.text for quote in answer.quotes)) == expected
    kept = recorder.told(Feedback(assistant.release().id, "redness.md", 0, 4, "helped", "a red face"))
    recorder.stop()
    return Outcome(0 if same == len(_QUESTIONS) else 1, "told" if kept else "")


def _answer_problems(where: Path, outcome: Outcome | None, row: Row) -> Iterator[str]:
    if outcome is None or outcome.status != 0:
        yield "an answer did not come, or another"
        return
    row.done += 1
    with Caught() as caught:
        journal = Journal.open(where)
        asked, felt = [one.question for one in journal.noted()], journal.told()
        journal.close()
    if caught.problem:
        yield f"the journal does not open any more: {caught.problem!r}"
        return
    if "there from the beginning" not in asked:
        yield "what was kept before is lost"
    if outcome.said and not felt:
        yield "a patient was told that their feedback is kept, and it is not"
    row.before += len(asked) == 1
    row.after += len(asked) > 1


def postgresql(kills: int, seed: int = 1) -> Iterator[Row]:
    """Record entries in PostgreSQL, and kill the writer, then the server, at moments drawn by chance.

    Parameters: how often each is done; what chance begins from. Yields a row for each; none where there is no server.
    """
    if not kills:
        return
    with Caught() as caught:
        server = Postgres()
    if caught.problem:
        print(caught.problem, file=sys.stderr)
        return
    chance = random.Random(seed)
    try:
        for what, again in (("writer killed by chance", False), ("server stopped without warning, by chance", True)):
            row = Row("journal in PostgreSQL", what)
            for _ in range(kills):
                where = server.fresh()
                Journal.open(where).close()
                acknowledged = _killed(where, chance.uniform(0.0, 0.2), server if again else None)
                row.tried += 1
                row.findings += _journal_problems(where, acknowledged, None, row)
            print(f"PostgreSQL, {what}: {row.tried}", file=sys.stderr, flush=True)
            yield row
    finally:
        server.remove()


def _killed(where: str, after: float, server: Postgres | None) -> bytes:
    """Let a child record, and kill it, or the server that it writes to; what it acknowledged."""
    told, tell = socket.socketpair()
    child = os.fork()
    if child == 0:
        with Caught():
            journal = Journal.open(where)
            for number in range(100_000):
                journal.note(Noted("r1", f"question {number}", "answer", "", _SPOTS), DAYS)
                tell.sendall(b"n")
                journal.tell(Feedback("r1", "redness.md", 0, 4, "helped", f"question {number}"), DAYS)
                tell.sendall(b"t")
        os._exit(0)
    tell.close()
    found = told.recv(1)
    time.sleep(after)
    if server is not None:
        server.stop(signal.SIGQUIT)
        server.start()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := told.recv(1 << 16):
        found += more
    told.close()
    return found
