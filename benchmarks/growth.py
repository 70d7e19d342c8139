"""A question as the corpus grows: python -m benchmarks.growth [--texts FILE] [--sizes 10000 100000 1000000] [--index DIR]

Grows the release in force (benchmarks/grown.py) and asks each size the judged questions of the dev half, through the assistant,
in a process of its own. For each size: the time to build all of it, to start (model, checks, all that a question needs), what
the process takes that it shares with no other, a question's time whole and by its parts, which share of the ten nearest
vectors is found, and which share of the questions the first quote answers as judged. Ends with 1 where of the vectors under
0.98 are found, a question takes over 25 ms in the median, or starting over 10 s.

With --texts (a BEIR set's corpus.jsonl.gz, each line with `title` and `text`) sizes up to 20,000 are real text: so many of its
documents as articles beside the project's own, through the whole build. Else, and above, words and vectors are drawn.

Needs a release of the project's corpus (`patient-faq build`). Results: growth.md, growth.json and growth.svg in
benchmarks/results/.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.about import about
from benchmarks.grown import built_release, grown_release
from benchmarks.plots import line_plot
from retrieval.assistant import Assistant
from retrieval.encoder import open_encoder
from retrieval.evaluation.judged import Judged, answering, load_judged
from retrieval.release import open_current
from retrieval.settings import Settings
from retrieval.vector_index import EXACT_UP_TO

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
WANTED, NEAREST, ROUNDS = 400, 10, 2
REAL_UP_TO, PASSAGES_A_TEXT = 20_000, 20
ENOUGH, LONGEST_MS, LONGEST_START = 0.98, 25.0, 10.0
STAGES = ("rules", "encode", "route", "search", "answer")


def questions() -> list[Judged]:
    """The judged questions of the dev half that stand alone."""
    judged = load_judged(ROOT / "corpus" / "judged" / "questions.jsonl")
    return [item for item in judged if item.split == "dev" and len(item.turns) == 1]


def texts_of(file: Path) -> list[str]:
    """The documents of a BEIR set's corpus, packed or not: the title, and below it the text."""
    data = file.read_bytes()
    lines = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8").splitlines()
    return ["\n\n".join((row["title"], row["text"])) for row in map(json.loads, lines)]


def measured(count: int, real: Path, folder: Path, texts: Sequence[str]) -> dict[str, Any]:
    """The figures of one size. The release is asked by a process of its own, which has nothing else in memory."""
    release = open_current(real)
    more, began = count - len(release.rows), time.perf_counter()
    made = "drawn"
    if not more:
        folder, made = real, "the project's"
    elif texts and count <= REAL_UP_TO:
        built_release(folder, ROOT / "corpus", texts[: more // PASSAGES_A_TEXT], open_encoder(Settings.from_environment()))
        made = "real"
    else:
        grown_release(folder, release, count)
    seconds, release = time.perf_counter() - began, open_current(folder)
    command = [sys.executable, "-m", "benchmarks.growth", "--asked", str(folder)]
    asked = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    files = [file for file in (folder / "releases" / release.id).rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    told = {"passages": len(release.rows), "articles": len(release.articles), "text": made}
    if made == "drawn":
        asked["hit@1"] = "-"  # vectors drawn near real ones take their places, and say nothing
    return {**told, "s to build": round(seconds, 1), "MB on disk": round(size / 1e6), **asked}


def ask(index: Path) -> dict[str, Any]:
    """Start an assistant and ask it everything: how long it takes, what it takes in memory, and what it finds."""
    logging.disable(logging.WARNING)
    began = time.perf_counter()
    assistant = Assistant.open(replace(Settings.from_environment(), corpus=ROOT / "corpus", index=index))
    started = time.perf_counter() - began
    judged = questions()
    texts = [item.turns[-1] for item in judged]
    for text in texts[:20]:
        assistant.ask(text)
    whole: list[float] = []
    stages: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for text in texts * ROUNDS:
        began = time.perf_counter()
        answer = assistant.ask(text)
        whole.append(1000 * (time.perf_counter() - began))
        for stage, taken in answer.stages_ms:
            stages[stage].append(taken)
    own, vectors = private_mb(), assistant.release().vectors
    found = right = 0
    for text in texts:
        vector = assistant._encoder.encode_questions([text])[0].searching
        products = vectors.part(0, vectors.count) @ vector
        best = np.argpartition(products, -NEAREST)[-NEAREST:]
        right += len(best)
        found += len(np.intersect1d(best, vectors.nearest(vector, min(WANTED, vectors.count))))
    hits = [first_answers(assistant, item) for item in judged if item.answers]
    return {
        "s to start": round(started, 2), "own MB": round(own), "ms, median": round(float(np.median(whole)), 1),
        "ms, 95th": round(float(np.quantile(whole, 0.95)), 1),
        **{stage: round(float(np.median(taken)), 2) for stage, taken in stages.items()},
        "recall@10": round(found / right, 4), "hit@1": round(sum(hits) / len(hits), 3),
    }  # fmt: skip


def first_answers(assistant: Assistant, item: Judged) -> bool:
    """Whether what is found first answers a judged question."""
    cited = [quote.citation for quote in assistant.search(item.turns[-1], 1)[0]]
    return bool(cited) and answering(item.answers, cited[0].doc, cited[0].start, cited[0].end)


def private_mb() -> float:
    """What this process holds that is no file's."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1024


def report(where: dict[str, str], rows: list[dict[str, Any]]) -> str:
    """The figures as Markdown."""
    names = list(rows[0])
    told = ["# A question as the corpus grows\n\n"]
    told.append(f"`python -m benchmarks.growth`, commit {where['commit']}; {where['machine']}. Up to ")
    told.append(f"{EXACT_UP_TO:,} vectors are compared one by one. The parts of a question are medians, in ms.\n\n")
    told.append("![The time of a question and of a start by the number of passages](growth.svg)\n\n")
    told.append(f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n")
    told += [f"| {' | '.join(_shown(row[name]) for name in names)} |\n" for row in rows]
    return "".join(told)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def main(tell: Callable[[str], None] = print) -> int:
    """Measure, print, write; 1 where a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", help="passages; without it from the release's to a million")
    parser.add_argument("--texts", type=Path, help="corpus.jsonl.gz of a BEIR set: real text for sizes up to 20,000")
    parser.add_argument("--index", type=Path, default=ROOT / "index", help="where the release is that is grown")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results are written")
    parser.add_argument("--asked", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.asked:
        tell(json.dumps(ask(asked.asked)))
        return 0
    real = len(open_current(asked.index).rows)
    texts = texts_of(asked.texts) if asked.texts else []
    rows: list[dict[str, Any]] = []
    for count in asked.sizes or [real, 2_500, 5_000, 10_000, 20_000, 50_000, 100_000, 1_000_000]:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measured(count, asked.index, Path(folder), texts))
        tell(str(rows[-1]))
    where = about()
    (asked.out / "growth.json").write_text(json.dumps({**where, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    (asked.out / "growth.md").write_text(report(where, rows), encoding="utf-8")
    lines = {
        "a question, median (ms)": [row["ms, median"] for row in rows],
        "a question, 95th percentile (ms)": [row["ms, 95th"] for row in rows],
        "of it, finding and ranking (ms)": [row["search"] for row in rows],
        "to start (s)": [row["s to start"] for row in rows],
        "own memory (10 MB)": [row["own MB"] / 10 for row in rows],
    }
    (asked.out / "growth.svg").write_text(line_plot("passages", [row["passages"] for row in rows], lines), encoding="utf-8")
    kept = all(
        row["recall@10"] >= ENOUGH and row["ms, median"] <= LONGEST_MS and row["s to start"] <= LONGEST_START for row in rows
    )
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
