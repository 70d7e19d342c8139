"""Signs that stand for none: what cannot be printed or read, and letters of one encoding read as those of another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retrieval.reading.draft import BULLETS

__all__ = ["Stretch", "false_signs"]

Stretch = tuple[str, int, int]
"""A kind of damage, and where it begins and ends."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]+")
_GLYPH = re.compile(r"[\ufffd\ue000-\uf8ff\U000f0000-\U0010fffd]+|\(cid:\d+\)")
# What programs print in place of a letter that a font lacks.
_INSIDE_A_WORD = re.compile(r"(?<=[^\W\d_])[\u2500-\u25ff\u2b1a-\u2b1c]+(?=[^\W\d_])")
# What a byte of UTF-8 looks like in a text that was read as Windows-1252.
_FOREIGN = re.compile(
    "[\u00a0-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122\x80-\x9f]{2,}"
)
_LOST_BLANK = re.compile(r"Â(?=[\s.,;:!?)]|$)")


def false_signs(text: str) -> Iterator[Stretch]:
    """Find signs that no reader should see, in whatever language.

    Yields their kind (control, glyph or encoding) and where they begin and end in the text.
    """
    for match in _CONTROL.finditer(text):
        yield "control", *match.span()
    for match in _GLYPH.finditer(text):
        if not set(match.group()) <= set(BULLETS):
            yield "glyph", *match.span()
    for match in _INSIDE_A_WORD.finditer(text):
        yield "glyph", *match.span()
    yield from _encodings(text)


def _encodings(text: str) -> Iterator[Stretch]:
    for match in _FOREIGN.finditer(text):
        at = match.start()
        while at < match.end() - 1:
            length = _misread(text[at : match.end()])
            if length:
                yield "encoding", at, at + length
            at += length or 1
    for match in _LOST_BLANK.finditer(text):
        if match.start() and text[match.start() - 1].islower():
            yield "encoding", *match.span()


def _misread(signs: str) -> int:
    """How many signs at the beginning are one of UTF-8 that was read byte by byte; 0 if none are."""
    try:
        data = b"".join(_byte(sign) for sign in signs[:4])
    except UnicodeEncodeError:
        data = b""
        for sign in signs[:4]:
            try:
                data += _byte(sign)
            except UnicodeEncodeError:
                break
    for length in (2, 3, 4):
        try:
            meant = data[:length].decode("utf-8")
        except UnicodeDecodeError:
            continue
        if len(meant) == 1 and len(data) >= length and _is_plausible(meant):
            return length
    return 0


def _byte(sign: str) -> bytes:
    return sign.encode("latin-1") if "\x80" <= sign <= "\x9f" else sign.encode("cp1252")


def _is_plausible(sign: str) -> bool:
    """Whether it is a sign that articles have: letters with accents, typographic ones, Chinese and Korean, emoji."""
    code = ord(sign)
    ranges = ((0xA0, 0x24F), (0x1E00, 0x1EFF), (0x2000, 0x23FF), (0x2600, 0x27BF), (0x3000, 0x9FFF), (0xAC00, 0xD7A3))
    return any(first <= code <= last for first, last in (*ranges, (0xFB00, 0xFB06), (0xFEFF, 0xFEFF), (0x1F300, 0x1FAFF)))
