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
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

from retrieval.errors import UnreadableFile
from retrieval.reading.debris import is_debris
from retrieval.reading.draft import BULLETS, Draft, Reading, collapse
from retrieval.types import BlockKind

__all__ = ["read_pdf"]

_MAX_PAGES = 1000
_REMEDY = "Export it again from the program it was written in, or save its text as .docx or .md."
_BULLET = re.compile(rf"^(?:[\x7f{BULLETS}*–o-](?=\s|$)|\(?\d{{1,2}}[.)](?=\s))\s*")
# What programs call a file that nobody gave a title.
_NO_TITLE = re.compile(r"untitled|microsoft word|.*\.(?:docx?|odt|pdf|indd|html?)$", re.IGNORECASE)
_BROKEN = re.compile(r"[\x00\ufffd]|\(cid:\d+\)")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_HEADING_RATIO = 1.12
_MAX_HEADING = 160
_MAX_SENTENCE = 8  # words; a longer one in large type is a paragraph
_SOFT_HYPHEN = "\u00ad"
_TOO_MUCH = "it holds, or unpacks to, far more than an article has"
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
        title = _title_of(reader)
    except LimitReachedError as problem:
        raise UnreadableFile(path, _TOO_MUCH, _REMEDY) from problem
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as problem:
        raise UnreadableFile(path, "it is a damaged PDF", _REMEDY) from problem
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


def _title_of(reader: PdfReader) -> str:
    title = collapse(str(reader.metadata.title or "")) if reader.metadata else ""
    return "" if _NO_TITLE.match(title) else title


def _opened(path: Path, data: bytes) -> PdfReader:
    try:
        reader = PdfReader(io.BytesIO(data))
        locked = reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED
        pages = 0 if locked else len(reader.pages)
    except DependencyError:
        # Locked with a cipher that needs a package which is not among the dependencies.
        locked, pages = True, 0
    except LimitReachedError as problem:
        raise UnreadableFile(path, _TOO_MUCH, _REMEDY) from problem
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError) as problem:
        raise UnreadableFile(path, "it is a damaged PDF", _REMEDY) from problem
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
                where = (y, round(size * scale, 1), True)
            if where and piece.strip() and "bold" not in str((font or {}).get("/BaseFont", "")).lower():
                where = (*where[:2], False)  # one word in bold makes no bold line
            current += piece

    def end() -> None:
        nonlocal current, where
        text = collapse(current.translate(_LIGATURES))
        if text and where:
            line = _Line(text + (_SOFT_HYPHEN if current.rstrip().endswith(_SOFT_HYPHEN) else ""), number, *where)
            if lines and _beside(lines[-1], line):
                lines[-1].text += f" {line.text}"
            else:
                lines.append(line)
        current, where = "", None

    page.extract_text(visitor_text=see)
    end()
    return lines


def _beside(left: _Line, right: _Line) -> bool:
    """Say whether two pieces of text are of one line: cells of a table's row, a list's number and its words."""
    return abs(left.y - right.y) < 0.1 * left.size and left.size == right.size and len(left.text) + len(right.text) <= 90


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
    headings = _headings(lines, body, leading)
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
            elif is_debris(text):
                kind = "debris"
            first = group[0]
            draft.add(kind, text, level=levels.get(first.size, 2) if kind == "heading" else 0, page=first.page)
        group, kind = [], "paragraph"

    for place, line in enumerate(lines):
        if place in running:
            continue
        bullet = _BULLET.match(line.text)
        numbered = bullet is not None and line.text[0] in "(0123456789"
        heading = (numbered or not bullet) and place in headings
        if bullet or not (group and _same_block(group[-1], line, kind, heading, leading * max(1.0, line.size / body))):
            flush()
            kind = "heading" if heading else "item" if bullet else "paragraph"
        if bullet:
            line = _Line(line.text[bullet.end() :], line.page, line.y, line.size, line.bold)
        group.append(line)
    flush()
    return draft, damaged


def _headings(lines: list[_Line], body: float, leading: float) -> set[int]:
    """Headings, by their place in `lines`: large or bold lines that are not a whole paragraph, nor go on in plain text."""
    found: set[int] = set()
    place = 0
    while place < len(lines):
        first = lines[place]
        large = first.size > body * _HEADING_RATIO
        last = place
        if large or first.bold:
            while last + 1 < len(lines) and _looks_alike(
                lines[last], lines[last + 1], 1.4 * leading * max(1.0, first.size / body)
            ):
                last += 1
            text = " ".join(line.text for line in lines[place : last + 1])
            after = lines[last + 1] if last + 1 < len(lines) else None
            goes_on = after is not None and after.page == first.page and after.text[0].islower()
            if len(text) <= _MAX_HEADING and not goes_on and not _is_sentence(text, large=large):
                found.update(range(place, last + 1))
        place = last + 1
    return found


def _is_sentence(text: str, *, large: bool) -> bool:
    if large:
        return text[-1] in ".!" and len(text.split()) > _MAX_SENTENCE
    return text[-1] in ".,;:!"


def _looks_alike(line: _Line, following: _Line, leading: float) -> bool:
    gap = line.y - following.y
    same = (line.page, line.size, line.bold) == (following.page, following.size, following.bold)
    return same and 0 < gap <= leading * _PARAGRAPH_GAP and not _BULLET.match(following.text)


def _same_block(previous: _Line, line: _Line, kind: BlockKind, heading: bool, leading: float) -> bool:
    if heading != (kind == "heading"):
        return False
    if not previous.text:  # a bullet that is drawn by itself, before its words
        return True
    if line.page != previous.page or line.y > previous.y + previous.size:  # the next page, or the next column
        return kind != "heading" and previous.text[-1] not in ".!?:" and line.text[0].islower()
    if heading and line.size != previous.size:
        return False
    gap = previous.y - line.y
    return -0.1 < gap <= leading * _PARAGRAPH_GAP * (line.size / previous.size if heading else 1.0) * (1.4 if heading else 1.0)


def _together(group: list[_Line], words: set[str]) -> str:
    """Join a block's lines, mending words that were divided at a line's end when the whole word occurs elsewhere."""
    text = ""
    for line in group:
        if text.endswith(_SOFT_HYPHEN):
            text += line.text  # collapsing drops the hyphen
        elif text.endswith("-") and line.text[:1].islower():
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
    numbers = {place for place in edges if lines[place].text.isdigit()}
    return numbers | {place for place in edges if seen[_key(lines[place])] >= max(2, (len(pages) + 1) // 2)}
