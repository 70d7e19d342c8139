"""Real files made by real libraries, and short ways to look at what was read of them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import docx
import pytest
from docx.document import Document
from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate

from retrieval.errors import UnreadableFile
from retrieval.reading.draft import Reading
from retrieval.reading.formats import read_bytes
from retrieval.reading.structure import sections_of, sentences_of

LONG = (
    "The nurse looks at your skin first and asks about medicines that you take, such as tablets that thin the blood. "
    "Then the area is cleaned and a numbing cream goes on. The visit takes about an hour in all."
)
_STYLES = getSampleStyleSheet()


def read(name: str, content: str | bytes) -> Reading:
    """Read a file in this process, as the sandbox's child does."""
    return read_bytes(Path(name), content.encode() if isinstance(content, str) else content)


def blocks(reading: Reading) -> list[tuple[str, str]]:
    return [(block.kind, reading.text[block.start : block.end]) for block in reading.blocks]


def headings(reading: Reading) -> list[str]:
    return [text for kind, text in blocks(reading) if kind == "heading"]


def of_kind(reading: Reading, kind: str) -> list[str]:
    return [text for found, text in blocks(reading) if found == kind]


def sections(reading: Reading) -> list[tuple[str, ...]]:
    return [section.path for section in sections_of(reading.text, reading.blocks, reading.title)[0]]


def sentences(reading: Reading) -> list[str]:
    belongs = sections_of(reading.text, reading.blocks, reading.title)[1]
    return [reading.text[s.start : s.end] for s in sentences_of(reading.text, reading.blocks, belongs)]


@contextmanager
def refused(reason: str, *, name: str = "", remedy: str = "") -> Iterator[None]:
    """A file is refused by name, with the reason and a way out, on one line that anybody can read."""
    with pytest.raises(UnreadableFile) as caught:
        yield
    problem = caught.value
    assert reason in problem.reason
    assert remedy in problem.remedy
    assert problem.remedy.endswith(".")
    assert str(problem).startswith(f"{name or problem.path.name}: ")
    assert "Traceback" not in str(problem)
    assert "\n" not in str(problem)


def heading(text: str, style: str = "Heading2") -> Paragraph:
    return Paragraph(text, _STYLES[style])


def body(text: str, size: float = 10) -> Paragraph:
    return Paragraph(text, ParagraphStyle("body", parent=_STYLES["BodyText"], fontSize=size, leading=size * 1.2))


def new_page() -> PageBreak:
    return PageBreak()


def pdf(*story: Flowable, footer: str = "", title: str = "") -> bytes:
    """A PDF laid out as word processors do; `footer` stands at the foot of every page, with its number."""

    def foot(canvas: Canvas, template: SimpleDocTemplate) -> None:
        if footer:
            canvas.setFont("Helvetica", 8)
            canvas.drawString(72, 30, f"{footer} {template.page}")

    out = io.BytesIO()
    SimpleDocTemplate(out, pagesize=A4, title=title).build(list(story), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def pdf_lines(lines: Sequence[str], title: str = "") -> bytes:
    """A PDF of one page with lines broken as given."""
    out = io.BytesIO()
    canvas = Canvas(out)
    if title:
        canvas.setTitle(title)
    writing = canvas.beginText(72, 700)
    for line in lines:
        writing.textLine(line)
    canvas.drawText(writing)
    canvas.save()
    return out.getvalue()


def pdf_of_picture() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.rect(100, 100, 200, 200, fill=1)
    canvas.save()
    return out.getvalue()


def locked(data: bytes, password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def costly_pdf(operations: int) -> bytes:
    """A small PDF whose one page takes long to read: its compressed content draws a letter again and again."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_lines(["A small page."]))))
    content = writer.pages[0].get_contents()
    assert content is not None
    content.set_data(b"BT /F1 12 Tf 72 700 Td " + b"(a) Tj " * operations + b"ET")
    writer.pages[0].replace_contents(content)
    writer.pages[0].compress_content_streams()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def saved(document: Document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def word_document() -> Document:
    """A Word file with a title, headings, lists and a table, made with Word's own styles."""
    document = docx.Document()
    document.add_heading("After the laser", 0)
    document.add_heading("Redness", 1)
    document.add_paragraph("It lasts two days. Use a cold pack.")
    document.add_heading("Things to bring", 1)
    document.add_paragraph("Please bring:")
    document.add_paragraph("a hat", style="List Bullet")
    document.add_paragraph("your card", style="List Bullet")
    document.add_paragraph("Sit down and wait for the nurse.", style="List Number")
    table = document.add_table(2, 2)
    for place, text in enumerate(["Area", "Visits", "Face", "3"]):
        table.cell(place // 2, place % 2).text = text
    return document
