"""A corpus's examples: what is near them is judged as they were, and what says the same goes where they go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import DamagedRelease
from retrieval.examples import Examples

VECTORS = np.eye(4, dtype=np.float32)


def test_the_share_of_answered_examples_is_weighted_by_nearness() -> None:
    examples = Examples.of(VECTORS[:2], ["answer", "no_answer"])
    share, nearness = examples.near(np.array([0.6, 0.5, 0, 0], dtype=np.float32))
    near, far = np.exp(18 * 0.1), np.exp(18 * 0.0)
    assert share == pytest.approx(near / (near + far), rel=1e-3)
    assert nearness == pytest.approx(np.log(near + far), rel=1e-3)


def test_without_questions_nothing_is_said() -> None:
    examples = Examples.of(VECTORS[:1], ["urgent"])
    assert not examples.has_questions
    assert examples.near(VECTORS[0]) == (0.5, 0.0)


def test_what_says_the_same_is_raised_to_the_highest_need() -> None:
    examples = Examples.of(
        np.stack([VECTORS[0], VECTORS[0], VECTORS[1], VECTORS[2]]), ["consult", "urgent", "consult", "answer"]
    )
    assert examples.raises(VECTORS[0]) == "urgent"
    assert examples.raises(VECTORS[1]) == "consult"
    assert examples.raises(VECTORS[2]) is None
    assert examples.raises(np.array([0.84, 0, 0, 0.54], dtype=np.float32)) is None


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    examples = Examples.of(VECTORS, ["answer", "urgent", "no_answer", "consult"], "abc")
    examples.save(tmp_path)
    loaded = Examples.load(tmp_path)
    assert loaded.digest == "abc"
    assert loaded.near(VECTORS[0]) == examples.near(VECTORS[0])
    assert loaded.raises(VECTORS[1]) == "urgent"
    (tmp_path / "routes.npy").write_bytes(b"no")
    with pytest.raises(DamagedRelease, match="Build again"):
        Examples.load(tmp_path)
