"""What patients tell about quotes, on its way to the journal; only where the clinic turned that on."""

from __future__ import annotations

from typing import Literal

from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from retrieval.assistant import MAX_QUESTION, Assistant
from web.recording import Recorder

__all__ = ["add_feedback"]


class _Told(BaseModel):
    """What a patient tells about a quote."""

    release: str = Field(max_length=64)
    doc: str = Field(max_length=300)
    start: int
    end: int
    felt: Literal["helped", "other", "outdated"]
    question: str = Field("", max_length=2 * MAX_QUESTION)


def add_feedback(app: FastAPI, assistant: Assistant, recorder: Recorder) -> None:
    """Let an application take feedback at /feedback; a clinic that has no journal takes none."""

    @app.post("/feedback")
    def feedback(told: _Told) -> Response:
        clinic = assistant.clinic()
        if not clinic.journal:
            return _refused(404, "This clinic does not collect feedback.")
        found = assistant.opened(told.release, told.doc)
        if found is None or not 0 <= told.start < told.end <= len(found[1].text):
            return _refused(422, "There is no such quote.")
        from retrieval.journal import Feedback  # most clinics have none, and do without its import

        given = Feedback(told.release, told.doc, told.start, told.end, told.felt, told.question)
        if not recorder.told(given):
            return _refused(503, "This could not be kept.")
        return Response(status_code=204)


def _refused(status: int, text: str) -> JSONResponse:
    return JSONResponse({"detail": text}, status_code=status)
