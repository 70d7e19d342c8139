"""A corpus's example messages (corpus/routing/messages.txt): what new messages are compared with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.encoder import Vectors
from retrieval.errors import DamagedRelease
from retrieval.types import Route

__all__ = ["Examples"]

_ROUTES: tuple[Route, ...] = ("answer", "no_answer", "consult", "urgent")

_SHARPNESS = 18.0
"""How much more a near example counts than a far one; chosen by cross-validation over scenarios, docs/design.md."""
_MIDDLE = 0.5  # keeps the exponentials small; cancels out of the share
_THE_SAME = 0.85
"""The cosine from which a message says the same as an example."""


class Examples:
    """Vectors of example messages, float32 (examples, dimension), and their routes, int8 (examples,).

    `digest` names the messages that they come from.
    """

    def __init__(self, vectors: Vectors, routes: npt.NDArray[np.int8], digest: str = "") -> None:
        self.digest = digest
        asked = routes < 2
        # All are multiplied at once: by columns in half the time.
        self._questions, self._answered = np.asfortranarray(vectors[asked]), routes[asked] == 0
        self._raised, self._raised_to = np.asfortranarray(vectors[~asked]), routes[~asked]

    @classmethod
    def of(cls, vectors: Vectors, routes: Sequence[Route], digest: str = "") -> Examples:
        """Examples as they will be after they were saved: in half precision."""
        numbers = np.array([_ROUTES.index(route) for route in routes], dtype=np.int8)
        return cls(vectors.astype(np.float16).astype(np.float32), numbers, digest)

    @property
    def has_questions(self) -> bool:
        """Whether any example is a question that the articles answer or leave open."""
        return len(self._questions) > 0

    def near(self, vector: Vectors) -> tuple[float, float]:
        """Compare a question's vector (dimension,) with all example questions.

        Returns the share of answered ones, each weighted by exp(18 cosine) (Nadaraya and Watson's kernel regression), and
        the logarithm of the sum of these weights: how near any example is; (0.5, 0.0) where there are none.
        """
        if not self.has_questions:
            return 0.5, 0.0
        weights = np.exp(_SHARPNESS * (self._questions @ vector - _MIDDLE))
        total = float(weights.sum())
        return float(weights[self._answered].sum()) / total, float(np.log(total))

    def raises(self, vector: Vectors) -> Route | None:
        """The route of the highest need among the examples that say the same as a message and go to a person, or None."""
        if not len(self._raised):
            return None
        same = self._raised_to[self._raised @ vector >= _THE_SAME]
        return _ROUTES[int(same.max())] if len(same) else None

    def save(self, folder: Path) -> None:
        """Write the examples to a folder, vectors in half precision."""
        vectors = np.concatenate([self._questions, self._raised]).astype(np.float16)
        routes = np.concatenate([np.where(self._answered, 0, 1), self._raised_to]).astype(np.int8)
        np.save(folder / "vectors.npy", vectors, allow_pickle=False)
        np.save(folder / "routes.npy", routes, allow_pickle=False)
        (folder / "messages.json").write_text(json.dumps({"digest": self.digest}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Examples:
        """Read what `save` wrote; raises DamagedRelease where that fails."""
        try:
            vectors = np.load(folder / "vectors.npy", allow_pickle=False).astype(np.float32)
            routes = np.load(folder / "routes.npy", allow_pickle=False)
            digest = json.loads((folder / "messages.json").read_text(encoding="utf-8"))["digest"]
            return cls(vectors, routes, digest)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as problem:
            raise DamagedRelease(f"{folder}: the examples cannot be read ({problem}). Build again.") from problem
