"""What the tests of the screens share: a small clinic, an assistant over it, and its site on a port of this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
import uvicorn
from reportlab.pdfgen.canvas import Canvas

from retrieval.assistant import Assistant
from retrieval.build import build
from retrieval.clinic import load_clinic
from retrieval.encoder import Encoder
from retrieval.rules import Rules
from retrieval.settings import Settings
from retrieval.types import Citation, Clinic, Quote


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "articles").mkdir()
    (folder / "articles" / "redness & <care>.md").write_text(
        '+++\ntitle = "Redness & <care>"\nbased_on = "A leaflet (v. 2)"\nreviewed_by = "Dr A. Tan"\nreviewed_on = 2026-05-03\n'
        'topics = ["redness", "swelling"]\n+++\n\n'
        "# Redness & <care>\n\n## How long does redness last?\n\nRedness lasts for two days. It *fades* by itself.\n\n"
        "## What helps with swelling?\n\nThese help with swelling:\n\n- cool packs\n- rest, and a raised pillow\n",
        encoding="utf-8",
    )
    (folder / "articles" / "sessions.txt").write_text(
        "Sessions\n\nHow many sessions do tattoos need?\n\nMost tattoos need nine sessions.\n", encoding="utf-8"
    )
    canvas = Canvas(str(folder / "articles" / "hand & <wrist>.pdf"))
    for text in ("Wash your hands before the visit.", "Then dry your hands with a clean towel."):
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    (folder / "clinic.toml").write_text(
        'name = "Clinic *of* <Skin>"\nphone = "+1 555 0100"\nemail = "hi@clinic.example"\n'
        'booking_url = "https://clinic.example/book?a=1&b=2"\nemergency_number = "112"\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="session")
def small_index(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory, real_encoder: Encoder) -> Path:
    """A release of it. A test that damages it, or builds on, does so in a copy: the model takes seconds for a new one."""
    index = tmp_path_factory.mktemp("index")
    build(small_corpus, index, real_encoder)
    return index


@pytest.fixture
def small_index_copy(small_index: Path, tmp_path: Path) -> Path:
    return shutil.copytree(small_index, tmp_path / "index")


@pytest.fixture(scope="session")
def assistant(small_corpus: Path, small_index: Path, real_encoder: Encoder) -> Assistant:
    return Assistant(small_index, real_encoder, Rules.floor(), load_clinic(small_corpus))


@pytest.fixture(scope="session")
def keeping(
    small_corpus: Path, small_index: Path, tmp_path_factory: pytest.TempPathFactory, real_encoder: Encoder
) -> Assistant:
    """An assistant whose clinic keeps a journal."""
    folder = tmp_path_factory.mktemp("keeping")
    shutil.copytree(small_corpus, folder / "corpus")
    shutil.copytree(small_index, folder / "index")
    with (folder / "corpus" / "clinic.toml").open("a", encoding="utf-8") as settings:
        settings.write("journal = true\njournal_days = 30\n")
    build(folder / "corpus", folder / "index", real_encoder)
    return Assistant(folder / "index", real_encoder, Rules.floor(), load_clinic(folder / "corpus"))


@pytest.fixture
def broken_assistant(tmp_path: Path, small_corpus: Path, real_encoder: Encoder) -> Assistant:
    """An assistant whose index went away: nothing can be looked up."""
    return Assistant(tmp_path / "gone", real_encoder, Rules.floor(), load_clinic(small_corpus))


@pytest.fixture(scope="session")
def clinic(assistant: Assistant) -> Clinic:
    return assistant.clinic()


@pytest.fixture(scope="session")
def bare_clinic(clinic: Clinic) -> Clinic:
    """A clinic that told nothing but its name."""
    return dataclasses.replace(clinic, phone="", email="", booking_url="", emergency_number="", placeholder=True)


@pytest.fixture
def quote() -> Quote:
    cited = Citation(
        doc="a b&c.md", title="On <lasers>", section="Does it *hurt*?", page=3, start=12, end=20, digest="0" * 64,
        reviewed_on=date(2026, 5, 3), reviewed_by="Dr A. Tan",
    )  # fmt: skip
    return Quote('It\'s 5 < 6 & "fine"\nor not_so_fine', cited, 0.7)


@pytest.fixture(scope="session")
def serve() -> Callable[..., contextlib.AbstractContextManager[httpx.Client]]:
    """Serve an assistant on a free port for as long as a block runs; hands out a client for it."""
    from web.server import create_app

    @contextlib.contextmanager
    def start(assistant: Assistant, **settings: object) -> Iterator[httpx.Client]:
        app = create_app(assistant, Settings(**{"rate": 10_000, **settings}))
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            config = uvicorn.Config(app, log_level="critical", ws="none", proxy_headers=False, timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            deadline = time.monotonic() + 30
            while not server.started:
                assert thread.is_alive(), "the server ended before it began"
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.02)
            # trust_env: a proxy of this machine must not stand between.
            with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=20, trust_env=False) as client:
                try:
                    yield client
                finally:
                    server.should_exit = True
                    thread.join(20)

    return start


@pytest.fixture(scope="session")
def site(serve: Callable[..., contextlib.AbstractContextManager[httpx.Client]], assistant: Assistant) -> Iterator[httpx.Client]:
    with serve(assistant) as client:
        yield client
