"""File -> Article: formats, structure and metadata, each file parsed in a sandbox."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from retrieval.errors import CorpusError, UnreadableFile
from retrieval.reading.formats import ENDINGS, MAX_BYTES, too_large
from retrieval.reading.metadata import metadata_from, sidecar_of, sidecar_values
from retrieval.reading.sandbox import draw_sandboxed, read_sandboxed
from retrieval.reading.sheets import Sheets
from retrieval.reading.structure import sections_of, sentences_of
from retrieval.types import Article

__all__ = ["READING_VERSION", "article_files", "articles_folder", "read_article", "read_with_sheets", "source_digest"]

# Counts up whenever the same file would be read differently: articles read before are then read again.
READING_VERSION = 3
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
        ending = path.suffix.lower()
        if path.name.startswith((".", "_", "~$")) or path.is_dir():
            continue
        if path.exists() and not path.is_file():
            notes.append(f"{path.name}: left out, it is not a file.")
        elif path.stem.lower() in _NOT_ARTICLES:
            notes.append(f"{path.name}: left out, a note about the folder and not an article.")
        elif ending in ENDINGS:
            chosen.append(path)
        elif ending != ".toml":
            notes.append(f"{path.name}: left out, files ending in {ending or 'nothing'} are not read.")
    return chosen, notes


def source_digest(path: Path) -> str:
    """SHA-256 over a file's bytes, its metadata file's and the reader's version: equal means nothing to read anew."""
    digest = hashlib.sha256(f"{READING_VERSION}\0{path.name}\0".encode())
    digest.update(_bytes(path))
    sidecar = sidecar_of(path)
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
        warning = f"{path.name}: its pages are not shown as pictures, since {problem.reason}. {problem.remedy}"
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
    sections, belongs = sections_of(reading.text, reading.blocks, reading.title or title)
    sentences = sentences_of(reading.text, reading.blocks, belongs)
    if not sentences:
        raise UnreadableFile(path, "no sentence of it can be quoted", "Check that it holds whole sentences.")
    return Article(
        doc=path.name,
        title=title,
        text=reading.text,
        digest=hashlib.sha256(reading.text.encode("utf-8", "surrogatepass")).hexdigest(),
        source_digest=source_digest(path),
        blocks=reading.blocks,
        sections=sections,
        sentences=sentences,
        metadata=metadata,
        warnings=reading.warnings + warnings,
    )


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise too_large(path, size)
        return path.read_bytes()
    except OSError as problem:
        raise UnreadableFile(path, f"it cannot be opened ({problem.strerror})", "Check its permissions.") from problem


def _title_from_name(path: Path) -> str:
    words = path.stem.replace("_", " ").replace("-", " ").split()
    return " ".join(words).capitalize() or path.name
