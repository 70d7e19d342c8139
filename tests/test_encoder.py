"""The served model gives the published model's vectors, from the published weights, without torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval import encoder as module
from retrieval.encoder import Encoder, OnnxEncoder, SentenceTransformerEncoder, open_encoder
from retrieval.errors import ModelError
from retrieval.settings import Settings

TEXTS = [
    "How many sessions will it take?",
    "a",
    "Pico laser breaks pigment into very small pieces, which the body clears away. " * 3,
    "Très naïve — 皮秒 激光, ümlauts & 500-750 picoseconds…",
    "word " * 400,
    *(f"Sentence number {number} speaks of redness for {number} hours." for number in range(40)),
]
REFERENCE = """
import json, sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True)
print(json.dumps(model.encode(json.loads(sys.stdin.read()), normalize_embeddings=True).tolist()))
"""


def test_served_vectors_equal_the_original_ones(real_encoder: Encoder) -> None:
    folder = str(module.package_folder())
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", REFERENCE, folder], input=json.dumps(TEXTS), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    original = np.array(json.loads(done.stdout.splitlines()[-1]), dtype=np.float32)
    cosines = (original * real_encoder.encode(TEXTS)).sum(axis=1)
    assert cosines.min() >= 0.9999


def test_vectors_have_length_one_and_do_not_depend_on_their_neighbours(real_encoder: Encoder) -> None:
    together = real_encoder.encode(TEXTS)
    assert together.shape == (len(TEXTS), real_encoder.dimension)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert real_encoder.encode([TEXTS[0]])[0] == pytest.approx(together[0], abs=1e-5)
    assert real_encoder.encode([]).shape == (0, real_encoder.dimension)


def test_a_question_s_vectors_are_those_of_any_text_beside_the_one_to_search_with(real_encoder: Encoder) -> None:
    field = "how many sessions will my acne scars need, and how far apart are they?"
    other = "what is the capital of Peru?"
    of_field, of_other = real_encoder.encode_questions([field, other])
    for question, vector in zip((of_field, of_other), real_encoder.encode([field, other]), strict=True):
        assert question.vector == pytest.approx(vector, abs=1e-5)
        assert question.tokens.shape[1] == real_encoder.dimension
        assert np.linalg.norm(question.searching) <= 1 + 1e-5
    assert of_field.taught == 1
    assert of_field.searching @ of_field.vector < 0.99
    assert of_other.taught == 0
    assert of_other.searching == pytest.approx(of_other.vector, abs=1e-6)


def test_the_question_model_brings_a_question_near_its_answer(real_encoder: Encoder) -> None:
    question = real_encoder.encode_questions(["how long till I stop looking like a tomato after the laser"])[0]
    right, wrong = real_encoder.encode(["The redness usually settles within a few hours.", "Wear goggles during treatment."])
    assert question.searching @ right - question.searching @ wrong > question.vector @ right - question.vector @ wrong


def test_words_that_the_model_does_not_know_in_one_piece_are_named(real_encoder: Encoder) -> None:
    question = real_encoder.encode_questions(["is the rednes gone, or the ACKNE?"])[0]
    assert question.strange == ("rednes", "ACKNE")
    assert real_encoder.encode_questions([]) == []


def test_tokens_are_counted_beyond_what_the_model_reads(real_encoder: Encoder) -> None:
    assert real_encoder.count_tokens(["word " * 400, "word"]) == [402, 3]
    assert real_encoder.max_tokens == 256


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.setattr(module, "package_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match="not the published weights"):
        module.export_default_model(tmp_path / "served")
    assert not (tmp_path / "served").exists()


@pytest.mark.parametrize("name", ["lower.onnx", "lower.weights", "upper.weights", "questions.weights"])
def test_an_altered_served_model_is_refused(real_encoder: Encoder, tmp_path: Path, name: str) -> None:
    served = module._served_folder(Settings.from_environment())
    shutil.copytree(served, tmp_path / served.name)
    with (tmp_path / served.name / name).open("r+b") as file:
        file.seek(5000)
        file.write(b"\0\1\2\3")
    with pytest.raises(ModelError, match="altered since it was exported"):
        open_encoder(Settings(models=str(tmp_path)))


def test_a_served_model_that_computes_something_else_on_this_machine_is_refused(real_encoder: Encoder, tmp_path: Path) -> None:
    served = module._served_folder(Settings.from_environment())
    folder = tmp_path / served.name
    shutil.copytree(served, folder)
    questions = module.QuestionModel.load(module.SHIPPED, deltas=False)
    tokenizer = module.package_folder() / "tokenizer.json"
    OnnxEncoder(folder, tokenizer, "x", questions)  # as exported it is taken
    np.save(folder / "sample.npy", np.load(folder / "sample.npy") + np.float32(0.01))
    with pytest.raises(ModelError, match="another machine"):
        OnnxEncoder(folder, tokenizer, "x", questions)


def test_a_missing_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGE", "no_such_package_at_all")
    with pytest.raises(ModelError, match="make run"):
        open_encoder(Settings())


def test_a_damaged_model_file_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "lower.onnx").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="cannot be loaded"):
        OnnxEncoder(tmp_path, tmp_path / "tokenizer.json", "x")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"modules\.json"):
        SentenceTransformerEncoder(tmp_path)


def test_any_sentence_transformers_model_can_be_named(real_encoder: Encoder) -> None:
    script = (
        "import json, sys; from retrieval.encoder import open_encoder; from retrieval.settings import Settings;"
        "e = open_encoder(Settings(model=sys.argv[1]));"
        "print(json.dumps([e.name, e.dimension, e.max_tokens, e.count_tokens(['one two']), e.encode(['one two']).tolist()]))"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(module.package_folder())]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert done.returncode == 0, done.stderr
    name, dimension, limit, counts, vectors = json.loads(done.stdout.splitlines()[-1])
    assert name.startswith("model@")
    assert (dimension, limit, counts) == (384, 256, [4])
    assert float(np.array(vectors[0]) @ real_encoder.encode(["one two"])[0]) > 0.9999


def test_known_words_are_whole_words_in_lower_case(real_encoder: Encoder) -> None:
    known = real_encoder.known_words()
    assert {"treatment", "laser", "after"} <= known
    assert not {"tment", "##ment", "Laser", "[CLS]", "2"} & known
