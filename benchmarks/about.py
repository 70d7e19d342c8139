"""What a result must say of itself: the commit and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

__all__ = ["about"]

ROOT = Path(__file__).resolve().parents[1]


def about() -> dict[str, str]:
    """The commit (with `-dirty` where files differ from it, results apart) and the machine, as `commit` and `machine`."""

    def said(*command: str) -> str:
        return subprocess.run(["git", "-C", str(ROOT), *command], capture_output=True, text=True, check=False).stdout.strip()

    dirty = "-dirty" if said("status", "--porcelain", "-uno", "--", ".", ":!benchmarks/results") else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
    return {"commit": said("rev-parse", "--short", "HEAD") + dirty or "unknown", "machine": machine}
