"""What publishers can take away: all that staff own in one ZIP file, and the journal as lines of JSON."""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import IO

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from retrieval.errors import PatientFaqError
from retrieval.keeping.archive import export_all
from retrieval.keeping.desk import Desk
from web.staff.gate import Visit
from web.staff.sessions import Person, Sessions

__all__ = ["add_exports"]

_LOG = logging.getLogger(__name__)
_PIECE = 1 << 16
_NOT_YOURS = "Only a publisher can take this away. Ask one, or whoever runs this server."


def add_exports(app: FastAPI, desk: Desk, sessions: Sessions, folder: Path) -> None:
    """Let an application hand out files at /export and /journal, to publishers alone.

    Parameters: the application, the desk, who is signed in, and a folder for the file while it is written.
    """

    @app.post("/export")
    def export(request: Request) -> Response:
        person = _publisher(request, sessions)
        if person is None:
            return PlainTextResponse(_NOT_YOURS, 403)
        own = Path(tempfile.mkdtemp(prefix="export-", dir=folder))
        try:
            export_all(desk.settings, own / "all.zip")
            file = (own / "all.zip").open("rb")
        except (PatientFaqError, OSError) as problem:
            return _failed(problem)
        finally:
            # Without a name from here on: whatever cuts the sending off, nothing of it stays on the disk.
            shutil.rmtree(own, ignore_errors=True)
        _LOG.warning("%s exported everything", person.name)
        return StreamingResponse(_pieces(file), media_type="application/zip", headers=_named("patient-faq", "zip"))

    @app.post("/journal")
    def journal(request: Request) -> Response:
        person = _publisher(request, sessions)
        if person is None:
            return PlainTextResponse(_NOT_YOURS, 403)
        try:
            kept = desk.journal()
            if kept is None:
                return PlainTextResponse("This clinic keeps no journal, so there is nothing to take away.", 404)
            with contextlib.closing(kept):
                lines = "".join(f"{line}\n" for line in kept.export())
        except PatientFaqError as problem:
            return _failed(problem)
        _LOG.warning("%s exported the journal", person.name)
        return Response(lines, media_type="application/x-ndjson", headers=_named("journal", "jsonl"))


def _publisher(request: Request, sessions: Sessions) -> Person | None:
    visit: Visit = request.scope["staff"]
    person = sessions.person(visit.seat.digest) if visit.seat else None
    return person if person and person.publishes else None


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _named(name: str, ending: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}-{date.today().isoformat()}.{ending}"'}


def _failed(problem: Exception) -> Response:
    said = str(problem) if isinstance(problem, PatientFaqError) else "The file could not be written. Is the disk full?"
    return PlainTextResponse(f"{said} Go back, and try again then.", 503)
