"""The gate in front of everything: which paths exist, how big a request may be, how often it may come, what browsers may do."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.gating import (
    FORWARDED,
    FROM_PROXY,
    GoneError,
    TooBigError,
    again,
    declared_length,
    is_plain,
    names_us,
    place,
    policies,
    reply,
    sender,
    whole,
    with_headers,
)

__all__ = ["MAX_BODY", "Gate", "policies_for"]

_LOG = logging.getLogger(__name__)
MAX_BODY = 64 * 1024
_BODY_WITHIN = 10.0  # seconds
_OTHERS = 20
"""For each question, an address may make so many other requests: a page, an event stream, an article and so on."""
_READ = re.compile(
    r"/(?:healthz|readyz|assets/.+|static/.+|theme\.css|favicon\.ico|manifest\.json|embed\.js|look/[\w-]+\.(?:css|js)|read/.+"
    r"|sheet/[0-9a-f]{16}/[^/]+|privacy|accessibility|words/[a-z]{2}"
    r"|gradio_api/(?:queue/data|heartbeat/[\w-]+|startup-events|app_id))?"
)
_WRITE = re.compile(r"/gradio_api/(?:queue/join|run/predict|cancel|reset)/?|/feedback")
_ASKING = re.compile(r"/gradio_api/(?:queue/join|run/predict)/?|/feedback")
_STILL = re.compile(r"/(?:assets|static|look)/.+|/(?:embed\.js|theme\.css|favicon\.ico|manifest\.json|healthz|readyz)")
_UNSHARED = b"private, no-cache"
# These say the same to everybody, whatever they are called by: probes of a container ask 127.0.0.1.
_PROBES = frozenset({"/healthz", "/readyz"})
_BUSY = "You have asked a lot of questions in a short time. Please wait a minute, or phone us."

_Refusal = tuple[str, int, str]
"""One word for the reason, a status, and what is said."""
# What comes after these is not read. After others it is, or a browser would be cut off before it has read the reply.
_CLOSING = frozenset({"form", "host", "path", "slow"})
_READ_OFF = 1024 * 1024
_UNREADABLE: _Refusal = ("form", 400, "This is not a question that can be read.")
_TOO_BIG: _Refusal = ("size", 413, "That is too long. Please ask in fewer words.")


def policies_for(frame_ancestors: str = "") -> list[tuple[bytes, bytes]]:
    """What browsers may do with the patients' pages, as headers.

    Parameters: origins that may frame the pages, separated by blanks.
    """
    return policies(f"'self' {frame_ancestors}")


def _uncounted(reason: str) -> None:
    """Nobody counts what is refused."""


class Gate:
    """ASGI middleware.

    Parameters: the application behind it; questions an address may ask a minute; origins that may frame the pages,
    separated by blanks; whether to believe X-Forwarded-For; host names that are answered to (none: any); who is told why a
    request is refused, in one word.
    """

    def __init__(
        self,
        app: ASGIApp,
        rate: int,
        frame_ancestors: str = "",
        trust_proxy: bool = False,
        hosts: Sequence[str] = (),
        refused: Callable[[str], None] = _uncounted,
    ) -> None:
        self._app = app
        self._asking = RateLimitItemPerMinute(rate, namespace="asking")
        self._other = RateLimitItemPerMinute(rate * _OTHERS, namespace="other")
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._trust_proxy = trust_proxy
        self._hosts = [host.lower() for host in hosts]
        self._refused = refused
        self._dropped = FORWARDED if trust_proxy else FORWARDED | FROM_PROXY
        self._headers = policies_for(frame_ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        # No cache between may hand to one patient what was made for another.
        guarded = with_headers(send, self._headers, b"" if _STILL.fullmatch(scope["path"]) else _UNSHARED)
        body = b""
        refusal = await self._refusal(scope)
        if refusal is None and scope["method"] == "POST":
            try:
                body = await asyncio.wait_for(whole(receive, MAX_BODY), _BODY_WITHIN)
            except TimeoutError:
                refusal = ("slow", 408, "That took too long. Please try again.")
            except TooBigError:
                refusal = _TOO_BIG
            except GoneError:
                return
            refusal = refusal or (None if is_plain(body) else _UNREADABLE)
        if refusal:
            reason, status, text = refusal
            self._refused(reason)
            await reply(guarded, status, text, close=reason in _CLOSING or declared_length(scope) > _READ_OFF)
            return
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in self._dropped]
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await guarded(message)

        try:
            await self._app({**scope, "headers": headers}, again(body, receive), noted)
        except Exception as problem:  # noqa: BLE001  the server would write down its message, and with it what was asked
            _LOG.error("a request failed: %s at %s", type(problem).__name__, place(problem))
            if not begun:
                await reply(guarded, 500, "Something went wrong on our side. Please try again, or phone us.", close=True)

    async def _refusal(self, scope: Scope) -> _Refusal | None:
        """Why a request is not let through, as far as its head tells: a word for it, a status, and what is said."""
        method, path, headers = scope["method"], scope["path"], dict(scope["headers"])
        allowed = _READ if method in {"GET", "HEAD"} else _WRITE if method == "POST" else None
        if not names_us(headers.get(b"host", b"").decode("latin-1").lower(), self._hosts) and path not in _PROBES:
            return ("host", 400, "This is not the address of this page.")
        if b"transfer-encoding" in headers and b"content-length" in headers:
            # A proxy in front may believe the other one, and take the rest for a request of somebody else's.
            return ("form", 400, "This request says two things about its length.")
        if allowed is None or not allowed.fullmatch(path) or ".." in path:
            return ("path", 404, "There is nothing at this address.")
        declared = declared_length(scope)
        if declared > MAX_BODY or (method != "POST" and (declared or b"transfer-encoding" in headers)):
            return _TOO_BIG
        limit = self._asking if _ASKING.fullmatch(path) else None if _STILL.fullmatch(path) else self._other
        if limit and not await self._limiter.hit(limit, sender(scope, self._trust_proxy)):
            return ("rate", 429, _BUSY)
        return None
