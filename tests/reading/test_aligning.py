"""Where a text's characters stand in another text: found with certainty, or not at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.reading.aligning import aligned

TEXT = "Redness fades in two days. Cool packs help against swelling."


def words_found(text: str, drawn: str) -> dict[str, str]:
    """For each word of the text that was found, what stands at its places in the other."""
    where = aligned(text, drawn)
    found: dict[str, str] = {}
    at = 0
    for word in text.split(" "):
        places = sorted(place for character in where[at : at + len(word)] for place in character)
        at += len(word) + 1
        if places:
            found[word] = "".join(drawn[place] for place in places)
    return found


def test_a_text_is_found_in_itself_character_by_character() -> None:
    assert aligned(TEXT, TEXT) == [() if character == " " else (at,) for at, character in enumerate(TEXT)]


@pytest.mark.parametrize(
    "drawn",
    [
        "Rednessfadesintwodays.Coolpackshelpagainstswelling.",
        "Redness fades in\r\ntwo days.\r\nCool packs help against swel-\r\nling.",
        "Redness fades in two days. Cool packs help against swel\u00adling.",
        "Redness  f a d e s in two days.\u00a0Cool packs help against swelling.",
        "\u2022 Redness fades in two days.\n\u2022\nCool packs help against swelling.",
        "Our Clinic, page 3\nRedness fades in two days. Cool packs help against swelling.\nPhone us.",
        "Redness fades in two days.\nOur Clinic\nCool packs help against swelling.",
    ],
)
def test_blanks_hyphens_bullets_and_lines_around_it_make_no_difference(drawn: str) -> None:
    found = words_found(TEXT, drawn)
    assert {word: "".join(there.replace("\u00ad", "").split()) for word, there in found.items()} == {
        word: word for word in TEXT.split()
    }


def test_a_ligature_stands_for_its_letters() -> None:
    where = aligned("The first flush of redness", "The \ufb01rst \ufb02ush of redness")
    assert where[4] == where[5] == (4,)
    assert where[10] == where[11] == (9,)
    assert aligned("The \ufb01rst flush of redness", "The first flush of redness")[4] == (4, 5)


def test_a_heading_that_is_repeated_in_the_margin_is_found_where_the_text_goes_on() -> None:
    text = "After the laser Redness fades in two days."
    drawn = "After the laser 3\nAfter the laser\nRedness fades in two days."
    assert aligned(text, drawn)[0] == (drawn.index("After", 5),)


def test_what_comes_in_another_order_is_found_where_it_stands_once() -> None:
    text = "Please bring a hat with you.\nThe nurse looks at your skin first."
    drawn = "The nurse looks at your skin first.\nPlease bring a hat with you."
    assert aligned(text, drawn)[0] == (drawn.index("Please"),)
    assert aligned(text, drawn)[text.index("The nurse")] == (0,)


def test_what_stands_in_two_places_out_of_order_is_found_in_neither() -> None:
    text = "Please bring a hat with you.\nThe nurse looks at your skin first, and then at your face."
    drawn = "The nurse looks at your skin first, and then at your face.\nPlease bring a hat with you.\n"
    assert words_found(text, drawn + "Please bring a hat with you.").keys().isdisjoint({"Please", "bring", "hat"})


def test_other_words_are_not_taken_for_these() -> None:
    assert words_found("Redness fades in two days.", "Swelling goes away within a week or two.") == {}
    assert words_found("Red", "Redness fades in two days.") == {}


def test_short_words_between_long_ones_are_found_and_others_left_out() -> None:
    text = "Please bring these things: a hat, a bag, a pen, and then come to the front desk."
    drawn = "Please bring these things: (1) a hat, (2) a bag, (3) a cap, and then come to the front desk."
    found = words_found(text, drawn)
    assert (found["hat,"], found["bag,"]) == ("hat,", "bag,")
    assert found.get("pen,") in {None, "p,", "pn,", ","}


def test_a_long_page_is_aligned_quickly() -> None:
    page = " ".join(f"word{number} and some more" for number in range(1500))
    began = time.process_time()
    where = aligned(page, "Header\n" + page.replace(" and", "\nand") + "\nFooter")
    assert time.process_time() - began < 10
    assert all(places for places, character in zip(where, page, strict=True) if character != " ")


@given(st.text(alphabet="ab -\ufb01•1.\n", max_size=80), st.text(alphabet="ab -\ufb01•1.\n", max_size=80))
def test_whatever_is_found_is_the_same_letter_and_no_letter_is_used_twice(text: str, drawn: str) -> None:
    where = aligned(text, drawn)
    assert len(where) == len(text)
    used: list[int] = []
    for character, places in zip(text, where, strict=True):
        assert all(0 <= place < len(drawn) for place in places)
        if character in "ab1.":
            assert all(drawn[place] == character for place in places)
            used.extend(places)
    assert len(used) == len(set(used))
