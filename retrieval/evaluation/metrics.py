"""Metrics as pure functions on ranks, scores and outcomes; each names the source of its definition.

A ranking is given as `relevant`: for each rank in order, whether what stands there is relevant. Nothing found is an empty
list and counts as missed: every question is in every mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = [
    "answering_articles_found",
    "auroc",
    "calibration_error",
    "false_alarms",
    "hit_at",
    "ndcg_at",
    "percentile",
    "recall_at",
    "reciprocal_rank",
    "risk_coverage",
    "route_recall",
    "share_that_answers",
    "words_to_answer",
]


def hit_at(relevant: Sequence[bool], k: int) -> float:
    """1.0 if any of the first `k` ranks is relevant, else 0.0.

    Source: "success at k" of trec_eval.
    """
    return float(any(relevant[:k]))


def reciprocal_rank(relevant: Sequence[bool]) -> float:
    """1 / rank of the first relevant one, 0.0 if there is none; the mean over questions is MRR.

    Source: Voorhees (1999), TREC-8 question answering track.
    """
    return next((1.0 / rank for rank, hit in enumerate(relevant, start=1) if hit), 0.0)


def ndcg_at(gains: Sequence[float], ideal: Sequence[float], k: int) -> float:
    """Normalised discounted cumulative gain of the first `k` ranks, 0.0 to 1.0.

    Parameters: the gain at each rank in order, and the gains of all relevant documents, found or not.
    Source: Järvelin and Kekäläinen (2002), with the gain itself and log2(rank + 1), as trec_eval's ndcg_cut.
    """

    def discounted(values: Sequence[float]) -> float:
        return sum(value / math.log2(rank + 1) for rank, value in enumerate(values[:k], start=1))

    best = discounted(sorted(ideal, reverse=True))
    return discounted(gains) / best if best else 0.0


def recall_at(relevant: Sequence[bool], total: int, k: int) -> float:
    """The share of the `total` relevant documents that stand in the first `k` ranks; 0.0 where there are none.

    Source: trec_eval's recall.
    """
    return sum(relevant[:k]) / total if total else 0.0


def answering_articles_found(found: Sequence[str], wanted: Sequence[str]) -> float:
    """The share of the articles that answer of which a quote that answers was shown.

    Parameters: the articles of the quotes that answer, and of all answering spans; both may repeat.
    """
    return len(set(found) & set(wanted)) / len(set(wanted)) if wanted else 0.0


def words_to_answer(words: Sequence[int], relevant: Sequence[bool]) -> int:
    """How many words a patient reads until the answer has been read.

    Parameters: the words of each quote in order, and whether it answers.
    Returns the words up to and with the first quote that answers, or of all of them where none does.
    """
    total = 0
    for count, hit in zip(words, relevant, strict=True):
        total += count
        if hit:
            break
    return total


def share_that_answers(quoted: int, answering: int) -> float:
    """The share of the quoted characters that stand in an answering span; 0.0 where nothing was quoted."""
    return answering / quoted if quoted else 0.0


def risk_coverage(scores: Sequence[float], correct: Sequence[bool]) -> list[tuple[float, float]]:
    """The risk-coverage curve of answering only above a threshold.

    Parameters: each question's score, and whether answering it is right (it can be answered and the first quotes do).
    Returns points (coverage, risk), from the strictest threshold to none: the share of questions answered, and the share
    of those that are wrong. Equal scores are answered together.
    Source: El-Yaniv and Wiener (2010), "On the foundations of noise-free selective classification".
    """
    ordered = sorted(zip(scores, correct, strict=True), key=lambda pair: -pair[0])
    points: list[tuple[float, float]] = []
    wrong = 0
    for count, (score, right) in enumerate(ordered, start=1):
        wrong += not right
        if count == len(ordered) or ordered[count][0] != score:
            points.append((count / len(ordered), wrong / count))
    return points


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive scores above a negative, ties counted half; 0.5 where either is empty.

    Source: Mann and Whitney (1947); Hanley and McNeil (1982).
    """
    if not positive or not negative:
        return 0.5
    pairs = [(score, 1) for score in positive] + [(score, 0) for score in negative]
    pairs.sort()
    ranks = 0.0
    place = 0
    while place < len(pairs):
        end = place
        while end < len(pairs) and pairs[end][0] == pairs[place][0]:
            end += 1
        middle = (place + 1 + end) / 2
        ranks += middle * sum(kind for _, kind in pairs[place:end])
        place = end
    count = len(positive)
    return (ranks - count * (count + 1) / 2) / (count * len(negative))


def calibration_error(probabilities: Sequence[float], correct: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error: the mean distance between what was promised and what came true, by bins of equal width.

    Source: Naeini, Cooper and Hauskrecht (2015).
    """
    groups: dict[int, list[tuple[float, bool]]] = {}
    for probability, right in zip(probabilities, correct, strict=True):
        groups.setdefault(min(bins - 1, int(probability * bins)), []).append((probability, right))
    total = len(probabilities)
    return sum(
        abs(sum(probability for probability, _ in group) - sum(right for _, right in group)) / total
        for group in groups.values()
    )


def route_recall(routes: Sequence[tuple[str, str]], route: str) -> list[float]:
    """For each message that should take a route, 1.0 if it did; the mean is the route's recall.

    Parameters: (should be, was) for each message, and the route.
    """
    return [float(was == route) for wanted, was in routes if wanted == route]


def false_alarms(routes: Sequence[tuple[str, str]], route: str) -> list[float]:
    """For each message that should take another route, 1.0 if it took this one; the mean is the share of false alarms.

    Parameters: as for `route_recall`.
    """
    return [float(was == route) for wanted, was in routes if wanted != route]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank); 0.0 for no values.

    Parameters: values in any order, and a share from 0 to 1.
    """
    if not values:
        return 0.0
    ordered = sorted(values)
    # Not by rounding share * len up: 0.55 * 100 is a little more than 55.
    return next(value for count, value in enumerate(ordered, start=1) if count / len(ordered) >= share)
