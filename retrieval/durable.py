"""Writing files so that a crash or a full disk leaves what was there or what is new, never a part of either."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["UNFINISHED", "put", "sync"]

UNFINISHED = ".unfinished-"
"""What the name of a file begins with that is not yet whole; one that is left behind means nothing."""


def put(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file, or replace it, in one step, and make sure that it is on the disk.

    Parameters: the file, what it shall hold, and its permissions. Raises OSError, and then nothing has changed.
    """
    fresh = path.with_name(f"{UNFINISHED}{path.name}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make sure that a file, or which files a folder has, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
