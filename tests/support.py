"""What tests import: the places of the project and a model that anyone can work out by hand."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright._impl._driver import compute_driver_executable

from retrieval.encoder import Question, Vectors

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync"
)


class WordEncoder:
    """A model that anyone can work out by hand: a text's vector counts its words, each in the place its CRC names."""

    name = "words@1"
    dimension = 256
    max_tokens = 60

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded.extend(texts)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, zlib.crc32(word.encode()) % self.dimension] += 1
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)

    def encode_questions(self, texts: Sequence[str]) -> list[Question]:
        found = []
        for text, vector in zip(texts, self.encode(texts), strict=True):
            rows = [WordEncoder._one(word) for word in re.findall(r"\w+", text.lower())]
            tokens = np.array(rows, dtype=np.float32).reshape(-1, self.dimension)
            found.append(Question(text, vector, tokens, vector, 0.0))
        return found

    @staticmethod
    def _one(word: str) -> Vectors:
        row = np.zeros(WordEncoder.dimension, dtype=np.float32)
        row[zlib.crc32(word.encode()) % WordEncoder.dimension] = 1
        return row

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+", text)) for text in texts]


def why_no_browser() -> str:
    """Why nothing can be tested in a real browser here; empty where it can."""
    if BROWSER is None:
        return "NO BROWSER ON THIS MACHINE (chromium, chromium-browser or google-chrome): what people see is NOT tested"
    try:
        subprocess.run([compute_driver_executable()[0], "--version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "THE BROWSER'S DRIVER DOES NOT START (Debian: apt-get install libatomic1): what people see is NOT tested"
    return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_app(log: Path, port: int, **settings: str | Path) -> Iterator[str]:
    """The app as staff start it, for as long as a block runs; hands out its address. It must not have complained."""
    settings = {"rate": "10000", "port": str(port), **settings}
    told = {f"PATIENT_FAQ_{name.upper()}": str(value) for name, value in settings.items()}
    with log.open("w") as complaints, subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **told}, stdout=subprocess.PIPE, stderr=complaints, text=True
    ) as app:  # fmt: skip
        try:
            assert app.stdout is not None
            said = ""
            while "The chat is at" not in said:
                line = app.stdout.readline()
                assert line, f"the app ended: {said} {log.read_text()}"
                said += line
            yield f"http://127.0.0.1:{port}"
        finally:
            app.terminate()
            app.wait(20)
    assert log.read_text() == "", "the app complained"
