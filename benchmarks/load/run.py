"""Many patients at once, over HTTP, against a running chat: python benchmarks/load/run.py --help

Starts app.py on a free port of this machine, drives it, and ends it. Every answer is looked at: it must have a quote or a card.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from patient import Outcome, Patient
from server import ROOT, Served, served

__all__ = ["EMERGENCIES", "Figures", "main", "questions", "run_burst", "run_steady", "table"]

_MESSAGES = ROOT / "corpus/judged/messages.jsonl"
_QUESTIONS = ROOT / "corpus/judged/questions.jsonl"
_EVERY = 10.0  # seconds between looks at the server's memory
_PATIENCE = 30.0
_PAST = 60.0  # seconds at most past capacity
# Dangers that the rules must see however many people are asking.
EMERGENCIES = (
    "My face is swelling and I can't breathe",
    "my lips and tongue are swollen after the numbing cream",
    "I have chest pain",
    "I want to kill myself",
)
_FOLLOW_UPS = ("and on the legs?", "how long does that last?", "is that normal?", "and for darker skin?", "why?")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run measured. Times are in seconds, memory in MB; shares of a processor are of one core."""

    mode: str
    patients: int
    asked: int
    seconds: float
    a_second: float
    answered: int
    cpu_ms_a_question: float
    median: float
    p95: float
    p99: float
    slowest: float
    opened_p95: float
    busy: int
    busy_median: float
    busy_p95: float
    busy_slowest: float
    emergencies: int
    emergencies_missed: int
    emergencies_p95: float
    errors: dict[str, int]
    memory_start: float
    memory_peak: float
    memory_end: float
    memory_slope_a_minute: float
    memory_each_10_s: list[float]
    server_cores: float
    driver_cores: float
    load_before: float
    load_after: float


def questions(seed: int = 1) -> list[str]:
    """Questions as patients write them, mixed: those to answer, those to refer, and everyday talk."""
    found = []
    for path in (_MESSAGES, _QUESTIONS):
        judged = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found += [item["turns"][-1] for item in judged if item["split"] != "test"]
    random.Random(seed).shuffle(found)
    return found


async def run_steady(server: Served, patients: int, seconds: float, think: float, mode: str = "steady") -> Figures:
    """Patients who each ask, read for a time (exponential), and ask again; every third question leans on the one before."""
    chance = random.Random(2)
    asked = questions()
    opened: list[Outcome] = []
    outcomes: list[tuple[Outcome, bool]] = []
    here = [Patient(server.port, _PATIENCE) for _ in range(patients)]
    for patient in here:
        opened.append(await patient.open())
    until = time.monotonic() + seconds

    async def live(number: int) -> None:
        patient = here[number]
        await asyncio.sleep(chance.uniform(0, think))
        while time.monotonic() < until:
            danger = chance.random() < 0.03
            leans = bool(patient.history) and chance.random() < 1 / 3
            text = chance.choice(EMERGENCIES if danger else _FOLLOW_UPS if leans else asked)
            outcomes.append((await patient.ask(text), danger))
            if chance.random() < 0.1:
                patient.clear()
            await asyncio.sleep(min(chance.expovariate(1 / think), max(0.0, until - time.monotonic())))
        await patient.close()

    return await _measured(server, mode, patients, live, opened, outcomes)


async def run_burst(server: Served, patients: int, mode: str = "burst", rounds: int = 1) -> Figures:
    """Patients who open the page one after another and then press Ask at the same moment; one in twenty is in danger."""
    chance = random.Random(3)
    asked = questions()
    opened: list[Outcome] = []
    outcomes: list[tuple[Outcome, bool]] = []
    here = [Patient(server.port, _PATIENCE) for _ in range(patients)]
    for patient in here:
        opened.append(await patient.open())

    async def live(number: int) -> None:
        for _ in range(rounds):
            danger = number % 20 == 7
            text = chance.choice(EMERGENCIES if danger else asked)
            outcomes.append((await here[number].ask(text), danger))
        await here[number].close()

    return await _measured(server, mode, patients, live, opened, outcomes)


async def _measured(
    server: Served,
    mode: str,
    patients: int,
    live: Callable[[int], Awaitable[None]],
    opened: Sequence[Outcome],
    outcomes: Sequence[tuple[Outcome, bool]],
) -> Figures:
    """Let patients live, and look at the server while they do."""
    load = os.getloadavg()[0]
    memory = [server.memory_mb()]

    async def watch() -> None:
        while True:
            await asyncio.sleep(_EVERY)
            memory.append(server.memory_mb())

    watching = asyncio.create_task(watch())
    began, cpu, own = time.monotonic(), server.cpu_seconds(), _own_cpu()
    await asyncio.gather(*(live(number) for number in range(patients)))
    seconds = time.monotonic() - began
    cpu, own = server.cpu_seconds() - cpu, _own_cpu() - own
    watching.cancel()
    memory.append(server.memory_mb())
    done = [one for one, _ in outcomes]
    answered = [one.seconds for one in done if not one.error and one.kind != "busy"]
    busy = [one.seconds for one in done if one.kind == "busy"]
    dangers = [one for one, danger in outcomes if danger]
    return Figures(
        mode=mode, patients=patients, asked=len(done), seconds=seconds, a_second=len(answered) / seconds,
        answered=len(answered), cpu_ms_a_question=1000 * cpu / max(1, len(done)),
        median=_at(answered, 0.5), p95=_at(answered, 0.95), p99=_at(answered, 0.99),
        slowest=_at(answered, 1), opened_p95=_at([one.seconds for one in opened], 0.95),
        busy=len(busy), busy_median=_at(busy, 0.5), busy_p95=_at(busy, 0.95), busy_slowest=_at(busy, 1),
        emergencies=len(dangers), emergencies_missed=sum(one.kind != "urgent" for one in dangers),
        emergencies_p95=_at([one.seconds for one in dangers], 0.95),
        errors=dict(Counter(one.kind for one in [*done, *opened] if one.error)),
        memory_start=memory[0], memory_peak=max(memory), memory_end=memory[-1],
        memory_slope_a_minute=_slope(memory[:-1]), memory_each_10_s=[round(one, 1) for one in memory],
        server_cores=cpu / seconds, driver_cores=own / seconds, load_before=load, load_after=os.getloadavg()[0],
    )  # fmt: skip


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _at(values: Sequence[float], share: float) -> float:
    """The value that a share of all do not exceed; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _slope(memory: Sequence[float]) -> float:
    """MB a minute over the second half of a run, by least squares; 0 where that is too short to tell."""
    half = memory[len(memory) // 2 :]
    if len(half) < 3:
        return 0.0
    minutes = [place * _EVERY / 60 for place in range(len(half))]
    middle, mean = sum(minutes) / len(half), sum(half) / len(half)
    spread = sum((minute - middle) ** 2 for minute in minutes)
    return sum((minute - middle) * (value - mean) for minute, value in zip(minutes, half, strict=True)) / spread


def table(runs: Sequence[Figures]) -> str:
    """The runs as a table in Markdown."""
    lines = [
        "| run | patients | answered | a second | median / 95% / 99% s | busy | told busy: median / 95% s "
        "| emergencies: seen / all, 95% s | errors | memory MB: start / peak / end, a minute "
        "| server: cores, ms a question | driver: cores | machine's load |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        errors = ", ".join(f"{kind} {count}" for kind, count in run.errors.items()) or "none"
        lines.append(
            f"| {run.mode} | {run.patients} | {run.answered} of {run.asked} | {run.a_second:.1f} "
            f"| {run.median:.2f} / {run.p95:.2f} / {run.p99:.2f} | {run.busy} | {run.busy_median:.2f} / {run.busy_p95:.2f} "
            f"| {run.emergencies - run.emergencies_missed} / {run.emergencies}, {run.emergencies_p95:.2f} | {errors} "
            f"| {run.memory_start:.0f} / {run.memory_peak:.0f} / {run.memory_end:.0f}, {run.memory_slope_a_minute:+.2f} "
            f"| {run.server_cores:.2f}, {run.cpu_ms_a_question:.0f} | {run.driver_cores:.2f} "
            f"| {run.load_before:.1f} to {run.load_after:.1f} |"
        )
    return "\n".join(lines)


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def _commit() -> str:
    found = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Drives many patients through a chat that it starts on this machine, and measures what they wait.",
        epilog="Example: python benchmarks/load/run.py all --seconds 600 --write benchmarks/results/load.json",
    )
    parser.add_argument("mode", nargs="?", default="all", choices=["steady", "burst", "past", "all"], help="default: all")
    parser.add_argument("--patients", type=int, default=100, help="at once; past capacity ten times as many (default 100)")
    parser.add_argument("--seconds", type=float, default=60, help="how long the steady run is (default 60)")
    parser.add_argument("--think", type=float, default=5, help="mean seconds of reading between questions (default 5)")
    parser.add_argument("--write", type=Path, help="a JSON file for the results")
    return parser.parse_args(given)


async def _run(server: Served, options: argparse.Namespace) -> list[Figures]:
    runs = []
    if options.mode in {"steady", "all"}:
        runs.append(await run_steady(server, options.patients, options.seconds, options.think))
    if options.mode in {"burst", "all"}:
        runs.append(await run_burst(server, options.patients))
    if options.mode in {"past", "all"}:
        many = 10 * options.patients
        runs.append(await run_burst(server, many, "past capacity, burst"))
        runs.append(await run_steady(server, many, min(options.seconds, _PAST), options.think, "past capacity, steady"))
    return runs


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print, and write; returns the exit status, 1 where a patient got an error or a danger was missed."""
    options = _arguments(sys.argv[1:] if given is None else given)
    # Each patient has a connection or two.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 65536)), hard))
    with served() as server:
        runs = asyncio.run(_run(server, options))
    print(f"{_commit()}, {_machine()}\n\n{table(runs)}")
    if options.write:
        values = {"commit": _commit(), "machine": _machine(), "runs": [_rounded(asdict(run)) for run in runs]}
        options.write.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    return int(any(run.errors or run.emergencies_missed for run in runs))


def _rounded(values: dict[str, object]) -> dict[str, object]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


if __name__ == "__main__":
    raise SystemExit(main())
