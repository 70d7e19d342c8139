"""Who put which release in force, when and why: INDEX/history/, one file an entry, each with the digest of the one before.

Entries are only ever added. One is written before the pointer to the release in force is replaced, and the pointer names it: an
entry that no pointer names was cut off, and the next one says so ("given up").
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from retrieval.durable import put
from retrieval.errors import DamagedHistory

__all__ = ["Done", "Entry", "append", "entries", "faults", "last_number"]

Done = Literal["built", "published", "rolled back", "withdrawn", "imported", "given up"]
_FOLDER = "history"
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of what is in force.

    `release` is in force after it and `before` was before; `manifest` is the digest of the release's manifest and `corpus` that
    of the list of the files that it was made from (snapshots.py); `details` are figures and the like; `previous` is the digest
    of the entry before and `digest` its own, which is not part of it.
    """

    number: int
    at: str
    what: Done
    by: str
    note: str
    release: str
    before: str
    manifest: str = ""
    corpus: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    previous: str = ""
    digest: str = ""


def append(index: Path, entry: Entry, known: tuple[int, str]) -> Entry:
    """Add an entry to the history; the caller holds the index folder's lock.

    Parameters: the index folder, the entry, whose number, time, `previous` and `digest` are set here, and number and digest of
    the entry that put the present release in force. Returns it. Raises OSError.

    An entry that is no longer there leaves a gap, and one that was altered does not become right by what comes after it.
    """
    folder = index / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    files = _files(index)
    last = _number(files[-1]) if files else 0
    previous = known[1] if last <= known[0] else _digest(files[-1].read_bytes())
    number = max(last, known[0]) + 1
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entry = dataclasses.replace(entry, number=number, at=now, previous=previous, digest="")
    values = dataclasses.asdict(entry)
    del values["digest"]
    data = json.dumps(values, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"
    put(folder / f"{number:0{_DIGITS}}.json", data)
    return dataclasses.replace(entry, digest=_digest(data))


def last_number(index: Path) -> int:
    """The number of the last entry, 0 where there is none."""
    files = _files(index)
    return _number(files[-1]) if files else 0


def entries(index: Path) -> list[Entry]:
    """All entries, oldest first; raises DamagedHistory, naming the file, where one cannot be read."""
    found = []
    for file in _files(index):
        try:
            data = file.read_bytes()
            values = json.loads(data)
            if values["what"] not in get_args(Done) or not all(
                isinstance(values[name], str) for name in ("by", "note", "release")
            ):
                raise ValueError("it is no entry")
            found.append(Entry(**values, digest=_digest(data)))
        except (OSError, ValueError, TypeError, KeyError) as problem:
            raise DamagedHistory(f"{file}: cannot be read ({problem}). Restore the folder from a backup.") from problem
    return found


def faults(index: Path, named: tuple[int, str, str]) -> list[str]:
    """Check the chain of entries.

    Parameters: the index folder, and what the pointer says: number and digest of the entry that it names (0 and empty where it
    names none), and the release in force. Returns a line for each fault: entries that are absent, altered or exchanged, and a
    pointer that does not agree.
    """
    found: list[str] = []
    chain = [(file, file.read_bytes()) for file in _files(index)]
    previous, expected = "", 1
    for file, data in chain:
        number = _number(file)
        if number != expected:
            missing = f"{expected}" if number == expected + 1 else f"{expected} to {number - 1}"
            found.append(f"entry {missing}: not there")
        expected = number + 1
        try:
            values = json.loads(data)
            agrees = values["previous"] == previous and values["number"] == number
        except (ValueError, KeyError, TypeError):
            agrees = False
        if not agrees:
            found.append(f"entry {number}: does not follow the one before; one of the two was altered")
        previous = _digest(data)
    number, digest, release = named
    pointed = next((data for file, data in chain if _number(file) == number), None)
    if number and pointed is None:
        found.append(f"entry {number}: not there, although it put the release in force")
    elif number and pointed is not None and _digest(pointed) != digest:
        found.append(f"entry {number}: altered since it put the release in force")
    elif pointed is not None and json.loads(pointed).get("release") != release:
        found.append(f"entry {number}: names another release than the one in force")
    return found


def _files(index: Path) -> list[Path]:
    return sorted((index / _FOLDER).glob("[0-9]*.json"), key=_number)


def _number(file: Path) -> int:
    return int(file.stem) if file.stem.isdigit() else 0


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
