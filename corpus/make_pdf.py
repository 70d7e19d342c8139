"""Make the leaflet articles/how-often-to-have-pico-laser.pdf from originals/how-often-to-have-pico-laser.md.

    python corpus/make_pdf.py

The same input gives the same bytes. Needs reportlab, which comes with the development packages (`make setup`).
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, ListFlowable, ListItem, Paragraph, SimpleDocTemplate

__all__ = ["main"]

_HERE = Path(__file__).resolve().parent
_NAME = "how-often-to-have-pico-laser"
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=11.5, leading=16, spaceAfter=7)
_STYLES = {
    1: ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=22, leading=27, spaceAfter=12),
    2: ParagraphStyle("h2", fontName="Helvetica-Bold", fontSize=15, leading=19, spaceBefore=10, spaceAfter=5, keepWithNext=1),
    3: ParagraphStyle("h3", fontName="Helvetica-Bold", fontSize=13, leading=17, spaceBefore=6, spaceAfter=4, keepWithNext=1),
}


def main() -> Path:
    """Write the PDF and its metadata file; returns the PDF's path."""
    source = (_HERE / "originals" / f"{_NAME}.md").read_text(encoding="utf-8")
    _, front, body = re.split(r"^\+\+\+$", source, maxsplit=2, flags=re.MULTILINE)
    title = tomllib.loads(front)["title"]
    target = _HERE / "articles" / f"{_NAME}.pdf"

    def footer(canvas: Canvas, document: Any) -> None:
        canvas.setFont("Helvetica", 9)
        canvas.drawString(22 * mm, 12 * mm, f"{title} - page {document.page}")

    document = SimpleDocTemplate(
        str(target), pagesize=A4, title=title, author="", invariant=1,
        leftMargin=22 * mm, rightMargin=22 * mm, topMargin=20 * mm, bottomMargin=22 * mm,
    )  # fmt: skip
    document.build(_flow(body), onFirstPage=footer, onLaterPages=footer)
    target.with_suffix(".toml").write_text(front.lstrip(), encoding="utf-8")
    return target


def _flow(body: str) -> list[Flowable]:
    flow: list[Flowable] = []
    items: list[ListItem] = []
    for block in re.split(r"\n\s*\n", body.strip()):
        heading = re.match(r"(#{1,3}) (.*)", block)
        if block.startswith("- "):
            items = [ListItem(Paragraph(line[2:], _BODY)) for line in block.splitlines()]
            flow.append(ListFlowable(items, bulletType="bullet", bulletFontSize=8, leftIndent=14))
        elif heading:
            flow.append(Paragraph(heading.group(2), _STYLES[len(heading.group(1))]))
        else:
            flow.append(Paragraph(" ".join(block.split()), _BODY))
    return flow


if __name__ == "__main__":
    main()
