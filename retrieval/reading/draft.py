"""What a format's reader hands back: canonical text, blocks over it, and what it noticed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.errors import UnreadableFile
from retrieval.types import Block, BlockKind, Sentence

__all__ = ["ANSWER_MARK", "BULLETS", "MAX_CHARACTERS", "QUESTION_MARK", "Draft", "Reading", "collapse", "named", "whole"]

_HALVES = re.compile(r"[\ud800-\udfff]")
MAX_CHARACTERS = 1_000_000
# What stands before a list item in files of all kinds, the symbol fonts of word processors included.
BULLETS = (
    "\u2022\u2023\u2043\u25aa\u25e6\u00b7\u25cf\u25cb\u25a0\u25a1"
    "\u25c6\u27a2\u27a4\u25ba\u25b6\u2192\u2713\u2714\u2756\uf0b7\uf0a7\uf0d8\uf0fc"
)
# "Q: Does it hurt?", "A1. A little."
QUESTION_MARK = re.compile(r"q(?:uestion)?\s?\d{0,2}\s?[:.)]\s*", re.IGNORECASE)
ANSWER_MARK = re.compile(r"a(?:ns(?:wer)?)?\s?\d{0,2}\s?[:.)]\s+(?=\S)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """One file, read: `text` is canonical, `blocks` are spans of it in order, `metadata` is as the file says.

    `sentences` are those that can be quoted; a format's reader leaves them to the sandbox's child.
    """

    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    metadata: dict[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    sentences: tuple[Sentence, ...] = ()


class Draft:
    """Canonical text in the making, for formats whose markup is left behind: one block after another."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []

    def add(self, kind: BlockKind, text: str, *, level: int = 0, page: int = 0, opens: bool = False) -> None:
        """Append a block. `text` has its white space folded; an empty block is left out."""
        text = collapse(text)
        if not text:
            return
        if self._parts:
            separator = "\n" if kind == "item" and self.blocks[-1].kind == "item" else "\n\n"
            self._parts.append(separator)
            self._length += len(separator)
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        self.blocks.append(Block(kind, start, self._length, level, page, opens))

    @property
    def text(self) -> str:
        """The canonical text so far."""
        return "".join(self._parts)


def collapse(text: str) -> str:
    """Fold every run of white space, no-break spaces included, to one blank and drop soft hyphens."""
    return " ".join(whole(text).replace("\u00ad", "").replace("\u200b", "").split())


def whole(text: str) -> str:
    """Put halves of characters together, as PDF and YAML can hold them; one without its other half is U+FFFD."""
    if text.isascii() or not _HALVES.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def named(path: Path, reading: Reading) -> Reading:
    """Check a reading: it has text that can be quoted and is not absurdly long, or UnreadableFile is raised."""
    if not any(block.kind in {"paragraph", "item"} for block in reading.blocks):
        raise UnreadableFile(path, "it holds no text that could be quoted", "Add text to it or remove it.")
    if len(reading.text) > MAX_CHARACTERS:
        reason = f"it holds {len(reading.text):,} characters, more than the {MAX_CHARACTERS:,} an article may have"
        raise UnreadableFile(path, reason, "Split it into several articles.")
    return reading
