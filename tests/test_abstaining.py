"""How likely the articles answer: from signals that can be worked out by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from support import WordEncoder

from retrieval.abstaining import SIGNALS, likely, signals
from retrieval.classifier import Kinds
from retrieval.examples import Examples
from retrieval.release import Release, open_current
from retrieval.search import search

GENERAL, OTHER = Kinds(0.0, 0.0, 0.0, 0.99, 0.01), Kinds(0.0, 0.0, 0.0, 0.01, 0.99)


@pytest.fixture
def release(corpus_index: Path) -> Release:
    return open_current(corpus_index)


def of(release: Release, question: str, kinds: Kinds | None = GENERAL) -> dict[str, float]:
    asked = WordEncoder().encode_questions([question])[0]
    return dict(zip(SIGNALS, signals(release, asked, search(release, asked, 8), kinds), strict=True))


def test_words_that_the_articles_have_and_have_not(release: Release) -> None:
    found = of(release, "How do sessions suit a unicorn?")
    assert found["known"] == pytest.approx(1 / 3)
    assert found["length"] == pytest.approx(np.log(4))
    assert 0 < found["coverage"] < 1
    assert of(release, "sessions")["coverage"] == pytest.approx(1)


def test_the_share_of_words_that_belong_to_no_article(release: Release) -> None:
    assert of(release, "Is a unicorn red?")["foreign"] == pytest.approx(1 / 4)
    assert of(release, "Is the rednes rare?")["foreign"] == 0


def test_the_kind_of_answer(release: Release) -> None:
    assert of(release, "How long is the redness?")["kind_of_answer"] == 1
    assert of(release, "Is there redness?")["kind_of_answer"] == 0


def test_a_signal_that_is_not_there_counts_as_an_average_one(release: Release) -> None:
    assert np.isnan(of(release, "sessions", None)["general"])
    question = WordEncoder().encode_questions(["sessions"])[0]
    matches = search(release, question, 8)
    without, general, other = (likely(release, question, matches, kinds) for kinds in (None, GENERAL, OTHER))
    assert 0 <= other.in_the_field < without.in_the_field <= general.in_the_field <= 1


def test_examples_that_were_answered_speak_for_an_answer(release: Release) -> None:
    question = WordEncoder().encode_questions(["sessions"])[0]
    vector = question.vector
    matches = [dataclasses.replace(match, dense=0.5) for match in search(release, question, 8)]
    answered = []
    for route in ("answer", "no_answer"):
        release.examples = Examples.of(np.stack([vector, -vector]), [route, "no_answer" if route == "answer" else "answer"])
        answered.append(likely(release, question, matches, GENERAL).answered)
    assert answered[0] > 0.5 > answered[1]


def test_what_an_article_plainly_says_is_answered_whatever_the_router_and_the_examples_know(release: Release) -> None:
    question = WordEncoder().encode_questions(["Redness fades in two days"])[0]
    matches = search(release, question, 8)
    release.examples = Examples.of(np.stack([question.vector, -question.vector]), ["no_answer", "no_answer"])
    found = likely(release, question, matches, OTHER)
    assert min(found.in_the_field, found.answered) >= 0.9
    weaker = [dataclasses.replace(match, dense=0.5) for match in matches]
    assert likely(release, question, weaker, OTHER).answered < 0.5


def test_nothing_found_is_nothing_likely(release: Release) -> None:
    assert likely(release, WordEncoder().encode_questions(["sessions"])[0], [], GENERAL).answered == 0


def test_what_somebody_attached_this_very_question_to_answers_it(release: Release) -> None:
    question = WordEncoder().encode_questions(["Will a unicorn notice?"])[0]
    matches = search(release, question, 8)
    assert likely(release, question, matches, OTHER).answered < 0.9
    attached = [dataclasses.replace(matches[0], asked=0.95), *matches[1:]]
    told = likely(release, question, attached, OTHER)
    assert min(told.in_the_field, told.answered) >= 0.9
