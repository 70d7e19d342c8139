"""Seeded damage: the same file for the same seed, whatever the machine."""

from __future__ import annotations

import base64
import io
import random
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence

__all__ = ["damaged"]

_HUGE = (b"99999999999999999999", b"-1", b"0", b"2147483648", b"65536", b"1e308", b"4294967295", b"0.0000000001", b"9" * 5000)
_ODD = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\r", b"\x0c", b"\x1b[2J", b"\xf0\x9f\x98\x80",
    b" " * 5000, b"\n" * 3000, b"A" * 20000, b"\xcc\x81" * 500,
)  # fmt: skip
_TOKENS: dict[str, tuple[bytes, ...]] = {
    "txt": (
        b"- ", b"\xe2\x80\xa2 ", b"1. ", b"Q: ", b"A: ", b"?", b":\n", b"Dr. ", b"e.g. ", b"( ", b"=====\n", b"\n\n\n",
        b"Step 1: ", b"Leave a reply\n", b"\xe2\x80\x9c", b"...", b"www.example.org ", b"2.5 ", b"a) ", b"o ",
    ),
    "md": (
        b"# ", b"> ", b"- ", b"1. ", b"```\n", b"---\n", b"+++\n", b"| a | b |\n|---|---|\n", b"[", b"](", b"![", b"**", b"_",
        b"<div>", b"</div>", b"<script>", b"<!--", b"&#0;", b"&#xd800;", b"\\", b"[^1]: ", b"[a]: <b> 'c'\n", b"    ", b"\t",
        b"`", b"<?", b"<![CDATA[", b"---\ntitle: [\n---\n", b"a: &a [*a]\n", b"!!python/object:os.system ",
    ),
    "html": (
        b"<div>", b"</div>", b"<table>", b"<tr>", b"<td>", b"<p>", b"<ul><li>", b"<b>", b"<h1>", b"</h1>", b"<svg>",
        b"<math>", b"<template>", b"<script>", b"</script>", b"<style>", b"<title>", b"<textarea>", b"<!--", b"-->",
        b"<![CDATA[", b"<?xml ", b"<plaintext>", b"<select><option>", b"<iframe srcdoc='", b"&#0;", b"&#xd800;",
        b"&#x110000;", b"&#999999999999;", b"&amp", b"&nbsp", b"&CounterClockwiseContourIntegral;", b"<meta charset=utf-7>",
        b"<meta charset=utf-16>", b"<a href='javascript:", b'<img src="file:///etc/passwd">', b"<base href='//example.org'>",
        b"<details><summary>", b"<dl><dt>", b"<caption>", b"<br>", b"<button>", b"<sup>", b"<noscript>", b"<frameset>",
        b"<object data=x>", b"<p " + b"a=b " * 500 + b">", b"<" * 50,
    ),
    "docx": (
        b"<w:p>", b"</w:p>", b"<w:r>", b"<w:t>", b"</w:t>", b"<w:tbl>", b"<w:tr><w:tc>", b"<w:numPr>", b"<w:sectPr/>",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]>", b"&a;", b"<!ENTITY b SYSTEM 'file:///etc/passwd'>", b"&#0;", b"&#xD800;",
        b"&amp;", b"<![CDATA[", b"]]>", b"<?xml version='1.0' encoding='utf-16'?>", b"<w:hyperlink r:id='x'>",
        b"<w:footnoteReference w:id='1'/>", b"<w:fldChar w:fldCharType='begin'/>",
        b"<w:instrText>HYPERLINK \"x\"</w:instrText>", b"<mc:AlternateContent>", b"<w:pict>", b"Target='../../../etc/passwd'",
        b"TargetMode='External'", b"w:val='99999999999'", b"<w:vMerge/>", b"<w:gridSpan w:val='-3'/>", b"PK\x03\x04",
        b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06",
    ),
    "pdf": (
        b"<<", b">>", b"[", b"]", b"1 0 obj", b"endobj", b"stream\n", b"endstream", b"xref\n0 99999999\n", b"trailer",
        b"startxref\n1\n", b"%%EOF", b"/Kids [1 0 R 2 0 R 3 0 R 4 0 R]", b"/Count 99999999", b"/Parent 2 0 R",
        b"/Length 5 0 R", b"/Length -1", b"/Filter /FlateDecode", b"/Filter /LZWDecode", b"/Filter /ASCII85Decode",
        b"/Filter [/FlateDecode /FlateDecode]", b"/Filter /RunLengthDecode", b"/Filter /JBIG2Decode", b"/Filter /DCTDecode",
        b"/Filter /Crypt", b"/DecodeParms << /Predictor 15 /Columns 99999999 >>",
        b"/Encrypt << /Filter /Standard /V 5 /R 6 /O (x) /U (y) /P -1 >>", b"/Prev 0", b"/Prev 10", b"/XRefStm 10",
        b"/Type /ObjStm /N 99999 /First 10", b"/MediaBox [0 0 1e9 1e9]", b"/MediaBox [0 0 0 0]", b"/Rotate 45",
        b"/UserUnit 99999", b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>",
        b"/OpenAction << /S /Launch /F (x.exe) >>", b"/ToUnicode 4 0 R", b"/Encoding /Identity-H",
        b"/Encoding << /Differences [0 /a /b 999999999 /c] >>", b"/Contents [4 0 R 4 0 R 4 0 R 4 0 R]", b"/Resources 2 0 R",
        b"/Subtype /Type0", b"/Subtype /Type3", b"/FirstChar -5", b"/Widths [", b"(\\", b"<FEFFD800>", b"<d83d>",
        b" q " * 300, b" BT ", b" ET ", b"/F1 1e30 Tf ", b"0 0 0 0 0 0 Tm ", b"1e38 0 0 1e38 0 0 cm ", b"/Im0 Do ",
        b"[(a) -1e9 (b)] TJ ", b"BI /W 99999 /H 99999 /BPC 8 /CS /RGB ID x EI ", b"/X /Y /Z Do ", b"T* " * 200,
        b"(\\000\\001) Tj ", b"' ", b'" ', b"nan ", b"beginbfchar\n<00> <d800>\nendbfchar\n",
        b"1 beginbfrange\n<0000> <ffffffff> <0000>\nendbfrange\n", b"/CIDInit ", b"%PDF-9.9",
    ),
    "metadata": (
        b"title = ", b"title = 0x" + b"f" * 6000 + b"\n", b"topics = [", b"]", b"[", b"[[", b"{", b"}", b"'''", b'"""',
        b"\\uD800", b"\\u0000", b"\\U00110000", b"a." * 500, b"= ", b"2026-13-45", b"0001-01-01", b"9999-12-31T23:59:59Z",
        b"inf", b"nan", b"1_000", b"0b1", b"true", b"reviewed_on = 2026-02-30\n", b"state = 'none'\n", b"title = {a = 1}\n",
        b"title = 1e999\n", b"#", b"+++\n", b"---\n", b"&a [*a]", b"!!python/object:os.system x", b"!!binary aGVsbG8=", b"? ",
        b"- ", b"<<: *a", b"|\n", b">-\n", b'title: "\\ud800"\n', b"title: 0x" + b"f" * 6000 + b"\n", b"1: 2\n",
        b"null: null\n", b"topics: {a: b}\n", b"reviewed_on: 12:30:45\n",
    ),
}  # fmt: skip
_OBJECT = re.compile(rb"(\d+) 0 obj\b(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"(<<.*?>>)\s*stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
_MOST = 2_000_000


def damaged(kind: str, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """A damaged copy of one of some seeds, with others of them spliced in now and then."""
    seed = chance.choice(seeds)
    way = chance.random()
    if kind == "docx" and way < 0.7:
        return _in_archive(seed, chance)
    if kind == "pdf" and way < 0.65:
        return _in_objects(seed, chance)
    return _bytes_damaged(seed, _TOKENS[kind], chance, seeds)


def _bytes_damaged(data: bytes, tokens: Sequence[bytes], chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 1, 2, 3, 6, 15))):
        chance.choice(_WAYS)(changed, tokens, chance)
    if others and chance.random() < 0.05:
        other = chance.choice(others)
        at = chance.randrange(len(changed) + 1)
        changed[at:] = other[chance.randrange(len(other)) :]
    return bytes(changed[:_MOST])


def _flip(data: bytearray, tokens: Sequence[bytes], chance: random.Random) -> None:
    for _ in range(chance.choice((1, 4, 32)) if data else 0):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, tokens: Sequence[bytes], chance: random.Random) -> None:
    for _ in range(chance.choice((1, 8, 64)) if data else 0):
        data[chance.randrange(len(data))] = chance.randrange(256)


def _cut_off(data: bytearray, tokens: Sequence[bytes], chance: random.Random) -> None:
    if chance.random() < 0.4:
        del data[chance.randrange(len(data) + 1) :]


def _take_out(data: bytearray, tokens: Sequence[bytes], chance: random.Random) -> None:
    del data[_piece(data, chance)]


def _double(data: bytearray, tokens: Sequence[bytes], chance: random.Random) -> None:
    piece = _piece(data, chance)
    data[piece.start : piece.start] = data[piece] * chance.choice((1, 1, 2, 50))


def _swap(data: bytearray, tokens: Sequence[bytes], chance: random.Random) -> None:
    one, other = sorted((_piece(data, chance), _piece(data, chance)), key=lambda piece: piece.start)
    if one.stop <= other.start:
        first, second = bytes(data[one]), bytes(data[other])
        data[other] = first
        data[one] = second


def _number(data: bytearray, tokens: Sequence[bytes], chance: random.Random) -> None:
    numbers = list(re.finditer(rb"\d+", data))
    if numbers:
        found = chance.choice(numbers)
        data[found.start() : found.end()] = chance.choice(_HUGE)


def _token(data: bytearray, tokens: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.choice(tokens)


def _odd(data: bytearray, tokens: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.choice(_ODD)


def _nest(data: bytearray, tokens: Sequence[bytes], chance: random.Random) -> None:
    if chance.random() < 0.3:
        at = chance.randrange(len(data) + 1)
        token = chance.choice(tokens)[:400]
        data[at:at] = token * min(chance.choice((10, 100, 1000, 20_000)), 400_000 // len(token))


_WAYS: tuple[Callable[[bytearray, Sequence[bytes], random.Random], None], ...] = (
    _flip, _overwrite, _cut_off, _take_out, _double, _swap, _number, _token, _token, _token, _odd, _nest,
)  # fmt: skip


def _piece(data: bytearray, chance: random.Random) -> slice:
    start = chance.randrange(len(data) + 1)
    return slice(start, min(len(data), start + chance.choice((1, 8, 64, 500, 4000))))


def _in_archive(data: bytes, chance: random.Random) -> bytes:
    """Damage to what a Word file's archive holds; the archive itself stays sound."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    names = sorted(files)
    for _ in range(chance.choice((1, 1, 2, 4))):
        # The document itself more often than its styles and properties.
        name = "word/document.xml" if chance.random() < 0.6 else chance.choice(names)
        files[name] = _bytes_damaged(files.get(name, b""), _TOKENS["docx"], chance)
    if chance.random() < 0.1:
        files.pop(chance.choice(names), None)
    if chance.random() < 0.1:
        files[chance.choice(("../x", "/etc/x", "word/vbaProject.bin", "word/embeddings/a.bin", "x" * 300))] = (
            b"\0" * chance.randrange(9000)
        )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _in_objects(data: bytes, chance: random.Random) -> bytes:
    """Damage to a PDF's objects and to what its streams hold; the table of objects is written anew and is right."""
    objects = [(int(found.group(1)), found.group(2)) for found in _OBJECT.finditer(data)]
    trailer = data[data.rfind(b"trailer") : data.rfind(b"startxref")]
    if not objects or not trailer.startswith(b"trailer"):
        return _bytes_damaged(data, _TOKENS["pdf"], chance)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(objects))
        number, content = objects[place]
        stream = _STREAM.search(content)
        if stream and chance.random() < 0.75:
            objects[place] = number, _stream_damaged(*stream.groups(), chance)
        else:
            objects[place] = number, _bytes_damaged(content, _TOKENS["pdf"], chance)
    if chance.random() < 0.15:
        trailer = b"trailer" + _bytes_damaged(trailer[7:], _TOKENS["pdf"], chance)
    out = bytearray(b"%PDF-1.4\n")
    places = {}
    for number, content in objects:
        places[number] = len(out)
        out += b"%d 0 obj%sendobj\n" % (number, content)
    start = len(out)
    count = max(places) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count
    for number in range(1, count):
        out += b"%010d 00000 n \n" % places.get(number, 0)
    return bytes(out + trailer + b"startxref\n%d\n%%%%EOF\n" % start)[:_MOST]


def _stream_damaged(header: bytes, content: bytes, chance: random.Random) -> bytes:
    """What a stream holds when unpacked, damaged and packed again."""
    plain = content
    if b"ASCII85" in header or b"FlateDecode" in header:
        try:
            if b"ASCII85" in header:
                plain = _from_85(plain)
            plain = zlib.decompress(plain) if b"FlateDecode" in header else plain
        except (ValueError, zlib.error):
            return b"\n%s\nstream\n%s\nendstream\n" % (header, _bytes_damaged(content, _TOKENS["pdf"], chance))
    plain = _bytes_damaged(plain, _TOKENS["pdf"], chance)
    header = re.sub(rb"/Filter\s*(?:\[[^\]]*\]|/\w+)", b"", header)
    if chance.random() < 0.5:
        plain = zlib.compress(plain)
        header = header[:-2] + b"/Filter /FlateDecode >>"
    header = re.sub(rb"/Length\s+\d+", b"/Length %d" % len(plain), header)
    return b"\n%s\nstream\n%s\nendstream\n" % (header, plain)


def _from_85(data: bytes) -> bytes:
    data = data.strip()
    return base64.a85decode(b"<~" + data, adobe=True) if data.endswith(b"~>") else base64.a85decode(data)
