"""A release's folder: what is written into it, and how it is checked.

manifest.json   model, articles, and size and digest of every other file
articles.json   canonical texts, sections, sentences, metadata
passages.npy    int32 (passages, 3): article, first sentence, last sentence
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

import dataclasses
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
from retrieval.clinic import clinic_to_json
from retrieval.differences import Differences
from retrieval.durable import sync
from retrieval.encoder import Vectors
from retrieval.errors import DamagedRelease
from retrieval.examples import Examples
from retrieval.lexical import LexicalIndex
from retrieval.marking import Clauses
from retrieval.reading.sheets import Sheets
from retrieval.types import Article, Block, Clinic, Metadata, Passage, Section, Sentence
from retrieval.vector_index import VectorIndex
from retrieval.vocabulary import Vocabulary
from retrieval.widening import Widening

__all__ = [
    "CLASSIFIER",
    "SHEETS",
    "VOCABULARY",
    "Content",
    "article_from_json",
    "as_written",
    "digest_of",
    "release_id",
    "verified",
    "write",
]

CLASSIFIER = "classifier.npz"
VOCABULARY = "vocabulary.txt"
SHEETS = "sheets"
_FORMAT = 7
_DATES = ("reviewed_on", "review_by", "checked_on")


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
    rows: npt.NDArray[np.int32] = np.array([[p.article, p.first, p.last] for p in content.passages], dtype=np.int32)
    np.save(folder / "passages.npy", rows, allow_pickle=False)
    (folder / "words").mkdir()
    content.lexical.save(folder / "words")
    (folder / VOCABULARY).write_text("\n".join(sorted(content.vocabulary.words)), encoding="utf-8")
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


def _article_to_json(article: Article) -> dict[str, Any]:
    metadata = dataclasses.asdict(article.metadata)
    for name in _DATES:
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


def article_from_json(values: dict[str, Any]) -> Article:
    """An article as it was written."""
    metadata = dict(values["metadata"])
    for name in ("topics", "confirmed"):
        metadata[name] = tuple(metadata[name])
    for name in _DATES:
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
