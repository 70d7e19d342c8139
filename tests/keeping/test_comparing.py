"""Two releases side by side: what patients would see otherwise, and nothing else."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT, WordEncoder

from retrieval.assistant import Assistant
from retrieval.build import build
from retrieval.encoder import Encoder, Question
from retrieval.errors import EvaluationError, NoRelease
from retrieval.evaluation.judged import Judged, Span
from retrieval.keeping.compared import lines, values
from retrieval.keeping.comparing import (
    AnswerChange,
    ArticleChange,
    Comparison,
    JudgedFiles,
    Said,
    compare,
    gate_of,
    judged_in,
    pair,
)
from retrieval.release import Release, open_current

pytestmark = pytest.mark.usefixtures("quick_reading")

SESSIONS = "How many sessions do most people need?"
HAT = "Can I wear a hat?"
GATE = """
[baseline]
commit = "abc1234"
judged = "questions.jsonl, dev"

[figures]
"shown quotes answer" = { was = 1.0, at_least = 0.9 }
"""


class Shop:
    """A small corpus, its index, and the releases that are built of it, the first of which is there."""

    def __init__(self, corpus: Path, index: Path, words: WordEncoder) -> None:
        self.corpus, self.index, self.words = corpus, index, words
        self.first = open_current(index)

    def build(self) -> Release:
        build(self.corpus, self.index, self.words)
        return open_current(self.index)

    def edit(self, doc: str, old: str, new: str) -> None:
        path = self.corpus / "articles" / doc
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def span(self, words: str) -> Span:
        """Where the first release says something; each is said there once."""
        article = next(one for one in self.first.articles if words in one.text)
        start = article.text.index(words)
        return Span(article.doc, start, start + len(words), article.digest)

    def compare(self, *judged: Judged, recent: tuple[str, ...] = (), gate: Path | None = None) -> Comparison:
        now = self.build()
        files = JudgedFiles(tuple(one for one in judged if not one.route), messages=tuple(one for one in judged if one.route))
        return compare(*pair(self.index, self.first.id, now.id, self.words), files, recent, gate)


@pytest.fixture
def shop(corpus: Path, corpus_index: Path, words: WordEncoder) -> Shop:
    return Shop(corpus, corpus_index, words)


def asked(question: str, *spans: Span, name: str = "c-001", route: str = "") -> Judged:
    return Judged(name, (question,), spans, route=route)


def test_words_that_change_are_told_for_judged_and_recent_questions_and_nothing_else(shop: Shop) -> None:
    five = shop.span("Most people need five sessions.")
    shop.edit("sessions.txt", "Most people need five", "Most people need six")
    found = shop.compare(
        asked(SESSIONS, five), asked(HAT, shop.span("Wear a hat."), name="c-002"), recent=(SESSIONS, "Bananas?")
    )
    assert found.asked == 4
    assert [change.id for change in found.changes] == ["c-001", ""]
    before, now = (f"Most people need {count} sessions. Tattoos need nine sessions." for count in ("five", "six"))
    assert found.changes[0] == AnswerChange(
        id="c-001",
        question=SESSIONS,
        route=("answer", "answer"),
        card=("", ""),
        vanished=(Said("sessions.txt", before, left=False),),
        appeared=(Said("sessions.txt", now, left=False),),
        top=(before, now),
        differs=(),
        right=(True, None),
    )
    assert [(one.id, one.said, one.counts) for one in found.lost] == [("c-001", "Most people need five sessions.", False)]
    # The one that was lost is in no figure, of neither release.
    assert found.counted == 1
    assert {figure.before.count for figure in found.figures if figure.before} == {1}
    assert {figure.now.count for figure in found.figures} == {1}


def test_the_same_words_at_another_place_are_no_change(shop: Shop) -> None:
    five = shop.span("Most people need five sessions.")
    shop.edit("sessions.txt", "How many sessions are needed?\n", "How many sessions are needed?\n\nCount well.\n")
    found = shop.compare(asked(SESSIONS, five), recent=(SESSIONS,))
    assert (found.changes, found.lost, found.counted) == ((), (), 1)
    assert all(figure.before == figure.now for figure in found.figures if figure.name == "shown quotes answer")
    assert found.articles == (ArticleChange("sessions.txt", "changed", 1, 0),)


def test_articles_that_come_go_change_and_are_described_anew(shop: Shop) -> None:
    articles = shop.corpus / "articles"
    (articles / "sessions.txt").unlink()
    (articles / "bananas.md").write_text("# Bananas\n\nBananas are yellow fruit.\n", encoding="utf-8")
    (articles / "sun.toml").write_text('publisher = "The clinic"\n', encoding="utf-8")
    shop.edit("redness.md", "Cool packs help.", "Ice helps. Rest well.")
    found = shop.compare(recent=(SESSIONS, "Are bananas yellow fruit?"))
    assert found.articles == (
        ArticleChange("bananas.md", "added", 1, 0),
        ArticleChange("redness.md", "changed", 2, 1),
        ArticleChange("sessions.txt", "removed", 0, 2),
        ArticleChange("sun.html", "described"),
    )
    assert [(change.route, change.card, change.moved) for change in found.changes] == [
        (("answer", "no_answer"), ("", "not_found"), True),
        (("no_answer", "answer"), ("not_found", ""), True),
    ]


def test_what_was_right_and_is_not_and_the_other_way(shop: Shop) -> None:
    hat, five = shop.span("Wear a hat."), shop.span("Most people need five sessions.")
    (shop.corpus / "articles" / "sessions.txt").unlink()
    found = shop.compare(asked(SESSIONS, five, hat), asked("Do tattoos need nine sessions?", name="u-001"))
    assert [(change.id, change.right) for change in found.changes] == [("c-001", (True, False)), ("u-001", (False, True))]
    # The question goes on with the span that is left.
    assert [(one.id, one.why, one.counts) for one in found.lost] == [("c-001", "the article is not there any more", True)]
    assert found.counted == 2


def test_danger_that_is_sent_elsewhere_is_told_first(shop: Shop) -> None:
    rule = (
        '[[rule]]\nname = "purple"\nsays = "A sign that the clinic added"\nroute = "urgent"\nwhen = ["purple nails"]\n'
        'examples = ["i have purple nails"]\ncounterexamples = ["i have nails"]\n'
    )
    routing = shop.corpus / "routing"
    routing.mkdir()
    (routing / "rules.toml").write_text(rule, encoding="utf-8")
    shop.first = shop.build()
    shutil.rmtree(routing)
    danger = asked("I have purple nails now", name="r-001", route="urgent")
    kept = asked("I can't breathe properly since the session", name="r-002", route="urgent")
    found = shop.compare(danger, kept, recent=(SESSIONS,))
    assert found.messages == 2
    assert [(one.id, one.route, one.right) for one in found.danger] == [("r-001", ("urgent", "no_answer"), (True, False))]
    told = lines(found)
    assert told[1].startswith("Messages for a person that would go elsewhere (1):")
    assert "was sent to urgent help (card urgent), is not answered (card not_found)" in told[2]


def test_only_the_first_release_can_be_held_against_its_limits_alone(shop: Shop) -> None:
    old, new = pair(shop.index, "", shop.first.id, shop.words)
    assert old is None
    item = asked(SESSIONS, shop.span("Most people need five sessions."))
    found = compare(old, new, JudgedFiles((item,)), (SESSIONS,))
    assert (found.old, found.asked, found.changes, found.counted) == ("", 1, (), 1)
    assert {change.what for change in found.articles} == {"added"}
    assert all(figure.before is None and figure.p_value is None for figure in found.figures)
    assert lines(found)[0] == f"Release {shop.first.id}, the first one: there is nothing to compare it with."


# The gate


def test_limits_are_held_against_the_new_release(shop: Shop, tmp_path: Path) -> None:
    gate = tmp_path / "gate.toml"
    gate.write_text(GATE, encoding="utf-8")
    five, hat = shop.span("Most people need five sessions."), shop.span("Wear a hat.")
    assert shop.compare(asked(SESSIONS, five, hat), gate=gate).broken == ()
    (shop.corpus / "articles" / "sessions.txt").unlink()
    found = shop.compare(asked(SESSIONS, five, hat), gate=gate)
    assert found.broken == ("shown quotes answer: 0.000, was 1.000 at abc1234 (-1.000); must be at least 0.900",)
    assert f"  {found.broken[0]}" in lines(found)


def test_where_all_judged_answers_are_lost_the_limits_are_not_kept(shop: Shop, tmp_path: Path) -> None:
    gate = tmp_path / "gate.toml"
    gate.write_text(GATE, encoding="utf-8")
    five = shop.span("Most people need five sessions.")
    (shop.corpus / "articles" / "sessions.txt").unlink()
    assert shop.compare(asked(SESSIONS, five), gate=gate).broken == ("shown quotes answer: not measured in this run",)


def test_without_limits_or_judged_questions_nothing_is_broken_and_it_is_said(shop: Shop, tmp_path: Path) -> None:
    gate = tmp_path / "gate.toml"
    gate.write_text(GATE, encoding="utf-8")
    found = shop.compare(recent=(SESSIONS,), gate=gate)
    assert (found.broken, found.figures) == ((), ())
    assert found.notes == ("There are no judged questions: nothing says whether answers are right, and no limit can be held.",)
    found = shop.compare(asked(SESSIONS, shop.span("Most people need five sessions.")))
    assert found.broken == ()
    assert found.notes == ("There are no limits (judged/gate.toml): figures are shown, and none is held.",)
    gate.write_text("[", encoding="utf-8")
    with pytest.raises(EvaluationError, match="not a gate"):
        shop.compare(asked(SESSIONS), gate=gate)


def test_the_judged_questions_of_a_corpus_are_those_that_the_gate_names(project: Path, tmp_path: Path) -> None:
    files = judged_in(project / "corpus")
    assert gate_of(project / "corpus") == project / "corpus" / "judged" / "gate.toml"
    assert (len(files.counted), len(files.others)) == (317, 39)
    assert {item.split for item in (*files.counted, *files.others, *files.messages)} == {"dev"}
    assert all(item.route for item in files.messages)
    shutil.copytree(project / "corpus" / "judged", tmp_path / "judged", ignore=shutil.ignore_patterns("gate.toml"))
    assert gate_of(tmp_path) is None
    assert (len(judged_in(tmp_path).counted), judged_in(tmp_path).others) == (356, ())
    assert judged_in(tmp_path / "nothing") == JudgedFiles()


# In words


def test_long_lists_end_with_how_many_more_there_are_unless_all_is_asked_for(shop: Shop) -> None:
    shop.edit("sessions.txt", "Most people need five", "Most people need six")
    found = shop.compare(recent=tuple(f"How many sessions do most people need, {number}?" for number in range(20)))
    assert len(found.changes) == 20
    assert "Quotes that vanish (20):" in lines(found)
    assert "  ... and 12 more" in lines(found)
    assert not any("more" in line and "..." in line for line in lines(found, verbose=True))
    assert "In all 20 of 20 questions are answered differently." in lines(found)


def test_the_values_are_json_and_hold_all_of_it(shop: Shop) -> None:
    shop.edit("sessions.txt", "Most people need five", "Most people need six")
    found = shop.compare(asked(SESSIONS, shop.span("Most people need five sessions.")))
    read = json.loads(json.dumps(values(found)))
    assert read["changes"][0]["vanished"][0]["left"] is False
    assert set(read) == {field.name for field in dataclasses.fields(Comparison)}


# Releases that are asked


def test_a_pinned_assistant_answers_from_its_release_whatever_is_in_force(shop: Shop) -> None:
    pinned = Assistant.pinned(shop.index, shop.first.id, shop.words)
    shop.edit("sessions.txt", "Most people need five", "Most people need six")
    now = shop.build()
    assert now.id != shop.first.id
    assert pinned.ask(SESSIONS).quotes[0].text == "Most people need five sessions. Tattoos need nine sessions."
    assert (pinned.release().id, pinned.clinic().name) == (shop.first.id, "Test Clinic")
    with pytest.raises(NoRelease):
        Assistant.pinned(shop.index, "0000", shop.words)


def test_a_question_is_encoded_once_for_both_releases(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    encode: Callable[[WordEncoder, list[str]], list[Question]] = WordEncoder.encode_questions
    monkeypatch.setattr(WordEncoder, "encode_questions", lambda self, texts: told.extend(texts) or encode(self, texts))
    shop.edit("sessions.txt", "Most people need five", "Most people need six")
    shop.compare(asked(SESSIONS, shop.span("Tattoos need nine sessions.")), recent=(HAT,))
    assert told == [SESSIONS, HAT]


# The project's own corpus


def test_an_edit_of_the_project_s_own_corpus(own_index: Path, tmp_path: Path, real_encoder: Encoder) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(ROOT / "corpus", corpus)
    before = open_current(own_index).id
    path = corpus / "articles" / "picosure-for-the-face.md"
    text = path.read_text(encoding="utf-8")
    changed = text.replace(
        "PicoSure can help younger patients and older patients alike.", "PicoSure helps the young and the old."
    )
    assert changed != text
    path.write_text(changed.replace("## What is PicoSure?\n", "## What is PicoSure?\n\nThis page is new.\n"), encoding="utf-8")
    now = build(corpus, own_index, real_encoder).release
    found = compare(*pair(own_index, before, now, real_encoder), judged_in(corpus), (), gate_of(corpus))
    assert found.articles == (ArticleChange("picosure-for-the-face.md", "changed", 2, 1),)
    assert found.broken == ()
    assert found.danger == ()
    assert found.asked == 317 + 39
    assert 0 < len(found.changes) < 40
    # What was judged on a sentence that is still there has gone with it.
    assert 0 <= len({one.id for one in found.lost}) < 10
    assert found.counted > 310
    proved = next(figure for figure in found.figures if figure.name == "quotes proved")
    assert proved.now.mean == 1.0
