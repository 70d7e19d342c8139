"""Signing in and out: a page without script, a cookie that no script can read, and waits for who guesses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from retrieval.errors import AccountError
from retrieval.types import Clinic
from web.look import accent_css
from web.staff.accounts import Account, Accounts, key_of
from web.staff.gate import Visit
from web.staff.passwords import MOST
from web.staff.sessions import Sessions, seconds
from web.staff.waits import Patience, Waits

__all__ = ["add_login"]

_LOG = logging.getLogger(__name__)
_HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_OF_A_NAME = Patience(free=5, longest=5 * 60, forgotten=3600)
_OF_AN_ADDRESS = Patience(free=20, longest=15 * 60, forgotten=3600)
"""People of a clinic may share one address; a name is guessed at from many."""
_AT_ONCE = 2
"""Passwords that are compared at once: each takes a core, and 64 MB, for a moment."""
_MOST_WAITING = 20
_LONGEST_FIELD = 1000
_WRONG = "This name and password do not belong together. Look at both and try again."
_CROWDED = "Many people are signing in just now. Please try again in a few seconds."
_TROUBLE = "Nobody can sign in at the moment: the file of accounts cannot be used. Please tell whoever runs this screen."


def add_login(
    app: FastAPI, accounts: Accounts, sessions: Sessions, clinic: Callable[[], Clinic], clock: Callable[[], float] = seconds
) -> None:
    """Let an application sign people in and out.

    Parameters: the application, the accounts, who is signed in, the clinic to name, and a clock in seconds for the waits.
    """
    door = _Door(accounts, clock)

    @app.api_route("/login", methods=["GET", "HEAD"])
    def way_in(request: Request) -> Response:
        return RedirectResponse("/", 303) if _visit(request).seat else _page(clinic())

    @app.post("/login")
    async def sign_in(request: Request) -> Response:
        visit = _visit(request)
        name, password = await _fields(request)
        refusal = door.closed(name, visit.address)
        if refusal:
            return refusal(clinic(), name)
        try:
            account = await door.tried(name, password, visit.address)
        except AccountError as problem:
            _LOG.error("nobody can sign in: %s", problem)
            return _page(clinic(), name, _TROUBLE, 503)
        if account is None:
            _LOG.warning("a sign-in from %s failed", visit.address)
            return _page(clinic(), name, _WRONG, 401)
        if visit.seat:
            sessions.close(visit.seat.digest)
        # Always a new token: one that was in the browser before may be known to somebody else.
        token = sessions.open(account)
        response = RedirectResponse("/", 303)
        response.set_cookie(visit.cookie, token, path="/", secure=visit.https, httponly=True, samesite="strict")
        return response

    @app.post("/logout")
    def sign_out(request: Request) -> Response:
        visit = _visit(request)
        if visit.seat:
            sessions.close(visit.seat.digest)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(visit.cookie, path="/", secure=visit.https, httponly=True, samesite="strict")
        # Pages that the browser keeps for its back button go too.
        response.headers["clear-site-data"] = '"cache", "storage"'
        return response

    @app.api_route("/look/login.css", methods=["GET", "HEAD"])
    def look() -> Response:
        # No style in the page itself: its policy lets in none.
        style = (_HERE / "static" / "login.css").read_text(encoding="utf-8")
        return Response(accent_css(clinic().accent) + "\n" + style, media_type="text/css")


class _Door:
    """Looks at names and passwords, some at a time, and makes who was wrong wait."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float]) -> None:
        self._accounts = accounts
        self._by_name = Waits(_OF_A_NAME, clock)
        self._by_address = Waits(_OF_AN_ADDRESS, clock)
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    def closed(self, name: str, address: str) -> Callable[[Clinic, str], Response] | None:
        """What is said to a try that is not looked at; one that will be counts as wrong from now on."""
        key = key_of(name)
        left = max(self._by_name.left(key), self._by_address.left(address))
        if left:
            return lambda clinic, shown: _page(clinic, shown, _said_wait(left), 429, left)
        if self._waiting >= _MOST_WAITING:
            return lambda clinic, shown: _page(clinic, shown, _CROWDED, 503, 5)
        # Nothing else runs between looking and counting: of a hundred tries at once, only the free ones are looked at.
        self._by_name.begin(key)
        self._by_address.begin(address)
        return None

    async def tried(self, name: str, password: str, address: str) -> Account | None:
        """Whose password it is. Raises AccountError."""
        self._waiting += 1
        try:
            async with self._turn:
                account = await asyncio.to_thread(self._accounts.signed_in, name, password)
        except AccountError:
            self._forgive(name, address, right=False)
            raise
        finally:
            self._waiting -= 1
        if account:
            self._forgive(name, address, right=True)
        return account

    def _forgive(self, name: str, address: str, *, right: bool) -> None:
        self._by_name.forgive(key_of(name), all_of_them=right)
        # Only this try: who has an account could guess at others for ever otherwise, signing in between.
        self._by_address.forgive(address, all_of_them=False)


def _visit(request: Request) -> Visit:
    visit: Visit = request.scope["staff"]
    return visit


async def _fields(request: Request) -> tuple[str, str]:
    """Name and password as the form sent them; anything else is no name and no password."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
        return "", ""
    try:
        fields = parse_qs((await request.body()).decode("utf-8"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return "", ""
    name, password = (fields.get(field, [""])[0] for field in ("name", "password"))
    return name[:_LONGEST_FIELD], password[: 4 * MOST]


def _said_wait(left: int) -> str:
    wait = f"{left} seconds" if left < 120 else f"{-(-left // 60)} minutes"
    return f"Too many tries. Please wait {wait.replace('1 seconds', '1 second') if left == 1 else wait}, and then try again."


def _page(clinic: Clinic, name: str = "", said: str = "", status: int = 200, wait: int = 0) -> HTMLResponse:
    html = _TEMPLATES.get_template("login.html").render(clinic=clinic, name=name, said=said)
    return HTMLResponse(html, status_code=status, headers={"retry-after": str(wait)} if wait else None)
