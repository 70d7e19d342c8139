"""The line that questions stand in, and the door that tells who comes past its end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from web.line import Door, Line


def test_what_is_short_is_done_past_the_line_and_who_waits_too_long_is_told() -> None:
    held = threading.Event()

    async def stand() -> tuple[Any, ...]:
        line = Line(1, patience=0.05)
        assert not line.stands
        first = asyncio.create_task(line.through(lambda: held.wait(20)))
        await asyncio.sleep(0)
        assert line.stands
        late = await line.through(lambda: "done")
        beside = await line.past(lambda: "seen")
        held.set()
        done = await first, late, beside, await line.through(lambda: "done")
        assert not line.stands
        return done

    assert asyncio.run(stand()) == (True, None, "seen", "done")


def test_work_that_fails_gives_its_turn_to_the_next() -> None:
    async def stand() -> str | None:
        line = Line(1)
        with pytest.raises(ZeroDivisionError):
            await line.through(lambda: str(1 // 0))
        return await line.through(lambda: "done")

    assert asyncio.run(stand()) == "done"


class Slow:
    """An application that keeps its calls until it is told, and remembers their bodies."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.done = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        self.bodies.append(message["body"])
        await self.done.wait()
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b"from inside"})


async def _call(door: Door, body: bytes, path: str = "/gradio_api/run/predict", gone: bool = False) -> tuple[int, bytes]:
    sent: list[Any] = []
    parts = [{"type": "http.request", "body": body[:2], "more_body": True}, {"type": "http.request", "body": body[2:]}]
    parts = [{"type": "http.request", "body": body}] if path != "/gradio_api/run/predict" or body == b"first" else parts
    parts = [{"type": "http.disconnect"}] if gone else parts

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await door({"type": "http", "method": "POST", "path": path}, receive, send)
    return (sent[0]["status"], sent[1]["body"]) if sent else (0, b"")


def test_past_its_capacity_the_door_replies_itself_and_lets_in_what_it_has_no_reply_to() -> None:
    async def come() -> None:
        inside = Slow()
        door = Door(inside, 1, lambda body, request: b"busy: " + body if body == b"question" else None)
        first = asyncio.create_task(_call(door, b"first"))
        await asyncio.sleep(0.01)
        assert await _call(door, b"question") == (200, b"busy: question")
        assert await _call(door, b"question", gone=True) == (0, b"")
        other = asyncio.create_task(_call(door, b"greet me"))
        elsewhere = asyncio.create_task(_call(door, b"question", "/gradio_api/cancel"))
        while len(inside.bodies) < 3:
            await asyncio.sleep(0.001)
        inside.done.set()
        assert await first == await other == await elsewhere == (201, b"from inside")
        assert sorted(inside.bodies) == [b"first", b"greet me", b"question"]
        # There is room again.
        assert await _call(door, b"first") == (201, b"from inside")

    asyncio.run(come())
