"""Which reader a file gets, and what is said of a file that is not what its name says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import pdf_lines, read, refused, saved, word_document

from retrieval.errors import UnreadableFile
from retrieval.reading import draft
from retrieval.reading.formats import ENDINGS, read_bytes

SAMPLES = {
    "text": b"It fades in two days, or in three.",
    "Markdown": b"# Red\n\nIt fades.",
    "HTML": b"<!DOCTYPE html><p>It fades.</p>",
    "Word": saved(word_document()),
    "PDF": pdf_lines(["It fades."]),
}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(40)
OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
FRAGMENTS = st.sampled_from(
    [b"+++\n", b"---\n", b"# ", b"- ", b"1. ", b"|-|-|\n", b"<p>", b"</p>", b"<table><tr><td>", b"<h2>", b"<!DOCTYPE html>",
    b"&#x0;",
     b"&nbsp;", b"<br>", b"<meta charset=idna>", b"title: a\n", b"title = 1\n", b"&a [*a]", b"It fades. ", b"\n", b"\xff",
     b"\xef\xbb\xbf",
     b"\r", b"```", b"[a]: b", b"<svg><style>", b"<!--", b"]]>", b"Q: Is it?\n", b"A: No.\n"]
)  # fmt: skip


@pytest.mark.parametrize(("ending", "kind"), ENDINGS.items())
def test_every_ending_has_a_reader_in_capitals_too(ending: str, kind: str) -> None:
    assert read(f"a{ending.upper()}", SAMPLES[kind]).text


@pytest.mark.parametrize(
    ("name", "data", "reason", "remedy"),
    [
        ("a.txt", SAMPLES["PDF"], "it is named .txt but holds PDF", "Rename it to a.pdf."),
        ("a.pdf", SAMPLES["Word"], "it is named .pdf but holds Word", "Rename it to a.docx."),
        ("a.docx", SAMPLES["PDF"], "it is named .docx but holds PDF", "Rename it to a.pdf."),
        ("a.txt", SAMPLES["HTML"], "it is named .txt but holds HTML", "Rename it to a.html."),
        ("a.md", PICTURE, "it is named .md but holds a picture", "Save it as .md again."),
        ("a.txt", b"\xff\xd8\xff\xe0" + bytes(40), "holds a picture", ".txt"),
        ("a.docx", OLD_WORD, "holds an old Word file (.doc) or a locked one", "Save it as .docx again."),
        ("a.txt", b"{\\rtf1 It fades.}", "holds rich text (RTF)", "Save it as .txt again."),
        ("a.docx", b"PK\x03\x04" + bytes(40), "holds an archive", "Save it as .docx again."),
        ("a.pdf", b"It fades.", "it is named .pdf but does not hold PDF", "saved or copied whole"),
        ("a.docx", b"It fades.", "it is named .docx but does not hold Word", "saved or copied whole"),
        ("a.doc", OLD_WORD, "files ending in .doc are not read", ".docx"),
        ("a", b"It fades.", "files ending in nothing are not read", ".txt"),
        ("a.txt", b"", "it is empty", "Add text to it or remove it."),
        ("a.md", b" \r\n\t ", "it is empty", "Add text to it or remove it."),
        ("a.txt", b"\xef\xbb\xbf\n", "it holds no text that could be quoted", "Add text"),
        ("a.txt", "\ufeff \n".encode("utf-16-le"), "it holds no text that could be quoted", "Add text"),
        ("a.txt", b"Leave a Reply", "it holds no text that could be quoted", "Add text"),
        ("a.md", b"# Redness", "it holds no text that could be quoted", "Add text"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_what_to_do(name: str, data: bytes, reason: str, remedy: str) -> None:
    with refused(reason, name=name, remedy=remedy):
        read(name, data)


def test_html_inside_markdown_is_markdown() -> None:
    assert read("a.md", "<html>\n<p>It fades.</p>\n</html>").text == "It fades."


def test_junk_before_a_pdf_is_forgiven() -> None:
    assert read("a.pdf", b"\r\n\r\n" + SAMPLES["PDF"]).text == "It fades."


def test_an_article_of_too_many_characters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "MAX_CHARACTERS", 20)
    with refused("it holds 34 characters, more than the 20 an article may have", remedy="Split it"):
        read("a.txt", SAMPLES["text"])


@settings(deadline=None, max_examples=120)
@given(
    st.sampled_from(["a.txt", "a.md", "a.html"]),
    st.one_of(st.binary(max_size=300), st.lists(FRAGMENTS, max_size=25).map(b"".join)),
)
def test_arbitrary_bytes_give_a_reading_or_a_refusal(name: str, data: bytes) -> None:
    try:
        reading = read_bytes(Path(name), data)
    except UnreadableFile:
        return
    last = 0
    for block in reading.blocks:
        assert last <= block.start < block.end <= len(reading.text)
        assert reading.text[block.start : block.end].strip()
        last = block.end
