"""The gate in front of everything: which paths exist, how big a request may be, how often it may come, what browsers may do."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MAX_BODY", "Gate", "household", "policies"]

_LOG = logging.getLogger(__name__)
MAX_BODY = 64 * 1024
_MOST_NESTED = 12  # a chat's messages lie four deep
# Where one of these stands in a body, Gradio copies or downloads what it names, or draws what it is told to.
_NAMES_A_FILE = frozenset({"path", "url", "file", "component"})
_SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)
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
_UNSHARED = (b"cache-control", b"private, no-cache")
# These say the same to everybody, whatever they are called by: probes of a container ask 127.0.0.1.
_PROBES = frozenset({"/healthz", "/readyz"})
_HOST = re.compile(r"([\w.-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?", re.ASCII)
# Gradio builds the addresses of its page from these, whoever sent them; the proxy passes on the Host it was asked for.
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-host", b"x-gradio-server"})
_FROM_PROXY = frozenset({b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto"})
_BUSY = "You have asked a lot of questions in a short time. Please wait a minute, or phone us."

_Refusal = tuple[str, int, str]
"""One word for the reason, a status, and what is said."""
# What comes after these is not read. After others it is, or a browser would be cut off before it has read the reply.
_CLOSING = frozenset({"form", "host", "path", "slow"})
_READ_OFF = 1024 * 1024
_UNREADABLE: _Refusal = ("form", 400, "This is not a question that can be read.")
_TOO_BIG: _Refusal = ("size", 413, "That is too long. Please ask in fewer words.")


class _TooBigError(Exception):
    """A body grew past the limit."""


class _GoneError(Exception):
    """Whoever sent the request has gone."""


def policies(frame_ancestors: str = "") -> list[tuple[bytes, bytes]]:
    """What browsers may do with our pages, as headers.

    Parameters: origins that may frame the pages, separated by blanks.
    """
    policy = (
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'none'; "
        f"frame-ancestors 'self' {' '.join(frame_ancestors.split())}"
    )
    return [
        (b"content-security-policy", policy.strip().encode("latin-1")),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]


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
        self._dropped = _FORWARDED if trust_proxy else _FORWARDED | _FROM_PROXY
        self._headers = policies(frame_ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        guarded = self._guarded(send, still=_STILL.fullmatch(scope["path"]) is not None)
        body = b""
        refusal = await self._refusal(scope)
        if refusal is None and scope["method"] == "POST":
            try:
                body = await asyncio.wait_for(_whole(receive), _BODY_WITHIN)
            except TimeoutError:
                refusal = ("slow", 408, "That took too long. Please try again.")
            except _TooBigError:
                refusal = _TOO_BIG
            except _GoneError:
                return
            refusal = refusal or (None if _is_plain(body) else _UNREADABLE)
        if refusal:
            reason, status, text = refusal
            self._refused(reason)
            await _reply(guarded, status, text, close=reason in _CLOSING or _declared_length(scope) > _READ_OFF)
            return
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in self._dropped]
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await guarded(message)

        try:
            await self._app({**scope, "headers": headers}, _again(body, receive), noted)
        except Exception as problem:  # noqa: BLE001  the server would write down its message, and with it what was asked
            _LOG.error("a request failed: %s at %s", type(problem).__name__, _place(problem))
            if not begun:
                await _reply(guarded, 500, "Something went wrong on our side. Please try again, or phone us.", close=True)

    async def _refusal(self, scope: Scope) -> _Refusal | None:
        """Why a request is not let through, as far as its head tells: a word for it, a status, and what is said."""
        method, path, headers = scope["method"], scope["path"], dict(scope["headers"])
        allowed = _READ if method in {"GET", "HEAD"} else _WRITE if method == "POST" else None
        if not self._is_ours(headers.get(b"host", b"").decode("latin-1").lower()) and path not in _PROBES:
            return ("host", 400, "This is not the address of this page.")
        if b"transfer-encoding" in headers and b"content-length" in headers:
            # A proxy in front may believe the other one, and take the rest for a request of somebody else's.
            return ("form", 400, "This request says two things about its length.")
        if allowed is None or not allowed.fullmatch(path) or ".." in path:
            return ("path", 404, "There is nothing at this address.")
        declared = _declared_length(scope)
        if declared > MAX_BODY or (method != "POST" and (declared or b"transfer-encoding" in headers)):
            return _TOO_BIG
        limit = self._asking if _ASKING.fullmatch(path) else None if _STILL.fullmatch(path) else self._other
        if limit and not await self._limiter.hit(limit, self._address(scope)):
            return ("rate", 429, _BUSY)
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether a Host header names us; without names any will do that could be one."""
        found = _HOST.fullmatch(host)
        if not self._hosts:
            return not host or found is not None
        name = found.group(1) if found else ""
        return any(name == ours or (ours.startswith("*.") and name.endswith(ours[1:])) for ours in self._hosts)

    def _guarded(self, send: Send, *, still: bool) -> Send:
        replaced = {name for name, _ in self._headers} | {b"access-control-allow-origin", b"access-control-allow-credentials"}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in replaced]
                # No cache between may hand to one patient what was made for another.
                cache = [] if still or any(name.lower() == b"cache-control" for name, _ in kept) else [_UNSHARED]
                message = {**message, "headers": [*kept, *cache, *self._headers]}
            await send(message)

        return guarded

    def _address(self, scope: Scope) -> str:
        if self._trust_proxy:
            forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
            # The last entry is the one that our own proxy wrote.
            if forwarded:
                return household(forwarded.rsplit(",", 1)[-1].strip())
        return household(str((scope.get("client") or ("unknown",))[0]))


def household(address: str) -> str:
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
    declared: bytes = dict(scope["headers"]).get(b"content-length", b"0")
    return int(declared) if declared.isdigit() and len(declared) < 20 else 0


async def _whole(receive: Receive) -> bytes:
    """Read a body to its end; it is measured, whatever its header said. Raises _TooBigError or _GoneError."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _GoneError
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _TooBigError
        if not message.get("more_body"):
            return bytes(body)


def _is_plain(body: bytes) -> bool:
    """Whether a body is such as our page sends: JSON, not deep, that names a session and no file."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return False
    number, session = (said.get("fn_index", 0), said.get("session_hash", "x")) if isinstance(said, dict) else (None, None)
    named = type(number) is int and 0 <= number < 1000 and isinstance(session, str) and _SESSION.fullmatch(session)
    return bool(named) and _is_harmless(said, _MOST_NESTED)


def _is_harmless(value: Any, deep: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inside = value.values() if isinstance(value, dict) else value
    named = isinstance(value, dict) and not _NAMES_A_FILE.isdisjoint(value)
    return deep > 0 and not named and all(_is_harmless(each, deep - 1) for each in inside)


def _place(problem: BaseException) -> str:
    """Where an exception was raised; its message is not told."""
    last = problem.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    return f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else "an unknown place"


def _again(body: bytes, receive: Receive) -> Receive:
    """Hand out a body that was read, and then what else comes: that the patient has gone."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _reply(send: Send, status: int, text: str, *, close: bool) -> None:
    body = json.dumps({"detail": text}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *([(b"connection", b"close")] if close else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
