"""The journal: what patients asked and what they told about quotes, kept only where the clinic turned it on.

Without private data, without times, for as long as the clinic set. docs/privacy.md lists every column of every table.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from retrieval.database import Database
from retrieval.private import masked, private_data

__all__ = ["ASKED", "FEEDBACK", "FELT", "GAP", "GROUPED", "TABLES", "Cited", "Feedback", "Felt", "Journal", "Noted", "Spot"]

Felt = Literal["helped", "other", "outdated"]
"""A quote helped, was not what was asked, or looks out of date."""
FELT: tuple[Felt, ...] = get_args(Felt)
_MOST_QUESTION = 500
_UNKEPT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""What no database takes: control characters, and halves of characters."""

TABLES = MetaData()
FEEDBACK = Table(
    "feedback",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("at", String(20), nullable=False, index=True),
    Column("release", String(64), nullable=False),
    Column("doc", String(300), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("felt", String(20), nullable=False),
    Column("question", String(_MOST_QUESTION), nullable=False),
)
# Drawn by chance, not counted: nobody can tell from it which questions were asked one after the other.
_BY_CHANCE = BigInteger().with_variant(Integer, "sqlite")
ASKED = Table(
    "asked",
    TABLES,
    Column("id", _BY_CHANCE, primary_key=True, autoincrement=False),
    Column("day", String(10), nullable=False, index=True),
    Column("release", String(64), nullable=False),
    Column("question", String(_MOST_QUESTION), nullable=False),
    Column("route", String(20), nullable=False),
    Column("card", String(40), nullable=False),
    Column("quotes", Integer, nullable=False),
)
_QUOTED = Table(
    "quoted",
    TABLES,
    Column("asked", _BY_CHANCE, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("doc", String(300), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
)
GAP = Table(
    "gap",
    TABLES,
    Column("id", String(16), primary_key=True),
    Column("title", String(300), nullable=False),
    Column("owner", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("since", String(10), nullable=False),
    Column("note", String(2000), nullable=False),
)
GROUPED = Table(
    "grouped",
    TABLES,
    Column("source", String(10), primary_key=True),
    Column("question", _BY_CHANCE, primary_key=True, autoincrement=False),
    Column("gap", String(16), nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What was told about one quote: which, of which release, how it was felt, and the question, masked; `at` is the day."""

    release: str
    doc: str
    start: int
    end: int
    felt: Felt
    question: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """Which words of which article were quoted."""

    doc: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Noted:
    """One question that was asked, and what became of it.

    `question` is empty where its text is not kept: urgent messages, and those that could not be judged. `day` is in UTC.
    """

    release: str
    question: str
    route: str
    card: str = ""
    quotes: tuple[Spot, ...] = ()
    day: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Cited:
    """How an article was used: questions that it was quoted for, those of them that only it was quoted for, and feedback."""

    quoted: int = 0
    only: int = 0
    helped: int = 0
    disliked: int = 0


class Journal:
    """What was asked and told. Safe to use from several threads and processes; every failure is a JournalError."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._expired: tuple[date, int] | None = None

    @classmethod
    def open(cls, where: str | Path) -> Journal:
        """Open the journal, or begin one; one of an earlier version gets what it lacks.

        Parameters: the file, or the address of a PostgreSQL database. Raises JournalError, which says what to do.
        """
        journal = cls(Database.open(where, TABLES))
        with journal.database.writing() as connection:  # before there was a rule about it, times were kept
            connection.execute(
                update(FEEDBACK).where(func.length(FEEDBACK.c.at) > 10).values(at=func.substr(FEEDBACK.c.at, 1, 10))
            )
        return journal

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def tell(self, feedback: Feedback, days: int) -> None:
        """Keep what was told about a quote.

        Parameters: the feedback, whose question is masked and cut here, and for how many days anything is kept.
        """
        self._expire_daily(days)
        values = {**asdict(feedback), "at": _today().isoformat(), "question": _kept(masked(feedback.question))}
        with self.database.writing() as connection:
            connection.execute(insert(FEEDBACK).values(**values))

    def note(self, asked: Noted, days: int) -> bool:
        """Keep what was asked. When this returns True it is kept, whatever happens; see `note_all`."""
        return self.note_all([asked], days) == 1

    def note_all(self, asked: Sequence[Noted], days: int) -> int:
        """Keep what was asked, all together; returns how many, and when it returns they are kept, whatever happens.

        Parameters: the questions, which are cut here, and for how many days anything is kept. One with private data in it is
        not kept at all; of an urgent one neither text nor which card it got.
        """
        self._expire_daily(days)
        rows, spots = [], []
        for one in asked:
            if private_data(one.question):
                continue
            number, urgent = secrets.randbits(62), one.route == "urgent"
            kept = {"question": "", "card": ""} if urgent else {"question": _kept(one.question), "card": one.card}
            row = {"id": number, "day": _today().isoformat(), "release": one.release, "route": one.route, **kept}
            rows.append({**row, "quotes": len(one.quotes)})
            spots += [{"asked": number, "place": place, **asdict(spot)} for place, spot in enumerate(one.quotes)]
        with self.database.writing() as connection:
            for table, values in ((ASKED, rows), (_QUOTED, spots)):
                if values:
                    connection.execute(insert(table), values)
        return len(rows)

    def told(self) -> list[Feedback]:
        """All that was told about quotes, oldest first."""
        columns = [FEEDBACK.c[name] for name in ("release", "doc", "start", "end", "felt", "question", "at")]
        with self.database.reading() as connection:
            return [Feedback(*row) for row in connection.execute(select(*columns).order_by(FEEDBACK.c.at, FEEDBACK.c.id))]

    def noted(self, since: date | None = None) -> list[Noted]:
        """What was asked, from a day on; oldest first, in no order within a day."""
        when = ASKED.c.day >= since.isoformat() if since else ASKED.c.day >= ""
        with self.database.reading() as connection:
            spots: dict[int, list[Spot]] = {}
            rows = select(_QUOTED).join(ASKED, ASKED.c.id == _QUOTED.c.asked).where(when)
            for row in connection.execute(rows.order_by(_QUOTED.c.asked, _QUOTED.c.place)):
                spots.setdefault(row.asked, []).append(Spot(row.doc, row.start, row.end))
            asked = connection.execute(select(ASKED).where(when).order_by(ASKED.c.day, ASKED.c.id)).all()
        return [
            Noted(row.release, row.question, row.route, row.card, tuple(spots.get(row.id, ())), row.day, row.id)
            for row in asked
        ]

    def by_article(self, days: int) -> dict[str, Cited]:
        """How each article was used in the last days, by file name; one that was neither quoted nor told about is left out."""
        since = _today() - timedelta(days=days)
        counts: dict[str, dict[str, int]] = {}

        def count(doc: str, what: str) -> None:
            of = counts.setdefault(doc, {})
            of[what] = of.get(what, 0) + 1

        for asked in self.noted(since):
            docs = {spot.doc for spot in asked.quotes}
            for doc in docs:
                count(doc, "quoted")
                if len(docs) == 1:
                    count(doc, "only")
        for told in self.told():
            if told.at >= since.isoformat():
                count(told.doc, "helped" if told.felt == "helped" else "disliked")
        return {doc: Cited(**of) for doc, of in sorted(counts.items())}

    def expire(self, days: int) -> int:
        """Delete what is older than some days, so that nothing of it stays in the file; returns how many entries went.

        A gap goes with the last of its questions, unless staff gave it a title of their own.
        """
        oldest = (_today() - timedelta(days=days)).isoformat()
        with self.database.writing(alone=True) as connection:
            old = select(ASKED.c.id).where(ASKED.c.day < oldest)
            connection.execute(delete(_QUOTED).where(_QUOTED.c.asked.in_(old)))
            gone = connection.execute(delete(ASKED).where(ASKED.c.day < oldest)).rowcount
            gone += connection.execute(delete(FEEDBACK).where(FEEDBACK.c.at < oldest)).rowcount
            if gone:
                _drop_gaps(connection)
        self._expired = (_today(), days)
        self.database.compact()  # where somebody is reading just now, tomorrow's will do
        return gone

    def export(self) -> Iterator[str]:
        """All that is kept, a line of JSON for each entry; `kind` says which table it is of."""
        for told in self.told():
            yield _line("feedback", asdict(told))
        for asked in self.noted():
            values = asdict(asked)
            yield _line("asked", {name: values[name] for name in values if name != "id"})
        with self.database.reading() as connection:
            gaps = connection.execute(select(GAP).order_by(GAP.c.id)).mappings().all()
        for gap in gaps:
            yield _line("gap", dict(gap))

    def empty(self) -> None:
        """Delete everything, the gaps and what staff wrote on them too, so that nothing of it stays in the file."""
        self.database.empty()

    def _expire_daily(self, days: int) -> None:
        if self._expired != (_today(), days):
            self.expire(days)


def _drop_gaps(connection: Connection) -> None:
    """Drop what is known of questions that are gone, and the gaps that have none left and no title of their own."""
    for source, table in (("asked", ASKED), ("feedback", FEEDBACK)):
        there = select(table.c.id)
        connection.execute(delete(GROUPED).where(GROUPED.c.source == source, GROUPED.c.question.not_in(there)))
    has_questions = exists().where(GROUPED.c.gap == GAP.c.id)
    connection.execute(delete(GAP).where(GAP.c.title == "", ~has_questions))


def _kept(question: str) -> str:
    return _UNKEPT.sub(" ", question)[:_MOST_QUESTION]


def _line(kind: str, values: dict[str, Any]) -> str:
    return json.dumps({"kind": kind, **values}, ensure_ascii=False)


def _today() -> date:
    return datetime.now(UTC).date()
