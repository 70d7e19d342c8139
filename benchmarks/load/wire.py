"""Just enough HTTP/1.1 over asyncio for one host, at a small share of a usual client's price in processor time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

__all__ = ["Broken", "Connection", "Reply"]

_LIMIT = 4 * 1024 * 1024  # bytes a line may have: an answer comes as one line of an event stream


class Broken(Exception):
    """The connection ended, or what came was no HTTP."""


class Reply:
    """The head of a reply, and its body as it comes."""

    def __init__(self, reader: asyncio.StreamReader, status: int, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers
        self._reader = reader

    async def body(self) -> bytes:
        """All of the body."""
        return b"".join([piece async for piece in self.pieces()])

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int((await self._reader.readline()).split(b";")[0] or b"0", 16):
                yield await self._reader.readexactly(size)
                await self._reader.readexactly(2)
            await self._reader.readline()
        else:
            yield await self._reader.readexactly(int(self.headers.get("content-length", "0")))


class Connection:
    """One connection of a browser: kept open between requests, opened anew where the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def close(self) -> None:
        """Close it."""
        streams, self._streams = self._streams, None
        if streams:
            streams[1].close()
            with suppress(OSError):
                await streams[1].wait_closed()

    @asynccontextmanager
    async def request(self, method: str, path: str, body: Any = None) -> AsyncIterator[Reply]:
        """Ask, with the body as JSON; hands out the reply, whose body has to be read to its end.

        Raises Broken.
        """
        sent = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: */*\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n"
        try:
            reply = await self._reply(head.encode() + b"\r\n" + sent)
            yield reply
        except (OSError, EOFError, ValueError) as problem:
            await self.close()
            raise Broken(type(problem).__name__) from problem
        except BaseException:
            await self.close()
            raise
        if reply.headers.get("connection", "").lower() == "close":
            await self.close()

    async def _reply(self, message: bytes) -> Reply:
        """The head of the reply. Like a browser, tries once more where a connection that was kept has been closed."""
        kept = self._streams is not None and not self._streams[0].at_eof()
        if kept:
            with suppress(OSError, EOFError):
                return await self._ask(message)
        await self.close()
        self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=_LIMIT)
        return await self._ask(message)

    async def _ask(self, message: bytes) -> Reply:
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(message)
        await writer.drain()
        first = await reader.readline()
        if not first:
            raise EOFError("the server closed the connection")
        headers: dict[str, str] = {}
        while line := (await reader.readline()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Reply(reader, int(first.split()[1]), headers)
