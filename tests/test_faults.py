"""A short run of benchmarks/faults: no fault leaves half of staff's work, or a message that is not true.

The whole run takes a quarter of an hour; docs/design.md says how.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import ROOT

from benchmarks.faults.calls import CANNOT

pytestmark = pytest.mark.skipif(bool(CANNOT), reason=CANNOT)


def measured(out: Path, *options: str) -> dict[str, Any]:
    """Run the benchmark, which must find nothing, and return what it measured."""
    command = [sys.executable, "-m", "benchmarks.faults.run", "--out", str(out), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    values: dict[str, Any] = json.loads((out / "faults.json").read_text(encoding="utf-8"))
    return values


def test_killed_or_refused_staff_get_the_release_before_or_the_one_after_and_patients_journal_is_whole(tmp_path: Path) -> None:
    some = ("--faults", "killed", "ENOSPC", "--every", "100", "--last", "1")
    rows = measured(tmp_path, "--parts", "injected", "journal", "--kills", "0", *some)["injected"]
    assert {row["operation"] for row in rows} == {"publish", "rollback", "withdraw", "journal in SQLite"}
    for row in rows:
        assert row["tried"] == row["before"] + row["after"] > 0, row
        assert row["fault"] == "killed" or row["tried"] == row["done"] + row["refused"], row
    assert sum(row["after"] for row in rows if row["fault"] == "killed") > 0
    assert "| publish | killed |" in (tmp_path / "faults.md").read_text(encoding="utf-8")
