"""Rules, trained router and examples: each can only raise a message."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from retrieval.classifier import Kinds
from retrieval.examples import Examples
from retrieval.routing import CLINICAL_FROM, URGENT_FROM, highest, judged, raised_by_examples
from retrieval.types import Routing

URGENT, CONSULT, OFFICE = (
    Routing("urgent", "urgent", ("a",)),
    Routing("consult", "consult", ("b",)),
    Routing("no_answer", "o", ("c",)),
)


@pytest.mark.parametrize("order", list(itertools.permutations([URGENT, CONSULT, OFFICE, None])))
def test_the_highest_need_wins_and_all_are_named(order: tuple[Routing | None, ...]) -> None:
    found = highest(*order)
    assert found is not None
    assert (found.route, found.card, found.rules[0], set(found.rules)) == ("urgent", "urgent", "a", {"a", "b", "c"})


def test_nothing_raises_nothing() -> None:
    assert highest(None, None) is None
    assert judged(Kinds(0.0, 0.0, 0.2, 0.7, 0.1)) is None


def test_danger_counts_from_a_low_likelihood_and_self_harm_has_its_card() -> None:
    at = URGENT_FROM
    danger, harm = judged(Kinds(at, 0.0, 0.0, 1 - at, 0.0)), judged(Kinds(0.0, at, 0.0, 1 - at, 0.0))
    assert danger is not None
    assert harm is not None
    assert (danger.route, danger.card, harm.route, harm.card) == ("urgent", "urgent", "urgent", "self_harm")


def test_what_is_likelier_clinical_than_not_goes_to_a_clinician() -> None:
    found = judged(Kinds(0.1, 0.0, CLINICAL_FROM - 0.1, 0.5, 0.0))
    assert found is not None
    assert found.route == "consult"


def test_an_example_that_says_the_same_raises() -> None:
    examples = Examples.of(np.eye(2, dtype=np.float32), ["consult", "answer"])
    found = raised_by_examples(examples, np.eye(2, dtype=np.float32)[0])
    assert found is not None
    assert (found.route, found.card) == ("consult", "consult")
    assert raised_by_examples(examples, np.eye(2, dtype=np.float32)[1]) is None
