"""The figures of an evaluation in words for staff."""

from __future__ import annotations

from retrieval.evaluation.report import PLAIN

__all__ = ["called", "in_plain_words"]

_WORSE = {
    "hit@1": "The first quote would answer fewer questions",
    "hit@3": "The first three quotes would answer fewer questions",
    "mrr": "Quotes that answer would stand further down",
    "ndcg@10": "What answers best would stand further down",
    "recall@100": "Fewer of the sentences that answer would be found",
    "words to answer": "Patients would read more words before they come to the answer",
    "articles found": "The right article would be found less often",
    "quoted that answers": "Less of what is quoted would answer the question",
    "answered": "Fewer of the questions that articles answer would get quotes",
    "shown quotes answer": "Fewer questions would get a quote that answers them",
    "quotes proved": "Some quotes would not be an article's own words",
    "answered in vain": "More questions without an answer would get quotes",
    "auroc of abstaining": "Whether any article answers a question would be told less well",
    "calibration error": "How sure the chat seems would fit less well to how often it is right",
    "mean risk over coverage": "More of the answers that the chat is sure of would be wrong",
}
"""What it means for patients where a figure is past its limit."""


def called(name: str) -> str:
    """A figure's name in plain words; its own where there are none."""
    return PLAIN[name][0] if name in PLAIN else name


def in_plain_words(limit: str) -> str:
    """A limit that is not kept, after what that means for patients."""
    means = _WORSE.get(limit.partition(":")[0])
    return f"{means}. ({limit})" if means else limit
