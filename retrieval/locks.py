"""One at a time in a folder: a lock that says who is at it."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from retrieval.errors import BuildLocked

__all__ = ["locked", "somebody"]

_LOCK = ".lock"


@contextmanager
def locked(folder: Path, what: str = "building", by: str = "") -> Iterator[None]:
    """Keep others away from a folder for as long as the block runs. Ends with the process, however that ends.

    Parameters: the folder, what is being done there, and who does it (the user of the machine, where nobody is named).
    Raises BuildLocked, which says who is at it since when, if somebody is; OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Opened for appending, so that looking does not take away what stands in it.
    with (folder / _LOCK).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise BuildLocked(
                f"{_who(file.read())}. Wait until it is done, then try again; nothing of yours is lost."
            ) from None
        file.truncate(0)
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        json.dump({"by": by or somebody(), "what": what, "since": now, "process": os.getpid()}, file)
        file.flush()
        yield


def somebody() -> str:
    """The user of the machine, for where nobody is named."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        return f"user {os.getuid()}"


def _who(text: str) -> str:
    try:
        values = json.loads(text)
        since = datetime.fromisoformat(values["since"])
        return f"{values['by']} is {values['what']} since {since:%H:%M} (process {values['process']})"
    except (ValueError, KeyError, TypeError):
        return "somebody is at work"
