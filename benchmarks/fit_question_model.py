"""Tunes the question model (retrieval/field/question_model.npz) on the asked-as questions. Ten to twenty minutes on two cores.

    python benchmarks/fit_question_model.py

The last layers of the default model are tuned so that a question's vector comes near the passages that answer it, as the
release has them: a softmax over all passages of the corpus, where those that overlap the question's sentences are right, and
those that say almost the same elsewhere are left out of it. Everyday talk and messages on other subjects hold it to the
published weights. A part of the questions is seen with slips of the pen. Judged questions are not used.
"""

from __future__ import annotations

import copy
import hashlib
import random
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import KMeans
from transformers import AutoModel

from retrieval.build import build
from retrieval.encoder import Vectors, open_encoder, package_folder
from retrieval.messages import MESSAGES, load_messages
from retrieval.question_model import SHIPPED, QuestionModel
from retrieval.release import Release, open_current
from retrieval.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
LAYERS, EPOCHS, BATCH, RATE, SHARPNESS, SEED = 3, 6, 64, 1.5e-4, 20.0, 0
HELD, HELD_BATCH, HELD_WEIGHT, HELD_LENGTH = 3000, 32, 3.0, 200
ALMOST_THE_SAME = 0.8
SLIPS_SHARE = 0.2
KINDS = 1024

State = torch.Tensor


def main() -> None:
    """Tune, print the loss, write."""
    began = time.monotonic()
    torch.manual_seed(SEED)
    chance = random.Random(SEED)
    encoder = open_encoder(Settings.from_environment())
    with tempfile.TemporaryDirectory() as temporary:
        build(ROOT / "corpus", Path(temporary), encoder)
        release = open_current(Path(temporary))
    asked = release.asked.asked
    questions = [item.question for item in asked]
    print(f"{len(questions)} questions, {len(release.passages)} passages", flush=True)
    others = [m.text for m in load_messages(MESSAGES) if m.kind == "other" and len(m.text) < HELD_LENGTH]
    others = chance.sample(others, min(HELD, len(others)))
    model = AutoModel.from_pretrained(
        package_folder(), local_files_only=True, trust_remote_code=False, use_safetensors=True, attn_implementation="eager"
    ).eval()
    print(f"encoding, {time.monotonic() - began:.0f} s", flush=True)
    lower = Lower(model)
    clean, slipped, held = (
        lower.states(texts) for texts in (questions, [with_slips(text, chance) for text in questions], others)
    )
    print(f"tuning, {time.monotonic() - began:.0f} s", flush=True)
    layers = torch.nn.ModuleList(copy.deepcopy(list(model.encoder.layer)[-LAYERS:]))
    published = torch.nn.ModuleList(list(model.encoder.layer)[-LAYERS:])
    held_at = torch.cat([through(published, held[first : first + 256]).detach() for first in range(0, len(held), 256)])
    passages = torch.from_numpy(vectors_of(release))
    right, apart = labels(release, asked)
    optimizer = torch.optim.AdamW(layers.parameters(), lr=RATE)
    steps = EPOCHS * len(batches([len(state) for state in clean]))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.1)
    for epoch in range(EPOCHS):
        layers.train()
        total = 0.0
        for batch in batches([len(state) for state in clean]):
            states = [slipped[p] if chance.random() < SLIPS_SHARE else clean[p] for p in batch.tolist()]
            scores = SHARPNESS * through(layers, states) @ passages.T
            likely = scores.masked_fill(apart[batch], -1e9).log_softmax(1)
            loss = -likely.masked_fill(~right[batch], -1e9).logsumexp(1).mean()
            total += loss.item() * len(batch)
            some = torch.randint(len(held), (HELD_BATCH,))
            moved = through(layers, [held[p] for p in some.tolist()]) - held_at[some]
            loss = loss + HELD_WEIGHT * moved.square().sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(layers.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {total / len(questions):.3f}, {time.monotonic() - began:.0f} s", flush=True)
    before = published.state_dict()
    deltas = {name: (value - before[name]).detach().numpy() for name, value in layers.state_dict().items()}
    centres = KMeans(KINDS, n_init=4, random_state=SEED).fit(release.asked.vectors).cluster_centers_
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    digest = hashlib.sha256(repr(asked).encode()).hexdigest()
    QuestionModel(LAYERS, deltas, centres.astype(np.float32), encoder.name, digest).save(SHIPPED)
    print(f"written: {SHIPPED.relative_to(ROOT)}, {SHIPPED.stat().st_size / 1e6:.1f} MB")


def batches(lengths: list[int]) -> list[torch.Tensor]:
    """All places in random order, in batches of texts of like length, which need little padding."""
    found: list[torch.Tensor] = []
    for part in torch.randperm(len(lengths)).split(16 * BATCH):
        found.extend(torch.tensor(sorted(part.tolist(), key=lambda place: lengths[place])).split(BATCH))
    return [found[place] for place in torch.randperm(len(found)).tolist()]


class Lower:
    """The layers that are not tuned: each text goes through them once."""

    def __init__(self, model: torch.nn.Module) -> None:
        from tokenizers import Tokenizer

        self._model = model
        self._tokenizer = Tokenizer.from_file(str(package_folder() / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @torch.no_grad()
    def states(self, texts: list[str]) -> list[State]:
        """What comes to the tuned layers: for each text (tokens, dimension)."""
        ids = [encoding.ids[:256] for encoding in self._tokenizer.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        found: list[State] = [torch.empty(0)] * len(texts)
        for first in range(0, len(order), BATCH):
            places = order[first : first + BATCH]
            tokens = torch.zeros(len(places), len(ids[places[-1]]), dtype=torch.long)
            mask = torch.zeros_like(tokens)
            for row, place in enumerate(places):
                tokens[row, : len(ids[place])] = torch.tensor(ids[place])
                mask[row, : len(ids[place])] = 1
            states = self._model(input_ids=tokens, attention_mask=mask, output_hidden_states=True).hidden_states[-1 - LAYERS]
            for row, place in enumerate(places):
                found[place] = states[row, : len(ids[place])].clone()
        return found


def through(layers: torch.nn.ModuleList, states: list[State]) -> torch.Tensor:
    """Take texts through the last layers: their vectors, (texts, dimension), of length 1."""
    width = max(len(state) for state in states)
    padded = torch.zeros(len(states), width, states[0].shape[1])
    mask = torch.zeros(len(states), width)
    for row, state in enumerate(states):
        padded[row, : len(state)] = state
        mask[row, : len(state)] = 1
    ignored = (1 - mask)[:, None, None, :] * torch.finfo(torch.float32).min
    for layer in layers:
        padded = layer(padded, ignored)
        padded = padded[0] if isinstance(padded, tuple) else padded
    return torch.nn.functional.normalize((padded * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=1)


def vectors_of(release: Release) -> Vectors:
    """All passages' vectors, in the order of the release."""
    return release.vectors.part(0, len(release.passages))


def labels(release: Release, asked: tuple) -> tuple[torch.Tensor, torch.Tensor]:
    """Which passages are right for each question, and which others say almost the same: bool (questions, passages)."""
    vectors = vectors_of(release)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = torch.from_numpy(unit @ unit.T) >= ALMOST_THE_SAME
    rows = torch.tensor([[p.article, p.first, p.last] for p in release.passages])
    right = torch.stack([(rows[:, 0] == q.article) & (rows[:, 1] <= q.last) & (q.first <= rows[:, 2]) for q in asked])
    single = rows[:, 1] == rows[:, 2]
    apart = torch.stack([alike[mine & single].any(0) if (mine & single).any() else torch.zeros_like(mine) for mine in right])
    return right, apart & ~right


def with_slips(text: str, chance: random.Random) -> str:
    """A text with one or two slips of the pen, as fast fingers make them."""
    letters = list(text)
    for _ in range(chance.choice((1, 1, 2))):
        inner = [p for p in range(1, len(letters) - 1) if letters[p].isalpha() and letters[p - 1].isalpha()]
        if not inner:
            break
        place = chance.choice(inner)
        what = chance.random()
        if what < 0.35:
            del letters[place]
        elif what < 0.6:
            letters.insert(place, letters[place])
        elif what < 0.85:
            letters[place], letters[place - 1] = letters[place - 1], letters[place]
        else:
            letters[place] = chance.choice("aeiou") if letters[place] in "aeiou" else letters[place]
    return "".join(letters)


if __name__ == "__main__":
    main()
