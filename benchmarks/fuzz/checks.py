"""What must be true of an article that was read, and of a message that refuses one. Each gives what is wrong, or nothing."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import asdict
from itertools import pairwise

from PIL import Image

from retrieval.errors import UnreadableFile
from retrieval.reading.sheets import Sheets
from retrieval.types import Article

__all__ = ["article_faults", "message_faults", "sheet_faults"]

_LONGEST_MESSAGE = 600
# What only a programmer understands, or what tells of the machine.
_INTERNAL = re.compile(
    r"Traceback|\b\w+(?:Error|Exception)\b|<class|<[\w. ]+ at 0x|\bb'|\bdatetime\.|\bNone\b|\.py\b|"
    r"/(?:tmp|root|home|usr|etc|var|proc)/"
)


def message_faults(problem: UnreadableFile, name: str) -> list[str]:
    """A refusal names its file, says why and what to do, on one line that anybody can read."""
    said = str(problem)
    names = {name, name.rsplit(".", 1)[0] + ".toml"}
    found = _line_faults(said)
    if not any(said.startswith(f"{each}: ") for each in names):
        found.append("the message does not begin with the file's name")
    if len(problem.reason) < 5 or problem.reason.endswith("."):
        found.append("the message gives no reason")
    if len(problem.remedy) < 8 or not problem.remedy.endswith("."):
        found.append("the message does not say what to do")
    return found


def _line_faults(said: str) -> list[str]:
    found = []
    if not said.isprintable() or not said.strip():
        found.append("a message of more than one line, or with what cannot be seen")
    if len(said) > _LONGEST_MESSAGE:
        found.append(f"a message of {len(said):,} characters")
    if _INTERNAL.search(said):
        found.append(f"a message that speaks of the program's insides: {_INTERNAL.findall(said)[:3]}")
    return found


def article_faults(article: Article) -> list[str]:
    """An article's spans lie in its text, in order, and it can be written."""
    text, found = article.text, [fault for warning in article.warnings for fault in _line_faults(warning)]
    try:
        json.dumps(asdict(article), ensure_ascii=False, default=str).encode()
    except ValueError as problem:
        found.append(f"cannot be written: {type(problem).__name__}")
        return found
    if article.digest != hashlib.sha256(text.encode()).hexdigest():
        found.append("the digest is of another text")
    if not article.title.strip() or "\n" in article.title:
        found.append("no title, or one of several lines")
    for what, spans in (("blocks", article.blocks), ("sections", article.sections), ("sentences", article.sentences)):
        if not spans or not all(0 <= one.start < one.end <= len(text) for one in spans):
            found.append(f"no {what}, or some outside of the text")
        if not all(one.end <= other.start for one, other in pairwise(spans)):
            found.append(f"{what} out of order")
    return found or _sentence_faults(article)


def _sentence_faults(article: Article) -> list[str]:
    found = set()
    ends = {block.end for block in article.blocks}
    for sentence in article.sentences:
        said = article.text[sentence.start : sentence.end]
        if not (0 <= sentence.block < len(article.blocks) and 0 <= sentence.section < len(article.sections)):
            return ["a sentence of a block or section that is not there"]
        block, section = article.blocks[sentence.block], article.sections[sentence.section]
        if said != said.strip():
            found.add("a sentence with blanks at its ends")
        if block.kind in {"heading", "debris"}:
            found.add("a sentence of a heading or of debris")
        if not (block.start <= sentence.start < block.end and (sentence.end <= block.end or sentence.end in ends)):
            found.add("a sentence that is not of its block")
        if not section.start <= sentence.start < sentence.end <= section.end:
            found.add("a sentence that is not of its section")
        if sentence.page != block.page:
            found.add("a sentence on another page than its block")
    return sorted(found)


def sheet_faults(sheets: Sheets, article: Article) -> list[str]:
    """A PDF's pictures are pictures of the sizes that are said, and its words lie on them."""
    try:
        Sheets.checked(sheets.pictures, sheets.sizes.tolist(), sheets.words.tolist(), len(article.text))
    except (ValueError, TypeError, OverflowError) as problem:
        return [f"sheets that cannot be: {problem}"]
    for picture, size in zip(sheets.pictures, sheets.sizes.tolist(), strict=True):
        with Image.open(io.BytesIO(picture)) as image:
            if list(image.size) != size:
                return ["a picture of another size"]
    return []
