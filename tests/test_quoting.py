"""Sentences that belong together are shown together."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.quoting import asks_for_a_list, complete
from retrieval.reading import read_article
from retrieval.types import Article, Passage


def article(folder: Path, text: str) -> Article:
    file = folder / "a.md"
    file.write_text(text, encoding="utf-8")
    return read_article(file)


def whole(read: Article, first: int, last: int) -> tuple[int, int]:
    passage = complete(read, Passage(7, first, last))
    assert passage.article == 7
    return passage.first, passage.last


@pytest.mark.parametrize(
    "opening", ["However, it", "But this", "These marks", "Such redness", "They", "This effect", "In this way it"]
)
def test_a_sentence_that_leans_takes_the_one_before_along(tmp_path: Path, opening: str) -> None:
    read = article(tmp_path, f"# A\n\nRedness is common. {opening} goes away by itself.\n")
    assert whole(read, 1, 1) == (0, 1)


@pytest.mark.parametrize("opening", ["It is important that one", "This treatment", "This new laser", "Redness"])
def test_a_sentence_that_stands_alone_is_left_alone(tmp_path: Path, opening: str) -> None:
    read = article(tmp_path, f"# A\n\nRedness is common. {opening} goes away by itself.\n")
    assert whole(read, 1, 1) == (1, 1)


@pytest.mark.parametrize("opening", ["However,", "But", "Unless you rest,", "If your skin is dark,", "In some cases", "Note:"])
def test_the_sentence_after_is_taken_along_where_it_limits(tmp_path: Path, opening: str) -> None:
    read = article(tmp_path, f"# A\n\nThe gap is two weeks. {opening} it is eight weeks. Rest well.\n")
    assert whole(read, 0, 0) == (0, 1)


def test_nothing_is_taken_from_another_section(tmp_path: Path) -> None:
    read = article(tmp_path, "# A\n\n## One\n\nThe gap is two weeks.\n\n## Two\n\nHowever, rest helps.\n")
    assert whole(read, 0, 0) == (0, 0)
    assert whole(read, 1, 1) == (1, 1)


def test_the_head_of_a_list_is_never_shown_without_its_items(tmp_path: Path) -> None:
    long = "this item is a whole sentence of its own with many words in it, so that it stands by itself and can be quoted"
    items = "\n".join(f"- Number {n}: {long}. It has a second one." for n in range(3))
    read = article(tmp_path, f"# A\n\nWhat you may see:\n\n{items}\n\nRest well.\n")
    head = next(n for n, s in enumerate(read.sentences) if read.text[s.start : s.end].startswith("What you may see"))
    first, last = whole(read, head, head)
    shown = read.text[read.sentences[first].start : read.sentences[last].end]
    assert "Number 2" in shown
    assert "Rest well" not in shown


def test_no_more_than_four_sentences_are_put_together(tmp_path: Path) -> None:
    read = article(tmp_path, "# A\n\nRest is good. These days help. They pass. But slowly. However, they do. Well.\n")
    assert whole(read, 1, 3) == (0, 3)


LONG = "is an item that is a whole sentence of its own with many words in it, so that it stands by itself"
LIST = (
    "# A\n\nWhat you may see:\n\n"
    + "\n".join(f"- Number {n} {LONG}. It is {n}." for n in range(3))
    + "\n\nRest well at home.\n"
)


@pytest.mark.parametrize(
    "question", ["what are the effects?", "list them", "which effects will I see", "all the effects", "what kinds of effects"]
)
def test_a_list_is_shown_whole_where_the_question_asks_for_one(tmp_path: Path, question: str) -> None:
    read = article(tmp_path, LIST)
    passage = complete(read, Passage(0, 3, 3), asks_for_a_list(question))
    assert (passage.first, passage.last) == (0, 6)


@pytest.mark.parametrize(
    "question", ["is number one normal?", "what happens on day two", "who treats me", "which is worse", ""]
)
def test_other_questions_get_the_item_that_answers(tmp_path: Path, question: str) -> None:
    passage = complete(article(tmp_path, LIST), Passage(0, 3, 3), asks_for_a_list(question))
    assert (passage.first, passage.last) == (3, 3)


@pytest.mark.parametrize(("first", "last"), [(0, 1), (6, 7)])
def test_a_match_that_holds_a_part_of_a_list_gets_the_whole_and_keeps_all_of_itself(
    tmp_path: Path, first: int, last: int
) -> None:
    passage = complete(article(tmp_path, LIST), Passage(0, first, last), True)
    assert (passage.first, passage.last) == (0, max(6, last))


def test_a_list_that_is_too_long_to_read_is_not_shown_whole(tmp_path: Path) -> None:
    items = "\n".join(f"- Number {n} {LONG}. It is {n}." for n in range(9))
    passage = complete(article(tmp_path, f"# A\n\nWhat you may see:\n\n{items}\n"), Passage(0, 3, 3), True)
    assert (passage.first, passage.last) == (3, 3)


def test_items_that_are_no_sentences_are_one_with_the_words_that_head_them(tmp_path: Path) -> None:
    read = article(tmp_path, "# A\n\nDo not come if:\n\n- you are pregnant\n- you are ill\n\nRest well at home.\n")
    assert read.text[read.sentences[0].start : read.sentences[0].end].endswith("you are ill")
