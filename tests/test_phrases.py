"""The pattern language of the routing rules."""

from __future__ import annotations

import pytest

from retrieval.errors import SettingsError
from retrieval.phrases import Pattern, clauses, words


def found(pattern: str, text: str) -> bool:
    return Pattern(pattern).find(words(text)) is not None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("swollen lips", "my SWOLLEN lips!", True),
        ("swollen lips", "lips swollen", False),
        ("lip|lips", "my lips", True),
        ("swell*", "swelling", True),
        ("swell*", "unswell", False),
        ("lips .. swell*", "lips are getting so swelled", True),
        ("lips .. swell*", "lips one two three four five swelled", False),
        ("fever & laser*", "had the laser, now a fever", True),
        ("fever & laser*", "fever", False),
        ("cant breathe", "I can't breathe", True),
        ("cant breathe", "I can’t breathe", True),
        ("soo sore", "it is sooooo sore", True),
        ("胸口", "我的胸口很痛", True),
        ("胸口", "胸很口", False),
        ("cafe", "Café", True),
    ],
)
def test_what_a_pattern_finds(pattern: str, text: str, expected: bool) -> None:
    assert found(pattern, text) is expected


def test_where_a_pattern_stands_is_told() -> None:
    assert Pattern("lips .. swell*").find(words("oh my lips have swelled up")) == (2, 5)


@pytest.mark.parametrize("pattern", ["", "  ", "!", "a|!", "{nosuch}"])
def test_a_pattern_that_means_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(SettingsError, match="pattern"):
        Pattern(pattern)


def test_messages_are_divided_at_full_stops_and_questions() -> None:
    assert clauses("No fever. Is it normal? 发烧了。怎么办") == ["No fever", "Is it normal", "发烧了", "怎么办"]
