"""Ranking: meaning, words and attached questions added up, nothing overlapping, other articles where they are as good."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.build import build
from retrieval.encoder import Question
from retrieval.passages import passage_in_context, passage_text
from retrieval.release import Release, open_current
from retrieval.search import DENSE_ONLY, FUSED, LEXICAL_ONLY, UNASKED, UNTAUGHT, Weights, search, word_weight
from retrieval.types import Match


@pytest.fixture
def release(corpus: Path, tmp_path: Path, words: WordEncoder) -> Release:
    build(corpus, tmp_path / "index", words)
    return open_current(tmp_path / "index")


def found(release: Release, question: str, top: int, weights: Weights = FUSED) -> list[Match]:
    return search(release, WordEncoder().encode_questions([question])[0], top, weights)


def texts(release: Release, question: str, top: int, weights: Weights = FUSED) -> list[str]:
    return [passage_text(release.articles[m.passage.article], m.passage) for m in found(release, question, top, weights)]


def test_the_sentence_with_the_question_s_words_comes_first(release: Release) -> None:
    assert texts(release, "five sessions people need", 1) == ["Most people need five sessions."]
    assert texts(release, "wear a hat", 1) == ["Wear a hat."]


def test_a_score_is_made_of_cosines_and_word_weight_by_the_documented_formula(release: Release) -> None:
    question = "cool packs"
    encoder = WordEncoder()
    vector = encoder.encode([question])[0]
    idf = [release.lexical.weight_of(term) for term in ("cool", "pack")]
    for match in found(release, question, 5):
        article = release.articles[match.passage.article]
        heading = article.sections[article.sentences[match.passage.first].section].title or article.title
        parts = encoder.encode([passage_text(article, match.passage), passage_in_context(article, match.passage), heading])
        own, context, above = (float(part @ vector) for part in parts)
        assert match.dense == pytest.approx(0.65 * own + 0.25 * context + 0.1 * above, abs=1e-5)
        place = release.passages.index(match.passage)
        assert match.lexical == pytest.approx(float(release.lexical.scores(question)[place]), abs=1e-6)
        by_words = 0.0132 * 2 * (sum(idf) / 2) ** 2 * match.lexical
        extra = 0.005 * (match.passage.last - match.passage.first)
        assert match.score == pytest.approx(match.dense + by_words - extra, abs=1e-6)


def test_words_count_less_where_the_question_model_knows_the_field() -> None:
    assert word_weight(10.0, 0.0) == pytest.approx(0.132)
    assert word_weight(10.0, 1.0) == pytest.approx(0.04)


def test_the_question_model_s_vector_is_searched_with_and_can_be_left_out(release: Release) -> None:
    plain, other = WordEncoder().encode(["redness fades", "wear a hat"])
    question = Question("zebra", plain, plain[None, :], other, 1.0)
    first = {w: search(release, question, 1, w)[0] for w in (FUSED, UNTAUGHT)}
    article = release.articles[first[FUSED].passage.article]
    assert passage_text(article, first[FUSED].passage) == "Wear a hat."
    assert release.articles[first[UNTAUGHT].passage.article].doc == "redness.md"


def test_either_score_can_be_left_out(release: Release) -> None:
    for match in found(release, "five sessions", 5, DENSE_ONLY):
        assert match.score == pytest.approx(match.dense - 0.005 * (match.passage.last - match.passage.first), abs=1e-6)
    weight = word_weight(release.lexical.strength("five sessions"), 0.0)
    for match in found(release, "five sessions", 5, LEXICAL_ONLY):
        extra = 0.005 * (match.passage.last - match.passage.first)
        assert match.score == pytest.approx(weight * match.lexical - extra, abs=1e-6)


def ask_as(corpus: Path, text: str) -> None:
    (corpus / "questions").mkdir(exist_ok=True)
    (corpus / "questions" / "sun.html.txt").write_text(text, encoding="utf-8")


def test_a_sentence_is_found_by_a_question_that_staff_attached(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    ask_as(corpus, "> Wear a hat.\nanything against freckles\n")
    build(corpus, tmp_path / "index", words)
    release = open_current(tmp_path / "index")
    assert texts(release, "something against freckles", 1) == ["Wear a hat."]
    without = found(release, "something against freckles", 1, UNASKED)[0]
    assert without.score < 0.1 < found(release, "something against freckles", 1)[0].score


def test_an_attached_question_never_outranks_what_a_passage_plainly_says(
    corpus: Path, tmp_path: Path, words: WordEncoder
) -> None:
    question = "How many sessions are needed? Most people need five sessions."
    ask_as(corpus, f"> Wear a hat.\n{question}\n")
    build(corpus, tmp_path / "index", words)
    release = open_current(tmp_path / "index")
    first, *others = found(release, question, 9)
    assert release.articles[first.passage.article].doc == "sessions.txt"
    hat = next(m for m in others if passage_text(release.articles[m.passage.article], m.passage) == "Wear a hat.")
    assert hat.score - hat.dense <= 0.45 * 0.7 + 1e-6


def test_matches_never_overlap(release: Release) -> None:
    matches = found(release, "redness fades swelling sun", 50)
    sentences = [(m.passage.article, n) for m in matches for n in range(m.passage.first, m.passage.last + 1)]
    assert len(sentences) == len(set(sentences))


def test_no_more_than_asked_for_and_never_more_than_there_is(release: Release) -> None:
    assert len(found(release, "redness", 2)) == 2
    assert 2 < len(found(release, "redness", 1000)) <= len(release.passages)


def test_the_same_question_gets_the_same_ranking(release: Release) -> None:
    assert texts(release, "redness", 9) == texts(release, "redness", 9)


def plain(tmp_path: Path, words: WordEncoder, **articles: str) -> Release:
    folder = tmp_path / "plain"
    folder.mkdir()
    for name, text in articles.items():
        (folder / f"{name}.txt").write_text(f"Alpha\n\n{text}\n", encoding="utf-8")
    build(folder, tmp_path / "two", words)
    return open_current(tmp_path / "two")


def test_what_two_articles_say_is_shown_once_and_the_other_is_named(tmp_path: Path, words: WordEncoder) -> None:
    release = plain(tmp_path, words, a="Redness fades quickly. Sleep is good.", b="Redness fades quickly.")
    first, second = found(release, "redness fades quickly", 2)
    assert (first.passage.article, [other.article for other in first.also]) == (0, [1])
    assert passage_text(release.articles[0], second.passage) == "Sleep is good."


def test_what_differs_in_a_figure_is_not_the_same(tmp_path: Path, words: WordEncoder) -> None:
    same = "of all the people whom we have seen here so far in this clinic"
    release = plain(tmp_path, words, a=f"Redness fades in two days {same}.", b=f"Redness fades in four days {same}.")
    assert sorted((m.passage.article, m.also) for m in found(release, "redness fades", 2)) == [(0, ()), (1, ())]


LONG = "of all the many people whom we have seen here so far in this clinic by the sea"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("You can wear make-up", "You cannot wear make-up"), ("It is painful", "It is not painful"),
        ("It takes 1 to 2 visits", "It takes 12 visits"), ("It takes 6 visits in 2 weeks", "It takes 2 visits in 6 weeks"),
    ],
)  # fmt: skip
def test_what_contradicts_is_never_said_to_be_the_same(tmp_path: Path, words: WordEncoder, one: str, other: str) -> None:
    release = plain(tmp_path, words, a=f"{one} {LONG}.", b=f"{other} {LONG}.")
    assert [m.also for m in found(release, f"{one} {LONG}", 2)] == [(), ()]


def test_a_sentence_that_leans_on_one_that_is_shown_is_found_all_the_same(tmp_path: Path, words: WordEncoder) -> None:
    release = plain(tmp_path, words, a="Redness is common here. They fade with gel packs. Parking is free.")
    shown = texts(release, "redness is common here", 3)
    assert (shown[0], set(shown[1:])) == ("Redness is common here.", {"They fade with gel packs.", "Parking is free."})


def test_of_two_sentences_as_good_the_second_comes_from_another_article(tmp_path: Path, words: WordEncoder) -> None:
    release = plain(tmp_path, words, a="Redness fades soon here. Redness fades late there.", b="Redness fades well now.")
    assert [m.passage.article for m in found(release, "redness fades", 2)] == [0, 1]


def test_a_sentence_is_not_shown_without_the_one_that_it_leans_on_or_that_limits_it(tmp_path: Path, words: WordEncoder) -> None:
    release = plain(tmp_path, words, a="Rest helps many. These days pass soon. Walking works. However, swimming harms.")
    assert texts(release, "days pass soon", 1) == ["Rest helps many. These days pass soon."]
    assert texts(release, "walking works", 1) == ["Walking works. However, swimming harms."]
