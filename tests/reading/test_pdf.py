"""PDF: lines put back together into headings, paragraphs and items, with the page each stands on."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfWriter
from reportlab.platypus import BaseDocTemplate, Frame, ListFlowable, ListItem, PageTemplate, Table
from samples import (
    LONG,
    body,
    heading,
    headings,
    locked,
    new_page,
    of_kind,
    pdf,
    pdf_lines,
    pdf_of_picture,
    read,
    refused,
    sections,
    sentences,
)

from retrieval.reading import pdf as reader


def leaflet() -> bytes:
    return pdf(
        heading("Laser leaflet", "Title"),
        heading("What happens?"),
        body(LONG),
        heading("What should you bring?"),
        body("Please bring:"),
        ListFlowable([ListItem(body("a hat")), ListItem(body("your card"))], bulletType="bullet"),
        new_page(),
        heading("How long does redness last?"),
        body("Two days."),
        body(LONG),
        new_page(),
        heading("Does it hurt?"),
        body("A little."),
        footer="Our Clinic, page",
    )


def test_headings_are_told_by_their_size_and_carry_their_page() -> None:
    reading = read("a.pdf", leaflet())
    assert reading.title == "Laser leaflet"
    assert sections(reading) == [
        (),
        ("What happens?",),
        ("What should you bring?",),
        ("How long does redness last?",),
        ("Does it hurt?",),
    ]
    assert [block.page for block in reading.blocks if block.kind == "heading"] == [1, 1, 1, 2, 3]
    assert {block.page for block in reading.blocks} == {1, 2, 3}


def test_lines_of_a_paragraph_are_put_together() -> None:
    assert LONG in of_kind(read("a.pdf", leaflet()), "paragraph")


def test_bullets_are_taken_off_list_items() -> None:
    assert of_kind(read("a.pdf", leaflet()), "item") == ["a hat", "your card"]


def test_footers_that_run_through_the_pages_are_left_out() -> None:
    assert "Our Clinic" not in read("a.pdf", leaflet()).text


def test_a_sentence_that_goes_over_the_page_is_one() -> None:
    story = [body(LONG.removesuffix("in all.")), new_page(), body("in all. Then go home.")]
    assert sentences(read("a.pdf", pdf(*story)))[-2:] == ["The visit takes about an hour in all.", "Then go home."]


def test_words_divided_at_a_lines_end_are_mended_when_they_occur_whole() -> None:
    reading = read(
        "a.pdf",
        pdf_lines(["We like derma-", "tology. You should know derma-", "tology is non-", "invasive. So is dermatology here."]),
    )
    assert reading.text == "We like dermatology. You should know dermatology is non-invasive. So is dermatology here."


def test_soft_hyphens_at_a_lines_end_leave_no_gap() -> None:
    assert read("a.pdf", pdf_lines(["It takes one ses\u00ad", "sion."])).text == "It takes one session."


def test_a_line_that_looks_like_debris_is_still_a_part_of_its_sentence() -> None:
    reading = read("a.pdf", pdf_lines(["After the visit you may go", "home. The leaflet was", "updated on Monday."]))
    assert sentences(reading) == ["After the visit you may go home.", "The leaflet was updated on Monday."]


def test_a_paragraph_that_is_debris_stays_but_is_not_quoted() -> None:
    reading = read("a.pdf", pdf(body(LONG), body("Leave a Reply")))
    assert of_kind(reading, "debris") == ["Leave a Reply"]


def test_figures_in_a_table_stay_with_their_row() -> None:
    reading = read("a.pdf", pdf(body(LONG), Table([["Area", "Visits"], ["Face", "3"], ["Back", "5"]])))
    assert {"Face 3", "Back 5"} <= set(sentences(reading))


def test_page_numbers_are_left_out() -> None:
    assert read("a.pdf", pdf_lines(["It fades.", "", "", "", "1"])).text == "It fades."


def test_a_bold_line_is_a_heading() -> None:
    reading = read("a.pdf", pdf(body(LONG), body("<b>Is it safe?</b>"), body("Yes. " + LONG)))
    assert headings(reading) == ["Is it safe?"]


@pytest.mark.parametrize(
    "text",
    [
        "<b>Never</b> drink before the visit",
        "<b>Stay out of the sun for one whole month after the last of your visits, and put on sunscreen.</b>",
        "<b>Stay out of the sun for one whole month after the last of all your visits to the nurse or the doctor "
        "here</b> and wear a hat.",
    ],
)
def test_words_in_bold_make_no_heading(text: str) -> None:
    reading = read("a.pdf", pdf(body(LONG), body(text), body(LONG)))
    assert not headings(reading)
    assert text.replace("<b>", "").replace("</b>", "") in of_kind(reading, "paragraph")


@pytest.mark.parametrize("ending", [".", ""])
def test_a_paragraph_in_large_type_is_no_heading(ending: str) -> None:
    text = LONG.removesuffix(".") + ending
    reading = read("a.pdf", pdf(heading("Laser", "Title"), body(text, size=14), body(LONG * 4)))
    assert headings(reading) == ["Laser"]
    assert text in of_kind(reading, "paragraph")


def test_a_heading_may_go_over_two_lines_and_carry_a_number() -> None:
    long = "What you should know before the visit and what you should never do in the days after it"
    reading = read("a.pdf", pdf(heading(f"1. {long}"), body(LONG * 2), heading("2. Sun"), body(LONG)))
    assert headings(reading) == [long, "Sun"]


def test_two_columns_are_read_one_after_the_other() -> None:
    out = io.BytesIO()
    document = BaseDocTemplate(out)
    document.addPageTemplates(PageTemplate(frames=[Frame(50, 50, 240, 200), Frame(305, 50, 240, 200)]))
    document.build([heading("Left"), body(LONG * 2), heading("Right"), body(LONG)])
    assert sections(read("a.pdf", out.getvalue())) == [(), ("Right",)]
    assert LONG in of_kind(read("a.pdf", out.getvalue()), "paragraph")


@pytest.mark.parametrize("title", ["untitled", "Microsoft Word - Leaflet.doc", "leaflet.docx"])
def test_a_title_that_a_program_made_up_is_not_used(title: str) -> None:
    assert read("a.pdf", pdf_lines(["It fades."], title)).title == ""


def test_a_title_in_the_files_properties_is_used_where_no_heading_is() -> None:
    assert read("a.pdf", pdf_lines(["It fades."], "Red skin")).title == "Red skin"


def test_damaged_characters_are_warned_of_and_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [reader._Line("It fades.", 1, 700, 10, False), reader._Line("Of\ufffdce hours.", 1, 600, 10, False)]
    monkeypatch.setattr(reader, "_lines_of", lambda page, number: lines)
    reading = read("a.pdf", pdf_lines(["Anything."]))
    assert sentences(reading) == ["It fades."]
    assert reading.warnings == ("a.pdf: damaged characters on page 1: left out of what can be quoted.",)


def test_a_page_without_text_is_warned_of() -> None:
    writer = PdfWriter()
    for data in (pdf_lines(["It fades."]), pdf_of_picture()):
        writer.append(io.BytesIO(data))
    out = io.BytesIO()
    writer.write(out)
    assert read("a.pdf", out.getvalue()).warnings == (
        "a.pdf: no text on page 2. If they are scans, run text recognition (OCR).",
    )


def test_a_scan_is_refused() -> None:
    with refused("its pages are pictures without text", name="a.pdf", remedy="OCR"):
        read("a.pdf", pdf_of_picture())


def test_a_locked_file_is_refused_and_one_with_an_empty_password_is_read() -> None:
    data = pdf_lines(["It fades."])
    with refused("it is locked with a password", remedy="without the password"):
        read("a.pdf", locked(data, "secret"))
    assert read("a.pdf", locked(data, "")).text == "It fades."


def test_a_cipher_that_needs_another_package_counts_as_locked() -> None:
    data = (
        b"%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        b"3 0 obj<</Filter/Standard/V 5/R 6/Length 256/P -4/CF<</StdCF<</CFM/AESV3/Length 32>>>>/StmF/StdCF/StrF/StdCF"
        b"/O(%b)/U(%b)/OE(%b)/UE(%b)/Perms(%b)>>endobj\ntrailer<</Root 1 0 R/Encrypt 3 0 R/ID[(a)(a)]/Size 4>>\n"
        b"startxref\n0\n%%%%EOF"
    ) % (b"x" * 48, b"x" * 48, b"x" * 32, b"x" * 32, b"x" * 16)
    with refused("it is locked with a password"):
        read("a.pdf", data)


def test_a_file_of_too_many_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_MAX_PAGES", 2)
    with refused("it has 3 pages, more than the 2 an article may have", remedy="Split it"):
        read("a.pdf", leaflet())


@pytest.mark.parametrize("kept", [0.05, 0.2, 0.5])
def test_a_file_cut_short_is_refused(kept: float) -> None:
    data = leaflet()
    with refused("", name="a.pdf", remedy="."):
        read("a.pdf", data[: int(len(data) * kept)])
