"""The article reader: one whole article of one release, with a quote marked in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote as url_quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from retrieval.types import Article, Block, Clinic, Place
from web.render import digits, overdue, review_state
from web.words import FIRST, Words

__all__ = [
    "Printed", "Standing", "accessibility_page", "article_page", "missing_page", "privacy_page", "taken_down_page",
    "trouble_page",
]  # fmt: skip

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_TEMPLATES.filters["digits"] = digits


@dataclass(frozen=True, slots=True)
class Printed:
    """The pages of a PDF article: the release that has their pictures, widths and heights in pixels, page 1 first, where
    the quote stands on them, the page that was asked for (any other number: the quote's), and the screens' language.
    """

    release: str
    sizes: tuple[tuple[int, int], ...]
    places: tuple[Place, ...] = ()
    page: int = -1
    lang: str = FIRST


@dataclass(frozen=True, slots=True)
class Standing:
    """What a reader must know before reading: the review is overdue; the release that has a newer text, if one has."""

    overdue: bool = False
    newer: str = ""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One page as it is drawn: its address, its neighbours' (empty where there are none), and marks in per cent."""

    page: int
    pages: int
    width: int
    height: int
    picture: str
    before: str
    after: str
    quote: str
    quote_page: int
    marks: tuple[tuple[str, str, str, str], ...]
    opened: bool


_AS_IT_IS = Standing()


@dataclass(slots=True)
class _Piece:
    """A heading, a paragraph or a list as it is drawn; each row is a list of (text, marked, first mark)."""

    kind: str
    rows: list[list[tuple[str, bool, bool]]] = field(default_factory=list)
    level: int = 0
    anchor: str = ""
    page: int = 0


def article_page(
    article: Article, clinic: Clinic, words: Words, start: int = -1, end: int = -1, printed: Printed | None = None,
    standing: Standing = _AS_IT_IS,
) -> str:  # fmt: skip
    """Draw an article.

    Parameters: the article, the clinic, the screens' words, the marked quote's offsets (offsets outside the text mark
    nothing), its printed pages, if there are any, and how it stands.
    Returns a whole HTML page.
    """
    if not 0 <= start < end <= len(article.text):
        start = end = -1
    pieces = _pieces(article, start, end)
    headings = [piece for piece in pieces if piece.kind == "heading"]
    contents = [(piece.anchor, piece.level, "".join(text for text, _, _ in piece.rows[0])) for piece in headings]
    metadata = article.metadata
    state = review_state(metadata.reviewed_on, metadata.reviewed_by, words)
    return _TEMPLATES.get_template("reader.html").render(
        article=article,
        clinic=clinic,
        words=words,
        pieces=pieces,
        contents=contents,
        state=state[0].upper() + state[1:],
        overdue=overdue(metadata.review_by, words) if standing.overdue else "",
        newer=_reader_url(article, standing.newer, words.code) if standing.newer else "",
        marked=any(first for piece in pieces for row in piece.rows for _, _, first in row),
        sheet=_sheet(article, printed, start, end) if printed and printed.sizes else None,
        turned_to=(lambda page: _page_url(article, printed, start, end, page)) if printed else None,
    )


def missing_page(clinic: Clinic, words: Words) -> str:
    """The page for an article or a release that is no longer there: how to reach a person."""
    return _notice(clinic, words, words("reader.missing"), words("reader.missing_text"))


def taken_down_page(clinic: Clinic, words: Words) -> str:
    """The page for an article that is withdrawn, by staff or since its review is overdue: how to reach a person."""
    return _notice(clinic, words, words("reader.taken_down"), words("reader.taken_down_text"))


def trouble_page(clinic: Clinic, words: Words) -> str:
    """The page for a fault of ours: the clinic's own words for it, and how to reach a person."""
    cards = {card.language: card for card in clinic.cards if card.kind == "trouble"}
    card = cards.get(words.code) or cards[FIRST]
    return _notice(clinic, words, card.label, card.text)


def privacy_page(clinic: Clinic, words: Words) -> str:
    """The page that says what is kept of a patient's visit, and what is not."""
    return _TEMPLATES.get_template("privacy.html").render(clinic=clinic, words=words)


def accessibility_page(clinic: Clinic, words: Words) -> str:
    """The page that says for whom the chat is made, how that was tested, and what is not perfect."""
    return _TEMPLATES.get_template("accessibility.html").render(clinic=clinic, words=words)


def _sheet(article: Article, printed: Printed, start: int, end: int) -> _Sheet:
    """The page that was asked for, or the quote's, or the first."""
    pages = len(printed.sizes)
    asked = 1 <= printed.page <= pages
    quote_page = printed.places[0].page if start >= 0 and printed.places else 0
    on = next((block.page for block in article.blocks if start >= 0 and block.end > start), 1)
    page = printed.page if asked else quote_page or min(max(1, on), pages)
    width, height = printed.sizes[page - 1]

    def address(other: int) -> str:
        return _page_url(article, printed, start, end, other)

    return _Sheet(
        page=page,
        pages=pages,
        width=width,
        height=height,
        picture=f"/sheet/{url_quote(printed.release)}/{url_quote(article.doc)}?page={page}",
        before=address(page - 1),
        after=address(page + 1),
        quote=address(quote_page),
        quote_page=quote_page,
        marks=tuple(_per_cent(place) for place in printed.places if start >= 0 and place.page == page),
        opened=asked,
    )


def _page_url(article: Article, printed: Printed, start: int, end: int, page: int) -> str:
    """The address of the same quote with another page beside it; empty where there is no such page."""
    if not 1 <= page <= len(printed.sizes):
        return ""
    marked = f"start={start}&end={end}&" if start >= 0 else ""
    screen = "" if printed.lang == FIRST else f"&lang={printed.lang}"
    return f"/read/{url_quote(printed.release)}/{url_quote(article.doc)}?{marked}page={page}{screen}#sheet"


def _reader_url(article: Article, release: str, lang: str) -> str:
    """The address of the same article in another release."""
    return f"/read/{url_quote(release)}/{url_quote(article.doc)}" + ("" if lang == FIRST else f"?lang={lang}")


def _per_cent(place: Place) -> tuple[str, str, str, str]:
    edges = (place.left, place.top, place.right - place.left, place.bottom - place.top)
    left, top, width, height = (f"{100 * edge:.2f}%" for edge in edges)
    return left, top, width, height


def _notice(clinic: Clinic, words: Words, heading: str, text: str) -> str:
    return _TEMPLATES.get_template("notice.html").render(clinic=clinic, words=words, heading=heading, text=text)


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
