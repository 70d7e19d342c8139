"""A patient at the page: opens it, asks, reads, asks again, with the same requests that the page makes in a browser."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from wire import Broken, Connection, Reply

__all__ = ["Outcome", "Page", "Patient", "kind_of"]

_CONFIG = re.compile(r"window\.gradio_config = (\{.*?\});</script>", re.DOTALL)
_LEVEL = re.compile(r'<section class="pf-card pf-([a-z]+)')
_ICON = re.compile(r'class="pf-icon" aria-hidden="true">(.)</span>')
_BUSY_ICON, _TROUBLE_ICON = "…", "×"
_URGENT = {"emergency", "support"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one press on Ask: `quotes`, `card`, `urgent`, `busy`, or the kind of an error; and how long it took."""

    kind: str
    seconds: float
    at: float
    """When it was complete, by the clock of `time.monotonic`."""

    @property
    def error(self) -> bool:
        """Whether the patient got nothing that was meant for them."""
        return self.kind not in {"quotes", "card", "urgent", "busy"}


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says of itself: the numbers of its functions, and of the components that press them."""

    ask: dict[str, Any]
    greet: dict[str, Any]
    trigger: int

    @classmethod
    def read(cls, html: str) -> Page:
        """Find the functions that ask and that greet; raises ValueError where this is no page of the chat."""
        found = _CONFIG.search(html)
        if not found:
            raise ValueError("this is not the page of the chat")
        functions = json.loads(found[1])["dependencies"]
        asking = next(one for one in functions if any(target[1] == "submit" for target in one["targets"]))
        greet = next(one for one in functions if any(target[1] == "load" for target in one["targets"]))
        return cls(asking, greet, next(target[0] for target in asking["targets"] if target[1] == "submit"))


def kind_of(html: str) -> str:
    """What an answer is to a patient: `quotes`, `card`, `urgent`, `busy`, `trouble` or `nothing`."""
    icon = _ICON.search(html)
    level = _LEVEL.search(html)
    if icon and icon[1] == _TROUBLE_ICON:
        return "trouble"
    if icon and icon[1] == _BUSY_ICON:
        return "busy"
    if level and level[1] in _URGENT:
        return "urgent"
    if "pf-quote" in html or "pf-differs" in html:
        return "quotes"
    return "card" if level else "nothing"


class Patient:
    """One browser: a page, a connection or two, and the chat as it stands on the page."""

    def __init__(self, port: int, patience: float) -> None:
        self._port = port
        self._patience = patience
        self._main, self._events = Connection(port), Connection(port)
        self._session = secrets.token_hex(6)
        self._page: Page | None = None
        self.history: list[dict[str, Any]] = []
        self.typed = ""
        """What stands in the box after an answer."""

    async def open(self) -> Outcome:
        """Open the page, and let it fill in its examples."""
        return await self._timed(self._open())

    async def ask(self, question: str) -> Outcome:
        """Press Ask, and wait until the answer is complete or the patience is spent."""
        return await self._timed(self._ask(question))

    def clear(self) -> None:
        """Begin a new chat, which needs the server for nothing that is measured."""
        self.history = []

    async def close(self) -> None:
        """Leave."""
        await self._main.close()
        await self._events.close()

    async def _timed(self, doing: Any) -> Outcome:
        began = time.monotonic()
        try:
            kind = await asyncio.wait_for(doing, self._patience)
        except TimeoutError:
            kind = "timeout"
        except Broken as problem:
            kind = f"connection: {problem}"
        except ValueError as problem:
            kind = f"no chat: {problem}"
        ended = time.monotonic()
        return Outcome(kind, ended - began, ended)

    async def _open(self) -> str:
        async with self._main.request("GET", "/") as reply:
            body = await reply.body()
        if reply.status != 200:
            return f"status {reply.status}"
        self._page = Page.read(body.decode())
        told = await self._call(self._page.greet, [], None)
        return told if isinstance(told, str) else "card"

    async def _ask(self, question: str) -> str:
        assert self._page is not None, "open the page first"
        told = await self._call(self._page.ask, [question, self.history], self._page.trigger)
        if isinstance(told, str):
            return told
        self.typed, update = told[0], told[1]
        shown = update.get("value") if isinstance(update, dict) else None
        if not shown:
            return "nothing"
        self.history = shown
        return kind_of(_text(shown[-1]["content"]))

    async def _call(self, function: dict[str, Any], data: list[Any], trigger: int | None) -> list[Any] | str:
        """Call one of the page's functions as the page does; returns its data, or the kind of an error."""
        body = {
            "data": data, "event_data": None, "fn_index": function["id"], "trigger_id": trigger, "session_hash": self._session,
        }  # fmt: skip
        if function.get("queue") is False:
            async with self._main.request("POST", "/gradio_api/run/predict", body) as reply:
                told = await reply.body()
            return json.loads(told)["data"] if reply.status == 200 else _refused(reply)
        async with self._main.request("POST", "/gradio_api/queue/join", body) as reply:
            await reply.body()
        if reply.status != 200:
            return _refused(reply)
        async with self._events.request("GET", f"/gradio_api/queue/data?session_hash={quote(self._session)}") as reply:
            return await _completed(reply)


def _refused(reply: Reply) -> str:
    return f"status {reply.status}"


async def _completed(reply: Reply) -> list[Any] | str:
    """Read an event stream to its end; returns the data that it brought."""
    if reply.status != 200:
        return _refused(reply)
    found: list[Any] | str = "no answer"
    async for piece in reply.pieces():
        for line in piece.split(b"\n"):
            if line.startswith(b"data:") and b'"process_completed"' in line:
                told = json.loads(line[5:])
                found = told["output"]["data"] if told["success"] else "failed"
    return found


def _text(content: Any) -> str:
    parts = content if isinstance(content, list) else [content]
    return " ".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in parts)
