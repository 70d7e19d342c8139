"""Where a question's time goes: python -m benchmarks.stages [--index DIR] [--rounds 5]

Asks the judged questions and messages of the dev half in one process, after some that are not counted, and prints for each
stage the median and the 95th percentile in milliseconds and its share of the whole; and, in the same run, what encoding takes
by itself, once as the product does it and once by the six layers of the published weights alone, so that figures of machines
of different speed can be compared. Numpy's threads are held to one, as in the product; by turns, with as many as come.

Needs a release of the project's corpus (`patient-faq build`). Results: stages.md in benchmarks/results/.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.about import about
from retrieval.assistant import Assistant
from retrieval.encoder import open_encoder
from retrieval.evaluation.judged import load_judged
from retrieval.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
STAGES = {
    "rules": "private data, language, the rules for danger and consultation",
    "encode": "encoding, question model included",
    "route": "trained router and examples",
    "search": "asked-as questions, vectors, words, fusion, choice of quotes",
    "answer": "whether they answer, differences, proof, what is marked",
}
WARM = 30


def texts() -> list[str]:
    """The judged questions and messages of the dev half that stand alone."""
    files = [ROOT / "corpus" / "judged" / f"{name}.jsonl" for name in ("questions", "messages")]
    judged = [item for file in files for item in load_judged(file)]
    return [item.turns[-1] for item in judged if item.split == "dev" and len(item.turns) == 1]


def measured(index: Path, rounds: int) -> dict[tuple[str, str], list[float]]:
    """The milliseconds of each stage and of the whole, by what was measured and how numpy's threads were held."""
    settings = replace(Settings.from_environment(), corpus=ROOT / "corpus", index=index)
    assistant, encoder = Assistant.open(settings), open_encoder(settings)
    asked = texts()
    for text in asked[:WARM]:
        assistant.ask(text)
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)

    def timed(name: str, held: str, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        work()
        taken[name, held].append(1000 * (time.perf_counter() - began))

    for _ in range(rounds):
        for held in ("one", "as they come"):
            with nullcontext() if held == "one" else threadpool_limits(os.cpu_count(), user_api="blas"):
                for text in asked:
                    began = time.perf_counter()
                    stages = dict(assistant.ask(text).stages_ms)
                    if set(stages) == set(STAGES):  # it went all the way
                        taken["whole", held].append(1000 * (time.perf_counter() - began))
                        for stage, milliseconds in stages.items():
                            taken[stage, held].append(milliseconds)
        for text in asked:
            timed("encode alone", "one", partial(encoder.encode_questions, [text]))
            timed("six layers alone", "one", partial(encoder.encode, [text]))
    return taken


def report(taken: dict[tuple[str, str], list[float]], where: dict[str, str]) -> str:
    """The figures as Markdown."""

    def row(name: str, what: str) -> str:
        (middle, high), whole = np.percentile(taken[name, "one"], [50, 95]), float(np.median(taken["whole", "one"]))
        free = f"{np.median(taken[name, 'as they come']) / middle:.2f}" if (name, "as they come") in taken else ""
        return f"| {what} | {middle:.2f} | {high:.2f} | {middle / whole:.2f} | {free} |\n"

    told = f"# Where a question's time goes\n\n`python -m benchmarks.stages`, commit {where['commit']}; {where['machine']}; "
    told += f"{len(taken['whole', 'one'])} questions that went all the way. Numpy's threads held to one, as the product does; "
    told += "the last column is how many times the median it takes with as many as come.\n\n"
    told += "| stage | median, ms | 95th, ms | share of the whole | numpy's threads free |\n|---|---|---|---|---|\n"
    told += "".join(row(name, what) for name, what in STAGES.items())
    told += row("whole", "**a question**") + row("encode alone", "encoding alone, question model included")
    return told + row("six layers alone", "encoding alone, as passages are")


def main() -> int:
    """Measure, print, write."""
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=ROOT / "index", help="where the release is")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is asked")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where stages.md is written")
    asked = parser.parse_args()
    told = report(measured(asked.index, asked.rounds), about())
    (asked.out / "stages.md").write_text(told, encoding="utf-8")
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
