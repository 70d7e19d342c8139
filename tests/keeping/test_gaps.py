"""What patients ask in vain is grouped by meaning, stays where it is, and expires; staff note what they do about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select, update
from support import WordEncoder

from retrieval.encoder import Encoder
from retrieval.errors import JournalError
from retrieval.journal import ASKED, FEEDBACK, GAP, GROUPED, Feedback, Journal, Noted, Spot
from retrieval.keeping import gaps as module
from retrieval.keeping.gaps import Gap, annotate, entitle, find_gap, gaps, grouped, set_state, take

TODAY = datetime.now(UTC).date()


@pytest.fixture
def journal(where: str) -> Iterator[Journal]:
    opened = Journal.open(where)
    yield opened
    opened.close()


def ask(journal: Journal, *questions: str) -> None:
    """Questions that get the card "not in our articles"."""
    journal.note_all([Noted("r", question, "no_answer", "not_found") for question in questions], 90)


def aged(journal: Journal, days: int) -> None:
    """Let all that is kept be as old as this."""
    with journal.database.writing() as connection:
        for column in (ASKED.c.day, FEEDBACK.c.at):
            connection.execute(update(column.table).values({column.name: (TODAY - timedelta(days=days)).isoformat()}))


def seen(found: list[Gap]) -> dict[str, list[str]]:
    return {gap.title: sorted(one.question for one in gap.questions) for gap in found}


def test_questions_that_mean_the_same_are_one_gap_the_most_asked_first(journal: Journal, words: WordEncoder) -> None:
    ask(journal, "may I swim", "can dogs come in", "may I swim in a pool", "may I swim soon", "can dogs come")
    swim, dogs = gaps(journal, words)
    assert (swim.title, swim.count, swim.state, swim.owner) == ("may I swim", 3, "open", "")
    assert sorted(one.question for one in dogs.questions) == ["can dogs come", "can dogs come in"]
    assert swim.newest == TODAY


def test_what_counts_as_asked_in_vain(journal: Journal, words: WordEncoder) -> None:
    spot = Spot("a.md", 0, 5)
    journal.note_all(
        [
            Noted("r", "not found", "no_answer", "not_found"),
            Noted("r", "answered", "answer", "", (spot,)),
            Noted("r", "for a clinician", "consult", "consult"),
            Noted("r", "for the desk", "no_answer", "prices"),
            Noted("r", "", "no_answer", "not_found"),
            Noted("r", "urgent", "urgent", "urgent"),
        ],
        90,
    )
    for felt in ("helped", "other", "outdated"):
        journal.tell(Feedback("r", "a.md", 0, 5, felt, f"{felt} quote"), 90)
    journal.tell(Feedback("r", "a.md", 0, 5, "other", ""), 90)
    found = {one.question: (one.why, one.doc) for gap in gaps(journal, words) for one in gap.questions}
    assert found == {
        "not found": ("not found", ""), "other quote": ("not my question", "a.md"), "outdated quote": ("out of date", "a.md"),
    }  # fmt: skip


def test_new_questions_join_the_nearest_gap_and_none_is_moved(journal: Journal, words: WordEncoder) -> None:
    ask(journal, "may I swim in a pool", "can dogs come in")
    before = {gap.title: gap.id for gap in gaps(journal, words)}
    ask(journal, "may I swim in the pool", "who invented it", "may I swim in a pool")
    after = gaps(journal, words)
    assert {gap.title: gap.id for gap in after if gap.title in before} == before
    assert seen(after) == {
        "may I swim in a pool": ["may I swim in a pool", "may I swim in a pool", "may I swim in the pool"],
        "can dogs come in": ["can dogs come in"],
        "who invented it": ["who invented it"],
    }
    assert gaps(journal, words) == after


def test_staff_take_a_gap_note_what_they_do_and_see_what_was_asked_since(journal: Journal, words: WordEncoder) -> None:
    ask(journal, "may I swim")
    (gap,) = gaps(journal, words)
    taken = take(journal, gap, "Jo  Tan")
    assert (taken.owner, taken.state, taken.since) == ("Jo Tan", "taken", TODAY)
    assert annotate(journal, taken, "ask Dr Lee").note == "ask Dr Lee"
    assert set_state(journal, gap, "answered").state == "answered"
    (stored,) = gaps(journal, words)
    assert (stored.id, stored.owner, stored.state, stored.note, stored.again) == (gap.id, "Jo Tan", "answered", "ask Dr Lee", 0)
    with journal.database.writing() as connection:
        connection.execute(update(GAP).values(since=(TODAY - timedelta(days=2)).isoformat()))
    assert find_gap(journal, words, gap.id).again == 1
    assert take(journal, gap, "").state == "open"


def test_a_title_of_the_staff_s_own_outlives_the_questions_and_gathers_new_ones(journal: Journal, words: WordEncoder) -> None:
    ask(journal, "may I swim in the pool", "can dogs come in")
    dogs, swim = sorted(gaps(journal, words), key=lambda gap: gap.title)
    assert entitle(journal, swim, "swim in the sea").title == "swim in the sea"
    aged(journal, 91)
    assert journal.expire(90) == 2
    (left,) = gaps(journal, words)
    assert (left.id, left.title, left.count, left.newest) == (swim.id, "swim in the sea", 0, None)
    with journal.database.reading() as connection:
        assert connection.execute(select(GROUPED)).all() == []
    ask(journal, "swim in the big sea")
    (gap,) = gaps(journal, words)
    assert (gap.id, gap.count) == (swim.id, 1)
    assert entitle(journal, gap, "").title == "swim in the big sea"
    with pytest.raises(JournalError, match=r"gap .+ is gone"):
        take(journal, dogs, "Jo")


def test_a_title_that_was_a_patient_s_question_goes_with_it(journal: Journal, words: WordEncoder) -> None:
    ask(journal, "may I swim in a pool")
    gaps(journal, words)
    aged(journal, 60)
    ask(journal, "may I swim in a pond")
    (both,) = gaps(journal, words)
    assert both.count == 2
    assert journal.expire(30) == 1
    (left,) = gaps(journal, words)
    assert (left.id, seen([left])) == (both.id, {"may I swim in a pond": ["may I swim in a pond"]})


def test_two_who_look_at_the_same_time_make_no_gap_twice(
    journal: Journal, where: str, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(journal, "may I swim", "can dogs come in")
    placing = module._place
    other = Journal.open(where)

    def meanwhile(*given: object) -> dict[tuple[str, int], str]:
        monkeypatch.setattr(module, "_place", placing)
        gaps(other, words)
        return placing(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_place", meanwhile)
    found = gaps(journal, words)
    assert [gap.count for gap in found] == [1, 1]
    assert found == gaps(other, words)
    other.close()


def test_more_questions_than_are_compared_at_once_still_find_together(
    journal: Journal, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 3)
    ask(journal, *(f"may I swim in pool {number}" for number in range(10)), "can dogs come in")
    assert [gap.count for gap in gaps(journal, words)] == [10, 1]


def test_what_cannot_be_is_refused_in_words(journal: Journal, words: WordEncoder) -> None:
    ask(journal, "may I swim")
    (gap,) = gaps(journal, words)
    with pytest.raises(JournalError, match="open, taken, answered, set aside"):
        set_state(journal, gap, "done")  # type: ignore[arg-type]
    with pytest.raises(JournalError, match="at most 300"):
        entitle(journal, gap, "x" * 301)
    with pytest.raises(JournalError, match="There is no gap nothing"):
        find_gap(journal, words, "nothing")


def test_it_all_goes_when_the_journal_is_emptied(journal: Journal, words: WordEncoder) -> None:
    ask(journal, "may I swim")
    entitle(journal, gaps(journal, words)[0], "Swimming")
    journal.empty()
    assert gaps(journal, words) == []


def test_the_day_of_a_question_is_kept(journal: Journal, words: WordEncoder) -> None:
    ask(journal, "may I swim")
    aged(journal, 7)
    (gap,) = gaps(journal, words)
    assert [one.day for one in gap.questions] == [TODAY - timedelta(days=7)]
    assert isinstance(gap.newest, date)


def test_the_model_puts_together_what_means_the_same(journal: Journal, real_encoder: Encoder) -> None:
    ask(journal, "how soon can I wear make-up again", "when may i put make up on after it", "is parking free at the clinic")
    ask(journal, "can I park my car there for free")
    assert sorted(gap.count for gap in gaps(journal, real_encoder)) == [2, 2]


def test_groups_by_the_mean_cosine() -> None:
    angles = np.radians([0, 20, 90, 100, 45])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    one, two, three, four, _ = grouped(rows, 0.9)
    assert one == two != three == four
    assert len(set(grouped(rows, 0.999))) == 5
    assert len(set(grouped(rows, -1.0))) == 1
    assert grouped(rows[:1]) == [0]
    assert grouped(rows[:0]) == []
