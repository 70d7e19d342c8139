"""Two people at the same corpus at the same moment, each in a process of their own."""

from __future__ import annotations

import os
import pickle
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.faults.place import Outcome, World, told
from retrieval import history

__all__ = ["Meeting", "meetings"]

ANN, BOB = "Ann Tan", "Bob Lim"
_AT_IT = re.compile(rf"(?:{ANN}|{BOB}) is .+ since \d\d:\d\d \(process \d+\) there\.")
_APART = (0.0, 0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2)
"""Seconds between the two, drawn by chance: the second comes while the first is at any of its steps, or is done."""


@dataclass(slots=True)
class Meeting:
    """What came of two operations begun at about the same moment, counted."""

    what: str
    rounds: int = 0
    came: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def meetings(world: World, rounds: int, seed: int = 1) -> Iterator[Meeting]:
    """Let two people meet, again and again.

    Parameters: the world; how often each two operations meet; what chance begins from.
    """
    chance = random.Random(seed)
    for other in ("publish", "rollback", "withdraw"):
        pair = (("publish", ANN), (other, BOB))
        orders: list[tuple[int, ...]] = [(0,), (1,), (0, 1), (1, 0)]
        one_by_one = {order: _in_turn(world, [pair[place] for place in order]) for order in orders}
        found = Meeting(f"publish and {other}")
        for _ in range(rounds):
            world.fresh()
            apart = chance.choice(_APART)
            outcomes = _together(world, pair if chance.random() < 0.5 else pair[::-1], apart)
            ann, bob = (outcomes[by] for _, by in pair)
            found.rounds += 1
            came, problems = _came(world, one_by_one, ann, bob)
            found.came[came] += 1
            for (operation, by), outcome in zip(pair, (ann, bob), strict=True):
                if outcome.status != 0:  # who was told to wait tries again, and gets what they wanted
                    again = told(world.command(operation, by))
                    if again.status != 0:
                        problems.append(f"{operation}, tried again: {again.said.strip()[-200:]}")
            if not problems and _now(world) not in one_by_one.values():
                problems.append("after the second try it is not as if one had come after the other")
            world.go_on()
            problems += world.history_faults()
            found.findings += problems
        print(f"{found.what}: {found.rounds} rounds", file=sys.stderr, flush=True)
        yield found


def _now(world: World) -> tuple[Any, ...]:
    state = world.state()
    entries = [(entry.what, entry.by) for entry in history.entries(world.index)]
    return state.served, tuple(sorted(state.files.items())), tuple(entries), state.problem


def _in_turn(world: World, operations: list[tuple[str, str]]) -> tuple[Any, ...]:
    world.fresh()
    for operation, by in operations:
        done = told(world.command(operation, by))
        assert done.status == 0, done.said
    return _now(world)


def _came(world: World, one_by_one: dict[tuple[int, ...], Any], ann: Outcome, bob: Outcome) -> tuple[str, list[str]]:
    problems = [*world.history_faults()]
    done = tuple(place for place, outcome in enumerate((ann, bob)) if outcome.status == 0)
    for outcome in (ann, bob):
        if outcome.status == -1:
            problems.append(f"a traceback: {outcome.said.splitlines()[-1]}")
        elif outcome.status != 0 and not _AT_IT.search(outcome.said):
            problems.append(f"does not say who is at it: {outcome.said.strip()[-200:]}")
    now = _now(world)
    if len(done) == 2:
        if now not in (one_by_one[0, 1], one_by_one[1, 0]):
            problems.append("both were told that it was done, and it is not as if one had come after the other")
        return "both, one after the other", problems
    if len(done) == 1:
        if now != one_by_one[done]:
            problems.append("it is not as if the one who was told that it was done had been alone")
        return "one; the other was told who is at it", problems
    problems.append("neither")
    return "neither", problems


def _together(world: World, pair: tuple[tuple[str, str], ...], apart: float) -> dict[str, Outcome]:
    """Begin two operations in two processes; what each was told, by who they are."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    children = []
    for operation, by in pair:
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                signal.sigwait([signal.SIGUSR1])
                with os.fdopen(writes, "wb") as file:
                    file.write(pickle.dumps(told(world.command(operation, by))))
            finally:
                os._exit(0)
        os.close(writes)
        children.append((by, child, reads))
    for place, (_, child, _) in enumerate(children):
        time.sleep(apart if place else 0)
        os.kill(child, signal.SIGUSR1)
    found = {}
    for by, child, reads in children:
        with os.fdopen(reads, "rb") as file:
            found[by] = pickle.loads(file.read())
        os.waitpid(child, 0)
    return found
