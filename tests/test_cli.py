"""The command as people and programs run it: real processes, real model."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "retrieval", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment})


@pytest.fixture(scope="module")
def index(own_index: Path) -> Path:
    return own_index


def test_a_second_build_says_that_nothing_changed(index: Path) -> None:
    done = run("build", "--corpus", "corpus", "--index", str(index))
    assert done.returncode == 0
    assert done.stderr.startswith("note: The wording of the cards is a draft")
    assert done.stdout.startswith("Nothing changed")


def test_cards_are_printed_for_signing_as_patients_read_them() -> None:
    done = run("cards", "--language", "ms")
    assert done.returncode == 0
    assert done.stdout.startswith("DRAFT")
    assert re.search(r'^signed_off_wording = "[0-9a-f]{8}"$', done.stdout, re.MULTILINE)
    assert "# self_harm" in done.stdout
    unknown = run("cards", "--language", "xx")
    assert unknown.returncode == 2
    assert "en, " in unknown.stderr


def test_rules_are_printed_for_signing_with_what_they_catch_and_leave() -> None:
    done = run("rules")
    assert done.returncode == 0
    for heading in ("# Rules of the program: ", "## trouble-breathing -> urgent", "- Caught: ", "- Not caught: "):
        assert heading in done.stdout


def test_ask_prints_a_line_of_json_by_the_contract(index: Path) -> None:
    done = run("ask", "How many sessions will it take?", "--index", str(index), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {"id", "route", "quotes", "card", "differs", "release", "elapsed_ms"} <= set(answer)
    assert answer["route"] == "answer"
    assert 1 <= len(answer["quotes"]) <= 3
    for quote in answer["quotes"]:
        assert {"doc", "title", "section", "page", "start", "end", "text", "score"} <= set(quote)
        assert len(quote["text"]) == quote["end"] - quote["start"]


def test_ask_prints_words_for_people(index: Path) -> None:
    done = run("ask", "does it hurt", "--index", str(index))
    assert done.returncode == 0
    assert "“" in done.stdout
    assert "not yet reviewed by a clinician" in done.stdout
    urgent = run("ask", "I can't breathe since the laser", "--index", str(index)).stdout
    assert urgent.startswith("[Emergency]")
    assert "“" not in urgent


def test_many_questions_are_answered_in_order(index: Path, tmp_path: Path) -> None:
    lines = [
        {"id": "a", "question": "does it hurt"},
        {"id": 7, "turns": ["How long does redness last?", "and after tattoo removal?"]},
        {"question": "I can't breathe"},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)) + "\n\n", encoding="utf-8")
    done = run("ask", "--questions", str(file), "--json", "--index", str(index))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == ["a", "7", "3"]
    assert [answer["route"] for answer in answers] == ["answer", "answer", "urgent"]
    assert answers[1]["searched"] == "How long does redness last after tattoo removal"
    assert answers[2]["quotes"] == []


def test_where_articles_differ_is_listed_for_staff(index: Path) -> None:
    found = [json.loads(line) for line in run("differences", "--index", str(index), "--json").stdout.splitlines()]
    assert found
    read = run("differences", "--index", str(index))
    assert read.returncode == 0
    assert f"{len(found)} points" in read.stdout
    for one in found:
        assert one["point"] in read.stdout
        assert len(one["statements"]) > 1


def test_search_gives_the_ranked_quotes_alone(index: Path, tmp_path: Path) -> None:
    done = run("search", "I am pregnant and it hurts", "--top", "7", "--index", str(index), "--json")
    found = json.loads(done.stdout)
    assert len(found["quotes"]) == 7
    assert found["card"] is None
    scores = [quote["score"] for quote in found["quotes"]]
    assert scores[0] == max(scores)
    file = tmp_path / "q.jsonl"
    file.write_text('{"id": "1", "question": "red"}\n{"id": "2", "question": "sun"}', encoding="utf-8")
    many = run("search", "--questions", str(file), "--top", "2", "--index", str(index))
    assert [len(json.loads(line)["quotes"]) for line in many.stdout.splitlines()] == [2, 2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not json", "line 2: not JSON"),
        ("[1]", "line 2: not an object"),
        ('{"id": "x"}', 'line 2: has neither "question" nor "turns"'),
        ('{"turns": []}', "line 2"),
        ('{"question": 5}', "line 2"),
    ],
)
def test_a_wrong_line_is_named_before_anything_is_answered(index: Path, tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"id": "1", "question": "red"}\n' + line + "\n", encoding="utf-8")
    done = run("ask", "--questions", str(file), "--index", str(index))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_line_that_cannot_be_asked_does_not_stop_the_others(index: Path, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"id": "1", "question": "?!"}\n{"id": "2", "question": "does it hurt"}\n', encoding="utf-8")
    done = run("ask", "--questions", str(file), "--json", "--index", str(index))
    assert [json.loads(line)["route"] for line in done.stdout.splitlines()] == ["no_answer", "answer"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("ask", "x", "--questions", "y"),
        ("ask", "does it hurt", "--index", "/nonexistent"),
        ("ask", "", "--index", "/nonexistent"),
        ("ask", "--questions", "/nonexistent"),
        ("build", "--corpus", "/nonexistent"),
        ("search", "x", "--top", "0"),
        ("nonsense",),
        ("ask", "x", "--nonsense"),
    ],
)
def test_wrong_use_gets_a_message_and_status_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named() -> None:
    done = run("ask", "x", PATIENT_FAQ_PROT="1")
    assert done.returncode == 2
    assert "PATIENT_FAQ_PROT" in done.stderr


@pytest.fixture
def used_index(index: Path, tmp_path: Path) -> Path:
    """An index that has a release: building on it takes over what is encoded of the field, which takes longest."""
    return shutil.copytree(index, tmp_path / "index")


def test_files_that_cannot_be_read_end_with_status_1_and_the_rest_is_built(tmp_path: Path, used_index: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "good.txt").write_text("Redness\n\nRedness fades in two days.\n", encoding="utf-8")
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7 cut")
    done = run("build", "--corpus", str(folder), "--index", str(used_index))
    assert done.returncode == 1
    assert "bad.pdf" in done.stderr
    assert "1 articles" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["build", "ask", "search", "rules", "cards", "train", "evaluate"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"Example: patient-faq {command}" in done.stdout


def test_asking_never_loads_torch_nor_what_it_does_not_need(index: Path) -> None:
    script = (
        "import sys; sys.argv = ['patient-faq', 'ask', 'does it hurt', '--index', sys.argv[1]];"
        "from retrieval.cli import main\n"
        "try:\n main()\nexcept SystemExit:\n pass\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'sklearn', 'scipy', 'pandas', 'gradio', 'bm25s', 'pypdf'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(index)], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "LOADED []", done.stdout + done.stderr


def test_a_review_that_is_overdue_is_printed_and_noted(tmp_path: Path, used_index: Path) -> None:
    known = "+++\nreview_by = 2020-05-03\n+++\n\n"
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "sessions.md").write_text(
        f"{known}# Sessions\n\nMost tattoos need nine sessions.\n", encoding="utf-8"
    )
    folders = ("--index", str(used_index))
    built = run("build", "--corpus", str(tmp_path / "corpus"), *folders)
    assert "note: sessions.md: was due for review on 2020-05-03; patients are told so." in built.stderr
    question = "How many sessions do most tattoos need?"
    assert "; was due for review on 2020-05-03" in run("ask", question, *folders).stdout
    (quote,) = json.loads(run("ask", question, *folders, "--json").stdout)["quotes"]
    assert (quote["review_by"], quote["due"]) == ("2020-05-03", True)
