"""What the child that parses a file cannot do, tried from within it by the real entry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from retrieval.errors import UnreadableFile
from retrieval.reading import read_article, sandbox

ROOT = sandbox._ROOT
# A reader that has been taken over: it does what it is told to and hands back what came of it.
TAKEN_OVER = f"""
import sys; sys.path.insert(0, {ROOT!r})
import os, resource, signal, socket, subprocess, threading
from retrieval.reading import worker
from retrieval.reading.draft import Reading
from retrieval.types import Block
def read(path, data):
    try:
        said = "did " + repr(eval(data.decode().strip()))
    except BaseException as problem:
        said = type(problem).__name__
    os.closerange(10, 200)  # what was opened on trial: the rest of its work opens files too
    return Reading(said, (Block("paragraph", 0, len(said)),))
worker.read_bytes = read
worker.main()
"""
HELD = json.loads(
    subprocess.run(
        [sys.executable, "-c", "import json; from retrieval.reading.confined import confine; print(json.dumps(confine()))"],
        capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": ROOT}, check=True,
    ).stdout
)  # fmt: skip
calls = pytest.mark.skipif("calls" not in HELD, reason="this kernel offers no filter of system calls")
files = pytest.mark.skipif("files" not in HELD, reason="this kernel has no Landlock")


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Lets the child do something; gives what came of it."""
    monkeypatch.setattr(sandbox, "_START", TAKEN_OVER)

    def do(code: str) -> str:
        (tmp_path / "a.txt").write_text(code, encoding="utf-8")
        return read_article(tmp_path / "a.txt").text

    return do


def test_a_taken_over_reader_is_what_these_tests_try(child) -> None:
    assert child("1 + 1") == "did 2"


@calls
@pytest.mark.parametrize(
    "code",
    [
        "socket.socket()",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socketpair()",
        "os.fork()",
        "subprocess.run(['/bin/true'])",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.kill(os.getppid(), 0)",
        "signal.pidfd_send_signal(0, 9)",
        "resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40))",
    ],
)
def test_no_network_and_no_other_process(child, code: str) -> None:
    assert child(code) in {"PermissionError", "ValueError"}


@calls
def test_a_name_of_the_network_is_not_looked_up(child) -> None:
    assert child("socket.getaddrinfo('localhost', 80)") == "gaierror"


@calls
def test_nothing_of_any_folder_is_changed(child, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("It fades.", encoding="utf-8")
    before = kept.stat().st_mode, kept.stat().st_mtime_ns
    place, new = str(kept), str(tmp_path / "new")
    for code in (
        f"open({place!r}, 'w')",
        f"open({place!r}, 'a')",
        f"open({new!r}, 'x')",
        f"os.truncate({place!r}, 0)",
        f"os.unlink({place!r})",
        f"os.rename({place!r}, {new!r})",
        f"os.chmod({place!r}, 0o777)",
        f"os.mkdir({new!r})",
        f"os.symlink({place!r}, {new!r})",
        f"os.link({place!r}, {new!r})",
        f"os.utime({place!r}, (1, 1))",
        f"os.mkfifo({new!r})",
        f"os.setxattr({place!r}, 'user.a', b'')",
    ):
        assert child(code) == "PermissionError", code
    assert kept.read_text(encoding="utf-8") == "It fades."
    assert (kept.stat().st_mode, kept.stat().st_mtime_ns) == before
    assert not Path(new).exists()


@files
def test_no_file_is_read_but_the_program_s_and_the_system_s(child, tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_text("I am pregnant", encoding="utf-8")
    for place in (
        str(tmp_path / "journal.sqlite3"),
        f"{ROOT}/corpus/clinic.toml",
        "/etc/passwd",
        f"/proc/{os.getpid()}/environ",
    ):
        assert child(f"open({place!r}).read()") == "PermissionError", place
    for folder in (str(tmp_path), "/", ROOT):
        assert child(f"os.listdir({folder!r})") == "PermissionError", folder
    assert child(f"len(open({sandbox.__file__!r}).read()) > 0") == "did True"


def test_limits_hold_for_the_child(child) -> None:
    assert child("bytes(3 * 10**9)") == "MemoryError"
    assert child("[os.dup(0) for _ in range(99)]") == "OSError"
    assert child("sorted(os.environ)") == "did ['LANG', 'OPENBLAS_NUM_THREADS', 'PATH', 'PYTHONHASHSEED']"
    assert child("os.getcwd()") == "did '/'"


def test_a_thread_of_its_own_and_an_end_of_its_own_are_left_to_it(child) -> None:
    assert child("threading.Thread(target=int).start()") == "did None"
    with pytest.raises(UnreadableFile, match="it made its reader stop"):
        child("os.abort()")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_child_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("It fades.", encoding="utf-8")
    endless = f"import sys; sys.path.insert(0, {ROOT!r}); from retrieval.reading import worker; import time; "
    endless += "worker.read_bytes = lambda *given: time.sleep(600); worker.main()"
    code = f"""if True:
        import sys, threading, time, os
        sys.path.insert(0, {ROOT!r})
        from pathlib import Path
        from retrieval.reading import read_article, sandbox
        sandbox._START = {endless!r}
        real = sandbox.subprocess.Popen
        class Told(real):
            def __init__(self, *given, **named):
                super().__init__(*given, **named)
                print(self.pid, flush=True)
        sandbox.subprocess.Popen = Told
        read_article(Path({str(tmp_path / "a.txt")!r}))
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = Path(f"/proc/{int(parent.stdout.readline())}/status")
        while "NoNewPrivs:\t1" not in child.read_text(encoding="ascii"):  # it is confined by then
            time.sleep(0.02)
        parent.kill()
        parent.wait()
    until = time.monotonic() + 30
    while child.exists() and "State:\tZ" not in child.read_text(encoding="ascii") and time.monotonic() < until:
        time.sleep(0.02)
    assert not child.exists() or "State:\tZ" in child.read_text(encoding="ascii")
