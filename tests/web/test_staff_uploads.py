"""Files that staff send: their sender's alone, never with a name on disk, gone when they were taken."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from staffing import EDITOR, PUBLISHER, Clock, Staffed, staffed

from retrieval.errors import CorpusError
from web.staff import uploads
from web.staff.gate import MAX_UPLOAD
from web.staff.uploads import Shelf

BYTES = "application/octet-stream"


async def _parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf(tmp_path: Path, clock: Clock) -> Iterator[Shelf]:
    made = Shelf(tmp_path, clock)
    yield made
    made.clear()


def _put(shelf: Shelf, *parts: bytes, owner: str = EDITOR, name: str = "leaflet.pdf") -> str:
    return asyncio.run(shelf.put(owner, name, _parts(*parts)))


def test_a_file_is_taken_whole_and_once_and_has_no_name_on_disk(shelf: Shelf, tmp_path: Path) -> None:
    token = _put(shelf, b"one ", b"", b"two")
    assert list(tmp_path.iterdir()) == []
    assert shelf.take(EDITOR, token) == ("leaflet.pdf", b"one two")
    with pytest.raises(CorpusError, match="not here any more"):
        shelf.take(EDITOR, token)


def test_another_person_cannot_take_it(shelf: Shelf) -> None:
    token = _put(shelf, b"x")
    for owner, word in ((PUBLISHER, token), (EDITOR, token[:-1]), (EDITOR, "")):
        with pytest.raises(CorpusError):
            shelf.take(owner, word)
    assert shelf.take(EDITOR, token)[1] == b"x"


def test_what_nobody_takes_goes_after_an_hour(shelf: Shelf, clock: Clock) -> None:
    files = len(os.listdir("/proc/self/fd"))
    token = _put(shelf, b"x")
    clock.pass_(3599)
    shelf.sweep()
    other = _put(shelf, b"y")
    clock.pass_(1)
    shelf.sweep()
    with pytest.raises(CorpusError):
        shelf.take(EDITOR, token)
    assert shelf.take(EDITOR, other)[1] == b"y"
    assert len(os.listdir("/proc/self/fd")) == files


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "..", "../x.pdf", "/etc/passwd", "a/b.pdf", "a\\b.pdf", ".hidden", "-rf", "a\x00.pdf", "a\nb.pdf",
     "a\u202efdp.exe", "a:b.pdf", "x" * 121, "漢" * 41, "a\u200b.pdf", "con|prn", "<b>.pdf"],
)  # fmt: skip
def test_a_name_that_could_lead_elsewhere_is_refused(shelf: Shelf, name: str) -> None:
    with pytest.raises(CorpusError, match="cannot be the name"):
        _put(shelf, b"x", name=name)


@pytest.mark.parametrize("name", ["leaflet (2026).pdf", "after care.md", "肌のケア.docx", "O'Neill's leaflet, v. 2.txt"])
def test_names_as_people_give_them_are_kept(shelf: Shelf, name: str) -> None:
    assert shelf.take(EDITOR, _put(shelf, b"x", name=name))[0] == name


def test_too_much_too_many_and_nothing_are_refused_and_leave_nothing_open(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOAD", 10)
    monkeypatch.setattr(uploads, "_MOST_BYTES_OF_ONE", 25)
    monkeypatch.setattr(uploads, "_MOST_OF_ONE", 4)
    files = len(os.listdir("/proc/self/fd"))
    for parts in ((b"x" * 11,), (b"x" * 6, b"x" * 5), (), (b"",)):
        with pytest.raises(CorpusError):
            _put(shelf, *parts)
    assert len(os.listdir("/proc/self/fd")) == files
    for _ in range(2):
        _put(shelf, b"x" * 10)
    with pytest.raises(CorpusError, match="four times"):
        _put(shelf, b"x" * 6)
    for _ in range(2):
        _put(shelf, b"x")
    with pytest.raises(CorpusError, match="waiting"):
        _put(shelf, b"x")
    assert shelf.take(PUBLISHER, _put(shelf, b"x" * 10, owner=PUBLISHER))[1] == b"x" * 10


def test_what_stops_coming_is_not_waited_for(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_SILENT", 0.01)

    async def stuck() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        asyncio.run(shelf.put(EDITOR, "a.pdf", stuck()))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staffed]:
    with staffed(tmp_path_factory.mktemp("staff"), tmp_path_factory.mktemp("corpus")) as running:
        yield running


def test_who_is_signed_in_sends_a_file_and_gets_the_word_for_it(server: Staffed) -> None:
    with closing(server.signed_in(EDITOR)) as client:
        reply = client.post(
            "/upload", params={"name": "my leaflet.pdf"}, content=b"%PDF" * 1000, headers={"content-type": BYTES}
        )
        assert reply.status_code == 200
        assert len(reply.json()["token"]) >= 20
        assert [path for path in (server.folder / "files").rglob("*") if path.is_file()] == []


def test_nobody_else_does_and_nothing_else_is_taken(server: Staffed) -> None:
    with server.client() as stranger:
        assert stranger.post("/upload?name=a.pdf", content=b"x", headers={"content-type": BYTES}).status_code == 401
    with closing(server.signed_in(EDITOR)) as client:
        foreign = {"content-type": BYTES, "origin": "https://evil.example"}
        assert client.post("/upload?name=a.pdf", content=b"x", headers=foreign).status_code == 403
        # What a form of another site can send without asking is not taken even from our own.
        for kind in ("text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
            assert client.post("/upload?name=a.pdf", content=b"x", headers={"content-type": kind}).status_code == 415
        assert (
            client.post("/upload?name=../a.pdf", content=b"x" * 3_000_000, headers={"content-type": BYTES}).status_code == 422
        )
        assert client.post("/upload?name=a.pdf", content=b"", headers={"content-type": BYTES}).status_code == 411
        assert client.get("/upload?name=a.pdf").status_code == 404


def test_a_file_past_the_limit_is_refused_by_its_length_alone(server: Staffed) -> None:
    with closing(server.signed_in(EDITOR)) as client:
        token = client.cookies["staff"]
    lines = ["POST /upload?name=a.pdf HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Origin: {server.address}"]
    lines += [f"Cookie: staff={token}", f"Content-Type: {BYTES}", f"Content-Length: {MAX_UPLOAD + 1}", "", ""]
    with socket.create_connection(("127.0.0.1", server.port), 20) as line:
        line.sendall("\r\n".join(lines).encode())
        came = b""
        while part := line.recv(65536):
            came += part
    assert came.startswith(b"HTTP/1.1 413")
