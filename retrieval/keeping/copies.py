"""Articles and sentences that say the same nearly word for word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from retrieval.passages import sentence_text
from retrieval.phrases import words
from retrieval.types import Article

__all__ = ["Copy", "copies_among"]

_FEWEST_WORDS = 6  # of a sentence that is looked for in other articles
_ALIKE = 90.0  # per cent of their letters that two sentences share in order
_RUN = 3  # neighbouring words that two sentences must share to be compared at all
_COMMON = 40  # sentences that share a run of words: such a run says nothing


@dataclass(frozen=True, slots=True)
class Copy:
    """What article number `article` has in common with number `other`.

    `whole`: their texts are the same, white space and signs aside. `share` of its sentences of six words or more stand in the
    other nearly word for word: `sentences`, by their places in both.
    """

    article: int
    other: int
    whole: bool
    share: float
    sentences: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence to be compared: its article and place among others, and its words."""

    article: int
    place: int
    words: tuple[str, ...]


def copies_among(articles: Sequence[Article]) -> Iterator[Copy]:
    """Compare each article with each other; those that have nothing in common are left out."""
    texts = [tuple(words(article.text)) for article in articles]
    said = _sentences(articles)
    alike: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for mine, theirs in _nearly_same(said):
        alike[mine.article, theirs.article].append((mine.place, theirs.place))
    counts = Counter(each.article for each in said)
    for here in range(len(articles)):
        for there in range(len(articles)):
            whole, found = texts[here] == texts[there], tuple(alike[here, there])
            if here != there and (whole or found):
                yield Copy(here, there, whole, len(found) / max(1, counts[here]), found)


def _sentences(articles: Sequence[Article]) -> list[_Said]:
    found = (
        _Said(number, place, tuple(words(sentence_text(article, place))))
        for number, article in enumerate(articles)
        for place in range(len(article.sentences))
    )
    return [each for each in found if len(each.words) >= _FEWEST_WORDS]


def _nearly_same(said: Sequence[_Said]) -> Iterator[tuple[_Said, _Said]]:
    """Each sentence with the likest one of every other article, if that is nearly the same."""
    runs: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, each in enumerate(said):
        for run in _runs(each):
            runs[run].append(number)
    for each in said:
        others = {number for run in _runs(each) if len(runs[run]) <= _COMMON for number in runs[run]}
        best: dict[int, tuple[float, int]] = {}
        for number in sorted(others):
            other = said[number]
            if other.article != each.article:
                score = fuzz.ratio(" ".join(each.words), " ".join(other.words), score_cutoff=_ALIKE)
                if score > best.get(other.article, (0.0, 0))[0]:
                    best[other.article] = (score, number)
        for _, number in best.values():
            yield each, said[number]


def _runs(said: _Said) -> set[tuple[str, ...]]:
    return {said.words[at : at + _RUN] for at in range(len(said.words) - _RUN + 1)}
