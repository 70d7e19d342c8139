"""The command patient-faq-staff: accounts, and starting the screen; it never shows a traceback."""

from __future__ import annotations

import io
import os
import pty
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from staffing import PASSWORD, cheap

from web.staff.command import main

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command in this process; returns its status, what it said and what it complained of."""
    monkeypatch.setattr("web.staff.accounts.Passwords", cheap)
    monkeypatch.setenv("PATIENT_FAQ_STAFF_ACCOUNTS", str(tmp_path / "staff.json"))

    def go(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["patient-faq-staff", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out, said.err

    return go


def test_accounts_are_made_listed_changed_and_taken_away(run) -> None:
    assert run("accounts")[1].startswith("Nobody has an account.")
    made = run("accounts", "add", "Dr. Aisha Tan", "--role", "publisher", "--password-stdin", typed=PASSWORD + "\n")
    assert made == (0, "Dr. Aisha Tan may sign in now, as publisher.\n", "")
    assert run("accounts", "add", "Ben Ong", "--role", "editor", "--password-stdin", typed=PASSWORD)[0] == 0
    lines = run("accounts")[1].splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == ["Ben Ong", "Dr. Aisha Tan"]
    assert run("accounts", "role", "ben ong", "publisher")[0] == 0
    assert "Ben Ong        publisher" in run("accounts")[1]
    assert run("accounts", "password", "Ben Ong", "--password-stdin", typed="another green window 3\n")[0] == 0
    assert run("accounts", "remove", "Ben Ong")[0] == 0
    assert "Ben Ong" not in run("accounts")[1]


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (["accounts", "add", "Ben Ong", "--role", "editor", "--password-stdin"], "tooshort7\n", "shorter than 12"),
        (["accounts", "add", "Ben Ong", "--role", "editor", "--password-stdin"], "", "shorter than 12"),
        (["accounts", "add", "Ben Ong", "--role", "editor", "--password-stdin"], "ben ong 2026!\n", "is the name"),
        (["accounts", "add", "Ben\nOng", "--role", "editor", "--password-stdin"], PASSWORD, "cannot be a name"),
        (["accounts", "add", "Ben Ong", "--role", "owner", "--password-stdin"], PASSWORD, "editor, publisher"),
        (["accounts", "add", "Ben Ong", "--role", "editor"], PASSWORD, "--password-stdin"),
        (["accounts", "remove", "Ben Ong"], "", "no such account"),
        (["accounts", "role", "Ben Ong", "editor"], "", "no such account"),
        (["accounts", "password", "Ben Ong", "--password-stdin"], PASSWORD, "no such account"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_with_what_to_do(run, tmp_path: Path, arguments: list[str], typed: str, said: str) -> None:
    status, out, complaint = run(*arguments, typed=typed)
    assert (status, out) == (2, "")
    assert complaint.startswith("patient-faq-staff: ")
    assert said in complaint
    assert typed.strip() == "" or typed.strip() not in complaint
    assert not (tmp_path / "staff.json").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["accounts", "--help"], *([["accounts", name, "--help"] for name in
                         ("add", "password", "role", "remove")])])  # fmt: skip
def test_help_has_an_example(run, arguments: list[str]) -> None:
    status, out, _ = run(*arguments)
    assert status == 0
    assert "Example: " in out


def test_wrong_use_is_said(run) -> None:
    for arguments in (["serve"], ["accounts", "list"], ["accounts", "add"], ["accounts", "add", "Ben Ong"], ["--port", "8"]):
        assert run(*arguments)[0] == 2


def test_a_damaged_file_of_accounts_stops_the_start_with_a_message(run, tmp_path: Path) -> None:
    (tmp_path / "staff.json").write_text("{")
    (tmp_path / "staff.json").chmod(0o600)
    for arguments in ([], ["accounts"]):
        status, _, complaint = run(*arguments)
        assert status == 2
        assert "is not a file of accounts" in complaint


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    def ask(*answers: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "web.staff", "accounts", "add", "Ben Ong", "--role", "editor"]
        environment = {**os.environ, "PATIENT_FAQ_STAFF_ACCOUNTS": str(tmp_path / "staff.json")}
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(ROOT)
            os.execve(sys.executable, command, environment)
        came, left = "", list(answers)
        while True:
            ready, _, _ = select.select([terminal], [], [], 60)
            assert ready, came
            try:
                part = os.read(terminal, 4096).decode()
            except OSError:  # the other end is closed
                break
            came += part
            if left and came.endswith(": "):
                os.write(terminal, left.pop(0).encode() + b"\n")
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), came

    status, said = ask(PASSWORD, "something else 99", PASSWORD, PASSWORD)
    assert status == 0, said
    assert "may sign in now" in said
    assert said.count("Password:") == 2  # the two did not agree at first
    assert PASSWORD not in said


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM], ids=["by Ctrl-C", "by what runs services"])
def test_it_says_where_it_is_listens_here_alone_and_stops_when_told(tmp_path: Path, told: signal.Signals) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        "PATIENT_FAQ_STAFF_PORT": str(port),
        "PATIENT_FAQ_STAFF_ACCOUNTS": str(tmp_path / "staff.json"),
        "TMPDIR": str(tmp_path),
    }
    environment = {**os.environ, **own, "PATIENT_FAQ_CORPUS": str(ROOT / "corpus")}
    command = [sys.executable, "-m", "web.staff"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as staff:  # fmt: skip
        try:
            assert staff.stdout is not None
            assert staff.stdout.readline() == "Starting the staff screen ...\n"
            assert staff.stdout.readline() == f"The staff screen is at http://127.0.0.1:{port} (stop it with Ctrl-C)\n"
            page = httpx.get(f"http://127.0.0.1:{port}/login", trust_env=False, timeout=20)
            assert page.status_code == 200
            assert "server" not in page.headers
            taken = subprocess.run(
                [sys.executable, "-m", "web.staff"],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert taken.returncode == 2
            assert "Is the staff screen already running?" in taken.stderr
            staff.send_signal(told)
            _, complaints = staff.communicate(timeout=20)
        finally:
            staff.kill()
    assert staff.returncode in {0, 130}  # whoever starts it in the background may have Ctrl-C ignored
    assert "Traceback" not in complaints
    assert "nobody has an account yet" in complaints
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("patient-faq-staff-")] == []
