"""What comes with a web page, and what only looks like it and is advice."""

from __future__ import annotations

import pytest

from retrieval.reading.debris import is_call_to_action, is_caption, is_debris, strip_lead_in, word_set


@pytest.mark.parametrize(
    "line",
    [
        "Leave a Reply", "Leave a comment below", "Related post", "Related Articles:", "You are currently viewing Redness",
        "You are here: Home > Redness", "Share this post on Facebook", "Previous Post", "Read more about redness",
        "Comments", "HOME",
        "Tags: laser, skin", "Posted on 3 May by Lee", "Table of contents", "Skip to main content", "Follow us on Instagram",
        "Our Clinic Facebook:", "© 2024 Our Clinic", "Our Clinic. All rights reserved.",
        "This blog post was medically reviewed by Dr. Lee",
        "We use cookies to improve this site.", "Your email address will not be published.", "» Subscribe «",
    ],
)  # fmt: skip
def test_the_page_around_the_article_is_debris(line: str) -> None:
    assert is_debris(line)


@pytest.mark.parametrize(
    "line",
    [
        "Redness fades in two days.", "Home care", "Go home and rest.", "The next visit is in a month.",
        "Share your worries with us.",
        "You are here for a long visit.", "Skip to the evening dose.", "Source of pain", "Find us at the back door.",
        "Contents of the bottle", "Comments from the nurse", "Like all lasers, it warms the skin.", "Name your medicines.",
    ],
)  # fmt: skip
def test_words_about_the_subject_are_not(line: str) -> None:
    assert not is_debris(line)


@pytest.mark.parametrize(
    "sentence",
    [
        "Click here.", "Please call us now.", "Contact us today!", "Book your visit online.", "Schedule a consultation today.",
        "WhatsApp us on this number.", "Wondering how long it takes?", "Read on.", "Follow us.", "Tap the link below.",
    ],
)  # fmt: skip
def test_a_sentence_that_only_sells_is_a_call(sentence: str) -> None:
    assert is_call_to_action(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Contact us if it blisters.", "Call us at once when you bleed.", "Call us immediately with a fever.",
        "Tap the skin dry.",
        "Follow our advice for a week.", "Visit us before the second month.", "Redness fades in two days.",
        "Contact us " + "and bring your card " * 7,
    ],
)  # fmt: skip
def test_advice_is_no_call(sentence: str) -> None:
    assert not is_call_to_action(sentence)


def test_a_lead_in_is_taken_off_a_title() -> None:
    assert strip_lead_in("You are currently viewing Redness") == "Redness"
    assert strip_lead_in("Redness") == "Redness"


def test_a_captions_words_are_the_titles_numbers_aside() -> None:
    assert word_set("Redness, 2 days: RED") == {"redness", "days", "red"}
    assert is_caption("Laser redness 1 1", "Redness: laser", after_heading=False)
    assert not is_caption("Laser redness fades", "Redness: laser", after_heading=True)
    assert not is_caption("12", "12", after_heading=True)


def test_a_part_of_the_title_is_a_caption_only_right_under_a_heading() -> None:
    assert is_caption("Redness", "Laser redness", after_heading=True)
    assert not is_caption("Redness", "Laser redness", after_heading=False)
