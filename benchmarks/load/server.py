"""The chat as it is started for patients, on a free port of this machine, and what it takes of the machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Served", "served"]

ROOT = Path(__file__).resolve().parent.parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A running app.py: its process and its port."""

    process: int
    port: int

    def memory_mb(self) -> float:
        """Resident memory."""
        for line in Path(f"/proc/{self.process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ValueError("the process has ended")

    def cpu_seconds(self) -> float:
        """Processor time so far, of all its threads."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def served(settings: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Start app.py and wait until it answers; ends it, by its id, when the block ends.

    Parameters: settings over those of the environment, by their variables. Raises RuntimeError where it does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # The limit per address is for patients, and here all of them have one.
    environment = {
        **os.environ, "PATIENT_FAQ_RATE": "10000", "PATIENT_FAQ_HOST": "127.0.0.1", "PATIENT_FAQ_PORT": str(port),
        "PYTHONPATH": str(ROOT), **(settings or {}),
    }  # fmt: skip
    with subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as app:
        try:
            assert app.stdout is not None
            began = time.monotonic()
            while "The chat is at" not in (line := app.stdout.readline()):
                if not line or time.monotonic() - began > 120:
                    raise RuntimeError("the chat did not start; `python app.py` says why")
            yield Served(app.pid, port)
        finally:
            app.terminate()
            try:
                app.wait(20)
            except subprocess.TimeoutExpired:
                app.kill()
