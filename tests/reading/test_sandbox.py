"""Untrusted files: parsed in a child process that cannot take more than it is given, nor say more than a reading."""

from __future__ import annotations

import json
import random
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from samples import LONG, body, costly_pdf, heading, pdf, read, refused, saved, word_document

from retrieval.errors import UnreadableFile
from retrieval.reading import formats, read_article, sandbox
from retrieval.reading.sandbox import DRAWING, Limits, draw_sandboxed, read_sandboxed
from retrieval.types import Article, Block, Sentence

MUTANTS = 20
SAID = {"text": "It fades.", "title": "", "metadata": {}, "warnings": [], "sentences": []}
NO_TEXT = "it holds no text that could be quoted"  # what only heads something
GOOD = {"a.pdf": pdf(heading("Laser", "Title"), *[body(LONG)] * 3), "a.docx": saved(word_document())}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch):
    """Lets a test say what the child process says."""

    def say(output: bytes) -> None:
        monkeypatch.setattr(sandbox, "_run", lambda path, data, limits, start="": output)

    return say


@pytest.mark.parametrize(
    ("name", "data"),
    [
        *GOOD.items(),
        ("a.md", b"+++\nreviewed_on = 2026-05-03\ntopics = ['a']\n+++\n# Red\n\nIt fades.\n"),
        ("a.txt", b"Rot\xe9.\n"),
    ],
)
def test_a_file_reads_in_the_sandbox_as_it_does_outside(name: str, data: bytes) -> None:
    inside, outside = read_sandboxed(Path(name), data), read(name, data)
    assert (inside.text, inside.blocks, inside.title, inside.warnings) == (
        outside.text,
        outside.blocks,
        outside.title,
        outside.warnings,
    )
    assert {key: str(value) for key, value in inside.metadata.items()} == {
        key: str(value) for key, value in outside.metadata.items()
    }


def test_what_the_reader_refuses_is_said_in_its_words() -> None:
    with refused("it is named .pdf but holds Word", name="a.pdf", remedy="Rename it to a.docx."):
        read_sandboxed(Path("/corpus/articles/a.pdf"), GOOD["a.docx"])


def test_a_name_that_is_no_utf8_can_be_read() -> None:
    assert read_sandboxed(Path("R\udcf6te – rot.txt"), b"It fades in two days, or in three.").text


def test_a_file_of_too_many_bytes_is_refused_unread(monkeypatch: pytest.MonkeyPatch, said) -> None:
    said(b"")
    monkeypatch.setattr(sandbox, "MAX_BYTES", 10)
    monkeypatch.setattr(formats, "MAX_BYTES", 10)
    with refused("MB a file may have", name="a.txt", remedy="Split it"):
        read_sandboxed(Path("a.txt"), bytes(11))


def test_a_file_that_costs_too_much_cpu_is_stopped() -> None:
    costly = costly_pdf(2_000_000)
    assert len(costly) < 100_000
    began = time.monotonic()
    with refused("it took more than 1 seconds to read", name="a.pdf", remedy="simpler form"):
        read_sandboxed(Path("a.pdf"), costly, Limits(cpu=1, wall=30))
    assert time.monotonic() - began < 10


def test_a_file_that_takes_too_long_is_stopped() -> None:
    began = time.monotonic()
    with refused("it took more than", name="a.pdf", remedy="simpler form"):
        read_sandboxed(Path("a.pdf"), costly_pdf(2_000_000), Limits(cpu=60, wall=1))
    assert time.monotonic() - began < 5


def test_a_child_that_falls_silent_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_START", "import os, time; os.close(1); os.close(0); time.sleep(60)")
    began = time.monotonic()
    with refused("it took more than"):
        read_sandboxed(Path("a.txt"), b"It fades.", Limits(wall=1))
    assert time.monotonic() - began < 5


def test_a_file_that_needs_too_much_memory_is_stopped() -> None:
    with refused("memory", name="a.txt", remedy="simpler form"):
        read_sandboxed(Path("a.txt"), b"It fades in two days.\n" * 2_000_000, Limits(memory=250_000_000))


def test_a_file_that_unpacks_to_too_much_text_is_stopped() -> None:
    with refused("it unpacks to far more text than an article has"):
        read_sandboxed(Path("a.txt"), b"It fades in two days.\n" * 500, Limits(output=5000))


@pytest.mark.parametrize("markup", ["<div>", "<table><tr><td>", "<b>", "<ul><li>", "<h1>"])
def test_markup_that_is_nested_absurdly_deep_stops_the_child_at_worst(markup: str) -> None:
    try:
        text = read_sandboxed(Path("a.html"), f"{markup * 3_000}It fades.".encode()).text
    except UnreadableFile as problem:
        text = problem.reason
    assert text in {"It fades.", "it made its reader stop (too much memory, or damage)", NO_TEXT}


@pytest.mark.parametrize(
    "output",
    [
        b"", b"{}", b"[]", b"null", b"5", b"Traceback", b'{"text": "It', b"\xff", b"[" * 100_000, b'{"reason": "x"}',
        *(
            json.dumps({**SAID, "blocks": found, **other}).encode()
            for found, other in [
                ([["paragraph", 0, 99, 0, 0, False]], {}),
                ([["paragraph", -3, 2, 0, 0, False]], {}),
                ([["paragraph", 2, 2, 0, 0, False]], {}),
                ([["paragraph", 0, 5, 0, 0, False], ["paragraph", 3, 9, 0, 0, False]], {}),
                ([["script", 0, 9, 0, 0, False]], {}),
                ([["paragraph", "0", 9, 0, 0, False]], {}),
                ([["paragraph", 0, 9]], {}),
                ([[["paragraph"], 0, 9, 0, 0, False]], {}),
                ([], {"metadata": "title"}),
                ([], {"warnings": 5}),
                ([], {"text": "It fades \ud800."}),
                ([], {"title": "\udc00"}),
                ([["paragraph", 0, 9, 0, 0, False]], {"sentences": [[0, 99, 0]]}),
                ([["paragraph", 0, 9, 0, 0, False]], {"sentences": [[0, 9, 1]]}),
                ([["paragraph", 0, 9, 0, 0, False]], {"sentences": [[0, 9, -1]]}),
                ([["paragraph", 3, 9, 0, 0, False]], {"sentences": [[0, 9, 0]]}),
                ([["paragraph", 0, 9, 0, 0, False]], {"sentences": [[0, 9, 0], [0, 9, 0]]}),
                ([["paragraph", 0, 9, 0, 0, False]], {"sentences": [[0, 9]]}),
            ]
        ),
    ],
)  # fmt: skip
def test_a_child_that_says_something_else_is_not_believed(said, output: bytes) -> None:
    said(output)
    with refused("it made its reader stop", name="a.txt"):
        read_sandboxed(Path("a.txt"), b"It fades.")


def test_a_child_is_believed_when_its_blocks_lie_in_its_text(said) -> None:
    said(
        b'{"text": "It fades.", "title": "T", "metadata": {"a": 1}, "warnings": ["w"],'
        b' "blocks": [["item", 0, 9, 0, 3, true]], "sentences": [[0, 9, 0]]}'
    )
    reading = read_sandboxed(Path("a.txt"), b"")
    assert (reading.title, reading.metadata, reading.warnings) == ("T", {"a": 1}, ("w",))
    assert (reading.blocks[0].kind, reading.blocks[0].page, reading.blocks[0].opens) == ("item", 3, True)
    assert reading.sentences == (Sentence(0, 9, 0, 0, 3),)


@pytest.mark.parametrize(
    "start", ["raise SystemExit(3)", "import os; os.abort()", "import os, signal; os.kill(os.getpid(), 9)"]
)
def test_a_child_that_dies_makes_one_file_unreadable(monkeypatch: pytest.MonkeyPatch, start: str) -> None:
    monkeypatch.setattr(sandbox, "_START", start)
    with refused("it made its reader stop", name="a.txt"):
        read_sandboxed(Path("a.txt"), b"It fades." * 100_000)


def test_the_child_sees_neither_the_folder_nor_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLINIC_SECRET", "s3cret")
    spy = (
        "import json, os, sys; sys.stdin.read(); json.dump({'text': os.getcwd() + repr(dict(os.environ)) + repr(sys.argv),"
        " 'title': '', 'metadata': {}, 'warnings': [], 'blocks': [], 'sentences': []}, sys.stdout)"
    )
    monkeypatch.setattr(sandbox, "_START", spy)
    seen = read_sandboxed(tmp_path / "a.txt", b"It fades.").text
    assert "a.txt" in seen
    assert "s3cret" not in seen
    assert str(tmp_path) not in seen
    assert seen.startswith("/{")


def test_no_child_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(sandbox.subprocess, "Popen", Watched)
    with refused("it took more than"):
        read_sandboxed(Path("a.pdf"), costly_pdf(2_000_000), Limits(wall=0.5))
    assert [child.returncode for child in started] == [-9]


def mutant(data: bytes, seed: int) -> bytes:
    """The same copy for the same seed: some bytes changed, a piece taken out, doubled or cut off."""
    chance = random.Random(seed)
    changed = bytearray(data)
    for _ in range(chance.choice([1, 4, 16, 64])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    start = chance.randrange(len(changed))
    piece = slice(start, start + chance.randrange(200))
    if seed % 3 == 0:
        del changed[piece]
    elif seed % 3 == 1:
        changed[start:start] = changed[piece]
    elif seed % 5 == 2:
        del changed[start:]
    return bytes(changed)


@pytest.mark.parametrize("name", GOOD)
def test_damaged_copies_are_read_or_refused_and_nothing_else(name: str) -> None:
    def outcome(seed: int) -> str:
        try:
            reading = read_sandboxed(Path(name), mutant(GOOD[name], seed), Limits(cpu=5, wall=20))
        except UnreadableFile as problem:
            return f"refused {problem.path}"
        return f"read {type(reading).__name__}"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(outcome, range(MUTANTS)))
    assert set(outcomes) == {"read Reading", f"refused {name}"}


def article_of(text: str) -> Article:
    return Article("a.pdf", "", text, "", "", (Block("paragraph", 0, len(text), 0, 1),), (), ())


def test_pages_are_drawn_in_a_child_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(GOOD["a.pdf"])
    article = read_article(path)
    sheets = draw_sandboxed(path, GOOD["a.pdf"], article)
    assert [picture[8:12] for picture in sheets.pictures] == [b"WEBP"]
    assert [article.text[start:end] for start, end, *_ in sheets.words.tolist()] == article.text.split()


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(cpu=1, wall=30), "took more than"),
        (Limits(wall=0.5), "took more than"),
        (Limits(memory=150_000_000), "stop"),
        (Limits(output=1000), "unpacks"),
    ],
)
def test_what_costs_too_much_to_draw_is_stopped(limits: Limits, reason: str) -> None:
    data = GOOD["a.pdf"] if limits.output == 1000 else costly_pdf(2_000_000)
    with refused(reason, name="a.pdf"):
        draw_sandboxed(Path("a.pdf"), data, article_of("It fades."), limits)


def test_what_cannot_be_drawn_is_said_in_its_words() -> None:
    with refused("its pages cannot be drawn", name="a.pdf", remedy="Export it again"):
        draw_sandboxed(Path("a.pdf"), b"%PDF-1.4\nnothing", article_of("It fades."))


@pytest.mark.parametrize(
    "output",
    [
        b"", b"{}", b"[]", b"null", b"5", b"Traceback", b"[" * 100_000, b'{"reason": "x"}',
        b'{"pictures": [], "sizes": [], "words": []}',
        b'{"pictures": ["####"], "sizes": [[1, 1]], "words": []}',
        b'{"pictures": ["PHN2Zz4="], "sizes": [[1, 1]], "words": []}',
        b'{"pictures": ["UklGRgAAAABXRUJQ"], "sizes": [[1, 1]], "words": [[0, 99, 1, 0, 0, 1, 1]]}',
        b'{"pictures": ["UklGRgAAAABXRUJQ"], "sizes": [[1, 1]], "words": [[0, 2, 1, 0, 0, 1e400, 1]]}',
        b'{"pictures": ["UklGRgAAAABXRUJQ"], "sizes": [[1, 1]], "words": [[0, 2, 1, 0, 0, NaN, 1]]}',
        b'{"pictures": 5, "sizes": [[1, 1]], "words": []}',
    ],
)  # fmt: skip
def test_a_child_that_draws_something_else_is_not_believed(said, output: bytes) -> None:
    said(output)
    with refused("its pages made what draws them stop", name="a.pdf"):
        draw_sandboxed(Path("a.pdf"), b"", article_of("It fades."))
    said(b'{"pictures": ["UklGRgAAAABXRUJQ"], "sizes": [[1, 1]], "words": [[0, 2, 1, 0, 0, 1, 1]]}')
    assert len(draw_sandboxed(Path("a.pdf"), b"", article_of("It fades.")).pictures) == 1


def test_what_a_child_may_draw_fits_into_what_it_may_say() -> None:
    from retrieval.reading import drawing

    assert drawing._MAX_BYTES * 4 / 3 < 0.6 * DRAWING.output < Limits().output
