"""One at a time in a folder, and whoever comes second is told who is at it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from retrieval.errors import BuildLocked
from retrieval.locks import locked, somebody

HOLD = """
import sys
from pathlib import Path
from retrieval.locks import locked
with locked(Path(sys.argv[1]), "publishing", "Ann Tan"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_is_told_who_is_at_it_since_when(tmp_path: Path, project: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        said = rf"Ann Tan is publishing since \d\d:\d\d \(process {other.pid}\)"
        for _ in range(2):  # looking takes nothing away
            with pytest.raises(BuildLocked, match=said), locked(tmp_path, "building"):
                pass
        other.communicate("")
    with locked(tmp_path, "building"):
        pass


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path: Path, project: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
    with locked(tmp_path, "building"):
        pass


def test_where_nobody_is_named_it_is_the_user_of_the_machine(tmp_path: Path) -> None:
    with locked(tmp_path, "building"):
        said = (tmp_path / ".lock").read_text(encoding="utf-8")
    assert f'"by": "{somebody()}"' in said


def test_a_lock_file_that_says_nothing_locks_all_the_same(tmp_path: Path) -> None:
    with locked(tmp_path, "building"):
        (tmp_path / ".lock").write_text("", encoding="utf-8")
        with pytest.raises(BuildLocked, match="somebody is at work"), locked(tmp_path, "building"):
            pass
