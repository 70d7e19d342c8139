"""The tab History: what was done, whether it is whole, putting a release back, and taking everything away."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from seen import Seen
from staffing import EDITOR, PUBLISHER, staffed
from tabs import Tabs

from retrieval.history import Entry
from retrieval.journal import Journal, Noted
from retrieval.keeping.publishing import Kept
from web.staff.past import chain_html, entries_html, will_html


@pytest.fixture
def tabs(corpus: Path, corpus_index: Path, tmp_path: Path) -> Tabs:
    """Two releases: the second says three days."""
    tabs = Tabs(tmp_path, corpus, corpus_index)
    article = corpus / "articles" / "redness.md"
    article.write_text(article.read_text().replace("two days", "three days"))
    tabs.desk.publish(PUBLISHER, "it was <i>three</i> days")
    return tabs


@pytest.fixture
def before(tabs: Tabs) -> str:
    return next(kept.release for kept in tabs.desk.releases() if not kept.in_force)


def _in_force(tabs: Tabs) -> str:
    return next(kept.release for kept in tabs.desk.releases() if kept.in_force)


def test_the_history_is_shown_newest_first_and_said_to_be_whole(tabs: Tabs) -> None:
    told = tabs.act("show")
    rows = Seen(told["pf-past-list"]).texts["tr"]
    assert "published" in rows[1]
    assert PUBLISHER in rows[1]
    assert "it was <i>three</i> days" in rows[1]
    assert "i" not in Seen(told["pf-past-list"]).tags
    assert "whole: 2 entries" in Seen(told["pf-past-chain"]).text


def test_a_new_clinic_reads_that_nothing_was_published_yet(tabs: Tabs) -> None:
    shutil.rmtree(tabs.desk.settings.index)
    told = tabs.act("show")
    assert told["pf-past-said"] == ""
    assert "Nothing was published yet" in told["pf-past-chain"]


def test_a_history_of_which_nothing_is_in_force_is_no_new_one(tabs: Tabs) -> None:
    (tabs.desk.settings.index / "current").unlink()
    assert "no release has been built" in tabs.act("show")["pf-past-said"]


def test_an_altered_entry_is_said_plainly(tabs: Tabs) -> None:
    first = sorted((tabs.desk.settings.index / "history").glob("*.json"))[0]
    first.write_text(first.read_text().replace('"note": "', '"note": "changed '))
    seen = Seen(tabs.act("show")["pf-past-chain"])
    assert "not whole" in seen.text
    assert "entry 2: does not follow the one before" in seen.text


def test_what_would_change_between_two_releases(tabs: Tabs, before: str) -> None:
    told = tabs.act("compare_them", before, _in_force(tabs))
    assert "redness.md: changed" in Seen(told["pf-past-compared"]).text
    assert "Choose two releases" in tabs.act("compare_them", before, before)["pf-past-said"]


def test_putting_back_asks_first_and_says_what_will_happen(tabs: Tabs, before: str) -> None:
    now = _in_force(tabs)
    told = tabs.act("ask_first", before, by=PUBLISHER)
    seen = Seen(told["pf-past-will"]).text
    for words in (before[:12], now[:12], "without a restart", "files in the folder", "kept aside", "Drafts"):
        assert words in seen
    assert _in_force(tabs) == now
    told = tabs.act("put_back", (before, now), "it was two", by=PUBLISHER)
    assert "from now on; 1 file in the folder was changed" in Seen(told["pf-past-said"]).text
    assert _in_force(tabs) == before
    assert "two days" in (tabs.desk.settings.corpus / "articles" / "redness.md").read_text()
    entry = tabs.desk.history()[0][-1]
    assert (entry.what, entry.by, entry.note) == ("rolled back", PUBLISHER, "it was two")


def test_articles_that_come_back_and_that_go_are_named() -> None:
    entry = Entry(1, "2026-01-02T03:04:05+00:00", "published", "A", "b", "r" * 16, "")
    seen = Seen(will_html(Kept("r" * 16, (entry,), False, True), "n" * 16, ["Sun <b>"], ["Rain", "Hail"])).text
    assert "Patients see these again: Sun <b>." in seen
    assert "Patients do not see these any more: Rain, Hail." in seen


def test_only_publishers_put_back_and_not_without_a_reason_or_an_answer(tabs: Tabs, before: str) -> None:
    now = _in_force(tabs)
    assert "only a publisher" in Seen(tabs.act("ask_first", before)["pf-past-said"]).text
    assert "only a publisher" in Seen(tabs.act("put_back", (before, now), "because", by=EDITOR)["pf-past-said"]).text
    assert "Write why" in tabs.act("put_back", (before, now), " ", by=PUBLISHER)["pf-past-said"]
    assert "Choose the release" in tabs.act("put_back", None, "because", by=PUBLISHER)["pf-past-said"]
    assert "since you were asked" in tabs.act("put_back", (now, before), "because", by=PUBLISHER)["pf-past-said"]
    assert _in_force(tabs) == now
    shown = tabs.act("show", by=EDITOR)
    assert [value for value in shown.values() if value == {"visible": False, "__type__": "update"}]


def test_figures_that_were_overridden_stand_there_with_the_reason() -> None:
    details = {"overridden": ["hit@1 is <0.5>"], "reason": "the old text was *wrong*"}
    seen = Seen(entries_html([Entry(1, "2026-01-02T03:04:05+00:00", "published", "A", "b", "r" * 16, "", details=details)]))
    assert "Published although:hit@1 is <0.5>Reason: the old text was *wrong*" in seen.text
    assert "2026-01-02 03:04" in seen.text
    assert "Nothing was published" in chain_html([], [])


def test_emptying_the_journal_asks_first_and_is_for_publishers(tabs: Tabs) -> None:
    with (tabs.desk.settings.corpus / "clinic.toml").open("a", encoding="utf-8") as settings:
        settings.write("journal = true\n")
    journal = Journal.open(tabs.desk.settings.journal)
    journal.note(Noted("r", "why", "no_answer", "not_found"), 90)
    assert "only a publisher" in tabs.act("empty_it")["pf-past-said"]
    assert len(journal.noted()) == 1
    assert "The journal is empty" in tabs.act("empty_it", by=PUBLISHER)["pf-past-said"]
    assert journal.noted() == []
    journal.close()


def test_publishers_take_everything_away_and_nothing_stays_on_the_disk(tabs: Tabs, tmp_path: Path) -> None:
    own = tabs.desk.settings
    (tmp_path / "staff").mkdir()
    with staffed(tmp_path / "staff", own.corpus, index=own.index, journal=own.journal) as server:
        client = server.signed_in()
        reply = client.post("/export")
        assert reply.status_code == 200
        assert reply.headers["content-disposition"].startswith('attachment; filename="patient-faq-')
        with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
            assert "corpus/articles/redness.md" in archive.namelist()
        assert list((server.folder / "files").rglob("*")) == []
        assert client.post("/journal").status_code == 404  # there is none
        with (own.corpus / "clinic.toml").open("a", encoding="utf-8") as settings:
            settings.write("journal = true\n")
        journal = Journal.open(own.journal)
        journal.note(Noted("r", "why", "no_answer", "not_found"), 90)
        journal.close()
        assert json.loads(client.post("/journal").text.splitlines()[0])["question"] == "why"
        for path in ("/export", "/journal"):
            assert client.post(path, headers={"origin": "https://evil.example"}).status_code == 403
            assert client.get(path).status_code == 404
            assert server.signed_in(EDITOR).post(path).status_code == 403
            assert server.client().post(path).status_code == 401
