"""Releases: one immutable, complete, checked build of the corpus each, and the pointer to the one in force.

INDEX/current           which release is in force, the digest of its manifest, and the entry of the history that says so
INDEX/releases/ID/      a release that is or was in force (release_files.py says what is in it)
INDEX/candidates/ID/    one that was built and checked, and has not been put in force (in_force.py)
INDEX/files/            the files of the corpus that releases were made from (snapshots.py)
INDEX/history/          who put which release in force, when and why (history.py)
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.asked import AskedAs
from retrieval.classifier import Classifier
from retrieval.clinic import clinic_from_json
from retrieval.differences import Differences
from retrieval.encoder import Question, Vectors
from retrieval.engine import Engine, LocalEngine, Scope
from retrieval.errors import ClassifierError, DamagedRelease, NoRelease, ReleaseError, SettingsError
from retrieval.examples import Examples
from retrieval.language import base_of, language_of
from retrieval.lexical import LexicalIndex
from retrieval.marking import Clauses
from retrieval.reading.sheets import Sheets, picture_name
from retrieval.release_files import CLASSIFIER, SHEETS, VOCABULARY, as_written, digest_of, verified
from retrieval.review import due
from retrieval.rules import Rules
from retrieval.stored_articles import Entry, StoredArticles, read_articles
from retrieval.types import Article, Passage
from retrieval.vector_index import VectorIndex
from retrieval.vocabulary import Vocabulary
from retrieval.widening import Widening

__all__ = ["CANDIDATES", "RELEASES", "Pointer", "Release", "articles_of", "current_id", "folder_of", "open_current", "pointer"]

Places = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]

RELEASES, CANDIDATES = "releases", "candidates"
_SENTENCE_BITS = 32


class Release:
    """An opened release. Everything in it was checked against its manifest.

    `rows` are the passages as numbers, int32 (passages, 4): article, first sentence, last sentence, section, in order; `engine`
    finds those that can be among the best for a question.

    What is said to patients is taken from the release as it is on a day (`as_of`): then `withdrawn` are the numbers of the
    articles that are out of use on that day since their review is overdue.

    A trained router that is absent or damaged does not keep a release from being served, since rules route without it:
    then `classifier` is None and `fault` says why.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        """Open a folder whose files are as its manifest says; `open` and `open_folder` check that, and turn what fails here
        into DamagedRelease."""
        self.id = folder.name
        self.corpus = str(manifest["corpus"])
        """The snapshot of the corpus that it was made from (snapshots.py)."""
        self.model, self.recipe = str(manifest["model"]), str(manifest["recipe"])
        self.manifest = digest_of(folder / "manifest.json")
        self._folder = folder
        self._files: Mapping[str, Mapping[str, Any]] = manifest["files"]
        self._catalogue = StoredArticles(folder)
        self.articles: Sequence[Article] = self._catalogue
        self.rows: Rows = np.asarray(np.load(folder / "passages.npy", mmap_mode="r", allow_pickle=False))
        self.vectors = VectorIndex.load(folder)
        self.lexical = LexicalIndex.load(folder / "words")
        languages = [entry.metadata.language for entry in self._catalogue.entries]
        self.engine: Engine = LocalEngine(self.vectors, self.lexical, self.rows[:, 0], languages)
        self.clauses = Clauses.load(folder / "clauses")
        self.vocabulary = Vocabulary((folder / VOCABULARY).read_text(encoding="utf-8").split())
        self.widening = Widening.load(folder / "widening")
        self.asked = AskedAs.load(folder / "asked")
        self.differences = self._differences = Differences.load(folder / "differences")
        self.clinic = clinic_from_json(json.loads((folder / "clinic.json").read_text(encoding="utf-8")))
        self.examples = Examples.load(folder / "examples")
        self.rules = Rules.from_folder(folder / "rules")
        self.classifier, self.fault = _classifier(folder, manifest)
        self.has_router = CLASSIFIER in self._files
        """Whether it was built with a trained router, which may be damaged since."""
        self.withdrawn: frozenset[int] = frozenset()
        self.languages = self._languages_without(frozenset())
        """The codes of the languages that the articles are in, each once; of all articles where none is in use."""
        self._day: date | None = None
        self._out_of_use: tuple[date, frozenset[int], Differences, tuple[str, ...]] | None = None
        self._failed = [0]  # one count for the release and for what it is on any day
        self._keys = self.rows[:, 0].astype(np.int64) << _SENTENCE_BITS | self.rows[:, 1]
        self._by_doc = {entry.doc: number for number, entry in enumerate(self._catalogue.entries)}

    @classmethod
    def open(cls, index: Path, identity: str, manifest_digest: str = "") -> Release:
        """Open and verify a release.

        Parameters: the index folder, the release's name, and the digest its manifest must have, if known.
        Raises NoRelease where it does not exist, DamagedRelease where any file of it is absent or altered.
        """
        folder = folder_of(index, identity)
        if not folder.is_dir():
            raise NoRelease(f"{folder}: there is no such release. Run `patient-faq build`.")
        return cls.open_folder(folder, manifest_digest)

    @classmethod
    def open_folder(cls, folder: Path, manifest_digest: str = "") -> Release:
        """Open and verify a release in its folder; raises DamagedRelease as `open` does."""
        manifest = verified(folder, manifest_digest)
        try:
            release = cls(folder, manifest)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SettingsError) as problem:
            raise DamagedRelease(f"{folder}: cannot be read ({problem}). Delete it and build again.") from problem
        if release.vectors.count != len(release.rows):
            raise DamagedRelease(f"{folder}: {release.vectors.count} vectors for {len(release.rows)} passages. Build again.")
        return release

    def as_of(self, today: date) -> Release:
        """The release as it is on a day: without what is withdrawn by then, and knowing which reviews are overdue.

        It shares everything with this one. What is withdrawn is worked out once a day.
        """
        known = self._out_of_use
        if known is None or known[0] != today:
            known = self._out_of_use = (today, *self._withdrawn_on(today))
        view = copy.copy(self)
        view._day, view.withdrawn, view.differences, view.languages = known
        return view

    def _withdrawn_on(self, today: date) -> tuple[frozenset[int], Differences, tuple[str, ...]]:
        states = (due(entry.metadata, self.clinic, today) for entry in self._catalogue.entries)
        withdrawn = frozenset(number for number, state in enumerate(states) if state == "withdrawn")
        differences = self._differences.without(withdrawn) if withdrawn else self._differences
        return withdrawn, differences, self._languages_without(withdrawn)

    def _languages_without(self, withdrawn: frozenset[int]) -> tuple[str, ...]:
        entries = self._catalogue.entries
        kept = [entry for number, entry in enumerate(entries) if number not in withdrawn] or entries
        return tuple(dict.fromkeys(entry.metadata.language for entry in kept))

    def scope_of(self, message: str) -> Scope:
        """Which articles are searched for a message: those in use and, where any of them is in its language, in no other.

        Nobody can be sure of what stands in a language that they do not read.
        """
        asked = language_of(message) if len(self.languages) > 1 else ""
        return Scope(self.withdrawn, frozenset(code for code in self.languages if asked and base_of(code) == asked))

    @property
    def passages(self) -> tuple[Passage, ...]:
        """All passages, in order, made anew at each call; answering asks for none but those that it shows."""
        return tuple(Passage(*row) for row in self.rows[:, :3].tolist())

    @property
    def withheld(self) -> int:
        """Quotes of it that failed their proof since it was opened."""
        return self._failed[0]

    @withheld.setter
    def withheld(self, count: int) -> None:
        self._failed[0] = count

    @property
    def entries(self) -> Sequence[Entry]:
        """What is known of all articles, by their numbers, without reading them."""
        return self._catalogue.entries

    @property
    def in_use(self) -> tuple[Entry, ...]:
        """What is known of the articles that are not withdrawn, without reading them."""
        return tuple(entry for number, entry in enumerate(self._catalogue.entries) if number not in self.withdrawn)

    @property
    def routing(self) -> dict[str, str]:
        """The digests of what raises a message to a card: the clinic's rules, its examples and the trained router."""
        return {
            name: str(file["sha256"])
            for name, file in self._files.items()
            if name == CLASSIFIER or name.startswith(("rules/", "examples/"))
        }

    def article(self, doc: str) -> Article | None:
        """The article with this file name, or None where there is none or it is withdrawn."""
        number = self._by_doc.get(doc)
        return None if number is None or number in self.withdrawn else self.articles[number]

    def overdue(self, article: Article) -> bool:
        """Whether patients must be told that an article's review is overdue; known only of a release as it is on a day."""
        return self._day is not None and due(article.metadata, self.clinic, self._day) in {"due", "withdrawn"}

    def sheets(self, doc: str, pictures: bool = False) -> Sheets | None:
        """An article's pages, or None where they were not drawn; pictures only where asked for, since they are big.

        Read from the release's folder at each call. Raises DamagedRelease where a file is not as it was built.
        """
        folder = self._sheets_of(doc)
        if folder is None:
            return None
        try:
            return Sheets.load(lambda name: self._read(f"{folder}/{name}"), pictures)
        except (ValueError, KeyError) as problem:
            raise DamagedRelease(f"{self._folder / folder}: cannot be read ({problem}). Build again.") from problem

    def picture(self, doc: str, page: int) -> bytes | None:
        """One page of an article as a WebP file, or None where there is none; raises DamagedRelease as `sheets` does."""
        name = f"{self._sheets_of(doc)}/{picture_name(page)}"
        return self._read(name) if name in self._files else None

    def _sheets_of(self, doc: str) -> str | None:
        article = self.article(doc)
        name = f"{SHEETS}/{article.source_digest}" if article else ""
        return name if f"{name}/{picture_name(1)}" in self._files else None

    def _read(self, name: str) -> bytes:
        """A file of the release, checked once more: it may have been altered since the release was opened."""
        path = self._folder / name
        try:
            data = path.read_bytes()
        except OSError as problem:
            raise DamagedRelease(f"{path}: cannot be read ({problem}). Build again.") from problem
        if hashlib.sha256(data).hexdigest() != self._files[name]["sha256"]:
            raise DamagedRelease(f"{path}: altered since it was built. Run `patient-faq build` again.")
        return data

    def first_places(self, articles: Places, sentences: Places) -> Places:
        """Where the passages begin that start with some sentences, int64 (sentences,), or where they would."""
        return np.searchsorted(self._keys, articles << _SENTENCE_BITS | sentences)

    def vectors_of(self, doc: str) -> tuple[tuple[Passage, ...], Vectors]:
        """An article's passages and their vectors, as they were encoded."""
        number = self._by_doc[doc]
        first, end = np.searchsorted(self._keys, [number << _SENTENCE_BITS, number + 1 << _SENTENCE_BITS]).tolist()
        passages = tuple(Passage(*row) for row in self.rows[first:end, :3].tolist())
        return passages, self.vectors.part(first, end)

    def clauses_of(self, doc: str) -> tuple[list[tuple[int, int]], Vectors]:
        """The spans of an article's clauses and their vectors, as they were encoded."""
        return self.clauses.of_article(self._by_doc[doc])

    def marked(self, doc: str, start: int, end: int, question: Question) -> tuple[int, int]:
        """The words of a quote, by its span, that answer a question best; see marking.py."""
        return self.clauses.best(self.articles, self._by_doc[doc], start, end, question)


@dataclass(frozen=True, slots=True)
class Pointer:
    """What INDEX/current says: the release, its manifest's digest, and number and digest of the entry of the history."""

    release: str
    manifest: str
    entry: int = 0
    entry_digest: str = ""


def pointer(index: Path) -> Pointer:
    """What is in force. Raises NoRelease or DamagedRelease."""
    file = index / "current"
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        found = (
            str(values["release"]),
            str(values["manifest"]),
            int(values.get("entry", 0)),
            str(values.get("entry_digest", "")),
        )
        unknown = sorted(set(values) - {"release", "manifest", "entry", "entry_digest"})
        if unknown or not found[0].isalnum():  # a name that was altered must not be taken for one that was left out
            raise ValueError(f"{unknown[0] if unknown else found[0]!r} does not belong there")
    except FileNotFoundError:
        raise NoRelease(
            f"{index}: no release has been built there. Run `patient-faq build --corpus DIR --index {index}`."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise DamagedRelease(f"{file}: cannot be read ({problem}). Run `patient-faq build` again.") from problem
    return Pointer(*found)


def current_id(index: Path) -> tuple[str, str]:
    """The release in force: its name and its manifest's digest. Raises NoRelease or DamagedRelease."""
    found = pointer(index)
    return found.release, found.manifest


def open_current(index: Path) -> Release:
    """Open and verify the release in force; raises NoRelease or DamagedRelease."""
    return Release.open(index, *current_id(index))


def articles_of(index: Path, identity: str) -> tuple[Article, ...]:
    """The articles of a release alone, each checked against its digest; none where it cannot be read."""
    try:
        return read_articles(folder_of(index, identity))
    except ReleaseError:
        return ()


def folder_of(index: Path, identity: str) -> Path:
    """The folder of a release, or of a candidate where no release has the name. Raises NoRelease for what is no name."""
    if not identity.isalnum():
        raise NoRelease(f"{identity!r} is not the name of a release.")
    release = index / RELEASES / identity
    candidate = index / CANDIDATES / identity
    return candidate if candidate.is_dir() and not release.is_dir() else release


def _classifier(folder: Path, manifest: Mapping[str, Any]) -> tuple[Classifier | None, str]:
    """A release's trained router, or None and why there is none."""
    path = folder / CLASSIFIER
    expected = manifest["files"].get(CLASSIFIER)
    if expected is None:
        return None, f"No router has been trained for the model {manifest['model']}: messages are routed by rules alone."
    try:
        if not as_written(path, expected):
            return None, f"{path}: altered since it was built; messages are routed by rules alone. Build again."
        return Classifier.load(path), ""
    except (OSError, ClassifierError) as problem:
        return None, f"{path}: not usable ({problem}); messages are routed by rules alone. Build again."
