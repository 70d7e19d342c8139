"""Ranking: meaning, words and attached questions added up, nothing overlapping, other articles where they are as good."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.build import build
from retrieval.encoder import Question
from retrieval.lexical import LexicalIndex
from retrieval.passages import passage_in_context, passage_text
from retrieval.release import Release, open_current
from retrieval.search import DENSE_ONLY, FUSED, LEXICAL_ONLY, UNASKED, UNTAUGHT, Weights, search, word_weight
from retrieval.types import Match


@pytest.fixture
def release(corpus_index: Path) -> Release:
    return open_current(corpus_index)


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
    words = LexicalIndex.build([f"word{number} laser" for number in range(626)])
    question = "word1 zebra"
    assert word_weight(words, question, 0.0) == pytest.approx(0.0132 * words.strength(question))
    assert word_weight(words, question, 1.0) == pytest.approx(0.0040 * words.strength(question), rel=1e-3)
    assert word_weight(words, question, 0.5) == pytest.approx(0.0086 * words.strength(question), rel=1e-3)


def test_in_the_field_words_count_the_same_however_many_other_articles_there_are() -> None:
    few, many = (LexicalIndex.build([*["laser scar"] * 6, *["scar"] * 60, *["weather"] * others]) for others in (600, 20_000))
    assert word_weight(many, "laser zebra", 1.0) == pytest.approx(word_weight(few, "laser zebra", 1.0), rel=0.2)
    assert word_weight(many, "laser zebra", 0.0) > 1.5 * word_weight(few, "laser zebra", 0.0)


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
    weight = word_weight(release.lexical, "five sessions", 0.0)
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


DAY = date(2026, 5, 3)
CLINIC = 'name = "c"\n[review]\nwithdraw_topics = ["aftercare"]\n'
OVERDUE = '+++\nreview_by = 2026-05-01\ntopics = ["aftercare"]\n+++\n'


def with_overdue(tmp_path: Path, words: WordEncoder, gone: str, **kept: str) -> Release:
    """A release of some articles, of which "gone" is withdrawn by itself from 2 May on."""
    folder = tmp_path / "overdue"
    (folder / "articles").mkdir(parents=True)
    (folder / "clinic.toml").write_text(CLINIC, encoding="utf-8")
    for name, text in kept.items():
        (folder / "articles" / f"{name}.md").write_text(f"# Alpha\n\n{text}\n", encoding="utf-8")
    (folder / "articles" / "gone.md").write_text(f"{OVERDUE}# Alpha\n\n{gone}\n", encoding="utf-8")
    build(folder, tmp_path / "three", words)
    return open_current(tmp_path / "three")


def docs(release: Release, question: str, top: int = 50) -> set[str]:
    return {
        release.articles[passage.article].doc
        for match in found(release, question, top)
        for passage in (match.passage, *match.also)
    }


def test_what_is_withdrawn_since_its_review_is_overdue_is_never_found(tmp_path: Path, words: WordEncoder) -> None:
    release = with_overdue(tmp_path, words, "Redness fades quickly. Rest helps.", kept="Redness fades quickly. Sleep is good.")
    assert docs(release.as_of(date(2026, 5, 1)), "redness fades quickly rest helps") == {"gone.md", "kept.md"}
    today = release.as_of(DAY)
    assert docs(today, "redness fades quickly rest helps") == {"kept.md"}  # not as "also in" either
    assert [one.doc for one in today.in_use] == ["kept.md"]
    assert docs(release, "redness fades quickly rest helps") == {"gone.md", "kept.md"}


def test_what_is_withdrawn_takes_no_place_from_what_is_not(tmp_path: Path, words: WordEncoder) -> None:
    gone = " ".join(f"Redness fades soon {number}." for number in range(200))
    release = with_overdue(tmp_path, words, gone, kept="Redness goes.\n\n" + " ".join(f"Sun {n}." for n in range(300)))
    assert len(release.passages) > 1000  # more than are looked at, and most of them withdrawn
    first = release.articles.index(next(one for one in release.articles if one.doc == "gone.md"))
    assert found(release, "redness fades soon", 1)[0].passage.article == first
    today = release.as_of(DAY)
    assert texts(today, "redness fades soon", 1) == ["Redness goes."]
    # By meaning alone: there are more passages nearer than are looked at, and all of them are withdrawn.
    vector = WordEncoder().encode(["redness fades soon"])[0]
    (best,) = search(today, Question("zebra", vector, vector[None, :], vector, 0.0), 1)
    assert passage_text(release.articles[best.passage.article], best.passage) == "Redness goes."


def test_an_attached_question_does_not_bring_back_what_is_withdrawn(tmp_path: Path, words: WordEncoder) -> None:
    release = with_overdue(tmp_path, words, "Wear a hat.", kept="Sleep is good.")
    (tmp_path / "overdue" / "questions").mkdir()
    (tmp_path / "overdue" / "questions" / "gone.md.txt").write_text(
        "> Wear a hat.\nanything against freckles\n", encoding="utf-8"
    )
    build(tmp_path / "overdue", tmp_path / "three", words)
    release = open_current(tmp_path / "three")
    assert texts(release.as_of(date(2026, 5, 1)), "anything against freckles", 1) == ["Wear a hat."]
    assert docs(release.as_of(DAY), "anything against freckles") == {"kept.md"}


def test_where_everything_is_withdrawn_nothing_is_found(tmp_path: Path, words: WordEncoder) -> None:
    release = with_overdue(tmp_path, words, "Redness fades quickly.")
    assert found(release.as_of(DAY), "redness fades quickly", 5) == []


def test_where_nothing_is_withdrawn_nothing_is_left_out_or_worked_out(release: Release) -> None:
    today = release.as_of(DAY)
    assert (today.withdrawn, today.differences) == (frozenset(), release.differences)
    assert found(today, "redness fades", 9) == found(release, "redness fades", 9)
