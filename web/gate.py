"""The gate in front of everything: which paths exist, how big a request may be, how often it may come, what browsers may do."""

from __future__ import annotations

import ipaddress
import json
import re

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MAX_BODY", "Gate"]

MAX_BODY = 64 * 1024
_READ = re.compile(
    r"/(?:healthz|assets/.+|static/.+|theme\.css|favicon\.ico|manifest\.json|look/[\w-]+\.css|read/.+"
    r"|gradio_api/(?:queue/data|heartbeat/[\w-]+|startup-events|app_id))?"
)
_WRITE = re.compile(r"/gradio_api/(?:queue/join|run/predict|cancel|reset)/?")
_ASKING = re.compile(r"/gradio_api/(?:queue/join|run/predict)/?")
# Gradio builds the addresses of its page from these, whoever sent them; the proxy passes on the Host it was asked for.
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-host", b"x-gradio-server"})
_FROM_PROXY = frozenset({b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto"})
_BUSY = "You have asked a lot of questions in a short time. Please wait a minute, or phone us."


class Gate:
    """ASGI middleware.

    Parameters: the application behind it; questions an address may ask a minute; origins that may frame the pages,
    separated by blanks; whether to believe X-Forwarded-For.
    """

    def __init__(self, app: ASGIApp, rate: int, frame_ancestors: str = "", trust_proxy: bool = False) -> None:
        self._app = app
        self._limit = RateLimitItemPerMinute(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._trust_proxy = trust_proxy
        self._dropped = _FORWARDED if trust_proxy else _FORWARDED | _FROM_PROXY
        policy = (
            "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'none'; "
            f"frame-ancestors 'self' {frame_ancestors}"
        )
        self._headers = [
            (b"content-security-policy", policy.strip().encode("latin-1")),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        guarded = self._guarded(send)
        method, path = scope["method"], scope["path"]
        allowed = _READ if method in {"GET", "HEAD"} else _WRITE if method == "POST" else None
        if allowed is None or not allowed.fullmatch(path) or ".." in path:
            await _reply(guarded, 404, "There is nothing at this address.")
        elif method == "POST" and _declared_length(scope) > MAX_BODY:
            await _reply(guarded, 413, "That is too long. Please ask in fewer words.")
        elif _ASKING.fullmatch(path) and method == "POST" and not self._limiter.hit(self._limit, self._address(scope)):
            await _reply(guarded, 429, _BUSY)
        else:
            headers = [(name, value) for name, value in scope["headers"] if name.lower() not in self._dropped]
            await self._app({**scope, "headers": headers}, _capped(receive), guarded)

    def _guarded(self, send: Send) -> Send:
        replaced = {name for name, _ in self._headers} | {b"access-control-allow-origin", b"access-control-allow-credentials"}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in replaced]
                message = {**message, "headers": [*kept, *self._headers]}
            await send(message)

        return guarded

    def _address(self, scope: Scope) -> str:
        if self._trust_proxy:
            forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
            # The last entry is the one that our own proxy wrote.
            if forwarded:
                return _household(forwarded.rsplit(",", 1)[-1].strip())
        return _household(str((scope.get("client") or ("unknown",))[0]))


def _household(address: str) -> str:
    """An address as it is counted: one connection of IPv6 has as many addresses as it likes, all in one /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))


def _declared_length(scope: Scope) -> int:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    return int(declared) if declared.isdigit() else 0


def _capped(receive: Receive) -> Receive:
    """Stop reading a body that grows past the limit whatever its header said: the connection counts as gone."""
    read = 0

    async def capped() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        return {"type": "http.disconnect"} if read > MAX_BODY else message

    return capped


async def _reply(send: Send, status: int, text: str) -> None:
    body = json.dumps({"detail": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
