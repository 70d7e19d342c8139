"""Question -> ranked passages: dense and lexical scores with one meaning for all questions, added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retrieval.encoder import Vectors
from retrieval.release import Release
from retrieval.types import Match

__all__ = ["DENSE_ONLY", "FUSED", "LEXICAL_ONLY", "Weights", "search"]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much the two scores of a passage count."""

    dense: float
    lexical: float


FUSED = Weights(0.625, 0.375)
"""Chosen on the dev halves of the judged questions; docs/design.md has the figures."""
DENSE_ONLY = Weights(1.0, 0.0)
LEXICAL_ONLY = Weights(0.0, 1.0)
# A quote of two sentences must be better than one of them alone by this much: patients read as little as possible.
_EXTRA_SENTENCE = 0.003
# Quotes from another section, and most of all from another article, win where they are about as good.
_SAME_SECTION = 0.03
_SAME_ARTICLE = 0.015
_POOL = 400


def search(release: Release, question: str, vector: Vectors, top: int, weights: Weights = FUSED) -> list[Match]:
    """Find the passages that answer a question best.

    Parameters: the release, the question, its vector of shape (dimension,), how many are wanted, and the weights.
    Returns at most `top` matches that do not overlap, best first. A match's score is
    0.625 * dense + 0.375 * lexical - 0.003 for each sentence after the first, where `dense` is the inner product with the
    passage's vector (a mean of cosines) and `lexical` the share of the question's word weight that the passage holds.
    """
    count = len(release.passages)
    lexical = release.lexical.scores(question)
    pool = min(count, max(_POOL, 12 * top))
    dense_scores, dense_places = release.index.search(vector[None, :].astype(np.float32), pool)
    dense = dict(zip(dense_places[0].tolist(), dense_scores[0].tolist(), strict=True))
    strongest = np.argpartition(-lexical, min(pool, count) - 1)[:pool] if pool < count else np.arange(count)
    for place in strongest.tolist():
        if lexical[place] > 0 and place not in dense:
            dense[place] = float(release.index.reconstruct(place) @ vector)
    matches = [
        Match(
            release.passages[place],
            weights.dense * score
            + weights.lexical * float(lexical[place])
            - _EXTRA_SENTENCE * (release.passages[place].last - release.passages[place].first),
            score,
            float(lexical[place]),
        )
        for place, score in dense.items()
    ]
    return _distinct(release, matches, top)


def _distinct(release: Release, matches: list[Match], top: int) -> list[Match]:
    """Take the best match again and again, leaving out what overlaps and preferring other sections and articles."""
    waiting = sorted(matches, key=lambda match: (-match.score, match.passage.article, match.passage.first))
    chosen: list[Match] = []
    taken: set[tuple[int, int]] = set()
    sections: set[tuple[int, int]] = set()
    articles: set[int] = set()

    def worth(match: Match) -> float:
        passage = match.passage
        section = (passage.article, release.articles[passage.article].sentences[passage.first].section)
        return match.score - _SAME_SECTION * (section in sections) - _SAME_ARTICLE * (passage.article in articles)

    while waiting and len(chosen) < top:
        # Scores only ever fall by the two allowances, so the best is near the front of the sorted list.
        best, best_worth = -1, -np.inf
        for place, match in enumerate(waiting):
            if match.score <= best_worth:
                break
            if worth(match) > best_worth:
                best, best_worth = place, worth(match)
        match = waiting.pop(best)
        passage = match.passage
        covered = {(passage.article, sentence) for sentence in range(passage.first, passage.last + 1)}
        if covered & taken:
            continue
        chosen.append(match)
        taken |= covered
        articles.add(passage.article)
        sections.add((passage.article, release.articles[passage.article].sentences[passage.first].section))
    return chosen
