"""Public sets: read as they come, ranked by document, measured by the same metrics."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.errors import EvaluationError
from retrieval.evaluation.beir import DocumentIndex, evaluate_set, is_beir, load_beir
from retrieval.search import DENSE_ONLY, FUSED, LEXICAL_ONLY

DOCUMENTS = {"a": ("Redness", "fades in two days"), "b": ("", "most people need five sessions"), "c": ("Sun", "stay out of it")}
QUERIES = {"q1": "redness days", "q2": "five sessions", "q3": "not judged"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [json.dumps({"_id": name, "title": title, "text": text}) for name, (title, text) in DOCUMENTS.items()]
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    queries = [json.dumps({"_id": name, "text": text}) for name, text in QUERIES.items()]
    (tmp_path / "queries.jsonl").write_text("\n".join(queries), encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    qrels = "query-id\tcorpus-id\tscore\nq1\ta\t1\nq2\tb\t2\nq2\tc\t1\nq2\ta\t0\n"
    (tmp_path / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    return tmp_path


def test_a_set_is_known_and_read_with_its_judgements(folder: Path) -> None:
    chosen = load_beir(folder)
    assert is_beir(folder)
    assert not is_beir(folder / "qrels")
    assert chosen.documents["a"] == "Redness fades in two days"
    assert chosen.documents["b"] == "most people need five sessions"
    assert chosen.relevant == {"q1": {"a": 1.0}, "q2": {"b": 2.0, "c": 1.0}}


def test_documents_are_ranked_by_either_score_and_by_both(folder: Path) -> None:
    index = DocumentIndex.build(load_beir(folder).documents, WordEncoder())
    for weights in (LEXICAL_ONLY, DENSE_ONLY, FUSED):
        assert index.rank("redness days", weights)[0][0] == "a"
        assert index.rank("five sessions", weights)[0][0] == "b"
    both = dict(index.rank("five sessions", FUSED))
    dense, lexical = dict(index.rank("five sessions", DENSE_ONLY)), dict(index.rank("five sessions", LEXICAL_ONLY))
    for name, score in both.items():
        assert score == pytest.approx(FUSED.dense * dense[name] + FUSED.lexical * lexical[name], abs=1e-6)


def test_every_judged_query_counts(folder: Path) -> None:
    chosen = load_beir(folder)
    found = evaluate_set(DocumentIndex.build(chosen.documents, WordEncoder()), chosen, LEXICAL_ONLY)
    assert found["hit@1"].count == 2
    assert found["hit@1"].mean == 1.0
    assert found["recall@100"].mean == 1.0
    assert 0.9 < found["ndcg@10"].mean <= 1.0


def test_progress_is_told(folder: Path) -> None:
    said: list[tuple[int, int]] = []
    DocumentIndex.build(load_beir(folder).documents, WordEncoder(), lambda *step: said.append(step))
    assert said == [(3, 3)]


@pytest.mark.parametrize("name", ["queries.jsonl", "qrels/test.tsv"])
def test_a_missing_or_wrong_file_is_told(folder: Path, name: str) -> None:
    (folder / name).write_text("nonsense\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match="BEIR"):
        load_beir(folder)
    (folder / name).unlink()
    with pytest.raises(EvaluationError, match="BEIR"):
        load_beir(folder)


def test_a_judged_query_that_is_not_there_is_told(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("q9\ta\t1\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match="q9"):
        load_beir(folder)
