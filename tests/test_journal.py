"""What patients tell is kept without private data, for as long as the clinic set, and by many at once."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from retrieval.errors import JournalError
from retrieval.journal import Feedback, Journal

GOOD = Feedback("r1", "a.md", 3, 9, "helped", "does it hurt")


def test_what_is_told_is_kept_with_its_time(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "new" / "journal.sqlite3")
    journal.tell(GOOD, 90)
    (kept,) = journal.told()
    assert (kept.release, kept.doc, kept.start, kept.end, kept.felt, kept.question) == (
        "r1",
        "a.md",
        3,
        9,
        "helped",
        "does it hurt",
    )
    assert abs(datetime.now(UTC) - datetime.fromisoformat(f"{kept.at}+00:00")) < timedelta(minutes=5)


def test_private_data_never_reaches_the_file(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j")
    journal.tell(
        Feedback("r1", "a.md", 0, 1, "other", "my name is Jane Tan, jane.tan@mail.example, 012-345 6789, does it hurt"), 90
    )
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for private in (b"Jane", b"mail.example", b"345 6789"):
        assert private not in stored
    assert "does it hurt" in journal.told()[0].question


def test_a_long_question_is_cut_after_it_was_masked(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j")
    journal.tell(Feedback("r1", "a.md", 0, 1, "other", "x" * 490 + " jane.tan@mail.example"), 90)
    (kept,) = journal.told()
    assert len(kept.question) <= 500
    assert "jane" not in kept.question


def test_what_is_too_old_goes_when_something_new_comes(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal.open(path)
    journal.tell(GOOD, 90)
    old = (datetime.now(UTC) - timedelta(days=8)).isoformat()[:19]
    with sqlite3.connect(path) as database:
        database.execute("update feedback set at = ?", (old,))
    journal.tell(Feedback("r2", "a.md", 3, 9, "outdated"), 9)
    assert [kept.release for kept in journal.told()] == ["r1", "r2"]
    journal.tell(Feedback("r3", "a.md", 3, 9, "outdated"), 7)
    assert [kept.release for kept in journal.told()] == ["r2", "r3"]


def test_many_may_tell_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    journals = [Journal.open(tmp_path / "j") for _ in range(2)]

    def tell(journal: Journal, number: int) -> None:
        for each in range(10):
            journal.tell(Feedback(f"r{number}", "a.md", each, each + 1, "helped"), 90)

    threads = [threading.Thread(target=tell, args=(journals[number % 2], number)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(journals[0].told()) == 40


def test_a_file_that_is_no_journal_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b"no database at all, and long enough to be looked at as one" * 20)
    with pytest.raises(JournalError, match=r"j: the journal cannot be used \(.+\)\. Put another file in PATIENT_FAQ_JOURNAL"):
        Journal.open(path)
    with pytest.raises(JournalError, match="PATIENT_FAQ_JOURNAL"):
        Journal.open(path / "below")
