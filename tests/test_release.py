"""Releases: complete, checked, switched in one step, and never believed when altered."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from reportlab.pdfgen.canvas import Canvas
from support import WordEncoder

from retrieval.build import build
from retrieval.errors import DamagedRelease, NoRelease
from retrieval.in_force import put_in_force
from retrieval.release import Release, current_id, open_current


def leaflet() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    for text in ("Wash your hands first.", "Then dry your hands with care."):
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


@pytest.fixture
def index(corpus: Path, tmp_path: Path, words: WordEncoder) -> Path:
    (corpus / "articles" / "hands.pdf").write_bytes(leaflet())
    build(corpus, tmp_path / "index", words)
    return tmp_path / "index"


def release_files(index: Path) -> list[Path]:
    return sorted(path for path in (index / "releases").rglob("*") if path.is_file())


def test_a_release_holds_articles_passages_vectors_and_clinic(index: Path, corpus: Path) -> None:
    release = open_current(index)
    assert [article.doc for article in release.articles] == ["hands.pdf", "redness.md", "sessions.txt", "sun.html"]
    assert release.clinic.name == "Test Clinic"
    assert release.vectors.count == len(release.passages)
    passages, vectors = release.vectors_of("sun.html")
    assert {release.articles[p.article].doc for p in passages} == {"sun.html"}
    assert vectors.shape == (len(passages), WordEncoder.dimension)
    article = release.article("sessions.txt")
    assert article is not None
    assert article.text == (corpus / "articles" / "sessions.txt").read_text(encoding="utf-8")
    assert release.article("nothing.txt") is None


def test_the_manifest_names_every_file_with_size_and_digest(index: Path) -> None:
    folder = index / "releases" / open_current(index).id
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    on_disk = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == on_disk - {"manifest.json"}


def test_nothing_is_pickled(index: Path) -> None:
    for path in release_files(index):
        assert path.suffix in {".json", ".jsonl", ".npy", ".npz", ".toml", ".txt", ".faiss", ".webp"}
        if path.suffix == ".npy":
            np.load(path, allow_pickle=False)


def test_a_flipped_bit_in_any_file_is_found(index: Path) -> None:
    for path in release_files(index):
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        with pytest.raises(DamagedRelease, match="build"):
            open_current(index)
        path.write_bytes(whole)
    open_current(index)


def test_a_release_has_the_pages_of_its_pdfs_and_where_their_words_stand(index: Path) -> None:
    release = open_current(index)
    article = release.article("hands.pdf")
    assert article is not None
    sheets = release.sheets("hands.pdf")
    assert sheets is not None
    assert sheets.pictures == ()
    start = article.text.index("Then")
    assert [place.page for place in sheets.places(start, len(article.text))] == [2]
    whole = release.sheets("hands.pdf", pictures=True)
    assert whole is not None
    assert (release.picture("hands.pdf", 1), release.picture("hands.pdf", 2)) == whole.pictures
    assert [release.picture("hands.pdf", page) for page in (0, 3, -1, 10**9)] == [None] * 4
    assert release.sheets("redness.md") is release.sheets("nothing.pdf") is release.picture("redness.md", 1) is None


def test_a_picture_that_was_altered_after_the_release_was_opened_is_not_shown(index: Path) -> None:
    release = open_current(index)
    path = next(path for path in release_files(index) if path.name == "2.webp")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(DamagedRelease, match="build"):
        release.picture("hands.pdf", 2)
    with pytest.raises(DamagedRelease, match="build"):
        release.sheets("hands.pdf", pictures=True)
    path.unlink()
    with pytest.raises(DamagedRelease, match="Build again"):
        release.picture("hands.pdf", 2)
    assert release.picture("hands.pdf", 1)


def test_a_missing_or_shortened_file_is_found(index: Path) -> None:
    for path in release_files(index):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1])
        with pytest.raises(DamagedRelease):
            open_current(index)
        path.unlink()
        with pytest.raises(DamagedRelease):
            open_current(index)
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[1]", '{"release": "x"}', "\0\0",
        '{"release": "x", "manifest": "", "dntry": 3, "entry_digest": ""}', '{"release": "x/y", "manifest": ""}',
    ],
)  # fmt: skip
def test_a_damaged_pointer_is_found(index: Path, text: str) -> None:
    (index / "current").write_text(text, encoding="utf-8")
    with pytest.raises(DamagedRelease, match="build"):
        current_id(index)


def test_an_empty_index_says_to_build(tmp_path: Path) -> None:
    with pytest.raises(NoRelease, match="patient-faq build"):
        open_current(tmp_path)


@pytest.mark.parametrize("name", ["nosuch", "", "..", "../..", "a/b", "a\\b"])
def test_a_release_that_is_not_there_is_no_way_out_of_the_folder(index: Path, name: str) -> None:
    with pytest.raises(NoRelease):
        Release.open(index, name)


def test_the_pointer_can_be_moved_back(index: Path, corpus: Path, words: WordEncoder) -> None:
    old = open_current(index).id
    (corpus / "articles" / "sun.html").unlink()
    new = build(corpus, index, words).release
    assert open_current(index).id == new != old
    put_in_force(index, old, "rolled back", "Ann")
    assert open_current(index).article("sun.html") is not None


def test_a_damaged_router_leaves_the_release_serving_and_says_so(index: Path) -> None:
    folder = index / "releases" / open_current(index).id
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["classifier.npz"] = {"bytes": 4, "sha256": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "classifier.npz").write_bytes(b"no!!")
    put_in_force(index, folder.name, "rolled back", "Ann")
    release = open_current(index)
    assert release.classifier is None
    assert "classifier.npz: altered since it was built" in release.fault
    (folder / "classifier.npz").unlink()
    assert "routed by rules alone" in open_current(index).fault
