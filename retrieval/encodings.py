"""Texts -> vectors, each text once, for as many as a corpus has: what a killed build had encoded, the next one takes up.

INDEX/encoded/NUMBER.npz   digests and vectors of texts that were encoded for a release that is not written yet
"""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from retrieval.durable import put
from retrieval.encoder import Encoder, Vectors

__all__ = ["Encodings", "Progress"]

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

_FOLDER = "encoded"
_AT_ONCE = 1024


class Encodings:
    """The vectors of texts by one model. Whoever uses it holds the index's lock."""

    def __init__(self, encoder: Encoder, index: Path, tell: Progress) -> None:
        self._encoder, self._folder, self._tell = encoder, index / _FOLDER, tell
        self._rows: dict[bytes, Vectors] = {}
        self._written = 0
        for path in self._folder.glob("[0-9]*.npz"):
            self._written = max(self._written, int(path.stem) if path.stem.isdecimal() else 0)
            self._take_up(path)

    def prepare(self, what: str, texts: Iterable[str]) -> None:
        """Encode the texts that were not encoded yet, the longest first, so that the time that is left is never too short.

        Parameters: what to call it in the progress, and the texts. Raises OSError where it cannot be kept.
        """
        fresh = {digest: text for text in texts if (digest := _digest(text)) not in self._rows}
        order = sorted(fresh, key=lambda digest: -len(fresh[digest]))
        for first in range(0, len(order), _AT_ONCE):
            digests = order[first : first + _AT_ONCE]
            vectors = self._encoder.encode([fresh[digest] for digest in digests])
            self._rows.update(zip(digests, vectors, strict=True))
            if len(order) > _AT_ONCE:  # else it is encoded again sooner than it is read
                self._keep(digests, vectors)
            self._tell(what, min(first + _AT_ONCE, len(order)), len(order))

    def of(self, what: str, texts: Sequence[str]) -> Vectors:
        """The vectors of texts, float32 (texts, dimension), encoded where they were not yet; parameters as for `prepare`."""
        self.prepare(what, texts)
        rows = [self._rows[_digest(text)] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(-1, self._encoder.dimension)

    def finished(self) -> None:
        """Delete what was kept: a release has it now."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _keep(self, digests: Sequence[bytes], vectors: Vectors) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._written += 1
        buffer = io.BytesIO()
        np.savez(
            buffer, model=np.array(self._encoder.name), digests=np.frombuffer(b"".join(digests), np.uint8), vectors=vectors
        )
        put(self._folder / f"{self._written}.npz", buffer.getvalue())

    def _take_up(self, path: Path) -> None:
        """Read what a build left that was cut off; what cannot be read, or is another model's, is encoded anew."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                vectors, size = stored["vectors"], hashlib.sha256().digest_size
                digests = stored["digests"].reshape(-1, size)
                fits = str(stored["model"]) == self._encoder.name and vectors.shape == (len(digests), self._encoder.dimension)
            if fits:
                self._rows.update(zip(map(bytes, digests), vectors.astype(np.float32), strict=True))
        except Exception:  # noqa: BLE001  numpy and zipfile raise errors that share no root; nothing is lost but time
            path.unlink(missing_ok=True)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
