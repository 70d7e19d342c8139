"""Judged questions: what is read, which faults are found, and that no passage is both chosen on and reported on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import ROOT

from retrieval.errors import EvaluationError
from retrieval.evaluation.judged import SPLITS, Judged, Span, answering, find_faults, load_judged, split_by_passage
from retrieval.reading import article_files, read_article
from retrieval.types import Article, Sentence

TEXT = "It is red. It fades. Cool it. Wait."
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()
# The sentences of TEXT.
RED, FADES, COOL, WAIT = (0, 10), (11, 20), (21, 29), (30, 35)
LINE = {
    "id": "c-001",
    "turns": ["Does it hurt?", "How long is it red?"],
    "style": "plain",
    "topic": "redness",
    "split": "dev",
    "answers": [{"doc": "a.md", "start": 0, "end": 10, "digest": "d1"}, {"doc": "b.md", "start": 5, "end": 9, "digest": "d2"}],
}


def span(place: tuple[int, int], doc: str = "a.md", digest: str = DIGEST) -> Span:
    return Span(doc, *place, digest)


def asked(identity: str, *places: tuple[int, int], split: str = "", text: str = "", doc: str = "a.md") -> Judged:
    return Judged(identity, (text or f"Question {identity}?",), tuple(span(place, doc) for place in places), split=split)


@pytest.fixture
def articles() -> dict[str, Article]:
    sentences = tuple(Sentence(start, end, 0, 0) for start, end in (RED, FADES, COOL, WAIT))
    return {"a.md": Article("a.md", "A", TEXT, DIGEST, "", (), (), sentences)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "judged.jsonl"


# Reading


def test_a_line_is_read_with_all_that_it_says(file: Path) -> None:
    file.write_text(json.dumps(LINE) + "\n", encoding="utf-8")
    assert load_judged(file) == [
        Judged(
            "c-001",
            ("Does it hurt?", "How long is it red?"),
            (Span("a.md", 0, 10, "d1"), Span("b.md", 5, 9, "d2")),
            "plain",
            "redness",
            "dev",
        )
    ]


def test_empty_lines_marks_of_byte_order_and_windows_line_ends_do_no_harm(file: Path) -> None:
    lines = [json.dumps(LINE | {"id": name}) for name in ("one", "two")]
    file.write_bytes(("\ufeff" + "\r\n\r\n".join(lines) + "\r\n").encode())
    assert [item.id for item in load_judged(file)] == ["one", "two"]


def test_line_separators_within_a_question_do_not_end_a_line(file: Path) -> None:
    turn = "It is red\u2028and\x85sore\u2029- why?"
    file.write_text(json.dumps(LINE | {"turns": [turn]}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert load_judged(file)[0].turns == (turn,)


def test_a_message_with_a_route_to_take_needs_no_answers(file: Path) -> None:
    file.write_text('{"id": "r-1", "question": "I cannot breathe", "route": "urgent"}', encoding="utf-8")
    assert load_judged(file) == [Judged("r-1", ("I cannot breathe",), (), route="urgent")]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in LINE.items() if key != name}


def one_answer(**changes: Any) -> dict[str, Any]:
    return LINE | {"answers": [{"doc": "a.md", "start": 0, "end": 10, "digest": "d1"} | changes]}


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        '{"id": "c-002"',
        "[]",
        '"text"',
        "7",
        "null",
        without("id"),
        without("turns"),
        without("answers"),
        without("answers") | {"answer": LINE["answers"]},
        LINE | {"id": ""},
        LINE | {"id": 7},
        LINE | {"id": None},
        LINE | {"turns": []},
        LINE | {"turns": "Red?"},
        LINE | {"turns": ["Red?", ""]},
        LINE | {"turns": ["  ", "Red?"]},
        LINE | {"turns": ["Red?", None]},
        LINE | {"turns": [["Red?"]]},
        LINE | {"split": "train"},
        LINE | {"split": None},
        LINE | {"style": 3},
        LINE | {"topic": ["redness"]},
        LINE | {"route": "emergency"},
        LINE | {"answers": None},
        LINE | {"answers": {"doc": "a.md", "start": 0, "end": 10, "digest": "d1"}},
        LINE | {"answers": ["a.md"]},
        one_answer(start="0"),
        one_answer(start=0.5),
        one_answer(end=True),
        one_answer(end=None),
        one_answer(doc=1),
        one_answer(digest=None),
        LINE | {"answers": [{"doc": "a.md", "start": 0, "end": 10}]},
    ],
)
def test_a_line_that_does_not_fit_is_named_by_file_and_line(file: Path, line: str | dict[str, Any]) -> None:
    wrong = line if isinstance(line, str) else json.dumps(line)
    file.write_text(f"{json.dumps(LINE)}\n\n{wrong}\n{json.dumps(LINE)}\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"judged\.jsonl, line 3:"):
        load_judged(file)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe\x00", None])
def test_a_file_that_is_absent_empty_or_no_text_is_named(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EvaluationError, match=r"judged\.jsonl: "):
        load_judged(file)


# Whether a quote answers


@pytest.mark.parametrize(
    ("start", "end", "answers"),
    [
        (100, 120, True),  # the span itself
        (80, 300, True),  # holds it
        (105, 108, True),  # out of it
        (110, 400, True),  # half of the shorter one, which is the span
        (111, 400, False),
        (116, 124, True),  # half of the shorter one, which is the quote
        (117, 125, False),
        (120, 140, False),  # beside it
        (60, 100, False),
    ],
)
def test_a_quote_answers_when_it_shares_half_of_the_shorter(start: int, end: int, answers: bool) -> None:
    assert answering([span((100, 120))], "a.md", start, end) is answers
    assert not answering([span((100, 120))], "b.md", start, end)
    assert answering([span((500, 510)), span((100, 120))], "a.md", start, end) is answers
    assert not answering([], "a.md", start, end)


# Faults


def test_good_questions_have_no_faults(articles: dict[str, Article]) -> None:
    judged = [asked("1", RED, split="dev"), asked("2", (0, 20), split="mixed"), asked("3", FADES, split="test"), asked("4")]
    assert find_faults(judged, articles) == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ([asked("1", RED), asked("1", COOL, text="Other?")], "1: the name is used twice"),
        ([asked("1", RED, text="How  RED?"), asked("2", RED, text="how red? ")], "2: the question stands there twice"),
        ([Judged("1", ("Red?",), (span(RED, "gone.md"),))], "1: there is no article gone.md"),
        ([Judged("1", ("Red?",), (span(RED, digest="old"),))], "1: a.md has changed since its spans were judged"),
        ([asked("1", (1, 10))], "1: a.md 1-10 is not a run of whole sentences"),
        ([asked("1", (0, 9))], "1: a.md 0-9 is not a run of whole sentences"),
        ([asked("1", (30, 99))], "1: a.md 30-99 is not a run of whole sentences"),
        ([asked("1", (-10, 10))], "1: a.md -10-10 is not a run of whole sentences"),
        ([asked("1", (21, 10))], "1: a.md 21-10 is not a run of whole sentences"),
        ([asked("1", RED, (12, 20))], "1: a.md 12-20 is not a run of whole sentences"),
        ([asked("1", (0, 20), split="dev"), asked("2", (11, 29), split="test")], "1 (dev) and 2 (test) share a.md 0-20"),
    ],
)
def test_each_fault_is_found_and_named(articles: dict[str, Article], wrong: list[Judged], fault: str) -> None:
    good = [asked("8", COOL, split="mixed"), asked("9", WAIT, split="mixed")]
    assert find_faults([good[0], *wrong, good[1]], articles) == [fault]


def test_the_same_words_after_another_chat_are_another_question(articles: dict[str, Article]) -> None:
    one, other = (Judged(name, (before, "Why?"), (span(RED),)) for name, before in (("1", "Red?"), ("2", "Sore?")))
    assert find_faults([one, other], articles) == []


# Dividing


def overlaps(one: Judged, other: Judged) -> bool:
    return any(a.doc == b.doc and max(a.start, b.start) < min(a.end, b.end) for a in one.answers for b in other.answers)


PLACES = st.tuples(st.sampled_from(["a.md", "b.md"]), st.integers(0, 60), st.integers(1, 12))
QUESTIONS = st.lists(st.lists(PLACES, max_size=6), min_size=1, max_size=16).map(
    lambda rows: [
        Judged(f"q-{n:02}", (f"Question {n}?",), tuple(Span(doc, start, start + length, "") for doc, start, length in row))
        for n, row in enumerate(rows)
    ]
)
# Two long questions that reach beyond what they touch of dev and test, and meet in the middle.
MEETING = [
    asked("1", (0, 10)),
    asked("2", (90, 100)),
    asked("3", (5, 55), (0, 1), (1, 2), (2, 3)),
    asked("4", (50, 95), (99, 100), (98, 99), (97, 98)),
]


@settings(deadline=None, max_examples=300)
@given(QUESTIONS)
@example(MEETING)
def test_questions_that_share_a_passage_are_never_on_both_sides(judged: list[Judged]) -> None:
    split = split_by_passage(judged)
    assert set(split) == {item.id for item in judged}
    assert set(split.values()) <= set(SPLITS)
    for one in judged:
        for other in judged:
            if {split[one.id], split[other.id]} == {"dev", "test"}:
                assert not overlaps(one, other), (one, other)
    # The check that is run on files says so too.
    placed = [dataclasses.replace(item, split=split[item.id]) for item in judged]
    assert not [fault for fault in find_faults(placed, {}) if "share" in fault]


@settings(deadline=None, max_examples=100)
@given(QUESTIONS, st.randoms(use_true_random=False))
def test_the_division_is_the_same_each_time_and_in_any_order(judged: list[Judged], dice: random.Random) -> None:
    mixed = [*judged]
    dice.shuffle(mixed)
    assert split_by_passage(mixed) == split_by_passage(judged) == split_by_passage(judged)


@settings(deadline=None, max_examples=100)
@given(QUESTIONS)
def test_only_questions_with_many_spans_are_mixed(judged: list[Judged]) -> None:
    split = split_by_passage(judged)
    assert all(len(item.answers) > 3 for item in judged if split[item.id] == "mixed")
    empty = [split[item.id] for item in judged if not item.answers]
    assert abs(empty.count("dev") - empty.count("test")) <= 1


def test_groups_go_in_turn_to_the_smaller_side() -> None:
    judged = [asked("1", RED), asked("2", RED), asked("3", FADES), asked("4", COOL), asked("5", WAIT)]
    assert split_by_passage(judged) == {"1": "dev", "2": "dev", "3": "test", "4": "test", "5": "dev"}


@pytest.mark.parametrize("places", [[(0, 10), (10, 20)], [(10, 20), (0, 10)]])
def test_passages_that_only_adjoin_are_two(places: list[tuple[int, int]]) -> None:
    judged = [asked("1", places[0]), asked("2", places[1])]
    split = split_by_passage(judged)
    assert split == {"1": "dev", "2": "test"}
    placed = [dataclasses.replace(item, split=split[item.id]) for item in judged]
    assert not [fault for fault in find_faults(placed, {}) if "share" in fault]


def test_questions_linked_through_others_stay_together() -> None:
    judged = [asked("1", RED), asked("2", COOL), asked("3", RED, FADES), asked("4", FADES, COOL), asked("5", WAIT)]
    split = split_by_passage(judged)
    assert len({split[name] for name in "1234"}) == 1
    assert split["5"] != split["1"]


def test_a_question_with_many_spans_goes_where_all_of_them_are() -> None:
    many = [(0, 2), (2, 4), (4, 6), (6, 8)]
    base = [asked("1", (0, 10)), asked("2", (50, 60))]
    assert split_by_passage([*base, asked("9", *many)])["9"] == split_by_passage(base)["1"]
    assert split_by_passage([*base, asked("9", *many, (50, 52))])["9"] == "mixed"
    assert split_by_passage([*base, asked("9", *many, (80, 82))])["9"] == "mixed"


# The project's own files


def read_all(folder: Path) -> dict[str, Article]:
    return {path.name: read_article(path) for path in article_files(folder)[0]}


@pytest.fixture(scope="module")
def own_articles() -> dict[str, Article]:
    return read_all(ROOT / "corpus" / "articles")


@pytest.fixture(scope="module")
def source_articles(sources: Path) -> dict[str, Article]:
    return read_all(sources)


OWN = {name: ROOT / "corpus" / "judged" / f"{name}.jsonl" for name in ("questions", "unanswerable", "dialogues", "messages")}
OF_SOURCES = [ROOT / "tests" / "judged" / name for name in ("sources.jsonl", "sources-dialogues.jsonl")]


def test_every_file_of_judged_questions_is_looked_at_here() -> None:
    assert sorted((ROOT / "corpus" / "judged").glob("*.jsonl")) == sorted(OWN.values())
    assert sorted((ROOT / "tests" / "judged").glob("*.jsonl")) == sorted(OF_SOURCES)


@pytest.mark.parametrize("path", [*OWN.values(), *OF_SOURCES], ids=lambda path: path.name)
def test_every_judged_question_has_style_topic_and_split(path: Path) -> None:
    for item in load_judged(path):
        assert item.style, item.id
        assert item.topic, item.id
        assert item.split in SPLITS, item.id


@pytest.mark.parametrize(
    ("path", "least", "fits"),
    [
        (OWN["questions"], 300, lambda item: item.answers and len(item.turns) == 1),
        (OWN["unanswerable"], 200, lambda item: not item.answers and not item.route),
        (OWN["dialogues"], 80, lambda item: item.answers and len(item.turns) > 1),
        (OWN["messages"], 320, lambda item: item.route and not item.answers),
        (OF_SOURCES[0], 250, lambda item: item.answers and len(item.turns) == 1),
        (OF_SOURCES[1], 80, lambda item: item.answers and len(item.turns) > 1),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_there_are_enough_questions_of_the_kind_that_the_file_is_for(
    path: Path, least: int, fits: Callable[[Judged], object]
) -> None:
    judged = load_judged(path)
    assert [item.id for item in judged if not fits(item)] == []
    assert len(judged) >= least


def test_the_judged_questions_on_the_corpus_have_no_faults(own_articles: dict[str, Article]) -> None:
    assert find_faults([item for path in OWN.values() for item in load_judged(path)], own_articles) == []


def test_the_judged_questions_on_the_sources_have_no_faults(source_articles: dict[str, Article]) -> None:
    assert find_faults([item for path in OF_SOURCES for item in load_judged(path)], source_articles) == []


def test_no_scenario_of_the_messages_stands_on_both_sides() -> None:
    sides: dict[str, set[str]] = {}
    for item in load_judged(OWN["messages"]):
        sides.setdefault(item.topic, set()).add(item.split)
    assert [scenario for scenario, splits in sides.items() if len(splits) > 1] == []


def untouched(judged: list[Judged], articles: dict[str, Article]) -> list[str]:
    """The sections with sentences that no answer touches."""
    touched = {
        (doc, sentence.section)
        for doc, article in articles.items()
        for sentence in article.sentences
        for item in judged
        for at in item.answers
        if at.doc == doc and at.start < sentence.end and sentence.start < at.end
    }
    return [
        f"{doc}: {article.sections[number].title}"
        for doc, article in articles.items()
        for number in sorted({sentence.section for sentence in article.sentences})
        if (doc, number) not in touched
    ]


def test_every_section_of_the_corpus_is_asked_about(own_articles: dict[str, Article]) -> None:
    assert untouched(load_judged(OWN["questions"]), own_articles) == []


def test_every_section_of_the_sources_is_asked_about(source_articles: dict[str, Article]) -> None:
    assert untouched(load_judged(OF_SOURCES[0]), source_articles) == []


@pytest.mark.parametrize("paths", [[*OWN.values()], OF_SOURCES], ids=["corpus", "sources"])
def test_both_sides_have_enough_questions_to_say_something(paths: list[Path]) -> None:
    splits = [item.split for path in paths for item in load_judged(path) if item.answers]
    assert splits.count("dev") >= 100
    assert splits.count("test") >= 100
