"""Which reader a file gets: by its ending, checked against what the bytes say."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from retrieval.errors import UnreadableFile, shown_name
from retrieval.reading.draft import Reading, named

__all__ = ["ENDINGS", "MAX_BYTES", "read_bytes", "too_large"]

MAX_BYTES = 50_000_000
_READERS = {
    "text": ("retrieval.reading.plain", "read_plain"),
    "Markdown": ("retrieval.reading.markdown", "read_markdown"),
    "HTML": ("retrieval.reading.html", "read_html"),
    "Word": ("retrieval.reading.docx", "read_docx"),
    "PDF": ("retrieval.reading.pdf", "read_pdf"),
}
ENDINGS = {
    ".txt": "text",
    ".text": "text",
    ".md": "Markdown",
    ".markdown": "Markdown",
    ".html": "HTML",
    ".htm": "HTML",
    ".docx": "Word",
    ".pdf": "PDF",
}
_USUAL = {"text": ".txt", "Markdown": ".md", "HTML": ".html", "Word": ".docx", "PDF": ".pdf"}


def read_bytes(path: Path, data: bytes) -> Reading:
    """Read a file's bytes by the reader for its ending.

    Raises UnreadableFile for an ending we don't read, an empty file, or contents of another kind than the ending says.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UnreadableFile(
            path,
            f"files ending in {shown_name(Path(ending)) or 'nothing'} are not read",
            f"Save it as one of: {', '.join(ENDINGS)}.",
        )
    if not data.strip():
        raise UnreadableFile(path, "it is empty", "Add text to it or remove it.")
    kind = ENDINGS[ending]
    looks = _looks_like(data)
    if looks and looks != kind and not (looks == "HTML" and kind == "Markdown"):
        if looks in _USUAL:
            raise UnreadableFile(
                path, f"it is named {ending} but holds {looks}", f"Rename it to {shown_name(path.with_suffix(_USUAL[looks]))}."
            )
        raise UnreadableFile(path, f"it is named {ending} but holds {looks}", f"Save it as {ending} again.")
    if not looks and kind in {"Word", "PDF"}:
        raise UnreadableFile(path, f"it is named {ending} but does not hold {kind}", "Check that it was saved or copied whole.")
    module, function = _READERS[kind]
    # Imported on use: a text file must not pay for the PDF reader, in time or in memory.
    reader: Callable[[Path, bytes], Reading] = getattr(importlib.import_module(module), function)
    return named(path, reader(path, data))


def too_large(path: Path, size: int) -> UnreadableFile:
    """What to say of a file that has more bytes than are read."""
    reason = f"it has {size / 1e6:,.0f} MB, more than the {MAX_BYTES / 1e6:,.0f} MB a file may have"
    return UnreadableFile(path, reason, "Split it, or save it without pictures.")


def _looks_like(data: bytes) -> str:
    """Name the kind of file by its first bytes; empty for plain text and for what is not known."""
    head = data[:1024]
    if b"%PDF-" in head:
        return "PDF"
    if head.startswith(b"PK\x03\x04"):
        return "Word" if b"word/" in data else "an archive"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "an old Word file (.doc) or a locked one"
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"RIFF")):
        return "a picture"
    if head.startswith(b"{\\rtf"):
        return "rich text (RTF)"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "HTML" if start.startswith((b"<!doctype html", b"<html")) else ""
