"""The articles of a release on disk: each read when it is asked for, so that a corpus of thousands opens at once.

articles.jsonl   an article a line: canonical text, blocks, sections, sentences, metadata
articles.npy     where each line begins, and where the last one ends, int64 (articles + 1,)
catalogue.json   what is asked of all articles at once: names, digests, metadata, and headings that are questions
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import mmap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
import orjson

from retrieval.errors import DamagedRelease
from retrieval.types import Article, Block, Metadata, Section, Sentence

__all__ = ["Entry", "StoredArticles", "read_articles", "save_articles"]

_LINES, _STARTS, _CATALOGUE = "articles.jsonl", "articles.npy", "catalogue.json"
_DATES = ("reviewed_on", "review_by", "checked_on")
_KEPT = 1024
"""So many articles stay in memory once they were read; one of average length takes a tenth of a megabyte."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of an article without reading it: file name, digest of its text, metadata, headings that are questions."""

    doc: str
    digest: str
    metadata: Metadata
    questions: tuple[str, ...]


class StoredArticles(Sequence[Article]):
    """The articles of a release, in order. Raises DamagedRelease where one is not as its release was written."""

    def __init__(self, folder: Path) -> None:
        """Open what `save_articles` wrote; raises OSError, ValueError, KeyError or TypeError where that fails."""
        self._folder = folder
        values = orjson.loads((folder / _CATALOGUE).read_bytes())
        self.entries = tuple(
            Entry(value["doc"], value["digest"], _metadata(value["metadata"]), tuple(value["questions"])) for value in values
        )
        self._starts = np.load(folder / _STARTS, allow_pickle=False).tolist()
        with (folder / _LINES).open("rb") as file:
            self._lines = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if len(self._starts) != len(self.entries) + 1 or self._starts[-1] != len(self._lines):
            raise ValueError(f"{_LINES} does not fit {_CATALOGUE}")
        self._kept = lru_cache(_KEPT)(self._read)

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, number: int) -> Article: ...
    @overload
    def __getitem__(self, number: slice) -> tuple[Article, ...]: ...
    def __getitem__(self, number: int | slice) -> Article | tuple[Article, ...]:
        if isinstance(number, slice):
            return tuple(self._kept(one) for one in range(*number.indices(len(self))))
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return self._kept(number % len(self))

    def __iter__(self) -> Iterator[Article]:
        return map(self._kept, range(len(self)))

    def _read(self, number: int) -> Article:
        try:
            article = _from_json(orjson.loads(self._lines[self._starts[number] : self._starts[number + 1]]))
        except (ValueError, KeyError, TypeError) as problem:
            raise DamagedRelease(f"{self._folder / _LINES}: article {number + 1} cannot be read ({problem}).") from problem
        # All was checked when the release was opened, and may have been altered since.
        if article.doc != self.entries[number].doc or _digest(article) != self.entries[number].digest:
            raise DamagedRelease(f"{self._folder / _LINES}: {self.entries[number].doc} was altered. Build again.")
        return article


def save_articles(articles: Sequence[Article], folder: Path) -> None:
    """Write articles to a release's folder."""
    starts = [0]
    with (folder / _LINES).open("wb") as file:
        for article in articles:
            line = json.dumps(_to_json(article), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            starts.append(starts[-1] + file.write(line.encode() + b"\n"))
    np.save(folder / _STARTS, np.array(starts, dtype=np.int64), allow_pickle=False)
    values = [
        {
            "doc": article.doc,
            "digest": article.digest,
            "metadata": _metadata_to_json(article.metadata),
            "questions": [section.title for section in article.sections if section.title.endswith("?")],
        }
        for article in articles
    ]
    (folder / _CATALOGUE).write_text(json.dumps(values, ensure_ascii=False, sort_keys=True), encoding="utf-8")


def read_articles(folder: Path) -> tuple[Article, ...]:
    """The articles of a release alone, those that are whole; none where they cannot be read.

    Works for releases of other versions of the program too: for what was said in the past, not for answering.
    """
    try:
        lines = folder / _LINES
        if lines.exists():
            values = [orjson.loads(line) for line in lines.read_bytes().splitlines()]
        else:
            values = orjson.loads((folder / "articles.json").read_bytes())  # up to format 7
        found = [_from_json(value) for value in values]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(one for one in found if _digest(one) == one.digest)


def _digest(article: Article) -> str:
    return hashlib.sha256(article.text.encode("utf-8", "surrogatepass")).hexdigest()


def _to_json(article: Article) -> dict[str, Any]:
    return {
        "doc": article.doc,
        "title": article.title,
        "text": article.text,
        "digest": article.digest,
        "source_digest": article.source_digest,
        "blocks": article.blocks,
        "sections": article.sections,
        "sentences": article.sentences,
        "metadata": _metadata_to_json(article.metadata),
        "warnings": list(article.warnings),
    }


def _from_json(values: Mapping[str, Any]) -> Article:
    return Article(
        doc=values["doc"],
        title=values["title"],
        text=values["text"],
        digest=values["digest"],
        source_digest=values["source_digest"],
        blocks=tuple(map(Block._make, values["blocks"])),
        sections=tuple(Section(tuple(path), *span) for path, *span in values["sections"]),
        sentences=tuple(map(Sentence._make, values["sentences"])),
        metadata=_metadata(values["metadata"]),
        warnings=tuple(values["warnings"]),
    )


def _metadata_to_json(metadata: Metadata) -> dict[str, Any]:
    values = dataclasses.asdict(metadata)
    for name in _DATES:
        values[name] = values[name].isoformat() if values[name] else None
    return values


def _metadata(values: Mapping[str, Any]) -> Metadata:
    read = dict(values)
    for name in ("topics", "confirmed"):
        read[name] = tuple(read[name])
    for name in _DATES:
        read[name] = date.fromisoformat(read[name]) if read[name] else None
    return Metadata(**read)
