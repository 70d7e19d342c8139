"""The tab Overview: every article at a glance, and plots where looking beats reading."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from retrieval.journal import Noted
from retrieval.keeping.desk import Overview
from web.look import gr
from web.staff.plots import Bar, Span, bars_svg, days_svg, spans_svg
from web.staff.room import PRIVATE, Room, Updates, escaped, telling
from web.staff.showing import shown_date
from web.staff.tables import table_html

__all__ = ["by_day", "lay_out", "overview_html", "plots_html"]

_DAYS = 30
_MOST = 40
"""Articles in a plot; the table has them all."""
_STANDING = {"unreadable": "cannot be read", "new": "new: goes out next", "changed": "changed: goes out next"}
_REVIEW = {"soon": "due soon", "due": "overdue: patients are told", "withdrawn": "overdue: withdrawn by itself"}


def lay_out(room: Room, tab: gr.Tab) -> None:
    """Lay out the tab, and connect what happens in it."""
    desk = room.desk
    gr.Markdown("## Overview\n\nEvery article, how it stands, and how patients meet it.")
    said = gr.Markdown(elem_id="pf-overview-said")
    look = gr.Button("Look again", elem_id="pf-overview-look")
    listed = gr.Markdown(elem_id="pf-overview-list")
    plots = gr.Markdown(elem_id="pf-overview-plots")

    def refresh_overview(request: gr.Request) -> Updates:
        room.person(request)
        today = datetime.now(UTC).date()
        rows = desk.overview(today)
        journal = desk.journal()
        noted: list[Noted] | None = None
        if journal is not None:
            with contextlib.closing(journal):
                noted = journal.noted(today - timedelta(days=_DAYS - 1))
        return {said: "", listed: overview_html(rows, journal is not None), plots: plots_html(rows, noted, today)}

    told: dict[str, Any] = {"show_progress": "minimal", **PRIVATE}
    tab.select(telling(said, refresh_overview), None, [said, listed, plots], show_progress="hidden", **PRIVATE)
    look.click(telling(said, refresh_overview), None, [said, listed, plots], **told)


def overview_html(rows: Sequence[Overview], journal: bool) -> str:
    """The articles as a table.

    Parameters: the articles, and whether a journal is kept: without one nobody knows how often an article was quoted.
    """
    if not rows:
        return "<p>There are no articles yet. Add one in Articles.</p>"
    columns = ["Article", "State", "Review", "Days since review", "Passages", "Differs on"]
    if journal:
        columns += ["Quoted", "Disliked", "Only it answers"]
    body = []
    for row in rows:
        cells: list[object] = [
            _STANDING.get(row.held.standing, row.held.standing),
            _REVIEW.get(row.review) or _due(row),
            "never" if row.age is None else row.age,
            row.passages,
            row.differs,
        ]
        if journal:
            cells += [row.cited.quoted, row.cited.disliked, row.cited.only]
        name = f'{escaped(row.held.title)} <span class="pf-file">{escaped(row.held.doc)}</span>'
        body.append([name, *map(escaped, cells)])
    how = (
        "<p>“Differs on” counts the points on which another article says something else. “Only it answers” counts the "
        "questions for which no other article was quoted.</p>"
        if journal
        else "<p>How often an article is quoted is not known: this clinic keeps no journal.</p>"
    )
    return table_html(columns, body) + how


def _due(row: Overview) -> str:
    due = row.held.article.metadata.review_by if row.held.article else None
    return f"due on {shown_date(due)}" if due else "no date is set"


def plots_html(rows: Sequence[Overview], noted: Sequence[Noted] | None, today: date) -> str:
    """The plots: reviews always, the others where a journal is kept (`noted` is None where there is none)."""
    told = []
    spans = [
        Span(row.held.title, row.held.article.metadata.reviewed_on, row.held.article.metadata.review_by)
        for row in rows
        if row.held.article
    ]
    if any(one.reviewed or one.due for one in spans):
        # What is due first stands first; what has no day comes last.
        told.append(spans_svg(sorted(spans, key=lambda one: one.due or date.max)[:_MOST], today))
    if noted is not None and rows:
        bars = [Bar(row.held.title, row.cited.quoted, row.cited.disliked) for row in rows]
        told.append(bars_svg(sorted(bars, key=lambda bar: (-bar.quoted, -bar.disliked, bar.label))[:_MOST]))
        told.append(days_svg(by_day(noted), today, _DAYS))
    return "".join(told)


def by_day(noted: Iterable[Noted]) -> dict[date, tuple[int, int]]:
    """How many questions of each day were answered with quotes, and how many were not found."""
    counts: dict[date, tuple[int, int]] = {}
    for one in noted:
        day = date.fromisoformat(one.day)
        up, down = counts.get(day, (0, 0))
        counts[day] = (up + (1 if one.quotes else 0), down + (1 if one.card == "not_found" else 0))
    return counts
