"""The question model: a small file, and a share that fades where it was taught nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import Encoder
from retrieval.errors import ModelError
from retrieval.question_model import SHIPPED, QuestionModel

CHANCE = np.random.default_rng(0)
MODEL = QuestionModel(
    layers=1,
    deltas={"0.weight": CHANCE.normal(size=(8, 16)).astype(np.float32), "0.bias": np.array([0.5, -0.25], dtype=np.float32)},
    taught=np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32),
    model="m@1",
    questions="q",
)


def test_what_is_saved_is_loaded_but_for_the_rounding(tmp_path: Path) -> None:
    MODEL.save(tmp_path / "model.npz")
    again = QuestionModel.load(tmp_path / "model.npz")
    assert (again.layers, again.model, again.questions) == (1, "m@1", "q")
    weight = MODEL.deltas["0.weight"]
    step = np.abs(weight).max(axis=1, keepdims=True) / 127
    assert (np.abs(again.deltas["0.weight"] - weight) <= step / 2 + 1e-7).all()
    assert again.deltas["0.bias"].tolist() == [0.5, -0.25]
    assert np.array_equal(again.taught, MODEL.taught)


@pytest.mark.parametrize(("cosine", "share"), [(1.0, 1.0), (0.54, 1.0), (0.49, 0.5), (0.44, 0.0), (-1.0, 0.0)])
def test_it_counts_as_far_as_a_question_is_like_those_it_was_taught(cosine: float, share: float) -> None:
    vector = np.array([cosine, -1.0, np.sqrt(1 - cosine**2)], dtype=np.float32)
    assert MODEL.share(vector) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("kept", [0, 8, 300, -40])
def test_a_damaged_file_is_named(tmp_path: Path, kept: int) -> None:
    MODEL.save(tmp_path / "whole.npz")
    (tmp_path / "model.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"model\.npz: the question model cannot be read"):
        QuestionModel.load(tmp_path / "model.npz")


def test_the_shipped_one_is_for_the_default_model(real_encoder: Encoder) -> None:
    shipped = QuestionModel.load(SHIPPED)
    assert shipped.model == real_encoder.name
    assert shipped.taught.shape[1] == real_encoder.dimension
    assert np.linalg.norm(shipped.taught, axis=1) == pytest.approx(1, abs=1e-2)
