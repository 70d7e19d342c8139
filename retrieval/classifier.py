"""Message -> how likely it is urgent, for a clinician, a general question, or none for the articles at all.

A small network over the question's one encoding, trained on example messages (training.py) and asked with numpy alone.
It sees a message in three ways: its vector; its words in context, three neighbouring tokens at a time, of which the
strongest counts, so that a fact buried in a long story is not averaged away; and its plain words and pairs of words,
which also works in languages that the model does not know.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.encoder import Vectors
from retrieval.errors import ClassifierError
from retrieval.phrases import words

__all__ = ["BUCKETS", "KINDS", "SHIPPED", "Classifier", "Kinds", "word_buckets"]

SHIPPED = Path(__file__).parent / "safety" / "classifier.npz"
"""Trained for the default model on the messages beside it."""
KINDS = ("urgent", "self_harm", "consult", "general", "other")
BUCKETS = 1 << 14
"""Words and pairs of words are told apart by their CRC-32 modulo this; some share a place."""
_WORDS_SCALE = 2.0
_VECTOR_SCALE = 4.0  # a unit vector's parts are small beside token vectors
_NEIGHBOURS = 3

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Kinds:
    """How likely each kind of message is; together they add up to 1."""

    urgent: float
    self_harm: float
    consult: float
    general: float
    other: float


@dataclass(frozen=True, slots=True)
class Classifier:
    """The trained arrays. `d` is the model's dimension, `h` and `e` are sizes of hidden layers.

    context (3, d, h) and context_bias (h,): three neighbouring tokens; message (d, h) and message_bias (h,): the vector;
    vocabulary (BUCKETS, e): words; kinds (2h + e, 5) and kinds_bias (5,): to the kinds. `model` names the encoder
    that it was trained with, `examples` is the digest of the messages it was trained on.
    """

    context: Floats
    context_bias: Floats
    message: Floats
    message_bias: Floats
    vocabulary: Floats
    kinds: Floats
    kinds_bias: Floats
    model: str
    examples: str

    def kinds_of(self, text: str, vector: Vectors, tokens: Vectors) -> Kinds:
        """Judge one message.

        Parameters: the message, its vector of shape (d,) and length 1, its token vectors of shape (tokens, d).
        Returns the likelihood of each kind.
        """
        seen = np.concatenate(
            [
                np.maximum(_VECTOR_SCALE * vector @ self.message + self.message_bias, 0),
                self._in_context(tokens),
                np.maximum(self._of_words(text), 0),
            ]
        )
        scores = seen @ self.kinds + self.kinds_bias
        likely = np.exp(scores - scores.max())
        return Kinds(*(likely / likely.sum()).tolist())

    def _in_context(self, tokens: Vectors) -> Floats:
        """What the strongest three neighbouring tokens say; beyond both ends stands nothing."""
        total = np.tile(self.context_bias, (len(tokens), 1))
        for place, weights in enumerate(self.context):
            part = tokens @ weights
            shift = place - _NEIGHBOURS // 2
            first, last = max(0, -shift), min(len(tokens), len(tokens) - shift)
            total[first:last] += part[first + shift : last + shift]
        strongest: Floats = np.maximum(total.max(axis=0), 0)
        return strongest

    def _of_words(self, text: str) -> Floats:
        buckets = word_buckets(text)
        summed: Floats = self.vocabulary[buckets].sum(axis=0) * np.float32(_WORDS_SCALE / len(buckets) ** 0.5)
        return summed

    def to_bytes(self) -> bytes:
        """The arrays as one uncompressed .npz, without pickle; half precision."""
        values: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            values[item.name] = np.array(value) if isinstance(value, str) else value.astype(np.float16)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **values)
        return buffer.getvalue()

    @classmethod
    def load(cls, path: Path) -> Classifier:
        """Read what `to_bytes` wrote; raises ClassifierError where it cannot be read or does not fit together."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
                values = {item.name: stored[item.name] for item in fields(cls)}
            arrays = {name: value.astype(np.float32) for name, value in values.items() if value.dtype == np.float16}
            classifier = cls(**arrays, model=str(values["model"]), examples=str(values["examples"]))
            neighbours, dimension, hidden = classifier.context.shape
            fits = (
                (neighbours, len(classifier.vocabulary), len(classifier.kinds_bias)) == (_NEIGHBOURS, BUCKETS, len(KINDS))
                and classifier.message.shape == (dimension, hidden)
                and classifier.kinds.shape == (2 * hidden + classifier.vocabulary.shape[1], len(KINDS))
                and all(np.isfinite(array).all() for array in arrays.values())
            )
        except Exception as problem:  # zipfile, numpy and zlib raise errors that share no root but this one
            raise ClassifierError(
                f"{path}: cannot be read ({problem}). Until it is built again, rules alone route."
            ) from problem
        if not fits:
            raise ClassifierError(f"{path}: its arrays do not fit together. Until it is built again, rules alone route.")
        return classifier


def word_buckets(text: str) -> npt.NDArray[np.int64]:
    """The places of a message's words and pairs of neighbouring words, each once, in ascending order; never empty."""
    found = ["^", *words(text), "$"]
    pairs = [f"{one} {other}" for one, other in pairwise(found)]
    return np.array(sorted({zlib.crc32(term.encode()) % BUCKETS for term in (*found[1:-1], *pairs)}), dtype=np.int64)
