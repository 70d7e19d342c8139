"""DOCX: Word's own styles, and files that are damaged or unpack to too much."""

from __future__ import annotations

import io
import zipfile

import docx
import pytest
from samples import blocks, of_kind, read, refused, saved, sections, sentences, word_document

from retrieval.reading import docx as reader


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_titles_headings_lists_and_tables_are_found() -> None:
    reading = read("a.docx", saved(word_document()))
    assert reading.title == "After the laser"
    assert sections(reading) == [(), ("Redness",), ("Things to bring",)]
    assert of_kind(reading, "item") == ["a hat", "your card", "Sit down and wait for the nurse.", "Area: Visits", "Face: 3"]


def test_a_short_list_is_quoted_with_the_words_that_introduce_it() -> None:
    document = docx.Document()
    document.add_paragraph("Please bring:")
    document.add_paragraph("a hat", style="List Bullet")
    document.add_paragraph("your card", style="List Bullet")
    assert sentences(read("a.docx", saved(document))) == ["Please bring:\n\na hat\nyour card"]


def test_a_bold_paragraph_is_a_heading_and_typed_bullets_are_items() -> None:
    document = docx.Document()
    document.add_paragraph().add_run("Does it hurt?").bold = True
    document.add_paragraph("A little.")
    document.add_paragraph("• rest")
    assert blocks(read("a.docx", saved(document))) == [
        ("heading", "Does it hurt?"),
        ("paragraph", "A little."),
        ("item", "rest"),
    ]


def test_questions_and_answers_lose_their_marks() -> None:
    document = docx.Document()
    for text in ("Q: Does it hurt?", "A: A little.", "Q2) Is it safe?", "Answer: Yes.", "A. is a letter."):
        document.add_paragraph(text)
    reading = read("a.docx", saved(document))
    assert sections(reading) == [("Does it hurt?",), ("Is it safe?",)]
    assert [text for kind, text in blocks(reading) if kind == "paragraph"] == ["A little.", "Yes.", "A. is a letter."]


def test_headers_and_footers_of_the_page_are_left_out() -> None:
    document = word_document()
    document.sections[0].footer.paragraphs[0].text = "Our Clinic, page 1"
    document.sections[0].header.paragraphs[0].text = "Leaflet"
    assert "Our Clinic" not in read("a.docx", saved(document)).text


def test_an_empty_document_is_refused() -> None:
    with refused("it holds no text that could be quoted", name="a.docx"):
        read("a.docx", saved(docx.Document()))


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.98])
def test_a_document_cut_short_is_refused(kept: float) -> None:
    data = saved(word_document())
    with refused("it is a damaged Word file", remedy="save it again as .docx"):
        read("a.docx", data[: int(len(data) * kept)])


def test_an_archive_of_other_things_is_refused() -> None:
    with refused("it is an archive, but not a Word file"):
        read("a.docx", zipped({"word/other.xml": b"<a/>"}))


def test_a_document_of_broken_xml_is_refused() -> None:
    with refused("it is a damaged Word file"):
        read("a.docx", zipped({"word/document.xml": b"<w:document"}))


def test_a_document_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    bomb = zipped({"word/document.xml": b"<a/>", "word/media/image.bmp": bytes(201_000_000)})
    assert len(bomb) < 300_000
    with refused("it unpacks to 201 MB, more than the 200 MB allowed", remedy="pictures"):
        read("a.docx", bomb)


def test_want_of_memory_is_not_called_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(reader.mammoth, "convert_to_html", hungry)
    with pytest.raises(MemoryError):
        read("a.docx", saved(word_document()))
