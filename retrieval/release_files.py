"""A release's folder: what is written into it, and how it is checked.

manifest.json   model, articles, and size and digest of every other file
articles.jsonl  canonical texts, sections, sentences, metadata; articles.npy, catalogue.json  (stored_articles.py)
passages.npy    int32 (passages, 4): article, first sentence, last sentence, section
vectors.npy     one vector a passage; nearest.faiss  where there are very many (vector_index.py)
clauses/        the sentences' clauses, one vector each: what is marked in a quote
words/          BM25
vocabulary.txt  the words of the field, one a line
widening/       the glossary, and the words that slips of the pen are mended to
clinic.json     the clinic and the wording of its cards
rules/          the clinic's own rules, as written
differences/    where articles say different things, and what is asked about it
asked/          asked-as questions: vectors, words, and the sentences that they belong to
examples/       the clinic's example messages: vectors and routes
sheets/NAME/    an article's pages as pictures, and where its words stand on them; NAME is its source digest
classifier.npz  the trained router, where there is one for the model
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.asked import AskedAs
from retrieval.clinic import clinic_to_json
from retrieval.differences import Differences
from retrieval.durable import sync
from retrieval.encoder import Vectors
from retrieval.errors import DamagedRelease
from retrieval.examples import Examples
from retrieval.lexical import LexicalIndex
from retrieval.marking import Clauses
from retrieval.reading.sheets import Sheets
from retrieval.stored_articles import save_articles
from retrieval.types import Article, Clinic, Passage
from retrieval.vector_index import VectorIndex
from retrieval.vocabulary import Vocabulary
from retrieval.widening import Widening

__all__ = [
    "CLASSIFIER",
    "SHEETS",
    "VOCABULARY",
    "Content",
    "as_written",
    "digest_of",
    "release_id",
    "verified",
    "write",
]

CLASSIFIER = "classifier.npz"
VOCABULARY = "vocabulary.txt"
SHEETS = "sheets"
_FORMAT = 9


@dataclass(frozen=True, slots=True)
class Content:
    """What a release is made of. `vectors` is float32 (passages, dimension); `model` names the model they come from.

    `rules` are the clinic's own files of rules, by name; `classifier` is the trained router in bytes, empty without one;
    `sheets` are the articles' pages by file name, where they were drawn; `corpus` names the snapshot of the files that it
    was all made from.
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
    corpus: str = ""


def release_id(articles: Sequence[Article], clinic: Clinic, model: str, recipe: str, others: Sequence[str]) -> str:
    """Name a release by what goes into it, so that the same input always gets the same name.

    `others` are digests of all else: the clinic's rules, example messages, the trained router, asked-as questions, glossary,
    points and pictures of pages.
    """
    read = [[article.doc, article.source_digest, article.digest] for article in articles]
    values = [_FORMAT, model, recipe, clinic_to_json(clinic), read, list(others)]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def write(folder: Path, identity: str, content: Content) -> None:
    """Write all files of a release into an empty folder, its manifest last. Raises OSError; RuntimeError where faiss cannot."""
    VectorIndex.of(content.vectors, content.asked.vectors).save(folder)
    np.save(folder / "passages.npy", _rows(content), allow_pickle=False)
    (folder / "words").mkdir()
    content.lexical.save(folder / "words")
    (folder / VOCABULARY).write_text("\n".join(sorted(content.vocabulary.words)), encoding="utf-8")
    save_articles(content.articles, folder)
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
            sheets = folder / SHEETS / article.source_digest
            sheets.mkdir(parents=True)
            content.sheets[article.doc].save(sheets)
    if content.classifier:
        (folder / CLASSIFIER).write_bytes(content.classifier)
    files = {}
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        files[str(path.relative_to(folder))] = {"bytes": path.stat().st_size, "sha256": digest_of(path)}
    manifest = {
        "format": _FORMAT,
        "id": identity,
        "model": content.model,
        "recipe": content.recipe,
        "corpus": content.corpus,
        "dimension": int(content.vectors.shape[1]),
        "passages": len(content.passages),
        "articles": {article.doc: article.digest for article in content.articles},
        "files": files,
    }
    _json(folder / "manifest.json", manifest)
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def _rows(content: Content) -> npt.NDArray[np.int32]:
    """The passages as numbers, int32 (passages, 4): article, first sentence, last sentence, section."""
    rows = [
        (passage.article, passage.first, passage.last, content.articles[passage.article].sentences[passage.first].section)
        for passage in content.passages
    ]
    return np.array(rows, dtype=np.int32).reshape(-1, 4)


def verified(folder: Path, manifest_digest: str) -> dict[str, Any]:
    """Check every file of a release against its manifest, and the manifest against the pointer."""
    path = folder / "manifest.json"
    try:
        if manifest_digest and digest_of(path) != manifest_digest:
            raise DamagedRelease(f"{path}: altered since it was built. Run `patient-faq build` again.")
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if manifest["format"] != _FORMAT:
            raise DamagedRelease(f"{folder}: made by another version of patient-faq. Run `patient-faq build` again.")
        for name, expected in manifest["files"].items():
            if name != CLASSIFIER and not as_written(folder / name, expected):
                raise DamagedRelease(f"{folder / name}: altered since it was built. Run `patient-faq build` again.")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise DamagedRelease(f"{folder}: incomplete ({problem}). Run `patient-faq build` again.") from problem
    return manifest


def as_written(path: Path, expected: Mapping[str, Any]) -> bool:
    """Whether a file is as its manifest says."""
    return bool(path.stat().st_size == expected["bytes"] and digest_of(path) == expected["sha256"])


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")), encoding="utf-8")
