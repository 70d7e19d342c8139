"""Metrics, each against a value from elsewhere: trec_eval (through ir-measures), scikit-learn, scipy, numpy, or by hand."""

from __future__ import annotations

from random import Random

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, R, Success, nDCG
from scipy.stats import mannwhitneyu
from sklearn.metrics import confusion_matrix, recall_score, roc_auc_score

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

QUICK = settings(deadline=None, max_examples=60)
RANKINGS = st.lists(st.booleans(), min_size=1, max_size=30)
GAINS = st.lists(st.integers(0, 3), min_size=1, max_size=20)
# Few different values, so that ties are common.
SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=25)


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def trec(measure: object, gains: list[int], missed: list[int]) -> float:
    """What trec_eval says of one ranking: the gains in order, and those of relevant documents that were not found."""
    judged = {f"r{rank}": gain for rank, gain in enumerate(gains)} | {f"m{n}": gain for n, gain in enumerate(missed)}
    run = {f"r{rank}": float(len(gains) - rank) for rank in range(len(gains))}
    return ir_measures.calc_aggregate([measure], {"q": judged}, {"q": run})[measure]


@QUICK
@given(RANKINGS, st.integers(1, 12))
def test_hit_at_k_is_trec_eval_s_success(relevant: list[bool], k: int) -> None:
    assert hit_at(relevant, k) == trec(Success @ k, [*map(int, relevant)], [])


@QUICK
@given(RANKINGS)
def test_reciprocal_rank_is_trec_eval_s(relevant: list[bool]) -> None:
    assert reciprocal_rank(relevant) == pytest.approx(trec(RR, [*map(int, relevant)], []))


@QUICK
@given(RANKINGS, st.integers(0, 5), st.integers(1, 12))
def test_recall_is_trec_eval_s(relevant: list[bool], missed: int, k: int) -> None:
    expected = trec(R @ k, [*map(int, relevant)], [1] * missed) if any(relevant) or missed else 0.0
    assert recall_at(relevant, sum(relevant) + missed, k) == pytest.approx(expected)


@QUICK
@given(st.one_of(GAINS, RANKINGS), st.lists(st.integers(1, 3), max_size=5), st.sampled_from([1, 3, 10]))
def test_ndcg_is_trec_eval_s_graded_and_binary(gains: list[int], missed: list[int], k: int) -> None:
    gains = [*map(int, gains)]
    assert ndcg_at(gains, [*gains, *missed], k) == pytest.approx(trec(nDCG @ k, gains, missed))


def test_means_over_questions_with_unanswered_ones_are_trec_eval_s() -> None:
    """A question that nothing was found for counts as missed, there and here."""
    judged = {"a": {"x": 1, "y": 1}, "b": {"x": 1}, "c": {"z": 1}}
    run = {"a": {"w": 3.0, "x": 2.0, "y": 1.0}, "b": {"x": 1.0}}
    measured = ir_measures.calc_aggregate([Success @ 1, RR, nDCG @ 10, R @ 100], judged, run)
    rankings, totals = [[False, True, True], [True], []], [2, 1, 1]
    both = list(zip(rankings, totals, strict=True))
    assert np.mean([hit_at(r, 1) for r in rankings]) == pytest.approx(measured[Success @ 1]) == pytest.approx(1 / 3)
    assert np.mean([reciprocal_rank(r) for r in rankings]) == pytest.approx(measured[RR]) == pytest.approx(0.5)
    assert np.mean([ndcg_at(r, [1] * n, 10) for r, n in both]) == pytest.approx(measured[nDCG @ 10])
    assert np.mean([recall_at(r, n, 100) for r, n in both]) == pytest.approx(measured[R @ 100]) == pytest.approx(2 / 3)


def test_ndcg_by_hand() -> None:
    # Gains 0, 2, 1 of an ideal 3, 2, 1: (2 / log2 3 + 1 / 2) / (3 + 2 / log2 3 + 1 / 2).
    assert ndcg_at([0, 2, 1], [1, 2, 3], 10) == pytest.approx((1.26186 + 0.5) / (3 + 1.26186 + 0.5), abs=1e-5)


def test_nothing_found_or_nothing_to_find_is_nothing() -> None:
    assert (hit_at([], 3), reciprocal_rank([]), ndcg_at([], [1.0], 10), recall_at([], 2, 10)) == (0, 0, 0, 0)
    assert (ndcg_at([0.0], [], 10), recall_at([False], 0, 10)) == (0, 0)


@QUICK
@given(RANKINGS, st.integers(1, 12), st.data())
def test_rank_metrics_stay_in_bounds_and_never_fall_when_a_hit_moves_up(
    relevant: list[bool], k: int, data: st.DataObject
) -> None:
    rank = data.draw(st.integers(0, len(relevant) - 1))
    better = [*relevant]
    if rank and better[rank]:
        better[rank - 1], better[rank] = better[rank], better[rank - 1]
    total = max(1, sum(relevant))
    ideal = [1.0] * total
    for metric in (
        lambda r: hit_at(r, k),
        reciprocal_rank,
        lambda r: recall_at(r, total, k),
        lambda r: ndcg_at(r, ideal, k),
    ):
        assert 0.0 <= metric(relevant) <= metric(better) + 1e-12 <= 1.0 + 1e-9
    assert hit_at(relevant, k) <= hit_at(relevant, k + 1)
    assert recall_at(relevant, total, k) <= recall_at(relevant, total, k + 1)
    assert hit_at(relevant, k) == float(reciprocal_rank(relevant) >= 1 / k)


@QUICK
@given(RANKINGS, st.randoms())
def test_order_within_the_first_k_does_not_matter_to_hits_and_recall_but_best_first_is_best_for_ndcg(
    relevant: list[bool], random: Random
) -> None:
    mixed = [*relevant]
    random.shuffle(mixed)
    k, total = len(relevant), max(1, sum(relevant))
    assert hit_at(mixed, k) == hit_at(relevant, k)
    assert recall_at(mixed, total, k) == recall_at(relevant, total, k)
    best = ndcg_at(sorted(relevant, reverse=True), [1.0] * total, k)
    assert best >= ndcg_at(mixed, [1.0] * total, k)
    assert best == pytest.approx(float(any(relevant)))


def test_articles_found_counts_each_article_once() -> None:
    assert answering_articles_found(["a.md", "a.md"], ["a.md", "b.md", "a.md"]) == 0.5
    assert answering_articles_found(["b.md", "a.md"], ["a.md", "b.md"]) == 1.0
    assert answering_articles_found(["c.md"], ["a.md"]) == 0.0
    assert answering_articles_found([], []) == 0.0


@pytest.mark.parametrize(
    ("words", "relevant", "read"),
    [
        ([7, 5, 3], [True, False, False], 7),
        ([7, 5, 3], [False, True, True], 12),
        ([7, 5, 3], [False, False, True], 15),
        ([7, 5, 3], [False, False, False], 15),
        ([], [], 0),
    ],
)
def test_words_are_read_until_the_answer_has_been_read(words: list[int], relevant: list[bool], read: int) -> None:
    assert words_to_answer(words, relevant) == read


def test_words_and_their_judgements_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="zip"):
        words_to_answer([1, 2], [False])


def test_the_share_that_answers() -> None:
    assert share_that_answers(200, 50) == 0.25
    assert share_that_answers(0, 0) == 0.0


def test_risk_and_coverage_by_hand() -> None:
    # Best first: 0.9 right; 0.8 wrong and 0.8 right together; 0.5 wrong; 0.1 right.
    scores, correct = [0.8, 0.1, 0.9, 0.5, 0.8], [False, True, True, False, True]
    assert risk_coverage(scores, correct) == [
        (pytest.approx(0.2), 0.0),
        (pytest.approx(0.6), pytest.approx(1 / 3)),
        (pytest.approx(0.8), pytest.approx(2 / 4)),
        (1.0, pytest.approx(2 / 5)),
    ]
    assert risk_coverage([], []) == []


@QUICK
@given(SCORES, st.data())
def test_each_point_of_the_risk_coverage_curve_is_what_its_threshold_gives(scores: list[float], data: st.DataObject) -> None:
    correct = data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    expected = []
    for threshold in sorted(set(scores), reverse=True):
        kept = [right for score, right in zip(scores, correct, strict=True) if score >= threshold]
        expected.append((len(kept) / len(scores), kept.count(False) / len(kept)))
    assert risk_coverage(scores, correct) == [(pytest.approx(c), pytest.approx(r)) for c, r in expected]


@QUICK
@given(SCORES, SCORES)
def test_auroc_is_scikit_learn_s_and_mann_and_whitney_s(positive: list[float], negative: list[float]) -> None:
    area = auroc(positive, negative)
    assert area == pytest.approx(roc_auc_score([1] * len(positive) + [0] * len(negative), positive + negative))
    u = mannwhitneyu(positive, negative, method="exact").statistic
    assert area == pytest.approx(u / (len(positive) * len(negative)))
    assert area == pytest.approx(1 - auroc(negative, positive))
    assert area == pytest.approx(auroc([2 * s + 3 for s in positive], [2 * s + 3 for s in negative]))


def test_auroc_by_hand() -> None:
    # Of six pairs 0.9 wins three; 0.4 wins one (0.1), ties one (0.4), loses one (0.5).
    assert auroc([0.9, 0.4], [0.5, 0.4, 0.1]) == pytest.approx(4.5 / 6)
    assert (auroc([1.0], [0.0]), auroc([0.0], [1.0]), auroc([0.5], [0.5])) == (1.0, 0.0, 0.5)
    assert (auroc([], [0.5]), auroc([0.5], [])) == (0.5, 0.5)


def test_calibration_error_by_hand() -> None:
    # Bins of a tenth: {0.95, 0.95, 1.0} promise 2.9, 2 came true; {0.05} promises 0.05, 0 came; {0.32, 0.38}: 0.7, 2.
    probabilities = [0.95, 0.05, 1.0, 0.32, 0.95, 0.38]
    correct = [True, False, False, True, True, True]
    assert calibration_error(probabilities, correct) == pytest.approx((0.9 + 0.05 + 1.3) / 6)
    # In one bin all errors are set off against each other: 3.65 promised, 4 came true.
    assert calibration_error(probabilities, correct, bins=1) == pytest.approx(0.35 / 6)
    assert calibration_error([], []) == 0.0


@QUICK
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_calibration_error_is_that_of_bins_counted_with_numpy(pairs: list[tuple[float, bool]]) -> None:
    probabilities, correct = np.array([p for p, _ in pairs]), np.array([float(right) for _, right in pairs])
    bins = np.minimum(np.floor(probabilities * 10), 9)
    expected = sum(
        (bins == b).mean() * abs(probabilities[bins == b].mean() - correct[bins == b].mean())
        for b in range(10)
        if (bins == b).any()
    )
    assert calibration_error(probabilities.tolist(), [right for _, right in pairs]) == pytest.approx(expected)
    assert 0.0 <= expected <= 1.0


ROUTES = ["answer", "consult", "no_answer", "urgent"]


@QUICK
@given(st.lists(st.tuples(st.sampled_from(ROUTES), st.sampled_from(ROUTES)), min_size=1, max_size=40), st.sampled_from(ROUTES))
def test_route_figures_are_those_of_scikit_learn_s_confusion_matrix(pairs: list[tuple[str, str]], route: str) -> None:
    wanted, was = [w for w, _ in pairs], [w for _, w in pairs]
    table = confusion_matrix(wanted, was, labels=ROUTES)
    recall = recall_score(wanted, was, labels=[route], average="macro", zero_division=0)
    routes = list(zip(wanted, was, strict=True))
    assert mean(route_recall(routes, route)) == pytest.approx(recall)
    place = ROUTES.index(route)
    others = table.sum() - table[place].sum()
    alarms = (table[:, place].sum() - table[place, place]) / others if others else 0.0
    assert mean(false_alarms(routes, route)) == pytest.approx(alarms)


def test_route_figures_by_hand() -> None:
    counts = {
        ("urgent", "urgent"): 9,
        ("urgent", "answer"): 1,
        ("answer", "urgent"): 2,
        ("answer", "answer"): 6,
        ("consult", "consult"): 2,
    }
    routes = [pair for pair, count in counts.items() for _ in range(count)]
    assert route_recall(routes, "urgent") == [1.0] * 9 + [0.0]
    assert mean(false_alarms(routes, "urgent")) == 0.2
    assert route_recall(routes, "no_answer") == []


@QUICK
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=120), st.integers(0, 100))
def test_percentile_is_numpy_s_nearest_rank(values: list[float], hundredths: int) -> None:
    share = hundredths / 100
    found = percentile(values, share)
    assert found == np.percentile(values, hundredths, method="inverted_cdf")
    ordered = sorted(values)
    assert sum(value <= found for value in values) / len(values) >= share
    assert all(sum(v <= smaller for v in values) / len(values) < share for smaller in ordered if smaller < found)


def test_percentile_by_hand() -> None:
    hundred = list(range(100, 0, -1))
    assert [percentile(hundred, k / 100) for k in range(1, 101)] == list(range(1, 101))
    assert (percentile([30.0, 10.0, 20.0], 0.5), percentile([30.0, 10.0, 20.0], 0.95)) == (20.0, 30.0)
    assert percentile([7.0], 0.0) == 7.0
    assert percentile([], 0.5) == 0.0
