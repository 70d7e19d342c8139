"""Each text is encoded once, and what a build that was killed had encoded is not encoded again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import WordEncoder

from retrieval import encodings as module
from retrieval.build import build
from retrieval.encoder import Vectors
from retrieval.encodings import Encodings
from retrieval.release import open_current

TEXTS = [f"word{number} " * (1 + number % 7) for number in range(30)]


class Cut(WordEncoder):
    """Is cut off, as by a signal, when it is asked for the nth time."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().encode(texts)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 8)


@given(st.lists(st.lists(st.sampled_from(TEXTS), max_size=12), max_size=4))
@settings(max_examples=50, deadline=None)
def test_the_vectors_are_those_of_the_model_and_no_text_is_encoded_twice(parts: list[list[str]]) -> None:
    encoder = WordEncoder()
    encodings = Encodings(encoder, Path("/nonexistent"), lambda what, done, total: None)
    module._AT_ONCE = 1000  # nothing is kept
    found = [encodings.of("Encoding", part) for part in parts]
    assert len(encoder.encoded) == len(set(encoder.encoded)) == len({text for part in parts for text in part})
    for part, vectors in zip(parts, found, strict=True):
        assert vectors.shape == (len(part), WordEncoder.dimension)
        assert np.array_equal(vectors, WordEncoder().encode(part).reshape(-1, WordEncoder.dimension))


def test_progress_is_told_of_what_is_new_and_the_longest_come_first(tmp_path: Path, words: WordEncoder) -> None:
    told: list[tuple[str, int, int]] = []
    encodings = Encodings(words, tmp_path, lambda *step: told.append(step))
    encodings.of("Encoding passages", TEXTS[:3])
    encodings.of("Encoding clauses", TEXTS)
    assert told == [("Encoding passages", 3, 3), *(("Encoding clauses", done, 27) for done in (8, 16, 24, 27))]
    lengths = [len(text) for text in words.encoded[3:]]
    assert lengths == sorted(lengths, reverse=True)


def test_what_was_encoded_before_a_build_was_cut_off_is_taken_up(tmp_path: Path, words: WordEncoder) -> None:
    cut = Cut(after=2)
    with pytest.raises(KeyboardInterrupt):
        Encodings(cut, tmp_path, lambda *step: None).of("Encoding", TEXTS)
    assert len(cut.encoded) == 16
    encodings = Encodings(words, tmp_path, lambda *step: None)
    assert np.array_equal(encodings.of("Encoding", TEXTS), WordEncoder().encode(TEXTS))
    assert set(words.encoded) == set(TEXTS) - set(cut.encoded)
    encodings.finished()
    assert list(tmp_path.iterdir()) == []


def test_what_is_damaged_or_another_model_s_is_encoded_anew(tmp_path: Path, words: WordEncoder) -> None:
    with pytest.raises(KeyboardInterrupt):
        Encodings(Cut(after=3), tmp_path, lambda *step: None).of("Encoding", TEXTS)
    first, second, third = sorted((tmp_path / "encoded").iterdir())
    first.write_bytes(first.read_bytes()[:-200])
    second.write_bytes(b"")
    other = WordEncoder()
    other.name = "another model"
    assert Encodings(other, tmp_path, lambda *step: None)._rows == {}
    Encodings(words, tmp_path, lambda *step: None).of("Encoding", TEXTS)
    assert len(words.encoded) == len(TEXTS) - 8
    assert third.exists()


def test_a_build_that_was_cut_off_goes_on_where_it_was_and_leaves_nothing_behind(
    corpus: Path, tmp_path: Path, words: WordEncoder
) -> None:
    index = tmp_path / "index"
    whole = WordEncoder()
    build(corpus, tmp_path / "other", whole)
    cut = Cut(after=2)
    with pytest.raises(KeyboardInterrupt):
        build(corpus, index, cut)
    assert (index / "encoded").is_dir()
    build(corpus, index, words)
    assert sorted(words.encoded) == sorted(set(whole.encoded) - set(cut.encoded))
    assert not (index / "encoded").exists()
    one, two = open_current(index), open_current(tmp_path / "other")
    assert one.id == two.id
    assert np.array_equal(one.vectors.part(0, len(one.rows)), two.vectors.part(0, len(two.rows)))


def test_a_killed_process_leaves_only_what_is_whole(tmp_path: Path, words: WordEncoder) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom retrieval import durable, encodings\n"
        "from support import WordEncoder\nencodings._AT_ONCE = 8\n"
        "kept = os.replace\n"
        "def killed(*names):\n"
        "    if '3.npz' in str(names[1]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    kept(*names)\n"
        "os.replace = killed\n"
        "texts = [f'word{number}' for number in range(40)]\n"
        "encodings.Encodings(WordEncoder(), Path(sys.argv[1]), lambda *step: None).of('', texts)\n"
    )
    tests = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=tests.parent,
        env={"PYTHONPATH": f"{tests}:{tests.parent}"},
        check=False,
    )
    assert done.returncode == -9
    assert len(Encodings(words, tmp_path, lambda *step: None)._rows) == 16
