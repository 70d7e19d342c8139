"""Read damaged files, thousands of each format: python -m benchmarks.fuzz.run [--files 2000] [--formats pdf,docx] [--jobs 2]

Each file goes through what a build calls (`retrieval.reading.read_with_sheets`), with the real child processes and limits. It
must come out as an article that is sound, or be refused with a message that names it, says why and what to do. All else is a
finding: it is saved with what it was made from, and the run ends with 1. `--only pdf:17` makes and reads one file again.

Needs what tests need (reportlab, python-docx). Results: benchmarks/results/fuzz.json and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar

from benchmarks.fuzz.checks import article_faults, message_faults, sheet_faults
from benchmarks.fuzz.mutations import damaged
from benchmarks.fuzz.seeds import FORMATS, seeds_of
from retrieval.errors import UnreadableFile
from retrieval.reading import read_with_sheets, sandbox

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
SLOWEST_PARENT = 5.0
"""CPU seconds that the calling process itself may take for a file: more of it would be felt by everybody."""
_SPARE = 10.0  # seconds beyond the clocks of reading and drawing


@dataclass(slots=True)
class Outcome:
    """What became of one file."""

    kind: str
    number: int
    size: int
    read: bool = False
    reason: str = ""
    drawn: str = ""  # for a PDF that was read: "drawn", or why not
    seconds: float = 0.0
    parent_cpu: float = 0.0
    child_mb: float = 0.0
    faults: list[str] = field(default_factory=list)


class Watched(subprocess.Popen):  # type: ignore[type-arg]  # bytes or text, as whoever starts one says
    """Children, and the most memory that one of them took. (Linux counts in what its parent had when it started it.)"""

    started: ClassVar[list[Watched]] = []
    most_kb = 0

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[call-overload]  # passed on as it came
        Watched.started.append(self)

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        try:
            number, status, used = os.wait4(self.pid, wait_flags)
        except ChildProcessError:
            return self.pid, 0
        if number:
            Watched.most_kb = max(Watched.most_kb, used.ru_maxrss)
        return number, status


def made(kind: str, seed: int, number: int) -> dict[str, bytes]:
    """The files of one case by name: the article, and for some its metadata file. The same for the same numbers."""
    chance = random.Random(f"{seed}/{kind}/{number}")
    if kind != "metadata":
        return {f"a.{kind}": damaged(kind, seeds_of(kind), chance)}
    data = damaged(kind, seeds_of(kind), chance)
    if data.lstrip()[:3] in {b"+++", b"---"}:
        return {"a.md": data}
    return {"a.md": b"# After the laser\n\nIt fades in two days.\n", "a.toml": data}


def tried(kind: str, seed: int, number: int, saved: Path) -> Outcome:
    """Make one file, read it, and look at what comes out."""
    sandbox.subprocess.Popen = Watched  # type: ignore[misc]  # in place of the class, to see its children
    Watched.started, Watched.most_kb = [], 0
    files = made(kind, seed, number)
    outcome = Outcome(kind, number, len(files.get("a.toml") or next(iter(files.values()))))
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        began, began_cpu = time.monotonic(), time.process_time()
        try:
            _read(Path(folder) / next(iter(files)), outcome)
        except Exception as problem:  # noqa: BLE001  whatever it is, it is a finding
            outcome.faults.append(f"{type(problem).__name__}: {problem}"[:300])
        outcome.seconds = time.monotonic() - began
        outcome.parent_cpu = time.process_time() - began_cpu
    _resources(outcome)
    if outcome.faults:
        place = saved / f"{kind}-{seed}-{number}"
        place.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (place / name).write_bytes(data)
        (place / "finding.json").write_text(json.dumps(asdict(outcome), indent=1), encoding="utf-8")
    return outcome


def _read(path: Path, outcome: Outcome) -> None:
    try:
        article, sheets = read_with_sheets(path)
    except UnreadableFile as problem:
        outcome.reason = problem.reason
        outcome.faults += message_faults(problem, path.name)
        return
    outcome.read = True
    outcome.faults += article_faults(article)
    if path.suffix == ".pdf":
        outcome.drawn = "drawn" if sheets else next((each for each in article.warnings if "as pictures" in each), "?")
        outcome.faults += sheet_faults(sheets, article) if sheets else []


def _resources(outcome: Outcome) -> None:
    usual = sandbox.Limits()
    outcome.child_mb = Watched.most_kb / 1024
    if outcome.seconds > 2 * usual.wall + _SPARE:
        outcome.faults.append(f"took {outcome.seconds:.0f} s")
    if outcome.parent_cpu > SLOWEST_PARENT:
        outcome.faults.append(f"took {outcome.parent_cpu:.1f} s of CPU in the calling process")
    if Watched.most_kb * 1024 > usual.memory:
        outcome.faults.append(f"a child took {outcome.child_mb:.0f} MB")
    if any(child.returncode is None for child in Watched.started):
        outcome.faults.append("a child was left")
    try:
        os.waitpid(-1, os.WNOHANG)
        outcome.faults.append("a child was left")
    except ChildProcessError:
        pass


def run(formats: Iterable[str], files: int, seed: int, jobs: int, saved: Path) -> Iterator[tuple[str, list[Outcome]]]:
    """Each format's outcomes; findings are printed as they come."""
    context = get_context("spawn")  # a small process each, so that a child's memory is its own
    with ProcessPoolExecutor(jobs, context) as pool:
        for kind in formats:
            began = time.monotonic()
            outcomes: list[Outcome] = []
            waiting = [pool.submit(tried, kind, seed, number, saved) for number in range(files)]
            for done, future in enumerate(waiting, start=1):
                outcome = future.result()
                outcomes.append(outcome)
                if outcome.faults:
                    print(f"FOUND {kind}:{outcome.number} {outcome.faults}", flush=True)
                if done % 100 == 0:
                    print(f"{kind}: {done} of {files}, {time.monotonic() - began:.0f} s", flush=True)
            yield kind, outcomes


def figures(outcomes: list[Outcome]) -> dict[str, object]:
    """A format's figures."""
    slowest = max(outcomes, key=lambda one: one.seconds)
    fattest = max(outcomes, key=lambda one: one.child_mb)
    seconds = sorted(one.seconds for one in outcomes)
    drawn = Counter(_folded(one.drawn) for one in outcomes if one.drawn)
    return {
        "files": len(outcomes),
        "read": sum(one.read for one in outcomes),
        "refused": sum(bool(one.reason) for one in outcomes),
        "reasons": dict(Counter(_folded(one.reason) for one in outcomes if one.reason).most_common(10)),
        **({"drawn": dict(drawn.most_common(10))} if drawn else {}),
        "median_seconds": round(seconds[len(seconds) // 2], 2),
        "slowest_seconds": round(slowest.seconds, 2),
        "slowest": slowest.number,
        "most_cpu_of_the_caller": round(max(one.parent_cpu for one in outcomes), 2),
        "most_mb_of_a_child": round(fattest.child_mb),
        "fattest": fattest.number,
        "largest_bytes": max(one.size for one in outcomes),
        "findings": [{"number": one.number, "faults": one.faults} for one in outcomes if one.faults],
    }


def _folded(reason: str) -> str:
    """A reason without what differs from file to file."""
    reason = re.sub(r"^\S+: ", "", reason)
    reason = re.sub(r" = .* is (not|none)", r" = ... is \1", reason)
    return re.sub(r"\d[\d,.]*", "N", reason)[:120]


def report(by_format: dict[str, dict[str, object]], about: dict[str, object]) -> str:
    """The figures as Markdown."""
    lines = ["# benchmarks.fuzz.run", "", *(f"- {name}: {value}" for name, value in about.items()), ""]
    lines += [
        "| format | files | read | refused | findings | median s | slowest s | caller's CPU s, at most | child's MB, at most |"
    ]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    for kind, each in by_format.items():
        findings = len(each["findings"])  # type: ignore[arg-type]  # a list, in what is otherwise numbers
        lines.append(
            f"| {kind} | {each['files']} | {each['read']} | {each['refused']} | {findings} | {each['median_seconds']} "
            f"| {each['slowest_seconds']} | {each['most_cpu_of_the_caller']} | {each['most_mb_of_a_child']} |"
        )
    for kind, each in by_format.items():
        for what in ("reasons", "drawn"):
            if each.get(what):
                lines += [
                    "",
                    f"{kind}: {'why files were refused' if what == 'reasons' else 'pages of those that were read'}",
                    "",
                ]
                lines += [f"- {count}: {reason}" for reason, count in each[what].items()]  # type: ignore[attr-defined]  # likewise
    return "\n".join(lines) + "\n"


def about(seed: int, jobs: int, seconds: float) -> dict[str, object]:
    """What the figures were measured on."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    return {"commit": commit, "machine": machine, "seed": seed, "at once": jobs, "minutes": round(seconds / 60, 1)}


def main() -> int:
    """Read, print, write; 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000, help="how many of each format")
    parser.add_argument("--formats", default=",".join(FORMATS), help=f"some of {','.join(FORMATS)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--found", type=Path, default=ROOT / "build" / "fuzz", help="where findings are saved")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where figures are written")
    parser.add_argument("--only", default="", help="one file, such as pdf:17")
    asked = parser.parse_args()
    if asked.only:
        kind, number = asked.only.split(":")
        print(json.dumps(asdict(tried(kind, asked.seed, int(number), asked.found)), indent=1))
        return 0
    began = time.monotonic()
    by_format: dict[str, dict[str, object]] = {}
    for kind, outcomes in run(asked.formats.split(","), asked.files, asked.seed, asked.jobs, asked.found):
        # Written after each format, so that a run that is cut off leaves the figures of those that were done.
        by_format[kind] = figures(outcomes)
        measured = about(asked.seed, asked.jobs, time.monotonic() - began)
        whole = json.dumps({**measured, "formats": by_format}, indent=1) + "\n"
        (asked.results / "fuzz.json").write_text(whole, encoding="utf-8")
        (asked.results / "fuzz.md").write_text(report(by_format, measured), encoding="utf-8")
    print(report(by_format, measured))
    return int(any(each["findings"] for each in by_format.values()))


if __name__ == "__main__":
    sys.exit(main())
