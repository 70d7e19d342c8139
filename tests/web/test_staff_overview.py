"""The tab Overview: a row an article, and plots that say in words what they show."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from seen import Seen
from tabs import Tabs

from retrieval.journal import Feedback, Journal, Noted, Spot
from web.staff.overview import by_day, overview_html, plots_html
from web.staff.plots import Bar, Span, bars_svg, days_svg, spans_svg

TODAY = date(2026, 6, 1)


@pytest.fixture
def tabs(corpus: Path, corpus_index: Path, tmp_path: Path) -> Tabs:
    with (corpus / "clinic.toml").open("a", encoding="utf-8") as settings:
        settings.write("journal = true\n")
    reviewed = (datetime.now(UTC).date() - timedelta(days=40)).isoformat()
    (corpus / "articles" / "sun.toml").write_text(
        f'title = "Sun <b>&</b> you"\nreviewed_by = "Dr. Tan"\nreviewed_on = {reviewed}\n'
    )
    tabs = Tabs(tmp_path, corpus, corpus_index)
    journal = Journal.open(tabs.desk.settings.journal)
    journal.note_all(
        [Noted("r", "sun?", "answer", quotes=(Spot("sun.html", 0, 9),)), Noted("r", "x", "no_answer", "not_found")], 90
    )
    journal.tell(Feedback("r", "sun.html", 0, 9, "other"), 90)
    journal.close()
    return tabs


def test_every_article_has_a_row_with_all_figures(tabs: Tabs) -> None:
    seen = Seen(tabs.act("refresh_overview")["pf-overview-list"])
    heads = [
        "Article",
        "State",
        "Review",
        "Days since review",
        "Passages",
        "Differs on",
        "Quoted",
        "Disliked",
        "Only it answers",
    ]
    assert seen.texts["th"][: len(heads)] == heads
    rows = seen.texts["tr"][1:]
    assert len(rows) == 3
    assert "b" not in seen.tags
    sun = next(row for row in rows if "Sun <b>&</b> you" in row)
    assert re.search(r"review: 40Passages: \dDiffers on: 0Quoted: 1Disliked: 1Only it answers: 1$", sun), sun
    assert any("never" in row for row in rows)


def test_without_a_journal_nothing_is_said_of_quotes(corpus: Path, corpus_index: Path, tmp_path: Path) -> None:
    tabs = Tabs(tmp_path, corpus, corpus_index)
    told = tabs.act("refresh_overview")
    assert "keeps no journal" in told["pf-overview-list"]
    assert Seen(told["pf-overview-list"]).texts["th"][-4] != "Quoted"
    assert told["pf-overview-plots"] == ""  # and nothing was reviewed either
    (corpus / "articles" / "sessions.toml").write_text('reviewed_by = "Dr Lim"\nreviewed_on = 2026-05-03\n')
    assert tabs.act("refresh_overview")["pf-overview-plots"].count("<figure") == 1
    assert "There are no articles yet" in overview_html([], True)
    assert plots_html([], None, TODAY) == ""


def test_plots_say_in_words_what_they_show(tabs: Tabs) -> None:
    seen = Seen(tabs.act("refresh_overview")["pf-overview-plots"])
    said = [each["aria-label"] or "" for each in seen.of("svg") if each.get("role") == "img"]
    assert len(said) == 3
    assert "Sun <b>&</b> you: reviewed" in said[0]
    assert "quoted 1 times, disliked 1 times" in said[1]
    assert "1 questions were answered with quotes, and 1 were not found" in said[2]


def test_bars_are_as_long_as_their_numbers() -> None:
    bars = [
        rect for rect in Seen(bars_svg([Bar("a", 10, 5), Bar("b", 0, 0)])).of("rect") if (rect["width"] or "").endswith("%")
    ]
    assert [float((rect["width"] or "").rstrip("%")) for rect in bars] == [88.0, 44.0, 0.0, 0.0]


def test_today_stands_between_what_was_and_what_is_to_come() -> None:
    seen = Seen(spans_svg([Span("a", date(2026, 1, 1), date(2027, 1, 1)), Span("b", None, date(2026, 3, 1))], TODAY))
    today = next(float((line["x1"] or "").rstrip("%")) for line in seen.of("line") if line["class"] == "pf-today")
    circles = [float((circle["cx"] or "").rstrip("%")) for circle in seen.of("circle")]
    assert circles[1] < today < circles[0]
    assert "never reviewed" in spans_svg([Span("b", None, None)], TODAY)


def test_a_column_goes_up_for_answered_and_down_for_not_found() -> None:
    counts = {TODAY: (4, 2), TODAY - timedelta(days=40): (9, 9)}
    rects = [rect for rect in Seen(days_svg(counts, TODAY, 30)).of("rect") if (rect["width"] or "").endswith("%")]
    up, down = rects
    assert (up["height"], down["height"]) == ("90.0", "45.0")
    assert float(up["y"] or "") + 90 == float(down["y"] or "")


def test_urgent_questions_count_as_neither() -> None:
    noted = [Noted("r", "", "urgent", day="2026-06-01"), Noted("r", "x", "answer", quotes=(Spot("a", 0, 1),), day="2026-06-01")]
    assert by_day(noted) == {TODAY: (1, 0)}
