"""PDF: pypdf's text with its sizes and positions, put back together into headings, paragraphs and list items."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from pypdf import PasswordType, PdfReader
from pypdf.errors import PyPdfError

from retrieval.errors import UnreadableFile
from retrieval.reading.debris import is_debris
from retrieval.reading.draft import Draft, Reading, collapse
from retrieval.types import BlockKind

__all__ = ["read_pdf"]

_MAX_PAGES = 1000
_REMEDY = "Export it again from the program it was written in, or save its text as .docx or .md."
_BULLET = re.compile(r"^(?:[\x7f\uf0b7\u2022\u25a0\u25cf\u25aa\u2023\u2043*\-\u2013](?=\s|$)|\(?\d{1,2}[.)](?=\s))\s*")
_BROKEN = re.compile(r"[\x00\ufffd]|\(cid:\d+\)")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_HEADING_RATIO = 1.12
_PARAGRAPH_GAP = 1.35


@dataclass(slots=True)
class _Line:
    text: str
    page: int
    y: float
    size: float
    bold: bool


def read_pdf(path: Path, data: bytes) -> Reading:
    """Read a PDF file.

    Returns a Reading whose blocks carry page numbers. Raises UnreadableFile for files that are locked, damaged, too
    long or only pictures.
    """
    reader = _opened(path, data)
    lines: list[_Line] = []
    empty: list[int] = []
    try:
        for number, page in enumerate(reader.pages, start=1):
            found = _lines_of(page, number)
            lines.extend(found)
            if not found:
                empty.append(number)
        title = collapse(str(reader.metadata.title or "") if reader.metadata else "")
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as problem:
        raise UnreadableFile(path, f"it is a damaged PDF ({problem})", _REMEDY) from problem
    if not lines:
        raise UnreadableFile(path, "its pages are pictures without text, probably a scan", "Run text recognition (OCR).")
    draft, damaged = _drafted(lines)
    warnings = []
    if empty:
        warnings.append(f"{path.name}: no text on page {_listed(empty)}. If they are scans, run text recognition (OCR).")
    if damaged:
        warnings.append(f"{path.name}: damaged characters on page {_listed(sorted(damaged))}: left out of what can be quoted.")
    first = next((draft.text[b.start : b.end] for b in draft.blocks if b.kind == "heading" and b.level == 1), "")
    return Reading(draft.text, tuple(draft.blocks), first or title, {}, tuple(warnings))


def _opened(path: Path, data: bytes) -> PdfReader:
    try:
        reader = PdfReader(io.BytesIO(data))
        locked = reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED
        pages = 0 if locked else len(reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError) as problem:
        raise UnreadableFile(path, f"it is a damaged PDF ({problem})", _REMEDY) from problem
    except Exception as problem:
        # Locked with a cipher that needs a package which is not among the dependencies.
        if type(problem).__name__ == "DependencyError":
            locked, pages = True, 0
        else:
            raise
    if locked:
        raise UnreadableFile(path, "it is locked with a password", "Save it without the password.")
    if pages > _MAX_PAGES:
        reason = f"it has {pages:,} pages, more than the {_MAX_PAGES:,} an article may have"
        raise UnreadableFile(path, reason, "Split it into several articles.")
    return reader


def _listed(pages: list[int]) -> str:
    return ", ".join(map(str, pages[:10])) + (" and more" if len(pages) > 10 else "")


def _lines_of(page: Any, number: int) -> list[_Line]:
    """One page's lines in the order in which they are drawn."""
    lines: list[_Line] = []
    current = ""
    where: tuple[float, float, bool] | None = None

    def see(text: str, cm: list[float], tm: list[float], font: dict[str, Any] | None, size: float) -> None:
        nonlocal current, where
        for at, piece in enumerate(text.split("\n")):
            if at:
                end()
            if piece.strip() and (where is None or (len(piece.strip()) > 3 and not current.strip())):
                scale = abs(tm[3] * cm[3]) or 1.0
                y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
                where = (y, round(size * scale, 1), "bold" in str((font or {}).get("/BaseFont", "")).lower())
            current += piece

    def end() -> None:
        nonlocal current, where
        text = collapse(current.translate(_LIGATURES))
        if text and where:
            lines.append(_Line(text, number, *where))
        current, where = "", None

    page.extract_text(visitor_text=see)
    end()
    return lines


def _drafted(lines: list[_Line]) -> tuple[Draft, set[int]]:
    """Lines -> blocks; also the pages on which damaged characters were seen."""
    running = _running(lines)
    weights: Counter[float] = Counter()
    for line in lines:
        weights[line.size] += len(line.text)
    body = weights.most_common(1)[0][0]
    levels = {
        size: min(6, rank)
        for rank, size in enumerate(sorted({s for s in weights if s > body * _HEADING_RATIO}, reverse=True), 1)
    }
    leading = _leading(lines, body)
    words = {word for line in lines for word in re.findall(r"\w+", line.text.lower())}
    draft, damaged = Draft(), set()
    group: list[_Line] = []
    kind: BlockKind = "paragraph"

    def flush() -> None:
        nonlocal group, kind
        if group:
            text = _together(group, words)
            if _BROKEN.search(text):
                damaged.add(group[0].page)
                kind = "debris"
            first = group[0]
            draft.add(kind, text, level=levels.get(first.size, 2) if kind == "heading" else 0, page=first.page)
        group, kind = [], "paragraph"

    for place, line in enumerate(lines):
        if place in running or line.text.isdigit() or is_debris(line.text):
            continue
        bullet = _BULLET.match(line.text)
        numbered = bullet is not None and line.text[0] in "(0123456789"
        heading = (numbered or not bullet) and _is_heading(line, body)
        if bullet or not (group and _same_block(group[-1], line, kind, heading, leading)):
            flush()
            kind = "heading" if heading else "item" if bullet else "paragraph"
        if bullet:
            line = _Line(line.text[bullet.end() :], line.page, line.y, line.size, line.bold)
        group.append(line)
    flush()
    return draft, damaged


def _is_heading(line: _Line, body: float) -> bool:
    return line.size > body * _HEADING_RATIO or (line.bold and len(line.text) <= 90 and line.text[-1] not in ".,;:")


def _same_block(previous: _Line, line: _Line, kind: BlockKind, heading: bool, leading: float) -> bool:
    if heading != (kind == "heading"):
        return False
    if not previous.text:  # a bullet that is drawn by itself, before its words
        return True
    if line.page != previous.page:
        return kind != "heading" and previous.text[-1] not in ".!?:" and line.text[0].islower()
    if heading and line.size != previous.size:
        return False
    gap = previous.y - line.y
    return -0.1 < gap <= leading * _PARAGRAPH_GAP * (line.size / previous.size if heading else 1.0) * (1.4 if heading else 1.0)


def _together(group: list[_Line], words: set[str]) -> str:
    """Join a block's lines, mending words that were divided at a line's end when the whole word occurs elsewhere."""
    text = ""
    for line in group:
        if text.endswith("-") and line.text[:1].islower():
            head = re.findall(r"\w+", text)[-1:]
            tail = re.findall(r"\w+", line.text)[:1]
            whole = bool(head and tail) and (head[0] + tail[0]).lower() in words
            text = (text[:-1] if whole else text) + line.text
        else:
            text = f"{text} {line.text}" if text else line.text
    return text


def _leading(lines: list[_Line], body: float) -> float:
    gaps = [a.y - b.y for a, b in pairwise(lines) if a.page == b.page and a.size == b.size == body and 0 < a.y - b.y < 3 * body]
    # The smaller half are lines of one paragraph, the others stand between paragraphs.
    return median(sorted(gaps)[: len(gaps) // 2 + 1]) if gaps else body * 1.2


def _key(line: _Line) -> str:
    return re.sub(r"\d+", "#", line.text.lower())


def _running(lines: list[_Line]) -> set[int]:
    """Headers and footers, by their place in `lines`: what stands at the top or bottom of most pages, numbers aside."""
    pages: dict[int, list[int]] = {}
    for place, line in enumerate(lines):
        pages.setdefault(line.page, []).append(place)
    edges: list[int] = []
    seen: Counter[str] = Counter()
    for places in pages.values():
        by_height = sorted((place for place in places if len(lines[place].text) <= 120), key=lambda at: -lines[at].y)
        edge = set(by_height[:2] + by_height[-2:])
        edges.extend(edge)
        seen.update({_key(lines[place]) for place in edge})
    return {place for place in edges if seen[_key(lines[place])] >= max(2, (len(pages) + 1) // 2)}
