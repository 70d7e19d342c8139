"""The pages of a PDF as pictures, for who is signed in: what the machine read is held beside them."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from retrieval.errors import PatientFaqError
from retrieval.keeping.desk import Desk

__all__ = ["add_originals"]


def add_originals(app: FastAPI, desk: Desk) -> None:
    """Let an application show a file's pages at /own/original/NAME?page=1. The gate lets in who is signed in."""

    @app.get("/own/original/{doc}")
    def original(doc: str, page: int = 1) -> Response:
        try:
            sheets = desk.library.sheets(doc)
        except PatientFaqError:
            sheets = None
        pictures = sheets.pictures if sheets else ()
        if not 1 <= page <= len(pictures):
            return JSONResponse({"detail": "There is no such page."}, status_code=404)
        return Response(pictures[page - 1], media_type="image/webp")
