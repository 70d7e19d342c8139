"""HTML: cleaned by nh3 (a browser's own parsing rules), then walked for blocks."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import nh3

from retrieval.reading.debris import is_debris
from retrieval.reading.decode import decode
from retrieval.reading.draft import ANSWER_MARK, BULLETS, QUESTION_MARK, Draft, Reading, collapse
from retrieval.types import BlockKind

__all__ = ["blocks_of_html", "read_html"]

_DROPPED = {
    "script", "style", "nav", "footer", "aside", "form", "noscript", "template", "iframe", "svg", "math", "object",
    "select", "textarea", "audio", "video", "canvas", "head", "title",
}  # fmt: skip
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_BREAKING = {
    "p", "div", "section", "article", "main", "header", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody",
    "tfoot", "tr", "blockquote", "pre", "figure", "figcaption", "address", "details", "summary", "hr", "body", "html",
}  # fmt: skip
_KEPT = set(_HEADINGS) | _BREAKING | {"br", "td", "th", "caption", "sup", "sub", "b", "strong", "button"}
# A question that opens its answer heads it; so does a defined word.
_HEADING_LIKE = {"summary", "dt"}
_INLINE = {"br", "hr", "sup", "sub", "b", "strong", "button"}
_TYPED_BULLET = re.compile(rf"(?:[{BULLETS}]\s*|[*–-]\s+)(?=\S)")
_MAX_BOLD_HEADING = 110
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title\s*>", re.IGNORECASE | re.DOTALL)


def read_html(path: Path, data: bytes) -> Reading:
    """Read an HTML file; raises UnreadableFile where the bytes are no text."""
    declared = _CHARSET.search(data[:4096])
    text, warnings = decode(path, data, declared.group(1).decode("ascii") if declared else "")
    draft, first_heading = blocks_of_html(text)
    tagged = _TITLE.search(text)
    title = first_heading or (collapse(nh3.clean(tagged.group(1), tags=set())) if tagged else "")
    return Reading(draft.text, tuple(draft.blocks), title, {}, warnings)


def blocks_of_html(html: str) -> tuple[Draft, str]:
    """Walk HTML from any source; returns the draft and the first top-level heading."""
    clean = nh3.clean(html, tags=_KEPT, clean_content_tags=_DROPPED, attributes={})
    walker = _Walker()
    walker.feed(clean)
    walker.close()
    walker.flush()
    return walker.draft, walker.first_heading


class _Walker(HTMLParser):
    """Collects text up to each block's end. Runs on nh3's output only, which is well-formed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.draft = Draft()
        self.first_heading = ""
        self._buffer: list[str] = []
        self._plain = False  # something in the buffer is not bold
        self._level = 1  # of the last heading that is marked as one
        self._cells: list[list[tuple[str, tuple[str, ...], bool]]] = []
        self._stack: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            if self._buffer and self._buffer[-1] == "\n":
                self.flush()
            self._buffer.append("\n")
        elif tag == "hr":
            self.flush()
        elif tag not in {"sup", "sub"}:
            if tag not in _INLINE:
                self.flush()
            if tag == "table":
                self._end_row()
            elif tag in {"td", "th"}:
                self._cells.append([])
            self._stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.flush()
        if tag in self._stack:
            del self._stack[len(self._stack) - 1 - self._stack[::-1].index(tag) :]
        if tag == "tr":
            self._end_row()

    def handle_data(self, data: str) -> None:
        if "button" in self._stack and not any(tag in _HEADINGS or tag in _HEADING_LIKE for tag in self._stack):
            return
        if self._buffer and self._buffer[-1] == "\n" and not data.strip():
            return
        self._buffer.append(data)
        if data.strip() and not {"b", "strong"} & set(self._stack):
            self._plain = True

    def flush(self) -> None:
        """End the block under way; in a table's cell it waits for the end of the row."""
        text = collapse("".join(self._buffer))
        bold = not self._plain
        self._buffer.clear()
        self._plain = False
        if not text:
            return
        if self._cells:
            self._cells[-1].append((text, tuple(self._stack), bold))
        else:
            self._add(text, tuple(self._stack), bold)

    def _end_row(self) -> None:
        """A row of single texts is one item; a row of whole passages only lays out the page."""
        cells, self._cells = self._cells, []
        if all(len(cell) <= 1 for cell in cells) and not any(
            tag in _HEADINGS for cell in cells for part in cell for tag in part[1]
        ):
            self._add(": ".join(text for cell in cells for text, _, _ in cell), ("tr",), False)
        else:
            for text, stack, bold in (part for cell in cells for part in cell):
                self._add(text, tuple(tag for tag in stack if tag != "tr"), bold)

    def _add(self, text: str, stack: tuple[str, ...], bold: bool) -> None:
        heading = next((tag for tag in reversed(stack) if tag in _HEADINGS), "")
        if heading:
            self.first_heading = self.first_heading or (text if heading == "h1" else "")
            self._level = _HEADINGS[heading]
            self.draft.add("heading", text, level=self._level)
            return
        kind: BlockKind = "paragraph"
        if "figcaption" in stack or "caption" in stack or is_debris(text):
            kind = "debris"
        elif _HEADING_LIKE & set(stack) or (bold and not {"li", "tr"} & set(stack) and _may_head(text)):
            self.draft.add("heading", text, level=min(6, self._level + 1))
            return
        elif {"li", "tr", "dd"} & set(stack):
            kind = "item"
        elif (mark := QUESTION_MARK.match(text)) and text[-1] == "?":
            self.draft.add("heading", text[mark.end() :], level=min(6, self._level + 1))
            return
        elif (mark := ANSWER_MARK.match(text)) and self.draft.blocks and self.draft.blocks[-1].kind == "heading":
            text = text[mark.end() :]
        elif typed := _TYPED_BULLET.match(text):
            kind, text = "item", text[typed.end() :]
        self.draft.add(kind, text)


def _may_head(text: str) -> bool:
    """A bold line that could be a heading; a bold sentence is emphasis, and must stay quotable."""
    return len(text) <= _MAX_BOLD_HEADING and text[-1] not in ".,;:!"
