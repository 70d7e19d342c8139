"""A PDF's pages as pictures, and each word's rectangle on them: over the word, or not there."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText
from pypdf.generic import RectangleObject
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, ListFlowable, ListItem, PageTemplate, Table
from samples import LONG, body, heading, locked, new_page, pdf, pdf_lines, pdf_of_picture, read, refused
from support import ROOT

from retrieval.reading import drawing
from retrieval.reading.drawing import Drawn, draw_pdf
from retrieval.reading.sheets import WHOLE, Sheets

ARTICLES = sorted((ROOT / "corpus" / "articles").glob("*.pdf"))


def drawn_of(data: bytes) -> tuple[str, Drawn]:
    """A PDF's canonical text, and its pages drawn in this process, as the sandbox's child does."""
    reading = read("a.pdf", data)
    blocks = [(block.start, block.end, block.page) for block in reading.blocks]
    return reading.text, draw_pdf(Path("a.pdf"), data, reading.text, blocks)


def sheets_of(data: bytes) -> tuple[str, Sheets]:
    text, drawn = drawn_of(data)
    return text, Sheets.checked(tuple(drawn.pictures), drawn.sizes, drawn.words, len(text))


def picture(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def ink_outside(drawn: Drawn, page: int) -> float:
    """How much of a page's dark pixels stand outside all words' rectangles."""
    dark = picture(drawn.pictures[page - 1]) < 100
    height, width = dark.shape
    covered = np.zeros_like(dark)
    for _, _, on, left, top, right, bottom in drawn.words:
        if on == page:
            rows = slice(top * height // WHOLE, -(-bottom * height // WHOLE) + 1)
            covered[rows, left * width // WHOLE : -(-right * width // WHOLE) + 1] = True
    assert dark.any()
    return float((dark & ~covered).sum() / dark.sum())


def solid(text: str) -> str:
    return re.sub(r"[\s\u2022-]|\ufffe|\x02", "", text)


def said_inside(data: bytes, page: int, left: float, top: float, right: float, bottom: float) -> str:
    """What pdfium reads inside a rectangle of a page that is neither turned nor cropped."""
    with pypdfium2.PdfDocument(data) as document:
        width, height = document[page - 1].get_size()
        text = document[page - 1].get_textpage()
        return str(text.get_text_bounded(left * width, (1 - bottom) * height, right * width, (1 - top) * height))


def two_columns() -> bytes:
    out = io.BytesIO()
    document = BaseDocTemplate(out)
    document.addPageTemplates(PageTemplate(frames=[Frame(50, 50, 240, 200), Frame(305, 50, 240, 200)]))
    document.build([heading("Left"), body(LONG * 2), heading("Right"), body(LONG)])
    return out.getvalue()


def with_ligatures() -> bytes:
    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setFont("Vera", 12)
    canvas.drawString(72, 700, "The \ufb01rst \ufb02ush of redness fades in a few days.")
    canvas.save()
    return out.getvalue()


def divided() -> bytes:
    return pdf_lines(
        ["We like derma-", "tology. You should know derma-", "tology is non-", "invasive. So is dermatology here."]
    )


def with_list() -> bytes:
    items = ListFlowable([ListItem(body(text)) for text in ("a hat", "red", "your card")], bulletType="1")
    return pdf(body("Please bring:"), items, body(LONG), Table([["Area", "Visits"], ["Face", "three"], ["Back", "five"]]))


def turned(data: bytes, angle: int) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    for page in writer.pages:
        page.rotate(angle)
    return saved(writer)


def cropped(data: bytes) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    for page in writer.pages:
        page.cropbox = RectangleObject((40, 300, 540, 820))
    return saved(writer)


def saved(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "data", [two_columns(), with_ligatures(), divided(), with_list()], ids="columns ligatures divided list".split()
)
def test_each_word_has_a_rectangle_that_holds_it_and_nothing_else(data: bytes) -> None:
    text, sheets = sheets_of(data)
    for word in re.finditer(r"\S+", text):
        places = sheets.places(*word.span())
        inside = "".join(said_inside(data, each.page, each.left, each.top, each.right, each.bottom) for each in places)
        assert solid(inside).replace("\ufb01", "fi").replace("\ufb02", "fl") == solid(word.group())


@pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.name)
def test_each_sentence_of_the_project_s_leaflet_is_found_to_the_letter(path: Path) -> None:
    from retrieval.reading import read_article

    data = path.read_bytes()
    article = read_article(path)
    drawn = draw_pdf(path, data, article.text, [(block.start, block.end, block.page) for block in article.blocks])
    sheets = Sheets.checked(tuple(drawn.pictures), drawn.sizes, drawn.words, len(article.text))
    assert len(sheets.pictures) == 4
    for sentence in article.sentences:
        places = sheets.places(sentence.start, sentence.end)
        inside = "".join(said_inside(data, each.page, each.left, each.top, each.right, each.bottom) for each in places)
        assert solid(inside) == solid(article.text[sentence.start : sentence.end])
        assert places[0].page == sentence.page


def test_the_project_has_a_leaflet() -> None:
    assert ARTICLES


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_rectangles_lie_over_the_ink_on_pages_that_are_turned(angle: int) -> None:
    data = turned(two_columns(), angle)
    text, drawn = drawn_of(data)
    assert (drawn.sizes[0][0] > drawn.sizes[0][1]) is (angle in {90, 270})
    found = {text[start:end] for start, end, *_ in drawn.words}
    assert found >= set(LONG.split())
    assert ink_outside(drawn, 1) < 0.02


def test_rectangles_lie_over_the_ink_on_a_page_that_is_cropped() -> None:
    _, drawn = drawn_of(cropped(pdf_lines(["It fades in two days.", "Cool packs help against swelling."])))
    assert ink_outside(drawn, 1) < 0.02


def test_what_the_text_leaves_out_has_no_rectangle() -> None:
    data = pdf(heading("Laser", "Title"), body(LONG), new_page(), body(LONG), footer="Our Clinic, page")
    text, drawn = drawn_of(data)
    assert "Our Clinic" not in text
    lowest = max(row[6] for row in drawn.words)
    feet = picture(drawn.pictures[0])[lowest * drawn.sizes[0][1] // WHOLE + 2 :]
    assert (feet < 100).any()


def test_a_sentence_that_goes_over_the_page_has_rectangles_on_both() -> None:
    story = [body(LONG.removesuffix("an hour in all.")), new_page(), body("an hour in all. Then you can go home.")]
    text, sheets = sheets_of(pdf(*story))
    start = text.index("The visit takes")
    assert [place.page for place in sheets.places(start, text.index(" Then you"))] == [1, 2]


def test_the_same_words_on_two_pages_have_their_rectangles_on_their_own_page() -> None:
    story = [body("Before the visit."), body("Wait."), body(LONG), body("Sit down."), body("Breathe."), new_page()]
    text, sheets = sheets_of(pdf(*story, body("After it."), body("Rest."), body(LONG), body("Go home."), body("Sleep.")))
    first, second = text.index(LONG), text.rindex(LONG)
    assert first < second
    assert {place.page for place in sheets.places(first, first + len(LONG))} == {1}
    assert {place.page for place in sheets.places(second, second + len(LONG))} == {2}


def test_a_page_without_text_is_drawn_and_has_no_rectangles() -> None:
    writer = PdfWriter()
    for data in (pdf_lines(["It fades in two days, or in three."]), pdf_of_picture()):
        writer.append(io.BytesIO(data))
    _, drawn = drawn_of(saved(writer))
    assert len(drawn.pictures) == 2
    assert {row[2] for row in drawn.words} == {1}
    assert (picture(drawn.pictures[1]) < 100).any()


def test_what_reviewers_pinned_to_a_page_is_not_shown() -> None:
    plain = pdf_lines(["It fades in two days, or in three."])
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(plain)))
    note = FreeText(text="WRONG, see file 12", rect=(100, 200, 400, 300), background_color="000000")
    writer.add_annotation(0, note)
    assert (picture(drawn_of(saved(writer))[1].pictures[0]) == picture(drawn_of(plain)[1].pictures[0])).all()


def test_pages_are_wide_enough_to_read_and_no_bigger_than_they_may_be() -> None:
    sizes = {"A4": (595, 842), "wide": (842, 595), "long": (300, 3000), "tiny": (20, 40), "huge": (14000, 9000)}
    for name, (width, height) in sizes.items():
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=(width, height))
        canvas.drawString(2, 10, "It fades in two days, or in three.")
        canvas.save()
        [(across, down)] = draw_pdf(Path("a.pdf"), out.getvalue(), "", []).sizes
        assert across * down <= drawing._MAX_PIXELS * 1.01, name
        assert across / down == pytest.approx(width / height, rel=0.01)
        assert name not in {"A4", "wide"} or min(across, down) == pytest.approx(1200, abs=1)


def test_a_page_of_photographs_costs_no_more_than_it_must() -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (400, 400, 3), dtype=np.uint8))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.drawInlineImage(noise, 0, 0, *A4)
    canvas.save()
    [page] = draw_pdf(Path("a.pdf"), out.getvalue(), "", []).pictures
    assert len(page) < 1_500_000


def test_too_many_pages_or_bytes_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pdf(body(LONG), new_page(), body(LONG), new_page(), body(LONG))
    monkeypatch.setattr(drawing, "MAX_SHEETS", 2)
    with refused("it has 3 pages, and at most 2 are drawn", remedy="Split it"):
        draw_pdf(Path("a.pdf"), data, "", [])
    monkeypatch.setattr(drawing, "MAX_SHEETS", 3)
    monkeypatch.setattr(drawing, "_MAX_BYTES", 20_000)
    with refused("its pictures come to more than", remedy="smaller pictures"):
        draw_pdf(Path("a.pdf"), data, "", [])


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4\nnothing", locked(pdf_lines(["It fades."]), "secret")])
def test_what_pdfium_cannot_open_is_refused_in_one_line(data: bytes) -> None:
    with refused("its pages cannot be drawn", remedy="Export it again"):
        draw_pdf(Path("a.pdf"), data, "", [])


WORDS = st.text(alphabet="abcdef ghijklm-.,()/\u00e9\ufb01\u2013", min_size=1, max_size=60)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WORDS, min_size=1, max_size=6), st.integers(-50, 700), st.sampled_from([4, 12, 60]), st.integers(-50, 900))
def test_rectangles_always_lie_within_their_page(lines: list[str], left: int, size: int, top: int) -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setFont("Helvetica", size)
    for number, line in enumerate(lines):
        canvas.drawString(left, top - number * size, line)
    canvas.save()
    text = "\n".join(lines)
    drawn = draw_pdf(Path("a.pdf"), out.getvalue(), text, [(0, len(text), 1)])
    for start, end, page, *edges in drawn.words:
        assert 0 <= start < end <= len(text)
        assert page == 1
        assert 0 <= edges[0] < edges[2] <= WHOLE
        assert 0 <= edges[1] < edges[3] <= WHOLE
    Sheets.checked(tuple(drawn.pictures), drawn.sizes, drawn.words, len(text))
