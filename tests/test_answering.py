"""Which quotes are shown, which card, and the proof of each quote."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import WordEncoder

from retrieval.abstaining import Likely
from retrieval.answering import ANSWERS_FROM, answer, card_of, marked, proved, quote_of, side_by_side
from retrieval.build import build
from retrieval.release import Release, open_current
from retrieval.types import Difference, Match, Passage, Statement

SURE = Likely(1.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("plain")
    for name in ("ann", "bob", "cal", "dan"):
        (folder / f"{name}.md").write_text(
            f"# Title {name}\n\n## How long is it red {name}?\n\nRedness {name} fades. It is mild {name}. Rest {name}.\n\n"
            f"## What next {name}?\n\nSun {name} is bad.\n",
            encoding="utf-8",
        )
    build(folder, folder / "index", WordEncoder())
    return open_current(folder / "index")


def match(article: int, first: int, last: int, score: float) -> Match:
    return Match(Passage(article, first, last), score, score, 0.0)


def test_a_quote_is_the_slice_with_its_citation(release: Release) -> None:
    quote = quote_of(release, match(1, 0, 1, 0.5))
    assert quote.text == "Redness bob fades. It is mild bob."
    cited = quote.citation
    assert (cited.doc, cited.title, cited.section, cited.page) == ("bob.md", "Title bob", "How long is it red bob?", 0)
    article = release.article("bob.md")
    assert article is not None
    assert article.text[cited.start : cited.end] == quote.text
    assert cited.digest == article.digest


def test_at_most_three_quotes_best_first(release: Release) -> None:
    shown = answer(release, [match(n, 0, 0, 0.6 - n / 100) for n in range(4)], SURE)
    assert shown.route == "answer"
    assert [quote.citation.doc for quote in shown.quotes] == ["ann.md", "bob.md", "cal.md"]
    assert shown.card is None


def test_quotes_that_stand_side_by_side_are_shown_as_one_in_reading_order(release: Release) -> None:
    shown = answer(release, [match(0, 1, 1, 0.6), match(1, 0, 0, 0.59), match(0, 0, 0, 0.58), match(0, 3, 3, 0.57)], SURE)
    texts = [quote.text for quote in shown.quotes]
    assert texts == ["Redness ann fades. It is mild ann.", "Redness bob fades.", "Sun ann is bad."]


def test_the_words_that_answer_are_marked_in_every_quote(release: Release, words: WordEncoder) -> None:
    found = answer(release, [match(0, 0, 1, 0.6), match(1, 0, 0, 0.59)], SURE, DIFFERING)
    shown = marked(release, found, words.encode_questions(["is it mild"])[0])
    texts = {article.doc: article.text for article in release.articles}
    quotes = [*shown.quotes, *shown.differs[0].quotes]
    assert [texts[quote.citation.doc][slice(*quote.marked)] for quote in quotes] == [
        "It is mild ann", "Redness bob fades", "It is mild ann", "Redness bob fades",
    ]  # fmt: skip
    assert dataclasses.replace(shown.quotes[0], marked=(0, 0)) == found.quotes[0]


DIFFERING = Difference("how long", (Statement(0, 0, 0, "1 day"), Statement(1, 0, 0, "2 days")))


def test_where_articles_differ_each_statement_is_a_quote_of_its_own(release: Release) -> None:
    (table,) = side_by_side(release, DIFFERING)
    assert table.point == "how long"
    assert [(quote.citation.doc, quote.text) for quote in table.quotes] == [
        ("ann.md", "Redness ann fades."), ("bob.md", "Redness bob fades."),
    ]  # fmt: skip


def test_no_sentence_stands_twice_in_a_table_or_beside_it(release: Release) -> None:
    longer = Difference("how long", (*DIFFERING.statements, Statement(0, 0, 1, "1 day"), Statement(1, 3, 3, "a day")))
    (table,) = side_by_side(release, longer, [Passage(1, 0, 1), Passage(2, 0, 0)])
    assert [quote.text for quote in table.quotes] == [
        "Redness ann fades. It is mild ann.", "Redness bob fades. It is mild bob.", "Sun bob is bad.",
    ]  # fmt: skip


def test_a_difference_is_not_shown_with_one_side_alone(release: Release) -> None:
    assert side_by_side(release, Difference("how long", (Statement(0, 0, 0, "1 day"), Statement(0, 0, 0, "1 d")))) == ()


def test_a_difference_that_was_asked_about_is_shown_from_a_lower_likelihood(release: Release) -> None:
    unlikely = Likely(0.9, ANSWERS_FROM - 0.1, 0.1)
    assert answer(release, [match(0, 0, 0, 0.6)], unlikely).quotes == ()
    assert [one.point for one in answer(release, [match(0, 0, 0, 0.6)], unlikely, DIFFERING).differs] == ["how long"]
    assert answer(release, [match(0, 0, 0, 0.6)], Likely(0.9, 0.1, 0.1), DIFFERING).route == "no_answer"


def test_a_difference_is_shown_below_a_consultation_card_too(release: Release) -> None:
    shown = answer(release, [match(0, 0, 0, 0.1)], None, DIFFERING)
    assert (shown.route, len(shown.quotes), len(shown.differs)) == ("consult", 0, 1)


def test_what_depends_on_the_patient_is_left_to_the_clinician(release: Release) -> None:
    personal = dataclasses.replace(DIFFERING, personal=True)
    assert answer(release, [match(0, 0, 0, 0.1)], None, personal).differs == ()
    assert len(answer(release, [match(0, 0, 0, 0.6)], SURE, personal).differs) == 1


def test_two_that_a_third_stands_between_are_shown_as_one_with_it(release: Release) -> None:
    between = dataclasses.replace(match(0, 1, 1, 0.58), also=(Passage(1, 1, 1),))
    shown = answer(release, [match(0, 0, 0, 0.6), match(0, 2, 2, 0.59), between], SURE)
    assert [quote.text for quote in shown.quotes] == ["Redness ann fades. It is mild ann. Rest ann."]
    assert shown.quotes[0].also == ()  # the other article says only a part of it


def test_quotes_far_below_the_best_are_not_shown(release: Release) -> None:
    shown = answer(release, [match(0, 0, 0, 0.7), match(1, 0, 0, 0.54)], SURE)
    assert [quote.citation.doc for quote in shown.quotes] == ["ann.md"]


def test_below_the_threshold_nothing_is_quoted_and_headings_are_offered_only_in_the_field(release: Release) -> None:
    near = answer(release, [match(0, 0, 0, 0.9)], Likely(0.9, ANSWERS_FROM - 0.01, 0.3))
    assert (near.route, near.quotes, near.confidence) == ("no_answer", (), 0.3)
    (offered,) = near.suggestions
    assert offered.title == "How long is it red ann?"
    assert release.articles[0].text[offered.start : offered.end] == offered.title
    far = answer(release, [match(0, 0, 0, 0.9)], Likely(0.2, 0.9, 0.9))
    assert (far.route, far.suggestions) == ("no_answer", ())
    assert answer(release, [], Likely(0.0, 0.0, 0.0)).route == "no_answer"


def test_a_consultation_has_at_most_two_clear_quotes(release: Release) -> None:
    shown = answer(release, [match(n, 0, 0, 0.8) for n in range(4)], None)
    assert (shown.route, len(shown.quotes)) == ("consult", 2)
    assert answer(release, [match(0, 0, 0, 0.2)], None).quotes == ()


def test_a_card_is_in_the_patient_s_language_where_there_is_one(release: Release) -> None:
    assert card_of(release.clinic, "urgent", "ms").language == "ms"
    assert card_of(release.clinic, "not_found", "ta").language == "en"
    assert "English" in card_of(release.clinic, "language", "zh", "English").heading


def test_the_next_headings_are_offered_after_an_answer(release: Release) -> None:
    assert answer(release, [match(0, 0, 0, 0.6)], SURE).suggestions[0].title == "What next ann?"


@given(st.integers(-3, 200), st.integers(-3, 200), st.text(max_size=20))
def test_only_exact_slices_pass_the_proof(release: Release, start: int, end: int, text: str) -> None:
    good = quote_of(release, match(0, 0, 0, 0.5))
    forged = dataclasses.replace(good, text=text, citation=dataclasses.replace(good.citation, start=start, end=end))
    article = release.article("ann.md")
    assert article is not None
    assert proved(release, [good]) == [good]
    assert bool(proved(release, [forged])) == (article.text[start:end] == text)


@pytest.mark.parametrize("change", [{"digest": "0" * 64}, {"doc": "z.md"}, {"start": 1}])
def test_a_quote_that_fails_is_withheld_and_reported(
    release: Release, change: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    good = quote_of(release, match(0, 0, 0, 0.5))
    bad = dataclasses.replace(good, citation=dataclasses.replace(good.citation, **change))
    with caplog.at_level(logging.ERROR):
        assert proved(release, [bad, good]) == [good]
    assert "withheld" in caplog.text


def test_an_article_that_changed_under_a_release_is_not_quoted(release: Release, tmp_path: Path) -> None:
    quote = quote_of(release, match(0, 0, 0, 0.5))
    before = release.articles
    article = dataclasses.replace(before[0], text=before[0].text + " ")
    release.articles = (article, *before[1:])
    try:
        assert proved(release, [quote]) == []
    finally:
        release.articles = before
