"""The patients' server: the chat and the reader behind the gate."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from retrieval.assistant import Assistant
from retrieval.errors import PatientFaqError
from retrieval.settings import Settings
from web.chat import mount_chat
from web.gate import Gate
from web.reader import article_page, missing_page

__all__ = ["create_app", "serve"]

_STATIC = Path(__file__).parent / "static"


def create_app(assistant: Assistant, settings: Settings) -> ASGIApp:
    """Put the application together around an opened assistant; starts nothing.

    Parameters: the assistant, and the settings for hosts, framing, proxy and rate.
    Returns an ASGI application.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/look", StaticFiles(directory=_STATIC))

    @app.get("/read/{release}/{doc:path}")
    def read(release: str, doc: str, start: str = "", end: str = "") -> HTMLResponse:
        try:
            opened = assistant.release(release)
        except PatientFaqError:
            return HTMLResponse(missing_page(assistant.clinic()), status_code=404)
        article = opened.article(doc)
        if article is None:
            return HTMLResponse(missing_page(opened.clinic), status_code=404)
        return HTMLResponse(article_page(article, opened.clinic, _offset(start), _offset(end)))

    mount_chat(app, assistant, [_STATIC / "chat.css"])
    hosts = [host.strip() for host in settings.hosts.split(",") if host.strip()]
    guarded: ASGIApp = Gate(app, settings.rate, settings.frame_ancestors, settings.trust_proxy)
    return TrustedHostMiddleware(guarded, allowed_hosts=hosts) if hosts else guarded


def _offset(text: str) -> int:
    """An offset from an address; anything that is none marks nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def serve(settings: Settings) -> None:
    """Open the assistant and serve until stopped; raises SettingsError, ModelError, NoRelease or DamagedRelease."""
    app = create_app(Assistant.open(settings), settings)
    # No access log: addresses of patients are nobody's business.
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, access_log=False, log_level="warning", server_header=False
    )
    _Announced(config).run()


class _Announced(uvicorn.Server):
    """Says where the chat is as soon as it answers there."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            sys.stdout.write(f"The chat is at http://{host}:{self.config.port} (stop it with Ctrl-C)\n")
            sys.stdout.flush()
