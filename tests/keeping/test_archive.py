"""Everything in one file and back again, and nothing that is damaged or foreign is taken up."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval import history
from retrieval.build import build
from retrieval.errors import CorpusError
from retrieval.in_force import history_faults
from retrieval.keeping.archive import export_all, import_all
from retrieval.keeping.publishing import lay_out_entry
from retrieval.release import current_id
from retrieval.settings import Settings

pytestmark = pytest.mark.usefixtures("quick_reading")


@pytest.fixture
def settings(corpus: Path, corpus_index: Path, words: WordEncoder) -> Settings:
    found = replace(Settings(), corpus=corpus, index=corpus_index)
    (corpus / "articles" / "sun.html").unlink()
    build(corpus, found.index, words)
    return found


def elsewhere(tmp_path: Path) -> Settings:
    return replace(Settings(), corpus=tmp_path / "there" / "corpus", index=tmp_path / "there" / "index")


def test_what_was_exported_is_the_same_elsewhere_history_and_all(
    settings: Settings, tmp_path: Path, words: WordEncoder
) -> None:
    export_all(settings, tmp_path / "all.zip")
    there = elsewhere(tmp_path)
    report = import_all(there, tmp_path / "all.zip", words, "Ann Tan")
    assert report.release == current_id(settings.index)[0] == current_id(there.index)[0]
    assert [entry.what for entry in history.entries(there.index)] == ["built", "built", "imported"]
    assert history.entries(there.index)[:2] == history.entries(settings.index)
    assert history_faults(there.index) == []
    lay_out_entry(there.index, 1, tmp_path / "first")
    assert (tmp_path / "first" / "articles" / "sun.html").is_file()


def test_the_journal_is_not_in_it(settings: Settings, tmp_path: Path) -> None:
    (settings.corpus.parent / "journal.sqlite3").write_bytes(b"what patients asked")
    export_all(settings, tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {"corpus", "index", "list.json"}


def test_nothing_is_overwritten_by_either(settings: Settings, tmp_path: Path, words: WordEncoder) -> None:
    (tmp_path / "all.zip").write_bytes(b"mine")
    with pytest.raises(CorpusError, match="it is there already"):
        export_all(settings, tmp_path / "all.zip")
    assert (tmp_path / "all.zip").read_bytes() == b"mine"
    export_all(settings, tmp_path / "other.zip")
    with pytest.raises(CorpusError, match="it is not empty"):
        import_all(settings, tmp_path / "other.zip", words, "Ann")


def rewritten(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def stray(files: dict[str, bytes]) -> None:
    listed = json.loads(files["list.json"])
    listed["files"]["corpus/../../evil.txt"] = "0" * 64
    files.update({"corpus/../../evil.txt": b"x", "list.json": json.dumps(listed).encode()})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda files: files.update({"corpus/clinic.toml": b"name = 'Other'"}), "is damaged"),
        (lambda files: files.pop("corpus/clinic.toml"), "does not name the files"),
        (lambda files: files.update({"corpus/more.md": b"x"}), "does not name the files"),
        (stray, "leads out of the corpus"),
        (lambda files: files.pop("list.json"), "holds no list"),
        (lambda files: files.update({"list.json": b'{"version": 99, "files": {}}'}), "another version"),
    ],
)
def test_what_is_damaged_or_foreign_is_not_taken_up(
    settings: Settings, tmp_path: Path, words: WordEncoder, change: Callable[[dict[str, bytes]], object], said: str
) -> None:
    export_all(settings, tmp_path / "all.zip")
    there = elsewhere(tmp_path)
    with pytest.raises(CorpusError, match=said):
        import_all(there, rewritten(tmp_path / "all.zip", change), words, "Ann")
    assert not there.corpus.exists()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and nothing more", b"no archive at all"])
def test_what_is_no_archive_is_named(settings: Settings, tmp_path: Path, words: WordEncoder, data: bytes) -> None:
    (tmp_path / "all.zip").write_bytes(data)
    with pytest.raises(CorpusError, match=r"all\.zip: cannot be read"):
        import_all(elsewhere(tmp_path), tmp_path / "all.zip", words, "Ann")
