"""Intervals and the paired test, against exact values and the normal approximation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test

from retrieval.evaluation.statistics import Figure, paired_p_value, with_interval

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40)
QUICK = settings(deadline=None, max_examples=25)


def exact(one: list[float], other: list[float]) -> float:
    """The share of all ways to swap the systems question by question that part the means at least as far."""
    difference = [a - b for a, b in zip(one, other, strict=True)]
    observed = abs(sum(difference))
    ways = list(itertools.product((1, -1), repeat=len(difference)))
    far = [abs(sum(sign * d for sign, d in zip(way, difference, strict=True))) >= observed - 1e-9 for way in ways]
    return sum(far) / len(ways)


@QUICK
@given(VALUES)
def test_an_interval_holds_its_mean_and_lies_within_the_values(values: list[float]) -> None:
    figure = with_interval(values)
    assert figure.mean == pytest.approx(math.fsum(values) / len(values))
    assert figure.count == len(values)
    assert min(values) - 1e-9 <= figure.low <= figure.mean + 1e-9
    assert figure.mean - 1e-9 <= figure.high <= max(values) + 1e-9


def test_no_values_make_an_empty_figure() -> None:
    assert with_interval([]) == Figure(0.0, 0.0, 0.0, 0)


def test_the_same_values_always_give_the_same_interval() -> None:
    values = np.random.default_rng(1).random(50).tolist()
    assert with_interval(values) == with_interval(values)


def test_values_that_are_all_alike_leave_no_doubt() -> None:
    assert with_interval([0.5] * 9) == Figure(0.5, 0.5, 0.5, 9)


def test_more_questions_make_a_figure_surer() -> None:
    widths = [(figure := with_interval([0.0, 1.0, 1.0] * times)).high - figure.low for times in (5, 20, 80)]
    assert widths[0] > 1.5 * widths[1] > 2 * widths[2] > 0
    # Four times the questions halve the interval.
    assert widths[1] / widths[2] == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_an_interval_is_about_that_of_the_normal_approximation(share: float) -> None:
    count = 400
    values = [1.0] * int(share * count) + [0.0] * (count - int(share * count))
    figure = with_interval(values)
    reach = 1.96 * math.sqrt(share * (1 - share) / count)
    assert figure.low == pytest.approx(share - reach, abs=0.15 * reach)
    assert figure.high == pytest.approx(share + reach, abs=0.15 * reach)


def test_intervals_of_many_samples_hold_the_true_mean_about_as_often_as_they_say() -> None:
    samples = np.random.default_rng(7).random((200, 40))
    held = sum(figure.low <= 0.5 <= figure.high for figure in (with_interval(sample.tolist()) for sample in samples))
    assert 0.90 <= held / 200 <= 0.99


def test_equal_systems_differ_by_chance_alone() -> None:
    assert paired_p_value([0.2, 0.9, 0.0], [0.2, 0.9, 0.0]) == 1.0
    assert paired_p_value([], []) == 1.0
    # The means are equal although no question is, and floating point does not give quite nothing.
    assert paired_p_value([0.1, 0.2, 0.0], [0.0, 0.0, 0.3]) == 1.0


def test_a_clear_difference_is_hardly_chance() -> None:
    assert paired_p_value([1.0] * 30, [0.0] * 30) == pytest.approx(1 / 10_001)


def test_the_paired_test_is_never_quite_certain() -> None:
    assert paired_p_value([1.0] * 200, [0.0] * 200) > 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 0]),
        ([1, 1, 1, 0, 1, 1, 0, 1], [0, 1, 0, 1, 0, 0, 0, 0]),
        ([0.9, 0.3, 0.5, 0.7, 0.1, 1.0, 0.2, 0.8], [0.5, 0.4, 0.25, 0.6, 0.3, 0.2, 0.2, 0.1]),
        ([0.5, 0.3, 0.5, 0.2, 0.1, 0.6, 0.2, 0.8], [0.5, 0.4, 0.25, 0.6, 0.3, 0.2, 0.2, 0.1]),
    ],
)
def test_the_paired_test_is_about_that_of_all_256_ways_to_swap(one: list[float], other: list[float]) -> None:
    expected = exact(one, other)
    found = paired_p_value(one, other)
    # Four standard errors of 10,000 draws.
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 10_000) + 1e-3)
    theirs = permutation_test(
        (np.array(one, float), np.array(other, float)),
        lambda a, b, axis: abs((a - b).mean(axis=axis)),
        permutation_type="samples",
        alternative="greater",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert theirs.pvalue == pytest.approx(expected, abs=1e-9)


@QUICK
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=25))
def test_the_paired_test_is_two_sided_and_repeats(pairs: list[tuple[float, float]]) -> None:
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    found = paired_p_value(one, other)
    assert 0.0 < found <= 1.0
    assert paired_p_value(other, one) == found == paired_p_value(one, other)


@pytest.mark.parametrize(("one", "other"), [([1.0], [0.0, 1.0, 0.0]), ([1.0, 0.0], [1.0]), ([1.0], [])])
def test_systems_must_have_been_asked_the_same_questions(one: list[float], other: list[float]) -> None:
    with pytest.raises(ValueError, match="zip"):
        paired_p_value(one, other)
