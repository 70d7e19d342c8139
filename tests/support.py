"""What tests import: the places of the project and a model that anyone can work out by hand."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Frame, Page, Request

from retrieval.encoder import Question, Vectors
from retrieval.reading.draft import Reading
from retrieval.reading.formats import read_bytes
from retrieval.reading.structure import sections_of, sentences_of

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Chromium makes two hidden pages for its own address bar beside each page: opening one costs a third without them. Of this flag
# the last one counts, so what Playwright turns off with it is named again.
_WITHOUT = (
    "AimEnabled,AvoidCorsURLLoaderRestartOnRedirect,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,"
    "HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,LensOverlay,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,"
    "PaintHolding,PreconnectToSearch,TcpPortRandomizationWin,ThirdPartyStoragePartitioning,"
    "WebUIOmniboxAimPopup,WebUIOmniboxPopup"
)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    f"--disable-sync --disable-features={_WITHOUT}"
)

PATIENCE = 20_000
"""Milliseconds that a browser may take for what comes at once on a machine that has nothing else to do."""


class WordEncoder:
    """A model that anyone can work out by hand: a text's vector counts its words, each in the place its CRC names."""

    name = "words@1"
    dimension = 256
    max_tokens = 60

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded.extend(texts)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, zlib.crc32(word.encode()) % self.dimension] += 1
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)

    def encode_questions(self, texts: Sequence[str]) -> list[Question]:
        found = []
        for text, vector in zip(texts, self.encode(texts), strict=True):
            rows = [WordEncoder._one(word) for word in re.findall(r"\w+", text.lower())]
            tokens = np.array(rows, dtype=np.float32).reshape(-1, self.dimension)
            found.append(Question(text, vector, tokens, vector, 0.0))
        return found

    @staticmethod
    def _one(word: str) -> Vectors:
        row = np.zeros(WordEncoder.dimension, dtype=np.float32)
        row[zlib.crc32(word.encode()) % WordEncoder.dimension] = 1
        return row

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+", text)) for text in texts]

    def known_words(self) -> frozenset[str]:
        return frozenset()


def why_no_browser() -> str:
    """Why nothing can be tested in a real browser here; empty where it can."""
    if BROWSER is None:
        return "NO BROWSER ON THIS MACHINE (chromium, chromium-browser or google-chrome): what people see is NOT tested"
    try:
        subprocess.run([compute_driver_executable()[0], "--version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "THE BROWSER'S DRIVER DOES NOT START (Debian: apt-get install libatomic1): what people see is NOT tested"
    return ""


def read_here(path: Path, data: bytes) -> Reading:
    """Read a file in this process: one for each file takes most of the time of a test of what is done with articles."""
    reading = read_bytes(path, data)
    _, belongs = sections_of(reading.text, reading.blocks, reading.title)
    return replace(reading, sentences=sentences_of(reading.text, reading.blocks, belongs))


class Pages:
    """The pages that a test opens, and what they ask for and complain of.

    `hosts` are all that were asked for anything; `problems` the errors of scripts; `complaints` the errors on the console, each
    with its address. Pages of one width, height and other options share a context with those of earlier tests, as if the same
    person came again: what was loaded once is not loaded and compiled anew for each.
    """

    def __init__(self, browser: Browser, contexts: dict[str, BrowserContext]) -> None:
        self._browser = browser
        self._contexts = contexts
        self._heard: list[BrowserContext] = []
        self._asked: list[str] = []
        self.problems: list[str] = []
        self.complaints: list[tuple[str, str]] = []

    def open(self, address: str, width: int = 1280, height: int = 900, **options: Any) -> Page:
        """Open an address in a screen of this size."""
        options["viewport"] = {"width": width, "height": height}
        key = repr(sorted(options.items()))
        if key not in self._contexts:
            self._contexts[key] = self._browser.new_context(**options)
            self._contexts[key].set_default_timeout(PATIENCE)
        context = self._contexts[key]
        if context not in self._heard:
            self._heard.append(context)
            context.on("request", self._ask)
            context.on("page", self._listen)
        page = context.new_page()
        page.goto(address)
        return page

    def close(self) -> None:
        """Close all pages, and listen no more."""
        for context in self._heard:
            for page in context.pages:
                page.close()
            context.remove_listener("request", self._ask)
            context.remove_listener("page", self._listen)
        self._heard.clear()

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(url).netloc for url in self._asked if urlsplit(url).scheme not in {"data", "blob"}}

    def _ask(self, request: Request) -> None:
        self._asked.append(request.url)

    def _listen(self, page: Page) -> None:
        page.on("websocket", lambda opened: self._asked.append(opened.url))
        page.on("pageerror", lambda problem: self.problems.append(str(problem)))
        page.on("console", self._hear)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append((said.text, said.location["url"]))


def overflow(page: Page | Frame) -> int:
    """How many pixels of a page stand out over its side."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def barriers(page: Page | Frame, **options: Any) -> list[tuple[str, list[str]]]:
    """What keeps people with disabilities from using a page, as far as axe finds it: the rules broken, and where."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    rules = {"runOnly": {"type": "tag", "values": tags}, **options}
    found = Axe().run(page, options=rules).response  # type: ignore[arg-type]  # a frame can be asked the same
    assert len(found["passes"]) > 5
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]]


_FOLLOWED = (
    "dark => matchMedia('(prefers-color-scheme: dark)').matches === dark "
    "&& (!window.gradio_config || document.body.classList.contains('dark') === dark) "
    "&& document.getAnimations().every(each => each.playState !== 'running' || each.effect.getComputedTiming().endTime > 1e9)"
)


def in_light_and_dark(page: Page, shown: Page | Frame | None = None) -> Iterator[str]:
    """Show a page in light and then in dark, each time until all on it, or in a frame of it, has followed.

    Gradio follows by a script, and colours may pass into one another.
    """
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        (shown or page).wait_for_function(_FOLLOWED, arg=scheme == "dark")
        yield scheme


class Postgres:
    """A PostgreSQL server of Debian's packages, in a folder of its own, on a socket there, with a password."""

    password = "horse-battery"
    no_server = "NO POSTGRESQL ON THIS MACHINE (Debian: apt-get install postgresql): the journal in a database is NOT tested"

    def __init__(self) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not programs:
            raise FileNotFoundError(self.no_server)
        self._programs = programs[-1].parent
        # It refuses to run as root, and the folders of tests are closed to others.
        self._user: dict[str, object] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        if os.geteuid() == 0:
            user = next((name for name in ("postgres", "nobody") if self._there_is(name)), "")
            if not user:
                raise FileNotFoundError("NO USER TO RUN POSTGRESQL AS: the journal in a database is NOT tested")
            self._user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
            os.chown(self.folder, pwd.getpwnam(user).pw_uid, -1)
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        self._server: subprocess.Popen[bytes] | None = None
        self._run(
            "initdb", "-D", self._data, "-U", "faq", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync", "-E", "UTF8"
        )
        self.start()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    @staticmethod
    def _there_is(user: str) -> bool:
        try:
            return bool(pwd.getpwnam(user))
        except KeyError:
            return False

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, **self._user)  # type: ignore[call-overload]
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start, and wait until it answers."""
        told = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "fsync": "off", "max_connections": "60"}
        settings = [part for name, value in told.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", self._data, *settings],
                stdout=log, stderr=log, cwd=self.folder, **self._user,  # type: ignore[call-overload]
            )  # fmt: skip
        import psycopg

        deadline = time.monotonic() + 60
        while True:
            assert self._server.poll() is None, (self.folder / "log").read_text()
            try:
                psycopg.connect(self._address("postgres")).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it at once, whoever is connected."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(60)
            self._server = None

    def remove(self) -> None:
        """Stop it and remove all it wrote."""
        self.stop(signal.SIGQUIT)  # without writing down what nobody will read
        shutil.rmtree(self.folder)

    def fresh(self) -> str:
        """The address of the database, emptied of whatever was in it."""
        import psycopg

        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self._address("postgres")

    def _address(self, database: str) -> str:
        return f"postgresql://faq:{self.password}@/{database}?host={self.folder}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_app(log: Path, port: int, **settings: str | Path) -> Iterator[str]:
    """The app as staff start it, for as long as a block runs; hands out its address. It must not have complained."""
    settings = {"rate": "10000", "port": str(port), **settings}
    told = {f"PATIENT_FAQ_{name.upper()}": str(value) for name, value in settings.items()}
    with log.open("w") as complaints, subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **told}, stdout=subprocess.PIPE, stderr=complaints, text=True
    ) as app:  # fmt: skip
        try:
            assert app.stdout is not None
            said = ""
            while "The chat is at" not in said:
                line = app.stdout.readline()
                assert line, f"the app ended: {said} {log.read_text()}"
                said += line
            yield f"http://127.0.0.1:{port}"
        finally:
            app.terminate()
            app.wait(20)
    assert log.read_text() == "", "the app complained"
