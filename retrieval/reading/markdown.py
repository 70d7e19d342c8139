"""Markdown: rendered by markdown-it to HTML and read as such; metadata stands in front matter."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml
from markdown_it import MarkdownIt

from retrieval.errors import UnreadableFile
from retrieval.reading.decode import decode
from retrieval.reading.draft import Reading
from retrieval.reading.html import blocks_of_html

__all__ = ["read_markdown"]

_FRONT = re.compile(r"\A(\+\+\+|---)[ \t]*\n(.*?)^\1[ \t]*$\n?", re.DOTALL | re.MULTILINE)

_NAMED = re.compile(r"^[\w-]+[ \t]*:(?:[ \t]|$)", re.MULTILINE)


def read_markdown(path: Path, data: bytes) -> Reading:
    """Read a Markdown file with TOML (+++) or YAML (---) front matter; raises UnreadableFile where either is broken."""
    text, warnings = decode(path, data)
    metadata: dict[str, object] = {}
    front = _FRONT.match(text)
    found = _front_matter(path, front.group(1), front.group(2)) if front else None
    if front and found is not None:
        metadata = found
        text = text[front.end() :]
    draft, title = blocks_of_html(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    return Reading(draft.text, tuple(draft.blocks), title, metadata, warnings)


def _front_matter(path: Path, fence: str, source: str) -> dict[str, object] | None:
    """The values between two fences; None where prose stands between them, which are then rules and no fences."""
    if fence == "---" and not _NAMED.search(source):
        return {} if not source.strip() else None
    try:
        found = tomllib.loads(source) if fence == "+++" else yaml.safe_load(source)
    except (ValueError, yaml.YAMLError) as problem:  # ValueError: TOML's own, and dates and numbers that cannot be
        reason = f"the lines between {fence} at its top cannot be read{_place(problem)}"
        raise UnreadableFile(path, reason, "Mend them or take them out.") from problem
    if not isinstance(found, dict):
        return None
    return {str(key): value for key, value in found.items()}


def _place(problem: Exception) -> str:
    """Which line of the file it is; the first of them stands below the fence."""
    mark = getattr(problem, "problem_mark", None)
    found = re.search(r"\(at line (\d+), column \d+\)$", str(problem)) if isinstance(problem, tomllib.TOMLDecodeError) else None
    line = mark.line + 1 if mark else int(found.group(1)) if found else 0
    return f" (line {line + 1})" if line else ""
