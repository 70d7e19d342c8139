"""Plain text: nothing of the file is changed; headings, lists and debris are found by how lines look."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import blocks, headings, of_kind, read, sections, sentences

from retrieval.errors import UnreadableFile

LINES = st.sampled_from(
    [
        "Redness", "Does it hurt?", "A little.", "Yes", "- a hat", "1. Wash", "2. Wait for the nurse", "Please bring:",
        "====", "",
        "Leave a Reply", "You are currently viewing Redness", "In conclusion, it is safe.",
        "It takes about an hour. Then you go.",
        "  the rest of a line", "Q: Is it safe?", "A: It is.", "Phone: 555 0100", "IN CAPITALS", "\t", "?", "…", "1.",
        "Step 2", "#",
    ]
)  # fmt: skip


def lines(*text: str) -> str:
    return "\n".join(text) + "\n"


def test_the_text_is_the_files_own(tmp_path: Path) -> None:
    path = tmp_path / "redness.txt"
    path.write_bytes("\ufeffRedness\r\n\r\n  It fades.  \r\rÜber Nacht.\u00a0\n".encode())
    assert read(path.name, path.read_bytes()).text == path.read_text(encoding="utf-8-sig")


def test_a_line_by_itself_heads_the_paragraph_below() -> None:
    reading = read("a.txt", lines("After the laser", "", "Redness", "", "It fades in two days.", "", "Sun", "", "Stay inside."))
    assert reading.title == "After the laser"
    assert headings(reading) == ["After the laser", "Redness", "Sun"]
    assert sections(reading) == [(), ("Redness",), ("Sun",)]
    assert [block.level for block in reading.blocks if block.kind == "heading"] == [1, 2, 2]


def test_headings_may_be_in_capitals_and_underlined() -> None:
    reading = read(
        "a.txt",
        lines(
            "LASER", "=====", "", "BEFORE", "------", "Stay inside. Do not shave.", "", "AFTER", "-----", "Wear a hat daily."
        ),
    )
    assert headings(reading) == ["LASER", "BEFORE", "AFTER"]


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_short_answers_are_no_headings(gap: str) -> None:
    text = gap.join(["Laser", "Does it hurt?", "A little.", "How many visits?", "Three to five", "Can I drive?", "Yes."])
    reading = read("a.txt", text)
    assert sections(reading) == [(), ("Does it hurt?",), ("How many visits?",), ("Can I drive?",)]
    assert sentences(reading) == ["A little.", "Three to five", "Yes."]


def test_a_heading_may_stand_under_a_question() -> None:
    reading = read("a.txt", lines("What happens?", "", "Consultation", "", "The doctor sees you and asks you a few things."))
    assert headings(reading) == ["What happens?", "Consultation"]


@pytest.mark.parametrize(("asked", "answered"), [("Q: ", "A: "), ("Q1. ", "A1. "), ("Question: ", "Answer: "), ("Q) ", "A) ")])
def test_questions_and_answers_lose_their_marks_but_not_their_words(asked: str, answered: str) -> None:
    text = lines(f"{asked}Does it hurt?", f"{answered}A little. It stings.", "", f"{asked}Is it safe?", f"{answered}Yes.")
    reading = read("a.txt", text)
    assert headings(reading) == ["Does it hurt?", "Is it safe?"]
    assert sentences(reading) == ["A little.", "It stings.", "Yes."]
    assert reading.title == ""


@pytest.mark.parametrize("mark", ["3. ", "3) ", "Step 3: ", "## ", "Part 3. "])
def test_a_numbered_heading_loses_its_number(mark: str) -> None:
    reading = read("a.txt", lines("Laser", "", f"{mark}The Visit", "", "The doctor sees you and asks you a few things."))
    assert headings(reading) == ["Laser", "The Visit"]


def test_hard_wrapped_lines_are_one_paragraph() -> None:
    wrapped = (
        "The doctor looks at your skin and asks about medicines that you take, such\n"
        "as tablets. Then the area is cleaned and cooled, by\nNurse Lee or another. You may go."
    )
    reading = read("a.txt", f"The visit\n\n{wrapped}\n")
    assert of_kind(reading, "paragraph") == [wrapped]


def test_lines_of_a_table_or_of_opening_hours_are_quotable_one_by_one() -> None:
    reading = read(
        "a.txt", lines("Contact us", "", "Hours: Monday to Friday", "Phone: 555 0100", "Room: 12", "", "Closed on Sundays.")
    )
    assert headings(reading) == ["Contact us"]
    assert sentences(reading) == ["Hours: Monday to Friday", "Phone: 555 0100", "Room: 12", "Closed on Sundays."]


@pytest.mark.parametrize(
    "bullet", ["-", "*", "•", "–", "·", "●", "○", "▪", "➢", "✓", "+", "o", "\uf0b7", "1.", "2)", "(3)", "a)"]
)
def test_list_items_lose_their_bullets(bullet: str) -> None:
    assert ("item", "wear a hat") in blocks(
        read("a.txt", f"Outside\n\nIn the sun you should always do this:\n\n{bullet} wear a hat\n")
    )


def test_an_item_may_go_on_in_the_next_line() -> None:
    reading = read("a.txt", lines("Aftercare", "", "- Use sunscreen. Reapply", "  every two hours.", "- Rest"))
    assert of_kind(reading, "item") == ["Use sunscreen. Reapply\n  every two hours.", "Rest"]


def test_a_numbered_list_of_things_is_no_row_of_headings() -> None:
    reading = read("a.txt", lines("Bring these", "", "1. Sunscreen", "2. Hat", "", "3. Your Card", "", "Thank you for coming."))
    assert of_kind(reading, "item") == ["Sunscreen", "Hat", "Your Card"]


def test_a_title_behind_a_pages_lead_in_is_found() -> None:
    reading = read("a.txt", lines("You are currently viewing How red?", "", "Redness", "", "It fades in two days."))
    assert reading.title == "How red?"
    assert of_kind(reading, "debris") == ["You are currently viewing How red?"]


def test_a_caption_that_repeats_the_title_is_debris() -> None:
    reading = read(
        "a.txt", lines("After the laser", "", "It fades in two days.", "", "After the laser 1 1", "", "Stay inside.")
    )
    assert of_kind(reading, "debris") == ["After the laser 1 1"]


@pytest.mark.parametrize(
    "line", ["Rest. Wait. Then go.", "Rest well. Then you may go", "The cold helps.", "Rest, wait, go.", "rest"]
)
def test_a_line_that_says_something_is_no_heading(line: str) -> None:
    reading = read(
        "a.txt", lines("After the laser", "", "It fades in two days, mostly.", "", line, "", "It comes back seldom, if ever.")
    )
    assert headings(reading) == ["After the laser"]


def test_a_list_of_prices_keeps_its_heading() -> None:
    reading = read("a.txt", lines("Prices", "Face  $300", "Neck  $150", "", "All of them include tax."))
    assert headings(reading) == ["Prices"]
    assert sentences(reading) == ["Face  $300", "Neck  $150", "All of them include tax."]


def test_a_short_sentence_right_under_another_line_is_no_heading() -> None:
    reading = read(
        "a.txt", lines("Laser", "", "It fades fast, mostly.", "Use cream daily.", "", "It comes back seldom, if ever.")
    )
    assert headings(reading) == ["Laser"]


def test_a_label_goes_with_the_line_right_under_it() -> None:
    reading = read(
        "a.txt", lines("After the laser", "", "Day 1:", "Use a cold pack.", "", "Day 2:", "Use cream.", "Rest well.", "Eat.")
    )
    assert sentences(reading) == ["Day 1:\nUse a cold pack.", "Day 2:\nUse cream.", "Rest well.", "Eat."]


def test_a_gap_or_a_closing_phrase_leaves_the_section() -> None:
    reading = read(
        "a.txt",
        lines(
            "Laser", "", "Redness", "", "It fades fast, mostly.", "", "", "You may go home then.", "", "In short, it is safe."
        ),
    )
    assert sections(reading) == [(), ("Redness",), (), ()]


def test_a_last_short_line_heads_nothing() -> None:
    reading = read("a.txt", lines("Laser", "", "It fades in two days.", "", "Thank you"))
    assert headings(reading) == ["Laser"]


@settings(deadline=None, max_examples=150)
@given(st.lists(LINES, min_size=1, max_size=14).map("\n".join), st.sampled_from(["\n", "\r\n", "\r"]))
def test_blocks_and_sentences_are_slices_in_order_without_blanks_at_their_ends(text: str, newline: str) -> None:
    try:
        reading = read("a.txt", text.replace("\n", newline))
    except UnreadableFile:
        return
    assert reading.text == text
    last = 0
    for block in reading.blocks:
        assert last <= block.start < block.end <= len(text)
        last = block.end
    for sentence in sentences(reading):
        assert sentence == sentence.strip() != ""
    for kind, block_text in blocks(reading):
        assert block_text == block_text.strip()
        assert kind != "heading" or "\n" not in block_text


@settings(deadline=None, max_examples=100)
@given(st.lists(LINES, min_size=1, max_size=14))
def test_no_word_is_left_outside_the_blocks(chosen: list[str]) -> None:
    try:
        reading = read("a.txt", "\n".join(chosen))
    except UnreadableFile:
        return
    held = " ".join(text for _, text in blocks(reading))
    for word in "Redness hurt little. Wash nurse bring: Reply conclusion, hour. safe? 555 CAPITALS".split():
        assert sum(line.split().count(word) for line in chosen) == held.split().count(word)
