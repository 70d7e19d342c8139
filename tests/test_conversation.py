"""Follow-ups are made complete; complete questions are left alone."""

from __future__ import annotations

import pytest

from retrieval.conversation import to_search
from retrieval.types import Turn

EARLIER = [Turn("How long is the skin red?")]


@pytest.mark.parametrize(
    "question", ["and for tattoos?", "why?", "What about acne scars?", "so how many then?", "how long does that last?"]
)
def test_a_follow_up_is_searched_with_the_question_it_follows(question: str) -> None:
    assert to_search(question, EARLIER) == f"How long is the skin red? {question}"


@pytest.mark.parametrize(
    "question", ["How many sessions do I need?", "Does the laser hurt?", "how much does it cost", "is it safe for dark skin"]
)
def test_a_complete_question_is_not_coloured_by_the_one_before(question: str) -> None:
    assert to_search(question, EARLIER) == question


def test_a_second_follow_up_leans_on_the_last_complete_question() -> None:
    history = [Turn("Does it fade scars?"), *EARLIER, Turn("and for tattoos?")]
    assert to_search("and for moles?", history) == "How long is the skin red? and for moles?"


def test_without_earlier_turns_there_is_nothing_to_lean_on() -> None:
    assert to_search("and for tattoos?", []) == "and for tattoos?"
