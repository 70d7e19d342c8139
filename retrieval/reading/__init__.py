"""File -> Article: formats, structure and metadata, each file parsed in a sandbox."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import CorpusError, UnreadableFile, shown_name
from retrieval.reading.formats import ENDINGS, MAX_BYTES, too_large
from retrieval.reading.metadata import metadata_from, sidecar_of, sidecar_values
from retrieval.reading.sandbox import draw_sandboxed, read_sandboxed
from retrieval.reading.structure import sections_of
from retrieval.types import Article

if TYPE_CHECKING:
    from retrieval.reading.sheets import Sheets

__all__ = [
    "READING_VERSION",
    "article_files",
    "articles_folder",
    "is_note",
    "read_article",
    "read_with_sheets",
    "source_digest",
]

# Counts up whenever the same file would be read differently, or other sentences of it would look damaged (retrieval/damage.py):
# articles read before are then read again.
READING_VERSION = 7
_NOT_ARTICLES = {"readme", "license", "licence", "changelog", "contributing", "authors"}


def articles_folder(corpus: Path) -> Path:
    """The folder that holds the articles: `articles` inside a corpus, or the folder itself. Raises CorpusError."""
    if not corpus.is_dir():
        raise CorpusError(f"{corpus}: there is no such folder. Name the folder that holds the articles with --corpus.")
    inner = corpus / "articles"
    return inner if inner.is_dir() else corpus


def article_files(folder: Path) -> tuple[list[Path], list[str]]:
    """List a folder's articles in the order of their names.

    Returns the paths, and a note for each file that is left out (README and the like, endings that are not read).
    """
    chosen: list[Path] = []
    notes: list[str] = []
    for path in sorted(folder.iterdir(), key=lambda item: item.name):
        ending, name = path.suffix.lower(), shown_name(path)
        if path.name.startswith((".", "_", "~$")) or (path.is_dir() and ending not in ENDINGS):
            continue
        if path.exists() and not path.is_file():
            notes.append(f"{name}: left out, it is {'a folder' if path.is_dir() else 'not a file'}.")
        elif is_note(path):
            notes.append(f"{name}: left out, a note about the folder and not an article.")
        elif ending in ENDINGS:
            chosen.append(path)
        elif ending != ".toml":
            notes.append(f"{name}: left out, files ending in {shown_name(Path(ending)) or 'nothing'} are not read.")
    return chosen, notes


def is_note(path: Path) -> bool:
    """Whether a file is a note about its folder by its name (README and the like), and no article."""
    return path.stem.lower() in _NOT_ARTICLES


def source_digest(path: Path) -> str:
    """SHA-256 over a file's bytes, its metadata file's and the reader's version: equal means nothing to read anew."""
    data, sidecar = _bytes(path), sidecar_of(path)
    digest = hashlib.sha256(f"{READING_VERSION}\0{path.name}\0".encode() + data)
    if sidecar.is_file():
        digest.update(b"\0" + _bytes(sidecar))
    return digest.hexdigest()


def read_article(path: Path) -> Article:
    """Read one article and its metadata; raises UnreadableFile, which names the file and the way out."""
    return _article(path, _bytes(path))


def read_with_sheets(path: Path) -> tuple[Article, Sheets | None]:
    """Read one article and, where it is a PDF, draw its pages; raises UnreadableFile only where it cannot be read.

    Returns the article, and its pages or None; pages that cannot be drawn are among its warnings.
    """
    data = _bytes(path)
    article = _article(path, data)
    if ENDINGS.get(path.suffix.lower()) != "PDF":
        return article, None
    try:
        return article, draw_sandboxed(path, data, article)
    except UnreadableFile as problem:
        warning = f"{shown_name(path)}: its pages are not shown as pictures, since {problem.reason}. {problem.remedy}"
        return replace(article, warnings=(*article.warnings, warning)), None


def _article(path: Path, data: bytes) -> Article:
    reading = read_sandboxed(path, data)
    values = dict(reading.metadata)
    sidecar = sidecar_of(path)
    said_in = path
    if sidecar.is_file():
        values.update(sidecar_values(_bytes(sidecar), sidecar))
        said_in = sidecar
    metadata, warnings = metadata_from(said_in, values)
    title = metadata.title or reading.title or _title_from_name(path)
    sections, _ = sections_of(reading.text, reading.blocks, reading.title or title)
    if not reading.sentences:
        raise UnreadableFile(path, "no sentence of it can be quoted", "Check that it holds whole sentences.")
    return Article(
        doc=path.name,
        title=title,
        text=reading.text,
        digest=hashlib.sha256(reading.text.encode()).hexdigest(),
        source_digest=source_digest(path),
        blocks=reading.blocks,
        sections=sections,
        sentences=reading.sentences,
        metadata=metadata,
        warnings=reading.warnings + warnings,
    )


def _bytes(path: Path) -> bytes:
    """A file's bytes. It is a plain file of its folder, or a link to one there: nothing else of the machine is published."""
    if not path.name.isprintable():
        reason = "its name holds characters that cannot be seen or written"
        raise UnreadableFile(path, reason, "Rename it with letters, digits, dots and hyphens.")
    try:
        real = os.path.realpath(path)
        if not Path(real).is_relative_to(os.path.realpath(path.parent)):
            raise UnreadableFile(path, "it is a link to a place outside of its folder", "Put the file itself there.")
        # Not waiting: what is no file may have nothing to give, for ever.
        with open(real, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK | os.O_NOFOLLOW)) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UnreadableFile(path, "it is not a file", "Put a file there, or take it out.")
            if found.st_size > MAX_BYTES:
                raise too_large(path, found.st_size)
            data = file.read(MAX_BYTES + 1)
    except OSError as problem:
        reason = f"it cannot be opened ({problem.strerror})"
        raise UnreadableFile(path, reason, "Check that it is there, and its permissions.") from problem
    if len(data) > MAX_BYTES:  # it grew
        raise too_large(path, len(data))
    return data


def _title_from_name(path: Path) -> str:
    words = path.stem.replace("_", " ").replace("-", " ").split()
    return " ".join(words).capitalize() or path.name
