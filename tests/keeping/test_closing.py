"""From a gap: a question is attached, an article begun, a judged question added, and the next release answers it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from retrieval.asked import load_asked
from retrieval.assistant import Assistant
from retrieval.build import build
from retrieval.clinic import load_clinic
from retrieval.encoder import Encoder
from retrieval.errors import CorpusError, UnreadableFile
from retrieval.evaluation.judged import Span, load_judged
from retrieval.keeping import closing
from retrieval.keeping.closing import JUDGED, add_judged, attach, proof, span_of, start_article
from retrieval.keeping.gaps import Gap, InVain
from retrieval.reading import read_article
from retrieval.reading.metadata import metadata_from
from retrieval.rules import Rules
from retrieval.types import Article

pytestmark = pytest.mark.usefixtures("quick_reading")

FADES, COOL = "Redness fades in two days.", "Cool packs help."


@pytest.fixture
def article(corpus: Path) -> Article:
    return read_article(corpus / "articles" / "redness.md")


def attached(corpus: Path, article: Article) -> list[tuple[str, int, int]]:
    asked, notes = load_asked(corpus / "questions", [article])
    assert notes == ()
    return [(one.question, one.first, one.last) for one in asked]


def test_a_question_is_attached_to_its_sentences_once(corpus: Path, article: Article) -> None:
    assert attach(corpus, "redness.md", [FADES], "how long  like a tomato")
    assert attach(corpus, "redness.md", [FADES], "when am i pale again")
    assert attach(corpus, "redness.md", [FADES, COOL], "what now")
    assert attach(corpus, "redness.md", [FADES], "can i go out red")
    assert not attach(corpus, "redness.md", [FADES], "How long like a TOMATO")
    assert attached(corpus, article) == [
        ("how long like a tomato", 0, 0), ("when am i pale again", 0, 0), ("can i go out red", 0, 0), ("what now", 0, 1),
    ]  # fmt: skip


def test_what_staff_wrote_in_the_file_stays(corpus: Path, article: Article) -> None:
    file = corpus / "questions" / "redness.md.txt"
    file.parent.mkdir()
    written = f"# ours\n\n>  {FADES}\n# a note\n\nfirst\n\n> {COOL}\n\n# another\nsecond\n\n# the end\n"
    file.write_text(written)
    assert attach(corpus, "redness.md", [FADES], "new one")
    assert file.read_text() == written.replace("first\n", "first\nnew one\n")
    assert attach(corpus, "redness.md", [COOL], "new two")
    assert ("new two", 1, 1) in attached(corpus, article)


@pytest.mark.parametrize(
    ("doc", "sentences", "question", "why"),
    [
        ("../redness.md", [FADES], "why", "no article"),
        ("gone.md", [FADES], "why", "no article"),
        (".hidden", [FADES], "why", "no article"),
        ("redness.md", [], "why", "one to 3 sentences"),
        ("redness.md", [FADES] * 4, "why", "one to 3 sentences"),
        ("redness.md", [FADES], "  ?? ", "in words"),
        ("redness.md", [FADES], "> why", "cannot begin with"),
        ("redness.md", [FADES], "my name is Jane Tan, why am I red", "private data"),
        ("redness.md", [FADES], "x" * 501, "at most 500"),
    ],
)
def test_what_cannot_be_attached_is_refused_and_nothing_is_written(
    corpus: Path, doc: str, sentences: list[str], question: str, why: str
) -> None:
    with pytest.raises(CorpusError, match=why):
        attach(corpus, doc, sentences, question)
    assert not (corpus / "questions").exists()


def test_a_question_on_several_lines_is_one_line(corpus: Path, article: Article) -> None:
    assert attach(corpus, "redness.md", [FADES], "why\n> am i\r\n# red")
    assert attached(corpus, article) == [("why > am i # red", 0, 0)]


def test_a_file_that_cannot_be_replaced_stays_as_it_was(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attach(corpus, "redness.md", [FADES], "first")
    file = corpus / "questions" / "redness.md.txt"
    before = file.read_bytes()

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(closing.os, "fsync", full)
    with pytest.raises(CorpusError, match=r"redness\.md\.txt: cannot be written \(No space left on device\)"):
        attach(corpus, "redness.md", [FADES], "second")
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.read_bytes() == before


def test_a_judged_question_is_added_once_with_the_digest_of_its_article(corpus: Path, article: Article) -> None:
    articles = {article.doc: article}
    added = add_judged(corpus, "how long am I red", [span_of(article, 0, 0)], articles)
    assert added
    assert add_judged(corpus, "How long  am I red", [], articles) is None
    assert add_judged(corpus, "who invented it", [], articles)
    first, second = load_judged(corpus / JUDGED)
    assert (first, first.split) == (added, "")
    assert first.answers == (Span("redness.md", article.sentences[0].start, article.sentences[0].end, article.digest),)
    assert (second.turns, second.answers) == (("who invented it",), ())
    assert first.id != second.id


def test_a_span_that_is_no_sentence_or_of_another_text_is_refused(corpus: Path, article: Article) -> None:
    good = span_of(article, 0, 0)
    for span in (Span(good.doc, good.start + 1, good.end, good.digest), Span(good.doc, good.start, good.end, "0" * 64)):
        with pytest.raises(CorpusError, match="cannot be a judged question"):
            add_judged(corpus, "how long am I red", [span], {article.doc: article})
    with pytest.raises(CorpusError, match="private data"):
        add_judged(corpus, "mail jane@mail.example how long", [good], {article.doc: article})
    assert not (corpus / JUDGED).exists()


def test_an_article_is_begun_as_a_draft_that_says_nothing_yet(corpus: Path) -> None:
    path = start_article(corpus, 'Make-up "after" laser', "When can I wear *make-up* again?")
    assert path == corpus / "articles" / "make-up-after-laser.md"
    assert start_article(corpus, 'Make-up "after" laser', "why").name == "make-up-after-laser-2.md"
    assert start_article(corpus, "激光后化妆", "为什么").suffix == ".md"
    with pytest.raises(UnreadableFile, match="no text that could be quoted"):
        read_article(path)
    path.write_text(path.read_text() + "\nWait for a week.\n")
    begun = read_article(path)
    assert (begun.title, begun.metadata.state) == ('Make-up "after" laser', "draft")
    assert begun.sections[-1].title == "When can I wear *make-up* again?"
    assert begun.text[begun.sentences[0].start : begun.sentences[0].end] == "Wait for a week."
    assert metadata_from(path, {"title": "x"})[0].state == ""


def test_from_a_gap_to_its_proof(corpus: Path, real_corpus_index: Path, real_encoder: Encoder) -> None:
    gap = Gap("g", "will i look like a lobster at the party", (
        InVain("will i look like a lobster at the party", date(2026, 5, 3), "not found"),
        InVain("who was the first king of France", date(2026, 5, 3), "not found"),
    ))  # fmt: skip
    index = real_corpus_index
    assistant = Assistant(index, real_encoder, Rules.floor(), load_clinic(corpus))
    before = proof(gap, assistant)
    assert before.release == assistant.release().id
    assert before.answered == 0
    attach(corpus, "redness.md", [FADES], "will i look like a lobster at the party")
    build(corpus, index, real_encoder)
    after = proof(gap, Assistant(index, real_encoder, Rules.floor(), load_clinic(corpus)))
    assert after.release != before.release
    assert after.answered == 1
    assert FADES in after.asked[0].quotes[0].text
    assert json.dumps([one.route for one in after.asked]) == '["answer", "no_answer"]'
