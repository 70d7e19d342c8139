"""What patients tell about quotes, kept only where the clinic turned it on, without private data, for as long as it set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from retrieval.errors import JournalError
from retrieval.private import masked

__all__ = ["FELT", "Feedback", "Felt", "Journal"]

Felt = Literal["helped", "other", "outdated"]
"""A quote helped, was not what was asked, or looks out of date."""
FELT: tuple[Felt, ...] = get_args(Felt)
_MOST_QUESTION = 500
_METADATA = MetaData()
_FEEDBACK = Table(
    "feedback",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", String(20), nullable=False, index=True),
    Column("release", String(64), nullable=False),
    Column("doc", String(300), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("felt", String(20), nullable=False),
    Column("question", String(_MOST_QUESTION), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What was told about one quote: which, of which release, how it was felt, and the question, masked; `at` in UTC."""

    release: str
    doc: str
    start: int
    end: int
    felt: Felt
    question: str = ""
    at: str = ""


class Journal:
    """A database of feedback. Safe to use from several threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Open the journal, or begin one.

        Parameters: the file. Raises JournalError, which says what to do, where it can't be opened or is no journal.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(f"sqlite:///{path.absolute()}", connect_args={"timeout": 5})
            _METADATA.create_all(engine)
        except (OSError, SQLAlchemyError) as problem:
            raise _unusable(path, problem) from problem
        return cls(engine)

    def tell(self, feedback: Feedback, days: int) -> None:
        """Keep what was told, and delete what is older than some days.

        Parameters: the feedback, whose question is masked and cut here, and for how many days anything is kept.
        Raises JournalError where it cannot be written.
        """
        now = datetime.now(UTC)
        values = {
            "at": now.isoformat(timespec="seconds")[:19],
            "release": feedback.release,
            "doc": feedback.doc,
            "start": feedback.start,
            "end": feedback.end,
            "felt": feedback.felt,
            "question": masked(feedback.question)[:_MOST_QUESTION],
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(_FEEDBACK).where(_FEEDBACK.c.at < (now - timedelta(days=days)).isoformat()[:19]))
                connection.execute(insert(_FEEDBACK).values(**values))
        except SQLAlchemyError as problem:
            raise _unusable(self._engine.url.database or "the journal", problem) from problem

    def told(self) -> list[Feedback]:
        """All that is kept, oldest first; raises JournalError where it cannot be read."""
        columns = [_FEEDBACK.c[name] for name in ("release", "doc", "start", "end", "felt", "question", "at")]
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(select(*columns).order_by(_FEEDBACK.c.id)).all()
        except SQLAlchemyError as problem:
            raise _unusable(self._engine.url.database or "the journal", problem) from problem
        return [Feedback(*row) for row in rows]


def _unusable(where: object, problem: Exception) -> JournalError:
    reason = str(getattr(problem, "orig", None) or problem)
    return JournalError(f"{where}: the journal cannot be used ({reason}). Put another file in PATIENT_FAQ_JOURNAL.")
