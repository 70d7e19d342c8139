"""The staff's commands as staff type them: from a new leaflet to the chat and back, and what they are told when it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support import WordEncoder
from typer.testing import CliRunner, Result

from retrieval.cli import app
from retrieval.errors import PatientFaqError

Run = Callable[..., Result]


@pytest.fixture
def run(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `patient-faq` on a small corpus with the readable model."""
    monkeypatch.setenv("PATIENT_FAQ_CORPUS", str(corpus))
    monkeypatch.setenv("PATIENT_FAQ_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("PATIENT_FAQ_JOURNAL", str(tmp_path / "journal.sqlite3"))
    monkeypatch.setattr("retrieval.encoder.open_encoder", lambda settings: WordEncoder())
    monkeypatch.setattr("retrieval.keeping.desk.open_encoder", lambda settings: WordEncoder())
    runner = CliRunner()

    def start(*arguments: str) -> Result:
        result = runner.invoke(app, list(arguments))
        if isinstance(result.exception, PatientFaqError):
            result.stderr_bytes = str(result.exception).encode()
        return result

    assert start("build").exit_code == 0
    return start


def said(result: Result) -> str:
    return result.stdout + result.stderr


@pytest.fixture
def leaflet(tmp_path: Path) -> Path:
    file = tmp_path / "washing.md"
    file.write_text("# Washing\n\nWash with lukewarm water. Use no soap for a day.\n", encoding="utf-8")
    return file


def test_from_a_new_leaflet_to_published_and_back(run: Run, leaflet: Path, corpus: Path) -> None:
    added = run("add", str(leaflet), "--by", "Ann Tan")
    assert "washing.md: added as a draft" in added.stdout
    assert run("diff").stdout.startswith("Nothing would change")
    read = run("check", "washing.md", "--read").stdout
    assert "Use no soap for a day." in read
    assert "tokens]" in read
    assert "checked off by Bob Lim" in run("check", "washing.md", "--off", "--by", "Bob Lim").stdout
    changes = run("diff")
    assert changes.exit_code == 0
    assert "washing.md" in changes.stdout
    published = run("publish", "--by", "Ann Tan", "--note", "a leaflet on washing")
    assert "Published by Ann Tan" in published.stdout, said(published)
    history = run("history").stdout
    assert "published by Ann Tan: a leaflet on washing" in history
    lines = [json.loads(line) for line in run("releases", "--json").stdout.splitlines()]
    assert [line["in_force"] for line in lines] == [True, False]
    back = run("rollback", lines[1]["release"][:8], "--by", "Bob Lim", "--note", "not yet")
    assert "articles/washing.md: as it was then" in back.stdout, said(back)
    assert "Patients do not see any more: " in back.stdout
    assert "Patients see again" not in back.stdout
    assert not (corpus / "articles" / "washing.md").exists()
    assert "Whole: 3 entries" in run("history", "--verify").stdout


def test_nothing_is_signed_without_a_name_and_a_reason(run: Run) -> None:
    for command in (("publish",), ("rollback", "abc"), ("withdraw", "sun.html")):
        result = run(*command, "--by", "Ann Tan")
        assert result.exit_code == 2
        assert "The history keeps who did this and why" in said(result)


def test_withdrawing_is_said_and_done(run: Run) -> None:
    result = run("withdraw", "sun.html", "--by", "Cara Ng", "--note", "it names the wrong cream")
    assert "sun.html: withdrawn by Cara Ng" in result.stdout, said(result)
    assert "withdrawn   sun.html" in run("check").stdout


def test_a_history_that_was_altered_is_found_wanting(run: Run, tmp_path: Path) -> None:
    entry = tmp_path / "index" / "history" / "000001.json"
    entry.write_text(entry.read_text(encoding="utf-8").replace("built", "Built"), encoding="utf-8")
    result = run("history", "--verify")
    assert result.exit_code == 1
    assert "entry 1" in said(result)


def test_what_is_meant_is_asked_for(run: Run) -> None:
    assert "Name the article that you mean" in said(run("check", "--read"))
    assert "Name two releases, or none" in said(run("diff", "abc"))
    assert "no release is called so" in said(run("diff", "abc", "def"))
    assert run("add", "nowhere.md").exit_code == 2
    assert "no release has been built there" in said(run("history", "--index", "nowhere"))


def test_without_a_journal_there_are_no_gaps(run: Run) -> None:
    assert run("gaps").stdout == ""
    assert isinstance(run("gaps", "g1", "--take", "Ann").exception, PatientFaqError)


def test_a_gap_is_taken_attached_and_proved(run: Run, corpus: Path, tmp_path: Path) -> None:
    from retrieval.journal import Journal, Noted

    with (corpus / "clinic.toml").open("a", encoding="utf-8") as file:
        file.write("journal = true\n")
    journal = Journal.open(str(tmp_path / "journal.sqlite3"))
    journal.note(Noted("r1", "may i wear a hat", "no_answer", "not_found"), 90)
    gap = json.loads(run("gaps", "--json").stdout)
    assert (gap["title"], gap["count"], gap["state"]) == ("may i wear a hat", 1, "open")
    taken = run(
        "gaps", gap["gap"], "--take", "Ann Tan", "--attach", "sun.html:2", "--question", "Can you wear a hat?", "--judge"
    )
    assert "“Can you wear a hat?” is attached" in taken.stdout, said(taken)
    assert "taken, Ann Tan" in taken.stdout
    assert "> Wear a hat.\nCan you wear a hat?" in (corpus / "questions" / "sun.html.txt").read_text(encoding="utf-8")
    assert "Can you wear a hat?" in (corpus / "judged" / "staff.jsonl").read_text(encoding="utf-8")


def test_everything_goes_into_one_file_and_out_again(run: Run, tmp_path: Path) -> None:
    assert "The journal is not in it" in run("export", str(tmp_path / "all.zip")).stdout
    result = run("import", str(tmp_path / "all.zip"), "--corpus", str(tmp_path / "c"), "--index", str(tmp_path / "i"))
    assert "3 articles" in result.stdout, said(result)
    assert "2 files as they were" not in run("export", str(tmp_path / "first"), "--entry", "1").stdout
    assert (tmp_path / "first" / "articles" / "sun.html").is_file()
