"""The passages' vectors as their number grows: python -m benchmarks.growth [--sizes 10000 100000 1000000] [--index DIR]

Vectors with the statistics of real ones: each is a real passage's vector, moved at random as far as real neighbours lie apart
and in the directions in which real vectors differ. They are asked for with the vectors of real questions. For each size: the
time to build and to open the index, what a process takes in memory that it shares with no other, the time of a search for 400,
exact and as the index does it, and which share of the ten that are nearest it finds. Ends with 1 where that is under 0.98.

Needs a release of the project's corpus (`patient-faq build`). Results: growth.md and growth.json in benchmarks/results/.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from retrieval.encoder import Vectors
from retrieval.release import open_current
from retrieval.vector_index import EXACT_UP_TO, VectorIndex

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
WANTED, NEAREST, ASKED = 400, 10, 200
ENOUGH = 0.98
_BLOCK = 50_000


def real_vectors(index: Path) -> tuple[Vectors, Vectors]:
    """The passages' vectors of the release in force, and those of its asked-as questions."""
    release = open_current(index)
    return np.array(release.vectors.part(0, len(release.passages))), release.asked.vectors


def grown(real: Vectors, count: int, seed: int = 1) -> Vectors:
    """So many vectors with the statistics of real ones, float32 (count, dimension), of length 1."""
    chance = np.random.default_rng(seed)
    centred = real - real.mean(axis=0)
    _, strengths, directions = np.linalg.svd(centred, full_matrices=False)
    spread = (strengths / np.sqrt(len(real)))[:, None] * directions
    products = real @ real.T
    np.fill_diagonal(products, -1)
    # As far as a real vector's nearest neighbour lies from it.
    apart = np.sqrt(np.maximum(0, 2 - 2 * products.max(axis=1))).mean() / np.sqrt((strengths**2).sum() / len(real))
    found: Vectors = np.empty((count, real.shape[1]), dtype=np.float32)
    for first in range(0, count, _BLOCK):
        size = min(_BLOCK, count - first)
        moved = chance.standard_normal((size, len(spread))).astype(np.float32) @ spread.astype(np.float32)
        block = real[chance.integers(0, len(real), size)] + apart * moved
        found[first : first + size] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return found


def measured(count: int, real: Vectors, questions: Vectors, folder: Path) -> dict[str, Any]:
    """The figures of one size. The index is opened in a process of its own, which has nothing else in memory."""
    vectors = grown(real, count)
    chance = np.random.default_rng(2)
    # The index is made with other questions than it is asked.
    asked = questions[1::2][chance.integers(0, len(questions[1::2]), ASKED)]
    began = time.perf_counter()
    index = VectorIndex.of(vectors, questions[::2])
    built = time.perf_counter() - began
    index.save(folder)
    threadpool_limits(1, user_api="blas")  # as the assistant asks
    best: list[npt.NDArray[np.int64]] = []
    exact: list[float] = []
    for vector in asked:
        began = time.perf_counter()
        products = vectors @ vector
        places = np.argpartition(products, -WANTED)[-WANTED:]
        exact.append(time.perf_counter() - began)
        best.append(places[np.argpartition(products[places], -NEAREST)[-NEAREST:]])
    np.save(folder / "asked.npy", asked)
    np.save(folder / "best.npy", np.array(best))
    command = [sys.executable, "-m", "benchmarks.growth", "--opened", str(folder)]
    opened = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    probes = index._near.nprobe if index._near is not None else 0
    lists = index._near.nlist if index._near is not None else 0
    size = sum(file.stat().st_size for file in (*folder.glob("*.faiss"), folder / "vectors.npy"))
    return {
        "vectors": count, "seconds to build": round(built, 1), "MB on disk": round(size / 1e6), "lists": lists,
        "looked at": probes, "ms, one by one": round(1000 * float(np.median(exact)), 2), **opened,
    }  # fmt: skip


def open_and_ask(folder: Path) -> dict[str, Any]:
    """Open an index and search it: how long it takes, what it takes in memory, and what it finds."""
    threadpool_limits(1, user_api="blas")
    before = private_mb()
    began = time.perf_counter()
    index = VectorIndex.load(folder)
    opened = time.perf_counter() - began
    asked, best = np.load(folder / "asked.npy"), np.load(folder / "best.npy")
    for vector in asked[:20]:
        index.nearest(vector, WANTED)
    times, found = [], 0
    for vector, right in zip(asked, best, strict=True):
        began = time.perf_counter()
        places = index.nearest(vector, WANTED)
        index.at(places) @ vector
        times.append(time.perf_counter() - began)
        found += len(np.intersect1d(right, places))
    return {
        "ms to open": round(1000 * opened, 1),
        "own MB": round(private_mb() - before, 1),
        "ms, median": round(1000 * float(np.median(times)), 2),
        "ms, 95th": round(1000 * float(np.quantile(times, 0.95)), 2),
        "recall@10": round(found / best.size, 4),
    }


def private_mb() -> float:
    """What this process holds that is no file's."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1024


def report(about: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """The figures as Markdown."""
    names = list(rows[0])
    told = [f"# Vectors as they grow\n\n`python -m benchmarks.growth`, commit {about['commit']}; {about['machine']}. Up to "]
    told.append(f"{EXACT_UP_TO:,} vectors are compared one by one.\n\n| {' | '.join(names)} |\n|{'---|' * len(names)}\n")
    told += [f"| {' | '.join(f'{row[name]:,}' for name in names)} |\n" for row in rows]
    return "".join(told)


def main(tell: Callable[[str], None] = print) -> int:
    """Measure, print, write; 1 where too little is found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000, 1_000_000])
    parser.add_argument("--index", type=Path, default=ROOT / "index", help="where the release is whose vectors are grown")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where growth.md and growth.json are written")
    parser.add_argument("--opened", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.opened:
        tell(json.dumps(open_and_ask(asked.opened)))
        return 0
    real, questions = real_vectors(asked.index)
    rows: list[dict[str, Any]] = []
    for count in asked.sizes:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measured(count, real, questions, Path(folder)))
        tell(str(rows[-1]))
    describe = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, capture_output=True, text=True, check=False).stdout.strip()
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    about = {"commit": commit, "machine": machine}
    (asked.out / "growth.json").write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    (asked.out / "growth.md").write_text(report(about, rows), encoding="utf-8")
    return int(any(row["recall@10"] < ENOUGH for row in rows))


if __name__ == "__main__":
    sys.exit(main())
