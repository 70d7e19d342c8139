"""What many tests share: a readable model, small corpora, the real model, and the places that may be absent."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from support import BROWSER, FLAGS, PATIENCE, ROOT, SHARED, Pages, Postgres, WordEncoder, read_here, why_no_browser

from retrieval.build import build
from retrieval.encoder import Encoder, open_encoder
from retrieval.settings import Settings

# These take longest: they begin first, so that no process is left with one of them while the others have nothing to do. The
# second to fourth do not need the project's index, which is being built for the first meanwhile.
LONGEST = (
    "test_embed.py", "test_staff_publishing.py", "test_staff_browser.py", "test_staff_gaps_browser.py", "test_browser.py",
    "test_command.py", "test_attacks.py", "test_hostile.py", "test_comparing.py", "test_cutting.py",
    "test_server.py", "test_cli.py", "test_build.py", "test_fuzz.py", "test_encoder.py", "test_publishing.py",
    "test_assistant.py", "test_offline.py", "test_faults.py", "test_load.py", "test_app.py", "test_recording.py",
    "test_staff_past.py", "test_staff_cli.py", "test_sandbox.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture
def words() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def quick_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read articles in this process, not each in one of its own."""
    monkeypatch.setattr("retrieval.reading.read_sandboxed", read_here)


@pytest.fixture(scope="session")
def real_encoder() -> Encoder:
    """The default model as it is served; exported once where that was not done yet."""
    return open_encoder(Settings.from_environment())


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three small articles in three formats."""
    return _three_articles(tmp_path / "corpus")


@pytest.fixture
def corpus_index(built_corpus: Path, tmp_path: Path) -> Path:
    """A release of them by the readable model, as `build` makes it. It was built once for all tests; this is a copy."""
    return shutil.copytree(built_corpus, tmp_path / "index")


@pytest.fixture(scope="session")
def built_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(_three_articles(folder / "corpus"), folder / "index", WordEncoder())
    return folder / "index"


@pytest.fixture
def real_corpus_index(real_built_corpus: Path, tmp_path: Path) -> Path:
    """A release of them by the real model, likewise built once and copied."""
    return shutil.copytree(real_built_corpus, tmp_path / "index")


@pytest.fixture(scope="session")
def real_built_corpus(tmp_path_factory: pytest.TempPathFactory, real_encoder: Encoder) -> Path:
    folder = tmp_path_factory.mktemp("really-built")
    build(_three_articles(folder / "corpus"), folder / "index", real_encoder)
    return folder / "index"


def _three_articles(folder: Path) -> Path:
    (folder / "articles").mkdir(parents=True)
    (folder / "articles" / "redness.md").write_text(
        "# Redness\n\n## How long are you red?\n\nRedness fades in two days. Cool packs help.\n\n"
        "## What about swelling?\n\nSwelling is rare. It goes by itself.\n",
        encoding="utf-8",
    )
    (folder / "articles" / "sessions.txt").write_text(
        "Sessions\n\nHow many sessions are needed?\n\nMost people need five sessions. Tattoos need nine sessions.\n",
        encoding="utf-8",
    )
    (folder / "articles" / "sun.html").write_text(
        "<h1>Sun</h1><h2>Can you go in the sun?</h2><p>Stay out of the sun for a month. Wear a hat.</p>", encoding="utf-8"
    )
    (folder / "clinic.toml").write_text('name = "Test Clinic"\nphone = "+1 555 0100"\n', encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def project_index(tmp_path_factory: pytest.TempPathFactory, real_encoder: Encoder) -> Path:
    """A release of the project's own corpus, built by the command once for all workers. Copy it to write to it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "project-index"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "current").exists():
            command = [sys.executable, "-W", "error", "-m", "retrieval", "build", "--corpus", "corpus", "--index", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
            assert done.returncode == 0, done.stderr
            assert "5 articles" in done.stdout
    return folder


@pytest.fixture(scope="module")
def own_index(project_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it that the tests of a module may write to."""
    folder = tmp_path_factory.mktemp("own") / "index"
    shutil.copytree(project_index, folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser. One a module: while it runs, no other loop of events can run in its thread."""
    if reason := why_no_browser():
        pytest.skip(reason)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS.split())
        yield started
        started.close()


@pytest.fixture(scope="module")
def contexts(browser: Browser) -> dict[str, BrowserContext]:
    return {}


@pytest.fixture
def pages(browser: Browser, contexts: dict[str, BrowserContext]) -> Iterator[Pages]:
    """Opens pages, and knows what they asked for and complained of."""
    pages = Pages(browser, contexts)
    yield pages
    pages.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server of PostgreSQL, for as long as the tests run."""
    try:
        server = Postgres()
    except FileNotFoundError as problem:
        pytest.skip(str(problem))
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a journal may be kept: a file that is not there yet, or the address of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "journal.sqlite3")
    server: Postgres = request.getfixturevalue("postgres")
    return server.fresh()


@pytest.fixture(scope="session")
def sources() -> Path:
    """The five source articles, which lie beside the project where it is developed."""
    folder = SHARED / "sources"
    if not folder.is_dir():
        pytest.skip("the source articles are not on this machine (../shared/sources)")
    return folder


@pytest.fixture(scope="session")
def project() -> Path:
    return ROOT
