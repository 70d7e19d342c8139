"""Public sets in BEIR's shape (corpus.jsonl, queries.jsonl, qrels/test.tsv): whole documents, ranked by the engine's scores.

Here a document is the unit, as in the published figures: one vector for title and text, cut where the model's reading ends,
and BM25 over title and text. Scores are added up by the same weights as for passages.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.encoder import Encoder, Vectors
from retrieval.errors import EvaluationError
from retrieval.evaluation.metrics import hit_at, ndcg_at, recall_at, reciprocal_rank
from retrieval.evaluation.statistics import Figure, with_interval
from retrieval.lexical import LexicalIndex
from retrieval.search import Weights, word_weight

__all__ = ["BeirSet", "DocumentIndex", "evaluate_set", "is_beir", "load_beir"]

_CHUNK = 256
_DEPTH = 100


@dataclass(frozen=True, slots=True)
class BeirSet:
    """A public set: documents by id, queries by id, and for each query the gain of each relevant document."""

    name: str
    documents: dict[str, str]
    queries: dict[str, str]
    relevant: dict[str, dict[str, float]]


class DocumentIndex:
    """Documents with their vectors and words, ready to be ranked."""

    def __init__(self, names: Sequence[str], vectors: Vectors, lexical: LexicalIndex, encoder: Encoder) -> None:
        self._names = list(names)
        self._lexical = lexical
        self._encoder = encoder
        self._index = faiss.IndexFlatIP(encoder.dimension)
        self._index.add(vectors)

    @classmethod
    def build(
        cls, documents: Mapping[str, str], encoder: Encoder, progress: Callable[[int, int], None] | None = None
    ) -> DocumentIndex:
        """Encode and index documents; progress is told how many are done."""
        texts = list(documents.values())
        vectors = np.empty((len(texts), encoder.dimension), dtype=np.float32)
        for first in range(0, len(texts), _CHUNK):
            vectors[first : first + _CHUNK] = encoder.encode(texts[first : first + _CHUNK])
            if progress:
                progress(min(len(texts), first + _CHUNK), len(texts))
        return cls(list(documents), vectors, LexicalIndex.build(texts), encoder)

    def rank(self, question: str, weights: Weights, depth: int = _DEPTH) -> list[tuple[str, float]]:
        """The best documents for a question with their scores, best first; equal scores in the order of the corpus."""
        scores = np.zeros(len(self._names), dtype=np.float32)
        taught = 0.0
        if weights.dense:
            encoded = self._encoder.encode_questions([question])[0]
            taught = weights.taught * encoded.taught
            vector = encoded.searching if weights.taught else encoded.vector
            found, places = self._index.search(vector[None, :], len(self._names))
            scores[places[0]] += np.float32(weights.dense) * found[0]
        if weights.lexical:
            weight = weights.lexical * word_weight(self._lexical, question, taught)
            scores += np.float32(weight) * self._lexical.scores(question)
        order = np.argsort(-scores, kind="stable")[:depth]
        return [(self._names[place], float(scores[place])) for place in order]


def is_beir(folder: Path) -> bool:
    """Say whether a folder holds a set in BEIR's shape."""
    return folder.is_dir() and any((folder / name).is_file() for name in ("corpus.jsonl", "corpus.jsonl.gz"))


def load_beir(folder: Path, split: str = "test") -> BeirSet:
    """Read a set; raises EvaluationError naming the file that is missing or wrong."""
    try:
        documents = {
            str(row["_id"]): f"{row.get('title') or ''} {row.get('text') or ''}".strip() for row in _rows(folder, "corpus")
        }
        queries = {str(row["_id"]): str(row["text"]) for row in _rows(folder, "queries")}
        relevant: dict[str, dict[str, float]] = {}
        with (folder / "qrels" / f"{split}.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file, delimiter="\t"):
                if row[0] != "query-id" and float(row[2]) > 0:
                    relevant.setdefault(row[0], {})[row[1]] = float(row[2])
    except (OSError, KeyError, IndexError, ValueError, TypeError) as problem:
        raise EvaluationError(f"{folder}: not a set in BEIR's shape ({problem!r}).") from problem
    missing = sorted(set(relevant) - set(queries))
    if not relevant or missing:
        raise EvaluationError(f"{folder}: qrels/{split}.tsv judges {missing[:1] or 'no'} query that is not there.")
    return BeirSet(folder.name, documents, queries, relevant)


def evaluate_set(index: DocumentIndex, chosen: BeirSet, weights: Weights) -> dict[str, Figure]:
    """Rank every judged query; returns nDCG@10, recall@100, hit@1 and MRR with their intervals."""
    values: dict[str, list[float]] = {"ndcg@10": [], "recall@100": [], "hit@1": [], "mrr": []}
    for query, gains in chosen.relevant.items():
        ranked = [name for name, _ in index.rank(chosen.queries[query], weights)]
        hits = [name in gains for name in ranked]
        values["ndcg@10"].append(ndcg_at([gains.get(name, 0.0) for name in ranked], list(gains.values()), 10))
        values["recall@100"].append(recall_at(hits, len(gains), _DEPTH))
        values["hit@1"].append(hit_at(hits, 1))
        values["mrr"].append(reciprocal_rank(hits))
    return {name: with_interval(of_queries) for name, of_queries in values.items()}


def _rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    packed = folder / f"{name}.jsonl.gz"
    data = gzip.decompress(packed.read_bytes()) if packed.is_file() else (folder / f"{name}.jsonl").read_bytes()
    for line in data.decode("utf-8").splitlines():
        if line.strip():
            yield json.loads(line)
