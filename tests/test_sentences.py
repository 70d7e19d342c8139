"""Sentence spans: slices in order, with nothing lost in between."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.sentences import sentence_spans

PIECES = st.sampled_from(
    [
        "Dr. ",
        "e.g. ",
        "no. ",
        "5 mg",
        "hrs. ",
        "One",
        " two",
        ". ",
        "? ",
        "! ",
        "\n",
        "\n\n",
        " ",
        "\u00a0",
        "“",
        "”",
        "(",
        ")",
        "-",
        "…",
    ]
)
TEXTS = st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=40).map("".join))


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, 0, len(text))]


def test_each_sentence_is_one_span() -> None:
    assert split("Redness fades. Does it hurt? A little! Wait.") == ["Redness fades.", "Does it hurt?", "A little!", "Wait."]


def test_spans_count_from_the_beginning_of_the_article_and_stay_in_their_block() -> None:
    text = "Before. Redness fades. Wait.\n\nAfter."
    assert [text[start:end] for start, end in sentence_spans(text, 8, 28)] == ["Redness fades.", "Wait."]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Lee sees you at noon.",
        "Use a mild soap, e.g. one for babies.",
        "Take approx. 30 minutes off.",
        "Rest for max. 2 hrs. 30 min. a day.",
        "Take 2.5 mg with water.",
        "Come at 9 a.m. on Monday.",
    ],
)
def test_a_stop_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert split(text) == [text]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Is it safe for children? No. Come back later.", 3),
        ("The answer is no. We do not treat moles.", 2),
        ("Wait 24 hrs. Then wash.", 2),
    ],
)
def test_a_word_that_may_be_an_abbreviation_still_ends_a_sentence(text: str, count: int) -> None:
    assert len(split(text)) == count


def test_a_sentence_may_run_over_lines() -> None:
    assert split("Stay out of\nthe sun. Wear\na hat.") == ["Stay out of\nthe sun.", "Wear\na hat."]


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_there_is_no_sentence_in_white_space(text: str) -> None:
    assert split(text) == []


@settings(deadline=None, max_examples=200)
@given(TEXTS, TEXTS, TEXTS)
def test_spans_are_ordered_hold_every_character_and_have_no_blanks_at_their_ends(before: str, block: str, after: str) -> None:
    text = before + block + after
    start, end = len(before), len(before) + len(block)
    spans = sentence_spans(text, start, end)
    last = start
    for first, until in spans:
        assert last <= first < until <= end
        assert text[first:until] == text[first:until].strip()
        assert not text[last:first].strip()
        last = until
    assert not text[last:end].strip()
