"""What patients ask and tell is kept without private data, for as long as the clinic set; nothing that is kept gets lost."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from support import ROOT, Postgres

from retrieval.errors import JournalError
from retrieval.journal import ASKED, FEEDBACK, TABLES, Cited, Feedback, Journal, Noted, Spot
from web.words import words_of

GOOD = Feedback("r1", "a.md", 3, 9, "helped", "does it hurt")
HURTS = Noted("r1", "does it hurt", "answer", "", (Spot("a.md", 3, 9), Spot("b.pdf", 0, 4)))
PRIVATE = "my name is Jane Tan, jane.tan@mail.example, 012-345 6789, does it hurt"

Open = Callable[[], Journal]


@pytest.fixture
def opened(where: str) -> Iterator[Open]:
    """Opens the journal, as often as wanted; all are closed at the end."""
    journals: list[Journal] = []

    def another() -> Journal:
        journals.append(Journal.open(where))
        return journals[-1]

    yield another
    for journal in journals:
        journal.close()


@pytest.fixture
def journal(opened: Open) -> Journal:
    return opened()


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def aged(journal: Journal, days: int) -> None:
    """Let all that is kept be some days older."""
    with journal.database.writing() as connection:
        for column in (ASKED.c.day, FEEDBACK.c.at):
            for (day,) in connection.execute(select(column).distinct()).all():
                older = (date.fromisoformat(day) - timedelta(days=days)).isoformat()
                connection.execute(update(column.table).where(column == day).values({column.name: older}))


def stored(journal: Journal, where: str) -> str:
    """All that is kept, as bytes of the files or as rows of the tables, in capitals or not."""
    if "://" not in where:
        folder = Path(where).parent
        return b"".join(file.read_bytes() for file in folder.iterdir()).decode("latin-1").lower()
    with journal.database.reading() as connection:
        rows = [connection.execute(select(table)).all() for table in TABLES.sorted_tables]
    return repr(rows).lower()


def test_what_is_told_is_kept_with_its_day_and_no_time(journal: Journal) -> None:
    journal.tell(GOOD, 90)
    assert journal.told() == [dataclasses.replace(GOOD, at=today())]


def test_what_is_asked_is_kept_with_its_quotes(journal: Journal) -> None:
    assert journal.note(HURTS, 90)
    (kept,) = journal.noted()
    assert dataclasses.replace(kept, id=0) == dataclasses.replace(HURTS, day=today())


def test_several_questions_are_kept_together_and_their_order_is_not(journal: Journal) -> None:
    questions = [Noted("r1", f"question {number}", "no_answer", "not_found") for number in range(40)]
    assert journal.note_all(questions, 90) == 40
    kept = [one.question for one in journal.noted()]
    assert sorted(kept) == sorted(one.question for one in questions)
    assert kept != [one.question for one in questions]


def test_a_message_with_private_data_is_not_kept_at_all(journal: Journal, where: str) -> None:
    assert not journal.note(Noted("r1", PRIVATE, "no_answer", "private_data"), 90)
    assert journal.note_all([HURTS, Noted("r1", PRIVATE, "answer")], 90) == 1
    assert [one.question for one in journal.noted()] == ["does it hurt"]
    assert not re.search("jane|mail.example|345 6789", stored(journal, where))


def test_private_data_told_with_a_quote_never_reaches_the_journal(journal: Journal, where: str) -> None:
    journal.tell(Feedback("r1", "a.md", 0, 1, "other", PRIVATE), 90)
    assert not re.search("jane|mail.example|345 6789", stored(journal, where))
    assert "does it hurt" in journal.told()[0].question


def test_of_an_urgent_message_only_the_route_is_kept(journal: Journal, where: str) -> None:
    assert journal.note(Noted("r1", "I want to end it all", "urgent", "self_harm"), 90)
    (kept,) = journal.noted()
    assert (kept.route, kept.question, kept.card, kept.quotes) == ("urgent", "", "", ())
    assert not re.search("end it all|self_harm", stored(journal, where))


def test_a_long_question_is_cut_after_it_was_masked(journal: Journal) -> None:
    journal.tell(Feedback("r1", "a.md", 0, 1, "other", "x" * 490 + " jane.tan@mail.example"), 90)
    journal.note(Noted("r1", "y" * 4000, "answer"), 90)
    assert "jane" not in journal.told()[0].question
    assert len(journal.told()[0].question) <= 500
    assert journal.noted()[0].question == "y" * 500


def test_what_no_database_takes_is_left_out(journal: Journal) -> None:
    journal.tell(dataclasses.replace(GOOD, question="does\x00 it \ud800hurt"), 90)
    journal.note(Noted("r1", "皮肤\x00会红吗 \udfff", "answer"), 90)
    assert (journal.told()[0].question, journal.noted()[0].question) == ("does  it  hurt", "皮肤 会红吗  ")


def test_questions_can_be_read_from_a_day_on(journal: Journal) -> None:
    journal.note(Noted("r1", "old", "answer", "", (Spot("a.md", 1, 2),)), 90)
    aged(journal, 5)
    journal.note(HURTS, 90)
    since = datetime.now(UTC).date() - timedelta(days=4)
    assert [one.question for one in journal.noted()] == ["old", "does it hurt"]
    assert [(one.question, len(one.quotes)) for one in journal.noted(since)] == [("does it hurt", 2)]


def test_what_is_too_old_is_deleted_when_it_is_time_though_nothing_new_comes(journal: Journal, where: str) -> None:
    journal.note(HURTS, 90)
    journal.tell(GOOD, 90)
    aged(journal, 8)
    assert journal.expire(8) == 0
    assert len(journal.noted()) == len(journal.told()) == 1
    assert journal.expire(7) == 2
    assert journal.noted() == []
    assert journal.told() == []
    assert "does it hurt" not in stored(journal, where)


def test_what_is_too_old_is_deleted_when_something_new_comes(journal: Journal, opened: Open) -> None:
    journal.note(HURTS, 90)
    aged(journal, 8)
    later = opened()
    later.tell(GOOD, 7)
    assert later.noted() == []
    assert len(later.told()) == 1


def test_it_can_be_emptied_and_nothing_stays_in_the_file(journal: Journal, opened: Open, where: str) -> None:
    journal.note_all([Noted("r1", f"secret question {number}", "answer") for number in range(300)], 90)
    journal.tell(dataclasses.replace(GOOD, question="another secret"), 90)
    opened().noted()
    assert "secret" in stored(journal, where)
    journal.empty()
    assert "secret" not in stored(journal, where)
    assert (journal.noted(), journal.told(), list(journal.export())) == ([], [], [])
    journal.note(HURTS, 90)
    assert len(journal.noted()) == 1


def test_emptying_says_when_somebody_still_reads_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.database._WAITS", 0.2)
    path = tmp_path / "journal.sqlite3"
    journal = Journal.open(path)
    journal.note(HURTS, 90)
    with sqlite3.connect(path) as reading:
        rows = reading.execute("begin").execute("select question from asked")
        assert rows.fetchone() == ("does it hurt",)
        with pytest.raises(JournalError, match=r"journal\.sqlite3.*(another process|locked)"):
            journal.empty()
    reading.close()
    journal.empty()
    assert b"does it hurt" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    journal.close()


def test_it_can_be_exported_line_by_line(journal: Journal) -> None:
    journal.note(HURTS, 90)
    journal.tell(GOOD, 90)
    told, asked = map(json.loads, journal.export())
    assert told == {"kind": "feedback", **dataclasses.asdict(GOOD), "at": today()}
    assert asked == {
        "kind": "asked", "day": today(), "release": "r1", "question": "does it hurt", "route": "answer", "card": "",
        "quotes": [{"doc": "a.md", "start": 3, "end": 9}, {"doc": "b.pdf", "start": 0, "end": 4}],
    }  # fmt: skip


def test_how_each_article_was_used(journal: Journal) -> None:
    one, two = Spot("a.md", 0, 5), Spot("b.md", 0, 5)
    for quotes in ((one,), (one, Spot("a.md", 7, 9)), (one, two), ()):
        journal.note(Noted("r1", "q", "answer", "", quotes), 90)
    for felt in ("helped", "other", "outdated"):
        journal.tell(Feedback("r1", "b.md", 0, 5, felt), 90)
    aged(journal, 3)
    journal.note(Noted("r1", "q", "answer", "", (two,)), 90)
    assert journal.by_article(30) == {"a.md": Cited(3, 2, 0, 0), "b.md": Cited(2, 1, 1, 2)}
    assert journal.by_article(2) == {"b.md": Cited(1, 1, 0, 0)}


def test_many_may_write_at_once_and_nothing_is_lost(opened: Open) -> None:
    journals = [opened() for _ in range(2)]

    def write(journal: Journal, number: int) -> None:
        for each in range(10):
            journal.tell(Feedback(f"r{number}", "a.md", each, each + 1, "helped"), 90)
            journal.note(HURTS, 90)

    threads = [threading.Thread(target=write, args=(journals[number % 2], number)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(journals[0].told()), len(journals[1].noted())) == (40, 40)


WRITERS = """
import os, random, resource, signal, sys, time
from retrieval.errors import JournalError
from retrieval.journal import Journal, Noted, Spot

def write(where, name, most, told):
    journal = Journal.open(where)
    for number in range(most):
        spots = (Spot("a.md", number, number + 1),)
        journal.note(Noted(name, f"{name} asks {number} " + "x" * 200, "answer", "", spots), 90)
        told()

def several(where, writers):
    "Some processes that begin the journal and write at once."
    children = []
    for writer in range(writers):
        child = os.fork()
        if not child:
            write(where, f"w{writer}", 15, lambda: None)
            os._exit(0)
        children.append(child)
    print(*(os.waitpid(child, 0)[1] for child in children))

def killed(where, kills):
    "Processes, each killed at some moment while it writes; of each, how many entries it was told are kept."
    chance = random.Random(1)
    for kill in range(kills):
        reads, writes = os.pipe()
        child = os.fork()
        if not child:
            write(where, f"w{kill}", 10_000, lambda: os.write(writes, b"."))
        os.close(writes)
        told = len(os.read(reads, 1))
        time.sleep(chance.random() * 0.2)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while more := os.read(reads, 65536):
            told += len(more)
        print(told, flush=True)

def full(where, room):
    "Writes until there is no more room; how many entries it was told are kept, and what it was told then."
    Journal.open(where).close()
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    kept = []
    try:
        write(where, "w0", 10_000, lambda: kept.append(1))
    except JournalError as problem:
        print(len(kept), problem)

globals()[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
"""


def written(what: str, where: str, number: int) -> str:
    """What processes that wrote to a journal have to say."""
    command = [sys.executable, "-c", WRITERS, what, where, str(number)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def kept_by(journal: Journal, name: str) -> list[int]:
    """The numbers of what a writer noted; each must be there whole."""
    mine = [one for one in journal.noted() if one.release == name]
    for one in mine:
        assert [spot.start for spot in one.quotes] == [int(one.question.split()[2])]
    return sorted(one.quotes[0].start for one in mine)


def test_several_processes_may_begin_a_journal_and_write_at_once(where: str, opened: Open) -> None:
    assert written("several", where, 3).split() == ["0", "0", "0"]
    journal = opened()
    assert [kept_by(journal, f"w{number}") for number in range(3)] == [list(range(15))] * 3


def test_a_process_killed_while_it_writes_loses_nothing_that_it_was_told_is_kept(where: str, opened: Open) -> None:
    told = [int(line) for line in written("killed", where, 10).split()]
    journal = opened()
    assert len(told) == 10
    for kill, count in enumerate(told):
        numbers = kept_by(journal, f"w{kill}")
        assert numbers in (list(range(count)), list(range(count + 1))), kill  # one may be kept that it was not told of
    if "://" not in where:
        with sqlite3.connect(where) as database:
            assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        database.close()


def test_a_full_disk_loses_nothing_that_was_kept_and_says_so(tmp_path: Path) -> None:
    where = str(tmp_path / "journal.sqlite3")
    count, said = written("full", where, 150_000).split(" ", 1)
    assert re.search(r"journal\.sqlite3: the journal cannot be used \(.+\)\. Put another file in PATIENT_FAQ_JOURNAL", said)
    journal = Journal.open(where)
    assert kept_by(journal, "w0") == list(range(int(count)))
    assert int(count) > 3
    journal.note(HURTS, 90)
    journal.close()


def test_a_server_that_was_away_is_found_again(postgres: Postgres) -> None:
    journal = Journal.open(postgres.fresh())
    journal.note(HURTS, 90)
    postgres.stop()
    try:
        with pytest.raises(
            JournalError, match=r"postgresql://this machine/postgres: the journal cannot be used \(.+\)\. Check"
        ) as no:
            journal.note(HURTS, 90)
    finally:
        postgres.start()
    assert Postgres.password not in str(no.value)
    journal.note(HURTS, 90)
    assert len(journal.noted()) == 2
    journal.close()


def test_a_file_that_was_deleted_meanwhile_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal.open(path)
    journal.note(HURTS, 90)
    for file in tmp_path.iterdir():
        file.unlink()
    journal.note(HURTS, 90)
    assert len(journal.noted()) == 1
    assert path.is_file()
    journal.close()


def test_readers_and_a_writer_do_not_wait_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal.open(path)
    with sqlite3.connect(path) as database:
        assert database.execute("pragma journal_mode").fetchone() == ("wal",)
        database.execute("begin").execute("select * from asked").fetchall()
        journal.note(HURTS, 90)
    database.close()
    journal.close()


OLD = """
create table feedback (
    id integer not null, at varchar(20) not null, release varchar(64) not null, doc varchar(300) not null,
    start integer not null, "end" integer not null, felt varchar(20) not null, question varchar(500) not null, primary key (id)
)
"""


def test_a_journal_of_the_version_before_gets_what_it_lacks_and_loses_its_times(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute(OLD)
        database.execute("insert into feedback values (1, '2999-01-02T03:04:05', 'r1', 'a.md', 3, 9, 'helped', 'does it hurt')")
    database.close()
    journal = Journal.open(path)
    assert journal.told() == [dataclasses.replace(GOOD, at="2999-01-02")]
    journal.note(HURTS, 90)
    journal.tell(GOOD, 90)
    assert (len(journal.noted()), len(journal.told())) == (1, 2)
    journal.close()


def test_a_file_that_is_no_journal_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b"no database at all, and long enough to be looked at as one" * 20)
    with pytest.raises(JournalError, match=r"j: the journal cannot be used \(.+\)\. Put another file in PATIENT_FAQ_JOURNAL"):
        Journal.open(path)
    with pytest.raises(JournalError, match="PATIENT_FAQ_JOURNAL"):
        Journal.open(path / "below")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://faq:hunter2@127.0.0.1:1/faq",
        "postgres://faq:hunter2@127.0.0.1:1/faq",
        "postgresql://faq:hun@hunter2@127.0.0.1/faq",
        "postgresql://faq:x:hunter2@127.0.0.1:hunter2/faq",
        "postgresql://faq:a/hunter2@127.0.0.1:1/faq?sslmode=prefer",
        "postgresql://127.0.0.1:1/faq?user=faq&password=hunter2",
        "postgresql://faq:hunter2@127.0.0.1:1",
        "mysql://faq:hunter2@127.0.0.1/faq",
        "hunter2 hunter2://x",
    ],
)
def test_what_is_said_of_an_address_names_the_setting_and_never_a_password(address: str) -> None:
    with pytest.raises(JournalError, match="PATIENT_FAQ_JOURNAL") as no:
        Journal.open(address)
    shown = str(no.value) + repr(no.value.__cause__) + repr(no.value.__context__ if not no.value.__suppress_context__ else "")
    assert "hunter2" not in shown


def test_a_wrong_password_is_said_without_it(postgres: Postgres) -> None:
    address = postgres.fresh().replace(Postgres.password, "hunter2")
    with pytest.raises(JournalError, match=r"journal cannot be used \(.*password authentication failed.*") as no:
        Journal.open(address)
    assert "hunter2" not in str(no.value)


def test_a_missing_driver_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "retrieval.database.find_spec", lambda name: None if name == "psycopg" else importlib.util.find_spec(name)
    )
    with pytest.raises(JournalError, match=r"PATIENT_FAQ_JOURNAL.*pip install 'patient-faq\[postgres\]'"):
        Journal.open("postgresql://faq@127.0.0.1/faq")


COLUMNS = {f"{table.name}.{column.name}" for table in TABLES.sorted_tables for column in table.columns}


def test_the_document_on_privacy_lists_every_column_and_no_other() -> None:
    text = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+\.\w+)` \| (.+?) \|", text, flags=re.MULTILINE))
    assert set(rows) == COLUMNS
    assert all(len(what) > 10 for what in rows.values()), rows


# Which words of the patients' page tell of each column that says something of a patient, in each language.
TOLD = {
    "asked.question": ("your question", "soalan anda", "您的问题"),
    "asked.day": ("the day", "hari", "日期"),
    "asked.route": ("what kind of answer", "jenis jawapan", "哪一类回答"),
    "asked.card": ("what kind of answer", "jenis jawapan", "哪一类回答"),
    "asked.quotes": ("which quotes", "petikan mana", "哪些引文"),
    "quoted.doc": ("which quotes", "petikan mana", "哪些引文"),
    "quoted.start": ("which quotes", "petikan mana", "哪些引文"),
    "quoted.end": ("which quotes", "petikan mana", "哪些引文"),
    "feedback.felt": ("the button", "butang itu", "该按钮"),
    "feedback.doc": ("the quote", "petikan", "引文"),
    "feedback.start": ("the quote", "petikan", "引文"),
    "feedback.end": ("the quote", "petikan", "引文"),
    "feedback.at": ("the day", "hari", "日期"),
    "feedback.question": ("your question", "soalan anda", "您的问题"),
    "gap.note": ("notes", "nota", "笔记"),
}
NOTHING_OF_PATIENTS = {
    "asked.id", "asked.release", "quoted.asked", "quoted.place", "feedback.id", "feedback.release", "gap.id", "gap.title",
    "gap.owner", "gap.state", "gap.since", "grouped.source", "grouped.question", "grouped.gap",
}  # fmt: skip


@pytest.mark.parametrize("place", [0, 1, 2], ids=["en", "ms", "zh"])
def test_the_patients_page_on_privacy_tells_of_every_column(place: int) -> None:
    assert set(TOLD) | NOTHING_OF_PATIENTS == COLUMNS
    words = words_of(("en", "ms", "zh")[place])
    asked = " ".join(words(f"privacy.{name}", days=30) for name in ("asked_on", "asked_never", "asked_staff"))
    said = {"asked": asked, "quoted": asked, "feedback": words("privacy.feedback_on", days=30), "gap": asked}
    for column, phrases in TOLD.items():
        assert phrases[place] in said[column.split(".")[0]].lower(), column
    assert "30" in said["asked"]
    assert "30" in said["feedback"]
