"""Figures for Prometheus: counted without a word of what was asked, read on this machine alone, and off unless asked for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from retrieval.assistant import Assistant
from retrieval.clinic import load_clinic
from retrieval.encoder import Encoder
from retrieval.errors import SettingsError
from retrieval.rules import Rules
from web.metrics import Metrics

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "zebra fountain"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _read(port: int) -> tuple[str, dict[tuple[str, ...], float]]:
    """The text, and each sample by its name and the values of its labels."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return text, {(sample.name, *sample.labels.values()): sample.value for sample in samples}


@pytest.fixture
def own(small_corpus: Path, small_index: Path, real_encoder: Encoder) -> Assistant:
    """An assistant that nobody else asks."""
    return Assistant(small_index, real_encoder, Rules.floor(), load_clinic(small_corpus))


@pytest.fixture
def counted(own: Assistant) -> tuple[Assistant, Metrics, int]:
    metrics = Metrics()
    metrics.watch(own)
    port = _free_port()
    metrics.serve(port)
    return own, metrics, port


def test_questions_are_counted_by_route_and_card_and_timed_by_stage(counted: tuple[Assistant, Metrics, int]) -> None:
    assistant, _, port = counted
    assistant.ask("How long does redness last?")
    assistant.ask(f"My face is swelling and I can't breathe, {SECRET}")
    assistant.ask(f"My e-mail is {SECRET.replace(' ', '.')}@example.com, how long does redness last?")
    text, found = _read(port)
    assert found["patient_faq_questions_total", "answer"] == 1
    assert found["patient_faq_questions_total", "urgent"] == 1
    assert found["patient_faq_cards_total", "urgent"] == 1
    assert found["patient_faq_cards_total", "private_data"] == 1
    assert found["patient_faq_question_seconds_count",] == 3
    assert found["patient_faq_stage_seconds_count", "rules"] == 3
    assert found["patient_faq_stage_seconds_count", "search"] == 1
    assert "zebra" not in text
    assert "redness" not in text.lower()


def test_the_release_in_force_and_what_was_withheld_from_it_are_told(counted: tuple[Assistant, Metrics, int]) -> None:
    assistant, _, port = counted
    release = assistant.release()
    release.withheld += 2
    _, found = _read(port)
    assert found["patient_faq_release_in_force", release.id] == 1
    assert found["patient_faq_quotes_withheld_total", release.id] == 2
    assert found["patient_faq_problems",] == 0


def test_refused_requests_are_counted_by_reason_without_an_address(counted: tuple[Assistant, Metrics, int]) -> None:
    _, metrics, port = counted
    metrics.refused("rate")
    metrics.refused("path")
    metrics.refused("path")
    text, found = _read(port)
    assert found["patient_faq_refused_total", "path"] == 2
    assert found["patient_faq_refused_total", "rate"] == 1
    assert "127.0.0.1" not in text


def test_without_a_release_the_figures_can_still_be_read(broken_assistant: Assistant) -> None:
    metrics = Metrics()
    metrics.watch(broken_assistant)
    port = _free_port()
    metrics.serve(port)
    _, found = _read(port)
    assert found["patient_faq_problems",] == 1
    assert not any(key[0] == "patient_faq_release_in_force" for key in found)


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match="PATIENT_FAQ_METRICS_PORT"):
            Metrics().serve(taken.getsockname()[1])


def _environment(**settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name == "PATIENT_FAQ_MODELS" or "PATIENT_FAQ" not in name}
    return {**kept, **{f"PATIENT_FAQ_{name}": value for name, value in settings.items()}}


# Starts the app as app.py does, with prometheus_client out of reach.
WITHOUT = "import sys; sys.modules['prometheus_client'] = None; import app; sys.argv = ['app.py']; sys.exit(app.main())"


def test_without_the_package_it_is_said_how_to_get_it() -> None:
    code = WITHOUT.replace("= None;", "= None; import importlib.util as u; find = u.find_spec; "
                           "u.find_spec = lambda name: None if name == 'prometheus_client' else find(name);")  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env=_environment(PORT=str(_free_port()), METRICS_PORT=str(_free_port())),
    )  # fmt: skip
    assert done.returncode == 2
    assert "PATIENT_FAQ_METRICS_PORT" in done.stderr
    assert "pip install 'patient-faq[metrics]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("metrics", [False, True])
def test_the_running_app_tells_figures_to_this_machine_if_at_all(small_index: Path, metrics: bool) -> None:
    port, figures = _free_port(), _free_port()
    settings = {"PORT": str(port), "INDEX": str(small_index), "HOST": "0.0.0.0"}
    command = [sys.executable, "app.py"] if metrics else [sys.executable, "-c", WITHOUT]
    if metrics:
        settings["METRICS_PORT"] = str(figures)
    with subprocess.Popen(command, cwd=ROOT, env=_environment(**settings), stdout=subprocess.PIPE, text=True) as app:
        try:
            assert app.stdout is not None
            assert ["Starting" in app.stdout.readline(), "The chat is at" in app.stdout.readline()] == [True, True]
            public = f"http://127.0.0.1:{port}"
            assert httpx.get(f"{public}/admin", trust_env=False).status_code == 404
            assert httpx.get(f"{public}/metrics", trust_env=False).status_code == 404
            if not metrics:
                with pytest.raises(httpx.ConnectError):
                    _read(figures)
                return
            assert _read(figures)[1]["patient_faq_refused_total", "path"] == 2
            assert _listening(figures) == {"0100007F"}  # 127.0.0.1, as the kernel writes it
            assert _listening(port) == {"00000000"}
        finally:
            app.terminate()
            app.wait(20)


def _listening(port: int) -> set[str]:
    """The addresses at which a port is listened on, as in /proc/net/tcp."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("this system does not tell who listens where (/proc/net/tcp)")
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    places = [row[1].split(":") for row in rows if row[3] == "0A"]
    return {address for address, at in places if int(at, 16) == port}
