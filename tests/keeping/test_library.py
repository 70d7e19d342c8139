"""The folder of articles as staff work on it: states, changes that lose nothing, and names that are safe."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.build import build
from retrieval.errors import BuildLocked, CorpusError, EditConflict, UnreadableFile
from retrieval.keeping.library import Library
from retrieval.locks import locked
from retrieval.release import Release, open_current

pytestmark = pytest.mark.usefixtures("quick_reading")


@pytest.fixture
def library(corpus: Path) -> Library:
    return Library(corpus)


@pytest.fixture
def release(corpus: Path, tmp_path: Path, words: WordEncoder) -> Release:
    build(corpus, tmp_path / "index", words)
    return open_current(tmp_path / "index")


def standings(library: Library, release: Release | None) -> dict[str, str]:
    return {held.doc: held.standing for held in library.held(release)}


def test_each_file_says_how_it_stands(library: Library, release: Release, corpus: Path) -> None:
    assert standings(library, release) == {"redness.md": "published", "sessions.txt": "published", "sun.html": "published"}
    library.add("leaflet.md", b"# Leaflet\n\nDrink water.\n", "Ann")
    (corpus / "articles" / "sessions.txt").write_text("Sessions\n\nTen are usual.\n", encoding="utf-8")
    (corpus / "articles" / "by-hand.txt").write_text("By hand\n\nThis came by git.\n", encoding="utf-8")
    (corpus / "articles" / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing")
    library.describe("sun.html", {"state": "withdrawn"}, "Ann", library.look("sun.html").seen)
    assert standings(library, release) == {
        "broken.pdf": "unreadable", "by-hand.txt": "new", "leaflet.md": "draft", "redness.md": "published",
        "sessions.txt": "changed", "sun.html": "withdrawn",
    }  # fmt: skip
    assert "broken.pdf" in str(library.look("broken.pdf", release).problem)


def test_the_same_words_saved_by_another_program_are_no_change(library: Library, release: Release, corpus: Path) -> None:
    sun = corpus / "articles" / "sun.html"
    sun.write_text(sun.read_text(encoding="utf-8").replace("<p>", "<p>\n"), encoding="utf-8")
    assert standings(library, release)["sun.html"] == "published"


def test_a_draft_that_was_begun_and_has_no_text_yet_is_a_draft(library: Library, corpus: Path) -> None:
    (corpus / "articles" / "begun.md").write_text('+++\nstate = "draft"\n+++\n\n# Begun\n', encoding="utf-8")
    held = library.look("begun.md")
    assert (held.standing, held.article) == ("draft", None)
    library.remove("begun.md", "Ann", held.seen)
    assert "begun.md" not in standings(library, None)


def test_a_new_file_is_a_draft_until_somebody_checks_it_off(library: Library) -> None:
    assert library.add("Aftercare leaflet.TXT", b"Aftercare\n\nKeep it dry.\n", "Ann") == "Aftercare leaflet.txt"
    held = library.look("Aftercare leaflet.txt")
    assert (held.standing, held.title) == ("draft", "Aftercare")
    library.check_off(held.doc, "Bob Lim", held.seen, date(2026, 11, 21))
    held = library.look(held.doc)
    assert held.standing == "new"
    assert held.article is not None
    assert (held.article.metadata.checked_by, held.article.metadata.checked_on) == ("Bob Lim", date(2026, 11, 21))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a.md", "a.md"),
        ("C:\\Users\\ann\\leaf let.PDF", "leaf let.pdf"),
        ("../../etc/x.txt", "x.txt"),
        ("術後.docx", "術後.docx"),
    ],
)
def test_a_name_is_made_safe(library: Library, name: str, kept: str) -> None:
    assert library.add(name, b"# A\n\nB is here.\n", "Ann") == kept
    assert (library.folder / kept).is_file()
    assert {path.parent for path in library.corpus.rglob(kept)} == {library.folder}


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".md",
        "..md",
        "-x.md",
        ".hidden.md",
        "README.md",
        "con.txt",
        "a\0b.md",
        "a\u202eb.md",
        "x" * 130 + ".md",
        "a/.md",
        "a:b.md",
    ],
)
def test_a_name_that_will_not_do_is_refused(library: Library, name: str) -> None:
    before = sorted(library.folder.iterdir())
    with pytest.raises(CorpusError):
        library.add(name, b"# A\n\nB.\n", "Ann")
    assert sorted(library.folder.iterdir()) == before


@pytest.mark.parametrize("name", ["leaflet.doc", "picture.png", "leaflet", "leaflet.md.exe"])
def test_a_kind_that_is_not_read_is_refused_with_those_that_are(library: Library, name: str) -> None:
    with pytest.raises(UnreadableFile, match=r"are not read\. Save it as \.txt"):
        library.add(name, b"...", "Ann")


def test_nothing_is_ever_overwritten_by_adding(library: Library) -> None:
    with pytest.raises(CorpusError, match="there is an article of this name"):
        library.add("Sun.HTML", b"<p>Other.</p>", "Ann")
    with pytest.raises(CorpusError, match=r"sun\.html has the same name but for its ending"):
        library.add("sun.pdf", b"%PDF-", "Ann")


def test_who_comes_second_with_a_change_is_told_and_loses_nothing(library: Library, corpus: Path) -> None:
    mine = theirs = library.look("sessions.txt").seen
    library.write("sessions.txt", "Sessions\n\nSix are usual.\n", "Ann", mine)
    for change in (
        lambda: library.write("sessions.txt", "Sessions\n\nSeven.\n", "Bob", theirs),
        lambda: library.describe("sessions.txt", {"title": "Visits"}, "Bob", theirs),
        lambda: library.replace("sessions.txt", b"Eight.", "Bob", theirs),
        lambda: library.check_off("sessions.txt", "Bob", theirs, date(2026, 1, 1)),
    ):
        with pytest.raises(EditConflict, match="Nothing was overwritten"):
            change()
    assert (corpus / "articles" / "sessions.txt").read_text(encoding="utf-8") == "Sessions\n\nSix are usual.\n"
    assert not (corpus / "articles" / "sessions.toml").exists()


def test_a_change_by_hand_counts_as_somebody_else_s(library: Library, corpus: Path) -> None:
    seen = library.look("sun.html").seen
    (corpus / "articles" / "sun.toml").write_text('title = "Sunshine"\n', encoding="utf-8")
    with pytest.raises(EditConflict):
        library.describe("sun.html", {"title": "Sun"}, "Ann", seen)


def test_while_somebody_else_is_at_it_nothing_is_written(library: Library) -> None:
    seen = library.look("sun.html").seen
    with (
        locked(library.corpus, "editing sun.html", "Bob Lim"),
        pytest.raises(BuildLocked, match=r"Bob Lim is editing sun\.html"),
    ):
        library.describe("sun.html", {"title": "Sun"}, "Ann", seen)


def test_what_is_known_of_an_article_goes_beside_it_and_comments_stay(library: Library, corpus: Path) -> None:
    sidecar = corpus / "articles" / "sun.toml"
    sidecar.write_text('# from the printer\ntitle = "Sun"  # short\nlanguage = "en"\n', encoding="utf-8")
    seen = library.look("sun.html").seen
    library.describe(
        "sun.html", {"topics": ["sun", "aftercare"], "review_by": date(2027, 1, 31), "language": None}, "Ann", seen
    )
    text = sidecar.read_text(encoding="utf-8")
    assert text.startswith('# from the printer\ntitle = "Sun"  # short\n')
    assert tomllib.loads(text) == {"title": "Sun", "topics": ["sun", "aftercare"], "review_by": date(2027, 1, 31)}


def test_front_matter_is_changed_where_it_stands_and_the_text_below_it_stays_to_the_byte(
    library: Library, corpus: Path
) -> None:
    file = corpus / "articles" / "front.md"
    file.write_bytes(b'+++\n# who\ntitle = "Front"\n+++\r\n\n# Front\n\nA sentence  with two blanks.\n')
    library.describe(
        "front.md",
        {"state": "draft", "reviewed_by": "Dr A", "reviewed_on": date(2026, 5, 3)},
        "Ann",
        library.look("front.md").seen,
    )
    data = file.read_bytes()
    assert data.endswith(b"+++\r\n\n# Front\n\nA sentence  with two blanks.\n")
    assert b"# who\n" in data
    assert not (corpus / "articles" / "front.toml").exists()
    metadata = library.look("front.md").article.metadata  # type: ignore[union-attr]
    assert (metadata.title, metadata.state, metadata.reviewed_on) == ("Front", "draft", date(2026, 5, 3))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"colour": "red"}, "'colour' is nothing that is kept"),
        ({"state": "ready"}, "none that an article can have"),
        ({"reviewed_on": date(2026, 1, 1)}, "reviewed_on but not reviewed_by"),
        ({"topics": "sun"}, "is not a list"),
    ],
)
def test_a_value_that_is_wrong_is_refused_and_nothing_written(library: Library, values: dict[str, object], said: str) -> None:
    seen = library.look("sun.html").seen
    with pytest.raises(CorpusError, match=said):
        library.describe("sun.html", values, "Ann", seen)  # type: ignore[arg-type]
    assert library.look("sun.html").seen == seen


def test_a_new_version_keeps_what_is_known_and_is_a_draft_again(library: Library, corpus: Path) -> None:
    library.describe("sun.html", {"topics": ["sun"]}, "Ann", library.look("sun.html").seen)
    library.check_off("sun.html", "Bob", library.look("sun.html").seen, date(2026, 1, 2))
    library.replace("sun.html", b"<h1>Sun</h1><p>Stay inside.</p>", "Ann", library.look("sun.html").seen)
    held = library.look("sun.html")
    assert held.article is not None
    assert (held.standing, held.article.metadata.topics, held.article.metadata.checked_by) == ("draft", ("sun",), "")
    assert "Stay inside." in held.article.text


def test_a_new_version_of_a_file_with_front_matter_keeps_it(library: Library, corpus: Path) -> None:
    (corpus / "articles" / "front.md").write_bytes(b'+++\ntitle = "Front"\n+++\n# Front\n\nOld words.\n')
    library.replace("front.md", b"# Front\n\nNew words.\n", "Ann", library.look("front.md").seen)
    held = library.look("front.md")
    assert held.article is not None
    assert (held.standing, held.article.title, "New words." in held.article.text) == ("draft", "Front", True)


def test_only_text_can_be_edited_here(library: Library, corpus: Path) -> None:
    assert library.text("redness.md")[0].startswith("# Redness")
    (corpus / "articles" / "latin.txt").write_bytes("Na\xefve\n\nA sentence.\n".encode("latin-1"))
    (corpus / "articles" / "leaf.pdf").write_bytes(b"%PDF-")
    for doc in ("latin.txt", "leaf.pdf"):
        with pytest.raises(CorpusError, match="Upload a new version instead"):
            library.text(doc)


def test_only_drafts_are_deleted(library: Library) -> None:
    with pytest.raises(CorpusError, match="Withdraw it instead"):
        library.remove("sun.html", "Ann", library.look("sun.html").seen)
    library.add("leaf.txt", b"Leaf\n\nA leaf.\n", "Ann")
    library.remove("leaf.txt", "Ann", library.look("leaf.txt").seen)
    assert not list(library.folder.glob("leaf*"))


def test_an_article_that_is_not_there_is_named(library: Library) -> None:
    for doc in ("nothing.md", "../clinic.toml", "clinic.toml", ""):
        with pytest.raises(CorpusError, match="there is no such article"):
            library.look(doc)


def test_a_file_is_read_once_and_again_when_it_changed(library: Library, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = library.look("sun.html").article
    monkeypatch.setattr("retrieval.keeping.library.read_with_sheets", None)
    assert library.look("sun.html").article is first
    monkeypatch.undo()
    (corpus / "articles" / "sun.html").write_text("<h1>Sun</h1><p>Shade is good.</p>", encoding="utf-8")
    again = library.look("sun.html").article
    assert again is not None
    assert "Shade is good." in again.text
