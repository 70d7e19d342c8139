"""The words of a field: what is known, what is a slip of the pen, and what belongs elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.vocabulary import Vocabulary

FIELD = Vocabulary.of(["How long does redness last after the laser?", "Wrinkles & pores; 3 sessions"])


def test_words_are_taken_from_texts_without_numbers_and_particles() -> None:
    assert FIELD.words == {"how", "long", "does", "redness", "last", "after", "the", "laser", "wrinkles", "pores", "sessions"}


def test_what_no_text_has_is_foreign_in_the_order_of_the_question() -> None:
    assert FIELD.foreign("How long does GOUT last after 10 beers?") == ["gout", "beers"]
    assert FIELD.foreign("") == []


@pytest.mark.parametrize("slip", ["lazer", "lser", "lasser", "alser", "rednes", "wrinckels", "sesions", "Läser"])
def test_a_slip_of_the_pen_is_not_foreign_but_keeps_its_first_letter(slip: str) -> None:
    assert FIELD.foreign(slip) == ([slip] if slip == "alser" else [])


@pytest.mark.parametrize("word", ["lost", "pox", "tasted", "lists"])
def test_short_words_may_have_few_slips(word: str) -> None:
    assert FIELD.foreign(word) == ([] if word == "lost" else [word])


@given(st.lists(st.text(alphabet="abcdefg", min_size=3, max_size=9), min_size=1))
def test_what_was_read_is_never_foreign_whatever_the_case(texts: list[str]) -> None:
    vocabulary = Vocabulary.of(texts)
    assert all(vocabulary.foreign(text.upper()) == [] for text in texts)
    assert Vocabulary(vocabulary.words).words == vocabulary.words
