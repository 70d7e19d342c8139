"""The question model: the default model's last layers, tuned so that a question lands near the sentences that answer it.

Only questions go through it; passages keep the vectors of the published weights. What is stored is the difference to the
published weights (benchmarks/fit_question_model.py learns it from the asked-as questions of the project's corpus) and what
kinds of questions it was taught: on questions far from all of these it counts for nothing, so that an article on anything
else is found as if there were no such model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.errors import ModelError

__all__ = ["SHIPPED", "QuestionModel"]

SHIPPED = Path(__file__).parent / "field" / "question_model.npz"
"""Tuned for the default model."""
_FAR, _NEAR = 0.44, 0.54
"""Cosine to the nearest kind of question taught: up to the first the tuned layers count for nothing, from the second fully."""
_STEPS = 127

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class QuestionModel:
    """The tuned layers.

    `layers` is how many of the last layers are tuned; `deltas` has, by the parameter's name in the list of these layers, what
    is added to the published weights; `taught`, float32 (kinds, dimension), the centres of the questions it was taught;
    `model` names the encoder; `questions` is the digest of what it was taught.
    """

    layers: int
    deltas: Mapping[str, Floats]
    taught: Floats
    model: str
    questions: str

    def share(self, vector: Floats) -> float:
        """How much the tuned layers count for a question, by its vector (dimension,) of the published weights: 0 to 1."""
        nearest = float((self.taught @ vector).max())
        return min(1.0, max(0.0, (nearest - _FAR) / (_NEAR - _FAR)))

    def save(self, path: Path) -> None:
        """Write the model: each row of a matrix as whole numbers (-127 to 127) and their step, the rest in half precision."""
        arrays: dict[str, Any] = {"taught": self.taught.astype(np.float16), "layers": np.array(self.layers)}
        for name, delta in self.deltas.items():
            if delta.ndim < 2:
                arrays[f"{name}/exact"] = delta.astype(np.float16)
                continue
            steps = np.maximum(np.abs(delta).max(axis=1, keepdims=True), 1e-12) / _STEPS
            arrays[f"{name}/whole"] = np.round(delta / steps).astype(np.int8)
            arrays[f"{name}/step"] = steps.astype(np.float32)
        arrays |= {"model": np.array(self.model), "questions": np.array(self.questions)}
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path, *, deltas: bool = True) -> QuestionModel:
        """Read what `save` wrote, without the deltas where only asking is at hand; raises ModelError where that fails."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                read: dict[str, Floats] = {}
                for key in stored.files if deltas else ():
                    name, _, kind = key.rpartition("/")
                    if kind == "exact":
                        read[name] = stored[key].astype(np.float32)
                    elif kind == "whole":
                        read[name] = stored[key].astype(np.float32) * stored[f"{name}/step"]
                taught = stored["taught"].astype(np.float32)
                return cls(int(stored["layers"]), read, taught, str(stored["model"]), str(stored["questions"]))
        except Exception as problem:  # zipfile, numpy and zlib raise errors that share no root but this one
            raise ModelError(f"{path}: the question model cannot be read ({problem}). Install patient-faq again.") from problem
