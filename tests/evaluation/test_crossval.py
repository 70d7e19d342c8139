"""Cross-validation by scenario: every message is routed once, by what other scenarios taught."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.assistant import Assistant
from retrieval.clinic import load_clinic
from retrieval.evaluation.crossval import as_judged, cross_validate
from retrieval.messages import Message
from retrieval.rules import Rules

LEARNABLE = [
    Message(f"{word} umbrella b{place}", "urgent", "urgent", f"blue-{place}")
    for place in range(30)
    for word in ("blue", "so blue")
]
HARMLESS = [Message(f"green hat g{place}", "no_answer", "other", f"green-{place}") for place in range(60)]
ALONE = [Message(text, "urgent", "urgent", "alone") for text in ("green hat zorp", "zorp green hat", "a zorp green hat")]


@pytest.fixture
def assistant(corpus: Path, corpus_index: Path, words: WordEncoder) -> Assistant:
    return Assistant(corpus_index, words, Rules.floor(), load_clinic(corpus))


def test_messages_are_routed_by_what_other_scenarios_taught(
    assistant: Assistant, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.training._EPOCHS", 60)  # so few messages must be seen more often
    messages = [*LEARNABLE, *HARMLESS, *ALONE]
    told: list[tuple[str, int, int]] = []
    found = cross_validate(assistant, words, messages, lambda *step: told.append(step))
    assert sorted(outcome.judged.turns[0] for outcome in found.outcomes) == sorted(message.text for message in messages)
    routes = {outcome.judged.turns[0]: outcome.route for outcome in found.outcomes}
    assert {routes[message.text] for message in LEARNABLE} == {"urgent"}
    assert {routes[message.text] for message in HARMLESS} == {"no_answer"}
    assert "urgent" not in {routes[message.text] for message in ALONE}, "a scenario was on both sides"
    assert told[-1] == ("Training and routing", 5, 5)


def test_a_general_question_in_another_language_is_expected_to_get_its_card() -> None:
    messages = [Message(text, "answer", "general", "one") for text in ("berapa lama muka merah lepas pico?", "how long?")]
    assert [item.route for item in as_judged(messages, ["en"])] == ["no_answer", "answer"]
    assert as_judged(messages, ["en"], first=7)[0].id == "m-00008"
