"""The trained router: numpy says what torch learned, and no damaged file is believed."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT, WordEncoder

from retrieval.classifier import BUCKETS, KINDS, SHIPPED, Classifier, word_buckets
from retrieval.errors import ClassifierError
from retrieval.messages import MESSAGES, Message, digest_of, load_messages
from retrieval.training import _Network, _tensors, encode_messages, with_questions


@pytest.fixture(scope="module")
def network() -> _Network:
    torch.manual_seed(1)
    return _Network(WordEncoder.dimension).eval()


@pytest.fixture(scope="module")
def classifier(network: _Network) -> Classifier:
    return network.arrays("words@1", "none")


@given(text=st.text(alphabet="ab cd.ef", min_size=1, max_size=40).filter(lambda text: any(map(str.isalpha, text))))
def test_numpy_says_what_torch_says(network: _Network, classifier: Classifier, text: str) -> None:
    encoded = encode_messages([Message(text, "urgent", "urgent", "one")], WordEncoder())
    with torch.no_grad():
        wanted = torch.softmax(network(*_tensors(encoded, np.array([0]))), 1)[0].numpy()
    found = classifier.kinds_of(text, encoded.vectors[0], encoded.tokens[0].astype(np.float32))
    assert [getattr(found, kind) for kind in KINDS] == pytest.approx(wanted, abs=1e-4)
    assert sum(getattr(found, kind) for kind in KINDS) == pytest.approx(1)


def test_what_is_saved_comes_back_in_half_precision(classifier: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "classifier.npz"
    path.write_bytes(classifier.to_bytes())
    loaded = Classifier.load(path)
    assert (loaded.model, loaded.examples) == ("words@1", "none")
    assert loaded.context == pytest.approx(classifier.context, abs=1e-3)


@pytest.mark.parametrize("damage", ["cut", "empty", "pickle", "shape", "nan", "absent"])
def test_a_damaged_file_is_not_believed(classifier: Classifier, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "classifier.npz"
    whole = classifier.to_bytes()
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "pickle":
        path.write_bytes(pickle.dumps(classifier.context))
    elif damage in {"shape", "nan"}:
        path.write_bytes(whole)
        with np.load(path) as stored:
            values = dict(stored)
        values["kinds_bias"] = np.full(len(KINDS), np.nan, np.float16) if damage == "nan" else np.zeros(2, np.float16)
        np.savez(path, allow_pickle=False, **values)
    with pytest.raises(ClassifierError, match=r"classifier\.npz"):
        Classifier.load(path)


@given(st.text(max_size=80))
def test_any_text_has_words_in_the_places_there_are(text: str) -> None:
    buckets = word_buckets(text)
    assert len(buckets) >= 1
    assert 0 <= buckets.min() <= buckets.max() < BUCKETS


def test_the_shipped_router_was_trained_on_the_shipped_messages() -> None:
    messages = with_questions(load_messages(MESSAGES, ROOT / "corpus" / "routing"), ROOT / "corpus" / "questions")
    assert len(messages) >= 4000
    assert Classifier.load(SHIPPED).examples == digest_of(messages), "run `patient-faq train`"
