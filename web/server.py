"""The patients' server: the chat and the reader behind the gate."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from retrieval.assistant import Assistant
from retrieval.errors import ReleaseError, SettingsError
from retrieval.settings import Settings
from web.chat import mount_chat
from web.feedback import add_feedback
from web.gate import Gate, policies_for
from web.line import Door
from web.reader import (
    Printed,
    Standing,
    accessibility_page,
    article_page,
    missing_page,
    privacy_page,
    taken_down_page,
    trouble_page,
)
from web.recording import Recorder
from web.running import run
from web.words import words_for, words_of

__all__ = ["create_app", "serve"]

_LOG = logging.getLogger(__name__)
_STATIC = Path(__file__).parent / "static"
# What a patient has read is not left in the browser: the page on privacy says so, and others may use the device.
_UNKEPT = {"cache-control": "private, no-store"}
_SWITCH = 0.0005
"""Seconds that a thread may keep Python to itself while another waits (5 ms as Python comes). Answering is done in threads, and
what takes in requests would wait for them at every step; that makes little work long, and says "busy" late."""
_READY_FOR = 2.0  # seconds that a finding holds: anybody may ask, and each time something is looked up


def create_app(assistant: Assistant, settings: Settings, refused: Callable[[str], None] = lambda reason: None) -> ASGIApp:
    """Put the application together around an opened assistant; starts nothing.

    Parameters: the assistant, the settings for hosts, framing, proxy, rate and capacity, and who is told why a request is
    refused.
    Returns an ASGI application.
    """
    recorder = Recorder(assistant, settings.journal)

    @asynccontextmanager
    async def recording(app: FastAPI) -> AsyncIterator[None]:
        recorder.start()
        try:
            yield
        finally:
            await asyncio.to_thread(recorder.stop)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=recording)
    app.mount("/look", StaticFiles(directory=_STATIC))

    _add_articles(app, assistant)
    _add_pages(app, assistant)
    add_feedback(app, assistant, recorder)

    @app.get("/healthz")
    def health() -> JSONResponse:
        problems = assistant.problems()
        return JSONResponse({"status": "degraded" if problems else "ok", "problems": problems})

    ready = _Ready(assistant)

    @app.get("/readyz")
    def readiness() -> JSONResponse:
        problem = ready.problem()
        if problem:
            return JSONResponse({"status": "not ready", "problem": problem}, status_code=503)
        return JSONResponse({"status": "ready"})

    @app.exception_handler(Exception)
    def failed(request: Request, problem: Exception) -> HTMLResponse:
        return HTMLResponse(trouble_page(assistant.clinic(), words_for(request.query_params, request.headers)), status_code=500)

    @app.exception_handler(RequestValidationError)
    def misshapen(request: Request, problem: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": "That cannot be read."}, status_code=422)  # without what was sent

    reply = mount_chat(app, assistant, [_STATIC / "chat.css"], recorder.asked)
    hosts = [host.strip() for host in settings.hosts.split(",") if host.strip()]
    door = Door(app, settings.capacity, reply)
    return Gate(door, settings.rate, settings.frame_ancestors, settings.trust_proxy, hosts, refused)


class _Ready:
    """Whether questions can be answered, looked up not too often."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._problem = ""

    def problem(self) -> str:
        """Why no question can be answered; empty where one can."""
        with self._lock:
            if time.monotonic() - self._looked >= _READY_FOR:
                self._problem = self._assistant.ready()
                self._looked = time.monotonic()
            return self._problem


def _add_articles(app: FastAPI, assistant: Assistant) -> None:
    """Articles, and their pages as printed."""

    @app.api_route("/read/{release}/{doc:path}", methods=["GET", "HEAD"])
    def read(request: Request, release: str, doc: str, start: str = "", end: str = "", page: str = "") -> HTMLResponse:
        found, words = assistant.readable(release, doc), words_for(request.query_params, request.headers)
        if found is None:
            return missing(request)
        if found.taken_down:
            return gone(request)
        opened, standing = found.release, Standing(found.overdue, found.newer)
        first, last = _offset(start), _offset(end)
        try:
            sheets = opened.sheets(doc)
        except ReleaseError as problem:  # the words matter more than their picture
            _LOG.error("an article is shown without its pages: %s", problem)
            sheets = None
        printed = None
        if sheets:
            sizes = tuple((width, height) for width, height in sheets.sizes.tolist())
            printed = Printed(opened.id, sizes, sheets.places(first, last), _offset(page), words.code)
        drawn = article_page(found.article, opened.clinic, words, first, last, printed, standing)
        return HTMLResponse(drawn, headers=_UNKEPT)

    @app.api_route("/sheet/{release}/{doc:path}", methods=["GET", "HEAD"])
    def sheet(request: Request, release: str, doc: str, page: str = "") -> Response:
        found = assistant.readable(release, doc)
        if found and found.taken_down:
            return gone(request)
        try:
            picture = found.release.picture(doc, _offset(page)) if found else None
        except ReleaseError as problem:
            _LOG.warning("a picture cannot be shown: %s", problem)
            picture = None
        if picture is None:
            return PlainTextResponse("There is no such page.", status_code=404)
        return Response(picture, media_type="image/webp", headers=_UNKEPT)

    def gone(request: Request) -> HTMLResponse:
        words = words_for(request.query_params, request.headers)
        return HTMLResponse(taken_down_page(assistant.clinic(), words), status_code=410, headers=_UNKEPT)

    @app.api_route("/read/{address:path}", methods=["GET", "HEAD"])
    def missing(request: Request) -> HTMLResponse:
        return HTMLResponse(missing_page(assistant.clinic(), words_for(request.query_params, request.headers)), status_code=404)


def _add_pages(app: FastAPI, assistant: Assistant) -> None:
    """What stands beside the chat: privacy, accessibility, the script for other sites, and words for the chat's own."""

    @app.api_route("/embed.js", methods=["GET", "HEAD"])
    def embed() -> FileResponse:
        # For pages of other origins; kept for a short time only, so that a new version is soon everywhere.
        headers = {"cross-origin-resource-policy": "cross-origin", "cache-control": "public, max-age=600"}
        return FileResponse(_STATIC / "embed.js", media_type="text/javascript", headers=headers)

    @app.api_route("/privacy", methods=["GET", "HEAD"])
    def privacy(request: Request) -> HTMLResponse:
        return HTMLResponse(privacy_page(assistant.clinic(), words_for(request.query_params, request.headers)))

    @app.api_route("/accessibility", methods=["GET", "HEAD"])
    def accessibility(request: Request) -> HTMLResponse:
        return HTMLResponse(accessibility_page(assistant.clinic(), words_for(request.query_params, request.headers)))

    @app.api_route("/words/{code}", methods=["GET", "HEAD"])
    def words(code: str) -> JSONResponse:
        said, clinic = words_of(code), assistant.clinic()
        parts = {name: said.part(name) for name in ("page", "copied", "hand_over", "feedback")}
        reached = {name: getattr(clinic, name) for name in ("name", "email", "whatsapp", "booking_url")}
        return JSONResponse({"code": said.code, **parts, "clinic": reached})


def _offset(text: str) -> int:
    """An offset or a page from an address; anything that is none is -1, which marks nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def serve(settings: Settings) -> None:
    """Open the assistant and serve until stopped; raises SettingsError, ModelError, NoRelease or DamagedRelease."""
    if settings.metrics_port and find_spec("prometheus_client") is None:
        raise SettingsError("PATIENT_FAQ_METRICS_PORT needs a package more. Run: pip install 'patient-faq[metrics]'")
    assistant = Assistant.open(settings)
    if settings.metrics_port:
        from web.metrics import Metrics

        metrics = Metrics()
        metrics.watch(assistant)
        metrics.serve(settings.metrics_port)
        app = create_app(assistant, settings, metrics.refused)
    else:
        app = create_app(assistant, settings)
    sys.setswitchinterval(_SWITCH)
    run(app, settings.host, settings.port, "The chat", policies_for(settings.frame_ancestors), settings.trust_proxy)
