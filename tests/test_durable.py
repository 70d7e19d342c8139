"""A file is replaced in one step, or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from retrieval.durable import UNFINISHED, put


def test_a_file_is_written_and_replaced_whole(tmp_path: Path) -> None:
    put(tmp_path / "a.txt", b"one")
    put(tmp_path / "a.txt", b"two")
    assert (tmp_path / "a.txt").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_disk_that_refuses_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.txt", b"one")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        put(tmp_path / "a.txt", b"two")
    monkeypatch.undo()
    assert (tmp_path / "a.txt").read_bytes() == b"one"
    put(tmp_path / "a.txt", b"three")
    assert not list(tmp_path.glob(f"{UNFINISHED}*"))


def test_permissions_are_those_asked_for(tmp_path: Path) -> None:
    put(tmp_path / "secret", b"x", mode=0o600)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
