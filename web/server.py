"""The patients' server: the chat and the reader behind the gate."""

from __future__ import annotations

import logging
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from retrieval.assistant import Assistant
from retrieval.errors import PatientFaqError
from retrieval.settings import Settings
from web.chat import mount_chat
from web.gate import Gate
from web.reader import article_page, missing_page, trouble_page

__all__ = ["create_app", "serve"]

_STATIC = Path(__file__).parent / "static"


def create_app(assistant: Assistant, settings: Settings) -> ASGIApp:
    """Put the application together around an opened assistant; starts nothing.

    Parameters: the assistant, and the settings for hosts, framing, proxy and rate.
    Returns an ASGI application.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/look", StaticFiles(directory=_STATIC))

    @app.api_route("/read/{release}/{doc:path}", methods=["GET", "HEAD"])
    def read(release: str, doc: str, start: str = "", end: str = "") -> HTMLResponse:
        try:
            opened = assistant.release(release)
        except (PatientFaqError, OSError):  # OSError: a name longer than a file's may be
            return missing()
        article = opened.article(doc)
        if article is None:
            return missing()
        return HTMLResponse(article_page(article, opened.clinic, _offset(start), _offset(end)))

    @app.api_route("/read/{address:path}", methods=["GET", "HEAD"])
    def missing() -> HTMLResponse:
        return HTMLResponse(missing_page(assistant.clinic()), status_code=404)

    @app.get("/healthz")
    def health() -> JSONResponse:
        problems = assistant.problems()
        return JSONResponse({"status": "degraded" if problems else "ok", "problems": problems})

    @app.exception_handler(Exception)
    def failed(request: Request, problem: Exception) -> HTMLResponse:
        return HTMLResponse(trouble_page(assistant.clinic()), status_code=500)

    mount_chat(app, assistant, [_STATIC / "chat.css"])
    hosts = [host.strip() for host in settings.hosts.split(",") if host.strip()]
    named: ASGIApp = TrustedHostMiddleware(app, allowed_hosts=hosts) if hosts else app
    return Gate(named, settings.rate, settings.frame_ancestors, settings.trust_proxy)


def _offset(text: str) -> int:
    """An offset from an address; anything that is none marks nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def serve(settings: Settings) -> None:
    """Open the assistant and serve until stopped; raises SettingsError, ModelError, NoRelease or DamagedRelease."""
    app = create_app(Assistant.open(settings), settings)
    # No access log: addresses of patients are nobody's business. The gate alone decides whom to believe about addresses.
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, access_log=False, log_level="warning", server_header=False, ws="none",
        proxy_headers=False, timeout_graceful_shutdown=2,
    )  # fmt: skip
    _Announced(config).run()


class _Announced(uvicorn.Server):
    """Says where the chat is as soon as it answers there, and stops without ado."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            sys.stdout.write(f"The chat is at http://{host}:{self.config.port} (stop it with Ctrl-C)\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Each open page holds a connection, and uvicorn reports every one that it ends with a traceback.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)
