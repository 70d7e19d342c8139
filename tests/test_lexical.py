"""BM25: the scores of bm25s, divided by a bound that depends on the question alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from retrieval.errors import DamagedRelease
from retrieval.lexical import LexicalIndex, stems

TEXTS = ["Redness fades in two days", "Most people need five sessions", "Redness after five sessions of redness", "Sun"]


def test_words_are_stemmed_and_plain_and_small_words_are_left_out() -> None:
    assert stems("How are the Sessions' naïve TREATMENTS?") == ["session", "naiv", "treatment"]
    assert stems("What is it?") == []


def test_scores_are_those_of_bm25s_over_the_question_s_bound() -> None:
    reference = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    reference.index([stems(text) for text in TEXTS], show_progress=False)
    raw = reference.get_scores(stems("redness five"))
    bound = sum(np.log(1 + (4 - held + 0.5) / (held + 0.5)) for held in (2, 2))
    assert LexicalIndex.build(TEXTS).scores("redness five") == pytest.approx(raw / bound, rel=1e-5)


def test_an_unknown_word_counts_against_every_passage() -> None:
    index = LexicalIndex.build(TEXTS)
    assert index.scores("redness").max() > index.scores("redness zebra").max() > 0


def test_a_question_without_known_words_scores_nothing() -> None:
    index = LexicalIndex.build(TEXTS)
    assert not index.scores("zebra").any()
    assert not index.scores("what is it").any()


def test_rare_words_are_stronger_and_many_are_stronger_than_few() -> None:
    index = LexicalIndex.build(TEXTS)
    redness, zebra = (index.weight_of(stems(word)[0]) for word in ("redness", "zebra"))
    assert index.strength("redness zebra") == pytest.approx((redness + zebra) ** 2 / 2)
    assert index.strength("zebra") > index.strength("sessions")
    assert index.strength("what is it") == 0


def test_texts_without_words_are_indexed_too() -> None:
    assert LexicalIndex.build([]).scores("redness").shape == (0,)
    assert LexicalIndex.build(["it is", "..."]).scores("redness").tolist() == [0, 0]


@given(st.lists(st.sampled_from("redness fades two days five sessions sun zebra of the".split()), max_size=12))
def test_scores_lie_between_0_and_1(words: list[str]) -> None:
    scores = LexicalIndex.build(TEXTS).scores(" ".join(words))
    assert scores.shape == (4,)
    assert (scores >= 0).all()
    assert (scores <= 1).all()


def test_the_same_texts_give_the_same_files_in_every_process(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from retrieval.lexical import LexicalIndex as L; L.build({TEXTS!r}).save(Path('.'))"
    for seed in ("1", "2"):
        (tmp_path / seed).mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path / seed, env=environment)
    files = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(files) == 4
    assert all((tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes() for name in files)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    index = LexicalIndex.build(TEXTS)
    index.save(tmp_path)
    assert (LexicalIndex.load(tmp_path).scores("five sessions") == index.scores("five sessions")).all()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DamagedRelease, match="Build again"):
        LexicalIndex.load(tmp_path)


def test_weights_by_passage_and_a_question_s_terms_give_the_same_scores() -> None:
    index = LexicalIndex.build(["laser sun laser", "", "sun hat", "redness"])
    starts, terms, weights = index.by_passage()
    assert starts.tolist() == [0, 2, 2, 4, 5]
    assert sorted(set(terms.tolist())) == list(range(index.terms))
    for question in ("sun laser sun", "unknown sun", "nothing known", ""):
        asked, most = index.asked(question)
        for place, score in enumerate(index.scores(question).tolist()):
            held = dict(
                zip(terms[starts[place] : starts[place + 1]].tolist(), weights[starts[place] : starts[place + 1]], strict=True)
            )
            mine = sum(times * held.get(term, 0.0) for term, times in asked.items())
            assert mine / (most or 1.0) == pytest.approx(score, abs=1e-6)
