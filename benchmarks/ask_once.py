"""How long one `patient-faq ask` takes from start to printed answer, and how much memory: python benchmarks/ask_once.py

Builds the project's corpus into a temporary index first. Prints minimum, median and maximum of the counted runs, after
one run that is not counted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "How many sessions will it take?"


def measured(command: list[str]) -> tuple[float, float]:
    """Run a command; returns wall seconds and its peak memory in MB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with status {process.returncode}")
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return time.perf_counter() - began, usage.ru_maxrss / scale


def main(runs: int = 10) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as index:
        base = [sys.executable, "-m", "retrieval"]
        subprocess.run([*base, "build", "--corpus", "corpus", "--index", index], cwd=ROOT, check=True)
        results = [measured([*base, "ask", QUESTION, "--json", "--index", index]) for _ in range(runs + 1)][1:]
    for name, values in (("seconds", [r[0] for r in results]), ("MB", [r[1] for r in results])):
        print(f"{name:8} min {min(values):.2f}  median {statistics.median(values):.2f}  max {max(values):.2f}  ({runs} runs)")


if __name__ == "__main__":
    main()
