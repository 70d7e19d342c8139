"""The same questions from files and from Milvus: python -m benchmarks.milvus [--url URL] [--index DIR] [--sizes 10000 50000]

Asks the judged questions of the dev half of an assistant over files and of one over Milvus, in turn, and counts where the first
quote, all quotes and the route are the same; measures hit@1 and a question's time for both. Kills a publisher (SIGKILL) at each
call that it makes to Milvus, and at the switch itself: what is in force afterwards must be whole and answer, and the next
publishing must leave nothing unfinished. Grows the release (grown.py) and measures, for each size, the time to write and read
back a collection, a search in it, and how many of the nearest it finds. Ends with 1 where one of these does not hold.

Without --url it starts a milvus-lite server of its own. With it, use a database that nobody else uses: collections are deleted.
PATIENT_FAQ_MILVUS_TOKEN is used. Needs a release of the project's corpus (`patient-faq build`), which is only read. Result:
benchmarks/results/milvus.md.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pymilvus import MilvusClient

from benchmarks.about import about
from benchmarks.grown import grown_release
from retrieval import in_force, milvus_engine
from retrieval.assistant import Assistant
from retrieval.engine import Engine, Scope
from retrieval.evaluation.judged import load_judged
from retrieval.evaluation.run import Outcome, outcome, p_value
from retrieval.milvus_engine import Milvus
from retrieval.release import Release, open_current
from retrieval.settings import Settings
from retrieval.types import Answer

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "milvus.md"
POOL, NEAREST, ASKED, ENOUGH = 400, 10, 100, 0.98
NOTHING = np.empty(0, dtype=np.int64)
SECOND, PATIENCE = 700, 60.0
CALLS = (
    "list_collections", "drop_collection", "load_collection", "query", "create_collection", "create_index", "insert", "flush",
    "rename_collection", "alter_alias", "create_alias",
)  # fmt: skip


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A milvus-lite server for as long as a block runs; hands out its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = ["--data-dir", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    command = [sys.executable, "-m", "milvus_lite", "server", *told]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def parity(settings: Settings) -> list[str]:
    """Ask all judged questions both ways; returns the lines of the result."""
    release = open_current(settings.index)
    milvus = Milvus(settings.milvus, settings.milvus_token)
    milvus.write(release, {release.id})
    milvus.close()
    both = {"files": Assistant.open(replace(settings, milvus="")), "Milvus": Assistant.open(settings)}
    judged = [item for item in load_judged(ROOT / "corpus" / "judged" / "questions.jsonl") if item.split == "dev"]
    outcomes: dict[str, list[Outcome]] = {name: [] for name in both}
    answers: dict[str, list[Answer]] = {name: [] for name in both}
    times: dict[str, list[float]] = {name: [] for name in both}
    searches: dict[str, list[float]] = {name: [] for name in both}
    for item in judged:
        for name, assistant in both.items():
            found, answer = outcome(assistant, item)
            outcomes[name].append(found)
            answers[name].append(answer)
            times[name].append(answer.elapsed_ms)
            searches[name].append(dict(answer.stages_ms).get("search", np.nan))
    pairs = list(zip(answers["files"], answers["Milvus"], strict=True))
    first = [[quote.text for quote in one.quotes[:1]] == [quote.text for quote in other.quotes[:1]] for one, other in pairs]
    every = [_quotes(one) == _quotes(other) for one, other in pairs]
    route = [one.route == other.route for one, other in pairs]
    ranked = [
        [shown.text for shown in one.top] == [shown.text for shown in other.top]
        for one, other in zip(outcomes["files"], outcomes["Milvus"], strict=True)
    ]
    count = len(judged)
    lines = [
        f"{count} judged questions of the dev half, {len(release.rows):,} passages.\n",
        "| the same from both | questions |",
        "|---|---|",
        f"| first quote | {sum(first)} of {count} |",
        f"| all quotes, with their places and what is marked | {sum(every)} of {count} |",
        f"| route | {sum(route)} of {count} |",
        f"| the ten that rank first | {sum(ranked)} of {count} |",
        "",
        "| | hit@1 | a question, ms: median / 95th | of that the search: median / 95th |",
        "|---|---|---|---|",
    ]
    for name in both:
        hit = np.mean([found.metrics["hit@1"] for found in outcomes[name] if found.metrics])
        lines.append(f"| {name} | {hit:.3f} | {_times(times[name])} | {_times(searches[name])} |")
    lines.append(f"\nPaired test of hit@1: p = {p_value('hit@1', outcomes['files'], outcomes['Milvus'])}.\n")
    if not all((*first, *every, *route)):
        lines.append("NOT THE SAME.\n")
    return lines


def _quotes(answer: Answer) -> list[object]:
    return [(quote.text, quote.citation, quote.marked, quote.also) for quote in answer.quotes]


def _times(taken: list[float]) -> str:
    return f"{np.nanmedian(taken):.1f} / {np.nanquantile(taken, 0.95):.1f}"


def grown(settings: Settings, sizes: list[int], folder: Path) -> list[str]:
    """Write releases of several sizes, and search them; returns the lines of the result."""
    lines = ["| passages | s to write and read back | ms for a search, median / 95th: Milvus | files | of the ten nearest |"]
    lines.append("|---|---|---|---|---|")
    milvus = Milvus(settings.milvus, settings.milvus_token)
    real = open_current(settings.index)
    texts = [item.turns[-1] for item in load_judged(ROOT / "corpus" / "judged" / "questions.jsonl") if item.split == "dev"]
    questions = Assistant.open(replace(settings, milvus=""))._encoder.encode_questions(texts[:ASKED])
    for size in sizes:
        grown_release(folder / str(size), real, size)
        release = open_current(folder / str(size))
        began = time.perf_counter()
        milvus.write(release, {release.id})
        written = time.perf_counter() - began
        taken: dict[str, list[float]] = {"Milvus": [], "files": []}
        found = right = 0
        engines: dict[str, Engine] = {"Milvus": milvus.engine(release), "files": release.engine}
        # Some that no search would find, and one article left out.
        also = np.flatnonzero(release.rows[:, 0] != 1)[-3:]
        for question in questions:
            for name, engine in engines.items():
                began = time.perf_counter()
                places = engine.find(question.searching, question.text, POOL, also, Scope(frozenset({1}))).places
                taken[name].append(1000 * (time.perf_counter() - began))
                if name == "Milvus":
                    assert set(also.tolist()) <= set(places.tolist())
                    products = release.vectors.part(0, release.vectors.count) @ question.searching
                    products[release.rows[:, 0] == 1] = -1
                    nearest = np.argpartition(products, -NEAREST)[-NEAREST:]
                    found, right = found + len(np.intersect1d(nearest, places)), right + NEAREST
        figures = [f"{len(release.rows):,}", f"{written:.1f}", *map(_times, taken.values()), f"{found / right:.4f}"]
        lines.append(f"| {' | '.join(figures)} |")
        if found / right < ENOUGH:
            lines.append("\nTOO FEW OF THE NEAREST.\n")
        for name in milvus._collections({release.id}):
            milvus._client.drop_collection(name)
    milvus.close()
    return [*lines, ""]


def victim(index: Path, release: str, settings: Settings, limit: int) -> None:
    """Put a release in force, and be killed at a call by its number, counted over those to Milvus and the switch itself."""
    steps = 0

    def counted(holder: Any, name: str) -> None:
        real = getattr(holder, name)

        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == limit:
                print(name, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        setattr(holder, name, call)

    for name in CALLS:
        counted(MilvusClient, name)
    counted(in_force, "_point")
    in_force._SHARED = 1  # so that it also comes to delete what is not to be kept
    in_force.put_in_force(index, release, "published", "victim", shared=Milvus(settings.milvus, settings.milvus_token))
    print("done", flush=True)


def killed(settings: Settings, folder: Path) -> list[str]:
    """Kill a publisher at each of its calls; returns the lines of the result."""
    lines = ["| killed at | in force then | whole, and answers | the next publishing |", "|---|---|---|---|"]
    index = folder / "killed"
    shutil.copytree(settings.index, index)
    real = open_current(index)
    grown_release(index, real, SECOND)
    second = open_current(index)
    milvus = Milvus(settings.milvus, settings.milvus_token)
    names = {real.id: "the old one", second.id: "the new one"}
    for limit in range(1, 100):
        in_force.put_in_force(index, real.id, "published", "benchmark", shared=milvus)
        milvus.switch(real, set(names), {real.id})
        command = [sys.executable, "-m", "benchmarks.milvus", "--index", str(index), "--url", settings.milvus]
        command += ["--victim", second.id, str(limit)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        step = done.stdout.split()[-1]
        if step == "done":
            return [*lines, ""]
        assert done.returncode == -signal.SIGKILL, done.stderr
        now = open_current(index)
        whole = _same(milvus, now)
        in_force.put_in_force(index, second.id, "published", "benchmark", shared=milvus)
        left = [name for name in milvus._client.list_collections() if name.endswith("_writing")]
        after = "whole, nothing unfinished left" if _same(milvus, second) and not left else "NOT WHOLE"
        lines.append(f"| {limit}, {step} | {names[now.id]} | {'yes' if whole else 'NOT WHOLE'} | {after} |")
    raise AssertionError("it was never done")


def _same(milvus: Milvus, release: Release) -> bool:
    """Whether a release's collection gives what its files give."""
    engine = milvus.engine(release)
    for place in range(0, len(release.rows), 40):
        vector, words = release.vectors.part(place, place + 1)[0], "how many sessions, and does it hurt"
        one, other = engine.find(vector, words, 50, NOTHING, Scope()), release.engine.find(vector, words, 50, NOTHING, Scope())
        dense = np.sort(one.vectors @ vector)[-50:], np.sort(other.vectors @ vector)[-50:]
        if not np.allclose(*dense, atol=1e-5) or not np.allclose(np.sort(one.lexical)[-50:], np.sort(other.lexical)[-50:]):
            return False
    return True


def main() -> None:
    """Measure, kill, write the result."""
    parser = argparse.ArgumentParser(description="The same questions from files and from Milvus.")
    parser.add_argument("--url", default="")
    parser.add_argument("--index", type=Path, default=ROOT / "index")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 50_000])
    parser.add_argument("--victim", nargs=2, default=None, help=argparse.SUPPRESS)
    told = parser.parse_args()
    logging.disable(logging.ERROR)
    settings = replace(Settings.from_environment(), corpus=ROOT / "corpus", index=told.index, milvus=told.url)
    if told.victim:
        victim(told.index, told.victim[0], settings, int(told.victim[1]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if told.url:
            lines = measured(settings, told.sizes, folder)
        else:
            with server(folder / "milvus") as address:
                lines = measured(replace(settings, milvus=address), told.sizes, folder)
    RESULT.write_text("\n".join(lines), encoding="utf-8")
    if any(word in line for line in lines for word in ("NOT THE SAME", "NOT WHOLE", "TOO FEW")):
        raise SystemExit(1)


def measured(settings: Settings, sizes: list[int], folder: Path) -> list[str]:
    """All of it, as lines."""
    where = about()
    client = MilvusClient(settings.milvus, token=settings.milvus_token)
    version = client.get_server_version()
    client.close()
    lines = ["# The same questions from files and from Milvus\n"]
    told = f"commit {where['commit']}; {where['machine']}; {version}; load {os.getloadavg()[0]:.1f}"
    lines.append(f"`python -m benchmarks.milvus`, {told}.\n")
    lines += ["## Answers\n", *parity(settings)]
    lines += ["## A publisher killed at each call\n", *killed(settings, folder)]
    RESULT.write_text("\n".join(lines), encoding="utf-8")
    if sizes:
        milvus_engine._ASKING = PATIENCE  # milvus-lite takes longer than a patient would wait
        lines += ["## As it grows\n", f"A search wants the {POOL} nearest and the {POOL} strongest in words.\n"]
        lines += grown(settings, sizes, folder)
    return lines


if __name__ == "__main__":
    main()
