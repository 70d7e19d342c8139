"""Example messages -> classifier. Needs torch; run when messages change (`patient-faq train`), never while answering."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from retrieval.asked import questions_in
from retrieval.classifier import BUCKETS, KINDS, Classifier, word_buckets
from retrieval.encoder import Encoder, Vectors
from retrieval.messages import Message, digest_of

__all__ = ["Encoded", "encode_messages", "scenario_folds", "train", "with_questions"]

Progress = Callable[[str, int, int], None]

_HIDDEN, _WORDS_HIDDEN = 128, 32
_EPOCHS, _BATCH, _RATE, _DECAY, _DROPOUT, _SMOOTHING = 5, 64, 1.5e-3, 1e-2, 0.4, 0.02
"""Chosen by cross-validation over scenarios; docs/design.md has the figures."""
_CHUNK = 1024  # messages that are sorted by length together, so that a batch has little padding
_SCALES = (4.0, 2.0)  # of the vector and of the words, as in classifier.py


@dataclass(frozen=True, slots=True)
class Encoded:
    """Messages as the network sees them: vectors (messages, d), token vectors and word places of each."""

    messages: tuple[Message, ...]
    vectors: Vectors
    tokens: tuple[npt.NDArray[np.float16], ...]
    buckets: tuple[npt.NDArray[np.int64], ...]


def encode_messages(messages: Sequence[Message], encoder: Encoder, progress: Progress | None = None) -> Encoded:
    """Encode messages once, for training on any part of them."""
    vectors: list[Vectors] = []
    tokens: list[npt.NDArray[np.float16]] = []
    for first in range(0, len(messages), _CHUNK):
        part = [message.text for message in messages[first : first + _CHUNK]]
        for question in encoder.encode_questions(part):
            vectors.append(question.vector)
            tokens.append(question.tokens.astype(np.float16))
        if progress:
            progress("Encoding messages", first + len(part), len(messages))
    buckets = tuple(word_buckets(message.text) for message in messages)
    return Encoded(tuple(messages), np.array(vectors, dtype=np.float32), tuple(tokens), buckets)


def with_questions(messages: Sequence[Message], folder: Path) -> tuple[Message, ...]:
    """Example messages and a folder's asked-as questions: general ones that articles answer, each sentence a scenario."""
    known = {message.text for message in messages}
    questions = {text: group for group, text in questions_in(folder) if text not in known}
    return (*messages, *(Message(text, "answer", "general", group) for text, group in questions.items()))


def scenario_folds(messages: Sequence[Message], count: int) -> list[tuple[list[int], list[int]]]:
    """Divide messages for cross-validation so that no scenario is on both sides.

    Returns `count` pairs of places: those to train on, those to test on. Scenarios are dealt out largest first, each to
    the part that is smallest so far, so that the parts are of like size and always the same.
    """
    sizes: dict[str, list[int]] = {}
    for place, message in enumerate(messages):
        sizes.setdefault(message.scenario, []).append(place)
    parts: list[list[int]] = [[] for _ in range(count)]
    for places in sorted(sizes.values(), key=lambda places: (-len(places), places)):
        min(parts, key=len).extend(places)
    everything = set(range(len(messages)))
    return [(sorted(everything - set(part)), sorted(part)) for part in parts]


def train(encoded: Encoded, places: Sequence[int], model: str, seed: int = 0, progress: Progress | None = None) -> Classifier:
    """Train on some of the messages.

    Parameters: the encoded messages, which of them, the name of the model that encoded them, and the seed of all chance.
    Returns the classifier; the same input gives the same arrays on the same machine.
    """
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    network = _Network(encoded.vectors.shape[1])
    kinds = torch.tensor([KINDS.index(message.kind) for message in encoded.messages])
    chosen = np.array(places)
    steps = _EPOCHS * sum(math.ceil(len(part) / _BATCH) for part in _chunks(chosen))
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=_SMOOTHING)
    for epoch in range(_EPOCHS):
        for batch in _batches(encoded, chance.permutation(chosen), chance):
            loss = loss_of(network(*_tensors(encoded, batch)), kinds[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if progress:
            progress("Training", epoch + 1, _EPOCHS)
    return network.arrays(model, digest_of([encoded.messages[place] for place in places]))


class _Network(nn.Module):
    """The classifier while it is trained; see classifier.py for what its parts are."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.context = nn.Conv1d(dimension, _HIDDEN, 3, padding=1, bias=False)
        self.context_bias = nn.Parameter(torch.zeros(_HIDDEN))
        self.message = nn.Linear(dimension, _HIDDEN)
        self.vocabulary = nn.EmbeddingBag(BUCKETS, _WORDS_HIDDEN, mode="sum")
        nn.init.normal_(self.vocabulary.weight, 0, 0.01)
        self.dropout = nn.Dropout(_DROPOUT)
        self.kinds = nn.Linear(2 * _HIDDEN + _WORDS_HIDDEN, len(KINDS))

    def forward(
        self, vectors: torch.Tensor, tokens: torch.Tensor, there: torch.Tensor, buckets: torch.Tensor, starts: torch.Tensor,
        weights: torch.Tensor,
    ) -> torch.Tensor:  # fmt: skip
        """Scores of each kind, before they are turned into likelihoods; `there` is 0 where a message has no token."""
        absent = ~there[:, None, :]
        context = self.context(tokens.transpose(1, 2)).masked_fill(absent, -math.inf).amax(2) + self.context_bias
        words = self.vocabulary(buckets, starts, per_sample_weights=weights)
        seen = torch.relu(torch.cat([self.message(_SCALES[0] * vectors), context, words], 1))
        scores: torch.Tensor = self.kinds(self.dropout(seen))
        return scores

    def arrays(self, model: str, examples: str) -> Classifier:
        """What was learned, as the classifier has it."""

        def array(tensor: torch.Tensor) -> Vectors:
            values: Vectors = tensor.detach().numpy().astype(np.float32)
            return values

        return Classifier(
            context=array(self.context.weight.permute(2, 1, 0)),
            context_bias=array(self.context_bias),
            message=array(self.message.weight.T),
            message_bias=array(self.message.bias),
            vocabulary=array(self.vocabulary.weight),
            kinds=array(self.kinds.weight.T),
            kinds_bias=array(self.kinds.bias),
            model=model,
            examples=examples,
        )


def _chunks(places: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    return np.array_split(places, max(1, len(places) // _CHUNK))


def _batches(encoded: Encoded, places: npt.NDArray[np.int64], chance: np.random.Generator) -> list[npt.NDArray[np.int64]]:
    """Batches of messages of like length, in random order."""
    batches: list[npt.NDArray[np.int64]] = []
    for chunk in _chunks(places):
        ordered = np.array(sorted(chunk.tolist(), key=lambda place: len(encoded.tokens[place])))
        batches.extend(ordered[first : first + _BATCH] for first in range(0, len(ordered), _BATCH))
    return [batches[place] for place in chance.permutation(len(batches))]


def _tensors(encoded: Encoded, batch: npt.NDArray[np.int64]) -> tuple[torch.Tensor, ...]:
    width = max(len(encoded.tokens[place]) for place in batch)
    tokens = np.zeros((len(batch), width, encoded.vectors.shape[1]), np.float32)
    there = np.zeros((len(batch), width), np.bool_)
    for row, place in enumerate(batch):
        length = len(encoded.tokens[place])
        tokens[row, :length] = encoded.tokens[place]
        there[row, :length] = True
    buckets = [encoded.buckets[place] for place in batch]
    starts = np.cumsum([0, *(len(found) for found in buckets[:-1])])
    weights = np.concatenate([np.full(len(found), _SCALES[1] / len(found) ** 0.5, np.float32) for found in buckets])
    arrays = (encoded.vectors[batch], tokens, there, np.concatenate(buckets), starts, weights)
    return tuple(torch.from_numpy(array) for array in arrays)
