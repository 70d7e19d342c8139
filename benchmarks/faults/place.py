"""What the faults are done to: a tiny corpus with a history, the staff's operations on it, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from support import WordEncoder

import retrieval.build
import retrieval.encoder
import retrieval.keeping.desk
import retrieval.reading
from retrieval import history
from retrieval.classifier import SHIPPED, Classifier
from retrieval.cli import main as patient_faq
from retrieval.in_force import history_faults
from retrieval.keeping.library import Library
from retrieval.keeping.publishing import Judgement, prepare, publish
from retrieval.reading.draft import Reading
from retrieval.reading.formats import read_bytes
from retrieval.reading.structure import sections_of, sentences_of
from retrieval.release import open_current
from retrieval.rules import Rules
from retrieval.settings import Settings

__all__ = ["OPERATIONS", "Caught", "Outcome", "State", "World", "simplified", "told"]

OPERATIONS = ("publish", "rollback", "withdraw")
WITHDRAWN = "sun.html"
_LEFTOVERS = (".unfinished-*", ".building-*")

_ARTICLES = {
    "redness.md": "# Redness\n\n## How long are you red?\n\nRedness fades in two days. Cool packs help.\n\n"
    "## What about swelling?\n\nSwelling is rare. It goes by itself.\n",
    "sessions.txt": "Sessions\n\nHow many sessions are needed?\n\n"
    "Most people need five sessions. Tattoos need nine sessions.\n",
    "sun.html": "<h1>Sun</h1><h2>Can you go in the sun?</h2><p>Stay out of the sun for a month. Wear a hat.</p>",
}
_BESIDE = {
    "clinic.toml": 'name = "Test Clinic"\nphone = "+1 555 0100"\n',
    "glossary.txt": "redness: flushing, red face\n",
    "questions/redness.md.txt": "> Redness fades in two days.\nwhen is the red gone\nhow long does my face stay flushed\n",
    "routing/messages.txt": "# general\na: when does the swelling go\n",
}


@dataclass(frozen=True, slots=True)
class State:
    """What patients are served, and which files the corpus has, by their digests; `problem` is why nothing can be served."""

    release: str
    articles: tuple[tuple[str, str], ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def served(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What patients are served."""
        return self.release, self.articles


class World:
    """A folder with a corpus and an index, copied anew from a first one as often as is wanted.

    The history has two releases, an article waits to be published, another is being worked on while patients read its version
    before, and there is a draft that no release knows. `clinic` is what clinic.toml says further; with
    `router`, releases hold the trained router, by which nothing can be answered here, since it is for another model.
    """

    def __init__(self, folder: Path, clinic: str = "", router: bool = True) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.first, self.now = folder / "first", folder / "now"
        self.corpus, self.index = self.now / "corpus", self.now / "index"
        self.settings = Settings(corpus=self.corpus, index=self.index, journal=str(self.now / "journal.sqlite3"))
        self.here()
        self.encoder = WordEncoder()
        if router:
            self.encoder.name = Classifier.load(SHIPPED).model  # releases get it where the model has this name
        self._begin(clinic)
        self.oldest = history.entries(self.index)[0].release

    def _begin(self, clinic: str) -> None:
        articles = self.corpus / "articles"
        for path, text in [*_BESIDE.items(), *((f"articles/{name}", text) for name, text in _ARTICLES.items())]:
            (self.corpus / path).parent.mkdir(parents=True, exist_ok=True)
            (self.corpus / path).write_text(text, encoding="utf-8")
        with (self.corpus / "clinic.toml").open("a", encoding="utf-8") as file:
            file.write(clinic)
        (self.now / "temporary").mkdir()
        words, library = self.encoder, Library(self.corpus)
        retrieval.build.build(self.corpus, self.index, words)
        (articles / "sessions.txt").write_text("Sessions\n\nEleven sessions are usual now.\n", encoding="utf-8")
        publish(self.settings, words, "Ann Tan", "eleven", lambda before, candidate: Judgement())
        (articles / "sessions.txt").write_text("Sessions\n\nTwelve sessions are usual now.\n", encoding="utf-8")
        library.replace("redness.md", b"# Redness\n\nNot ready yet.\n", "Cara Ng", library.look("redness.md").seen)
        library.add("draft.md", b"# D\n\nNot ready.\n", "Cara Ng")
        shutil.copytree(self.now, self.first)

    def here(self) -> None:
        """Let temporary files of this process be files of this world."""
        tempfile.tempdir = str(self.now / "temporary")

    def fresh(self) -> None:
        """Begin again with what there was first."""
        shutil.rmtree(self.now, ignore_errors=True)
        shutil.copytree(self.first, self.now)

    def command(self, operation: str, by: str = "Bob Lim") -> list[str]:
        """What staff type for an operation."""
        place = ["--corpus", str(self.corpus), "--index", str(self.index)]
        what = {"publish": ["publish"], "rollback": ["rollback", self.oldest], "withdraw": ["withdraw", WITHDRAWN]}[operation]
        return [*what, "--by", by, "--note", f"to see what comes of it: {operation}", *place]

    def state(self) -> State:
        """What is there now, every digest of the release checked."""
        files = {
            str(path.relative_to(self.corpus)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.corpus.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
        with Caught() as caught:
            release = open_current(self.index)
        if caught.problem:
            return State("", (), files, repr(caught.problem))
        for one in release.articles:
            if hashlib.sha256(one.text.encode()).hexdigest() != one.digest:
                return State(release.id, (), files, f"{one.doc}: the text is not that of its digest")
        return State(release.id, tuple((one.doc, one.digest) for one in release.articles), files)

    def leftovers(self) -> list[str]:
        """Files and folders that nobody will need any more."""
        found = [path for root in (self.corpus, self.index) for name in _LEFTOVERS for path in root.rglob(name)]
        return sorted(str(path.relative_to(self.now)) for path in found)

    def go_on(self) -> None:
        """What somebody else does next: anything that looks after what was left."""
        prepare(self.settings, self.encoder, "Dan Ho")

    def history_faults(self) -> list[str]:
        """What is wrong with the history."""
        with Caught() as caught:
            return history_faults(self.index)
        return [repr(caught.problem)]


class Caught:
    """Keeps whatever a block raises: here nothing that is raised may end the run, all of it is to be counted."""

    def __init__(self) -> None:
        self.problem: BaseException | None = None

    def __enter__(self) -> Caught:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> bool:
        self.problem = problem
        return not isinstance(problem, KeyboardInterrupt)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended: `status` as a shell has it, -1 where it raised something, and what it said."""

    status: int
    said: str


def told(command: list[str]) -> Outcome:
    """Run `patient-faq` in this process; what it says is kept in memory, so that it is no step of the file system."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["patient-faq", *command]
    with Caught() as caught, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patient_faq()
    problem = caught.problem
    said = out.getvalue() + err.getvalue()
    if isinstance(problem, SystemExit):
        status = problem.code if isinstance(problem.code, int) else int(problem.code is not None)
        return Outcome(status, said)
    if problem is not None:
        return Outcome(-1, said + "".join(traceback.format_exception(problem)))
    return Outcome(0, said)


def simplified(world: World) -> None:
    """Let this process use the world's readable model, read files itself, and do one thing after the other.

    Reading writes nothing and need not be done in processes of its own thousands of times, and steps can be counted only where
    their order is always the same. The field's glossary stays out, and the rules that all clinics have are read once: to read
    them took most of the time and none of the writing.
    """
    retrieval.build.GLOSSARY = Path(os.devnull)
    floor = Rules.floor()
    Rules.floor = classmethod(lambda cls: floor)  # type: ignore[method-assign,assignment]  # rules that were read once
    retrieval.encoder.open_encoder = lambda settings: world.encoder
    retrieval.keeping.desk.open_encoder = lambda settings: world.encoder
    retrieval.reading.read_sandboxed = _read_here
    retrieval.build.ThreadPoolExecutor = _InTurn  # type: ignore[misc,assignment]  # one after the other
    logging.disable(logging.CRITICAL)


def _read_here(path: Path, data: bytes) -> Reading:
    reading = read_bytes(path, data)
    _, belongs = sections_of(reading.text, reading.blocks, reading.title)
    return replace(reading, sentences=sentences_of(reading.text, reading.blocks, belongs))


class _InTurn:
    """Stands for a pool of threads, and has none."""

    def __init__(self, max_workers: int) -> None:
        pass

    def __enter__(self) -> _InTurn:
        return self

    def __exit__(self, *problem: object) -> None:
        pass

    def map(self, do: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        return map(do, items)
