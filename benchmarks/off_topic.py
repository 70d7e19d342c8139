"""What the FAQ does with questions that have nothing to do with it: python benchmarks/off_topic.py FOLDER [--list]

FOLDER holds `clinc150/data_full.json.gz` (its out-of-scope test questions and its test questions, all to a voice assistant)
and `healthsearchqa/questions.jsonl` (what people ask about health). Builds the project's corpus for the occasion. Prints the
share by route; --list also prints every question that was answered with quotes, and each that was called urgent.
"""

from __future__ import annotations

import gzip
import json
import logging
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from retrieval.assistant import Assistant
from retrieval.build import build
from retrieval.encoder import open_encoder
from retrieval.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def questions(folder: Path) -> dict[str, list[str]]:
    """The sets that are there, by name."""
    found: dict[str, list[str]] = {}
    clinc = folder / "clinc150" / "data_full.json.gz"
    if clinc.is_file():
        data = json.loads(gzip.decompress(clinc.read_bytes()))
        found["clinc150 out of scope"] = [text for text, _ in data["oos_test"]]
        found["clinc150 in scope"] = [text for text, _ in data["test"]]
    health = folder / "healthsearchqa" / "questions.jsonl"
    if health.is_file():
        found["healthsearchqa"] = [json.loads(line)["text"] for line in health.read_text(encoding="utf-8").splitlines()]
    return found


def main(folder: Path, listed: bool) -> None:
    """Ask everything and print."""
    logging.disable(logging.WARNING)
    settings = replace(Settings.from_environment(), corpus=ROOT / "corpus")
    with tempfile.TemporaryDirectory() as temporary:
        settings = replace(settings, index=Path(temporary))
        build(settings.corpus, settings.index, open_encoder(settings))
        assistant = Assistant.open(settings)
        print("| set | questions | answered | consult | urgent | not answered |")
        print("|---|---|---|---|---|---|")
        shown: list[str] = []
        for name, texts in questions(folder).items():
            routes = Counter()
            for text in texts:
                route = assistant.ask(text).route
                routes[route] += 1
                if route in {"answer", "urgent"}:
                    shown.append(f"{name}, {route}: {text}")
            shares = (f"{routes[route] / len(texts):.4f}" for route in ("answer", "consult", "urgent", "no_answer"))
            print(f"| {name} | {len(texts)} | " + " | ".join(shares) + " |")
    if listed:
        print("\n".join(shown))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), "--list" in sys.argv)
