"""A folder of files -> articles: which are chosen, what is made of them, and the five source articles."""

from __future__ import annotations

import hashlib
import os
from datetime import date
from pathlib import Path

import pytest
from samples import LONG, body, heading, new_page, pdf, refused, saved, word_document

from retrieval import reading
from retrieval.errors import CorpusError
from retrieval.reading import article_files, articles_folder, read_article, read_with_sheets, sandbox, source_digest
from retrieval.types import Article


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def headings(article: Article) -> list[str]:
    return [article.text[b.start : b.end] for b in article.blocks if b.kind == "heading"]


def sentences(article: Article) -> list[str]:
    return [article.text[s.start : s.end] for s in article.sentences]


def test_articles_are_in_their_folder_or_in_the_corpus_itself(tmp_path: Path) -> None:
    assert articles_folder(tmp_path) == tmp_path
    (tmp_path / "articles").mkdir()
    assert articles_folder(tmp_path) == tmp_path / "articles"


def test_a_folder_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere: there is no such folder\. Name the folder .* --corpus\."):
        articles_folder(tmp_path / "nowhere")


def test_files_are_listed_by_name_and_others_are_noted(tmp_path: Path) -> None:
    for name in "b.md a.TXT c.pdf a.toml README.md license.txt x.doc plain .hidden.md _draft.md ~$c.docx".split():
        (tmp_path / name).write_text("It fades.")
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    chosen, notes = article_files(tmp_path)
    assert [path.name for path in chosen] == ["a.TXT", "b.md", "c.pdf"]
    assert [note.split(":")[0] for note in notes] == ["README.md", "folder.md", "license.txt", "pipe.txt", "plain", "x.doc"]
    assert notes[-1] == "x.doc: left out, files ending in .doc are not read."
    assert notes[-2] == "plain: left out, files ending in nothing are not read."


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("after-the_laser.txt", b"It fades in two days, or in three."),
        ("a.md", b"# After the laser\n\nIt fades."),
        ("a.html", b"<html><h1>After the laser</h1><p>It fades.</p></html>"),
        ("a.docx", saved(word_document())),
        ("a.pdf", pdf(heading("After the laser", "Title"), body(LONG))),
    ],
)
def test_an_article_of_any_format_has_a_title_and_sentences_that_are_slices(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    article = read_article(path)
    assert article.doc == name
    assert article.title == "After the laser"
    assert article.digest == hashlib.sha256(article.text.encode()).hexdigest()
    assert sentences(article)
    for sentence, text in zip(article.sentences, sentences(article), strict=True):
        assert text == text.strip()
        block = article.blocks[sentence.block]
        assert block.start <= sentence.start
        assert article.sections[sentence.section].end >= sentence.end


def test_metadata_beside_the_article_goes_before_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("+++\ntitle = 'Inside'\npublisher = 'Lee'\nodd = 1\n+++\n# Red\n\nIt fades.\n")
    assert read_article(path).title == "Inside"
    (tmp_path / "a.toml").write_text("title = 'Beside'\nreviewed_by = 'Dr. Lee'\nreviewed_on = 2026-05-03\n")
    article = read_article(path)
    assert (article.title, article.metadata.publisher, article.metadata.reviewed_on) == ("Beside", "Lee", date(2026, 5, 3))
    assert len(article.warnings) == 1
    assert '"odd" means nothing here' in article.warnings[0]


def test_a_title_given_by_staff_does_not_turn_the_articles_own_into_a_section(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("+++\ntitle = 'Red skin'\n+++\n# Red\n\nIt fades.\n")
    assert [section.path for section in read_article(path).sections] == [()]


def test_broken_metadata_beside_the_article_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("It fades.")
    (tmp_path / "a.toml").write_text("title = ")
    with refused("it is not valid TOML", name="a.toml"):
        read_article(tmp_path / "a.md")
    (tmp_path / "a.toml").write_text("title = 5")
    with refused("title = 5 is not text", name="a.toml"):
        read_article(tmp_path / "a.md")


def test_an_article_without_a_sentence_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Click here.")
    with refused("no sentence of it can be quoted", name="a.md"):
        read_article(tmp_path / "a.md")


def test_a_file_that_is_not_there_or_not_open_to_us_is_refused(tmp_path: Path) -> None:
    with refused("it cannot be opened (No such file or directory)", name="a.md", remedy="permissions"):
        read_article(tmp_path / "a.md")
    (tmp_path / "b.md").mkdir()
    with refused("it cannot be opened", name="b.md"):
        source_digest(tmp_path / "b.md")


def test_a_huge_file_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    with (tmp_path / "a.pdf").open("wb") as file:
        file.truncate(400_000_000_000)
    with refused("it has 400,000 MB, more than the 50 MB a file may have", name="a.pdf", remedy="Split it"):
        read_article(tmp_path / "a.pdf")


def test_the_digest_changes_with_the_file_its_metadata_its_name_and_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.md"
    path.write_text("It fades.")
    digests = [source_digest(path)]
    assert digests[0] == source_digest(path)
    (tmp_path / "a.toml").write_text("")
    digests.append(source_digest(path))
    (tmp_path / "a.toml").write_text("title = 'Red'")
    digests.append(source_digest(path))
    path.write_text("It fades!")
    digests.append(source_digest(path))
    (tmp_path / "b.md").write_text("It fades!")
    digests.append(source_digest(tmp_path / "b.md"))
    (tmp_path / "c.md").write_text("It fades!")
    digests.append(source_digest(tmp_path / "c.md"))
    monkeypatch.setattr(reading, "READING_VERSION", 0)
    digests.append(source_digest(path))
    assert len(set(digests)) == len(digests)


SOURCES: dict[str, tuple[int, int, str, list[str]]] = {
    # file: sections, sentences, the title's digest, the headings' digests
    "000_b9c647024c39f780.txt": (7, 26, "e5cb42483d14",
        "e5cb42483d14 0b2e950dd0f9 c2f8ddd0e0cd de0d21015929 cd921346c7ed 88e8e6b544a3".split()),
    "001_320cc750fa151313.txt": (8, 38, "ae91a60dc677",
        "ae91a60dc677 354f3c8133f7 ec638f4b18b0 a64b20e79e6f b2509f02ccb5 24a1c9badc87 25cba5431efe 86e6c7ff4c68".split()),
    "002_3237922f44c26a32.txt": (11, 32, "ce2031f08897",
        "ce2031f08897 9af88427f15f 34a68e608128 7533a827281d a643ed92d7d4 6b84c6c036ed af68c871a77d a8ca239cb3c2".split()),
    "003_b9626d86760139c7.txt": (7, 46, "76ef5730671d",
        "0a9fe553bbbc 74f9921b1d44 19ee7e7176b0 0c19905d0078 e52e1a333211 90aa7cba52be".split()),
    "004_6d4ae0e2d3fc0020.txt": (11, 29, "ec7b38744fdd",
        "ec7b38744fdd 38241b7c878a e9f1ec5d03df d94bec95271d 293bb8c45c62 b20c526b261b e149953ab86e f845faf94cda".split()),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_the_headings_of_each_source_article_are_found(sources: Path, name: str) -> None:
    article = read_article(sources / name)
    count, quotable, title, found = SOURCES[name]
    assert [sha(text) for text in headings(article)] == found
    assert sha(article.title) == title
    assert len(article.sections) == count
    assert len(article.sentences) == quotable


def test_the_sources_text_is_the_files_own(sources: Path) -> None:
    chosen, _ = article_files(sources)
    assert [path.name for path in chosen] == list(SOURCES)
    for path in chosen:
        assert read_article(path).text == path.read_text(encoding="utf-8")


def test_no_debris_of_the_sources_can_be_quoted(sources: Path) -> None:
    found = 0
    for path in article_files(sources)[0]:
        article = read_article(path)
        debris = [block for block in article.blocks if block.kind == "debris"]
        found += len(debris)
        assert not [s for s in article.sentences for b in debris if s.start < b.end and b.start < s.end]
        quotable = "\n".join(sentences(article)).lower()
        for words in (
            "leave a reply",
            "related post",
            "currently viewing",
            "whatsapp",
            "medically reviewed",
            "fb:",
        ):
            assert words not in quotable
    assert found == 8


def test_only_a_pdf_has_pages(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Red\n\nIt fades.")
    (tmp_path / "b.pdf").write_bytes(pdf(heading("After the laser", "Title"), body(LONG)))
    assert read_with_sheets(tmp_path / "a.md") == (read_article(tmp_path / "a.md"), None)
    article, sheets = read_with_sheets(tmp_path / "b.pdf")
    assert article == read_article(tmp_path / "b.pdf")
    assert sheets is not None
    assert len(sheets.pictures) == 1


@pytest.mark.parametrize(
    "start", ["import os; os.abort()", "import sys; sys.stdin.read(); print('{}')", "import time; time.sleep(60)"]
)
def test_a_failure_of_drawing_costs_the_pictures_and_a_warning_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    path = tmp_path / "b.pdf"
    path.write_bytes(pdf(heading("After the laser", "Title"), body(LONG)))
    monkeypatch.setattr(sandbox, "_START_DRAWING", start)
    monkeypatch.setattr(reading, "draw_sandboxed", lambda *given: sandbox.draw_sandboxed(*given, sandbox.Limits(wall=3)))
    article, sheets = read_with_sheets(path)
    assert sheets is None
    assert (article.text, article.sentences) == (read_article(path).text, read_article(path).sentences)
    [warning] = article.warnings
    assert warning.startswith("b.pdf: its pages are not shown as pictures, since it")
    assert warning.endswith(".")


def test_more_pages_than_are_drawn_are_warned_of(tmp_path: Path) -> None:
    (tmp_path / "b.pdf").write_bytes(pdf(*[body(LONG), body(LONG), body(LONG), new_page()] * 41))
    article, sheets = read_with_sheets(tmp_path / "b.pdf")
    assert sheets is None
    assert "since it has 41 pages, and at most 40 are drawn" in article.warnings[0]
    assert article.sentences
