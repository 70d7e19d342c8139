"""A short run of benchmarks/fuzz: damaged files of every format, and that the run finds what it is there to find."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.fuzz import checks, run, seeds
from retrieval.errors import UnreadableFile
from retrieval.reading import read_article

EACH = {"txt": 20, "md": 20, "html": 20, "docx": 15, "pdf": 15, "metadata": 20}


def outcome(kind: str, number: int, folder: Path) -> run.Outcome:
    place = folder / f"{kind}-{number}"
    place.mkdir()
    files = run.made(kind, 2, number)
    for name, data in files.items():
        (place / name).write_bytes(data)
    found = run.Outcome(kind, number, 0)
    run._read(place / next(iter(files)), found)
    return found


def test_damaged_files_are_read_soundly_or_refused_clearly(tmp_path: Path) -> None:
    cases = [(kind, number) for kind, count in EACH.items() for number in range(count)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda case: outcome(*case, tmp_path), cases))
    assert not [(one.kind, one.number, one.faults) for one in outcomes if one.faults]
    for kind in EACH:
        assert {one.read for one in outcomes if one.kind == kind} == {True, False}, kind


@pytest.mark.parametrize("kind", seeds.FORMATS)
def test_the_same_numbers_make_the_same_file_and_others_another(kind: str) -> None:
    assert run.made(kind, 1, 5) == run.made(kind, 1, 5)
    assert len({str(run.made(kind, 1, number)) for number in range(6)}) == 6
    assert run.made(kind, 1, 5) != run.made(kind, 2, 5)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (UnreadableFile(Path("b.pdf"), "it is damaged", "Export it again."), "begin with the file's name"),
        (UnreadableFile(Path("a.pdf"), "", "Export it again."), "no reason"),
        (UnreadableFile(Path("a.pdf"), "it is damaged", ""), "what to do"),
        (UnreadableFile(Path("a.pdf"), "it is\ndamaged", "Export it again."), "more than one line"),
        (UnreadableFile(Path("a.pdf"), "it is damaged " * 90, "Export it again."), "characters"),
        *(
            (UnreadableFile(Path("a.pdf"), f"it is damaged ({inside})", "Export it again."), "insides")
            for inside in ("KeyError", "b'/Root'", "datetime.date(2026, 1, 1)", "/tmp/x", "worker.py", "<object at 0x7f1>")
        ),
    ],
)
def test_a_message_that_is_not_clear_is_found(said: UnreadableFile, fault: str) -> None:
    assert fault in " ".join(checks.message_faults(said, "a.pdf"))
    assert not checks.message_faults(UnreadableFile(Path("a.pdf"), "it is damaged", "Export it again."), "a.pdf")


def test_another_error_a_leftover_child_and_what_costs_the_caller_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        run.Watched(["sleep", "0.2"])
        raise KeyError("/Root")

    monkeypatch.setattr(run.sandbox.subprocess, "Popen", run.sandbox.subprocess.Popen)  # put back at the end
    monkeypatch.setattr(run, "read_with_sheets", fail)
    monkeypatch.setattr(run, "SLOWEST_PARENT", -1.0)
    faults = run.tried("pdf", 1, 3, tmp_path).faults
    for child in run.Watched.started:
        child.wait()
    assert faults[0] == "KeyError: '/Root'"
    assert {"a child was left"} <= set(faults)
    assert "CPU in the calling process" in " ".join(faults)
    assert (tmp_path / "pdf-1-3" / "a.pdf").read_bytes() == run.made("pdf", 1, 3)["a.pdf"]


def test_an_article_that_is_not_sound_is_found(tmp_path: Path) -> None:
    from dataclasses import replace

    (tmp_path / "a.md").write_bytes(seeds.seeds_of("md")[0])
    article = read_article(tmp_path / "a.md")
    assert not checks.article_faults(article)
    first, second, *others = article.sentences
    for wrong, fault in [
        (replace(article, text=article.text + "."), "digest"),
        (replace(article, sentences=(second, first, *others)), "out of order"),
        (replace(article, sentences=(first._replace(end=10**9), *others)), "outside of the text"),
        (replace(article, sentences=(first._replace(start=first.start + 3, end=first.end), second)), "blanks"),
        (replace(article, sentences=(first._replace(block=0),)), "heading"),
        (replace(article, sentences=(first._replace(section=9),)), "not there"),
        (replace(article, title=""), "title"),
        (replace(article, title="\ud800"), "written"),
        (replace(article, warnings=("Traceback",)), "insides"),
    ]:
        assert fault in " ".join(checks.article_faults(wrong)), fault
