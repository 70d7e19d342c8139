"""A message word by word: what it names, and the small words in it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from retrieval import said
from retrieval.errors import SettingsError
from retrieval.said import Said, singular


def things(text: str) -> list[tuple[str, str]]:
    message = Said.of(text)
    return [(thing.kind, " ".join(message.words[thing.first : thing.end])) for thing in message.things]


def test_marks_between_words_are_left_out() -> None:
    assert Said.of("And tattoos -- (how) long?").words == ("And", "tattoos", "how", "long")


def test_the_longest_name_counts_with_the_words_that_describe_it() -> None:
    assert things("does redness last") == [("effect", "redness")]
    assert things("will deep acne scars fade on my upper lip") == [("problem", "deep acne scars"), ("part", "my upper lip")]


def test_names_are_found_in_the_plural_and_with_a_slip_of_the_pen() -> None:
    assert things("tattoos") == [("problem", "tattoos")]
    assert things("wrinkels") == [("problem", "wrinkels")]


@pytest.mark.parametrize(
    ("plural", "one"), [("scars", "scar"), ("patches", "patch"), ("redness", "redness"), ("gas", "gas"), ("virus", "virus")]
)
def test_a_word_in_the_singular(plural: str, one: str) -> None:
    assert singular(plural) == one


def test_parts_of_a_message_are_messages() -> None:
    message = Said.of("how long does it last")
    assert message[:2].words == ("how", "long")
    assert (message[:1] + message[4:]).words == ("how", "last")
    assert message[:2].key == "how"
    assert Said().key == ""


def test_data_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said, "FILE", Path("none.toml"))
    with pytest.raises(SettingsError, match=r"none\.toml"):
        said.field.__wrapped__()


def test_no_thing_is_listed_under_two_kinds() -> None:
    names = sorted(said.field.__wrapped__().kinds.items())
    assert all(one[0] != other[0] for one, other in pairwise(names))
