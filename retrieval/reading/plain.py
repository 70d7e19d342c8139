"""Plain text: the file is the canonical text; headings, lists and debris are found by how lines look."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from retrieval.reading.debris import is_caption, is_debris, strip_lead_in
from retrieval.reading.decode import decode
from retrieval.reading.draft import ANSWER_MARK, BULLETS, QUESTION_MARK, Reading
from retrieval.types import Block, BlockKind

__all__ = ["read_plain"]

_ITEM = re.compile(rf"\s*(?:[{BULLETS}*+–—-]|o(?=\s)|\(?(?P<number>\d{{1,2}})[.)]|\(?[a-z][.)])\s+(?=\S)")
_RULE = re.compile(r"\s*([-=_*~#])\1{2,}\s*$")
_HEADING_MARK = re.compile(
    rf"(?:(?:step|part|chapter)\s+)?\d{{1,2}}(?:\.\d{{1,2}})*[.):]?\s+|#{{1,6}}\s+|{QUESTION_MARK.pattern}", re.IGNORECASE
)
# A sentence that begins like this is no heading, however short.
_OPENERS = frozenset(
    "the a an this that these those it its he she they we you your i there here in on at for if when while but and so "
    "yes no some most many please however also".split()
)
_QUESTION = re.compile(r"(?:so |and |but )?(?:how|what|which|when|where|why|who|is|are|do|does|can|will|should)\b[^.]*\?", re.I)
_CLOSING = re.compile(r"(?:in (?:conclusion|summary|short)|to (?:conclude|sum up|summari[sz]e)|overall),", re.I)
_MAX_HEADING_WORDS = 16
_MAX_QUESTION_WORDS = 20
_MAX_HEADING_CHARACTERS = 110
_MAX_IMPERATIVE_WORDS = 5
_WRAPPED_AT = 50


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int  # without trailing white space
    text: str
    blank_before: int  # blank lines above it


def read_plain(path: Path, data: bytes) -> Reading:
    """Read a text file.

    Returns a Reading whose text is the file's own, so that offsets are those of the file in Python's text mode.
    Raises UnreadableFile where the bytes are no text.
    """
    text, warnings = decode(path, data)
    blocks = _joined(_lines(text))
    blocks, title = _classified(text, blocks)
    return Reading(text, tuple(blocks), title, {}, warnings)


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    blank = position = 0
    for raw in text.split("\n"):
        stripped = raw.strip()
        if not stripped or _RULE.match(raw):
            blank += 1 if not stripped else 0
        else:
            start = position + raw.index(stripped)
            lines.append(_Line(start, start + len(stripped), stripped, blank))
            blank = 0
        position += len(raw) + 1
    return lines


def _joined(lines: list[_Line]) -> list[Block]:
    """Lines -> blocks: list items stand alone, hard-wrapped lines are put together."""
    blocks: list[Block] = []
    previous: _Line | None = None
    for number, line in enumerate(lines):
        marker = _ITEM.match(line.text)
        opens = line.blank_before >= 2
        if marker and not (
            marker.group("number")
            and _is_heading_line(line.text[marker.end() :], marked=True)
            and not _counts_on(lines[number : number + 2])
            and not _counts_on(lines[max(0, number - 1) : number + 1])
        ):
            blocks.append(Block("item", line.start + marker.end(), line.end, opens=opens))
        elif previous and line.blank_before == 0 and _continues(previous, line):
            blocks[-1] = blocks[-1]._replace(end=line.end)
        else:
            blocks.append(Block("paragraph", line.start, line.end, opens=opens))
        previous = line
    return blocks


def _counts_on(pair: list[_Line]) -> bool:
    """Say whether two lines are neighbouring points of a numbered list, with no text under the first."""
    numbers = [int(marker.group("number") or 0) for line in pair if (marker := _ITEM.match(line.text))]
    return len(numbers) == 2 and 0 < numbers[0] == numbers[1] - 1


def _continues(previous: _Line, line: _Line) -> bool:
    """A line goes on from the one above when it begins in lower case, or that one introduces it or ends at a margin."""
    if line.text[0].islower() or previous.text[-1] == ":":  # "Day 1:" says nothing without the line below
        return True
    return previous.text[-1] not in ".!?:" and _WRAPPED_AT <= len(previous.text) <= 100 and len(line.text) <= 100


def _is_heading_line(text: str, *, marked: bool = False, opens: bool = False) -> bool:
    """Say whether a line by itself looks like a heading.

    `marked`: a number stood before it; "3. During The Treatment" is a heading, "3. Keep the skin moist:" is not.
    `opens`: it stands well apart from what is above, so a question with more words after it may be a heading too.
    """
    body = _HEADING_MARK.sub("", text, count=1) or text
    words = body.split()
    asked = _QUESTION.match(body)
    if asked and len(words) <= _MAX_QUESTION_WORDS and not marked and (opens or asked.end() == len(body)):
        return True
    if not words or len(words) > _MAX_HEADING_WORDS or len(body) > _MAX_HEADING_CHARACTERS:
        return False
    first = body[0]
    if not (first.isupper() or first.isdigit() or first in "\"'“‘¿") or body[-1] in ",;:…":
        return False
    if marked:
        return len(words) <= 8 and body[-1] not in ".!" and _is_title_case(words)
    if re.search(r"[.!]\s+\S", body):
        return False
    if body[-1] in ".!":
        # "Prepare for the treatment." heads a step; "The answer is, it depends." is an answer.
        return len(words) <= _MAX_IMPERATIVE_WORDS and "," not in body and words[0].lower() not in _OPENERS
    return True


def _is_title_case(words: list[str]) -> bool:
    capitals = sum(word[0].isupper() or not word[0].isalpha() for word in words)
    return capitals >= max(1, (len(words) + 1) // 2)


def _classified(text: str, blocks: list[Block]) -> tuple[list[Block], str]:
    """Tell headings, captions and debris from paragraphs, and find the title."""
    title, title_at = "", -1
    done: list[Block] = []
    for number, block in enumerate(blocks):
        line = text[block.start : block.end]
        kind: BlockKind = block.kind
        level = 0
        after_heading = bool(done) and done[-1].kind == "heading" and len(done) - 1 != title_at
        if is_debris(line):
            kind = "debris"
            rest = strip_lead_in(line)
            if not title and rest != line:
                title = rest
        elif kind == "paragraph" and title and len(line) < 200 and is_caption(line, title, after_heading=after_heading):
            kind = "debris"
        elif kind == "paragraph" and _heads_something(text, blocks, number) and _is_heading_line(line, opens=block.opens):
            kind, level = "heading", 2
            mark = _HEADING_MARK.match(line)
            if mark and mark.end() < len(line):
                block = block._replace(start=block.start + mark.end())
            if not title and number < 6 and not (mark and _asks(text, block)):
                title, title_at, level = line, len(done), 1
        elif _CLOSING.match(line):
            block = block._replace(opens=True)
        elif after_heading and (mark := ANSWER_MARK.match(line)):
            block = block._replace(start=block.start + mark.end())
        done.append(block._replace(kind=kind, level=level))
    return done, title


def _heads_something(text: str, blocks: list[Block], number: int) -> bool:
    """A heading stands on one line with text below it, and the last such line of a file is no heading."""
    block = blocks[number]
    if "\n" in text[block.start : block.end]:
        return False
    if _answers(text, blocks, number) or _in_run(text, blocks, number):
        return False
    return any(_is_body(text, blocks, later) for later in range(number + 1, min(number + 4, len(blocks))))


def _is_body(text: str, blocks: list[Block], number: int) -> bool:
    if not _may_head(text, blocks[number]):
        return True
    return _answers(text, blocks, number) or _in_run(text, blocks, number)


def _may_head(text: str, block: Block) -> bool:
    return block.kind != "item" and _is_heading_line(text[block.start : block.end], opens=block.opens)


def _asks(text: str, block: Block) -> bool:
    return text[block.end - 1] == "?" and _may_head(text, block)


def _answers(text: str, blocks: list[Block], number: int) -> bool:
    """A short sentence under a heading ("Stay inside."), or words under a question ("Three to five") that head nothing."""
    if not number or _asks(text, blocks[number]):
        return False
    if text[blocks[number].end - 1] in ".!":
        return _may_head(text, blocks[number - 1]) or _right_under(text, blocks, number)
    last = number + 1 == len(blocks)
    return _asks(text, blocks[number - 1]) and (last or _asks(text, blocks[number + 1]))


def _right_under(text: str, blocks: list[Block], number: int) -> bool:
    return text[blocks[number - 1].end : blocks[number].start].count("\n") == 1


def _in_run(text: str, blocks: list[Block], number: int) -> bool:
    """Short lines right under one another say something each (a price list, opening hours); only a file's first heads."""
    return any(
        0 < upper < len(blocks) - 1
        and _right_under(text, blocks, upper + 1)
        and all(_may_head(text, block) and not _asks(text, block) for block in blocks[upper : upper + 2])
        for upper in (number - 1, number)
    )
