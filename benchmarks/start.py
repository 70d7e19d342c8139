"""How long a start takes, and how much memory: python -m benchmarks.start [--index DIR] [--runs 10]

`patient-faq ask` from start to printed answer, and `python app.py` from start until the chat's page is there and /readyz says
that questions are answered. Memory is what the process holds at the end: all of it, and what is its own, shared with no other.
One run before those that count. Needs a release (`patient-faq build`). Results: start.md in benchmarks/results/.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from benchmarks.about import about

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
QUESTION = "How many sessions will it take?"
_PATIENCE = 60.0


def asked(index: Path) -> tuple[float, float]:
    """Ask once; returns wall seconds and the process's peak memory in MB."""
    command = [sys.executable, "-m", "retrieval", "ask", QUESTION, "--json", "--index", str(index)]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with status {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def served(index: Path) -> tuple[float, float, float]:
    """Start the chat; returns wall seconds until it answers, and its memory in MB: all, and its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "PATIENT_FAQ_PORT": str(port), "PATIENT_FAQ_INDEX": str(index)}
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as app:
        try:
            while not (answers(f"http://127.0.0.1:{port}/") and answers(f"http://127.0.0.1:{port}/readyz")):
                if app.poll() is not None or time.perf_counter() - began > _PATIENCE:
                    raise SystemExit("app.py did not start")
                time.sleep(0.02)
            taken = time.perf_counter() - began
            lines = Path(f"/proc/{app.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
            held = {line.split(":")[0]: int(line.split()[1]) / 1e3 for line in lines[1:]}
            return taken, held["Rss"], held["Anonymous"]
        finally:
            app.terminate()


def answers(address: str) -> bool:
    """Whether a page is there."""
    try:
        with urllib.request.urlopen(address, timeout=10) as page:
            return bool(page.status == 200)
    except OSError:
        return False


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=ROOT / "index", help="where the release is")
    parser.add_argument("--runs", type=int, default=10, help="runs that count")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where start.md is written")
    given = parser.parse_args()
    index, where = given.index.resolve(), about()
    ask = [asked(index) for _ in range(given.runs + 1)][1:]
    serve = [served(index) for _ in range(given.runs + 1)][1:]
    rows = {
        "`patient-faq ask` to the printed answer, s": [one[0] for one in ask],
        "its memory at most, MB": [one[1] for one in ask],
        "`python app.py` to a page that answers, s": [one[0] for one in serve],
        "its memory then, MB": [one[1] for one in serve],
        "of that its own, MB": [one[2] for one in serve],
    }
    told = f"# Starting\n\n`python -m benchmarks.start`, commit {where['commit']}; {where['machine']}; {given.runs} runs.\n\n"
    told += "| | least | median | most |\n|---|---|---|---|\n"
    for name, values in rows.items():
        told += f"| {name} | {min(values):.2f} | {statistics.median(values):.2f} | {max(values):.2f} |\n"
    (given.out / "start.md").write_text(told, encoding="utf-8")
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
