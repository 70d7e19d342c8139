"""What patients ask reaches the journal where the clinic wants it, without delay, without what must not be kept."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from support import ROOT, Postgres

from retrieval.assistant import Assistant
from retrieval.journal import ASKED, Feedback, Journal, Noted
from retrieval.types import Answer, Card
from web import recording
from web.recording import Recorder

Serve = Callable[..., AbstractContextManager[httpx.Client]]
LASTS = "How long does redness last?"
UNKNOWN = "Do you know who was the first king of France"
DYING = "I can't breathe and my face is swelling up"
JUDGED = (("rules", 0.1), ("route", 0.1))


def ask(site: httpx.Client, question: str, history: Sequence[Any] = ()) -> list[Any]:
    """Ask as the page does; returns the chat as it then is."""
    config = json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", site.get("/").text, re.DOTALL)[1])
    number = next(one["id"] for one in config["dependencies"] if [*one["targets"][0]][1] == "submit")
    sent = {"data": [question, list(history)], "fn_index": number, "session_hash": "s"}
    reply = site.post("/gradio_api/run/predict", json=sent)
    assert reply.status_code == 200, reply.text
    shown: list[Any] = reply.json()["data"][1]["value"]
    return shown


def kept(where: str | Path) -> list[Noted]:
    journal = Journal.open(where)
    try:
        return sorted((replace(one, id=0) for one in journal.noted()), key=lambda one: one.question.lower())
    finally:
        journal.close()


def until(there: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that failed is tried again at once."""
    monkeypatch.setattr(recording, "_RESTS", 0.0)


@pytest.fixture
def start(keeping: Assistant, where: str) -> Iterator[Callable[..., Recorder]]:
    """Starts recorders, and stops them at the end."""
    started = []

    def begin(room: int = 1000) -> Recorder:
        recorder = Recorder(keeping, where, room)
        recorder.start()
        started.append(recorder)
        return recorder

    yield begin
    for recorder in started:
        recorder.stop()


@pytest.fixture
def answered(keeping: Assistant) -> Answer:
    return Answer("no_answer", card=Card("not_found", "", "", ""), release=keeping.release().id, stages_ms=JUDGED)


def test_each_question_is_noted_with_what_became_of_it(serve: Serve, keeping: Assistant, where: str) -> None:
    with serve(keeping, journal=where) as site:
        for question in (LASTS, UNKNOWN, "can you tell me if this mole on my arm is cancer", DYING, "I want to kill myself"):
            ask(site, question)
        ask(site, "I am Jane. My number is 012-345 6789, does it hurt?")
        ask(site, "  ")
    urgent, other, mole, unknown, lasts = kept(where)
    quoted = keeping.ask(LASTS).quotes[0].citation
    assert {one.release for one in (urgent, other, mole, unknown, lasts)} == {keeping.release().id}
    assert {one.day for one in (urgent, mole, unknown, lasts)} == {datetime.now(UTC).date().isoformat()}
    assert (lasts.question, lasts.route, lasts.card) == (LASTS, "answer", "")
    assert (quoted.doc, quoted.start, quoted.end) in [(spot.doc, spot.start, spot.end) for spot in lasts.quotes]
    assert (unknown.question, unknown.route, unknown.card, unknown.quotes) == (UNKNOWN, "no_answer", "not_found", ())
    assert (mole.route, mole.card) == ("consult", "consult")
    assert urgent == other
    assert (urgent.route, urgent.question, urgent.card) == ("urgent", "", "")


def test_where_the_clinic_keeps_no_journal_nothing_is_noted(serve: Serve, assistant: Assistant, tmp_path: Path) -> None:
    with serve(assistant, journal=str(tmp_path / "j")) as site:
        ask(site, LASTS)
    assert list(tmp_path.iterdir()) == []


def test_a_question_that_leans_on_the_one_before_is_noted_as_it_was_looked_for(
    serve: Serve, keeping: Assistant, tmp_path: Path
) -> None:
    with serve(keeping, journal=str(tmp_path / "j")) as site:
        ask(site, "and swelling?", ask(site, LASTS))
    assert [one.question for one in kept(tmp_path / "j")] == [LASTS, "How long does swelling last"]


@pytest.mark.parametrize("before", [DYING, "I want to kill myself", f"My name is Jane Tan. {LASTS}"])
def test_nothing_of_a_message_that_is_not_kept_comes_with_the_next_one(
    serve: Serve, keeping: Assistant, tmp_path: Path, before: str
) -> None:
    with serve(keeping, journal=str(tmp_path / "j")) as site:
        shown = ask(site, before)
        ask(site, "and with a hat?", shown)
    assert {one.question for one in kept(tmp_path / "j") if one.question} <= {"and with a hat?"}


def test_what_there_is_no_time_for_is_not_noted_but_danger_is_counted(serve: Serve, keeping: Assistant, tmp_path: Path) -> None:
    with serve(keeping, journal=str(tmp_path / "j"), capacity=0) as site:
        ask(site, LASTS)
        ask(site, DYING)
    assert [(one.route, one.question) for one in kept(tmp_path / "j")] == [("urgent", "")]


def test_evaluation_and_the_command_line_are_not_recorded(
    serve: Serve, keeping: Assistant, small_corpus: Path, tmp_path: Path
) -> None:
    path = tmp_path / "j"
    with serve(keeping, journal=str(path)) as site:
        keeping.ask(LASTS)
        site.get("/readyz")
        told = {
            "PATIENT_FAQ_JOURNAL": str(path),
            "PATIENT_FAQ_INDEX": str(keeping._index),
            "PATIENT_FAQ_CORPUS": str(small_corpus),
        }
        command = [sys.executable, "-m", "retrieval", "ask", LASTS]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **told}, capture_output=True, text=True, timeout=120)
        assert "Redness lasts for two days." in done.stdout, done.stderr
    assert not path.exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "as written"),
        ({"searched": "as it was looked for"}, "as it was looked for"),
        ({"searched": "my name is Jane Tan, as it was looked for"}, "as written"),
        ({"route": "urgent"}, ""),
        ({"card": Card("language", "", "", "")}, ""),
        ({"card": Card("trouble", "", "", "")}, ""),
        ({"stages_ms": JUDGED[:1]}, ""),
    ],
)
def test_words_are_kept_only_of_what_was_wholly_judged(
    start: Callable[..., Recorder], answered: Answer, where: str, changed: dict[str, Any], words: str
) -> None:
    recorder = start()
    recorder.asked("as written", replace(answered, **changed))
    recorder.asked("private", replace(answered, private=("name",)))
    recorder.asked("busy", replace(answered, card=Card("busy", "", "", "")))
    recorder.stop()
    assert [one.question for one in kept(where)] == [words]


def test_words_are_not_kept_while_the_router_is_not_in_use(
    start: Callable[..., Recorder], answered: Answer, keeping: Assistant, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping.release(), "classifier", None)
    recorder = start()
    recorder.asked("perhaps urgent", answered)
    recorder.stop()
    assert [(one.question, one.card) for one in kept(where)] == [("", "not_found")]


def test_what_waits_is_written_before_it_stops(
    start: Callable[..., Recorder], answered: Answer, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    noting = Journal.note_all
    monkeypatch.setattr(Journal, "note_all", lambda *given: go.wait(60) and noting(*given))
    recorder = start()
    for number in range(250):
        recorder.asked(f"question {number}", answered)
    threading.Timer(0.2, go.set).start()
    recorder.stop()
    assert len(kept(where)) == 250


def test_a_journal_that_is_slow_holds_up_nobody_and_what_is_too_much_is_dropped(
    start: Callable[..., Recorder],
    answered: Answer,
    where: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    go, began = threading.Event(), threading.Event()
    noting = Journal.note_all

    def slow(*given: Any) -> int:
        began.set()
        go.wait(60)
        return noting(*given)

    monkeypatch.setattr(Journal, "note_all", slow)
    monkeypatch.setattr(recording, "_TELLS_WITHIN", 0.1)
    recorder = start(room=3)
    recorder.asked("question first", answered)
    began.wait(60)
    for number in range(10):  # each returns though nothing can be written
        recorder.asked(f"question {number}", answered)
    assert not recorder.told(Feedback("r", "a.md", 0, 1, "helped"))
    go.set()
    recorder.stop()
    assert [one.question for one in kept(where)] == ["question 0", "question 1", "question 2", "question first"]
    assert "not kept at the moment: too many entries are waiting" in caplog.text
    assert "question" not in caplog.text


def test_a_database_that_is_away_delays_no_answer_and_is_found_again(
    serve: Serve, keeping: Assistant, postgres: Postgres, at_once: None, caplog: pytest.LogCaptureFixture
) -> None:
    where = postgres.fresh()
    with serve(keeping, journal=where) as site:
        ask(site, "Do most tattoos need nine sessions?")
        until(lambda: len(kept(where)) == 1)
        postgres.stop()
        try:
            assert "Redness lasts for two days" in str(ask(site, LASTS))
            until(lambda: "is not kept at the moment" in caplog.text)
        finally:
            postgres.start()
        ask(site, UNKNOWN)
        until(lambda: len(kept(where)) == 2)
    assert [one.question for one in kept(where)] == ["Do most tattoos need nine sessions?", UNKNOWN]
    assert "in the journal again; 1 entries were not" in caplog.text
    assert not re.search(f"redness|tattoo|king|{Postgres.password}", caplog.text, re.IGNORECASE)


def test_a_file_that_cannot_be_written_is_found_again_too(
    start: Callable[..., Recorder], answered: Answer, keeping: Assistant, at_once: None, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    path = tmp_path / "other" / "j"
    path.parent.mkdir()
    path.write_bytes(b"no database " * 200)
    recorder = Recorder(keeping, str(path))
    recorder.start()
    recorder.asked("question lost", answered)
    until(lambda: "not kept at the moment" in caplog.text)
    path.unlink()
    recorder.asked("question found", answered)
    recorder.stop()
    assert [one.question for one in kept(path)] == ["question found"]
    assert "question" not in caplog.text


def test_a_fault_of_any_kind_ends_nothing_and_repeats_nothing(
    start: Callable[..., Recorder], answered: Answer, where: str, at_once: None, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def fail(*given: Any) -> int:
        raise RuntimeError(str(given))

    recorder = start()
    with monkeypatch.context() as broken:
        broken.setattr(Journal, "note_all", fail)
        recorder.asked("question lost", answered)
        until(lambda: "RuntimeError" in caplog.text)
    recorder.asked("question without a release", replace(answered, release="gone"))
    recorder.asked("question found", answered)
    recorder.stop()
    assert [one.question for one in kept(where)] == ["question found"]
    assert "NoRelease" in caplog.text
    assert "question" not in caplog.text


def _aged(where: str, days: int) -> None:
    journal = Journal.open(where)
    with journal.database.writing() as connection:
        day = (datetime.now(UTC) - timedelta(days=days)).date().isoformat()
        connection.execute(update(ASKED).values(day=day))
    journal.close()


@pytest.mark.parametrize("turned_on", [True, False])
def test_what_is_too_old_goes_when_the_chat_starts_also_where_the_journal_is_off_by_now(
    keeping: Assistant, assistant: Assistant, where: str, turned_on: bool
) -> None:
    journal = Journal.open(where)
    journal.note(Noted("r", "old", "answer"), 365)
    journal.close()
    _aged(where, 91)
    recorder = Recorder(keeping if turned_on else assistant, where)
    recorder.start()
    recorder.stop()
    assert kept(where) == []


def test_what_is_too_old_goes_though_nobody_asks_anything(
    start: Callable[..., Recorder], answered: Answer, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_EXPIRES_EVERY", 0.05)
    recorder = start()
    recorder.asked("new", answered)
    until(lambda: kept(where))
    _aged(where, 31)
    until(lambda: not kept(where))


def test_a_journal_that_cannot_be_cleared_is_said_and_the_chat_goes_on(
    serve: Serve, keeping: Assistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "j"
    path.write_bytes(b"no database " * 200)
    with caplog.at_level(logging.ERROR), serve(keeping, journal=str(path)) as site:
        assert "Redness lasts for two days" in str(ask(site, LASTS))
    assert "what is too old cannot be deleted from the journal" in caplog.text
