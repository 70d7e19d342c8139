"""Reviews have teeth: staff are warned, then patients are told, then what the clinic names is withdrawn, to the day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.review import due, review_notes, withdrawn_from
from retrieval.types import Article, Clinic, Metadata

REVIEW_BY = date(2026, 5, 3)
CLINIC = Clinic("c", False, review_warn_days=30, withdraw_topics=("aftercare", "Wound  care"), withdraw_after_days=14)
ORDER = ("", "soon", "due", "withdrawn")

dates = st.dates()
topics = st.lists(st.sampled_from(["aftercare", "AFTERCARE", "wound care", "prices", ""]), max_size=3).map(tuple)
clinics = st.builds(
    Clinic, st.just("c"), st.just(False), review_warn_days=st.integers(0, 730), withdraw_topics=topics,
    withdraw_after_days=st.integers(0, 730),
)  # fmt: skip
known = st.builds(Metadata, topics=topics, review_by=st.none() | dates)


def article(doc: str, review_by: date | None, *topics: str) -> Article:
    return Article(doc, doc, "", "0", "0", (), (), (), Metadata(review_by=review_by, topics=topics))


@pytest.mark.parametrize(
    ("days", "general", "aftercare"),
    [
        (-31, "", ""), (-30, "soon", "soon"), (0, "soon", "soon"), (1, "due", "due"), (14, "due", "due"),
        (15, "due", "withdrawn"), (5000, "due", "withdrawn"),
    ],
)  # fmt: skip
def test_each_step_comes_on_its_day(days: int, general: str, aftercare: str) -> None:
    today = REVIEW_BY + timedelta(days)
    assert due(Metadata(review_by=REVIEW_BY, topics=("prices",)), CLINIC, today) == general
    assert due(Metadata(review_by=REVIEW_BY, topics=("prices", "aftercare")), CLINIC, today) == aftercare


@pytest.mark.parametrize("topic", ["aftercare", "AfterCare", " aftercare ", "wound care", "WOUND CARE"])
def test_topics_are_the_same_however_they_are_written(topic: str) -> None:
    assert withdrawn_from(Metadata(review_by=REVIEW_BY, topics=(topic,)), CLINIC) == date(2026, 5, 18)


@settings(deadline=None)
@given(known, clinics, dates, dates)
def test_a_review_only_ever_gets_more_overdue(metadata: Metadata, clinic: Clinic, one: date, other: date) -> None:
    earlier, later = (ORDER.index(due(metadata, clinic, day)) for day in sorted((one, other)))
    assert earlier <= later


@settings(deadline=None)
@given(known, clinics, dates)
def test_without_a_date_nothing_is_ever_due_and_without_a_topic_nothing_is_withdrawn(
    metadata: Metadata, clinic: Clinic, today: date
) -> None:
    state, end = due(metadata, clinic, today), withdrawn_from(metadata, clinic)
    shared = {topic.casefold() for topic in metadata.topics} & {topic.casefold() for topic in clinic.withdraw_topics}
    if metadata.review_by is None:
        assert (state, end) == ("", None)
    if not shared:
        assert (state == "withdrawn", end) == (False, None)
    assert (state == "withdrawn") is (end is not None and today >= end)


@settings(deadline=None)
@given(dates, clinics, topics)
def test_patients_are_told_from_the_day_after_and_not_on_the_day(
    review_by: date, clinic: Clinic, topics: tuple[str, ...]
) -> None:
    metadata = Metadata(review_by=review_by, topics=topics)
    assert due(metadata, clinic, review_by) == "soon"
    if review_by < date.max:
        assert due(metadata, clinic, review_by + timedelta(1)) in {"due", "withdrawn"}


def test_the_last_day_of_all_is_no_trouble() -> None:
    never = Metadata(review_by=date.max, topics=("aftercare",))
    assert withdrawn_from(never, CLINIC) is None
    assert [due(never, CLINIC, day) for day in (date.min, date.max)] == ["", "soon"]


def test_staff_are_told_what_happens_when_the_most_overdue_first() -> None:
    today = date(2026, 6, 1)
    articles = [
        article("later.md", date(2027, 1, 1), "aftercare"),
        article("never.md", None, "aftercare"),
        article("soon.md", date(2026, 6, 11), "aftercare"),
        article("today.md", today),
        article("tomorrow.md", date(2026, 6, 2)),
        article("due.md", date(2026, 5, 31), "aftercare"),
        article("gone.md", date(2026, 5, 17), "aftercare"),
        article("old.md", date(2020, 1, 1), "prices"),
    ]
    notes = review_notes(articles, CLINIC, today)
    assert notes == (
        "old.md: was due for review on 2020-01-01; patients are told so.",
        "gone.md: was due for review on 2026-05-17 and is withdrawn by itself since 2026-06-01: "
        "patients see nothing of it until it is reviewed.",
        "due.md: was due for review on 2026-05-31; patients are told so. It is withdrawn by itself on 2026-06-15.",
        "today.md: is due for review on 2026-06-01, today.",
        "tomorrow.md: is due for review on 2026-06-02, tomorrow.",
        "soon.md: is due for review on 2026-06-11, in 10 days. It is withdrawn by itself on 2026-06-26.",
    )
