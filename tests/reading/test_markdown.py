"""Markdown: its structure, and the metadata between the fences at its top."""

from __future__ import annotations

import pytest
from samples import blocks, headings, read, refused, sections, sentences

ARTICLE = "# Redness\n\nIt fades.\n\n## Sun\n\nStay *inside* and [rest](https://example.org).\n"


def test_headings_paragraphs_and_lists_are_found() -> None:
    reading = read("a.md", "# Redness\n\nIt **fades** in\ntwo days.\n\n## Bring\n\n- a hat\n- your card\n\n1. Wash\n2. Wait\n")
    assert reading.title == "Redness"
    assert blocks(reading) == [
        ("heading", "Redness"),
        ("paragraph", "It fades in two days."),
        ("heading", "Bring"),
        ("item", "a hat"),
        ("item", "your card"),
        ("item", "Wash"),
        ("item", "Wait"),
    ]


def test_markup_is_left_behind() -> None:
    assert sentences(read("a.md", ARTICLE)) == ["It fades.", "Stay inside and rest."]


def test_a_row_of_a_table_is_one_item() -> None:
    assert blocks(read("a.md", "| Area | Visits |\n|---|---|\n| Face | 3 |\n"))[1] == ("item", "Face: 3")


def test_a_bold_line_is_a_heading_and_a_bold_sentence_is_not() -> None:
    reading = read("a.md", "# Laser\n\n**Is it safe?**\n\nYes.\n\n**Never drink before a visit.**\n")
    assert sections(reading) == [(), ("Is it safe?",)]
    assert sentences(reading) == ["Yes.", "Never drink before a visit."]


def test_scripts_and_pictures_are_left_out() -> None:
    reading = read("a.md", "It fades. ![a face](face.png)\n\n<script>alert(1)</script>\n\n<b>Rest</b> well.\n")
    assert sentences(reading) == ["It fades.", "Rest well."]


@pytest.mark.parametrize(
    "front",
    [
        '+++\ntitle = "Red skin"\nreviewed_on = 2026-05-03\ntopics = ["laser"]\n+++\n',
        "---\ntitle: Red skin\nreviewed_on: 2026-05-03\ntopics: [laser]\n---\n",
        '\ufeff+++\r\ntitle = "Red skin"\r\nreviewed_on = 2026-05-03\r\ntopics = ["laser"]\r\n+++\r\n',
    ],
)
def test_metadata_stands_between_fences(front: str) -> None:
    reading = read("a.md", front + ARTICLE)
    assert reading.metadata["title"] == "Red skin"
    assert str(reading.metadata["reviewed_on"]) == "2026-05-03"
    assert reading.metadata["topics"] == ["laser"]
    assert headings(reading) == ["Redness", "Sun"]


@pytest.mark.parametrize("front", ["+++\ntitle = \n+++\n", "---\ntitle: [\n---\n", "---\nreviewed_on: 2026-13-45\n---\n"])
def test_metadata_that_cannot_be_read_is_refused(front: str) -> None:
    with refused(f"the lines between {front[:3]} at its top cannot be read", name="a.md", remedy="Mend them"):
        read("a.md", front + ARTICLE)


def test_prose_between_two_rules_is_no_metadata_and_stays() -> None:
    reading = read("a.md", "---\n\nIt fades in two days. Note: not always.\n\n---\n\n" + ARTICLE)
    assert sentences(reading)[0] == "It fades in two days."
    assert reading.metadata == {}


def test_empty_fences_are_left_out() -> None:
    assert blocks(read("a.md", "---\n---\nIt fades.\n")) == [("paragraph", "It fades.")]
