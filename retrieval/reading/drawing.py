"""Draws a PDF's pages with pdfium and finds the canonical text's words on them. Runs in the sandbox's child only."""

from __future__ import annotations

import ctypes
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

from retrieval.errors import UnreadableFile
from retrieval.reading.aligning import aligned
from retrieval.reading.sheets import MAX_SHEETS, WHOLE

__all__ = ["Drawn", "draw_pdf"]

_SHORT_SIDE = 1200  # pixels
_MAX_PIXELS = 3_000_000  # a page
_MAX_BYTES = 6_000_000  # all pages
_SHARP = 250_000  # bytes of a picture without loss; a bigger one holds photographs
_REMEDY = "Export it again from the program it was written in."
_FOUND = 0.6  # of a word's characters
_WILD = 3.0  # times the letters themselves: some fonts claim far too much room
_NEAR = 0.6  # of a character's size

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in 1/10,000 of the page."""


@dataclass(slots=True)
class Drawn:
    """What `Sheets` is made of, in plain lists: WebP pictures, their sizes, and a row for each word that was found."""

    pictures: list[bytes] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    words: list[list[int]] = field(default_factory=list)


@dataclass(slots=True)
class _Letters:
    """A page's characters as pdfium reads them, each with the room of its letter and the room of its line."""

    text: str
    tight: list[Box]
    loose: list[Box]


def draw_pdf(path: Path, data: bytes, text: str, blocks: Sequence[tuple[int, int, int]]) -> Drawn:
    """Draw a PDF.

    Parameters: its path, its bytes, its canonical text, and start, end and page of that text's blocks.
    Returns pictures and places. Raises UnreadableFile where it cannot be drawn or comes out too big.
    """
    drawn = Drawn()
    try:
        with pypdfium2.PdfDocument(data) as document:
            if len(document) > MAX_SHEETS:
                reason = f"it has {len(document):,} pages, and at most {MAX_SHEETS} are drawn"
                raise UnreadableFile(path, reason, "Split it into several articles.")
            left_over: tuple[int, int] | None = None
            for number in range(1, len(document) + 1):
                page = document[number - 1]
                picture, size = _picture(path, page)
                drawn.pictures.append(picture)
                drawn.sizes.append(size)
                if sum(map(len, drawn.pictures)) > _MAX_BYTES:
                    reason = f"its pictures come to more than {_MAX_BYTES / 1e6:.0f} MB"
                    raise UnreadableFile(path, reason, "Save it with smaller pictures, or split it.")
                spans = [*([left_over] if left_over else []), *((start, end) for start, end, on in blocks if on == number)]
                rows, left_over = _words(text, spans, _letters(page), number)
                drawn.words.extend(rows)
    except pypdfium2.PdfiumError as problem:
        raise UnreadableFile(path, "its pages cannot be drawn", _REMEDY) from problem
    drawn.words.sort()
    return drawn


def _picture(path: Path, page: pypdfium2.PdfPage) -> tuple[bytes, tuple[int, int]]:
    """A page as a WebP file, without what reviewers pinned to it: that is not among the text either."""
    width, height = page.get_size()
    if min(width, height) <= 0:
        raise UnreadableFile(path, "one of its pages has no size", _REMEDY)
    scale = min(_SHORT_SIDE / min(width, height), (_MAX_PIXELS / (width * height)) ** 0.5)
    if max(width, height) * scale > _MAX_PIXELS / 100:
        raise UnreadableFile(path, "one of its pages is far too long", _REMEDY)
    image = page.render(scale=scale, draw_annots=False, may_draw_forms=False).to_pil().convert("RGB")
    sharp = io.BytesIO()
    # Without loss letters stay sharp, and a page of text takes half the bytes that JPEG needs.
    image.save(sharp, format="WEBP", lossless=True, method=4)
    if sharp.tell() <= _SHARP:
        return sharp.getvalue(), image.size
    soft = io.BytesIO()
    image.save(soft, format="WEBP", quality=80, method=4)
    return min(sharp.getvalue(), soft.getvalue(), key=len), image.size


def _letters(page: pypdfium2.PdfPage) -> _Letters:
    found = _Letters("", [], [])
    letters: list[str] = []
    # pdfium puts lines together as they stand on the page: on one that is turned, it would take them apart.
    angle = page.get_rotation()
    page.set_rotation(0)
    with_text = page.get_textpage()
    page.set_rotation(angle)
    for at in range(with_text.count_chars()):
        code = pdfium.FPDFText_GetUnicode(with_text.raw, at)
        # What pdfium adds of itself, blanks and line ends, stands nowhere.
        if pdfium.FPDFText_IsGenerated(with_text.raw, at) == 1 or not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
            continue
        letters.append(chr(code))
        found.tight.append(_on_page(page, with_text.get_charbox(at)))
        found.loose.append(_on_page(page, with_text.get_charbox(at, loose=True)))
    found.text = "".join(letters)
    return found


def _on_page(page: pypdfium2.PdfPage, box: tuple[float, float, float, float]) -> Box:
    """A box in the file's own coordinates -> on the page as it is drawn: cropped and turned."""
    left, bottom, right, top = box
    across, down = ctypes.c_int(), ctypes.c_int()
    corners = []
    for x, y in ((left, bottom), (right, top)):
        pdfium.FPDF_PageToDevice(page.raw, 0, 0, WHOLE, WHOLE, 0, x, y, across, down)
        corners.append((across.value, down.value))
    (x0, y0), (x1, y1) = corners
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _words(
    text: str, spans: Sequence[tuple[int, int]], letters: _Letters, page: int
) -> tuple[list[list[int]], tuple[int, int] | None]:
    """Rows for the words of some spans that stand on a page, and what of the last span must stand on the next one."""
    if not spans:
        return [], None
    rows: list[list[int]] = []
    ours = "\n".join(text[start:end] for start, end in spans)
    origins = [place for start, end in spans for place in (*range(start, end), -1)]
    where = aligned(ours, letters.text)
    for word in re.finditer(r"\S+", ours):
        found = [(at, place) for at in range(*word.span()) for place in where[at]]
        if len({at for at, _ in found}) < _FOUND * len(word.group()):
            continue
        rows.extend(_rows(found, origins, letters, page))
    last = max((at for at, places in enumerate(where) if places), default=-1)
    start, end = spans[-1]
    rest = origins[last] + 1 if last >= 0 else end
    # A paragraph may go on from one page to the next: what is left of one that began here is looked for there.
    return rows, (rest, end) if start < rest < end and text[rest:end].strip() else None


def _rows(found: Sequence[tuple[int, int]], origins: Sequence[int], letters: _Letters, page: int) -> list[list[int]]:
    """One row for a word, or one for each of its parts where it is divided at a line's end."""
    parts: list[list[tuple[int, int]]] = []
    for at, place in found:
        if parts and _beside(letters.tight[parts[-1][-1][1]], letters.tight[place]):
            parts[-1].append((at, place))
        else:
            parts.append([(at, place)])
    rows = []
    begin = 0
    for part in parts:
        box = _around([letters.loose[place] for _, place in part])
        tight = _around([letters.tight[place] for _, place in part])
        if (box[2] - box[0]) > _WILD * (tight[2] - tight[0]) or (box[3] - box[1]) > _WILD * (tight[3] - tight[1]):
            box = tight
        left, top, right, bottom = (min(WHOLE, max(0, round(edge))) for edge in box)
        start = max(begin, origins[part[0][0]])
        begin = origins[part[-1][0]] + 1
        if left < right and top < bottom and start < begin:
            rows.append([start, begin, page, left, top, right, bottom])
    return rows


def _beside(one: Box, other: Box) -> bool:
    """Say whether two letters of a word stand in the same line."""
    size = max(one[2] - one[0], one[3] - one[1], other[2] - other[0], other[3] - other[1])
    across = max(one[0], other[0]) - min(one[2], other[2])
    down = max(one[1], other[1]) - min(one[3], other[3])
    return max(across, down) <= _NEAR * size


def _around(boxes: Sequence[Box]) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
