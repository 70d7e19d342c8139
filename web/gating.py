"""What the gates of the patients' and of the staff's server have in common: addresses, host names, bodies, headers."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Sequence
from typing import Any

from starlette.types import Message, Receive, Scope, Send

__all__ = [
    "FORWARDED",
    "FROM_PROXY",
    "GoneError",
    "Headers",
    "TooBigError",
    "again",
    "declared_length",
    "household",
    "is_plain",
    "names_us",
    "place",
    "policies",
    "reply",
    "sender",
    "whole",
    "with_headers",
]

Headers = Sequence[tuple[bytes, bytes]]

# Gradio builds the addresses of its page from these, whoever sent them; the proxy passes on the Host it was asked for.
FORWARDED = frozenset({b"forwarded", b"x-forwarded-host", b"x-gradio-server"})
FROM_PROXY = frozenset({b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto"})
_HOST = re.compile(r"([\w.-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?", re.ASCII)
_SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)
_MOST_NESTED = 12  # a chat's messages lie four deep
# Where one of these stands in a body, Gradio copies or downloads what it names, or draws what it is told to.
_NAMES_A_FILE = frozenset({"path", "url", "file", "component"})
_FOR_OTHER_SITES = (b"access-control-allow-origin", b"access-control-allow-credentials")


class TooBigError(Exception):
    """A body grew past the limit."""


class GoneError(Exception):
    """Whoever sent the request has gone."""


def policies(frame_ancestors: str = "", forms: str = "'none'", referrer: str = "no-referrer") -> list[tuple[bytes, bytes]]:
    """What browsers may do with our pages, as headers.

    Parameters: what may frame the pages, where their forms may be sent, as in a content security policy, and what links tell
    of where they stood.
    """
    policy = (
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        f"font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action {forms}; "
        f"frame-ancestors {' '.join(frame_ancestors.split())}"
    )
    return [
        (b"content-security-policy", policy.strip().encode("latin-1")),
        (b"referrer-policy", referrer.encode("latin-1")),
        (b"x-content-type-options", b"nosniff"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]


def names_us(host: str, ours: Sequence[str]) -> bool:
    """Whether a Host header names us.

    Parameters: the header in lower case, and the names that are ours, `*.` before one for all that end so; without names any
    will do that could be one.
    """
    found = _HOST.fullmatch(host)
    if not ours:
        return not host or found is not None
    name = found.group(1) if found else ""
    return any(name == one or (one.startswith("*.") and name.endswith(one[1:])) for one in ours)


def sender(scope: Scope, trust_proxy: bool) -> str:
    """The address that a request comes from, as it is counted; the proxy's word for it where that is trusted."""
    if trust_proxy:
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


def declared_length(scope: Scope) -> int:
    """How long a body is by its header; 0 where that says nothing that can be read."""
    declared: bytes = dict(scope["headers"]).get(b"content-length", b"0")
    return int(declared) if declared.isdigit() and len(declared) < 20 else 0


async def whole(receive: Receive, most: int) -> bytes:
    """Read a body to its end; it is measured, whatever its header said. Raises TooBigError or GoneError."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise GoneError
        body += message.get("body", b"")
        if len(body) > most:
            raise TooBigError
        if not message.get("more_body"):
            return bytes(body)


def again(body: bytes, receive: Receive) -> Receive:
    """Hand out a body that was read, and then what else comes: that who sent it has gone."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def is_plain(body: bytes) -> bool:
    """Whether a body is such as our pages send to Gradio: JSON, not deep, that names a session and no file."""
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


def with_headers(send: Send, headers: Headers, cache: bytes = b"") -> Send:
    """A `send` whose replies carry these headers, each once, and no permission for other sites.

    Parameters: where replies go, the headers, and the Cache-Control of a reply that has none of its own (empty: none).
    """
    replaced = {name for name, _ in headers} | set(_FOR_OTHER_SITES)

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in replaced]
            has = not cache or any(name.lower() == b"cache-control" for name, _ in kept)
            message = {**message, "headers": [*kept, *([] if has else [(b"cache-control", cache)]), *headers]}
        await send(message)

    return guarded


def place(problem: BaseException) -> str:
    """Where an exception was raised; its message is not told."""
    last = problem.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    return f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else "an unknown place"


async def reply(send: Send, status: int, text: str, *, close: bool) -> None:
    """Answer a request with one sentence, and end the connection where the rest of the request is not to be read."""
    body = json.dumps({"detail": text}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *([(b"connection", b"close")] if close else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
