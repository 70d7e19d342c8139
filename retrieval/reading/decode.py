"""Bytes of a text file -> str, with newlines as in Python's text mode."""

from __future__ import annotations

import codecs
import contextlib
import re
from pathlib import Path

from retrieval.errors import UnreadableFile

__all__ = ["decode"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Python knows encodings that no page is written in (punycode, unicode_escape); UTF-16 cannot declare itself in ASCII.
_DECLARABLE = re.compile(r"(?:utf-?8|iso-?8859|windows|cp\d|koi8|mac|gb|big5|shift_?jis|sjis|euc|iso-2022|tis)", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_REMEDY = "Save it again as UTF-8 text."


def decode(path: Path, data: bytes, declared: str = "") -> tuple[str, tuple[str, ...]]:
    """Decode a text file.

    Parameters: its path (for messages), its bytes, and the encoding that it declares inside, if any.
    Returns the text, without byte-order mark, every newline as LF, and warnings.
    Raises UnreadableFile for bytes that are no text.
    """
    text, warnings = _text(path, data, declared)
    if "\0" in text:
        raise UnreadableFile(path, "it is not a text file (it holds NUL bytes)", _REMEDY)
    if len(_CONTROLS.findall(text)) > len(text) // 50:
        raise UnreadableFile(path, "it is not a text file (it holds control characters)", _REMEDY)
    return text.replace("\r\n", "\n").replace("\r", "\n"), warnings


def _text(path: Path, data: bytes, declared: str) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(path, data[len(mark) :], encoding), ()
    unmarked = _utf16_without_mark(data)
    if unmarked:
        return _strict(path, data, unmarked), (f"{path.name}: read as {unmarked.upper()} without byte-order mark.",)
    if _DECLARABLE.match(declared) and not _is_western(declared):
        with contextlib.suppress(LookupError, UnicodeError):
            return data.decode(declared), ()
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        # cp1252 is what "Latin-1" files hold in practice; its five unused bytes fall back to Latin-1 proper.
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
        if _is_western(declared):
            return text, ()
        return text, (f"{path.name}: not UTF-8, read as Latin-1 (Windows-1252). Check its accents and quotation marks.",)


def _is_western(declared: str) -> bool:
    """Pages that declare ISO 8859-1 hold Windows-1252, or UTF-8: browsers read the former, and so does the fallback."""
    try:
        return codecs.lookup(declared).name in {"iso8859-1", "cp1252"}
    except LookupError:
        return False


def _strict(path: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as problem:
        reason = f"it begins as {encoding.upper()} but is damaged at byte {problem.start:,}"
        raise UnreadableFile(path, reason, _REMEDY) from problem


def _utf16_without_mark(data: bytes) -> str:
    """Name UTF-16's byte order when every other byte is mostly NUL, as in Western text; empty otherwise."""
    head = data[:4096]
    if len(head) < 8 or len(data) % 2:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.1 * half:
        return "utf-16-be"
    return ""
