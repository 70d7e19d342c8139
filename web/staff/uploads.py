"""Files that staff send, until they are taken: held open without a name, so that nothing of them outlives the server."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
import threading
import unicodedata
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from retrieval.errors import CorpusError
from web.staff.gate import MAX_UPLOAD, Visit
from web.staff.sessions import seconds

__all__ = ["Shelf", "add_uploads"]

_KEPT = 3600.0  # seconds
_MOST_OF_ONE = 20
_MOST_BYTES_OF_ONE = 4 * MAX_UPLOAD
_SILENT = 30.0
"""Seconds that a sender may say nothing."""
_LONGEST_NAME = 120
_NOT_IN_NAMES = frozenset('/\\:*?"<>|')


@dataclass(frozen=True, slots=True)
class _Parcel:
    owner: str
    name: str
    size: int
    came: float
    file: IO[bytes]


class Shelf:
    """What was sent and not yet taken; each file is its sender's alone, and goes when it is taken, or after an hour.

    Parameters: the folder whose disk they lie on, and a clock in seconds.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = seconds) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._parcels: dict[str, _Parcel] = {}

    async def put(self, owner: str, name: str, parts: AsyncIterator[bytes]) -> str:
        """Keep a file as it comes in; returns the word by which it can be taken.

        Parameters: who sends it, what they call it, and its bytes.
        Raises CorpusError where it is too much, empty, or has no usable name; TimeoutError where it stopped coming.
        """
        called = _checked_name(name)
        self.sweep()
        with self._lock:
            own = [parcel for parcel in self._parcels.values() if parcel.owner == owner]
        if len(own) >= _MOST_OF_ONE:
            raise CorpusError(f"{_MOST_OF_ONE} files are waiting to be added already. Add these first.")
        room = min(MAX_UPLOAD, _MOST_BYTES_OF_ONE - sum(parcel.size for parcel in own))
        file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  it is kept open, and has no name that could be found
        try:
            size = await _copied(parts, file, room)
            if not size:
                raise CorpusError(f"{called}: is empty.")
        except BaseException:
            file.close()
            raise
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._parcels[token] = _Parcel(owner, called, size, self._clock(), file)
        return token

    def take(self, owner: str, token: str) -> tuple[str, bytes]:
        """A file's name and bytes, once: then it is gone. Raises CorpusError where there is none of that word and sender."""
        with self._lock:
            parcel = self._parcels.get(token)
            if parcel is None or parcel.owner != owner:
                raise CorpusError("This file is not here any more. Choose it again.")
            del self._parcels[token]
        with parcel.file as file:
            file.seek(0)
            return parcel.name, file.read()

    def sweep(self) -> None:
        """Let go of what nobody took."""
        with self._lock:
            old = [token for token, parcel in self._parcels.items() if self._clock() - parcel.came >= _KEPT]
            for token in old:
                self._parcels.pop(token).file.close()

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            for parcel in self._parcels.values():
                parcel.file.close()
            self._parcels.clear()


def add_uploads(app: FastAPI, shelf: Shelf) -> None:
    """Let an application take files at /upload: the bytes as they are, with their name in the address."""

    @app.post("/upload")
    async def upload(request: Request, name: str = "") -> Response:
        visit: Visit = request.scope["staff"]
        assert visit.seat is not None  # the gate lets in nobody else
        coming = request.stream()
        try:
            # Not what a form can send: another site's page could send that, this one only after asking.
            if request.headers.get("content-type", "") == "application/octet-stream":
                return JSONResponse({"token": await shelf.put(visit.seat.name, name, coming)})
            status, said = 415, "This cannot be read."
        except CorpusError as problem:
            status, said = 422, str(problem)
        except TimeoutError:
            return JSONResponse({"detail": "The file stopped coming. Please try again."}, 408, {"connection": "close"})
        except OSError as problem:
            status, said = 507, f"The file cannot be kept ({problem.strerror})."
        except ClientDisconnect:
            return Response(status_code=400)
        # The rest is read off, or the browser would be cut off before it has read what is wrong.
        with contextlib.suppress(ClientDisconnect, TimeoutError):
            await _copied(coming, None, MAX_UPLOAD)
        return JSONResponse({"detail": said}, status)


async def _copied(parts: AsyncIterator[bytes], file: IO[bytes] | None, most: int) -> int:
    """Write what comes into a file, or nowhere; returns how many bytes. Raises CorpusError past the most, TimeoutError."""
    size = 0
    while True:
        try:
            part = await asyncio.wait_for(anext(parts), _SILENT)
        except StopAsyncIteration:
            return size
        size += len(part)
        if size > most:
            raise CorpusError(
                f"A file may have {MAX_UPLOAD // 1024 // 1024} MB, and all that wait to be added four times that."
            )
        if file:
            await asyncio.to_thread(file.write, part)


def _checked_name(name: str) -> str:
    """A name that a file can have anywhere, and that leads nowhere."""
    shown = unicodedata.normalize("NFC", name).strip()
    strange = any(letter in _NOT_IN_NAMES or unicodedata.category(letter)[0] == "C" for letter in shown)
    if strange or not shown or shown.startswith((".", "-")) or len(shown.encode()) > _LONGEST_NAME:
        raise CorpusError(
            "This cannot be the name of an article. Use letters, figures, blanks, dots and hyphens, "
            f"at most {_LONGEST_NAME}, and begin with a letter or figure. Rename the file and add it again."
        )
    return shown
