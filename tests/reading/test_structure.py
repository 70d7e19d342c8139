"""Blocks -> sections and sentences."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.reading.draft import Draft
from retrieval.reading.structure import sections_of, sentences_of
from retrieval.types import Section, Sentence

Part = tuple[str, str] | tuple[str, str, int]


def drafted(*parts: Part, title: str = "Laser", page: int = 0) -> tuple[str, tuple[Section, ...], tuple[Sentence, ...]]:
    """Sections and sentences of blocks given as kind, text and level; the kind "opens" is a paragraph that opens a section."""
    draft = Draft()
    for kind, text, *level in parts:
        draft.add(
            "paragraph" if kind == "opens" else kind, text, level=level[0] if level else 0, page=page, opens=kind == "opens"
        )
    sections, belongs = sections_of(draft.text, tuple(draft.blocks), title)
    return draft.text, sections, sentences_of(draft.text, tuple(draft.blocks), belongs)


def paths(*parts: Part) -> list[tuple[str, ...]]:
    return [section.path for section in drafted(*parts)[1]]


def quotable(*parts: Part) -> list[str]:
    text, _, sentences = drafted(*parts)
    return [text[s.start : s.end] for s in sentences]


def test_a_path_runs_from_the_outermost_heading_to_the_sections_own() -> None:
    assert paths(("heading", "A", 1), ("heading", "B", 2), ("heading", "C", 3), ("heading", "D", 2), ("heading", "E", 1)) == [
        ("A",), ("A", "B"), ("A", "B", "C"), ("A", "D"), ("E",),
    ]  # fmt: skip


def test_the_title_is_no_step_of_a_path() -> None:
    assert paths(("heading", "LASER", 1), ("paragraph", "Red."), ("heading", "Sun", 2)) == [(), ("Sun",)]


def test_a_section_reaches_from_its_heading_to_its_last_block() -> None:
    text, sections, _ = drafted(("paragraph", "Red."), ("heading", "Sun", 1), ("paragraph", "Stay in."), ("item", "Rest."))
    assert [text[s.start : s.end] for s in sections] == ["Red.", "Sun\n\nStay in.\n\nRest."]
    assert [s.title for s in sections] == ["", "Sun"]


def test_a_gap_leaves_the_heading_above() -> None:
    assert paths(("heading", "A", 1), ("heading", "B", 2), ("paragraph", "Red."), ("opens", "Sun.")) == [
        ("A",),
        ("A", "B"),
        ("A",),
    ]


def test_sentences_know_their_section_block_and_page() -> None:
    _, _, sentences = drafted(
        ("heading", "A", 1), ("paragraph", "Red. Sun."), ("heading", "B", 1), ("paragraph", "Rest."), page=4
    )
    assert [(s.section, s.block, s.page) for s in sentences] == [(0, 1, 4), (0, 1, 4), (1, 3, 4)]


def test_headings_debris_calls_and_marks_are_not_quoted() -> None:
    parts = [
        ("heading", "A", 1),
        ("debris", "Tags: red"),
        ("paragraph", "Red. Call us now. Call us if it blisters."),
        ("paragraph", "* * *"),
    ]
    assert quotable(*parts) == ["Red.", "Call us if it blisters."]


def test_a_short_list_and_its_head_are_one_sentence() -> None:
    assert quotable(("paragraph", "Read this. Bring:"), ("item", "a hat"), ("item", "a card"), ("paragraph", "Rest.")) == [
        "Read this.",
        "Bring:\n\na hat\na card",
        "Rest.",
    ]


def test_the_items_of_a_long_list_are_quoted_one_by_one() -> None:
    long = "word " * 17 + "end."
    assert quotable(("paragraph", "Bring:"), ("item", long), ("item", "a card")) == ["Bring:", long, "a card"]
    many = [("item", f"a thing that has eight words, number {n}") for n in range(12)]
    assert len(quotable(("paragraph", "Bring:"), *many)) == 13


@pytest.mark.parametrize("after", [[], [("heading", "B", 2), ("item", "a hat")], [("paragraph", "Rest.")]])
def test_the_head_of_a_list_that_is_not_there_is_not_quoted(after: list[Part]) -> None:
    assert "Bring these:" not in quotable(("paragraph", "Red. Bring these:"), *after)


def test_a_list_ends_where_a_new_section_opens() -> None:
    draft = Draft()
    draft.add("paragraph", "Bring:")
    draft.add("item", "a hat")
    draft.add("item", "a card", opens=True)
    sections, belongs = sections_of(draft.text, tuple(draft.blocks), "Laser")
    found = [draft.text[s.start : s.end] for s in sentences_of(draft.text, tuple(draft.blocks), belongs)]
    assert len(sections) == 2
    assert found == ["Bring:\n\na hat", "a card"]


PARTS = st.tuples(
    st.sampled_from(["heading", "paragraph", "item", "debris", "opens"]),
    st.sampled_from(
        ["Red", "Red. Sun? Rest.", "Bring:", "Read. Bring:", "a hat", "Call us now.", "…", "Laser", "one\ntwo. Three"]
    ),
    st.integers(1, 6),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(PARTS, max_size=12))
def test_sentences_lie_in_their_sections_in_order(parts: list[tuple[str, str, int]]) -> None:
    text, sections, sentences = drafted(*parts)
    assert all(a.end <= b.start for a, b in pairwise(sections))
    last = 0
    for sentence in sentences:
        section = sections[sentence.section]
        assert last <= sentence.start < sentence.end
        assert section.start <= sentence.start < sentence.end <= section.end
        assert text[sentence.start : sentence.end].strip() == text[sentence.start : sentence.end]
        last = sentence.end
