"""Starting the app: it says where the chat is, or what to do; it never shows a traceback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from retrieval.release import current_id

ROOT = Path(__file__).resolve().parent.parent


def _environment(**settings: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("PATIENT_FAQ_") or name.endswith("_MODELS")
    }
    return {**kept, **{f"PATIENT_FAQ_{name}": value for name, value in settings.items()}}


def _run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "app.py", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=_environment(**settings), capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_the_settings_with_an_example(flag: str) -> None:
    done = _run(flag)
    assert (done.returncode, done.stderr) == (0, "")
    for said in ("PATIENT_FAQ_PORT=8000 python app.py", "trust_proxy", "frame_ancestors", "hosts"):
        assert said in done.stdout


def test_an_argument_it_does_not_know_is_wrong_use() -> None:
    done = _run("--port", "8000")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "patient-faq: '--port' means nothing here; settings come from the environment. Try --help.\n"


def test_a_port_in_use_is_said_before_anything_is_loaded() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run(PORT=str(port), INDEX="/nowhere")
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be used" in done.stderr
    assert "PATIENT_FAQ_PORT=7870" in done.stderr
    assert "Starting" not in done.stdout


def test_an_address_that_is_not_this_machine_s_is_said() -> None:
    done = _run(HOST="192.0.2.1", PORT=str(_free_port()))
    assert done.returncode == 2
    assert "192.0.2.1" in done.stderr


def test_no_release_is_said_with_the_command_that_makes_one(tmp_path: Path) -> None:
    done = _run(PORT=str(_free_port()), INDEX=str(tmp_path / "index"))
    assert done.returncode == 2
    assert f"{tmp_path / 'index'}: no release has been built there." in done.stderr
    assert "patient-faq build" in done.stderr
    assert "The chat is at" not in done.stdout


@pytest.mark.parametrize(("name", "value"), [("PORT", "eighty"), ("TRUST_PROXY", "yes"), ("COLOUR", "red")])
def test_a_setting_that_does_not_fit_is_named(name: str, value: str) -> None:
    done = _run(**{name: value})
    assert done.returncode == 2
    assert f"PATIENT_FAQ_{name}" in done.stderr


def test_a_damaged_release_is_not_served(corpus: Path, real_corpus_index: Path) -> None:
    words = real_corpus_index / "releases" / current_id(real_corpus_index)[0] / "articles.jsonl"
    words.write_text(words.read_text().replace("five sessions", "nine sessions"))
    done = _run(PORT=str(_free_port()), INDEX=str(real_corpus_index), CORPUS=str(corpus))
    assert done.returncode == 2
    assert "altered since it was built" in done.stderr


def test_it_says_where_the_chat_is_and_stops_when_told_with_a_page_open(corpus: Path, real_corpus_index: Path) -> None:
    shutil.rmtree(corpus / "articles")  # the release is all it needs
    port = _free_port()
    environment = _environment(PORT=str(port), INDEX=str(real_corpus_index), CORPUS=str(corpus), RATE="2")
    with subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as app:
        try:
            assert app.stdout is not None
            assert [app.stdout.readline() for _ in range(2)] == [
                "Starting the chat ...\n",
                f"The chat is at http://127.0.0.1:{port} (stop it with Ctrl-C)\n",
            ]
            address = f"http://127.0.0.1:{port}"
            page = httpx.get(address, trust_env=False, timeout=20)
            assert "Test Clinic" in page.text
            assert "server" not in page.headers
            body = {"data": ["", []], "fn_index": 0, "session_hash": "s"}
            codes = [
                httpx.post(
                    f"{address}/gradio_api/queue/join", json=body, headers={"x-forwarded-for": f"192.0.2.{n}"}, trust_env=False
                ).status_code
                for n in range(3)
            ]
            assert codes == [200, 200, 429]  # an address that is only claimed does not count
            with httpx.stream("GET", f"{address}/gradio_api/heartbeat/open", trust_env=False, timeout=20) as beating:
                assert beating.status_code == 200
                app.send_signal(signal.SIGINT)
                _, complaints = app.communicate(timeout=20)
        finally:
            app.kill()
    assert "Traceback" not in complaints
    assert app.returncode in {0, -signal.SIGINT}
