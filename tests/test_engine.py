"""Candidates: whatever is nearest in meaning or strongest in words is among them, and nothing that is not searched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.engine import LocalEngine, Scope
from retrieval.lexical import LexicalIndex
from retrieval.vector_index import VectorIndex

TERMS = ["redness", "laser", "sun", "session", "pain", "ice", "tattoo", "skin"]
LANGUAGES = ["en", "ms", "en-GB"]
TEXTS = st.lists(st.lists(st.sampled_from(TERMS), max_size=6).map(" ".join), min_size=1, max_size=60)


def engine_of(texts: list[str], per_article: int = 3) -> tuple[LocalEngine, np.ndarray, LexicalIndex]:
    vectors = np.random.default_rng(len(texts)).normal(size=(len(texts), 4)).astype(np.float32)
    lexical = LexicalIndex.build(texts)
    articles = (np.arange(len(texts)) // per_article).astype(np.int32)
    languages = [LANGUAGES[article % 3] for article in range(len(texts))]
    return LocalEngine(VectorIndex.of(vectors), lexical, articles, languages), vectors, lexical


@given(TEXTS, st.lists(st.sampled_from([*TERMS, "unknown"]), max_size=5).map(" ".join), st.integers(1, 20))
@settings(max_examples=150, deadline=None)
def test_the_strongest_in_words_are_those_with_the_best_scores(texts: list[str], question: str, count: int) -> None:
    lexical = LexicalIndex.build(texts)
    scores = lexical.scores(question)
    found = lexical.hits(question).strongest(count)
    assert len(set(found.tolist())) == len(found) == min(count, np.count_nonzero(scores))
    assert np.array_equal(np.sort(scores[found]), np.sort(scores)[len(scores) - len(found) :])


@given(TEXTS, st.lists(st.booleans(), min_size=60, max_size=60), st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_the_strongest_of_those_that_are_kept(texts: list[str], kept: list[bool], count: int) -> None:
    lexical, mask = LexicalIndex.build(texts), np.array(kept[: len(texts)])
    scores = lexical.scores("laser sun pain laser")
    found = lexical.hits("laser sun pain laser").strongest(count, mask)
    assert mask[found].all()
    assert len(set(found.tolist())) == len(found) == min(count, np.count_nonzero(scores[mask]))
    assert np.array_equal(np.sort(scores[found]), np.sort(scores[mask])[np.count_nonzero(mask) - len(found) :])


@given(
    TEXTS, st.frozensets(st.integers(0, 19), max_size=8), st.frozensets(st.sampled_from([*LANGUAGES, "zh"])), st.integers(1, 20)
)
@settings(max_examples=150, deadline=None)
def test_candidates_hold_the_nearest_and_the_strongest_of_what_is_searched(
    texts: list[str], gone: frozenset[int], languages: frozenset[str], pool: int
) -> None:
    engine, vectors, lexical = engine_of(texts)
    vector, question = np.array([1, 0, 0, 0], dtype=np.float32), "laser sun"
    in_use = np.array(
        [place // 3 not in gone and (not languages or LANGUAGES[place // 3 % 3] in languages) for place in range(len(texts))]
    )
    scope = Scope(frozenset(article for article in gone if article < len(texts)), languages)
    found = engine.find(vector, question, pool, np.array([len(texts) - 1]), scope)
    again = engine.find(vector, question, pool, np.array([len(texts) - 1]), scope)
    assert np.array_equal(found.places, again.places)
    assert found.places.tolist() == sorted(set(found.places.tolist()))
    assert in_use[found.places].all()
    assert np.array_equal(found.vectors, vectors[found.places])
    assert np.array_equal(found.lexical, lexical.scores(question)[found.places])
    dense, words = vectors @ vector, lexical.scores(question)
    for scores in (dense, words):
        best = np.sort(scores[in_use])[::-1][:pool]
        enough = min(len(best), np.count_nonzero(scores[in_use]))
        assert np.sort(scores[found.places])[::-1][:enough] == pytest.approx(best[:enough])
    assert (len(texts) - 1 in found.places) == in_use[-1]


def test_where_all_is_withdrawn_nothing_is_found() -> None:
    engine, *_ = engine_of(["laser", "sun"])
    found = engine.find(np.ones(4, dtype=np.float32), "laser", 5, np.empty(0, dtype=np.int64), Scope(frozenset({0})))
    assert (found.places.shape, found.vectors.shape, found.lexical.shape) == ((0,), (0, 4), (0,))
