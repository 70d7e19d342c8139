"""How quickly a release is built: python -m benchmarks.building [--index DIR] [--texts 320]

Encodes some of the passages of the release in force by turns as the product does, by `SentenceTransformer.encode` with default
settings given all of them, and by the same in a loop over them, and prints texts a second, the ratios, and the least cosine of
both's vectors; beside it how many texts a second there could be if nothing but the model's products took time. Then builds a
corpus of 200 articles, changes a sentence in one, and builds again. Ratios are of one run.

Needs a release of the project's corpus (`patient-faq build`). Results: building.md in benchmarks/results/.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.about import about
from retrieval.build import build
from retrieval.encoder import Encoder, Vectors, open_encoder, package_folder
from retrieval.passages import passage_in_context, passage_text
from retrieval.release import Release, open_current
from retrieval.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
ROUNDS, ARTICLES, SENTENCES = 3, 200, 8
LAYERS = 6


def some_texts(release: Release, count: int) -> list[str]:
    """Passages at even distances, their own words and in context, as a build encodes them."""
    chosen = np.linspace(0, len(release.rows) - 1, count // 2).astype(np.int64)
    passages = [release.passages[place] for place in chosen.tolist()]
    return [f(release.articles[one.article], one) for one in passages for f in (passage_text, passage_in_context)]


def side_by_side(encoder: Encoder, texts: Sequence[str]) -> tuple[dict[str, float], float]:
    """Texts a second of each way, the best of the rounds, and the least cosine of our vectors and theirs."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(package_folder()), device="cpu", local_files_only=True)
    theirs: list[Vectors] = []
    ways: dict[str, Callable[[], object]] = {
        "patient-faq": lambda: encoder.encode(texts),
        "SentenceTransformer.encode, all at once": lambda: theirs.append(model.encode(list(texts), show_progress_bar=False)),
        "SentenceTransformer.encode, one by one": lambda: [model.encode(text, show_progress_bar=False) for text in texts],
    }
    best = dict.fromkeys(ways, 0.0)
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            best[name] = max(best[name], len(texts) / (time.perf_counter() - began))
    ours, other = encoder.encode(texts), theirs[-1]
    return best, float(((ours * other).sum(axis=1) / np.linalg.norm(other, axis=1)).min())


def at_most(encoder: Encoder, texts: Sequence[str]) -> float:
    """Texts a second if the layers' products, in single precision, took all of the time, at the speed of numpy's quickest one.

    A layer multiplies each token by 12 d^2 weights (attention: four d x d; the network behind it: d x 4d and back), and what
    tokens have to do with one another is left out.
    """
    size = 2048
    one = np.random.default_rng(1).random((size, size), dtype=np.float32)
    quickest = 0.0
    for _ in range(10):
        began = time.perf_counter()
        one @ one
        quickest = max(quickest, 2 * size**3 / (time.perf_counter() - began))
    tokens = sum(encoder.count_tokens(texts)) / len(texts)
    return quickest / (2 * LAYERS * 12 * encoder.dimension**2 * tokens)


def published_again(release: Release, encoder: Encoder) -> tuple[float, float]:
    """Seconds to build 200 articles, and to build them again when a sentence of one has changed."""
    said = [article.text[s.start : s.end] for article in release.articles for s in article.sentences]
    with tempfile.TemporaryDirectory() as work:
        corpus, index = Path(work) / "corpus", Path(work) / "index"
        (corpus / "articles").mkdir(parents=True)
        for number in range(ARTICLES):
            lines = [said[(number * 7 + place) % len(said)] for place in range(SENTENCES)]
            text = f"# Article {number}\n\n## In short\n\n{' '.join(lines)}\n"
            (corpus / "articles" / f"article-{number}.md").write_text(text, encoding="utf-8")
        began = time.perf_counter()
        build(corpus, index, encoder)
        first = time.perf_counter() - began
        path = corpus / "articles" / "article-100.md"
        path.write_text(path.read_text(encoding="utf-8") + "\nThis is what is new here.\n", encoding="utf-8")
        began = time.perf_counter()
        build(corpus, index, encoder)
        return first, time.perf_counter() - began


def main() -> int:
    """Measure, print, write."""
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=ROOT / "index", help="where the release is")
    parser.add_argument("--texts", type=int, default=320, help="how many texts are encoded")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where building.md is written")
    asked = parser.parse_args()
    release, encoder, where = open_current(asked.index), open_encoder(Settings.from_environment()), about()
    texts = some_texts(release, asked.texts)
    most = at_most(encoder, texts)
    best, cosine = side_by_side(encoder, texts)
    first, again = published_again(release, encoder)
    told = f"# Building\n\n`python -m benchmarks.building`, commit {where['commit']}; {where['machine']}. "
    told += f"{len(texts)} texts, the best of {ROUNDS} rounds by turns; least cosine of both's vectors {cosine:.6f}.\n\n"
    told += "| way | texts a second | patient-faq is so many times as quick |\n|---|---|---|\n"
    told += "".join(f"| {name} | {value:.1f} | {best['patient-faq'] / value:.2f} |\n" for name, value in best.items())
    told += f"\nIf only the products of its layers took time, at numpy's quickest, there could be {most:.1f} texts a second.\n"
    told += (
        f"\n{ARTICLES} articles of {SENTENCES} sentences: built in {first:.1f} s; with a sentence more in one of them, built "
    )
    told += f"again in {again:.2f} s (the model was open).\n"
    (asked.out / "building.md").write_text(told, encoding="utf-8")
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
