"""Passages: runs of one to three sentences of one section, every one a slice of its article."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from retrieval.passages import context_of, passage_in_context, passage_text, passages_of, sentence_text
from retrieval.reading import article_files, read_article
from retrieval.types import Article, Section, Sentence


def article(sections: list[list[str]]) -> Article:
    """An article whose sections hold these sentences."""
    text, spans, places = "", [], []
    for number, section in enumerate(sections):
        begin = len(text)
        for sentence in section:
            spans.append(Sentence(len(text), len(text) + len(sentence), number, number))
            text += sentence + " "
        places.append(Section((f"Part {number}",), begin, len(text)))
    return Article("a.txt", "Title", text, "d", "s", (), tuple(places), tuple(spans))


def test_every_sentence_begins_runs_of_one_two_and_three() -> None:
    passages = passages_of(article([["One.", "Two.", "Three.", "Four."]]), 7)
    assert [(p.first, p.last) for p in passages] == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)]
    assert {p.article for p in passages} == {7}


def test_a_run_ends_with_its_section() -> None:
    assert [(p.first, p.last) for p in passages_of(article([["One."], ["Two."]]), 0)] == [(0, 0), (1, 1)]


def test_a_run_is_short_but_a_long_sentence_is_still_a_passage() -> None:
    long = " ".join(["word"] * 109) + "."
    assert [(p.first, p.last) for p in passages_of(article([[long, "One two."]]), 0)] == [(0, 0), (1, 1)]


def test_a_run_does_not_reach_over_what_may_not_be_quoted() -> None:
    text = "One. Call us now. Two. a) Three."
    spans = tuple(Sentence(text.index(word), text.index(word) + len(word), 0, 0) for word in ("One.", "Two.", "Three."))
    whole = Article("a.txt", "Title", text, "d", "s", (), (Section(("Part",), 0, len(text)),), spans)
    assert [(p.first, p.last) for p in passages_of(whole, 0)] == [(0, 0), (1, 1), (1, 2), (2, 2)]


def test_context_is_title_and_headings() -> None:
    one = article([["One."]])
    assert context_of(one, 0) == "Title. Part 0"
    assert passage_in_context(one, passages_of(one, 0)[0]) == "Title. Part 0. One."


@given(st.lists(st.lists(st.text("ab .", min_size=1, max_size=30), min_size=1, max_size=6), min_size=1, max_size=5))
def test_a_passage_is_the_slice_from_its_first_to_its_last_sentence(sections: list[list[str]]) -> None:
    whole = article(sections)
    for passage in passages_of(whole, 0):
        text = passage_text(whole, passage)
        assert text.startswith(sentence_text(whole, passage.first))
        assert text.endswith(sentence_text(whole, passage.last))
        assert text in whole.text
        assert len({whole.sentences[n].section for n in range(passage.first, passage.last + 1)}) == 1
        assert passage.last - passage.first <= 2


def test_every_sentence_of_real_articles_is_in_a_passage(project: Path) -> None:
    for path in article_files(project / "corpus" / "articles")[0]:
        read = read_article(path)
        covered = {n for p in passages_of(read, 0) for n in range(p.first, p.last + 1)}
        assert covered == set(range(len(read.sentences)))
