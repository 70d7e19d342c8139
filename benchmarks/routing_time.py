"""What routing costs beside the question's one encoding: python benchmarks/routing_time.py

Asks the dev half of corpus/judged/messages.jsonl in one process, by turns with numpy's threads held to one (as the product
does) and as they come, and prints each stage in milliseconds, and the ratio of both.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from retrieval.assistant import Assistant
from retrieval.build import build
from retrieval.encoder import open_encoder
from retrieval.evaluation.judged import load_judged
from retrieval.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
STAGES = {"read, private data, rules": ("rules",), "encode": ("encode",), "route": ("route",), "routing": ("rules", "route")}


def main(rounds: int = 3) -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    settings = replace(Settings.from_environment(), corpus=ROOT / "corpus")
    judged = load_judged(ROOT / "corpus/judged/messages.jsonl")
    messages = [item.turns[-1] for item in judged if item.split == "dev"]
    with tempfile.TemporaryDirectory() as temporary:
        settings = replace(settings, index=Path(temporary))
        build(settings.corpus, settings.index, open_encoder(settings))
        assistant = Assistant.open(settings)
        taken: dict[tuple[str, str], list[float]] = defaultdict(list)
        for _ in range(rounds):
            for threads in ("one", "as they come"):
                with nullcontext() if threads == "one" else threadpool_limits(os.cpu_count(), user_api="blas"):
                    for message in messages:
                        stages = dict(assistant.ask(message).stages_ms)
                        for name, parts in STAGES.items():
                            if all(part in stages for part in parts):
                                taken[name, threads].append(sum(stages[part] for part in parts))
    print(f"{len(messages)} messages, {rounds} rounds, {os.cpu_count()} cores. Median / 95th percentile, ms.\n")
    print("| stage | numpy's threads: one | as they come | ratio of medians |")
    print("|---|---|---|---|")
    for name in STAGES:
        held, free = (np.percentile(taken[name, threads], [50, 95]) for threads in ("one", "as they come"))
        print(f"| {name} | {held[0]:.2f} / {held[1]:.2f} | {free[0]:.2f} / {free[1]:.2f} | {free[0] / held[0]:.2f} |")


if __name__ == "__main__":
    main()
