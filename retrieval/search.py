"""Question -> ranked passages: nearness of meaning, shared words and asked-as questions, added up alike for all questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from retrieval.differences import amounts_in
from retrieval.encoder import Question, Vectors
from retrieval.lexical import LexicalIndex
from retrieval.passages import LONGEST_RUN, passage_text
from retrieval.places import values_at
from retrieval.quoting import asks_for_a_list, complete
from retrieval.release import Release
from retrieval.types import Match, Passage

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]

__all__ = [
    "DENSE_ONLY", "FUSED", "LEXICAL_ONLY", "PLAIN", "UNASKED", "UNTAUGHT", "Weights", "completed", "search", "word_weight",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weights:
    """How much of each part counts; 1 is what was fitted, 0 leaves it out. `taught` is the question model."""

    dense: float = 1.0
    lexical: float = 1.0
    asked: float = 1.0
    taught: float = 1.0


FUSED = Weights()
"""Everything, as fitted on the dev splits; docs/design.md has the figures, and what each part adds."""
DENSE_ONLY = Weights(lexical=0.0, asked=0.0)
LEXICAL_ONLY = Weights(dense=0.0, asked=0.0)
UNASKED = Weights(asked=0.0)
UNTAUGHT = Weights(taught=0.0)
PLAIN = Weights(asked=0.0, taught=0.0)

# BM25 counts less where the question model knows the field: its vectors then tell more than shared words do. There it must not
# count for more because other articles came in, which make all words of the field rarer.
_LEXICAL_FAR, _LEXICAL_NEAR = 0.0132, 0.2036
# An asked-as question lifts the passage that it belongs to from this likeness on; by half as much where the passage itself has
# nothing of the question, so that a question attached to the wrong place does not outrank what another plainly says.
_ASKED, _ASKED_FROM, _SUPPORTED = 0.9, 0.3, 0.2
# A quote of two sentences must be better than one of them alone by this much: patients read as little as possible.
_EXTRA_SENTENCE = 0.005
# Quotes from another section, and most of all from another article, win where they are about as good.
_SAME_SECTION = 0.048
_SAME_ARTICLE = 0.024
_THE_SAME = 0.9
_POOL = 400
_AS_WRITTEN = 0.35
_NOTHING: tuple[Places, Floats] = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))


def search(release: Release, question: Question, top: int, weights: Weights = FUSED) -> list[Match]:
    """Find the passages that answer a question best.

    Parameters: the release, the question as encoded, how many are wanted, and the weights.
    Returns at most `top` matches that do not overlap, none of an article that is not searched for it (`Release.scope_of`), best
    first, each with the sentences that it must not be shown without (quoting.py) and with passages elsewhere that say the same.
    A match's score is

        dense + word_weight(...) * lexical + lift - 0.005 for each sentence after the first,

    where `dense` is the inner product with the passage's vector (a mean of cosines); `lexical` the share that the passage holds
    of the weight of the question's words, mended and with the articles' terms for them (widening.py); and `lift` is what the
    nearest asked-as question adds.
    """
    taught = weights.taught * question.taught
    vector = question.searching if weights.taught else question.vector
    words = release.widening.widen(question.text, question.strange)
    lifted, likeness = _likeness(release, question) if weights.asked else _NOTHING
    found = release.engine.find(vector, words, max(_POOL, 12 * top), lifted, release.scope_of(question.text))
    places = found.places
    if not len(places):
        return []
    dense = found.vectors @ vector
    asked = values_at(places, lifted, likeness)
    rows = release.rows[places]
    scores = (
        weights.dense * dense
        + weights.lexical * word_weight(release.lexical, words, taught) * found.lexical
        + weights.asked * _lift(asked, dense)
        - _EXTRA_SENTENCE * (rows[:, 2] - rows[:, 1])
    )
    return [
        Match(passage, float(scores[at]), float(dense[at]), float(found.lexical[at]), float(asked[at]), also)
        for at, passage, also in _distinct(release, rows, scores, found.vectors, top, asks_for_a_list(question.text))
    ]


def _likeness(release: Release, question: Question) -> tuple[Places, Floats]:
    """How like the question the nearest asked-as question of a passage's sentences is.

    Returns the places of the passages for which there is any that is like it, int64 (found,), ascending, and how like it is.
    """
    sentences, near = release.asked.near(question.text, question.vector, _ASKED_FROM)
    if not len(sentences):
        return _NOTHING
    articles, wanted = sentences.T
    places, likeness = [], []
    for back in range(LONGEST_RUN):
        # The passages that begin so many sentences before one that has such a question, the shortest first.
        first = wanted - back
        begin = release.first_places(articles, first)
        for more in range(LONGEST_RUN):
            place = np.minimum(begin + more, len(release.rows) - 1)
            rows = release.rows[place]
            held = (rows[:, 0] == articles) & (rows[:, 1] == first) & (rows[:, 2] >= wanted)
            places.append(place[held])
            likeness.append(near[held])
    found, near = np.concatenate(places), np.concatenate(likeness)
    order = np.argsort(found)
    begins = np.flatnonzero(np.diff(found[order], prepend=-1))
    return found[order][begins], np.maximum.reduceat(near[order], begins) if len(begins) else near


def completed(question: Question, written: Sequence[Question]) -> Question:
    """A question that was made complete, to be searched for with a part of the message as it was written, if there is one.

    What the patient wrote says what is asked now; what was put in from before is of less weight than where it stands alone.
    """
    if not written:
        return question
    searching: Vectors = ((1 - _AS_WRITTEN) * question.searching + _AS_WRITTEN * written[0].searching).astype(np.float32)
    return replace(question, searching=searching)


def _lift(likeness: Floats, dense: Floats) -> Floats:
    """What the nearest asked-as question adds to a passage: at most 0.63, or half of it where the passage itself is far off."""
    support = np.clip(dense / _SUPPORTED, 0.0, 1.0)
    lift: Floats = _ASKED * np.maximum(0.0, likeness - _ASKED_FROM) * (0.5 + 0.5 * support)
    return lift


def word_weight(lexical: LexicalIndex, words: str, taught: float) -> float:
    """How much the share of a question's words counts beside a cosine.

    Parameters: the words of all passages, those to look for, and how much the question model counts (0 to 1).
    """
    strength = lexical.strength(words)
    return strength * (_LEXICAL_FAR * (1 - taught) + _LEXICAL_NEAR * taught / lexical.rarest**2)


def _distinct(
    release: Release, numbers: Rows, scores: Floats, vectors: Vectors, top: int, whole_lists: bool
) -> list[tuple[int, Passage, tuple[Passage, ...]]]:
    """Take the best candidate again and again, leaving out what overlaps and preferring other sections and articles.

    Parameters: the candidates as numbers (`Release.rows`), their scores and vectors, and whether a list is wanted whole.
    Returns, for each that was taken, its number among the candidates, its passage with what it must not be shown without, and
    the passages that say the same, which are not taken for themselves.
    """
    order = np.argsort(-scores, kind="stable")  # of equals the one that is read first
    rows = numbers[order].tolist()
    worths = scores[order].tolist()
    waiting = list(range(len(rows)))
    chosen: list[tuple[int, Passage, tuple[Passage, ...]]] = []
    directions: Vectors = np.empty((top, vectors.shape[1]), dtype=np.float32)
    shown: dict[int, list[tuple[int, int]]] = {}
    seen_sections: set[tuple[int, int]] = set()
    seen_articles: set[int] = set()
    while len(chosen) < top:
        best, most = -1, -np.inf
        looked_at, left = 0, []
        for number in waiting:
            if worths[number] <= most:
                break  # nothing that follows is worth more: being alike only takes away
            looked_at += 1
            article, first, last, section = rows[number]
            if article in shown and any(first <= end and last >= begin for begin, end in shown[article]):
                continue
            left.append(number)
            worth = worths[number]
            if article in seen_articles:
                worth -= _SAME_ARTICLE + (_SAME_SECTION if (article, section) in seen_sections else 0.0)
            if worth > most:
                best, most = number, worth
        waiting[:looked_at] = left
        if best < 0:
            break
        bare = Passage(*rows[best][:3])
        passage = complete(release.articles[bare.article], bare, whole_lists)
        if any(passage.first <= end and passage.last >= begin for begin, end in shown.get(passage.article, ())):
            passage = bare  # what it would take along is shown already
        shown.setdefault(passage.article, []).append((passage.first, passage.last))
        at = int(order[best])
        direction = vectors[at] / max(float(vectors[at] @ vectors[at]) ** 0.5, 1e-9)
        alike = np.flatnonzero(directions[: len(chosen)] @ direction >= _THE_SAME).tolist()
        same = next((other for other in alike if _same_amounts(release, passage, chosen[other][1])), None)
        if same is not None:
            chosen[same] = (*chosen[same][:2], (*chosen[same][2], passage))
            continue
        directions[len(chosen)] = direction
        chosen.append((at, passage, ()))
        seen_articles.add(passage.article)
        seen_sections.add((passage.article, release.articles[passage.article].sentences[passage.first].section))
    return chosen


def _same_amounts(release: Release, one: Passage, other: Passage) -> bool:
    """Whether two passages tell the same figures and deny alike, so that neither adds anything to the other."""
    first, second = (amounts_in(passage_text(release.articles[passage.article], passage)) for passage in (one, other))
    return first == second
