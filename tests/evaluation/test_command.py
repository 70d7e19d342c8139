"""`patient-faq evaluate` as people and CI run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

from retrieval.reading import read_article

QUESTIONS = "corpus/judged/questions.jsonl"
UNANSWERABLE = "corpus/judged/unanswerable.jsonl"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "retrieval", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ))


@pytest.fixture(scope="module")
def index(own_index: Path) -> str:
    return str(own_index)


def test_the_gate_holds_on_the_project_s_own_dev_questions(index: str) -> None:
    done = run("evaluate", QUESTIONS, UNANSWERABLE, "--index", index, "--gate", "corpus/judged/gate.toml", "--json")
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert values["figures"]["quotes proved"]["mean"] == 1.0
    assert values["questions"] > 300


def a_third(tmp_path: Path, name: str) -> str:
    """Every third of the judged questions of a file: enough to tell rankings apart."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()[::3]
    file = tmp_path / Path(name).name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


def test_a_worsened_ranking_is_stopped_with_what_got_worse_and_by_how_much(index: str, tmp_path: Path) -> None:
    judged = (a_third(tmp_path, QUESTIONS), a_third(tmp_path, UNANSWERABLE))
    done = run("evaluate", *judged, "--index", index, "--gate", "corpus/judged/gate.toml", "--ranking", "lexical")
    assert done.returncode == 1
    assert "not kept: hit@1: 0." in done.stderr
    assert "must be at least" in done.stderr


def test_two_rankings_are_compared_and_reported(index: str, tmp_path: Path) -> None:
    report = tmp_path / "report"
    judged = a_third(tmp_path, QUESTIONS)
    done = run("evaluate", judged, "--index", index, "--compare", "lexical", "--report", str(report))
    assert done.returncode == 0, done.stderr
    assert "against lexical" in done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("  hit@1"))
    assert "+0." in line
    assert "p = 0.00" in line
    assert (report / "report.html").stat().st_size > 10_000


def test_a_corpus_can_be_built_for_the_occasion_and_a_gate_written(tmp_path: Path, corpus: Path) -> None:
    gate, judged = tmp_path / "gate.toml", tmp_path / "judged.jsonl"
    article = read_article(corpus / "articles" / "sessions.txt")
    start = article.text.index("Most people")
    answer = {
        "doc": article.doc,
        "start": start,
        "end": start + len("Most people need five sessions."),
        "digest": article.digest,
    }
    judged.write_text(
        json.dumps({"id": "d-001", "turns": ["Does it hurt?", "How many sessions?"], "answers": [answer], "split": "dev"}),
        encoding="utf-8",
    )
    done = run("evaluate", str(judged), "--corpus", str(corpus), "--write-gate", str(gate), "--commit", "abc1234")
    assert done.returncode == 0, done.stderr
    assert 'commit = "abc1234"' in gate.read_text(encoding="utf-8")


def test_a_public_set_is_ranked_by_document(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "title": "", "text": "Redness fades."}\n', encoding="utf-8")
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "redness"}\n', encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("q\ta\t1\n", encoding="utf-8")
    done = run("evaluate", str(tmp_path), "--compare", "dense")
    assert done.returncode == 0, done.stderr
    assert "1 documents, 1 judged queries" in done.stdout
    assert done.stdout.count("ndcg@10 1.0000") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/nonexistent.jsonl"], "cannot be read"),
        ([QUESTIONS, "--split", "nosuch"], "--split nosuch"),
        ([QUESTIONS, "--ranking", "nosuch"], "--ranking nosuch"),
        ([QUESTIONS, "--gate", "/nonexistent.toml"], "not a gate"),
        (["tests/judged/sources.jsonl"], "do not fit the articles"),
    ],
)
def test_what_cannot_be_evaluated_is_told_with_status_2(index: str, arguments: list[str], said: str) -> None:
    done = run("evaluate", *arguments, "--index", index)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_questions_on_an_article_that_was_edited_are_named_with_how_to_renew_them(tmp_path: Path, index: str) -> None:
    judged = tmp_path / "judged.jsonl"
    lines = (ROOT / QUESTIONS).read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines]
    items[0]["answers"][0]["digest"] = "of another text"
    judged.write_text("\n".join(json.dumps(item) for item in items), encoding="utf-8")
    done = run("evaluate", str(judged), "--index", index)
    assert done.returncode == 2
    assert "has changed since its spans were judged" in done.stderr
    assert "--carry-judged" in done.stderr
