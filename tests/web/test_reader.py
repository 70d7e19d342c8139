"""The reader shows the whole article, and exactly the cited words marked in it."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen import Seen

from retrieval.assistant import Assistant
from retrieval.types import Article, Block, Clinic, Metadata
from web.reader import article_page, missing_page, trouble_page

TEXT = "Burns & <scars>\nWhat *helps*?\nCool it. Call us.\nmenu\nice\ncold water\nMore\nSee you."
CLINIC = Clinic("Clinic <A>", False, phone="+1 555 0100", email="a@b.example", emergency_number="112")


def _article(metadata: Metadata | None = None) -> Article:
    """A title, a heading, a paragraph, debris, a list, a heading on the next page and a paragraph, a line each."""
    shapes = [("heading", 1, 1), ("heading", 2, 1), ("paragraph", 0, 1), ("debris", 0, 1), ("item", 0, 1), ("item", 0, 1)]
    shapes += [("heading", 3, 2), ("paragraph", 0, 2)]
    blocks = []
    start = 0
    for (kind, level, page), line in zip(shapes, TEXT.split("\n"), strict=True):
        blocks.append(Block(kind, start, start + len(line), level, page))
        start += len(line) + 1
    return Article("burns.md", "Burns & <scars>", TEXT, "0", "0", tuple(blocks), (), (), metadata or Metadata())


def _marked(start: int, end: int) -> Seen:
    return Seen(article_page(_article(), CLINIC, start, end))


def _solid(text: str) -> str:
    """Text without its blanks: between blocks there are none in HTML."""
    return "".join(text.split())


def test_the_whole_article_is_shown_in_its_shape() -> None:
    shown = _marked(-1, -1)
    assert shown.texts["h1"] == ["Burns & <scars>"]
    assert shown.texts["h2"] == ["What *helps*?"]
    assert shown.texts["h3"] == ["More"]
    assert _solid(shown.texts["article"][0]) == _solid(
        "Page 1 What *helps*? Cool it. Call us. ice cold water Page 2 More See you."
    )
    assert shown.texts["ul"] == ["icecold water"]
    assert "mark" not in shown.tags
    assert "Go to the marked words" not in shown.text
    assert shown.text.count("Burns & <scars>") == 2  # the window's title and the heading


def test_a_quote_is_marked_to_the_letter() -> None:
    start = TEXT.index("Call")
    shown = _marked(start, start + len("Call us."))
    assert shown.texts["mark"] == ["Call us."]
    assert shown.of("mark") == [{"id": "quote"}]
    assert "Go to the marked words" in shown.text


def test_a_quote_over_several_blocks_is_marked_in_each_and_named_once() -> None:
    shown = _marked(TEXT.index("Call"), TEXT.index("cold") + len("cold"))
    assert shown.texts["mark"] == ["Call us.", "ice", "cold"]
    assert shown.of("mark") == [{"id": "quote"}, {}, {}]


@given(st.integers(-5, len(TEXT) + 5), st.integers(-5, len(TEXT) + 5))
def test_any_offsets_mark_just_what_they_cover_and_change_no_word(start: int, end: int) -> None:
    article = _article()
    shown = _marked(start, end)
    covers = 0 <= start < end <= len(TEXT)
    blocks = [block for block in article.blocks[1:] if block.kind != "debris"]
    cut = [TEXT[max(start, block.start) : min(end, block.end)] for block in blocks] if covers else []
    assert "".join(shown.texts.get("mark", [])) == "".join(cut)
    assert [mark for mark in shown.of("mark") if "id" in mark] == ([{"id": "quote"}] if any(cut) else [])
    assert ("Go to the marked words" in shown.text) is any(cut)
    assert shown.texts["article"] == _marked(-1, -1).texts["article"]
    assert shown.texts["ol"] == _marked(-1, -1).texts["ol"]


def test_contents_lead_to_their_headings() -> None:
    shown = _marked(-1, -1)
    anchors = {attributes["id"] for tag in ("h2", "h3") for attributes in shown.of(tag)}
    links = {(link["href"] or "").removeprefix("#") for link in shown.of("a") if (link["href"] or "").startswith("#")}
    assert links == anchors
    assert len(anchors) == 2


def test_real_articles_are_shown_word_for_word(assistant: Assistant) -> None:
    for article in assistant.release().articles:
        for sentence in article.sentences:
            shown = Seen(article_page(article, CLINIC, sentence.start, sentence.end))
            assert _solid("".join(shown.texts["mark"])) == _solid(article.text[sentence.start : sentence.end])


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (Metadata(), "Not yet reviewed by a clinician."),
        (Metadata(reviewed_on=date(2026, 5, 3), reviewed_by="Dr A. TAN"), "Reviewed 3 May 2026 by Dr A. TAN."),
    ],
)
def test_the_review_comes_first_and_keeps_its_names(metadata: Metadata, says: str) -> None:
    shown = Seen(article_page(_article(metadata), CLINIC))
    assert says in shown.text
    assert shown.text.index(says) < shown.text.index("Cool it.")


def test_where_it_was_written_from_comes_last() -> None:
    shown = Seen(article_page(_article(Metadata(based_on="A <leaflet>", publisher="P & Q", language="ms")), CLINIC))
    assert (
        shown.text.index("See you.") < shown.text.index("Written from: A <leaflet>.") < shown.text.index("Published by P & Q.")
    )
    assert shown.of("article") == [{"lang": "ms"}]
    assert "Written from" not in Seen(article_page(_article(), CLINIC)).text


def _says_whom_to_call(shown: Seen) -> bool:
    links = {link["href"] for link in shown.of("a")}
    return {"tel:+15550100", "mailto:a@b.example", "/"} <= links and "call 112" in shown.text and "Clinic <A>" in shown.text


def test_every_page_says_whom_to_call(clinic: Clinic) -> None:
    troubled = dataclasses.replace(CLINIC, cards=clinic.cards)
    assert _says_whom_to_call(_marked(-1, -1))
    assert _says_whom_to_call(Seen(missing_page(CLINIC)))
    assert _says_whom_to_call(Seen(trouble_page(troubled)))
    assert Seen(missing_page(CLINIC)).texts["h1"] == ["This page is no longer there"]
    assert Seen(trouble_page(troubled)).texts["h1"] == ["Something went wrong on our side"]


def test_a_clinic_without_contacts_is_still_pointed_to(bare_clinic: Clinic) -> None:
    text = Seen(missing_page(bare_clinic)).text
    assert "Please contact the clinic directly." in text
    assert "your local emergency number" in text
