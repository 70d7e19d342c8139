"""The tab Gaps: seen, taken on, answered from an article; and words of patients that are words and never markup."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from seen import Seen
from staffing import EDITOR
from tabs import Tabs

from retrieval.errors import CorpusError, EditConflict
from retrieval.journal import Noted
from retrieval.keeping.gaps import Gap, InVain
from web.staff.gaps import gap_html, list_html, sentence_choices, sentences_chosen

QUESTION = "When am I <b>pale</b> *again*?"


@pytest.fixture
def tabs(corpus: Path, corpus_index: Path, tmp_path: Path) -> Tabs:
    with (corpus / "clinic.toml").open("a", encoding="utf-8") as settings:
        settings.write("journal = true\n")
    tabs = Tabs(tmp_path, corpus, corpus_index)
    journal = tabs.desk.journal()
    assert journal
    journal.note_all([Noted("r", QUESTION, "no_answer", "not_found"), Noted("r", QUESTION, "no_answer", "not_found")], 90)
    journal.close()
    return tabs


@pytest.fixture
def gap(tabs: Tabs) -> str:
    return tabs.desk.gaps()[0].id


def test_without_a_journal_it_says_how_to_turn_it_on_and_what_is_kept(corpus: Path, corpus_index: Path, tmp_path: Path) -> None:
    told = Tabs(tmp_path, corpus, corpus_index).act("refresh", False)
    seen = Seen(told["pf-gaps-list"]).text
    assert "keeps no journal" in seen
    assert "journal = true" in seen
    assert "Not kept are names" in seen
    assert not (tmp_path / "journal.sqlite3").exists()


def test_gaps_are_listed_with_how_many_and_where_they_stand(tabs: Tabs) -> None:
    told = tabs.act("refresh", False)
    seen = Seen(told["pf-gaps-list"])
    assert seen.texts["tr"][1].startswith(f"{QUESTION}Questions: 2")
    assert "State: openWho is at it: –" in seen.texts["tr"][1]
    assert "b" not in seen.tags  # a patient's words are words
    assert told["pf-gaps-pick"]["visible"]


def test_somebody_takes_a_gap_on_and_gives_it_back(tabs: Tabs, gap: str) -> None:
    told = tabs.act("take_on", False, gap)
    assert f"{EDITOR} is at it" in Seen(told["pf-gap"]).text
    assert tabs.desk.gap(gap).owner == EDITOR
    tabs.act("give_back", False, gap)
    assert (tabs.desk.gap(gap).owner, tabs.desk.gap(gap).state) == ("", "open")


def test_title_note_and_state_are_kept(tabs: Tabs, gap: str) -> None:
    tabs.act("keep", False, gap, "Being pale", "ask *Tan*", "set aside")
    kept = tabs.desk.gap(gap)
    assert (kept.title, kept.note, kept.state) == ("Being pale", "ask *Tan*", "set aside")
    assert "Being pale" not in tabs.act("refresh", False)["pf-gaps-list"]
    assert "Being pale" in tabs.act("refresh", True)["pf-gaps-list"]


def test_a_state_that_does_not_change_keeps_its_day(tabs: Tabs, gap: str) -> None:
    tabs.act("keep", False, gap, QUESTION, "a note", "open")
    assert tabs.desk.gap(gap).since is None


def test_a_gap_is_answered_from_an_article_with_the_next_release(tabs: Tabs, gap: str) -> None:
    assert "0 of 1" in Seen(tabs.act("prove_gap", gap)["pf-gap-proof"]).text
    first = sentence_choices(tabs.desk, "redness.md")[0]
    assert first[0] == "1. Redness fades in two days."
    told = tabs.act("attach_it", "redness.md", first[1], first[1], "when am i pale again")
    assert "Next: look at what would change in Publish" in Seen(told["pf-gaps-said"]).text
    assert "> Redness fades in two days.\nwhen am i pale again" in (
        tabs.desk.settings.corpus / "questions" / "redness.md.txt"
    ).read_text(encoding="utf-8")
    assert (
        "attached there already" in tabs.act("attach_it", "redness.md", first[1], None, "when am i pale again")["pf-gaps-said"]
    )
    assert "Done" in tabs.act("judge_it", "redness.md", first[1], None, "when am i pale again")["pf-gaps-said"]


def test_sentences_of_an_article_that_changed_meanwhile_are_not_taken_for_others(tabs: Tabs) -> None:
    first, second = (value for _, value in sentence_choices(tabs.desk, "redness.md")[:2])
    assert sentences_chosen(tabs.desk, "redness.md", first, second) == ("redness.md", 0, 1)
    article = tabs.desk.settings.corpus / "articles" / "redness.md"
    article.write_text(article.read_text().replace("Redness fades", "Do not worry. Redness fades"))
    with pytest.raises(EditConflict, match="has changed since"):
        sentences_chosen(tabs.desk, "redness.md", first, second)
    with pytest.raises(CorpusError, match="Choose the article"):
        sentences_chosen(tabs.desk, "redness.md", None, None)
    assert "Not done" in tabs.act("attach_it", "redness.md", first, second, "why")["pf-gaps-said"]
    assert not (tabs.desk.settings.corpus / "questions").exists()


def test_an_article_is_begun_as_a_draft(tabs: Tabs) -> None:
    told = tabs.act("start_it", "Being pale", "When am I pale again?")
    assert "being-pale.md" in Seen(told["pf-gaps-said"]).text
    assert next(held for held in tabs.desk.held() if held.doc == "being-pale.md").standing == "draft"


def test_who_is_signed_out_changes_nothing(tabs: Tabs, gap: str) -> None:
    for event, given in (("take_on", [False, gap]), ("start_it", ["A title", "A question?"])):
        assert "not signed in" in tabs.act(event, *given, by=None)["pf-gaps-said"]
    assert tabs.desk.gap(gap).owner == ""
    assert len(tabs.desk.held()) == 3


def test_what_patients_disliked_names_the_article_and_long_lists_end() -> None:
    asked = tuple(InVain(f"why {number}", date(2026, 1, 2), "out of date", "a<b>.md") for number in range(60))
    seen = Seen(gap_html(Gap("1", "Why", asked, note="<i>x</i>")))
    assert "on a quote of a<b>.md" in seen.text
    assert "and 10 more" in seen.text
    assert not {"b", "i"} & set(seen.tags)
    assert "There are no gaps" in list_html([])


def test_a_journal_that_cannot_be_opened_is_said(tabs: Tabs, tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"not a database" * 100)
    assert "Not done" in tabs.act("refresh", False)["pf-gaps-said"]
    assert (tmp_path / "journal.sqlite3").read_bytes() == b"not a database" * 100
