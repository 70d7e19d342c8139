"""Files made to do harm, each through the real entry: a clear message or its words, and the calling process as it was."""

from __future__ import annotations

import functools
import io
import os
import re
import socket
import struct
import subprocess
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from samples import LONG, body, locked, pdf, refused, saved, word_document

from retrieval.errors import UnreadableFile
from retrieval.reading import article_files, read_article, read_with_sheets, sandbox
from retrieval.reading.sandbox import Limits

SIMPLER = "Save it again in a simpler form"
PDF_AGAIN = "Export it again"
WORD_AGAIN = "Open it in a word processor and save it again as .docx."
DAMAGED_PDF, DAMAGED_WORD = "it is a damaged PDF", "it is a damaged Word file"
TOO_MUCH = "it holds, or unpacks to, far more than an article has"
NO_TEXT = "it holds no text that could be quoted"
STOPPED = "it made its reader stop (too much memory, or damage)"
MACROS = "ms-word.document.macroEnabled"
GOOD = "It fades in two days."
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


@pytest.fixture(autouse=True)
def unharmed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After each file no child is left, and the calling process has no more files, threads or memory than before."""
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(sandbox.subprocess, "Popen", Watched)
    monkeypatch.setattr(sandbox, "Limits", functools.partial(Limits, cpu=3))  # as ever, but sooner
    before = (len(os.listdir("/proc/self/fd")), threading.active_count(), memory())
    yield
    assert all(child.returncode is not None for child in started)
    after = (len(os.listdir("/proc/self/fd")), threading.active_count(), memory())
    assert after[0] <= before[0], "more files open than before"  # fewer: something of an earlier test has gone
    assert after[1] <= before[1], "more threads than before"
    assert after[2] - before[2] < 150_000_000


@pytest.fixture
def listener() -> Iterator[tuple[str, list[object]]]:
    """An address on this machine, and who called there."""
    called: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield f"http://127.0.0.1:{server.getsockname()[1]}", called
        with suppress(TimeoutError):
            called.append(server.accept()[1])
        assert not called


def memory() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def made(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def pdf_of(objects: dict[int, bytes]) -> bytes:
    """A PDF of these objects, with a right table of them; 1 is the root."""
    out, places = bytearray(b"%PDF-1.4\n"), {}
    for number, content in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start, count = len(out), max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count
    out += b"".join(b"%010d 00000 n \n" % places.get(number, 0) for number in range(1, count))
    return bytes(out + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start))


def stream(content: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    return b"<< /Length %d /Filter /FlateDecode %s >>\nstream\n%s\nendstream" % (len(packed), more, packed)


def page(
    content: bytes = stream(b"BT /F1 12 Tf 72 700 Td (" + GOOD.encode() + b") Tj ET"),
    box: bytes = b"[0 0 600 800]",
    kids: bytes = b"[3 0 R]",
    count: bytes = b"1",
    **more: bytes,
) -> bytes:
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % more.get("root", b""),
        2: b"<< /Type /Pages /Kids %s /Count %s >>" % (kids, count),
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> %s >>"
        % (box, more.get("page", b"")),
        4: content,
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    return pdf_of(objects)


def word(
    document: str = "",
    files: dict[str, bytes] | None = None,
    before: str = "",
    main: str = "openxmlformats-officedocument.wordprocessingml.document",
) -> bytes:
    """A Word file by hand: the words of its body, further files, and what stands before its root."""
    kind = f"application/vnd.{main}.main+xml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{RELATIONS}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<?xml version="1.0"?>{before}<w:document xmlns:w="{W}" xmlns:r="{RELATIONS}"><w:body>'
        f"<w:p><w:r><w:t>{document or GOOD}</w:t></w:r></w:p></w:body></w:document>",
    }
    return archive({name: text.encode() for name, text in parts.items()} | (files or {}))


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return out.getvalue()


def lying(data: bytes) -> bytes:
    """An archive that says of its biggest file that it holds 100 bytes."""
    changed = bytearray(data)
    for signature, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        for found in re.finditer(re.escape(signature), data):
            place = found.start() + at
            if struct.unpack_from("<I", changed, place)[0] > 1_000_000:
                struct.pack_into("<I", changed, place, 100)
    return bytes(changed)


LAUGHS = "<!DOCTYPE w [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 11)) + "]>"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 500
REFUSED: dict[str, tuple[str, Callable[[], bytes], str, str]] = {
    # what: name, file, reason, remedy
    "a page that unpacks to 200 MB": ("a.pdf", lambda: page(stream(bytes(200_000_000))), TOO_MUCH, PDF_AGAIN),
    "streams packed in packed streams": (
        "a.pdf",
        lambda: page(stream(zlib.compress(bytes(200_000_000), 9)).replace(b"/FlateDecode", b"[/FlateDecode /FlateDecode]")),
        TOO_MUCH, PDF_AGAIN,
    ),
    "pages that are their own parents": ("a.pdf", lambda: page(kids=b"[2 0 R 2 0 R]"), DAMAGED_PDF, PDF_AGAIN),
    "a million pages": ("a.pdf", lambda: page(kids=b"[" + b"3 0 R " * 1_000_000 + b"]", count=b"1000000"), TOO_MUCH, PDF_AGAIN),
    "values nested without end": ("a.pdf", lambda: page(page=b"/X " + b"[" * 200_000), DAMAGED_PDF, PDF_AGAIN),
    "cut in half": ("a.pdf", lambda: pdf(body(LONG))[:600], DAMAGED_PDF, PDF_AGAIN),
    "locked": ("a.pdf", lambda: locked(pdf(body(LONG)), "secret"), "it is locked with a password", "without the password"),
    "a picture": ("a.pdf", lambda: JPEG, "it is named .pdf but holds a picture", "Save it as .pdf again."),
    "rich text": ("a.docx", lambda: b"{\\rtf1 It fades.}", "it is named .docx but holds rich text (RTF)", "Save it as .docx"),
    "old Word, or locked": ("a.docx", lambda: OLE, "holds an old Word file (.doc) or a locked one", "Save it as .docx again."),
    "a bomb": ("a.docx", lambda: word(files={"word/x.xml": bytes(300_000_000)}), "it unpacks to 300 MB", "without pictures"),
    "a bomb that denies it": ("a.docx", lambda: lying(word(" " * 30_000_000)), DAMAGED_WORD, WORD_AGAIN),
    "a billion laughs": ("a.docx", lambda: word("&a10;", before=LAUGHS), DAMAGED_WORD, WORD_AGAIN),
    "a file of the machine, as an entity": (
        "a.docx", lambda: word("&x;", before='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/hostname">]>'), NO_TEXT, "Add text",
    ),
    "another archive": ("a.docx", lambda: archive({"word/x": b"x"}), "it is an archive, but not a Word file", WORD_AGAIN),
    "cut": ("a.docx", lambda: saved(word_document())[:-900], DAMAGED_WORD, WORD_AGAIN),
    "nothing": ("a.md", lambda: b"", "it is empty", "Add text to it or remove it."),
    "blanks": ("a.txt", lambda: b" \r\n\t\x0c \n" * 50, "it is empty", "Add text to it or remove it."),
    "blanks in UTF-16": ("a.txt", lambda: (" \n" * 9).encode("utf-16"), NO_TEXT, "Add text"),
    "a program": ("a.txt", lambda: b"\x7fELF\x02\x01\x01" + bytes(99), "it is not a text file (it holds NUL bytes)", "UTF-8"),
    "UTF-16 that is damaged": ("a.txt", lambda: b"\xff\xfe\x00\xd8a\0", "it begins as UTF-16-LE but is damaged", "as UTF-8"),
    "only scripts": ("a.html", lambda: b"<html><script>document.write('It fades.')</script>", NO_TEXT, "Add text"),
    "a hundred thousand attributes": (
        "a.html",
        lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(100_000)) + b">" + GOOD.encode(),
        "it took more than 3 seconds to read", SIMPLER,
    ),
    "a text that takes hours to divide": ("a.txt", lambda: b"( " * 400_000 + b"a", "it took more than 3 seconds", SIMPLER),
    "metadata that laughs": (
        "a.md",
        lambda: b"---\na0: &a0 [x]\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12))
        + b"---\nIt fades.",
        "it took more than 3 seconds to read", SIMPLER,
    ),
}  # fmt: skip
READ: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a page as big as a country": ("a.pdf", lambda: page(box=b"[0 0 100000000 100000000]")),
    "a count of pages that is not so": ("a.pdf", lambda: page(count=b"1000000000")),
    "many objects": (
        "a.pdf",
        lambda: page().replace(b"%PDF-1.4\n", b"%PDF-1.4\n" + b"".join(b"%d 0 obj 0 endobj\n" % n for n in range(9, 60_000))),
    ),
    "programs to be run": (
        "a.pdf", lambda: page(root=b"/OpenAction << /S /Launch /F (/bin/sh) >> /AA << /WC << /S /JavaScript /JS (x) >> >>"),
    ),
    "macros": ("a.docx", lambda: word(files={"word/vbaProject.bin": OLE}, main=MACROS)),
    "things put into it": ("a.docx", lambda: word(files={"word/embeddings/ole1.bin": OLE, "word/embeddings/a.exe": b"MZ"})),
    "a bomb put into it": ("a.docx", lambda: word(files={"word/embeddings/a.zip": archive({"x": bytes(100_000_000)})})),
    "paths that lead out": ("a.docx", lambda: word(files={"../../../tmp/x": b"x", "/etc/x": b"x"})),
    "scripts": ("a.html", lambda: f"<p onclick='x()'>{GOOD}</p><script>x()</script><svg onload=x()><style>x</style>".encode()),
    "an attribute of 10 MB": ("a.html", lambda: b"<p title='" + b"x" * 10_000_000 + b"'>" + GOOD.encode()),
    "markup and pictures": ("a.md", lambda: f"<script>x()</script>\n\n{GOOD} ![x](x.png)<img src=x onerror=x()>".encode()),
    "UTF-16": ("a.txt", lambda: GOOD.encode("utf-16")),
    "a mark at its start": ("a.md", lambda: GOOD.encode("utf-8-sig")),
    "Latin-1": ("a.txt", lambda: (GOOD + "\n\nVoilà.").encode("latin-1")),
    "bytes that are no UTF-8": ("a.md", lambda: GOOD.encode() + b"\n\n\xff\xfe\x80 x"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused(tmp_path: Path, what: str) -> None:
    name, data, reason, remedy = REFUSED[what]
    with refused(reason, name=name, remedy=remedy):
        read_with_sheets(made(tmp_path, name, data()))


@pytest.mark.parametrize("what", READ)
def test_is_read_for_its_words_and_nothing_else(tmp_path: Path, what: str) -> None:
    name, data = READ[what]
    article, _ = read_with_sheets(made(tmp_path, name, data()))
    said = [article.text[each.start : each.end] for each in article.sentences]
    assert said[0] == GOOD
    assert "x()" not in article.text
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("markup", ["<div>", "<b>", "<table><tr><td>", "<ul><li>", "<svg><g>", "<p>", "> ", "- "])
def test_markup_nested_a_hundred_thousand_deep_is_read_or_refused(tmp_path: Path, markup: str) -> None:
    path = made(tmp_path, "a.html" if markup[0] == "<" else "a.md", (markup * 100_000 + GOOD).encode())
    try:
        outcome = read_article(path).text
    except UnreadableFile as problem:
        outcome = problem.reason
    assert outcome in {GOOD, NO_TEXT, STOPPED, "it took more than 3 seconds to read", "it is nested too deeply"}


def test_nothing_is_fetched_for_a_file(tmp_path: Path, listener: tuple[str, list[object]]) -> None:
    address, _ = listener
    relations = (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r9" Type="{RELATIONS}/attachedTemplate" '
        f'Target="{address}/t.dotm" TargetMode="External"/><Relationship Id="r8" Type="{RELATIONS}/image" '
        f'Target="{address}/i.png" TargetMode="External"/></Relationships>'
    )
    files = {
        "relations.docx": word(files={"word/_rels/document.xml.rels": relations.encode()}),
        "type.docx": word(before=f'<!DOCTYPE w SYSTEM "{address}/w.dtd">'),
        "entity.docx": word("&x;" + GOOD, before=f'<!DOCTYPE w [<!ENTITY x SYSTEM "{address}/x">]>'),
        "a.html": f'<base href="{address}"><link rel=stylesheet href="{address}/s.css"><img src="{address}/i.png">'
        f'<iframe src="{address}"></iframe><meta http-equiv=refresh content="0;{address}"><p>{GOOD}'.encode(),
        "a.md": f"![x]({address}/i.png) <img src='{address}/j.png'>\n\n{GOOD}".encode(),
        "a.pdf": page(
            root=f"/OpenAction << /S /URI /URI ({address}) >>".encode(),
            page=f"/AA << /O << /S /SubmitForm /F ({address}) >> >>".encode(),
        ),
    }
    for name, data in files.items():
        article, _ = read_with_sheets(made(tmp_path, name, data))
        assert article.text.endswith(GOOD), name


def test_a_reader_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = f"import sys; sys.path.insert(0, {sandbox._ROOT!r}); from retrieval.reading import worker; "
    endless += "worker.read_bytes = lambda *given: [each for each in iter(int, 1) if each]; worker.main()"
    monkeypatch.setattr(sandbox, "_START", endless)
    monkeypatch.setattr(sandbox, "Limits", functools.partial(Limits, cpu=1))
    with refused("it took more than 1 seconds to read", name="a.txt", remedy=SIMPLER):
        read_article(made(tmp_path, "a.txt", GOOD.encode()))


def test_a_document_that_needs_too_much_memory_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "Limits", functools.partial(Limits, memory=200_000_000))
    with refused("memory", name="a.docx"):
        read_article(made(tmp_path, "a.docx", word("</w:t></w:r></w:p><w:p><w:r><w:t>" * 200_000 + GOOD)))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.md", "a\\nb.md"),
        ("a\x1b[2Jb.md", "a\\x1b[2Jb.md"),
        ("red\u202efdp.md", "red\\u202efdp.md"),
        ("R\udcf6te.md", "R\\udcf6te.md"),
    ],
)
def test_a_name_that_cannot_be_seen_is_refused_and_spelled_out(tmp_path: Path, name: str, shown: str) -> None:
    with refused("its name holds characters that cannot be seen", name=shown, remedy="Rename it"):
        read_article(made(tmp_path, name, GOOD.encode()))
    assert [path.name for path in article_files(tmp_path)[0]] == [name]


@pytest.mark.parametrize(
    ("name", "reason"), [("a\0.md", "its name holds"), ("a" * 400 + ".md", "it cannot be opened (File name too long)")]
)
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read_article(tmp_path / name)
    assert reason in caught.value.reason
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["CON.md", "aux.txt", "-rf.md", "a b & 'c' $(x).md", "Röte 红.md", "..md.md"])
def test_a_name_that_only_other_programs_stumble_over_is_read(tmp_path: Path, name: str) -> None:
    assert read_article(made(tmp_path, name, GOOD.encode())).doc == name


def test_what_is_no_file_is_left_out_of_a_folder_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "folder.pdf").mkdir()
    (tmp_path / "zero.md").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as heard:
        heard.bind(str(tmp_path / "ear.md"))
    chosen, notes = article_files(tmp_path)
    assert not chosen
    assert notes == [
        "ear.md: left out, it is not a file.",
        "folder.pdf: left out, it is a folder.",
        "pipe.md: left out, it is not a file.",
        "zero.md: left out, it is not a file.",
    ]
    with refused("it is not a file", name="pipe.md"):
        read_article(tmp_path / "pipe.md")
    for name in ("folder.pdf", "ear.md"):
        with refused("it cannot be opened", name=name):
            read_article(tmp_path / name)


def test_a_link_is_followed_within_its_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    (folder / "..data").mkdir(parents=True)
    made(tmp_path, "secret.md", b"A key.")
    made(folder / "..data", "inside.md", GOOD.encode())
    (folder / "a.md").symlink_to("..data/inside.md")  # as in a folder that a cluster mounts
    assert read_article(folder / "a.md").text == GOOD
    (tmp_path / "linked").symlink_to(folder)
    assert read_article(tmp_path / "linked" / "a.md").text == GOOD
    for name, target in {"b.md": "../secret.md", "c.md": "/etc/passwd", "d.md": "/dev/zero"}.items():
        (folder / name).symlink_to(target)
        with refused("it is a link to a place outside of its folder", name=name, remedy="Put the file itself there."):
            read_article(folder / name)
    (folder / "e.md").symlink_to("e.md")
    (folder / "f.md").symlink_to("gone.md")
    for name in ("e.md", "f.md"):
        with refused("it cannot be opened", name=name):
            read_article(folder / name)
    (folder / "a.toml").symlink_to("../secret.md")
    with refused("it is a link to a place outside of its folder", name="a.toml"):
        read_article(folder / "a.md")


def test_metadata_that_would_take_long_to_read_is_refused_unread(tmp_path: Path) -> None:
    made(tmp_path, "a.md", GOOD.encode())
    made(tmp_path, "a.toml", b"a." * 500_000 + b"b = 1")
    with refused("it has 1,000,005 bytes, more than the 30,000 that are read", name="a.toml"):
        read_article(tmp_path / "a.md")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("title = 0x" + "f" * 6000, "title = what is written there is not text"),
        ("topics = [" + "1, " * 3000 + "]", "is not a list of words"),
        ("reviewed_on = 2026-05-03T10:00:00Z", "reviewed_on = 2026-05-03T10:00:00+00:00 is not a date"),
        ("a.b = 1\na.b = 2\n", "it is not valid TOML (line 2, column 8)"),
        ("title = 'x\xff'", "it is not valid TOML"),
    ],
)  # fmt: skip
def test_what_metadata_says_wrongly_is_shown_on_one_short_line(tmp_path: Path, line: str, reason: str) -> None:
    made(tmp_path, "a.md", GOOD.encode())
    made(tmp_path, "a.toml", line.encode("latin-1"))
    with refused(reason, name="a.toml"):
        read_article(tmp_path / "a.md")
    with pytest.raises(UnreadableFile, match=r"^.{1,250}$"):
        read_article(tmp_path / "a.md")
