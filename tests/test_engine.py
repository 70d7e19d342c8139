"""Candidates: whatever is nearest in meaning or strongest in words is among them, and nothing of what is withdrawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.engine import LocalEngine
from retrieval.lexical import LexicalIndex
from retrieval.vector_index import VectorIndex

TERMS = ["redness", "laser", "sun", "session", "pain", "ice", "tattoo", "skin"]
TEXTS = st.lists(st.lists(st.sampled_from(TERMS), max_size=6).map(" ".join), min_size=1, max_size=60)


def engine_of(texts: list[str], per_article: int = 3) -> tuple[LocalEngine, np.ndarray, LexicalIndex]:
    vectors = np.random.default_rng(len(texts)).normal(size=(len(texts), 4)).astype(np.float32)
    lexical = LexicalIndex.build(texts)
    articles = (np.arange(len(texts)) // per_article).astype(np.int32)
    return LocalEngine(VectorIndex.of(vectors), lexical, articles), vectors, lexical


@given(TEXTS, st.lists(st.sampled_from([*TERMS, "unknown"]), max_size=5).map(" ".join), st.integers(1, 20))
@settings(max_examples=150, deadline=None)
def test_the_strongest_in_words_are_those_with_the_best_scores(texts: list[str], question: str, count: int) -> None:
    lexical = LexicalIndex.build(texts)
    scores = lexical.scores(question)
    found = lexical.hits(question).strongest(count)
    assert len(set(found.tolist())) == len(found) == min(count, np.count_nonzero(scores))
    assert np.array_equal(np.sort(scores[found]), np.sort(scores)[len(scores) - len(found) :])


@given(TEXTS, st.sets(st.integers(0, 19), max_size=8), st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_candidates_hold_the_nearest_and_the_strongest_of_what_is_in_use(texts: list[str], gone: set[int], pool: int) -> None:
    engine, vectors, lexical = engine_of(texts)
    vector, question = np.array([1, 0, 0, 0], dtype=np.float32), "laser sun"
    in_use = np.array([place // 3 not in gone for place in range(len(texts))])
    found = engine.find(vector, question, pool, np.array([len(texts) - 1]), gone)
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
    found = engine.find(np.ones(4, dtype=np.float32), "laser", 5, np.empty(0, dtype=np.int64), {0})
    assert (found.places.shape, found.vectors.shape, found.lexical.shape) == ((0,), (0, 4), (0,))
