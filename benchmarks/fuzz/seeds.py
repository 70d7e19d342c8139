"""What damaged files are made from: small sound files of each format, and the project's own articles."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

import docx
from docx.shared import Pt
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table

__all__ = ["FORMATS", "METADATA", "seeds_of"]

ARTICLES = Path(__file__).resolve().parents[2] / "corpus" / "articles"
FORMATS = ("txt", "md", "html", "docx", "pdf", "metadata")
_WORDS = (
    "The nurse looks at your skin first and asks about medicines that you take, such as tablets that thin the blood. "
    "Then the area is cleaned. A cooling gel goes on – it stays for 20 minutes. Your skin may be red for two days, or three."
)
_TEXT = f"""After the laser

Redness
{_WORDS}

What should I bring?
Please bring:
- a hat
- your card
• something to drink

1. Wash Your Face
Use lukewarm water, no soap.

Leave a reply
"""
_MARKDOWN = f"""# After the laser

## Redness

{_WORDS} *Most* people go back to work on the **same day**.[^1]

Please bring:

- a hat
- your card
  1. a pen

| Area | Visits |
|------|--------|
| Face | 3 |

> Stay out of the sun.

<p>Use <b>sun cream</b> &amp; a hat.</p> ![a picture](red.png) [more](https://example.org "more")

```
code
```
"""
METADATA = """title = "After the laser"
publisher = "A clinic"
based_on = 'A leaflet, 2nd edition'
language = "en"
topics = ["aftercare", "redness"]
reviewed_by = "Dr. A. Person"
reviewed_on = 2026-05-03
review_by = "2027-05-03"
state = "checked"
checked_by = "B. Person"
checked_on = 2026-05-01
confirmed = ["0a1b2c3d"]
confirmed_by = "B. Person"
"""
_YAML = """title: After the laser
topics: [aftercare, "redness"]
reviewed_by: 'Dr. A. Person'
reviewed_on: 2026-05-03
state: checked
"""
_HTML = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>After the laser</title><style>p {{color: red}}</style>
<script>document.write("x")</script></head>
<body><nav><a href="/">Home</a></nav><main><h1>After the laser</h1>
<h2>Redness</h2><p>{_WORDS}</p><p>Use <b>sun cream</b> &amp; a hat&nbsp;&#8211; each day.<br>Do not rub.</p>
<ul><li>a hat<li>your card</ul><table><caption>Visits</caption><tr><th>Area<th>Visits<tr><td>Face<td>3</table>
<details><summary>Does it hurt?</summary>A little.</details><dl><dt>Fluence<dd>Energy on an area.</dl>
<img src="https://example.org/x.png" onerror="alert(1)" alt="red"><iframe src="https://example.org"></iframe>
</main><footer>(c) A clinic</footer></body></html>
"""


@cache
def seeds_of(kind: str) -> tuple[bytes, ...]:
    """Sound files of a format; "metadata" gives metadata files, and Markdown with front matter."""
    if kind == "txt":
        return (_TEXT.encode(), _TEXT.encode("utf-16"), _TEXT.replace("\n", "\r\n").encode("cp1252"))
    if kind == "md":
        return (_MARKDOWN.encode(), f"---\n{_YAML}---\n{_MARKDOWN}".encode(), *_of_the_corpus(".md"))
    if kind == "html":
        return (_HTML.encode(), _HTML.replace("utf-8", "windows-1252").encode("cp1252"), *_of_the_corpus(".html"))
    if kind == "docx":
        return (_word(), _small_word())
    if kind == "pdf":
        return (_laid_out(compressed=False), _laid_out(compressed=True), _two_columns(), *_of_the_corpus(".pdf"))
    toml, yaml = METADATA.encode(), f"---\n{_YAML}---\n{_MARKDOWN}".encode()
    return (toml, *_of_the_corpus(".toml"), f"+++\n{METADATA}+++\n{_MARKDOWN}".encode(), yaml)


def _of_the_corpus(ending: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(ARTICLES.glob(f"*{ending}")))


def _word() -> bytes:
    document = docx.Document()
    document.add_heading("After the laser", 0)
    document.add_heading("Redness", 1)
    document.add_paragraph(_WORDS).runs[0].font.size = Pt(11)
    document.add_paragraph("Please bring:")
    for item in ("a hat", "your card"):
        document.add_paragraph(item, style="List Bullet")
    table = document.add_table(2, 2)
    for place, text in enumerate(["Area", "Visits", "Face", "3"]):
        table.cell(place // 2, place % 2).text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _small_word() -> bytes:
    """A Word file by hand, with what python-docx does not write: a note, a link, a text box, a change."""
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/word/document.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{relations}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r2" '
        f'Type="{relations}/hyperlink" Target="https://example.org" TargetMode="External"/><Relationship Id="r3" '
        f'Type="{relations}/footnotes" Target="footnotes.xml"/></Relationships>',
        "word/footnotes.xml": f'<w:footnotes {space}><w:footnote w:id="1"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote>'
        "</w:footnotes>",
        "word/document.xml": f'<?xml version="1.0"?><w:document {space} xmlns:r="{relations}"><w:body>'
        f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Redness</w:t></w:r></w:p>'
        f"<w:p><w:r><w:t>{_WORDS}</w:t></w:r>"
        '<w:hyperlink r:id="r2"><w:r><w:t> More</w:t></w:r></w:hyperlink><w:r><w:footnoteReference w:id="1"/></w:r></w:p>'
        '<w:p><w:ins w:id="4"><w:r><w:t xml:space="preserve">New &#8211; words. </w:t></w:r></w:ins>'
        "<w:del><w:r><w:delText>Old.</w:delText></w:r></w:del></w:p>"
        '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>a hat</w:t></w:r></w:p>'
        '<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>Face</w:t></w:r></w:p></w:tc></w:tr></w:tbl>'
        "</w:body></w:document>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _laid_out(*, compressed: bool) -> bytes:
    styles = getSampleStyleSheet()
    story = [
        Paragraph("After the laser", styles["Title"]),
        Paragraph("Redness", styles["Heading2"]),
        Paragraph(f"<b>Soon:</b> {_WORDS}", styles["BodyText"]),
        Paragraph("a hat", styles["Bullet"], bulletText="•"),
        Table([["Area", "Visits"], ["Face", "3"]]),
        PageBreak(),
        Paragraph(_WORDS, styles["BodyText"]),
    ]
    out = io.BytesIO()
    template = SimpleDocTemplate(out, pagesize=A4, title="After the laser", pageCompression=int(compressed), invariant=1)
    template.build(story)
    return out.getvalue()


def _two_columns() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(400, 300), pageCompression=0, invariant=1)
    for left in (20, 210):
        writing = canvas.beginText(left, 250)
        writing.setFont("Times-Roman", 9)
        for place in range(0, len(_WORDS), 40):
            writing.textLine(_WORDS[place : place + 40])
        canvas.drawText(writing)
    canvas.bookmarkPage("here")
    canvas.addOutlineEntry("Here", "here")
    canvas.linkURL("https://example.org", (20, 20, 60, 40))
    canvas.rotate(90)
    canvas.rect(10, -50, 30, 30, fill=1)
    canvas.save()
    return out.getvalue()
