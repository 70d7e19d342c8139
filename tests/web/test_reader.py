"""The reader shows the whole article, and exactly the cited words marked in it."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen import Seen

from retrieval.assistant import Assistant
from retrieval.types import Article, Block, Clinic, Metadata, Place
from web.reader import (
    Printed,
    Standing,
    accessibility_page,
    article_page,
    missing_page,
    privacy_page,
    taken_down_page,
    trouble_page,
)
from web.words import LANGUAGES, words_of

EN = words_of("en")

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
    return Seen(article_page(_article(), CLINIC, EN, start, end))


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
    assert shown.texts["ul"][0] == "icecold water"
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
            shown = Seen(article_page(article, CLINIC, EN, sentence.start, sentence.end))
            assert _solid("".join(shown.texts["mark"])) == _solid(article.text[sentence.start : sentence.end])


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (Metadata(), "Not yet reviewed by a clinician."),
        (Metadata(reviewed_on=date(2026, 5, 3), reviewed_by="Dr A. TAN"), "Reviewed 3 May 2026 by Dr A. TAN."),
    ],
)
def test_the_review_comes_first_and_keeps_its_names(metadata: Metadata, says: str) -> None:
    shown = Seen(article_page(_article(metadata), CLINIC, EN))
    assert says in shown.text
    assert shown.text.index(says) < shown.text.index("Cool it.")


def test_where_it_was_written_from_comes_last() -> None:
    shown = Seen(article_page(_article(Metadata(based_on="A <leaflet>", publisher="P & Q", language="ms")), CLINIC, EN))
    assert (
        shown.text.index("See you.") < shown.text.index("Written from: A <leaflet>.") < shown.text.index("Published by P & Q.")
    )
    assert shown.of("article") == [{"lang": "ms"}]
    assert "Written from" not in Seen(article_page(_article(), CLINIC, EN)).text


def _says_whom_to_call(shown: Seen) -> bool:
    links = {link["href"] for link in shown.of("a")}
    return {"tel:+15550100", "mailto:a@b.example", "/"} <= links and "call 112" in shown.text and "Clinic <A>" in shown.text


def test_every_page_says_whom_to_call(clinic: Clinic) -> None:
    troubled = dataclasses.replace(CLINIC, cards=clinic.cards)
    assert _says_whom_to_call(_marked(-1, -1))
    assert _says_whom_to_call(Seen(missing_page(CLINIC, EN)))
    assert _says_whom_to_call(Seen(trouble_page(troubled, EN)))
    assert Seen(missing_page(CLINIC, EN)).texts["h1"] == ["This page is no longer there"]
    assert Seen(trouble_page(troubled, EN)).texts["h1"] == ["Something went wrong on our side"]


def test_a_clinic_without_contacts_is_still_pointed_to(bare_clinic: Clinic) -> None:
    text = Seen(missing_page(bare_clinic, EN)).text
    assert "Please contact the clinic directly." in text
    assert "your local emergency number" in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_pages_speak_the_screens_language_and_articles_their_own(code: str) -> None:
    words = words_of(code)
    shown = Seen(article_page(_article(), CLINIC, words, 0, 5))
    assert shown.of("html")[0]["lang"] == code
    assert shown.of("article")[0]["lang"] == "en"
    for name in ("reader.back", "reader.advice", "reader.contents", "reader.print", "page.privacy"):
        assert words(name) in shown.text
    back = next(link for link in shown.of("a") if link.get("id") == "back")
    assert back["href"] == ("/" if code == "en" else f"/?lang={code}")


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_on_privacy_says_whether_questions_and_feedback_are_kept(code: str) -> None:
    words = words_of(code)
    off = Seen(privacy_page(CLINIC, words)).text
    on = Seen(privacy_page(dataclasses.replace(CLINIC, journal=True, journal_days=41), words)).text
    told_off = [words("privacy.asked_text"), words("privacy.feedback_off")]
    told_on = [words(f"privacy.{name}", days=41) for name in ("asked_on", "asked_never", "asked_staff", "feedback_on")]
    assert all(told in off for told in told_off)
    assert all(told in on for told in told_on)
    assert not any(told in on for told in told_off)
    assert not any(told in off for told in told_on)
    assert _says_whom_to_call(Seen(privacy_page(CLINIC, EN)))


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_on_accessibility_is_honest_about_limits(code: str) -> None:
    words = words_of(code)
    shown = Seen(accessibility_page(CLINIC, words))
    assert "WCAG" in shown.text
    assert all(limit in shown.texts["li"] for limit in words.listed("accessibility.limits_list"))


SIZES = ((1200, 1697), (1200, 1697))
PLACES = (Place(2, 0.1, 0.25, 0.5, 0.275), Place(2, 0.1, 0.28, 0.2, 0.305))
SEE = TEXT.index("See you.")


def _printed(page: int = -1, start: int = SEE, end: int = len(TEXT), places: tuple[Place, ...] = PLACES) -> Seen:
    return Seen(article_page(_article(), CLINIC, EN, start, end, Printed("0" * 16, SIZES, places, page)))


def _turns(shown: Seen) -> dict[str, str | None]:
    links = [each for each in shown.of("a") if each.get("class") == "turn"]
    return {f"{each.get('rel', 'label')} {number}": each["href"] for number, each in enumerate(links)}


def test_the_quote_s_page_is_shown_as_printed_with_the_quote_marked_on_it() -> None:
    shown = _printed()
    [image] = shown.of("img")
    assert image["src"] == f"/sheet/{'0' * 16}/burns.md?page=2"
    assert (image["width"], image["height"]) == ("1200", "1697")
    assert image["alt"] == "Page 2 of “Burns & <scars>” as it is printed. Its words stand below as text."
    assert [each["style"] for each in shown.of("span")] == [
        "left:10.00%;top:25.00%;width:40.00%;height:2.50%",
        "left:10.00%;top:28.00%;width:10.00%;height:2.50%",
    ]
    assert "The words from the chat are marked." in shown.text
    assert (
        shown.text.index("It is not medical advice.")
        < shown.text.index("The page as printed")
        < shown.text.index("What *helps*?")
    )


def test_the_picture_is_closed_until_a_page_is_asked_for_so_that_the_words_come_first() -> None:
    assert "open" not in next(each for each in _printed().of("details") if each["class"] == "sheet")
    assert _printed().of("img")[0]["loading"] == "lazy"
    assert "open" in next(each for each in _printed(1).of("details") if each["class"] == "sheet")
    assert "loading" not in _printed(1).of("img")[0]


def test_one_can_turn_to_the_pages_before_and_after_and_keep_the_quote() -> None:
    address = f"/read/{'0' * 16}/burns.md?start={SEE}&end={len(TEXT)}&page="
    assert _turns(_printed()) == {"prev 0": f"{address}1#sheet", "label 1": f"{address}1#sheet", "label 2": f"{address}2#sheet"}
    shown = _printed(1)
    assert shown.of("span") == []
    assert "The words from the chat are on page 2." in " ".join(shown.words)
    assert list(_turns(shown).values())[:2] == [f"{address}2#sheet", f"{address}2#sheet"]


def test_without_a_quote_the_first_page_is_shown_with_nothing_marked() -> None:
    shown = _printed(-1, -1, -1)
    assert shown.of("img")[0]["src"].endswith("?page=1")
    assert shown.of("span") == []
    assert "from the chat" not in shown.text
    assert f"/read/{'0' * 16}/burns.md?page=2#sheet" in _turns(shown).values()


def test_a_quote_that_was_not_found_on_its_page_shows_the_page_and_marks_nothing() -> None:
    shown = _printed(places=())
    assert shown.of("img")[0]["src"].endswith("?page=2")
    assert shown.of("span") == []
    assert "from the chat" not in shown.text


@given(st.integers(-3, 9), st.integers(-5, len(TEXT) + 5), st.integers(-5, len(TEXT) + 5))
def test_any_page_and_offsets_show_a_page_that_is_there_and_change_no_word(page: int, start: int, end: int) -> None:
    shown = _printed(page, start, end)
    assert shown.of("img")[0]["src"][-1] in "12"
    texts = shown.texts["article"][0].replace(" See page 1 as printed", "").replace(" See page 2 as printed", "")
    assert texts == _marked(-1, -1).texts["article"][0]
    links = [each["href"] or "" for each in shown.of("a") if each.get("class") == "turn"]
    assert all(link.split("page=")[1] in {"1#sheet", "2#sheet"} for link in links)
    assert not any("on" in (name[:2] for name in attributes) and tag != "span" for tag, attributes in shown.elements)


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_must_be_known_before_reading_stands_before_the_text(code: str) -> None:
    words = words_of(code)
    article = _article(Metadata(review_by=date(2026, 5, 3)))
    due, older = words("review.due", date=words.day(date(2026, 5, 3))), words("reader.older")
    shown = Seen(article_page(article, CLINIC, words, standing=Standing(True, "r 2")))
    assert shown.text.index(due) < shown.text.index(older) < shown.text.index("Cool it.")
    link = next(link["href"] for link in shown.of("a") if (link["href"] or "").startswith("/read/"))
    assert link == "/read/r%202/burns.md" + ("" if code == "en" else f"?lang={code}")
    plain = Seen(article_page(article, CLINIC, words)).text
    assert due not in plain
    assert older not in plain


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_is_taken_down_says_so_and_how_to_reach_a_person(code: str) -> None:
    shown = Seen(taken_down_page(CLINIC, words_of(code)))
    assert shown.texts["h1"] == [words_of(code)("reader.taken_down")]
    assert {"tel:+15550100", "mailto:a@b.example"} <= {link["href"] for link in shown.of("a")}
