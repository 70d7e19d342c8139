"""The benchmark of growth: a grown release is one that opens and answers, of as many passages, and finds what is nearest."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from support import WordEncoder

from benchmarks.grown import built_release, grown, grown_release
from benchmarks.growth import texts_of
from benchmarks.plots import line_plot
from retrieval.passages import sentence_text
from retrieval.release import open_current
from retrieval.search import search


def test_a_grown_release_opens_and_is_searched(corpus_index: Path, tmp_path: Path, words: WordEncoder) -> None:
    real = open_current(corpus_index)
    vectors = grown_release(tmp_path / "grown", real, 1500)
    release = open_current(tmp_path / "grown")
    assert len(release.rows) == release.vectors.count == len(vectors) == 1500
    assert list(release.articles)[: len(real.articles)] == list(real.articles)
    question = words.encode_questions(["most people need five sessions"])[0]
    found = search(release, question, 5)
    assert 1 <= len(found) <= 5
    nearest = release.vectors.nearest(question.vector, 10)
    assert set(nearest.tolist()) == set(np.argsort(vectors @ question.vector)[-10:].tolist())


@pytest.mark.usefixtures("quick_reading")
def test_real_texts_become_articles_beside_the_clinic_s_own(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    rows = [{"_id": str(n), "title": f"Scars {n}", "text": "Scars fade. They do so slowly."} for n in range(3)]
    packed = tmp_path / "corpus.jsonl.gz"
    packed.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    built_release(tmp_path / "index", corpus, texts_of(packed)[:2], words)
    release = open_current(tmp_path / "index")
    assert [article.title for article in release.articles] == ["Scars 0", "Scars 1", "Redness", "Sessions", "Sun"]
    assert "Scars fade." in {sentence_text(release.articles[0], place) for place in range(2)}
    assert not list((corpus / "articles").glob("other-*"))


def test_grown_vectors_have_length_one_lie_near_real_ones_and_are_the_same_each_time(corpus_index: Path) -> None:
    real = open_current(corpus_index).vectors.part(0, 9)
    real = real / np.linalg.norm(real, axis=1, keepdims=True)
    many = grown(real, 300)
    assert np.allclose(np.linalg.norm(many, axis=1), 1, atol=1e-5)
    assert (many @ real.T).max(axis=1).mean() > (real @ real.T).mean()
    assert np.array_equal(many, grown(real, 300))
    assert not np.array_equal(many, grown(real, 300, seed=2))


def test_a_plot_of_the_same_figures_is_the_same_file() -> None:
    figures = {"a question (ms)": [5.0, 9.0], "to start (s)": [0.7, 2.0]}
    one = line_plot("passages", [1000, 100_000], figures)
    assert one == line_plot("passages", [1000, 100_000], figures)
    assert one.startswith("<?xml")
    assert one != line_plot("passages", [1000, 100_000], figures | {"to start (s)": [0.7, 3.0]})
