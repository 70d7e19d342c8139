"""What is done when more patients ask than can be answered: questions stand in a line, and past its end are told so at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Door", "Line", "Reply"]

_Result = TypeVar("_Result")
Reply = Callable[[bytes, Request], bytes | None]
"""What replies to the body of a call, and the request that it came with; None where the call is let in all the same."""
_PATIENCE = 8.0
"""Seconds that nobody waits for longer than: a patient who sees nothing for so long asks again, and the line grows."""
_CALLS = re.compile(r"/gradio_api/run/predict/?")


class Line:
    """First come, first served. Used from one event loop; the work is done in threads that do nothing else.

    Parameters: how much is worked on at once; seconds that something may wait.
    """

    def __init__(self, at_once: int, patience: float = _PATIENCE) -> None:
        self._at_once = at_once
        self._patience = patience
        self._turns = asyncio.Semaphore(at_once)
        self._workers = ThreadPoolExecutor(at_once, thread_name_prefix="line")
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="beside-the-line")
        self._in_hand = 0

    @property
    def stands(self) -> bool:
        """Whether who comes now has to wait."""
        return self._in_hand >= self._at_once

    async def through(self, work: Callable[[], _Result]) -> _Result | None:
        """Do some work when its turn comes; None where it did not come in time."""
        self._in_hand += 1
        try:
            try:
                async with asyncio.timeout(self._patience):
                    await self._turns.acquire()
            except TimeoutError:
                return None
            try:
                return await asyncio.get_running_loop().run_in_executor(self._workers, work)
            finally:
                self._turns.release()
        finally:
            self._in_hand -= 1

    async def past(self, work: Callable[[], _Result]) -> _Result:
        """Do some short work now, past all that wait."""
        return await asyncio.get_running_loop().run_in_executor(self._beside, work)


class Door:
    """ASGI middleware that lets so many calls of the page in at once, and has the others answered before Gradio sees them.

    What Gradio does with a call takes several times as long as what the rules do: with too many inside, whoever comes would
    wait longer for "many people are asking" than for an answer. So this has to be said out here.

    Parameters: the application behind it; calls that may be inside; what replies to the body of a call from out here, and gives
    None where the call is let in all the same.
    """

    def __init__(self, app: ASGIApp, capacity: int, reply: Reply) -> None:
        self._app = app
        self._capacity = capacity
        self._reply = reply
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="door")
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call in, or reply to it here."""
        if scope["type"] != "http" or scope["method"] != "POST" or not _CALLS.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._inside >= self._capacity:
            body = await _read(receive)
            if body is None:
                return
            told = await asyncio.get_running_loop().run_in_executor(self._beside, self._reply, body, Request(scope))
            if told is not None:
                headers = [(b"content-type", b"application/json"), (b"content-length", str(len(told)).encode())]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": told})
                return
            receive = _again(body, receive)
        self._inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= 1


async def _read(receive: Receive) -> bytes | None:
    """A request's body, whose length the gate has limited; None where the patient is gone."""
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Hand a body that was read to who reads next."""
    left = [body]

    async def again() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return again
