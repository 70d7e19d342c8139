"""Canonical text in the making."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from samples import refused

from retrieval.reading.draft import MAX_CHARACTERS, Draft, Reading, collapse, named
from retrieval.types import Block

KINDS = st.sampled_from(["heading", "paragraph", "item", "debris"])


def test_white_space_is_folded_and_invisible_characters_are_dropped() -> None:
    assert collapse(" Red\u00adness \n\t lasts\u00a0\u200btwo\u2009days ") == "Redness lasts two days"


def test_items_stand_close_and_paragraphs_apart() -> None:
    draft = Draft()
    draft.add("paragraph", "Bring:")
    draft.add("item", "a hat")
    draft.add("item", "your card")
    draft.add("paragraph", "Rest.")
    assert draft.text == "Bring:\n\na hat\nyour card\n\nRest."


def test_a_block_keeps_its_level_page_and_opening() -> None:
    draft = Draft()
    draft.add("heading", "Red", level=3, page=7, opens=True)
    assert draft.blocks == [Block("heading", 0, 3, 3, 7, True)]


@given(st.lists(st.tuples(KINDS, st.text(max_size=12))))
def test_every_block_is_a_slice_and_none_is_empty(parts: list[tuple[str, str]]) -> None:
    draft = Draft()
    for kind, text in parts:
        draft.add(kind, text)
    assert [draft.text[b.start : b.end] for b in draft.blocks] == [collapse(text) for _, text in parts if collapse(text)]


def test_a_reading_without_a_paragraph_or_item_is_refused() -> None:
    with refused("it holds no text that could be quoted", name="a.txt"):
        named(Path("a.txt"), Reading("Red", (Block("heading", 0, 3), Block("debris", 0, 3))))


def test_a_reading_that_is_absurdly_long_is_refused() -> None:
    text = "a" * (MAX_CHARACTERS + 1)
    with refused("it holds 1,000,001 characters, more than the 1,000,000 an article may have", name="a.txt"):
        named(Path("a.txt"), Reading(text, (Block("paragraph", 0, len(text)),)))
    assert named(Path("a.txt"), Reading(text[1:], (Block("item", 0, 5),)))
