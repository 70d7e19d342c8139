"""Do staff's operations and the patients' journal stand what machines do to them? python -m benchmarks.faults.run [--help]

Five parts, each on a tiny corpus with the readable model of the tests, in a folder that is copied anew for each round:

injected    `patient-faq publish`, `rollback` and `withdraw`, killed or refused at each system call that touches their files
flipped     bits flipped, bytes cut off and files deleted, in each file of an index
meeting     two people at the same corpus at the same moment
journal     the journal in SQLite under the same faults as above, and in PostgreSQL
answers     patients' answers while the journal's disk refuses

Needs what tests need, and strace. Ends with 1 where anything was found that must not be. Results: faults.md and faults.json in
benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

# Children are forked, and calls are counted: nothing of numpy's or faiss's may run in threads beside them.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from benchmarks.faults.calls import CANNOT
from benchmarks.faults.flipped import Damage, damaged
from benchmarks.faults.injected import FAULTS, Fault, Row, injected
from benchmarks.faults.journal import answers, postgresql, sqlite
from benchmarks.faults.meeting import Meeting, meetings
from benchmarks.faults.place import OPERATIONS, World, simplified
from benchmarks.faults.report import lines

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PARTS = ("injected", "flipped", "meeting", "journal", "answers")
_SELDOM = 5
"""Of errors that differ from others only in their number, one in so many is tried."""


def main() -> None:
    """Measure, write, and say what was found."""
    chosen = _arguments()
    if CANNOT:
        raise SystemExit(CANNOT)
    faults = [fault for fault in FAULTS.values() if any(name in fault.name for name in chosen.faults)]
    began = time.monotonic()
    rows, damage, met, took = _earlier(chosen.out) if chosen.add else ([], [], [], 0)
    with tempfile.TemporaryDirectory(dir=chosen.work, ignore_cleanup_errors=True) as work:
        folder, log = Path(work), Path(work) / "log"
        world = World(folder / "staff", router=False)  # what it would take to read it makes each round twice as long
        simplified(world)
        if "injected" in chosen.parts:
            for operation in OPERATIONS:
                rows += injected(world, operation, [(fault, _every(fault, chosen)) for fault in faults], chosen.last, log)
        if "meeting" in chosen.parts:
            met += meetings(world, chosen.rounds)
        if "journal" in chosen.parts:
            rows += sqlite(folder, [(fault, _every(fault, chosen)) for fault in faults], log)
            rows += postgresql(chosen.kills)
        if "answers" in chosen.parts:
            asked = World(folder / "patients", "journal = true\njournal_days = 30\n", router=False)
            simplified(asked)
            rows += answers(asked, chosen.answers_every, log)
        if "flipped" in chosen.parts:
            whole = World(folder / "flipped")
            simplified(whole)
            damage += damaged(whole, chosen.every)
    _write(chosen.out, chosen, rows, damage, met, took + time.monotonic() - began)
    if [finding for findings in (rows, damage, met) for one in findings for finding in one.findings]:
        raise SystemExit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.faults.run --parts injected meeting --every 10 --out /tmp/faults",
    )
    shared = Path("/dev/shm")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (all)")
    parser.add_argument("--faults", nargs="+", default=[""], metavar="NAME", help="only those whose names have one of these")
    parser.add_argument("--last", type=int, default=6, help="but try as many of the last calls that write in any case (6)")
    parser.add_argument("--every", type=int, default=1, help="of calls that write, and of bits, try one in so many (1)")
    parser.add_argument("--reads-every", type=int, default=6, help="of calls that read, try one in so many (6)")
    parser.add_argument("--answers-every", type=int, default=8, help="the same while patients ask, in seconds each (8)")
    parser.add_argument("--rounds", type=int, default=20, help="how often each two people meet (20)")
    parser.add_argument("--kills", type=int, default=30, help="how often PostgreSQL's writer, and its server, is killed (30)")
    parser.add_argument("--add", action="store_true", help="add to what was measured before, for measuring part by part")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where faults.md and faults.json are written")
    parser.add_argument("--work", type=Path, default=shared if shared.is_dir() else None, help="where copies are made")
    return parser.parse_args()


def _every(fault: Fault, chosen: argparse.Namespace) -> int:
    if not fault.writes:
        return int(chosen.reads_every)
    return int(chosen.every) * (_SELDOM if "EDQUOT" in fault.name or "EROFS" in fault.name else 1)


def _earlier(out: Path) -> tuple[list[Row], list[Damage], list[Meeting], float]:
    """What was measured before, and how long that took."""
    values = json.loads((out / "faults.json").read_text(encoding="utf-8"))
    rows = [Row(**one) for one in values["injected"]]
    return rows, [Damage(**one) for one in values["flipped"]], [Meeting(**one) for one in values["meeting"]], values["seconds"]


def _plain(measured: Sequence[Row | Damage | Meeting]) -> list[dict[str, object]]:
    """As JSON can have it: counts are dictionaries there."""
    return [{field.name: getattr(one, field.name) for field in fields(one)} for one in measured]


def _write(
    out: Path, chosen: argparse.Namespace, rows: Sequence[Row], damage: Sequence[Damage], met: Sequence[Meeting], took: float
) -> None:
    rows = list({(row.operation, row.fault): row for row in rows}.values())  # what was measured again takes the place of itself
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"
    about = {"commit": commit, "machine": machine, "seconds": round(took), "arguments": sys.argv[1:]}
    values = {**about, "injected": _plain(rows), "flipped": _plain(damage)}
    values["meeting"] = _plain(met)
    out.mkdir(parents=True, exist_ok=True)
    (out / "faults.json").write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = "\n".join(lines(about, rows, damage, met)) + "\n"
    (out / "faults.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
