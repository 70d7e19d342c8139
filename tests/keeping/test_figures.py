"""Figures in words for staff."""

from __future__ import annotations

from retrieval.evaluation.report import PLAIN
from retrieval.keeping.figures import called, in_plain_words


def test_every_figure_has_words_for_what_it_is_and_for_what_it_means_when_it_is_worse() -> None:
    assert called("hit@1") == "First quote answers"
    assert called("something new") == "something new"
    assert [name for name in PLAIN if in_plain_words(f"{name}: 0.5") == f"{name}: 0.5"] == []


def test_a_limit_that_is_not_kept_says_first_what_it_means_for_patients() -> None:
    limit = "words to answer: 38.9, was 36.9 at 238a857 (+2.0); must be at most 38.7"
    assert in_plain_words(limit) == f"Patients would read more words before they come to the answer. ({limit})"
    assert in_plain_words("something new: 1.0") == "something new: 1.0"
