"""The article reader: one whole article of one release, with a quote marked in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from retrieval.types import Article, Block, Clinic
from web.render import digits, review_state

__all__ = ["article_page", "missing_page", "trouble_page"]

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_TEMPLATES.filters["digits"] = digits


@dataclass(slots=True)
class _Piece:
    """A heading, a paragraph or a list as it is drawn; each row is a list of (text, marked, first mark)."""

    kind: str
    rows: list[list[tuple[str, bool, bool]]] = field(default_factory=list)
    level: int = 0
    anchor: str = ""
    page: int = 0


def article_page(article: Article, clinic: Clinic, start: int = -1, end: int = -1) -> str:
    """Draw an article.

    Parameters: the article, the clinic, and the marked quote's offsets; offsets outside the text mark nothing.
    Returns a whole HTML page.
    """
    if not 0 <= start < end <= len(article.text):
        start = end = -1
    pieces = _pieces(article, start, end)
    headings = [piece for piece in pieces if piece.kind == "heading"]
    contents = [(piece.anchor, piece.level, "".join(text for text, _, _ in piece.rows[0])) for piece in headings]
    metadata = article.metadata
    state = review_state(metadata.reviewed_on, metadata.reviewed_by)
    return _TEMPLATES.get_template("reader.html").render(
        article=article,
        clinic=clinic,
        pieces=pieces,
        contents=contents,
        state=state[0].upper() + state[1:],
        marked=any(first for piece in pieces for row in piece.rows for _, _, first in row),
    )


def missing_page(clinic: Clinic) -> str:
    """The page for an article or a release that is no longer there: how to reach a person."""
    return _notice(
        clinic,
        "This page is no longer there",
        "The article may have been changed or taken down since. Please ask your question again in the chat, or contact us.",
    )


def trouble_page(clinic: Clinic) -> str:
    """The page for a fault of ours: the clinic's own words for it, and how to reach a person."""
    card = next(card for card in clinic.cards if card.kind == "trouble")
    return _notice(clinic, card.label, card.text)


def _notice(clinic: Clinic, heading: str, text: str) -> str:
    return _TEMPLATES.get_template("notice.html").render(clinic=clinic, heading=heading, text=text)


def _pieces(article: Article, start: int, end: int) -> list[_Piece]:
    pieces: list[_Piece] = []
    page = 0
    first = True
    for number, block in enumerate(article.blocks):
        if block.kind == "debris" or _is_title(article, block):
            continue
        row = _row(article.text, block, start, end, first)
        first = first and not any(mark for _, mark, _ in row)
        turned = block.page if block.page != page else 0
        page = block.page or page
        if block.kind == "item" and pieces and pieces[-1].kind == "list" and not turned:
            pieces[-1].rows.append(row)
            continue
        kind = {"item": "list", "heading": "heading"}.get(block.kind, "paragraph")
        pieces.append(_Piece(kind, [row], max(2, block.level), f"s{number}", turned))
    return pieces


def _row(text: str, block: Block, start: int, end: int, first: bool) -> list[tuple[str, bool, bool]]:
    """A block's text cut at the mark's edges."""
    cuts = sorted({block.start, block.end, *(at for at in (start, end) if block.start < at < block.end)})
    row = []
    for low, high in pairwise(cuts):
        marked = start <= low and high <= end
        row.append((text[low:high], marked, marked and first))
        first = first and not marked
    return row


def _is_title(article: Article, block: Block) -> bool:
    """The title stands above the text already."""
    return block.kind == "heading" and article.text[block.start : block.end].casefold() == article.title.casefold()
