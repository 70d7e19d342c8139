"""The articles of a release on disk: one read is what was written, none is read before it is asked for."""

from __future__ import annotations

import dataclasses
import json
import threading
from datetime import date
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.build import build
from retrieval.errors import DamagedRelease
from retrieval.reading import read_article
from retrieval.stored_articles import StoredArticles, read_articles, save_articles
from retrieval.types import Article, Metadata


@pytest.fixture
def articles(corpus: Path) -> list[Article]:
    read = [read_article(path) for path in sorted((corpus / "articles").glob("*.*")) if path.suffix != ".toml"]
    told = Metadata(topics=("sun", "redness"), reviewed_on=date(2026, 5, 1), review_by=date(2027, 5, 1), confirmed=("a",))
    return [dataclasses.replace(read[0], metadata=told, warnings=("a note",)), *read[1:]]


@pytest.fixture
def stored(articles: list[Article], tmp_path: Path) -> StoredArticles:
    folder = tmp_path / "stored"
    folder.mkdir()
    save_articles(articles, folder)
    return StoredArticles(folder)


def test_what_is_read_is_what_was_written_whichever_way_it_is_asked_for(
    stored: StoredArticles, articles: list[Article]
) -> None:
    assert len(stored) == len(articles) > 2
    assert list(stored) == articles
    assert [stored[number] for number in range(-len(articles), len(articles))] == articles * 2
    assert stored[1:] == tuple(articles[1:])
    assert stored.index(articles[-1]) == len(articles) - 1
    for number in (len(articles), -len(articles) - 1):
        with pytest.raises(IndexError):
            stored[number]


def test_names_digests_metadata_and_questions_are_known_without_reading_any(
    stored: StoredArticles, articles: list[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "_kept", None)
    assert [(entry.doc, entry.digest, entry.metadata) for entry in stored.entries] == [
        (article.doc, article.digest, article.metadata) for article in articles
    ]
    asked = [[section.title for section in article.sections if section.title.endswith("?")] for article in articles]
    assert [list(entry.questions) for entry in stored.entries] == asked
    assert any(asked)


def test_an_article_is_read_once_and_only_when_it_is_asked_for(tmp_path: Path, corpus: Path, words: WordEncoder) -> None:
    build(corpus, tmp_path / "index", words)
    folder = next((tmp_path / "index" / "releases").iterdir())
    stored = StoredArticles(folder)
    assert stored._kept.cache_info().misses == 0
    assert stored[1] is stored[1]
    assert stored._kept.cache_info().misses == 1


def test_many_threads_read_the_same_articles(stored: StoredArticles, articles: list[Article]) -> None:
    found: list[list[Article]] = []
    threads = [threading.Thread(target=lambda: found.append(list(stored))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [articles] * 8


def test_an_article_that_was_altered_since_it_was_opened_is_named(stored: StoredArticles, articles: list[Article]) -> None:
    file = stored._folder / "articles.jsonl"
    data = file.read_bytes()
    assert data.count(b"Most people") == 1
    with file.open("r+b") as changed:  # in place, as a fault of a disk does it
        changed.seek(data.index(b"Most people"))
        changed.write(b"Some")
    with pytest.raises(DamagedRelease, match=r"sessions\.txt was altered"):
        list(stored)
    again = StoredArticles(stored._folder)
    with file.open("r+b") as changed:
        changed.write(b"[[[[")
    with pytest.raises(DamagedRelease, match="cannot be read"):
        again[0]


def test_files_that_do_not_fit_together_are_not_opened(stored: StoredArticles) -> None:
    file = stored._folder / "articles.jsonl"
    file.write_bytes(file.read_bytes() + b"{}\n")
    with pytest.raises(ValueError, match="does not fit"):
        StoredArticles(stored._folder)


def test_articles_of_the_past_are_read_as_far_as_they_are_whole(stored: StoredArticles, articles: list[Article]) -> None:
    folder = stored._folder
    assert list(read_articles(folder)) == articles
    lines = (folder / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    (folder / "articles.jsonl").write_text("\n".join([lines[0].replace(articles[0].text[:7], "Otherwise"), *lines[1:]]))
    assert list(read_articles(folder)) == articles[1:]
    (folder / "articles.jsonl").unlink()
    assert read_articles(folder) == ()
    (folder / "articles.json").write_text(f"[{','.join(lines)}]", encoding="utf-8")  # as releases had it before
    assert list(read_articles(folder)) == articles
    (folder / "articles.json").write_text(json.dumps({"no": "list"}), encoding="utf-8")
    assert read_articles(folder) == ()
