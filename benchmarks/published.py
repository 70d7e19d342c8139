"""The engine on public sets, beside published figures: python benchmarks/published.py FOLDER

FOLDER holds `scifact`, `jhu_covidfaq`, `stackfaq` (BEIR's shape) and `clinc150/data_full.json.gz`; sets that are absent are
left out. Prints a table in Markdown and the time that each set took. BM25 alone, dense alone and fused run on one index.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from pathlib import Path

import numpy as np

from retrieval.encoder import Encoder, open_encoder
from retrieval.evaluation.beir import DocumentIndex, evaluate_set, load_beir
from retrieval.search import DENSE_ONLY, FUSED, LEXICAL_ONLY
from retrieval.settings import Settings

PUBLISHED = {
    "scifact": "BM25 0.679 (Anserini), 0.687 (bm25s); this model 0.645; bge-small 0.713",
    "jhu_covidfaq": "BERT-FAQ, question field, unsupervised 0.815",
    "stackfaq": "BERT-FAQ, question field 0.622; question and answer 0.789",
}


def clinc150(folder: Path, encoder: Encoder) -> str:
    """Nearest training question decides the intent; below a threshold chosen on the validation part it is out of scope."""
    data = json.loads(gzip.decompress((folder / "data_full.json.gz").read_bytes()))
    train = encoder.encode([text for text, _ in data["train"]])
    intents = np.array([intent for _, intent in data["train"]])

    def nearest(part: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        likeness = encoder.encode([text for text, _ in data[part]]) @ train.T
        best = likeness.argmax(axis=1)
        return likeness.max(axis=1), intents[best], np.array([intent for _, intent in data[part]])

    score, guess, right = nearest("val")
    outside, _, _ = nearest("oos_val")
    # 100 of 3,100 validation questions are out of scope: every wrong decision counts alike.
    thresholds = np.unique(np.concatenate([score, outside]))
    correct = [((score >= t) & (guess == right)).sum() + (outside < t).sum() for t in thresholds]
    threshold = thresholds[int(np.argmax(correct))]
    score, guess, right = nearest("test")
    outside, _, _ = nearest("oos_test")
    inside = float(((score >= threshold) & (guess == right)).mean())
    refused = float((outside < threshold).mean())
    return (
        f"| clinc150 | in-scope accuracy {inside:.3f}, out-of-scope recall {refused:.3f} | BERT with threshold 0.962 / 0.523 |"
    )


def main(folder: Path) -> None:
    """Print the tables."""
    encoder = open_encoder(Settings.from_environment())
    print("| set | documents | queries | BM25 alone | dense alone | fused | published nDCG@10 | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for name, published in PUBLISHED.items():
        if not (folder / name).is_dir():
            continue
        began = time.monotonic()
        chosen = load_beir(folder / name)
        index = DocumentIndex.build(chosen.documents, encoder)
        cells = []
        for weights in (LEXICAL_ONLY, DENSE_ONLY, FUSED):
            found = evaluate_set(index, chosen, weights)
            cells.append(f"{found['ndcg@10'].mean:.4f} / {found['recall@100'].mean:.4f}")
        row = [
            name,
            f"{len(chosen.documents):,}",
            f"{len(chosen.relevant):,}",
            *cells,
            published,
            f"{time.monotonic() - began:.0f}",
        ]
        print("| " + " | ".join(row) + " |", flush=True)
    if (folder / "clinc150").is_dir():
        began = time.monotonic()
        row = clinc150(folder / "clinc150", encoder)
        print("\n| set | nearest example with threshold | published |\n|---|---|---|")
        print(f"{row}\n\nclinc150 took {time.monotonic() - began:.0f} seconds.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
