"""HTML: cleaned by nh3 (a browser's own parsing rules), then walked for blocks."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import nh3

from retrieval.reading.debris import is_debris
from retrieval.reading.decode import decode
from retrieval.reading.draft import Draft, Reading, collapse
from retrieval.types import BlockKind

__all__ = ["blocks_of_html", "read_html"]

_DROPPED = {
    "script", "style", "nav", "footer", "aside", "form", "noscript", "template", "iframe", "svg", "math", "object",
    "select", "button", "textarea", "audio", "video", "canvas", "head", "title",
}  # fmt: skip
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_BREAKING = {
    "p", "div", "section", "article", "main", "header", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody",
    "tfoot", "tr", "blockquote", "pre", "figure", "figcaption", "address", "details", "summary", "hr", "body", "html",
}  # fmt: skip
_KEPT = set(_HEADINGS) | _BREAKING | {"br", "td", "th", "caption", "sup", "sub"}
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
        self._cells: list[str] = []
        self._stack: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._buffer.append("\n")
            return
        if tag == "hr":
            self.flush()
            return
        if tag in {"sup", "sub"}:
            return
        if tag not in {"td", "th"}:
            self.flush()
        self._stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._cells.append(collapse("".join(self._buffer)))
            self._buffer.clear()
        elif tag == "tr":
            self._buffer.append(": ".join(cell for cell in self._cells if cell))
            self._cells.clear()
            self.flush()
        elif tag not in {"br", "hr", "sup", "sub"}:
            self.flush()
        if tag in self._stack:
            del self._stack[len(self._stack) - 1 - self._stack[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        self._buffer.append(data)

    def flush(self) -> None:
        """End the block under way."""
        text = collapse("".join(self._buffer))
        self._buffer.clear()
        if not text:
            return
        heading = next((tag for tag in reversed(self._stack) if tag in _HEADINGS), "")
        if heading:
            self.first_heading = self.first_heading or (text if heading == "h1" else "")
            self.draft.add("heading", text, level=_HEADINGS[heading])
            return
        kind: BlockKind = "paragraph"
        if "figcaption" in self._stack or "caption" in self._stack or is_debris(text):
            kind = "debris"
        elif {"li", "tr", "dd"} & set(self._stack):
            kind = "item"
        self.draft.add(kind, text)
