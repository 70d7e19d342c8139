"""Where the journal is kept: a file of SQLite, or a database of PostgreSQL by its address, opened alike."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, delete, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from retrieval.errors import JournalError

__all__ = ["Database"]

_SCHEMES = ("postgresql://", "postgres://", "postgresql+psycopg://")
_WAITS = 5.0
"""Seconds that a process waits for another, and for a server that does not answer."""
_TRIES = 3
_ALONE = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(20261121)"}
_FAULTS = (SQLAlchemyError, sqlite3.Error, OSError)
_ADDRESS = "Write it as postgresql://user:password@host/database, with %40 for @, %2F for / and %3A for : in a password."


class Database:
    """Some tables in SQLite or PostgreSQL. Safe to use from several threads and processes.

    `where` names it without anything secret. Every failure is a JournalError that says what to do; none repeats a value.
    """

    def __init__(self, engine: Engine, where: str, advice: str, tables: MetaData, file: Path | None = None) -> None:
        self._engine = engine
        self.where = where
        self._advice = advice
        self._tables = tables
        self._file = file

    @classmethod
    def open(cls, where: str | Path, tables: MetaData) -> Database:
        """Open a database, or begin one, and add the tables that it lacks.

        Parameters: the file, or the address of a PostgreSQL database; the tables. Raises JournalError.
        """
        database = _server(str(where), tables) if "://" in str(where) else _file(Path(where), tables)
        database._add()
        return database

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read with."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except _FAULTS as problem:
            raise self._failed(problem) from None

    @contextmanager
    def writing(self, alone: bool = False) -> Iterator[Connection]:
        """A transaction: at its end all of it is kept for good, or nothing where something fails.

        With `alone`, others that ask for the same wait until then: what is read in it stays true.
        """
        if self._file and not self._file.exists():  # somebody deleted it: what is open writes to nothing
            self.close()
            self._add()
        try:
            with self._engine.begin() as connection:
                if alone:
                    connection.execute(text(_ALONE[self._engine.dialect.name]))
                yield connection
        except _FAULTS as problem:
            raise self._failed(problem) from None

    def compact(self, waits: float = 0.1) -> bool:
        """Let nothing of what was deleted stay in the log of changes that SQLite keeps beside its file.

        In the file itself it was overwritten when it was deleted. A server clears up by itself. Parameters: seconds to wait for
        another process that reads what was. Returns whether it is done.
        """
        if self._engine.dialect.name != "sqlite":
            return True
        with self._outside() as connection:
            connection.execute(text(f"PRAGMA busy_timeout = {round(waits * 1000)}"))
            busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
            connection.execute(text(f"PRAGMA busy_timeout = {round(_WAITS * 1000)}"))
        return not busy

    def empty(self) -> None:
        """Delete all rows of all tables, and write the files anew without them.

        Raises JournalError also where all is deleted but another process still reads what was.
        """
        names = [table.name for table in self._tables.sorted_tables]
        if self._engine.dialect.name != "sqlite":
            with self.writing() as connection:
                connection.execute(text(f"TRUNCATE {', '.join(names)}"))
            return
        with self.writing() as connection:
            for table in self._tables.sorted_tables:
                connection.execute(delete(table))
        with self._outside() as connection:
            connection.execute(text("VACUUM"))
        if not self.compact(_WAITS):
            raise JournalError(f"{self.where}: deleted, but another process still reads what was. Try again in a minute.")

    @contextmanager
    def _outside(self) -> Iterator[Connection]:
        """A connection outside of any transaction."""
        try:
            with self._engine.connect() as connection:
                yield connection.execution_options(isolation_level="AUTOCOMMIT")
        except _FAULTS as problem:
            raise self._failed(problem) from None

    def close(self) -> None:
        """Let go of the connections that are open."""
        self._engine.dispose()

    def _add(self) -> None:
        """Add the tables that are not there. Others may be doing the same."""
        for further in range(_TRIES):
            try:
                with self._engine.begin() as connection:
                    self._tables.create_all(connection)
                return
            except _FAULTS as problem:
                if further == _TRIES - 1:
                    self.close()
                    raise self._failed(problem) from None
                time.sleep(0.1 * (further + 1))

    def _failed(self, problem: Exception) -> JournalError:
        # Of what a server says only the first line: those below may repeat a row.
        said = str(getattr(problem, "orig", None) or problem).strip().splitlines()
        reason = _without_password(said[0] if said else type(problem).__name__, self._engine.url)
        return JournalError(f"{self.where}: the journal cannot be used ({reason}). {self._advice}")


def _file(path: Path, tables: MetaData) -> Database:
    advice = "Put another file in PATIENT_FAQ_JOURNAL."
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise JournalError(f"{path}: the journal cannot be used ({problem.strerror}). {advice}") from problem
    # The address is made from parts: a file's name may hold what means something in an address.
    address = URL.create("sqlite", database=str(path.absolute()))
    engine = create_engine(address, connect_args={"timeout": _WAITS}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        # WAL: readers and a writer do not wait for each other. FULL: what was written is there after the power failed.
        # secure_delete: what is deleted is overwritten.
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    return Database(engine, str(path), advice, tables, path)


def _server(address: str, tables: MetaData) -> Database:
    if not address.startswith(_SCHEMES):
        scheme = address.split("://")[0]
        kind = scheme if re.fullmatch(r"[A-Za-z0-9+.-]{1,30}", scheme) else "an address"
        raise JournalError(f"PATIENT_FAQ_JOURNAL: {kind} is neither a file nor PostgreSQL. {_ADDRESS}")
    try:
        url = make_url(address).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise JournalError(f"PATIENT_FAQ_JOURNAL: the address of the database cannot be read. {_ADDRESS}") from None
    # A password with an @ in it would be taken for a part of the host, and shown.
    if not url.database or "@" in (url.host or "") or "@" in url.database:
        raise JournalError(f"PATIENT_FAQ_JOURNAL: the address of the database cannot be read. {_ADDRESS}")
    if find_spec("psycopg") is None:
        raise JournalError("PATIENT_FAQ_JOURNAL: PostgreSQL needs a package more. Run: pip install 'patient-faq[postgres]'")
    options = {
        "connect_timeout": int(_WAITS),
        "options": f"-c statement_timeout={4 * _WAITS:.0f}s -c lock_timeout={_WAITS:.0f}s",
    }
    # Asked before each use whether it still lives: a server that was started anew is found again.
    engine = create_engine(
        url, connect_args=options, pool_pre_ping=True, pool_size=2, max_overflow=2, pool_timeout=_WAITS, hide_parameters=True
    )
    where = f"postgresql://{url.host or 'this machine'}/{url.database}"
    advice = "Check that the server runs and lets this user make tables there, and the address in PATIENT_FAQ_JOURNAL."
    return Database(engine, where, advice, tables)


def _without_password(reason: str, url: URL) -> str:
    secrets = [str(url.password or ""), *(str(value) for name, value in url.query.items() if "pass" in name.lower())]
    for secret in filter(None, secrets):
        reason = reason.replace(secret, "***")
    return reason
