"""Releases: one immutable, complete, checked build of the corpus each, and the pointer to the one in force.

INDEX/current                     which release is in force, and the digest of its manifest
INDEX/releases/ID/manifest.json   model, articles, and size and digest of every other file
INDEX/releases/ID/articles.json   canonical texts, sections, sentences, metadata
INDEX/releases/ID/passages.npy    int32 (passages, 3): article, first sentence, last sentence
INDEX/releases/ID/vectors.faiss   one vector a passage, exact inner product
INDEX/releases/ID/clauses/        the sentences' clauses, one vector each: what is marked in a quote
INDEX/releases/ID/words/          BM25
INDEX/releases/ID/vocabulary.txt  the words of the field, one a line
INDEX/releases/ID/widening/       the glossary, and the words that slips of the pen are mended to
INDEX/releases/ID/clinic.json     the clinic and the wording of its cards
INDEX/releases/ID/rules/          the clinic's own rules, as written
INDEX/releases/ID/differences/    where articles say different things, and what is asked about it
INDEX/releases/ID/asked/          asked-as questions: vectors, words, and the sentences that they belong to
INDEX/releases/ID/examples/       the clinic's example messages: vectors and routes
INDEX/releases/ID/sheets/NAME/    an article's pages as pictures, and where its words stand on them; NAME is its source digest
INDEX/releases/ID/classifier.npz  the trained router, where there is one for the model
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from retrieval.asked import AskedAs
from retrieval.classifier import Classifier
from retrieval.clinic import clinic_from_json, clinic_to_json
from retrieval.differences import Differences
from retrieval.encoder import Question, Vectors
from retrieval.errors import BuildLocked, ClassifierError, DamagedRelease, NoRelease, SettingsError
from retrieval.examples import Examples
from retrieval.lexical import LexicalIndex
from retrieval.marking import Clauses
from retrieval.reading.sheets import Sheets, picture_name
from retrieval.rules import Rules
from retrieval.types import Article, Block, Clinic, Metadata, Passage, Section, Sentence
from retrieval.vocabulary import Vocabulary
from retrieval.widening import Widening

__all__ = ["Content", "Release", "clear_leftovers", "current_id", "locked", "open_current", "publish", "release_id", "switch"]

Places = npt.NDArray[np.int64]

_FORMAT = 5
_SENTENCE_BITS = 32
_STAGING = ".building"
_CLASSIFIER = "classifier.npz"
_VOCABULARY = "vocabulary.txt"
_SHEETS = "sheets"


@dataclass(frozen=True, slots=True)
class Content:
    """What a release is made of. `vectors` is float32 (passages, dimension); `model` names the model they come from.

    `rules` are the clinic's own files of rules, by name; `classifier` is the trained router in bytes, empty without one;
    `sheets` are the articles' pages by file name, where they were drawn.
    """

    articles: tuple[Article, ...]
    passages: tuple[Passage, ...]
    vectors: Vectors
    clauses: Clauses
    lexical: LexicalIndex
    vocabulary: Vocabulary
    widening: Widening
    asked: AskedAs
    differences: Differences
    clinic: Clinic
    model: str
    recipe: str
    rules: Mapping[str, str]
    examples: Examples
    classifier: bytes
    sheets: Mapping[str, Sheets]


class Release:
    """An opened release. Everything in it was checked against its manifest.

    `rows` are the passages as numbers, int64 (passages, 3): article, first sentence, last sentence, in order.

    A trained router that is absent or damaged does not keep a release from being served, since rules route without it:
    then `classifier` is None and `fault` says why.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Mapping[str, Any],
        content: Content,
        index: faiss.Index,
        rules: Rules,
        classifier: Classifier | None,
        fault: str,
    ) -> None:
        self.id = folder.name
        self._folder = folder
        self._files: Mapping[str, Mapping[str, Any]] = manifest["files"]
        self.articles = content.articles
        self.passages = content.passages
        self.clauses = content.clauses
        self.lexical = content.lexical
        self.vocabulary = content.vocabulary
        self.widening = content.widening
        self.asked = content.asked
        self.differences = content.differences
        self.clinic = content.clinic
        self.model = content.model
        self.recipe = content.recipe
        self.examples = content.examples
        self.rules = rules
        self.classifier = classifier
        self.fault = fault
        self.index = index
        self.withheld = 0
        """Quotes of it that failed their proof since it was opened."""
        self.rows = np.array([[p.article, p.first, p.last] for p in content.passages], dtype=np.int64).reshape(-1, 3)
        self._keys = self.rows[:, 0] << _SENTENCE_BITS | self.rows[:, 1]
        self._by_doc = {article.doc: number for number, article in enumerate(content.articles)}

    @classmethod
    def open(cls, index: Path, identity: str, manifest_digest: str = "") -> Release:
        """Open and verify a release.

        Parameters: the index folder, the release's name, and the digest its manifest must have, if known.
        Raises NoRelease where it does not exist, DamagedRelease where any file of it is absent or altered.
        """
        folder = _folder(index, identity)
        if not folder.is_dir():
            raise NoRelease(f"{folder}: there is no such release. Run `patient-faq build`.")
        manifest = _verified(folder, manifest_digest)
        try:
            values = json.loads((folder / "articles.json").read_text(encoding="utf-8"))
            rows = np.load(folder / "passages.npy", allow_pickle=False)
            clinic = clinic_from_json(json.loads((folder / "clinic.json").read_text(encoding="utf-8")))
            vectors = faiss.read_index(str(folder / "vectors.faiss"))
            content = Content(
                articles=tuple(_article_from_json(value) for value in values),
                passages=tuple(Passage(*row) for row in rows.tolist()),
                vectors=np.empty((0, 0), dtype=np.float32),
                clauses=Clauses.load(folder / "clauses"),
                lexical=LexicalIndex.load(folder / "words"),
                vocabulary=Vocabulary((folder / _VOCABULARY).read_text(encoding="utf-8").split()),
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
        if vectors.ntotal != len(content.passages):
            raise DamagedRelease(f"{folder}: {vectors.ntotal} vectors for {len(content.passages)} passages. Build again.")
        classifier, fault = _classifier(folder, manifest)
        return cls(folder, manifest, content, vectors, rules, classifier, fault)

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages that the articles are in, each once."""
        return tuple(dict.fromkeys(article.metadata.language for article in self.articles))

    def article(self, doc: str) -> Article | None:
        """The article with this file name, or None."""
        number = self._by_doc.get(doc)
        return None if number is None else self.articles[number]

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
        name = f"{_SHEETS}/{article.source_digest}" if article else ""
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
        vectors: Vectors = self.index.reconstruct_n(first, end - first)
        return self.passages[first:end], vectors

    def clauses_of(self, doc: str) -> tuple[list[tuple[int, int]], Vectors]:
        """The spans of an article's clauses and their vectors, as they were encoded."""
        return self.clauses.of_article(self._by_doc[doc])

    def marked(self, doc: str, start: int, end: int, question: Question) -> tuple[int, int]:
        """The words of a quote, by its span, that answer a question best; see marking.py."""
        return self.clauses.best(self.articles, self._by_doc[doc], start, end, question)


def release_id(articles: Sequence[Article], clinic: Clinic, model: str, recipe: str, others: Sequence[str]) -> str:
    """Name a release by what goes into it, so that the same input always gets the same name.

    `others` are digests of all else: the clinic's rules, example messages, the trained router, asked-as questions, glossary,
    points and pictures of pages.
    """
    read = [[article.doc, article.source_digest, article.digest] for article in articles]
    values = [_FORMAT, model, recipe, clinic_to_json(clinic), read, list(others)]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def publish(index: Path, identity: str, content: Content) -> None:
    """Write a release beside the others, verify it, and switch to it.

    Until the last step the release in force stays in force, whatever happens; the caller holds `locked`.
    Raises OSError where the disk is full or refuses.
    """
    staging = index / f"{_STAGING}-{identity}"
    clear_leftovers(index)
    staging.mkdir(parents=True)
    _write(staging, identity, content)
    digest = _digest(staging / "manifest.json")
    _verified(staging, digest)
    target = _folder(index, identity)
    target.parent.mkdir(exist_ok=True)
    if target.exists():
        # It was there but not in force, or damaged: what was just verified takes its place.
        aside = index / f"{_STAGING}-replaced-{identity}"
        os.rename(target, aside)
        os.rename(staging, target)
        shutil.rmtree(aside)
    else:
        os.rename(staging, target)
    _sync(target.parent)
    switch(index, identity, digest)


def switch(index: Path, identity: str, manifest_digest: str = "") -> None:
    """Put a release in force: one atomic replacement of the pointer."""
    digest = manifest_digest or _digest(_folder(index, identity) / "manifest.json")
    pointer = index / "current"
    fresh = index / f"{_STAGING}-current"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump({"release": identity, "manifest": digest}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, pointer)
    _sync(index)


def current_id(index: Path) -> tuple[str, str]:
    """The release in force: its name and its manifest's digest. Raises NoRelease or DamagedRelease."""
    pointer = index / "current"
    try:
        values = json.loads(pointer.read_text(encoding="utf-8"))
        return str(values["release"]), str(values["manifest"])
    except FileNotFoundError:
        raise NoRelease(
            f"{index}: no release has been built there. Run `patient-faq build --corpus DIR --index {index}`."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise DamagedRelease(f"{pointer}: cannot be read ({problem}). Run `patient-faq build` again.") from problem


def open_current(index: Path) -> Release:
    """Open and verify the release in force; raises NoRelease or DamagedRelease."""
    return Release.open(index, *current_id(index))


def clear_leftovers(index: Path) -> None:
    """Delete what a killed build left behind; the caller holds `locked`."""
    for path in index.glob(f"{_STAGING}-*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def locked(index: Path) -> Iterator[None]:
    """Keep other builds away from an index folder for as long as the block runs; raises BuildLocked if one is at it."""
    index.mkdir(parents=True, exist_ok=True)
    with (index / ".lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildLocked(f"{index}: another build is writing there. Wait until it is done, then try again.") from None
        yield


def _folder(index: Path, identity: str) -> Path:
    if not identity.isalnum():
        raise NoRelease(f"{identity!r} is not the name of a release.")
    return index / "releases" / identity


def _write(folder: Path, identity: str, content: Content) -> None:
    flat = faiss.IndexFlatIP(content.vectors.shape[1])
    flat.add(content.vectors)
    faiss.write_index(flat, str(folder / "vectors.faiss"))
    rows: npt.NDArray[np.int32] = np.array([[p.article, p.first, p.last] for p in content.passages], dtype=np.int32)
    np.save(folder / "passages.npy", rows, allow_pickle=False)
    (folder / "words").mkdir()
    content.lexical.save(folder / "words")
    (folder / _VOCABULARY).write_text("\n".join(sorted(content.vocabulary.words)), encoding="utf-8")
    _json(folder / "articles.json", [_article_to_json(article) for article in content.articles])
    _json(folder / "clinic.json", clinic_to_json(content.clinic))
    (folder / "rules").mkdir()
    for name, text in content.rules.items():
        (folder / "rules" / name).write_text(text, encoding="utf-8")
    for name, save in (
        ("clauses", content.clauses.save),
        ("widening", content.widening.save),
        ("asked", content.asked.save),
        ("differences", content.differences.save),
    ):
        (folder / name).mkdir()
        save(folder / name)
    (folder / "examples").mkdir()
    content.examples.save(folder / "examples")
    for article in content.articles:
        if article.doc in content.sheets:
            sheets = folder / _SHEETS / article.source_digest
            sheets.mkdir(parents=True)
            content.sheets[article.doc].save(sheets)
    if content.classifier:
        (folder / _CLASSIFIER).write_bytes(content.classifier)
    files = {}
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        files[str(path.relative_to(folder))] = {"bytes": path.stat().st_size, "sha256": _digest(path)}
    manifest = {
        "format": _FORMAT,
        "id": identity,
        "model": content.model,
        "recipe": content.recipe,
        "dimension": int(content.vectors.shape[1]),
        "passages": len(content.passages),
        "articles": {article.doc: article.digest for article in content.articles},
        "files": files,
    }
    _json(folder / "manifest.json", manifest)
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _verified(folder: Path, manifest_digest: str) -> dict[str, Any]:
    """Check every file of a release against its manifest, and the manifest against the pointer."""
    path = folder / "manifest.json"
    try:
        if manifest_digest and _digest(path) != manifest_digest:
            raise DamagedRelease(f"{path}: altered since it was built. Run `patient-faq build` again.")
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if manifest["format"] != _FORMAT:
            raise DamagedRelease(f"{folder}: made by another version of patient-faq. Run `patient-faq build` again.")
        for name, expected in manifest["files"].items():
            if name != _CLASSIFIER and not _as_written(folder / name, expected):
                raise DamagedRelease(f"{folder / name}: altered since it was built. Run `patient-faq build` again.")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise DamagedRelease(f"{folder}: incomplete ({problem}). Run `patient-faq build` again.") from problem
    return manifest


def _as_written(path: Path, expected: Mapping[str, Any]) -> bool:
    return bool(path.stat().st_size == expected["bytes"] and _digest(path) == expected["sha256"])


def _classifier(folder: Path, manifest: Mapping[str, Any]) -> tuple[Classifier | None, str]:
    """A release's trained router, or None and why there is none."""
    path = folder / _CLASSIFIER
    expected = manifest["files"].get(_CLASSIFIER)
    if expected is None:
        return None, f"No router has been trained for the model {manifest['model']}: messages are routed by rules alone."
    try:
        if not _as_written(path, expected):
            return None, f"{path}: altered since it was built; messages are routed by rules alone. Build again."
        return Classifier.load(path), ""
    except (OSError, ClassifierError) as problem:
        return None, f"{path}: not usable ({problem}); messages are routed by rules alone. Build again."


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")), encoding="utf-8")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _article_to_json(article: Article) -> dict[str, Any]:
    metadata = dataclasses.asdict(article.metadata)
    for name in ("reviewed_on", "review_by"):
        metadata[name] = metadata[name].isoformat() if metadata[name] else None
    return {
        "doc": article.doc,
        "title": article.title,
        "text": article.text,
        "digest": article.digest,
        "source_digest": article.source_digest,
        "blocks": [dataclasses.astuple(block) for block in article.blocks],
        "sections": [dataclasses.astuple(section) for section in article.sections],
        "sentences": [dataclasses.astuple(sentence) for sentence in article.sentences],
        "metadata": metadata,
        "warnings": list(article.warnings),
    }


def _article_from_json(values: dict[str, Any]) -> Article:
    metadata = {**values["metadata"], "topics": tuple(values["metadata"]["topics"])}
    for name in ("reviewed_on", "review_by"):
        metadata[name] = date.fromisoformat(metadata[name]) if metadata[name] else None
    return Article(
        doc=values["doc"],
        title=values["title"],
        text=values["text"],
        digest=values["digest"],
        source_digest=values["source_digest"],
        blocks=tuple(Block(*row) for row in values["blocks"]),
        sections=tuple(Section(tuple(row[0]), *row[1:]) for row in values["sections"]),
        sentences=tuple(Sentence(*row) for row in values["sentences"]),
        metadata=Metadata(**metadata),
        warnings=tuple(values["warnings"]),
    )
