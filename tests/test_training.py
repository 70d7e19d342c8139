"""Training: kinds that differ are told apart, and chance is always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import WordEncoder

from retrieval.messages import Message
from retrieval.training import Encoded, encode_messages, train, with_questions

PLACES = ("cheek", "arm", "leg", "chin", "neck", "brow", "hand", "back", "foot", "nose")


@pytest.fixture(scope="module")
def encoded() -> Encoded:
    texts = [f"my {place} is {word}" for word in ("burning", "priced") for place in PLACES] * 30
    messages = [Message(text, "urgent", "urgent" if "burning" in text else "other", text) for text in texts]
    return encode_messages(messages, WordEncoder())


def test_it_learns_to_tell_kinds_apart(encoded: Encoded) -> None:
    told: list[tuple[str, int, int]] = []
    classifier = train(encoded, range(len(encoded.messages)), "words@1", progress=lambda *step: told.append(step))
    one, other = WordEncoder().encode_questions(["my ankle is burning", "my ankle is priced"])
    burning = classifier.kinds_of(one.text, one.vector, one.tokens)
    priced = classifier.kinds_of(other.text, other.vector, other.tokens)
    assert burning.urgent > 0.5 > priced.urgent
    assert priced.other > 0.5
    assert told[-1] == ("Training", len(told), len(told))


def test_the_same_input_gives_the_same_arrays(encoded: Encoded) -> None:
    one, other = (train(encoded, range(0, 600, 3), "words@1", seed=4) for _ in range(2))
    assert np.array_equal(one.context, other.context)
    assert one.examples == other.examples


def test_asked_as_questions_are_general_questions_that_articles_answer(tmp_path: Path) -> None:
    (tmp_path / "a.md.txt").write_text("# note\n> Redness fades.\nam i red\nhow red\n> Rest.\nmay i rest\n", encoding="utf-8")
    message = Message("how red", "answer", "general", "mine")
    assert with_questions([message], tmp_path) == (
        message,
        Message("am i red", "answer", "general", "a.md.txt 2"),
        Message("may i rest", "answer", "general", "a.md.txt 5"),
    )
    assert with_questions([message], tmp_path / "nowhere") == (message,)
