"""Bytes -> text: what Python's text mode gives, for every encoding that clinics' files come in."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import refused

from retrieval.errors import UnreadableFile
from retrieval.reading.decode import decode

PATH = Path("redness.txt")
TEXT = "Rötung – “zwei Tage”, dann weg.\nDanach nicht mehr.\n"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_marked_encoding_is_read_without_its_mark_and_without_warning(mark: bytes, encoding: str) -> None:
    assert decode(PATH, mark + TEXT.encode(encoding)) == (TEXT, ())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_recognised_and_said(encoding: str) -> None:
    text, warnings = decode(PATH, TEXT.encode(encoding))
    assert text == TEXT
    assert warnings == (f"redness.txt: read as {encoding.upper()} without byte-order mark.",)


def test_windows_quotation_marks_are_read_and_the_owner_is_told_to_check() -> None:
    text, warnings = decode(PATH, TEXT.encode("cp1252"))
    assert text == TEXT
    assert len(warnings) == 1
    assert warnings[0].startswith("redness.txt: not UTF-8")


def test_bytes_unused_in_windows_text_are_latin1() -> None:
    assert decode(PATH, b"caf\xe9 \x81 and more words here")[0] == "café \x81 and more words here"


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
def test_every_newline_becomes_one_character(newline: str) -> None:
    assert decode(PATH, f"One.{newline}Two.{newline}{newline}Three.".encode())[0] == "One.\nTwo.\n\nThree."


def test_a_declared_encoding_is_used() -> None:
    assert decode(PATH, "Кожа".encode("koi8-r"), "koi8-r") == ("Кожа", ())


def test_a_page_that_declares_latin1_is_read_as_browsers_read_it() -> None:
    assert decode(PATH, "“Rötung”".encode("cp1252"), "iso-8859-1") == ("“Rötung”", ())


@pytest.mark.parametrize("declared", ["utf-16", "klingon", "punycode", "idna", "undefined", "unicode_escape", "utf-7", "hex"])
def test_an_encoding_that_cannot_be_is_not_believed(declared: str) -> None:
    assert decode(PATH, "Rötung \\N".encode(), declared) == ("Rötung \\N", ())


def test_a_wrongly_declared_encoding_does_not_stop_the_reading() -> None:
    assert decode(PATH, "Rötung".encode(), "shift_jis")[0]
    assert decode(PATH, b"R\xf6tung", "utf-8")[0] == "Rötung"


def test_a_marked_file_that_is_damaged_is_refused() -> None:
    with refused("it begins as UTF-8 but is damaged at byte 5", name="redness.txt", remedy="UTF-8"):
        decode(PATH, codecs.BOM_UTF8 + b"Hello\xff")
    with refused("it begins as UTF-16-LE but is damaged at byte 2"):
        decode(PATH, codecs.BOM_UTF16_LE + b"a\0b")


@pytest.mark.parametrize("data", [b"Hello\0there", b"\0\0\0\0\0\0\0\0\0\0", "a\0b".encode("utf-16")])
def test_nul_bytes_are_no_text(data: bytes) -> None:
    with refused("holds NUL bytes"):
        decode(PATH, data)


def test_control_characters_are_no_text_but_tabs_and_form_feeds_are() -> None:
    with refused("holds control characters"):
        decode(PATH, bytes(range(1, 32)) * 4)
    assert decode(PATH, b"One\ttwo\x0cthree")[0] == "One\ttwo\x0cthree"


@settings(deadline=None, max_examples=150)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1).map(lambda text: text.lstrip("\ufeff")))
def test_utf8_text_comes_back_as_it_was(text: str) -> None:
    assert decode(PATH, text.encode())[0] == text


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200), st.sampled_from(["", "utf-8", "big5", "idna", "gb18030", "x"]))
def test_arbitrary_bytes_give_text_or_a_refusal(data: bytes, declared: str) -> None:
    try:
        text, _ = decode(PATH, data, declared)
    except UnreadableFile:
        return
    assert "\0" not in text
    assert "\r" not in text
