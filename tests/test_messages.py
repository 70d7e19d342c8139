"""Example messages: read line by line, and divided so that no scenario is on both sides."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import ClassifierError
from retrieval.messages import Message, comparable, digest_of, load_messages
from retrieval.training import scenario_folds


def test_messages_have_route_kind_and_scenario(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("# lips\nu: my lip is huge\ns: i want to die\n\nx: prices\nu: my lip is huge\n", "utf-8")
    assert load_messages(tmp_path) == (
        Message("my lip is huge", "urgent", "urgent", "lips"),
        Message("i want to die", "urgent", "self_harm", "lips"),
        Message("prices", "no_answer", "other", "lips"),
    )


@pytest.mark.parametrize("line", ["q: what", "u:no blank", "just words", "u: "])
def test_a_line_that_is_no_message_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "one.txt").write_text(f"# a\nu: fine\n{line}\n", "utf-8")
    with pytest.raises(ClassifierError, match=r"one\.txt, line 3"):
        load_messages(tmp_path)


def test_only_general_questions_in_english_are_compared_with() -> None:
    assert comparable(Message("does it hurt?", "answer", "general", ""))
    assert not comparable(Message("sakit tak buat laser ni", "no_answer", "general", ""))
    assert not comparable(Message("what time do you open", "no_answer", "other", ""))


def test_the_digest_minds_texts_and_kinds() -> None:
    one, other = Message("a", "urgent", "urgent", ""), Message("a", "urgent", "self_harm", "")
    assert digest_of([one]) == digest_of([Message("a", "consult", "urgent", "elsewhere")]) != digest_of([other])


@given(st.lists(st.integers(0, 12), min_size=12, max_size=80), st.integers(2, 5))
def test_no_scenario_is_on_both_sides_and_each_message_is_tested_once(scenarios: list[int], count: int) -> None:
    messages = [Message(str(place), "urgent", "urgent", str(number)) for place, number in enumerate(scenarios)]
    folds = scenario_folds(messages, count)
    assert sorted(place for _, tested in folds for place in tested) == list(range(len(messages)))
    for learned, tested in folds:
        assert not {messages[place].scenario for place in learned} & {messages[place].scenario for place in tested}
        assert sorted([*learned, *tested]) == list(range(len(messages)))
