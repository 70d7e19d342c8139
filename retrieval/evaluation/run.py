"""Asks judged questions and measures what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from retrieval.assistant import Assistant
from retrieval.errors import QuestionError
from retrieval.evaluation.judged import Judged, Span, answering
from retrieval.evaluation.metrics import (
    answering_articles_found,
    auroc,
    calibration_error,
    false_alarms,
    hit_at,
    ndcg_at,
    percentile,
    recall_at,
    reciprocal_rank,
    risk_coverage,
    route_recall,
    share_that_answers,
    words_to_answer,
)
from retrieval.evaluation.statistics import Figure, paired_p_value, with_interval
from retrieval.search import FUSED, Weights
from retrieval.types import Answer, Quote, Turn

__all__ = ["METRICS", "Evaluation", "Outcome", "Shown", "by", "confusion", "evaluate", "figures", "outcome", "p_value"]

METRICS = (
    "hit@1",
    "hit@3",
    "mrr",
    "ndcg@10",
    "recall@100",
    "words to answer",
    "articles found",
    "quoted that answers",
)
_DEPTH = 100
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """A quote as it was shown for a question, and whether it answers."""

    doc: str
    start: int
    end: int
    text: str
    score: float
    dense: float
    lexical: float
    answers: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back for one judged question.

    `metrics` are those of the ranking alone, for questions that have an answer; `route`, `answered` and `right` are what
    a patient would meet: whether quotes were shown, and whether one of them answers; `confidence` is how likely it was held
    to be that the articles answer (0 where the question was not looked up).
    """

    judged: Judged
    top: tuple[Shown, ...]
    metrics: dict[str, float]
    route: str
    answered: bool
    right: bool
    confidence: float
    proved: bool
    stages_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All outcomes of one run, and what was run."""

    name: str
    release: str
    outcomes: tuple[Outcome, ...]
    figures: dict[str, Figure] = field(default_factory=dict)


def evaluate(
    assistant: Assistant,
    judged: Sequence[Judged],
    name: str,
    weights: Weights = FUSED,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Ask every judged question.

    Parameters: an opened assistant, the questions, a name for this run, the weights of the ranking, whom to tell.
    Returns the outcomes in the order of the questions, with all figures. Every question counts, answered or not.
    """
    outcomes = []
    for number, item in enumerate(judged, start=1):
        outcomes.append(outcome(assistant, item, weights)[0])
        if progress:
            progress(number, len(judged))
    done = tuple(outcomes)
    return Evaluation(name, assistant.release().id, done, figures(done))


def outcome(assistant: Assistant, item: Judged, weights: Weights = FUSED, open_ranked: bool = True) -> tuple[Outcome, Answer]:
    """Ask one judged question.

    Parameters: as for `evaluate`, and whether a question without answers is ranked too, which no figure needs.
    Returns what came back, measured, and the answer itself.
    """
    question, history = item.turns[-1], [Turn(turn) for turn in item.turns[:-1]]
    try:
        ranked = assistant.ranked(question, _DEPTH, history, weights) if item.answers or open_ranked else []
        answer = assistant.ask(question, history, weights)
    except QuestionError:
        # What cannot be asked counts as not answered; it must not end a run over all the others.
        ranked, answer = [], Answer("no_answer")
    top = tuple(
        Shown(
            quote.citation.doc,
            quote.citation.start,
            quote.citation.end,
            quote.text,
            match.score,
            match.dense,
            match.lexical,
            _answers(item.answers, quote),
        )
        for quote, match in ranked
    )
    release = assistant.release(answer.release) if answer.release else assistant.release()
    proved = all(
        (article := release.article(quote.citation.doc)) is not None
        and article.text[quote.citation.start : quote.citation.end] == quote.text
        for quote in answer.quotes
    )
    found = Outcome(
        judged=item,
        top=top[:10],
        metrics=_metrics(item, top) if item.answers else {},
        route=answer.route,
        answered=answer.route == "answer" and bool(answer.quotes),
        right=any(_answers(item.answers, quote) for quote in answer.quotes),
        confidence=answer.confidence,
        proved=proved,
        stages_ms=dict(answer.stages_ms),
    )
    return found, answer


def figures(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Every figure of some outcomes, with its interval where it is a mean over questions.

    Ranking figures are over the questions that have an answer; "answered in vain" over those that have none; routes over
    the messages that have a route to take.
    """
    answerable = [o for o in outcomes if o.judged.answers]
    open_ones = [o for o in outcomes if not o.judged.answers and not o.judged.route]
    routed = [o for o in outcomes if o.judged.route]
    found: dict[str, Figure] = {}
    if answerable:
        found = {metric: with_interval([o.metrics[metric] for o in answerable]) for metric in METRICS}
        found["answered"] = with_interval([float(o.answered) for o in answerable])
        found["shown quotes answer"] = with_interval([float(o.right) for o in answerable])
        found["quotes proved"] = with_interval([float(o.proved) for o in answerable])
    if open_ones:
        found["answered in vain"] = with_interval([float(o.answered) for o in open_ones])
    if answerable and open_ones:
        both = [*answerable, *open_ones]
        area = auroc([o.confidence for o in answerable], [o.confidence for o in open_ones])
        found["auroc of abstaining"] = Figure(area, area, area, len(both))
        error = calibration_error([o.confidence for o in both], [o.right for o in both])
        found["calibration error"] = Figure(error, error, error, len(both))
        curve = risk_coverage([o.confidence for o in both], [o.right for o in both])
        area_under = sum(risk for _, risk in curve) / len(curve)
        found["mean risk over coverage"] = Figure(area_under, area_under, area_under, len(both))
    routes = [(o.judged.route, o.route) for o in routed]
    for route in sorted({o.judged.route for o in routed}):
        found[f"{route}: recall"] = with_interval(route_recall(routes, route))
        found[f"{route}: false alarms"] = with_interval(false_alarms(routes, route))
    for stage in sorted({stage for o in outcomes for stage in o.stages_ms}):
        times = [o.stages_ms[stage] for o in outcomes if stage in o.stages_ms]
        for label, share in (("median", 0.5), ("95th", 0.95), ("99th", 0.99)):
            value = percentile(times, share)
            found[f"ms {stage}, {label}"] = Figure(value, value, value, len(times))
    return found


def p_value(name: str, one: Sequence[Outcome], other: Sequence[Outcome]) -> float | None:
    """The paired test for a figure that is a mean over questions; None for others.

    Parameters: the figure's name, and the outcomes of two systems for the same questions in the same order.
    """
    pairs = [
        (a.metrics[name], b.metrics[name]) for a, b in zip(one, other, strict=True) if name in a.metrics and name in b.metrics
    ]
    return paired_p_value([a for a, _ in pairs], [b for _, b in pairs]) if pairs else None


def by(outcomes: Sequence[Outcome], key: Callable[[Judged], str]) -> dict[str, dict[str, Figure]]:
    """Figures by a property of the questions, such as style or topic."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(key(outcome.judged) or "none", []).append(outcome)
    return {name: figures(group) for name, group in sorted(groups.items())}


def confusion(outcomes: Sequence[Outcome]) -> Counter[tuple[str, str]]:
    """Counts of messages by the route they should take and the route they took."""
    return Counter((o.judged.route, o.route) for o in outcomes if o.judged.route)


def _metrics(item: Judged, top: Sequence[Shown]) -> dict[str, float]:
    relevant = [shown.answers for shown in top]
    shown = top[:_SHOWN]
    fresh = _first_finds(item.answers, top)
    quoted = sum(quote.end - quote.start for quote in shown)
    inside = sum(
        max(0, min(quote.end, span.end) - max(quote.start, span.start))
        for quote in shown
        for span in _disjoint(item.answers)
        if span.doc == quote.doc
    )
    wanted = [span.doc for span in item.answers]
    return {
        "hit@1": hit_at(relevant, 1),
        "hit@3": hit_at(relevant, 3),
        "mrr": reciprocal_rank(relevant),
        "ndcg@10": ndcg_at(fresh, [1.0] * len(item.answers), 10),
        "recall@100": recall_at([gain > 0 for gain in _span_hits(item.answers, top)], len(item.answers), len(item.answers)),
        "words to answer": float(words_to_answer([len(quote.text.split()) for quote in shown], relevant[:_SHOWN])),
        "articles found": answering_articles_found([quote.doc for quote in shown if quote.answers], wanted),
        "quoted that answers": share_that_answers(quoted, inside),
    }


def _first_finds(spans: Sequence[Span], top: Sequence[Shown]) -> list[float]:
    """The gain of each rank: how many answering spans are found there for the first time, at most one."""
    left = list(spans)
    gains = []
    for shown in top:
        found = next((span for span in left if answering([span], shown.doc, shown.start, shown.end)), None)
        if found is not None:
            left.remove(found)
        gains.append(1.0 if found is not None else 0.0)
    return gains


def _span_hits(spans: Sequence[Span], top: Sequence[Shown]) -> list[float]:
    """For each answering span, 1.0 if any of the ranks found it."""
    return [float(any(answering([span], shown.doc, shown.start, shown.end) for shown in top)) for span in spans]


def _disjoint(spans: Sequence[Span]) -> list[Span]:
    """Spans with their overlaps joined, so that no character counts twice."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.doc, s.start)):
        last = joined[-1] if joined else None
        if last and last.doc == span.doc and span.start < last.end:
            joined[-1] = Span(last.doc, last.start, max(last.end, span.end), last.digest)
        else:
            joined.append(span)
    return joined


def _answers(spans: Sequence[Span], quote: Quote) -> bool:
    return answering(spans, quote.citation.doc, quote.citation.start, quote.citation.end)
