"""Ranking: dense and lexical scores added up, nothing overlapping, other articles where they are as good."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.build import build
from retrieval.passages import passage_in_context, passage_text
from retrieval.release import Release, open_current
from retrieval.search import DENSE_ONLY, FUSED, LEXICAL_ONLY, search


@pytest.fixture
def release(corpus: Path, tmp_path: Path, words: WordEncoder) -> Release:
    build(corpus, tmp_path / "index", words)
    return open_current(tmp_path / "index")


def texts(release: Release, question: str, top: int) -> list[str]:
    vector = WordEncoder().encode([question])[0]
    matches = search(release, question, vector, top)
    return [passage_text(release.articles[m.passage.article], m.passage) for m in matches]


def test_the_sentence_with_the_question_s_words_comes_first(release: Release) -> None:
    assert texts(release, "five sessions people need", 1) == ["Most people need five sessions."]
    assert texts(release, "wear a hat", 1) == ["Wear a hat."]


def test_a_score_is_made_of_cosines_and_word_weight_by_the_documented_formula(release: Release) -> None:
    question = "cool packs"
    encoder = WordEncoder()
    vector = encoder.encode([question])[0]
    for match in search(release, question, vector, 5):
        article = release.articles[match.passage.article]
        heading = article.sections[article.sentences[match.passage.first].section].title or article.title
        parts = encoder.encode([passage_text(article, match.passage), passage_in_context(article, match.passage), heading])
        own, context, above = (float(part @ vector) for part in parts)
        assert match.dense == pytest.approx(0.65 * own + 0.25 * context + 0.1 * above, abs=1e-5)
        place = release.passages.index(match.passage)
        assert match.lexical == pytest.approx(float(release.lexical.scores(question)[place]), abs=1e-6)
        extra = 0.003 * (match.passage.last - match.passage.first)
        assert match.score == pytest.approx(FUSED.dense * match.dense + FUSED.lexical * match.lexical - extra, abs=1e-6)


def test_either_score_can_be_left_out(release: Release) -> None:
    vector = WordEncoder().encode(["five sessions"])[0]
    for match in search(release, "five sessions", vector, 5, DENSE_ONLY):
        assert match.score == pytest.approx(match.dense - 0.003 * (match.passage.last - match.passage.first), abs=1e-6)
    for match in search(release, "five sessions", vector, 5, LEXICAL_ONLY):
        assert match.score == pytest.approx(match.lexical - 0.003 * (match.passage.last - match.passage.first), abs=1e-6)


def test_matches_never_overlap(release: Release) -> None:
    found = search(release, "redness fades swelling sun", WordEncoder().encode(["redness fades swelling sun"])[0], 50)
    sentences = [(m.passage.article, n) for m in found for n in range(m.passage.first, m.passage.last + 1)]
    assert len(sentences) == len(set(sentences))


def test_no_more_than_asked_for_and_never_more_than_there_is(release: Release) -> None:
    vector = WordEncoder().encode(["redness"])[0]
    assert len(search(release, "redness", vector, 2)) == 2
    assert 2 < len(search(release, "redness", vector, 1000)) <= len(release.passages)


def test_the_same_question_gets_the_same_ranking(release: Release) -> None:
    assert texts(release, "redness", 9) == texts(release, "redness", 9)


def test_of_two_equal_sentences_the_second_comes_from_another_article(tmp_path: Path, words: WordEncoder) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "a.txt").write_text("Alpha\n\nRedness fades quickly. Redness fades quickly.\n", encoding="utf-8")
    (folder / "b.txt").write_text("Alpha\n\nRedness fades quickly.\n", encoding="utf-8")
    build(folder, tmp_path / "two", words)
    release = open_current(tmp_path / "two")
    found = search(release, "redness fades quickly", words.encode(["redness fades quickly"])[0], 2)
    assert {release.articles[m.passage.article].doc for m in found} == {"a.txt", "b.txt"}
