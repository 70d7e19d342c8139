"""The staff's server: the way in and the page behind the gate, on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from retrieval.clinic import load_clinic
from retrieval.errors import SettingsError
from retrieval.keeping.desk import Desk
from retrieval.settings import Settings
from retrieval.types import Clinic
from web.running import run
from web.staff.accounts import Accounts
from web.staff.exports import add_exports
from web.staff.gate import StaffGate, staff_policies
from web.staff.login import add_login
from web.staff.originals import add_originals
from web.staff.page import mount_page
from web.staff.room import Room
from web.staff.sessions import Sessions, seconds
from web.staff.uploads import Shelf, add_uploads

__all__ = ["create_staff_app", "serve_staff"]

_LOG = logging.getLogger(__name__)
_STATIC = Path(__file__).parent / "static"
_SWEPT = 60.0  # seconds


def create_staff_app(
    settings: Settings, folder: Path, accounts: Accounts | None = None, clock: Callable[[], float] = seconds
) -> ASGIApp:
    """Put the staff's application together; starts nothing.

    Parameters: the settings, a folder for files on their way, the accounts (those of the settings), and a clock in seconds.
    Returns an ASGI application. Raises SettingsError for a clinic.toml that cannot be used.
    """
    accounts = accounts or Accounts(settings.staff_accounts)
    sessions, shelf, clinic = Sessions(accounts, clock), Shelf(folder, clock), _clinic_of(settings.corpus)

    @contextlib.asynccontextmanager
    async def swept(app: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(sessions, shelf))
        try:
            yield
        finally:
            sweeping.cancel()
            shelf.clear()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=swept)
    add_login(app, accounts, sessions, clinic, clock)
    add_uploads(app, shelf)
    desk = Desk(settings)
    add_originals(app, desk)
    add_exports(app, desk, sessions, folder)
    app.mount("/look", StaticFiles(directory=_STATIC))

    @app.get("/healthz")
    def health() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.exception_handler(RequestValidationError)
    def misshapen(request: Request, problem: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": "That cannot be read."}, status_code=422)  # without what was sent

    mount_page(app, Room(settings, sessions, shelf, clinic, desk))
    hosts = [host.strip() for host in settings.staff_hosts.split(",") if host.strip()]
    return StaffGate(app, sessions, hosts, settings.trust_proxy)


def serve_staff(settings: Settings) -> None:
    """Serve the staff's screen until it is stopped. Raises SettingsError, or AccountError for accounts that cannot be used."""
    accounts = Accounts(settings.staff_accounts)
    accounts.all()
    with tempfile.TemporaryDirectory(prefix="patient-faq-staff-") as folder:
        # What Gradio would keep goes with the server. Nothing is handed to it to keep.
        os.environ["GRADIO_TEMP_DIR"] = folder
        app = create_staff_app(settings, Path(folder), accounts)
        run(app, settings.staff_host, settings.staff_port, "The staff screen", staff_policies(), settings.trust_proxy)


async def _sweep(sessions: Sessions, shelf: Shelf) -> None:
    while True:
        await asyncio.sleep(_SWEPT)
        sessions.sweep()
        shelf.sweep()


def _clinic_of(corpus: Path) -> Callable[[], Clinic]:
    """The clinic as its file has it now; while that cannot be read, as it was last."""
    last = [load_clinic(corpus)]

    def clinic() -> Clinic:
        try:
            last[0] = load_clinic(corpus)
        except SettingsError as problem:
            _LOG.warning("the clinic is shown as it was: %s", problem)
        return last[0]

    return clinic
