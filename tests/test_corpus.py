"""The project's own articles: five, honest about their source and review, with nobody else's sentences."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT, SHARED

from retrieval.clinic import load_clinic
from retrieval.reading import article_files, read_article
from retrieval.types import Article

CORPUS = ROOT / "corpus"
SOURCES = {
    "000_b9c647024c39f780.txt",
    "001_320cc750fa151313.txt",
    "002_3237922f44c26a32.txt",
    "003_b9626d86760139c7.txt",
    "004_6d4ae0e2d3fc0020.txt",
}


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    return [read_article(path) for path in article_files(CORPUS / "articles")[0]]


def test_each_article_restates_one_source_and_each_source_is_restated(articles: list[Article]) -> None:
    named = [source for article in articles for source in SOURCES if source in article.metadata.based_on]
    assert sorted(named) == sorted(SOURCES)
    assert len(articles) == 5


def test_no_reviewer_and_no_date_is_invented(articles: list[Article]) -> None:
    for article in articles:
        assert not article.metadata.reviewed_by
        assert article.metadata.reviewed_on is None
        assert article.metadata.review_by is None


def test_formats_are_mixed_and_the_leaflet_has_pages(articles: list[Article]) -> None:
    endings = {Path(article.doc).suffix for article in articles}
    assert endings == {".md", ".html", ".pdf"}
    leaflet = next(article for article in articles if article.doc.endswith(".pdf"))
    assert max(sentence.page for sentence in leaflet.sentences) >= 2


def test_every_article_is_read_without_a_warning_and_under_headings(articles: list[Article]) -> None:
    for article in articles:
        assert article.warnings == ()
        assert len(article.sections) >= 8
        assert all(article.sections[sentence.section].title for sentence in article.sentences)


def test_a_picosecond_is_a_trillionth_and_the_mistake_is_noted(articles: list[Article]) -> None:
    text = next(article.text for article in articles if "001_" in article.metadata.based_on)
    assert "one trillionth of a second" in text.lower()
    for sentence in text.replace("\n", " ").split(". "):
        if "millionth" in sentence:
            assert "mistake" in sentence


def test_the_sources_disagreements_are_kept(articles: list[Article]) -> None:
    by_source = {article.metadata.based_on[-25:-1]: article.text.lower() for article in articles}
    assert "about 10 pico laser treatments" in by_source["003_b9626d86760139c7.txt"]
    assert "one pico laser session may be enough" in by_source["004_6d4ae0e2d3fc0020.txt"]
    assert "a few hours to a day" in by_source["004_6d4ae0e2d3fc0020.txt"]
    assert "a few hours up to a few days" in by_source["003_b9626d86760139c7.txt"]
    assert "not painful" in by_source["002_3237922f44c26a32.txt"]
    assert "pain" in by_source["001_320cc750fa151313.txt"]
    assert "spf 30" in by_source["002_3237922f44c26a32.txt"]
    assert "500 to 750 picoseconds" in by_source["001_320cc750fa151313.txt"]


def test_the_clinic_is_a_placeholder_and_shows_it() -> None:
    clinic = load_clinic(CORPUS)
    assert clinic.placeholder
    assert "Example" in clinic.name


def test_the_leaflet_is_what_its_script_makes(tmp_path: Path) -> None:
    copy = tmp_path / "corpus"
    shutil.copytree(CORPUS / "originals", copy / "originals")
    (copy / "articles").mkdir()
    shutil.copy(CORPUS / "make_pdf.py", copy)
    made = runpy.run_path(str(copy / "make_pdf.py"))["main"]()
    assert read_article(made).text == read_article(CORPUS / "articles" / made.name).text


def test_no_sentence_of_the_sources_is_in_the_project() -> None:
    tool = SHARED / "tools" / "overlap"
    if not tool.is_file():
        pytest.skip("the tool that looks for shared sentences is not on this machine (../shared/tools/overlap)")
    done = subprocess.run([sys.executable, str(tool), str(ROOT)], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1].startswith("0 shared"), done.stdout
    assert done.returncode == 0
