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


def read_markdown(path: Path, data: bytes) -> Reading:
    """Read a Markdown file with TOML (+++) or YAML (---) front matter; raises UnreadableFile where either is broken."""
    text, warnings = decode(path, data)
    metadata: dict[str, object] = {}
    front = _FRONT.match(text)
    if front:
        metadata = _front_matter(path, front.group(1), front.group(2))
        text = text[front.end() :]
    draft, title = blocks_of_html(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    return Reading(draft.text, tuple(draft.blocks), title, metadata, warnings)


def _front_matter(path: Path, fence: str, source: str) -> dict[str, object]:
    try:
        found = tomllib.loads(source) if fence == "+++" else yaml.safe_load(source)
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as problem:
        reason = f"the lines between {fence} at its top cannot be read ({str(problem).splitlines()[0]})"
        raise UnreadableFile(path, reason, "Mend them or take them out.") from problem
    if not isinstance(found, dict):
        return {}
    return {str(key): value for key, value in found.items()}
