"""The system calls that an operation makes, one by one, and the same operation with a fault at one of them (by strace).

A child is forked from a process that has imported all there is, waits until strace has attached itself, and runs the command.
A listing of all its calls is made first; what is done at the third `rename` is then done at the third `rename` again.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.place import Outcome

__all__ = ["CANNOT", "Call", "faulty", "listed"]

WRITING = (
    "open", "openat", "creat", "write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "rename", "renameat",
    "renameat2", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "truncate", "ftruncate", "fallocate", "link",
    "linkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat", "copy_file_range", "sendfile",
)  # fmt: skip
READING = ("read", "pread64", "readv", "getdents64")
_OPENING = {"open", "openat"}
_FOR_WRITING = re.compile(r"O_(?:WRONLY|RDWR|CREAT|TRUNC)")
_LINE = re.compile(r"(\d+)\s+(\w+)\((.*)")
_ATTACHES_WITHIN = 20.0
_ENDS_WITHIN = 120.0

CANNOT = "" if shutil.which("strace") else "NO STRACE ON THIS MACHINE (Debian: apt-get install strace): faults are NOT injected"


@dataclass(frozen=True, slots=True)
class Call:
    """One system call of an operation: its name, the how many-th of its name it is, whether it changes files, and where."""

    name: str
    number: int
    writes: bool
    where: str


def listed(work: Callable[[], Outcome], folder: Path, log: Path) -> tuple[list[Call], Outcome | None]:
    """All calls of a piece of work that touch a folder, in order, and how it ended.

    Parameters: the work, which is done in a child; the folder; where strace may write.
    """
    outcome, _ = _traced(work, ["-y", "-s", "0", "-e", f"trace={','.join((*WRITING, *READING))}"], log)
    counted: Counter[tuple[str, str]] = Counter()  # strace counts for each thread
    found: list[Call] = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        thread, name, rest = match.groups()
        counted[thread, name] += 1
        if str(folder) in rest:
            writes = name in WRITING and (name not in _OPENING or bool(_FOR_WRITING.search(rest)))
            where = next(iter(re.findall(rf"{re.escape(str(folder))}/?([^\">]*)", rest)), "")
            found.append(Call(name, counted[thread, name], writes, where))
    return found, outcome


def faulty(work: Callable[[], Outcome], faults: list[str], log: Path) -> tuple[Outcome | None, bool]:
    """Do a piece of work with faults at its calls.

    Parameters: the work; faults as strace has them (`write:error=ENOSPC:when=3`); where strace may write. Returns how it ended
    (None where it was killed) and whether the fault was met at all.
    """
    names = sorted({fault.partition(":")[0] for fault in faults})
    options = ["-s", "0", "-e", f"trace={','.join(names)}"]
    for fault in faults:
        options += ["-e", f"inject={fault}"]
    outcome, killed = _traced(work, options, log)
    return outcome, killed or "(INJECTED)" in log.read_text(encoding="utf-8", errors="replace")


def _traced(work: Callable[[], Outcome], options: list[str], log: Path) -> tuple[Outcome | None, bool]:
    ours, theirs = socket.socketpair()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    child = os.fork()
    if child == 0:
        try:
            signal.sigwait([signal.SIGUSR1])
            theirs.sendall(pickle.dumps(work()))  # neither is a call that is counted
        finally:
            os._exit(0)
    theirs.close()
    strace = subprocess.Popen(["strace", "-f", "-qq", "-o", str(log), *options, "-p", str(child)], stderr=subprocess.PIPE)
    try:
        _attached(child, strace)
        os.kill(child, signal.SIGUSR1)
        said = b""
        ours.settimeout(_ENDS_WITHIN)
        while more := ours.recv(1 << 16):
            said += more
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        ours.close()
        strace.communicate()
    return (pickle.loads(said) if said else None), ended == -signal.SIGKILL


def _attached(child: int, strace: subprocess.Popen[bytes]) -> None:
    status, deadline = Path(f"/proc/{child}/status"), time.monotonic() + _ATTACHES_WITHIN
    while "TracerPid:\t0" in status.read_text(encoding="ascii"):
        if strace.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"strace cannot watch a process here: {strace.stderr.read().decode() if strace.stderr else ''}")
        time.sleep(0.0005)
