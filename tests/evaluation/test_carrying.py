"""Judged questions carried over to edited articles: a span goes where its words went, or is lost and listed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT, WordEncoder

from retrieval.build import build
from retrieval.errors import EvaluationError
from retrieval.evaluation.carrying import Lost, carried, lost_lines, renew, texts_of, written
from retrieval.evaluation.judged import Judged, Span, load_judged
from retrieval.release import open_current
from retrieval.types import Article, Block, Sentence

GONE = "its words have changed or are gone"


def article(*parts: str, doc: str = "a.md", gap: str = " ") -> Article:
    """An article of sentences; a part that begins with # is a heading, one that begins with ~ may not be quoted."""
    text, blocks, sentences = "", [], []
    for part in parts:
        text += gap if text else ""
        start, said = len(text), part.lstrip("#~ ")
        text += said
        if part.startswith("#"):
            blocks.append(Block("heading", start, len(text), 2))
        elif not part.startswith("~"):
            sentences.append(Sentence(start, len(text), 0, 0))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Article(doc, "A", text, digest, digest, tuple(blocks), (), tuple(sentences))


def span(of: Article, first: int, last: int | None = None) -> Span:
    """Some sentences of an article, by their numbers."""
    return Span(of.doc, of.sentences[first].start, of.sentences[first if last is None else last].end, of.digest)


def question(*spans: Span, name: str = "c-001") -> Judged:
    return Judged(name, ("Why is it red?",), spans)


def carry(old: Article, new: Article, *spans: Span) -> tuple[list[Span], list[Lost]]:
    judged, lost = carried([question(*spans)], {old.digest: old}, {new.doc: new})
    return [one for item in judged for one in item.answers], lost


def said(of: Article, place: Span) -> list[str]:
    return of.text[place.start : place.end].split()


# What is carried


def test_a_span_of_a_text_that_has_not_changed_stays_even_where_no_release_has_the_text() -> None:
    now = article("It is red.", "It fades.")
    item = question(span(now, 1))
    assert carried([item], {}, {now.doc: now}) == ([item], [])


def test_a_span_moves_with_its_words() -> None:
    old = article("It is red.", "It fades.", "Cool it.")
    new = article("This is new.", "It is red.", "It fades.", "Warm it.")
    assert carry(old, new, span(old, 0, 1)) == ([span(new, 1, 2)], [])


def test_a_span_whose_words_changed_is_lost_with_what_it_said() -> None:
    old, new = article("It is red.", "It fades."), article("It is red.", "It fades soon.")
    assert carry(old, new, span(old, 1)) == ([], [Lost("c-001", "Why is it red?", "a.md", "It fades.", GONE, counts=False)])


def test_a_question_with_other_spans_left_goes_on_with_those() -> None:
    old, new = article("It is red.", "It fades."), article("So it is.", "It is red.")
    kept, lost = carry(old, new, span(old, 0), span(old, 1))
    assert kept == [span(new, 1)]
    assert [(one.said, one.counts) for one in lost] == [("It fades.", True)]


def test_a_question_that_nothing_answers_stays_and_one_that_lost_its_answer_is_not_taken_for_such() -> None:
    old, new = article("It is red."), article("It is blue.")
    open_one, answered = question(name="u-001"), question(span(old, 0))
    judged, lost = carried([open_one, answered], {old.digest: old}, {new.doc: new})
    assert judged == [open_one]
    assert [one.id for one in lost] == ["c-001"]


def test_a_span_into_a_withdrawn_article_is_lost_and_one_into_a_renamed_article_is_not() -> None:
    old, other = article("It is red."), article("It is blue.", doc="b.md")
    kept, lost = carry(old, other, span(old, 0))
    assert (kept, [one.why for one in lost]) == ([], ["the article is not there any more"])
    renamed = article("It is red.", doc="b.md")
    assert carry(old, renamed, span(old, 0)) == ([span(renamed, 0)], [])


def test_a_span_into_a_text_that_no_release_has_is_lost() -> None:
    old, new = article("It is red."), article("It is red.", "It fades.")
    _, lost = carried([question(span(old, 0))], {}, {new.doc: new})
    assert [(one.said, one.why) for one in lost] == [("", "no release is left that has the text on which it was judged")]


def test_lines_that_end_elsewhere_do_not_matter() -> None:
    old, new = article("It is\nvery red.", "It fades."), article("A word.", "It is very\nred.")
    assert carry(old, new, span(old, 0)) == ([span(new, 1)], [])


def test_sentences_that_are_divided_otherwise_are_aligned_by_their_words() -> None:
    old, new = article("It is red.", "It fades.", "Cool it."), article("First.", "It is red. It fades.", "Cool it.")
    assert carry(old, new, span(old, 0, 1)) == ([span(new, 1)], [])
    assert carry(new, old, span(new, 1)) == ([span(old, 0, 1)], [])
    # A half of a sentence is none.
    assert carry(old, new, span(old, 0))[0] == []


def test_sentences_with_something_between_them_now_are_no_run_any_more() -> None:
    old = article("It is red.", "It fades.")
    assert carry(old, article("It is red.", "# When?", "It fades."), span(old, 0, 1))[0] == []
    assert carry(old, article("It is red.", "~ Book now", "It fades."), span(old, 0, 1))[0] == []


def test_words_are_not_looked_for_elsewhere_the_order_is_kept() -> None:
    old, new = article("A one.", "B two.", "C three.", "D four."), article("D four.", "A one.", "B two.", "C three.")
    kept, lost = carry(old, new, span(old, 0), span(old, 3))
    assert (kept, [one.said for one in lost]) == ([span(new, 1)], ["D four."])


def test_of_two_places_with_the_same_words_the_one_that_went_is_lost() -> None:
    old = article("# Face", "Five sessions.", "Wear a hat.", "# Tattoos", "Five sessions.", "It takes long.")
    new = article("# Tattoos", "Five sessions.", "It takes long.")
    kept, lost = carry(old, new, span(old, 0), span(old, 2))
    assert (kept, len(lost)) == ([span(new, 0)], 1)


def test_words_said_less_often_than_before_among_nothing_that_is_known_are_not_guessed_at() -> None:
    old = article("# Face", "Five sessions.", "Wear a hat.", "# Tattoos", "Five sessions.", "It takes long.")
    new = article("# Freckles", "Five sessions.", "They come back.")
    assert carry(old, new, span(old, 0), span(old, 2))[0] == []


# Any edits

WORDS = st.text("ab", min_size=1, max_size=2)
SENTENCE = st.lists(WORDS, min_size=1, max_size=3).map(lambda words: " ".join(words) + ".")


def runs(of: Article) -> list[Span]:
    count = len(of.sentences)
    return [span(of, first, last) for first in range(count) for last in range(first, min(count, first + 3))]


@given(st.lists(SENTENCE, min_size=1, max_size=8), st.lists(SENTENCE, min_size=1, max_size=8))
def test_whatever_was_edited_a_carried_span_says_the_same_words_as_whole_sentences(before: list[str], after: list[str]) -> None:
    old, new = article(*before), article(*after, gap="\n")
    starts, ends = {one.start for one in new.sentences}, {one.end for one in new.sentences}
    for one in runs(old):
        for place in carry(old, new, one)[0]:
            assert said(new, place) == said(old, one)
            assert place.start in starts
            assert place.end in ends


@given(st.data(), st.integers(1, 10))
def test_whatever_else_was_edited_sentences_left_alone_are_carried_to_where_they_are(data: st.DataObject, count: int) -> None:
    before = [f"s{number} says so." for number in range(count)]
    after: list[str] = []
    where: dict[int, int] = {}
    for number, sentence in enumerate(before):
        edit = data.draw(st.sampled_from(["keep", "keep", "drop", "change", "insert"]))
        if edit == "insert":
            after.append(data.draw(SENTENCE))
        if edit in {"keep", "insert"}:
            where[number] = len(after)
            after.append(sentence)
        elif edit == "change":
            after.append(f"s{number} says {data.draw(WORDS)} so.")
    old, new = article(*before), article(*after, "The end.")
    for number, place in where.items():
        assert carry(old, new, span(old, number)) == ([span(new, place)], [])


@given(st.lists(SENTENCE, min_size=2, max_size=8), st.data())
def test_after_one_edit_all_other_sentences_are_where_they_were_even_if_said_twice(
    before: list[str], data: st.DataObject
) -> None:
    edited = data.draw(st.integers(0, len(before) - 1))
    old, new = article(*before), article(*before[:edited], "Quite new.", *before[edited + 1 :])
    repeated = before.count(before[edited]) > 1
    for number in range(len(before)):
        if number != edited and not repeated:
            assert carry(old, new, span(old, number))[0] == [span(new, number)]


# Files


@pytest.mark.parametrize("path", sorted((ROOT / "corpus" / "judged").glob("*.jsonl")), ids=lambda path: path.name)
def test_what_is_written_is_what_was_read_to_the_letter(path: Path) -> None:
    assert written(load_judged(path)) == path.read_text(encoding="utf-8")


def lines_of(path: Path, *items: dict[str, object], end: str = "\n") -> Path:
    path.write_bytes(end.join([*(json.dumps(item, ensure_ascii=False) for item in items), ""]).encode())
    return path


def as_json(places: Sequence[Span]) -> list[dict[str, object]]:
    return [{"doc": one.doc, "start": one.start, "end": one.end, "digest": one.digest, "by": "Ann"} for one in places]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_is_renewed_where_spans_moved_and_all_else_stays_to_the_letter(tmp_path: Path, end: str) -> None:
    old, new = article("It is red.", "It fades."), article("New.", "It is red.")
    note = {"note": "é", "style": "plain"}
    items = [
        {"id": "one", "turns": ["Red?"], "answers": as_json([span(old, 0), span(old, 1)]), **note},
        {"id": "two", "question": "Fades?", "answers": as_json([span(old, 1)])},
        {"id": "three", "question": "Blue?", "answers": []},
    ]
    path = lines_of(tmp_path / "judged.jsonl", *items, end=end)
    done = renew(path, {old.digest: old}, {new.doc: new})
    assert (done.questions, done.moved, [(one.id, one.counts) for one in done.lost]) == (3, 1, [("one", True), ("two", False)])
    # Lost spans stay: their words may come back.
    items[0]["answers"] = as_json([span(new, 1), span(old, 1)])
    assert path.read_bytes() == lines_of(tmp_path / "wanted.jsonl", *items, end=end).read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["judged.jsonl", "wanted.jsonl"]


def test_renewing_twice_changes_nothing_more_and_going_back_brings_lost_spans_back(tmp_path: Path) -> None:
    old, new = article("It is red.", "It fades."), article("New.", "It is red.")
    texts = {one.digest: one for one in (old, new)}
    path = lines_of(tmp_path / "j.jsonl", {"id": "one", "question": "Red?", "answers": as_json([span(old, 0), span(old, 1)])})
    before = path.read_bytes()
    renew(path, texts, {new.doc: new})
    once = path.read_bytes()
    assert renew(path, texts, {new.doc: new}).moved == 0
    assert path.read_bytes() == once != before
    assert renew(path, texts, {old.doc: old}).lost == ()
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_written_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = article("It is red."), article("New.", "It is red.")
    path = lines_of(tmp_path / "j.jsonl", {"id": "one", "question": "Red?", "answers": as_json([span(old, 0)])})
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(EvaluationError, match="No space left"):
        renew(path, {old.digest: old}, {new.doc: new})
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["j.jsonl"]


def test_what_was_lost_is_told_with_how_many_questions_count_nowhere() -> None:
    lost = [
        Lost("one", "Red?", "a.md", "It fades.", GONE, counts=True),
        Lost("two", "Fades?", "a.md", "It fades.", GONE, counts=False),
    ]
    assert lost_lines(lost) == [
        "2 judged questions have lost an answer; left out of all figures, since no answer is left: 1.",
        f'  one (Red?) a.md: "It fades." - {GONE}',
        f'  two (Fades?) a.md: "It fades." - {GONE}',
    ]
    assert lost_lines([]) == []


# Releases


def test_the_texts_of_all_releases_are_found_by_their_digests_and_damaged_ones_passed_over(
    corpus: Path, tmp_path: Path, words: WordEncoder
) -> None:
    index, path = tmp_path / "index", corpus / "articles" / "sessions.txt"
    build(corpus, index, words)
    first = open_current(index)
    path.write_text(path.read_text(encoding="utf-8").replace("five", "six"), encoding="utf-8")
    build(corpus, index, words)
    second = open_current(index)
    wanted = {one.digest: one.text for release in (first, second) for one in release.articles}
    assert len(wanted) == 4
    assert {digest: one.text for digest, one in texts_of(index).items()} == wanted
    (index / "releases" / first.id / "articles.jsonl").write_text("[", encoding="utf-8")
    assert set(texts_of(index)) == {one.digest for one in second.articles}
