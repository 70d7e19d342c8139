"""Evaluations worked out by hand: over the small corpus with the readable model, and over rankings that a test makes up."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.assistant import Assistant
from retrieval.clinic import load_clinic
from retrieval.evaluation.judged import Judged, Span
from retrieval.evaluation.run import METRICS, Evaluation, Outcome, by, confusion, evaluate, figures
from retrieval.evaluation.statistics import Figure, with_interval
from retrieval.rules import Rules
from retrieval.search import FUSED, LEXICAL_ONLY, Weights
from retrieval.types import Answer, Article, Citation, Match, Passage, Quote, Route, Turn

URGENT = "I can't breathe properly since the session"
# What is said where in the small corpus.
FIVE = ("sessions.txt", 41, 72)
NINE = ("sessions.txt", 73, 100)
RARE = ("redness.md", 99, 116)
MONTH = ("sun.html", 29, 61)
HAT = ("sun.html", 62, 73)


def asked(identity: str, question: str, *answers: tuple[str, int, int], route: str = "", style: str = "") -> Judged:
    return Judged(identity, (question,), tuple(Span(*place, "") for place in answers), style=style, route=route)


# Over the small corpus


@pytest.fixture
def assistant(corpus: Path, corpus_index: Path, words: WordEncoder) -> Assistant:
    return Assistant(corpus_index, words, Rules.floor(), load_clinic(corpus))


def one(assistant: Assistant, item: Judged, weights: Weights = FUSED) -> Outcome:
    return evaluate(assistant, [item], "test", weights).outcomes[0]


def test_a_question_whose_first_quote_answers(assistant: Assistant) -> None:
    outcome = one(assistant, asked("1", "How many sessions do most people need?", FIVE))
    assert [(shown.doc, shown.start, shown.end, shown.answers) for shown in outcome.top[:3]] == [
        ("sessions.txt", 41, 100, True),
        ("redness.md", 59, 75, False),
        ("sun.html", 29, 61, False),
    ]
    assert outcome.top[0].text == "Most people need five sessions. Tattoos need nine sessions."
    assert outcome.metrics == {
        "hit@1": 1.0,
        "hit@3": 1.0,
        "mrr": 1.0,
        "ndcg@10": 1.0,
        "recall@100": 1.0,
        "words to answer": 9.0,
        "articles found": 1.0,
        "quoted that answers": pytest.approx(31 / (59 + 16 + 32)),
    }
    assert (outcome.route, outcome.answered, outcome.right, outcome.proved) == ("answer", True, True, True)
    assert 0 < outcome.confidence <= 1


def test_a_question_whose_second_and_fifth_quotes_answer(assistant: Assistant) -> None:
    outcome = one(assistant, asked("1", "Can I wear a hat?", MONTH, RARE))
    assert [shown.answers for shown in outcome.top] == [False, True, False, False, True, False, False, False]
    assert outcome.metrics == {
        "hit@1": 0.0,
        "hit@3": 1.0,
        "mrr": 0.5,
        "ndcg@10": pytest.approx((1 / math.log2(3) + 1 / math.log2(6)) / (1 + 1 / math.log2(3))),
        "recall@100": 1.0,
        "words to answer": 3.0 + 8.0,
        "articles found": 0.5,
        "quoted that answers": pytest.approx(32 / (11 + 32 + 26)),
    }
    # What is shown is the hat alone, which is not what was asked for here.
    assert (outcome.route, outcome.answered, outcome.right) == ("answer", True, False)


def test_an_unanswered_question_counts_as_a_miss(assistant: Assistant) -> None:
    found = evaluate(assistant, [asked("1", "Can I wear a hat?", HAT), asked("2", "zebra quantum", HAT)], "test")
    missed = found.outcomes[1]
    assert (missed.route, missed.answered, missed.right) == ("no_answer", False, False)
    assert (missed.metrics["hit@1"], missed.metrics["hit@3"]) == (0.0, 0.0)
    assert missed.metrics["mrr"] == 1 / 8
    for name in ("hit@1", "hit@3", "answered", "shown quotes answer"):
        assert (found.figures[name].mean, found.figures[name].count) == (0.5, 2), name
    assert found.figures["mrr"].mean == pytest.approx((1 + 1 / 8) / 2)


def test_a_question_without_an_answer_has_no_ranking_to_judge_but_may_be_answered_in_vain(assistant: Assistant) -> None:
    judged = [asked("1", "Is swelling rare?"), asked("2", "What is the capital of France?"), asked("3", "zebra quantum")]
    found = evaluate(assistant, judged, "test")
    assert [outcome.answered for outcome in found.outcomes] == [True, False, False]
    assert all(outcome.metrics == {} and not outcome.right for outcome in found.outcomes)
    assert found.figures["answered in vain"].mean == pytest.approx(1 / 3)
    assert not set(METRICS) & set(found.figures)


def test_routes_are_counted_by_what_they_should_be_and_were(assistant: Assistant) -> None:
    judged = [
        asked("1", URGENT, route="urgent"),
        asked("2", "Is swelling rare?", route="urgent"),
        asked("3", "What does it cost?", route="no_answer"),
        asked("4", "Can I wear a hat?", route="answer"),
        asked("5", "Can I wear a hat?", HAT),
    ]
    found = evaluate(assistant, judged, "test")
    assert confusion(found.outcomes) == {
        ("urgent", "urgent"): 1,
        ("urgent", "answer"): 1,
        ("no_answer", "no_answer"): 1,
        ("answer", "answer"): 1,
    }
    assert found.figures["urgent: recall"].mean == 0.5
    assert found.figures["urgent: false alarms"].mean == 0.0
    assert found.figures["answer: recall"].mean == 1.0
    assert found.figures["answer: false alarms"].mean == pytest.approx(1 / 3)
    assert found.figures["answer: false alarms"].count == 3
    assert "answered in vain" not in found.figures
    assert found.figures["hit@1"].count == 1


def test_earlier_turns_count(assistant: Assistant) -> None:
    item = Judged("1", ("How many sessions do people need?", "and for tattoos?"), (Span(*NINE, ""),))
    assert one(assistant, item).metrics["hit@1"] == 1.0
    assert one(assistant, item).right
    alone = dataclasses.replace(item, turns=("and for me?",))
    assert not one(assistant, alone).right


def test_weights_change_the_ranking_s_scores(assistant: Assistant) -> None:
    item = asked("1", "Is swelling rare?", RARE)
    words_only, fused = one(assistant, item, LEXICAL_ONLY), one(assistant, item)
    best, same = words_only.top[0], next(shown for shown in fused.top if shown.text == words_only.top[0].text)
    assert 0 < best.score < best.lexical
    assert same.score == pytest.approx(same.dense + best.score)


def test_an_evaluation_names_itself_its_release_and_its_stages_and_tells_of_progress(assistant: Assistant) -> None:
    told: list[tuple[int, int]] = []
    judged = [asked("1", "Is swelling rare?", RARE), asked("2", URGENT, route="urgent")]
    found = evaluate(assistant, judged, "small", progress=lambda done, total: told.append((done, total)))
    assert (found.name, found.release) == ("small", assistant.release().id)
    assert [outcome.judged for outcome in found.outcomes] == judged
    assert told == [(1, 2), (2, 2)]
    assert set(found.outcomes[0].stages_ms) == {"rules", "encode", "route", "search", "answer"}
    assert set(found.outcomes[1].stages_ms) == {"rules"}
    assert (found.figures["ms rules, median"].count, found.figures["ms search, median"].count) == (2, 1)
    assert found.figures == figures(found.outcomes)


def test_the_same_questions_give_the_same_figures_but_for_times(assistant: Assistant) -> None:
    judged = [asked("1", "Can I wear a hat?", HAT), asked("2", "zebra quantum", RARE), asked("3", "Is swelling rare?")]
    runs = [evaluate(assistant, judged, "test").figures for _ in range(2)]
    kept = [{name: figure for name, figure in run.items() if not name.startswith("ms ")} for run in runs]
    assert kept[0] == kept[1] != {}


def test_a_question_that_cannot_be_asked_is_a_miss_and_does_not_stop_the_run(assistant: Assistant) -> None:
    one, other = evaluate(assistant, [asked("1", " ", HAT), asked("2", "wear a hat", HAT)], "test").outcomes
    assert (one.top, one.route, one.answered, one.right) == ((), "no_answer", False, False)
    assert one.metrics["hit@1"] == 0.0
    assert other.right


# Over rankings made up


class MadeUp:
    """An assistant that ranks and shows what it is told to. Its only article is "abcdefghij" ten times over."""

    TEXT = "abcdefghij" * 10

    def __init__(self, ranking: Sequence[tuple[str, int, int]], answer: Answer, text: str = "three little words") -> None:
        self.ranking = [
            (quote(place, text), Match(Passage(0, 0, 0), 0.9 - 0.1 * n, 0.5, 0.4)) for n, place in enumerate(ranking)
        ]
        self.answer = answer
        self.heard: list[object] = []

    @property
    def id(self) -> str:
        return "made-up"

    def ranked(self, question: str, top: int, history: Sequence[Turn], weights: Weights) -> list[tuple[Quote, Match]]:
        self.heard.append((question, top, list(history), weights))
        return self.ranking

    def ask(self, question: str, history: Sequence[Turn], weights: Weights) -> Answer:
        self.heard.append((question, list(history), weights))
        return self.answer

    def release(self, identity: str = "") -> MadeUp:
        return self

    def article(self, doc: str) -> Article | None:
        return Article(doc, "", self.TEXT, "", "", (), (), ()) if doc == "a.md" else None


def quote(place: tuple[str, int, int], text: str = "") -> Quote:
    doc, start, end = place
    return Quote(text or MadeUp.TEXT[start:end], Citation(doc, "", "", 0, start, end, ""), 0.9)


def shown(*places: tuple[str, int, int], route: Route = "answer") -> Answer:
    return Answer(route, tuple(quote(place) for place in places))


NONE = Answer("no_answer")


def judge(made_up: MadeUp, *answers: tuple[str, int, int]) -> Outcome:
    return evaluate(made_up, [asked("1", "Why?", *answers)], "test").outcomes[0]


def test_nothing_found_is_a_miss_in_every_figure() -> None:
    outcome = judge(MadeUp([], NONE), ("a.md", 0, 10))
    assert outcome.metrics == dict.fromkeys(METRICS, 0.0)
    assert (outcome.answered, outcome.right, outcome.confidence, outcome.top) == (False, False, 0.0, ())


def test_a_quote_that_answers_twice_is_one_find_and_a_span_is_found_once() -> None:
    # The first quote holds both spans, the second repeats the first span, the third is beside the point.
    ranking = [("a.md", 0, 20), ("a.md", 0, 8), ("a.md", 50, 60)]
    metrics = judge(MadeUp(ranking, NONE), ("a.md", 0, 10), ("a.md", 10, 20)).metrics
    assert metrics["ndcg@10"] == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert metrics["recall@100"] == 1.0


def test_recall_counts_all_ranks_and_ndcg_the_first_ten() -> None:
    beside = [("b.md", n, n + 1) for n in range(11)]
    outcome = judge(MadeUp([*beside, ("a.md", 0, 10)], NONE), ("a.md", 0, 10), ("a.md", 30, 40))
    assert outcome.metrics["recall@100"] == 0.5
    assert outcome.metrics["ndcg@10"] == 0.0
    assert outcome.metrics["mrr"] == pytest.approx(1 / 12)
    assert len(outcome.top) == 10


def test_only_three_quotes_are_read() -> None:
    ranking = [("b.md", 0, 9), ("b.md", 10, 19), ("b.md", 20, 29), ("a.md", 0, 10)]
    metrics = judge(MadeUp(ranking, NONE), ("a.md", 0, 10)).metrics
    assert metrics["words to answer"] == 9.0
    assert (metrics["hit@3"], metrics["articles found"], metrics["quoted that answers"]) == (0.0, 0.0, 0.0)


def test_no_character_answers_twice_and_other_articles_do_not_count() -> None:
    spans = [("a.md", 5, 15), ("a.md", 0, 10), ("a.md", 2, 4), ("b.md", 20, 40)]
    metrics = judge(MadeUp([("a.md", 0, 20), ("a.md", 20, 40)], NONE), *spans).metrics
    assert metrics["quoted that answers"] == pytest.approx(15 / 40)
    assert metrics["articles found"] == 0.5


@pytest.mark.parametrize(
    ("answer", "answered", "right"),
    [
        (shown(("a.md", 0, 10)), True, True),
        (shown(("a.md", 50, 60), ("a.md", 0, 10)), True, True),
        (shown(("a.md", 50, 60)), True, False),
        (shown(("a.md", 0, 10), route="consult"), False, True),
        (Answer("urgent"), False, False),
        (NONE, False, False),
    ],
)
def test_what_the_patient_meets_is_what_is_shown_and_not_the_ranking(answer: Answer, answered: bool, right: bool) -> None:
    outcome = judge(MadeUp([("a.md", 0, 10)], answer), ("a.md", 0, 10))
    assert (outcome.route, outcome.answered, outcome.right) == (answer.route, answered, right)
    assert outcome.metrics["hit@1"] == 1.0


@pytest.mark.parametrize(
    ("quotes", "proved"),
    [
        ([quote(("a.md", 3, 9))], True),
        ([], True),
        ([quote(("a.md", 3, 9)), quote(("a.md", 3, 9), "words that stand nowhere")], False),
        ([quote(("gone.md", 3, 9))], False),
    ],
)
def test_a_quote_that_is_not_its_article_s_is_seen(quotes: list[Quote], proved: bool) -> None:
    assert judge(MadeUp([], Answer("answer", tuple(quotes))), ("a.md", 0, 10)).proved is proved


def test_the_last_turn_is_asked_and_the_others_are_the_chat() -> None:
    made_up = MadeUp([], NONE)
    evaluate(made_up, [Judged("1", ("One?", "Two?", "Three?"), ())], "test", LEXICAL_ONLY)
    before = [Turn("One?"), Turn("Two?")]
    assert made_up.heard == [("Three?", 100, before, LEXICAL_ONLY), ("Three?", before, LEXICAL_ONLY)]


# Figures of outcomes made up


def outcome(judged: Judged, score: float = 0.0, answered: bool = False, right: bool = False, **more: object) -> Outcome:
    metrics = dict.fromkeys(METRICS, float(right)) if judged.answers else {}
    values = {"top": (), "metrics": metrics, "route": "answer", "proved": True, "stages_ms": {}} | more
    return Outcome(judged=judged, confidence=score, answered=answered, right=right, **values)


A, B = asked("a", "A?", HAT, style="plain"), asked("b", "B?", HAT, style="misspelt")
U, V = asked("u", "U?", style="plain"), asked("v", "V?")


def test_figures_by_hand() -> None:
    outcomes = [
        outcome(A, 0.9, answered=True, right=True),
        outcome(B, 0.6, proved=False),
        outcome(U, 0.7, answered=True),
        outcome(V, 0.2),
        outcome(asked("r", "R?", route="consult"), 0.99, answered=True),
    ]
    found = figures(outcomes)
    means = {name: (figure.mean, figure.count) for name, figure in found.items()}
    assert means["hit@1"] == (0.5, 2)
    assert means["answered"] == (0.5, 2)
    assert means["shown quotes answer"] == (0.5, 2)
    assert means["quotes proved"] == (0.5, 2)
    assert means["answered in vain"] == (0.5, 2)
    # 0.9 is above 0.7 and 0.2, 0.6 above 0.2 only.
    assert means["auroc of abstaining"] == (0.75, 4)
    # Each score is alone in its tenth: |0.9 - 1|, 0.6, 0.7, 0.2.
    assert means["calibration error"] == (pytest.approx(1.6 / 4), 4)
    # Wrong among the best one, two, three, four.
    assert means["mean risk over coverage"] == (pytest.approx((0 + 1 / 2 + 2 / 3 + 3 / 4) / 4), 4)
    assert means["consult: recall"] == (0.0, 1)
    assert found["hit@1"] == with_interval([1.0, 0.0])


def test_times_are_given_by_nearest_rank_for_the_stages_that_were_gone_through() -> None:
    outcomes = [outcome(A, stages_ms={"search": float(ms)}) for ms in range(100, 0, -1)] + [
        outcome(A, stages_ms={"route": 7.0})
    ]
    found = figures(outcomes)
    assert found["ms search, median"] == Figure(50.0, 50.0, 50.0, 100)
    assert found["ms search, 95th"].mean == 95.0
    assert found["ms search, 99th"].mean == 99.0
    assert found["ms route, 99th"] == Figure(7.0, 7.0, 7.0, 1)


def test_no_outcomes_have_no_figures() -> None:
    assert figures([]) == {}
    assert Evaluation("n", "r", ()).figures == {}


def test_figures_by_a_property_of_the_questions() -> None:
    outcomes = [outcome(A, right=True), outcome(B), outcome(U, answered=True), outcome(V)]
    found = by(outcomes, lambda judged: judged.style)
    assert list(found) == ["misspelt", "none", "plain"]
    assert (found["plain"]["hit@1"].mean, found["misspelt"]["hit@1"].mean) == (1.0, 0.0)
    assert found["plain"]["answered in vain"] == Figure(1.0, 1.0, 1.0, 1)
    assert "hit@1" not in found["none"]
