"""The gate in front of the staff's server: only who is signed in comes through, from our own pages, in sizes that fit."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.gating import (
    FORWARDED,
    FROM_PROXY,
    GoneError,
    Headers,
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
from web.staff.sessions import Seat, Sessions

__all__ = ["MAX_CALL", "MAX_FORM", "MAX_UPLOAD", "StaffGate", "Visit", "staff_policies"]

_LOG = logging.getLogger(__name__)
MAX_FORM = 4 * 1024
MAX_CALL = 1024 * 1024
MAX_UPLOAD = 50 * 1024 * 1024
"""Bytes of a form (signing in and out), of a call of the page (with an article's text in it), and of a file."""
_BODY_WITHIN = 20.0  # seconds, for forms and calls
# What there is without a session: the way in, how it looks, and whether the server lives.
_OPEN_READ = re.compile(r"/login|/healthz|/look/login\.css")
_OPEN_WRITE = re.compile(r"/log(?:in|out)")
_READ = re.compile(
    r"/(?:assets/[\w./@+-]+|static/[\w./@+-]+|theme\.css|favicon\.ico|manifest\.json|look/[\w-]+\.(?:css|js)|own/[^\\\x00-\x1f]+"
    r"|gradio_api/(?:queue/data|heartbeat/[\w-]+|startup-events|app_id))?",
    re.ASCII,
)
_CALL = re.compile(r"/gradio_api/(?:queue/join|run/predict|cancel|reset)/?")
_WRITE = re.compile(rf"{_CALL.pattern}|/upload|/export|/journal")
# Streams that stay open: they end with the session, and are no sign of anybody being there.
_STREAM = re.compile(r"/gradio_api/(?:queue/data|heartbeat/[\w-]+)")
# Files of the program itself, with their digest in their names: the same for everybody, and nothing of the clinic's.
_STILL = re.compile(r"/assets/[\w./@+-]+")
_NOT_KEPT = b"no-store"
_HERE = ("localhost", "127.0.0.1", "[::1]")
_MOST_PAGES = 10_000

_Refusal = tuple[int, str]
_TOO_BIG: _Refusal = (413, "That is too much at once.")
_FILE_TOO_BIG: _Refusal = (413, f"It is larger than {MAX_UPLOAD // 1024 // 1024} MB, the most that a file may have.")
_SIGNED_OUT: _Refusal = (401, "You are not signed in any more. Sign in again, and then go on here.")


class _EndedError(Exception):
    """The session of an open stream has ended."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What the gate found out about a request, for those behind it: `scope["staff"]`. `seat` is None at the way in."""

    address: str
    https: bool
    seat: Seat | None

    @property
    def cookie(self) -> str:
        """The name of the cookie; over https browsers hold one of such a name to this host and to https."""
        return "__Host-staff" if self.https else "staff"


def staff_policies(path: str = "/") -> list[tuple[bytes, bytes]]:
    """What browsers may do with the staff's pages, as headers; the page to sign in has no script at all."""
    headers = policies("'none'", forms="'self'", referrer="same-origin")
    if path == "/login":
        strict = (
            "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        headers[0] = (headers[0][0], strict.encode("latin-1"))
    return [*headers, (b"x-frame-options", b"DENY"), (b"cross-origin-resource-policy", b"same-origin")]


class StaffGate:
    """ASGI middleware.

    Parameters: the application behind it, who is signed in, host names that are answered to (none: this machine's own), and
    whether to believe what a proxy says of a visitor's address and of https.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, hosts: Sequence[str] = (), trust_proxy: bool = False) -> None:
        self._app = app
        self._sessions = sessions
        self._hosts = [host.lower() for host in hosts] or list(_HERE)
        self._trust_proxy = trust_proxy
        self._dropped = FORWARDED if trust_proxy else FORWARDED | FROM_PROXY
        self._pages: OrderedDict[str, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        path = scope["path"]
        visit = self._visit(scope)
        still = _STILL.fullmatch(path) and visit.seat
        guarded = with_headers(send, staff_policies(path), b"private, max-age=86400" if still else _NOT_KEPT)
        if not visit.seat and self._is_page(scope) and not self._unfit(scope, visit):
            await _to_login(guarded)
            return
        refusal = self._unfit(scope, visit) or self._unwelcome(scope, visit)
        body: bytes | None = None
        if refusal is None and scope["method"] == "POST" and path != "/upload":
            try:
                body = await asyncio.wait_for(whole(receive, MAX_CALL if _CALL.fullmatch(path) else MAX_FORM), _BODY_WITHIN)
            except TimeoutError:
                refusal = (408, "That took too long. Please try again.")
            except TooBigError:
                refusal = _TOO_BIG
            except GoneError:
                return
            if refusal is None and _CALL.fullmatch(path):
                refusal = self._uncallable(body or b"", visit)
        if refusal:
            # A short body is read off, or a browser would be cut off before it has read the reply.
            long = declared_length(scope) > 2 * MAX_CALL or b"transfer-encoding" in dict(scope["headers"])
            await reply(guarded, *refusal, close=long or refusal[0] in {400, 404, 408})
            return
        await self._through(scope, again(body, receive) if body is not None else receive, guarded, visit)

    async def _through(self, scope: Scope, receive: Receive, send: Send, visit: Visit) -> None:
        """Hand a request on, and end its reply when its session ends before it."""
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in self._dropped]
        begun = False
        stream = _STREAM.fullmatch(scope["path"]) is not None

        async def noted(message: Message) -> None:
            nonlocal begun
            if stream and begun and visit.seat and self._sessions.person(visit.seat.digest) is None:
                raise _EndedError
            begun = True
            await send(message)

        try:
            await self._app({**scope, "headers": headers, "staff": visit}, receive, noted)
        except Exception as problem:  # noqa: BLE001  the server would write down its message, and with it what was sent
            if _is_end(problem):
                await send({"type": "http.response.body", "body": b""})
                return
            _LOG.error("a request failed: %s at %s", type(problem).__name__, place(problem))
            if not begun:
                await reply(send, 500, "Something went wrong on our side. Nothing was changed by this. Try again.", close=True)

    def _visit(self, scope: Scope) -> Visit:
        headers = dict(scope["headers"])
        told = headers.get(b"x-forwarded-proto", b"") if self._trust_proxy else scope.get("scheme", "http").encode()
        visit = Visit(sender(scope, self._trust_proxy), told == b"https", None)
        token = _only_cookie(scope["headers"], visit.cookie)
        # An open page keeps its streams alive by itself: only what somebody does counts as being there.
        used = scope["method"] == "POST" or scope["path"] == "/"
        seat = self._sessions.seat(token, used=used and self._is_from_here(scope, visit)) if token else None
        return Visit(visit.address, visit.https, seat)

    def _unfit(self, scope: Scope, visit: Visit) -> _Refusal | None:
        """What is wrong with a request, whoever sends it."""
        method, path, headers = scope["method"], scope["path"], dict(scope["headers"])
        if not names_us(_host(scope), self._hosts) and path != "/healthz":
            return (400, "This is not the address of this page.")
        if b"transfer-encoding" in headers and b"content-length" in headers:
            return (400, "This request says two things about its length.")
        if method not in {"GET", "HEAD", "POST"}:
            return (405, "This cannot be done here.")
        if method == "POST" and not self._is_from_here(scope, visit):
            return (403, "This did not come from our own page. Open the page again, and try once more.")
        length = declared_length(scope)
        most = MAX_UPLOAD if path == "/upload" else MAX_CALL if _CALL.fullmatch(path) else MAX_FORM
        if length > most or (method != "POST" and (length or b"transfer-encoding" in headers)):
            return _FILE_TOO_BIG if path == "/upload" else _TOO_BIG
        return None

    def _unwelcome(self, scope: Scope, visit: Visit) -> _Refusal | None:
        """Why a request is not for whoever sends it."""
        method, path = scope["method"], scope["path"]
        allowed = (_OPEN_READ, _READ) if method in {"GET", "HEAD"} else (_OPEN_WRITE, _WRITE)
        if allowed[0].fullmatch(path):
            return None
        if visit.seat is None:
            return _SIGNED_OUT
        if not allowed[1].fullmatch(path) or ".." in path:
            return (404, "There is nothing at this address.")
        if path == "/upload" and not declared_length(scope):
            return (411, "It is empty.")
        owned = all(self._is_own_page(page, visit.seat) for page in _pages_in(scope))
        return None if owned else _SIGNED_OUT

    def _uncallable(self, body: bytes, visit: Visit) -> _Refusal | None:
        """Why the body of a call is not taken."""
        if not is_plain(body):
            return (400, "This cannot be read.")
        page = json.loads(body).get("session_hash")
        return _SIGNED_OUT if page and visit.seat and not self._is_own_page(page, visit.seat) else None

    def _is_own_page(self, page: str, seat: Seat) -> bool:
        """Whether a page of Gradio's is this person's. Who knew another's name for a page could read its replies otherwise."""
        owner = self._pages.setdefault(page, seat.name)
        self._pages.move_to_end(page)
        while len(self._pages) > _MOST_PAGES:
            self._pages.popitem(last=False)
        return owner == seat.name

    def _is_from_here(self, scope: Scope, visit: Visit) -> bool:
        """Whether a page of ours sent this: its Origin, or else its Referer, must be our own host; none is not enough."""
        if scope["method"] != "POST":
            return True
        headers = dict(scope["headers"])
        origin = headers.get(b"origin") or headers.get(b"referer") or b""
        try:
            parts = urlsplit(origin.decode("ascii").lower())
            fits = parts.netloc == _host(scope) and bool(parts.netloc)
        except ValueError:
            return False
        # Without a trusted proxy we cannot know whether the browser came by https.
        return fits and (parts.scheme == "https" or (parts.scheme == "http" and not visit.https))

    def _is_page(self, scope: Scope) -> bool:
        """Whether this is somebody opening a page, who can be shown the way in."""
        accepts = dict(scope["headers"]).get(b"accept", b"")
        closed = not _OPEN_READ.fullmatch(scope["path"]) and not scope["path"].startswith("/gradio_api")
        return scope["method"] in {"GET", "HEAD"} and closed and (scope["path"] == "/" or b"text/html" in accepts)


def _host(scope: Scope) -> str:
    host: bytes = dict(scope["headers"]).get(b"host", b"")
    return host.decode("latin-1").lower()


def _only_cookie(headers: Headers, name: str) -> str:
    """A cookie's value; of two with one name none is believed, since another site of this host may have set one."""
    written = "; ".join(value.decode("latin-1") for key, value in headers if key == b"cookie")
    found = [value for part in written.split(";") for key, value in cookie_parser(part).items() if key == name]
    return found[0] if len(found) == 1 else ""


def _pages_in(scope: Scope) -> list[str]:
    """The pages of Gradio's that a stream is for, by its address."""
    if scope["path"].startswith("/gradio_api/heartbeat/"):
        return [str(scope["path"].rsplit("/", 1)[1])]
    return parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_hash") or []


def _is_end(problem: BaseException) -> bool:
    """Whether this says that a session has ended, however it was wrapped on its way."""
    if isinstance(problem, BaseExceptionGroup):
        return all(_is_end(each) for each in problem.exceptions)
    return isinstance(problem, _EndedError)


async def _to_login(send: Send) -> None:
    headers = [(b"location", b"/login"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
