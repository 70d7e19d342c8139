"""The asking side put together: danger first, failures to a person, new releases without restart."""

from __future__ import annotations

import dataclasses
import shutil
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.assistant import MAX_QUESTION, Assistant, clean
from retrieval.build import build
from retrieval.classifier import Kinds
from retrieval.clinic import load_clinic
from retrieval.encoder import Vectors
from retrieval.errors import ModelError, NoRelease, QuestionError
from retrieval.rules import Rules
from retrieval.types import Turn

pytestmark = pytest.mark.usefixtures("quick_reading")

URGENT = "I can't breathe properly since the session"


@pytest.fixture
def index(corpus_index: Path) -> Path:
    return corpus_index


@pytest.fixture
def assistant(corpus: Path, index: Path, words: WordEncoder) -> Assistant:
    return Assistant(index, words, Rules.floor(), load_clinic(corpus))


def later(assistant: Assistant) -> None:
    """As if the half second between looks at the pointer had passed."""
    assistant._looked = float("-inf")


def test_a_question_gets_proved_quotes_of_the_release_in_force(assistant: Assistant) -> None:
    answer = assistant.ask("How many sessions do most people need?")
    assert answer.route == "answer"
    assert answer.quotes[0].text.startswith("Most people need five sessions.")
    assert answer.release == assistant.release().id
    assert answer.elapsed_ms > 0


def test_danger_is_seen_before_retrieval_and_shows_no_quotes(assistant: Assistant, words: WordEncoder) -> None:
    words.encoded.clear()
    answer = assistant.ask(URGENT)
    assert (answer.route, answer.quotes) == ("urgent", ())
    assert answer.card is not None
    assert answer.card.kind == "urgent"
    assert words.encoded == []


def test_when_retrieval_fails_the_urgent_card_still_shows(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(texts: list[str]) -> Vectors:
        raise RuntimeError("boom")

    monkeypatch.setattr(assistant._encoder, "encode_questions", broken)
    assert assistant.ask(URGENT).route == "urgent"
    trouble = assistant.ask("How many sessions do most people need?")
    assert trouble.card is not None
    assert (trouble.route, trouble.card.kind, trouble.quotes) == ("no_answer", "trouble", ())


def test_without_any_release_danger_and_trouble_still_have_their_cards(
    corpus: Path, tmp_path: Path, words: WordEncoder
) -> None:
    assistant = Assistant(tmp_path / "nothing", words, Rules.floor(), load_clinic(corpus))
    urgent, trouble = assistant.ask(URGENT), assistant.ask("How many sessions?")
    assert urgent.card is not None
    assert trouble.card is not None
    assert (urgent.card.kind, trouble.card.kind) == ("urgent", "trouble")
    assert assistant.clinic().phone == "+1 555 0100"
    with pytest.raises(NoRelease):
        assistant.search("sessions", 3)


def test_an_urgent_message_is_seen_however_long_it_is(assistant: Assistant) -> None:
    assert assistant.ask(f"{'well and so on ' * 600} . {URGENT}").route == "urgent"


@pytest.mark.parametrize("question", ["", "   ", "\u200b\u200b", "word " * MAX_QUESTION])
def test_what_is_no_question_is_told(assistant: Assistant, question: str) -> None:
    with pytest.raises(QuestionError):
        assistant.ask(question)


def test_a_follow_up_is_searched_with_what_came_before(assistant: Assistant) -> None:
    answer = assistant.ask("and for tattoos?", [Turn("How many sessions do people need?")])
    assert answer.searched == "How many sessions do people need for tattoos"
    assert "nine" in answer.quotes[0].text
    assert assistant.ask("How many sessions do people need?").searched == ""


def test_search_ranks_without_routing(assistant: Assistant) -> None:
    quotes, release = assistant.search("five sessions", 2)
    assert len(quotes) == 2
    assert "five sessions" in quotes[0].text
    assert release == assistant.release().id
    assert quotes[0].score >= quotes[1].score


def test_a_new_release_is_taken_up_and_the_old_one_can_still_be_read(
    assistant: Assistant, corpus: Path, index: Path, words: WordEncoder
) -> None:
    old = assistant.release().id
    (corpus / "articles" / "sessions.txt").write_text("Sessions\n\nMost people need twelve sessions now.\n", encoding="utf-8")
    new = build(corpus, index, words).release
    later(assistant)
    answer = assistant.ask("How many sessions do most people need?")
    assert answer.release == new != old
    assert "twelve" in answer.quotes[0].text
    assert assistant.release(old).article("sessions.txt") is not None


def test_a_damaged_new_release_leaves_the_old_one_serving(
    assistant: Assistant, corpus: Path, index: Path, words: WordEncoder
) -> None:
    old = assistant.release().id
    (corpus / "articles" / "sun.html").unlink()
    new = build(corpus, index, words).release
    (index / "releases" / new / "passages.npy").write_bytes(b"damage")
    later(assistant)
    assert assistant.ask("How many sessions do most people need?").release == old


def test_a_release_of_another_model_is_not_served(corpus: Path, index: Path) -> None:
    other = WordEncoder()
    other.name = "words@2"
    with pytest.raises(ModelError, match="words@1"):
        Assistant(index, other, Rules.floor(), load_clinic(corpus)).release()


def test_only_some_old_releases_are_kept_in_memory(assistant: Assistant, corpus: Path, index: Path, words: WordEncoder) -> None:
    names = [assistant.release().id]
    for number in range(6):
        (corpus / "articles" / "sun.html").write_text(f"<p>Stay out of the sun for {number} days.</p>", encoding="utf-8")
        names.append(build(corpus, index, words).release)
    later(assistant)
    for name in names:
        assert assistant.release(name).id == name
    assert len(assistant._releases) <= 4
    assert assistant.release().id == names[-1]


def test_an_answer_and_its_citations_come_from_one_release_while_releases_change(
    assistant: Assistant, corpus: Path, index: Path, words: WordEncoder
) -> None:
    stop = threading.Event()
    wrong: list[str] = []

    def ask() -> None:
        while not stop.is_set():
            later(assistant)
            answer = assistant.ask("How many sessions do most people need?")
            for quote in answer.quotes:
                article = assistant.release(answer.release).article(quote.citation.doc)
                if article is None or article.text[quote.citation.start : quote.citation.end] != quote.text:
                    wrong.append(answer.release)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(4):
        text = f"Sessions\n\n{'Well. ' * number}Most people need {number} sessions here.\n"
        (corpus / "articles" / "sessions.txt").write_text(text, encoding="utf-8")
        build(corpus, index, WordEncoder())
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_example_questions_are_headings_that_the_rules_leave_alone(assistant: Assistant) -> None:
    shown = assistant.example_questions(6)
    headings = {section.title for article in assistant.release().articles for section in article.sections}
    assert shown
    assert {question for _, question in shown} <= headings
    assert all(question.endswith("?") for _, question in shown)
    assert len(assistant.example_questions(2)) == 2


def test_a_lost_index_does_not_stop_a_running_chat(assistant: Assistant, index: Path) -> None:
    assistant.release()
    shutil.rmtree(index)
    later(assistant)
    assert assistant.ask("How many sessions do most people need?").route == "answer"


def test_questions_are_cleaned_of_what_cannot_be_seen() -> None:
    assert clean("  how\u200b long\n\tis\u202e it\x00 ") == "how long is it"
    assert clean("e\u0301") == "é"


def test_an_answer_is_a_value(assistant: Assistant) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        assistant.ask("sessions").route = "answer"


def test_private_data_is_not_looked_up_nor_logged(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("looked up")

    monkeypatch.setattr("retrieval.assistant.search", never)
    private = "My name is Sarah Lim, jo@example.com. How many sessions do most people need?"
    answer = assistant.ask(private)
    assert answer.card is not None
    assert (answer.route, answer.card.kind, answer.quotes, answer.searched) == ("no_answer", "private_data", (), "")
    assert answer.private == ("email", "name")
    urgent = assistant.ask(f"My name is Sarah Lim. {URGENT}")
    assert (urgent.route, urgent.notice) == ("urgent", None)
    consult = assistant.ask("My name is Sarah Lim. I am pregnant, can I have it?")
    assert consult.card is not None
    assert consult.notice is not None
    assert (consult.route, consult.card.kind, consult.notice.kind) == ("consult", "consult", "private_data")
    assert "Sarah" not in caplog.text
    assert "jo@" not in caplog.text


@pytest.mark.parametrize(("question", "code"), [("berapa lama muka merah lepas pico?", "ms"), ("打皮秒一般要几次？", "zh")])
def test_other_languages_get_a_card_in_their_own(assistant: Assistant, question: str, code: str) -> None:
    answer = assistant.ask(question)
    assert answer.card is not None
    assert (answer.route, answer.card.kind, answer.card.language) == ("no_answer", "language", code)
    assert "English" in answer.card.heading


def test_an_urgent_card_is_in_the_patient_s_language(assistant: Assistant) -> None:
    card = assistant.ask("susah nak bernafas lepas laser").card
    assert card is not None
    assert (card.kind, card.language) == ("urgent", "ms")


def test_what_holds_no_word_is_not_in_the_articles(assistant: Assistant) -> None:
    card = assistant.ask("?!").card
    assert card is not None
    assert card.kind == "not_found"


class Sure:
    """A trained router that takes every message for one kind."""

    def __init__(self, kind: str) -> None:
        self.kinds = dataclasses.replace(Kinds(0.0, 0.0, 0.0, 0.0, 0.0), **{kind: 1.0})

    def kinds_of(self, text: str, vector: Vectors, tokens: Vectors) -> Kinds:
        return self.kinds


@pytest.mark.parametrize(
    ("kind", "route", "card"),
    [("urgent", "urgent", "urgent"), ("self_harm", "urgent", "self_harm"), ("consult", "consult", "consult")],
)
def test_the_trained_router_raises_what_rules_leave(assistant: Assistant, kind: str, route: str, card: str) -> None:
    assistant.release().classifier = Sure(kind)
    answer = assistant.ask("How many sessions do most people need?")
    assert answer.card is not None
    assert (answer.route, answer.card.kind, answer.rules) == (route, card, ("trained router",))
    assert bool(answer.quotes) is (route == "consult")


def test_a_follow_up_is_judged_as_it_was_written_too(assistant: Assistant) -> None:
    class Hears:
        def kinds_of(self, text: str, vector: Vectors, tokens: Vectors) -> Kinds:
            return Sure("urgent" if text == "and for tattoos?" else "general").kinds

    assistant.release().classifier = Hears()
    history = [Turn("How many sessions do people need?")]
    assert assistant.ask("and for tattoos?", history).route == "urgent"
    assert assistant.ask("and for skin?", history).route != "urgent"


def test_what_articles_say_differently_is_shown_side_by_side_when_asked_about(
    corpus: Path, tmp_path: Path, words: WordEncoder
) -> None:
    articles = corpus / "articles"
    redness = "Redness from pico laser lasts"
    (articles / "one.md").write_text(f"# Pico laser\n\n{redness} two days.\n", encoding="utf-8")
    (articles / "two.md").write_text(f"# On pico laser\n\n{redness} four weeks.\n", encoding="utf-8")
    build(corpus, tmp_path / "differing", words)
    assistant = Assistant(tmp_path / "differing", words, Rules.floor(), load_clinic(corpus))
    answer = assistant.ask("How long does redness last after pico laser?")
    (shown,) = answer.differs
    assert shown.point == "How long redness lasts"
    assert {"one.md", "two.md"} <= {quote.citation.doc for quote in shown.quotes}
    for quote in shown.quotes:
        article = assistant.release().article(quote.citation.doc)
        assert article is not None
        assert article.text[quote.citation.start : quote.citation.end] == quote.text
    assert assistant.ask("Where do I wear a hat?").differs == ()


def test_the_trained_router_never_lowers_what_rules_raise(assistant: Assistant) -> None:
    assistant.release().classifier = Sure("other")
    assert assistant.ask(URGENT).route == "urgent"
    assert assistant.ask("I am pregnant, how many sessions do I need?").route == "consult"


def test_what_was_raised_keeps_its_card_when_the_search_fails(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("retrieval.assistant.search", broken)
    for kind, card in (("urgent", "urgent"), ("consult", "consult"), ("general", "trouble")):
        assistant.release().classifier = Sure(kind)
        shown = assistant.ask("How many sessions do most people need?").card
        assert shown is not None
        assert shown.kind == card


def test_a_clinic_s_rule_and_example_raise_from_the_next_release(
    assistant: Assistant, corpus: Path, index: Path, words: WordEncoder
) -> None:
    question = "Redness fades with moonstone?"
    assert assistant.ask(question).route != "consult"
    (corpus / "routing").mkdir()
    (corpus / "routing" / "rules.toml").write_text(
        '[[rule]]\nname = "moonstone"\nsays = "x"\nroute = "consult"\nwhen = ["moonstone"]\nexamples = ["my moonstone"]\n',
        encoding="utf-8",
    )
    (corpus / "routing" / "messages.txt").write_text("# nail\nu: my umbrella is blue\n", encoding="utf-8")
    build(corpus, index, words)
    later(assistant)
    assert assistant.ask(question).rules == ("moonstone",)
    assert (raised := assistant.ask("My umbrella is blue!")).route == "urgent"
    assert raised.rules == ("example message",)


def test_without_a_trained_router_rules_hold_and_the_health_says_so(assistant: Assistant) -> None:
    assert assistant.release().classifier is None
    assert assistant.ask(URGENT).route == "urgent"
    assert assistant.problems() == ["The trained router is not in use: messages are routed by rules alone."]


def test_a_question_is_answered_from_the_articles_in_its_language(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    for name, text in {
        "kemerahan": '+++\nlanguage = "ms-MY"\n+++\n# Kemerahan\n\nKemerahan selepas laser hilang dalam dua hari.\n',
        "merah": '+++\nlanguage = "ms"\n+++\n# Merah\n\nWarna merah selepas laser tidak berbahaya.\n',
        "laser": "# Laser\n\nKemerahan selepas laser is Malay for redness after laser.\n",
    }.items():
        (corpus / "articles" / f"{name}.md").write_text(text, encoding="utf-8")
    build(corpus, tmp_path / "two-languages", words)
    assistant = Assistant(tmp_path / "two-languages", words, Rules.floor(), load_clinic(corpus))

    def found(question: str) -> set[str]:
        return {quote.citation.doc for quote in assistant.search(question, 20)[0]}

    malay = {"kemerahan.md", "merah.md"}
    assert found("Berapa lama kemerahan selepas laser?") == malay
    assert found("How long does the redness last after laser?") & malay == set()
    assert "laser.md" in found("How long does the redness last after laser?")
    assert found("laser") >= {*malay, "laser.md"}  # nothing says in which language
    card = assistant.ask("Wie lange dauert die Rötung nach dem Laser?").card
    assert card is not None
    assert card.kind == "language"


LAST = date(2026, 5, 3)
"""The day by which the overdue article should have been reviewed."""


@pytest.fixture
def day() -> list[date]:
    """What day it is: tests set it."""
    return [LAST]


@pytest.fixture
def reviewing(corpus: Path, tmp_path: Path, words: WordEncoder, day: list[date]) -> Assistant:
    """An assistant over a corpus of which redness.md is due after 3 May, and withdrawn by itself after 10 May."""
    (corpus / "clinic.toml").write_text(
        'name = "Test Clinic"\n[review]\nwithdraw_topics = ["Aftercare"]\nwithdraw_after_days = 7\n', encoding="utf-8"
    )
    redness = corpus / "articles" / "redness.md"
    known = '+++\nreview_by = 2026-05-03\ntopics = ["aftercare"]\n+++\n'
    redness.write_text(known + redness.read_text(encoding="utf-8"), encoding="utf-8")
    build(corpus, tmp_path / "index", words)
    return Assistant(tmp_path / "index", words, Rules.floor(), load_clinic(corpus), lambda: day[0])


RED = "How long are you red? Redness fades in two days."


def test_a_review_that_is_overdue_is_told_with_the_quote_and_then_withdraws_it_at_midnight(
    reviewing: Assistant, day: list[date]
) -> None:
    release = reviewing.release().id
    seen = []
    for days in (0, 1, 7, 8, 800):
        day[0] = LAST + timedelta(days)
        answer = reviewing.ask(RED)
        assert answer.release == release  # no new release, no restart
        seen.append([quote.citation.overdue for quote in answer.quotes if quote.citation.doc == "redness.md"])
    assert seen[:3] == [[False], [True], [True]]
    assert seen[3:] == [[], []]
    assert reviewing.search("redness", 9)[0]
    assert all(quote.citation.doc != "redness.md" for quote in reviewing.search("redness fades", 9)[0])


def test_what_is_withdrawn_is_nowhere_in_an_answer(reviewing: Assistant, day: list[date]) -> None:
    day[0] = LAST + timedelta(8)
    headings = {section.title for section in reviewing.release().article("redness.md").sections}
    for question in (
        RED,
        "Redness fades in two days.",
        "What about swelling?",
        "swelling rare",
        "I am pregnant, how long are you red?",
    ):
        answer = reviewing.ask(question)
        assert not {quote.citation.doc for quote in answer.quotes} & {"redness.md"}
        assert not {cited.doc for quote in answer.quotes for cited in quote.also} & {"redness.md"}
        assert not {heading.doc for heading in answer.suggestions} & {"redness.md"}
    assert not headings & {question for _, question in reviewing.example_questions(9)}


def test_example_questions_are_those_of_the_articles_in_use_on_the_day(reviewing: Assistant, day: list[date]) -> None:
    before = reviewing.example_questions(9)
    assert any("red" in question for _, question in before)
    day[0] = LAST + timedelta(8)
    assert reviewing.example_questions(9)
    assert not any("red" in question for _, question in reviewing.example_questions(9))


def test_the_same_question_on_the_same_day_gets_the_same_answer(reviewing: Assistant, day: list[date]) -> None:
    for days in (0, 1, 8):
        day[0] = LAST + timedelta(days)
        one, other = (dataclasses.replace(reviewing.ask(RED), elapsed_ms=0, stages_ms=()) for _ in range(2))
        assert one == other


def test_a_difference_with_an_article_that_is_withdrawn_is_none(
    corpus: Path, tmp_path: Path, words: WordEncoder, day: list[date]
) -> None:
    redness = "Redness from pico laser lasts"
    known = '+++\nreview_by = 2026-05-03\ntopics = ["aftercare"]\n+++\n'
    articles = corpus / "articles"
    (corpus / "clinic.toml").write_text('name = "c"\n[review]\nwithdraw_topics = ["aftercare"]\n', encoding="utf-8")
    for name, title, lasts in (("one", "Pico laser", "two days"), ("two", "On pico laser", "four weeks")):
        (articles / f"{name}.md").write_text(f"# {title}\n\n{redness} {lasts}.\n", encoding="utf-8")
    (articles / "three.md").write_text(f"{known}# Of pico laser\n\n{redness} six months.\n", encoding="utf-8")
    build(corpus, tmp_path / "differing", words)
    assistant = Assistant(tmp_path / "differing", words, Rules.floor(), load_clinic(corpus), lambda: day[0])
    question = "How long does redness last after pico laser?"

    def said() -> set[str]:
        return {quote.citation.doc for one in assistant.ask(question).differs for quote in one.quotes}

    assert {"one.md", "two.md", "three.md"} <= said()
    day[0] += timedelta(1)
    assert "three.md" not in said()
    assert {"one.md", "two.md"} <= said()
    (articles / "two.md").write_text(f"{known}# On pico laser\n\n{redness} four weeks.\n", encoding="utf-8")
    build(corpus, tmp_path / "differing", words)
    later(assistant)
    assert not {"two.md", "three.md"} & said()


def test_where_all_articles_are_withdrawn_patients_get_a_card_and_nothing_is_called_broken(
    corpus: Path, tmp_path: Path, words: WordEncoder
) -> None:
    for path in (corpus / "articles").iterdir():
        if path.suffix != ".md":
            path.unlink()
    (corpus / "clinic.toml").write_text('name = "c"\n[review]\nwithdraw_topics = ["aftercare"]\n', encoding="utf-8")
    redness = corpus / "articles" / "redness.md"
    known = '+++\nreview_by = 2026-05-03\ntopics = ["aftercare"]\n+++\n'
    redness.write_text(known + redness.read_text(encoding="utf-8"), encoding="utf-8")
    build(corpus, tmp_path / "index", words)
    today = [date(2026, 5, 3)]
    assistant = Assistant(tmp_path / "index", words, Rules.floor(), load_clinic(corpus), lambda: today[0])
    assert assistant.ask(RED).quotes
    assert assistant.problems() == ["The trained router is not in use: messages are routed by rules alone."]
    today[0] = date(2026, 5, 4)
    answer = assistant.ask(RED)
    assert answer.card is not None
    assert (answer.route, answer.card.kind, answer.quotes, answer.suggestions) == ("no_answer", "not_found", (), ())
    consult = assistant.ask("I am pregnant, how long are you red?")
    assert (consult.route, consult.quotes) == ("consult", ())
    assert assistant.ask(URGENT).route == "urgent"
    chinese = assistant.ask("打皮秒一般要几次？").card
    assert chinese is not None
    assert "English" in chinese.heading
    assert assistant.search("redness", 3)[0] == []
    assert assistant.example_questions(6) == []
    assert assistant.ready() == ""
    assert assistant.problems()[-1].startswith("Every article is withdrawn")


def test_an_article_is_read_as_its_review_stands_by_now(
    reviewing: Assistant, corpus: Path, tmp_path: Path, words: WordEncoder, day: list[date]
) -> None:
    old = reviewing.release().id
    path = corpus / "articles" / "redness.md"
    found = reviewing.readable(old, "redness.md")
    assert found is not None
    assert (found.taken_down, found.overdue, found.newer) == (False, False, "")
    day[0] = LAST + timedelta(1)
    assert reviewing.readable(old, "redness.md").overdue
    day[0] = LAST + timedelta(8)
    assert reviewing.readable(old, "redness.md").taken_down
    # Reviewed: the same words in a new release are not overdue at their old address either.
    path.write_text(path.read_text(encoding="utf-8").replace("2026-05-03", "2028-05-03"), encoding="utf-8")
    build(corpus, tmp_path / "index", words)
    later(reviewing)
    found = reviewing.readable(old, "redness.md")
    assert (found.taken_down, found.overdue, found.newer) == (False, False, "")
    assert found.article.metadata.review_by == date(2028, 5, 3)
    # Other words: the old ones stay as they were quoted, with the way to the new ones.
    path.write_text(path.read_text(encoding="utf-8").replace("two days", "nine days"), encoding="utf-8")
    new = build(corpus, tmp_path / "index", words).release
    later(reviewing)
    found = reviewing.readable(old, "redness.md")
    assert (found.taken_down, found.newer) == (False, new)
    assert "two days" in found.article.text
    # Taken out of the corpus by staff.
    path.unlink()
    build(corpus, tmp_path / "index", words)
    later(reviewing)
    assert reviewing.readable(old, "redness.md").taken_down
    assert not reviewing.readable(old, "sun.html").taken_down
    assert reviewing.readable(old, "nothing.md") is None
    assert reviewing.readable("gone", "redness.md") is None


def test_staff_are_told_by_each_build_which_reviews_are_near_or_overdue(
    corpus: Path, tmp_path: Path, words: WordEncoder
) -> None:
    day = date.today() - timedelta(3)
    sessions = corpus / "articles" / "sessions.txt"
    (corpus / "articles" / "sessions.toml").write_text(f"review_by = {day}\n", encoding="utf-8")
    for _ in range(2):  # also where nothing has changed
        notes = build(corpus, tmp_path / "index", words).notes
        assert f"{sessions.name}: was due for review on {day}; patients are told so." in notes
