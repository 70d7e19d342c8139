"""End to end over the five source articles as they came: a plain folder, no metadata, web debris and all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from retrieval.assistant import Assistant
from retrieval.build import build
from retrieval.clinic import load_clinic
from retrieval.encoder import Encoder
from retrieval.rules import Rules

# A question, and what the right quote's digits or one of its words must be: never the sources' own sentences.
QUESTIONS = [
    ("How many treatments do most people need in the end?", "10"),
    ("how far apart are the appointments", "weeks"),
    ("what SPF is needed after the laser", "30"),
    ("how long does the procedure take", "hour"),
    ("how long before it do I have to stay out of the sun", "two weeks"),
    ("what is a picosecond", "trillionth"),
    ("what are the possible side effects", "blistering"),
    ("how long are you red after tattoo removal", "days"),
    ("can I wear makeup on the day of treatment", "makeup"),
    ("what does it feel like", "snapping"),
]


@pytest.fixture(scope="module")
def assistant(sources: Path, tmp_path_factory: pytest.TempPathFactory, real_encoder: Encoder) -> Assistant:
    index = tmp_path_factory.mktemp("sources") / "index"
    report = build(sources, index, real_encoder)
    assert (report.articles, report.unread) == (5, ())
    assert any("README.md" in note for note in report.notes)
    return Assistant(index, real_encoder, Rules.floor(), load_clinic(sources))


@pytest.mark.parametrize(("question", "holds"), QUESTIONS)
def test_a_question_is_answered_by_a_slice_of_the_file(assistant: Assistant, sources: Path, question: str, holds: str) -> None:
    answer = assistant.ask(question)
    assert answer.route == "answer"
    assert any(holds in quote.text for quote in answer.quotes)
    for quote in answer.quotes:
        cited = quote.citation
        text = (sources / cited.doc).read_text(encoding="utf-8")
        assert text[cited.start : cited.end] == quote.text
        assert hashlib.sha256(text.encode()).hexdigest() == cited.digest


def test_the_folder_s_readme_is_not_an_article(assistant: Assistant) -> None:
    assert all(article.doc.endswith(".txt") for article in assistant.release().articles)


@pytest.mark.parametrize(
    "debris", ["Leave a Reply", "Related post", "WhatsApp", "currently viewing", "medically reviewed", "FB:"]
)
def test_web_debris_is_never_quoted(assistant: Assistant, debris: str) -> None:
    for article in assistant.release().articles:
        assert all(debris not in article.text[s.start : s.end] for s in article.sentences)
    quotes, _ = assistant.search(debris, 200)
    assert all(debris not in quote.text for quote in quotes)


@pytest.mark.parametrize(
    "question", ["what is the capital of France", "how do I bake bread", "tell me a joke", "who won the football", "asdf jkl"]
)
def test_what_has_nothing_to_do_with_it_is_not_answered(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert answer.card is not None
    assert (answer.route, answer.quotes, answer.card.kind) == ("no_answer", (), "not_found")
