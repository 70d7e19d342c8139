"""Connections as the server takes them: none may trickle, no address may hold them all, and odd ones are answered plainly."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import Sequence

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from web.gating import household

__all__ = ["connections"]

_HEADERS_WITHIN = 10.0  # seconds; uvicorn itself would wait for ever
# A browser holds at most six, and all the people of a clinic may share one address.
_MOST_OF_AN_ADDRESS = 200
_KEPT_FILES = 100  # open files that are not connections: releases, logs, the model
_NO_LIMIT = 1_000_000


def connections(
    named: Sequence[tuple[bytes, bytes]], behind_proxy: bool = False, within: float = _HEADERS_WITHIN
) -> type[asyncio.Protocol]:
    """The protocol for uvicorn's `http` setting.

    Parameters: headers (name, value) for replies to what is no HTTP, which never comes to the gate; whether all connections
    are a proxy's, so that no address can hold too many; seconds that the headers of a request may take.
    """

    class Watched(_Impatient):
        lobby = _Lobby(_NO_LIMIT if behind_proxy else _MOST_OF_AN_ADDRESS)
        policies = named
        patience = within

    return Watched


class _Lobby:
    """How many connections each address holds."""

    def __init__(self, most: int) -> None:
        self._most = most
        # Without free files nothing could be opened any more, not even the next release.
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._at_all = _NO_LIMIT if files == resource.RLIM_INFINITY else max(files - _KEPT_FILES, 1)
        self._held: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Whether one more may come in; counts it if so."""
        if self._held[address] >= self._most or self._held.total() >= self._at_all:
            return False
        self._held[address] += 1
        return True

    def leave(self, address: str) -> None:
        self._held[address] -= 1
        if not self._held[address]:
            del self._held[address]


class _Impatient(H11Protocol):
    """uvicorn's own protocol, with limits."""

    lobby: _Lobby
    policies: Sequence[tuple[bytes, bytes]]
    patience: float
    _address: str | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        address = household(self.client[0]) if self.client else ""
        if self.lobby.enter(address):
            self._address = address
            self._wait()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()
        if self._address is not None:
            self.lobby.leave(self._address)
            self._address = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Headers are on their way, or the rest of a body that nobody waits for.
        if self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE:
            self._wait()
        else:
            self._stop_waiting()

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:  # later than that it can only be cut off
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close"), *self.policies]
            reply = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
            for event in (reply, h11.Data(data=b"This is not a request that can be read."), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.patience, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
