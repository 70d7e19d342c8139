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
from collections.abc import Mapping
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
from retrieval.errors import ClassifierError, DamagedRelease, NoRelease, ReleaseError, SettingsError
from retrieval.examples import Examples
from retrieval.lexical import LexicalIndex
from retrieval.marking import Clauses
from retrieval.reading.sheets import Sheets, picture_name
from retrieval.release_files import CLASSIFIER, SHEETS, VOCABULARY, Content, article_from_json, as_written, verified
from retrieval.review import due
from retrieval.rules import Rules
from retrieval.types import Article, Passage
from retrieval.vector_index import VectorIndex
from retrieval.vocabulary import Vocabulary
from retrieval.widening import Widening

__all__ = ["CANDIDATES", "RELEASES", "Pointer", "Release", "articles_of", "current_id", "folder_of", "open_current", "pointer"]

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

RELEASES, CANDIDATES = "releases", "candidates"
_SENTENCE_BITS = 32


class Release:
    """An opened release. Everything in it was checked against its manifest.

    `rows` are the passages as numbers, int64 (passages, 3): article, first sentence, last sentence, in order; `sections` are
    the numbers of their sections, int64 (passages,).

    What is said to patients is taken from the release as it is on a day (`as_of`): then `withdrawn` are the numbers of the
    articles that are out of use on that day since their review is overdue, and `kept`, bool (passages,), are the passages of
    the others; None where nothing is withdrawn.

    A trained router that is absent or damaged does not keep a release from being served, since rules route without it:
    then `classifier` is None and `fault` says why.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Mapping[str, Any],
        content: Content,
        vectors: VectorIndex,
        rules: Rules,
        classifier: Classifier | None,
        fault: str,
    ) -> None:
        self.id = folder.name
        self.corpus = str(manifest["corpus"])
        """The snapshot of the corpus that it was made from (snapshots.py)."""
        self._folder = folder
        self._files: Mapping[str, Mapping[str, Any]] = manifest["files"]
        self.articles = content.articles
        self.passages = content.passages
        self.clauses = content.clauses
        self.lexical = content.lexical
        self.vocabulary = content.vocabulary
        self.widening = content.widening
        self.asked = content.asked
        self.differences = self._differences = content.differences
        self.clinic = content.clinic
        self.model = content.model
        self.recipe = content.recipe
        self.examples = content.examples
        self.rules = rules
        self.classifier = classifier
        self.fault = fault
        self.vectors = vectors
        self.has_router = CLASSIFIER in self._files
        """Whether it was built with a trained router, which may be damaged since."""
        self.withdrawn: frozenset[int] = frozenset()
        self.kept: Mask | None = None
        self._day: date | None = None
        self._out_of_use: tuple[date, frozenset[int], Mask | None, Differences] | None = None
        self._failed = [0]  # one count for the release and for what it is on any day
        self.rows = np.array([[p.article, p.first, p.last] for p in content.passages], dtype=np.int64).reshape(-1, 3)
        self.sections = np.array(
            [content.articles[p.article].sentences[p.first].section for p in content.passages], dtype=np.int64
        )
        self._keys = self.rows[:, 0] << _SENTENCE_BITS | self.rows[:, 1]
        self._by_doc = {article.doc: number for number, article in enumerate(content.articles)}

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
            values = json.loads((folder / "articles.json").read_text(encoding="utf-8"))
            rows = np.load(folder / "passages.npy", allow_pickle=False)
            clinic = clinic_from_json(json.loads((folder / "clinic.json").read_text(encoding="utf-8")))
            vectors = VectorIndex.load(folder)
            content = Content(
                articles=tuple(article_from_json(value) for value in values),
                passages=tuple(Passage(*row) for row in rows.tolist()),
                vectors=np.empty((0, 0), dtype=np.float32),
                clauses=Clauses.load(folder / "clauses"),
                lexical=LexicalIndex.load(folder / "words"),
                vocabulary=Vocabulary((folder / VOCABULARY).read_text(encoding="utf-8").split()),
                widening=Widening.load(folder / "widening"),
                asked=AskedAs.load(folder / "asked"),
                differences=Differences.load(folder / "differences"),
                clinic=clinic,
                model=manifest["model"],
                recipe=manifest["recipe"],
                rules={},
                examples=Examples.load(folder / "examples"),
                classifier=b"",
                sheets={},
            )
            rules = Rules.from_folder(folder / "rules")
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SettingsError) as problem:
            raise DamagedRelease(f"{folder}: cannot be read ({problem}). Delete it and build again.") from problem
        if vectors.count != len(content.passages):
            raise DamagedRelease(f"{folder}: {vectors.count} vectors for {len(content.passages)} passages. Build again.")
        classifier, fault = _classifier(folder, manifest)
        return cls(folder, manifest, content, vectors, rules, classifier, fault)

    def as_of(self, today: date) -> Release:
        """The release as it is on a day: without what is withdrawn by then, and knowing which reviews are overdue.

        It shares everything with this one. What is withdrawn is worked out once a day.
        """
        known = self._out_of_use
        if known is None or known[0] != today:
            known = self._out_of_use = (today, *self._withdrawn_on(today))
        view = copy.copy(self)
        view._day, view.withdrawn, view.kept, view.differences = known
        return view

    def _withdrawn_on(self, today: date) -> tuple[frozenset[int], Mask | None, Differences]:
        states = (due(article.metadata, self.clinic, today) for article in self.articles)
        withdrawn = frozenset(number for number, state in enumerate(states) if state == "withdrawn")
        if not withdrawn:
            return withdrawn, None, self._differences
        return withdrawn, ~np.isin(self.rows[:, 0], sorted(withdrawn)), self._differences.without(withdrawn)

    @property
    def withheld(self) -> int:
        """Quotes of it that failed their proof since it was opened."""
        return self._failed[0]

    @withheld.setter
    def withheld(self, count: int) -> None:
        self._failed[0] = count

    @property
    def in_use(self) -> tuple[Article, ...]:
        """The articles that are not withdrawn."""
        return tuple(article for number, article in enumerate(self.articles) if number not in self.withdrawn)

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages that the articles are in, each once; of all articles where none is in use."""
        return tuple(dict.fromkeys(article.metadata.language for article in self.in_use or self.articles))

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
        return self.passages[first:end], self.vectors.part(first, end)

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
    """The articles of a release alone, each checked against its digest; none where it cannot be read.

    Quick, and works for releases of other versions of the program too: for what was said in the past, not for answering.
    """
    try:
        values = json.loads((folder_of(index, identity) / "articles.json").read_text(encoding="utf-8"))
        found = [article_from_json(value) for value in values]
    except (OSError, ValueError, KeyError, TypeError, ReleaseError):
        return ()
    return tuple(one for one in found if hashlib.sha256(one.text.encode("utf-8", "surrogatepass")).hexdigest() == one.digest)


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
