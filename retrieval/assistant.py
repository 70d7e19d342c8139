"""Assistant.open(settings).ask(question, history): the only place that wires the asking side."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import islice, zip_longest
from pathlib import Path

from threadpoolctl import threadpool_limits

from retrieval.abstaining import likely
from retrieval.answering import answer, card_of, marked, proved, quote_of
from retrieval.clinic import load_clinic
from retrieval.conversation import to_search
from retrieval.encoder import Encoder, open_encoder
from retrieval.errors import EngineError, ModelError, NoRelease, PatientFaqError, QuestionError, ReleaseError
from retrieval.language import base_of, language_of, names_of, other_language
from retrieval.private import private_data
from retrieval.release import Release, current_id, open_current
from retrieval.routing import highest, judged, raised_by_examples
from retrieval.rules import Rules
from retrieval.search import FUSED, Weights, completed, search
from retrieval.settings import Settings
from retrieval.shared import Shared, open_shared
from retrieval.types import Answer, Article, Card, Clinic, Match, Quote, Route, Routing, Turn

__all__ = ["MAX_QUESTION", "Assistant", "Readable", "clean"]

_LOG = logging.getLogger(__name__)
MAX_QUESTION = 4000
"""Characters a question may have."""
_ROUTED = 20_000
_ANSWER_POOL, _LOOKED_AT = 8, 20
_KEPT_RELEASES = 4
_MOST_HEADINGS = 200  # from which questions to begin with are chosen; each is encoded
_NO_RELEASE = "No release can be opened: every question is pointed to the clinic."
_NONE_IN_USE = "Every article is withdrawn, since its review is overdue: nothing is quoted."
_CHECKED_EVERY = 0.5  # seconds between looks at the pointer


@dataclass(frozen=True, slots=True)
class Readable:
    """An article of a release, for somebody who reads it today; `article` has what is known of its review by now.

    `taken_down` says that it must not be shown any more, `overdue` that patients are told that its review is overdue;
    `newer` is the name of the release in force where the article says something else there.
    """

    release: Release
    article: Article
    taken_down: bool = False
    overdue: bool = False
    newer: str = ""


class Assistant:
    """Answers questions from the release in force. Safe to use from several threads; holds nothing of any question.

    Which reviews are overdue, and which articles are withdrawn for that, is decided by the day on which a question is asked:
    `today` tells it, by this machine's clock.
    """

    def __init__(
        self, index: Path, encoder: Encoder, rules: Rules, fallback: Clinic, today: Callable[[], date] = date.today,
        shared: Shared | None = None,
    ) -> None:  # fmt: skip
        self._today = today
        self._shared = shared
        self._index = index
        self._fallback = fallback
        self._encoder = encoder
        self._rules = rules
        self._lock = threading.Lock()
        self._releases: OrderedDict[str, Release] = OrderedDict()
        self._current = ""
        self._looked = float("-inf")
        self._examples: tuple[str, frozenset[int], list[tuple[str, str]]] = ("", frozenset(), [])
        self._examples_lock = threading.Lock()
        self._behind = False  # whether the newest release could not be taken up
        self._watching: list[Callable[[Answer], None]] = []

    @classmethod
    def open(cls, settings: Settings) -> Assistant:
        """Open the model, the rules and the release in force.

        Raises SettingsError, ModelError, NoRelease, DamagedRelease or EngineError, each with what to do.
        """
        # Most of opening the model is not Python's: the rest is done meanwhile.
        with ThreadPoolExecutor(1) as beside:
            opening = beside.submit(open_encoder, settings)
            rules, clinic, shared = Rules.floor(), load_clinic(settings.corpus), open_shared(settings)
            release = open_current(settings.index)  # the pointer is looked at again before long
            assistant = cls(settings.index, opening.result(), rules, clinic, shared=shared)
        assistant._serve(assistant._checked(release))
        assistant._looked = time.monotonic()
        # One question multiplies small matrices. Numpy's threads would only fight with the model's for the same cores:
        # on two cores that doubles a question's time (benchmarks/stages.py).
        threadpool_limits(1, user_api="blas")
        return assistant

    @classmethod
    def pinned(cls, index: Path, identity: str, encoder: Encoder) -> Assistant:
        """Open one release to answer from it only, whichever is in force; for comparing releases.

        Parameters: the index folder, the release's name, and the model. Raises NoRelease, DamagedRelease or ModelError.
        """
        assistant = cls(index, encoder, Rules.floor(), Clinic(name="", placeholder=True))
        assistant._current, assistant._looked = identity, float("inf")  # the pointer is never due to be looked at
        assistant._fallback = assistant.release().clinic
        threadpool_limits(1, user_api="blas")  # as in open
        return assistant

    def ask(self, question: str, history: Sequence[Turn] = (), weights: Weights = FUSED, language: str = "en") -> Answer:
        """Answer a question.

        Parameters: what the patient wrote, the earlier turns of the chat, oldest first, for evaluation, other weights, and
        the language of the screen, in which cards are where the message is in English or in none that is known.
        Returns an Answer, also when the release or the model fails: then the card for trouble, or the card that the
        message was raised to. Raises QuestionError for a question that is empty or far too long.
        """
        asked = _Asked(question, history, language)
        # Danger first: before the question is judged in any other way.
        asked.raised_by(self._rules)
        asked.lap("rules")
        if asked.route != "urgent":
            _check(asked.text)
        release: Release | None = None
        try:
            release = self._release_today()
            result = self._answer(release, asked, weights)
        except Exception:  # noqa: BLE001  whatever goes wrong, the patient is pointed to a person, by the right card
            _LOG.exception("a question could not be answered")
            kind = asked.routing.card if asked.routing else "trouble"
            result = Answer(asked.route, card=card_of(release.clinic if release else self.clinic(), kind, asked.language))
        result = dataclasses.replace(
            result,
            rules=asked.routing.rules if asked.routing else (),
            private=asked.private,
            searched="" if asked.private or asked.searched == asked.text else asked.searched,
            release=release.id if release else "",
            elapsed_ms=round((time.perf_counter() - asked.began) * 1000, 2),
            stages_ms=tuple(asked.laps),
        )
        for told in self._watching:
            told(result)
        return result

    def watch(self, told: Callable[[Answer], None]) -> None:
        """Have a function told of each answer from now on, for counting."""
        self._watching.append(told)

    def ready(self) -> str:
        """Look something up in the release in force and prove what is found.

        Returns why no question can be answered just now, in words that may be public; empty where one can. Also an article
        that is withdrawn since its review is overdue will do: where all are, patients still get their cards from here, and
        `problems` says so.
        """
        try:
            release = self.release()
            ranked = self._ranked(release, release.articles[0].title, 3, (), FUSED)
            if ranked and len(proved(release, (quote for quote, _ in ranked))) == len(ranked):
                return ""
            return "Quotes fail their proof: every question is pointed to the clinic."
        except ReleaseError as problem:
            _LOG.error("not ready, no release can be served: %s", problem)
            return _NO_RELEASE
        except Exception:  # noqa: BLE001  whatever goes wrong, the answer is that questions cannot be answered
            _LOG.exception("not ready, nothing can be looked up")
            return "Nothing can be looked up: every question is pointed to the clinic."

    def ask_rules(self, question: str, history: Sequence[Turn] = (), language: str = "en") -> Answer:
        """Answer by rules alone, in a millisecond or two: for when there is no time to look anything up.

        Parameters as for `ask`. Returns the card that a rule raises the message to, else the card that says that many people
        are asking. Raises QuestionError as `ask` does.
        """
        asked = _Asked(
            question, history[-1:], language
        )  # what it leans on in most cases; all of the chat would take six times as long
        asked.raised_by(self._rules)
        clinic = self._fallback
        try:
            release = self.release()
            asked.raised_by(release.rules)
            # A release that was built before there was this card has none.
            clinic = release.clinic if any(card.kind == "busy" for card in release.clinic.cards) else clinic
        except PatientFaqError:
            pass  # reported where it is looked for; the rules of the program have seen the message
        if asked.route != "urgent":
            _check(asked.text)
        kind = asked.routing.card if asked.routing else "busy"
        return Answer(
            asked.route,
            card=card_of(clinic, kind, asked.language),
            rules=asked.routing.rules if asked.routing else (),
            private=asked.private,
            elapsed_ms=round((time.perf_counter() - asked.began) * 1000, 2),
        )

    def problems(self) -> list[str]:
        """What keeps questions from being answered as well as they could be, in words that may be public."""
        try:
            release = self.release()
        except PatientFaqError as problem:
            _LOG.error("no release can be served: %s", problem)
            return [_NO_RELEASE]
        found = {
            "The newest release cannot be opened: the one before it answers.": self._behind,
            "The trained router is not in use: messages are routed by rules alone.": release.fault,
            _NONE_IN_USE: not release.as_of(self._today()).in_use,
        }
        return [problem for problem, holds in found.items() if holds]

    def search(self, question: str, top: int, history: Sequence[Turn] = ()) -> tuple[list[Quote], str]:
        """Rank quotes for a question without routing; returns at most `top` of them, best first, and the release's name.

        Raises QuestionError, ReleaseError or ModelError.
        """
        release = self._release_today()
        ranked = self._ranked(release, question, top, history, FUSED)
        return proved(release, (quote for quote, _ in ranked)), release.id

    def ranked(self, question: str, top: int, history: Sequence[Turn], weights: Weights) -> list[tuple[Quote, Match]]:
        """Rank quotes with the scores that decided, for evaluation; raises as `search` does."""
        return self._ranked(self._release_today(), question, top, history, weights)

    def release(self, identity: str = "") -> Release:
        """The release in force, or the one with this name.

        Takes up a release that was published since; one that fails its checks is reported and the old one stays.
        Raises NoRelease or DamagedRelease.
        """
        with self._lock:
            if not identity:
                self._follow()
                identity = self._current
            return self._releases.get(identity) or self._keep(self._opened(identity))

    def clinic(self) -> Clinic:
        """The clinic of the release in force, or the one in the corpus where no release can be opened."""
        try:
            return self.release().clinic
        except PatientFaqError:
            return self._fallback

    def opened(self, release: str, doc: str) -> tuple[Release, Article] | None:
        """A release and an article of it, by their names; None where there is none."""
        try:
            found = self.release(release)
        except (PatientFaqError, OSError):  # OSError: a name longer than a file's may be
            return None
        article = found.article(doc)
        return (found, article) if article else None

    def readable(self, release: str, doc: str) -> Readable | None:
        """An article of a release as somebody may read it today, by their names; None where there is none.

        What the release in force does not have, or has withdrawn, is taken down at all its older addresses too.
        """
        opened = self.opened(release, doc)
        if opened is None:
            return None
        found, article = opened
        try:
            today = self._release_today()
        except PatientFaqError:  # then the release that was asked for is the only one to go by
            today = found.as_of(self._today())
        now = today.article(doc)
        if now is None:
            return Readable(found, article, taken_down=True)
        if now.digest != article.digest:
            return Readable(found, article, overdue=today.overdue(article), newer=today.id)
        # The same words: they may have been reviewed since.
        article = dataclasses.replace(article, metadata=now.metadata)
        return Readable(found, article, overdue=today.overdue(now))

    def articles_in(self, screen: str) -> str:
        """The names of the articles' languages where a screen's is not one of them, else ""."""
        try:
            languages = self._release_today().languages
        except PatientFaqError:
            return ""
        return "" if screen in map(base_of, languages) else names_of(languages)

    def example_questions(self, most: int) -> list[tuple[str, str]]:
        """Questions to begin with: for each topic of the articles, in turn, the heading that asks about it most nearly.

        Returns at most `most` topics ("" where the articles name none), each with a heading that is a question, none that
        the rules would send to a clinician; an empty list where the articles have none. Raises ReleaseError where there is
        no release.
        """
        release = self._release_today()
        # Every page asks for them when it is opened, and they are the same for all: they are worked out once for a release,
        # and anew when one of its articles is withdrawn.
        with self._examples_lock:
            if self._examples[:2] != (release.id, release.withdrawn):
                self._examples = (release.id, release.withdrawn, self._examples_of(release))
            return self._examples[2][:most]

    def _examples_of(self, release: Release) -> list[tuple[str, str]]:
        entries = release.in_use
        written = dict.fromkeys(heading for entry in entries for heading in entry.questions)
        headings = list(islice((heading for heading in written if self._rules.route(heading) is None), _MOST_HEADINGS))
        by_article = zip_longest(*(entry.metadata.topics for entry in entries))
        topics = list(dict.fromkeys(topic for row in by_article for topic in row if topic))[:_MOST_HEADINGS]
        if not headings or not topics:
            return [("", heading) for heading in headings]
        likeness = self._encoder.encode(topics) @ self._encoder.encode(headings).T
        chosen: dict[str, str] = {}
        for topic, row in zip(topics, likeness, strict=True):
            chosen.setdefault(headings[int(row.argmax())], topic)
        return [(topic, heading) for heading, topic in chosen.items()]

    def _release_today(self) -> Release:
        """The release in force, as it is on this day."""
        return self.release().as_of(self._today())

    def _ranked(
        self, release: Release, question: str, top: int, history: Sequence[Turn], weights: Weights
    ) -> list[tuple[Quote, Match]]:
        text = to_search(clean(question), history)
        _check(text)
        asked, *written = self._encoder.encode_questions(list(dict.fromkeys([text, clean(question)])))
        matches = search(release, completed(asked, written), top, weights)
        return [(quote_of(release, match), match) for match in matches]

    def _follow(self) -> None:
        now = time.monotonic()
        if self._current and now - self._looked < _CHECKED_EVERY:
            return
        self._looked = now
        try:
            identity, digest = current_id(self._index)
            if identity != self._current:
                self._serve(self._opened(identity, digest))
            self._behind = False
        except (ReleaseError, ModelError, EngineError) as problem:
            if not self._current:
                raise
            self._behind = True
            _LOG.error("the newest release cannot be served, the one before stays: %s", problem)

    def _opened(self, identity: str, digest: str = "") -> Release:
        if not identity:
            raise NoRelease(f"{self._index}: no release is in force. Run `patient-faq build`.")
        return self._checked(Release.open(self._index, identity, digest))

    def _checked(self, release: Release) -> Release:
        if release.model != self._encoder.name:
            raise ModelError(
                f"Release {release.id} was built with the model {release.model}, and the settings name "
                f"{self._encoder.name}. Build again, or set PATIENT_FAQ_MODEL."
            )
        if release.fault:
            _LOG.warning("release %s: %s", release.id, release.fault)
        return release

    def _serve(self, release: Release) -> None:
        """Answer from a release from now on."""
        if self._shared:
            release.engine = self._shared.engine(release)
        self._keep(release)
        self._current = release.id

    def _keep(self, release: Release) -> Release:
        self._releases[release.id] = release
        while len(self._releases) > _KEPT_RELEASES:
            oldest = next(name for name in self._releases if name != self._current)
            del self._releases[oldest]
        return release

    def _answer(self, release: Release, asked: _Asked, weights: Weights) -> Answer:
        """Answer from a release; where the message is raised to is noted in `asked`, so that it is known if this fails."""

        def card(kind: str) -> Card:
            return card_of(release.clinic, kind, asked.language, names_of(release.languages))

        asked.raised_by(release.rules)
        if asked.route == "urgent" and asked.routing:
            return Answer("urgent", card=card(asked.routing.card))
        if not any(character.isalnum() for character in asked.text):
            return _no_answer(card("not_found"))
        # A message that leans on the one before is judged as it was made complete, and as it was written.
        question, *written = self._encoder.encode_questions(list(dict.fromkeys([asked.searched, asked.text])))
        asked.lap("encode")
        kinds, *others = (
            release.classifier.kinds_of(one.text, one.vector, one.tokens) if release.classifier else None
            for one in (question, *written)
        )
        routing = asked.routing = highest(
            asked.routing,
            *(judged(one) for one in (kinds, *others) if one),
            *(raised_by_examples(release.examples, one.vector) for one in (question, *written)),
        )
        asked.lap("route")
        if routing and routing.route == "urgent":
            return Answer("urgent", card=card(routing.card))
        consult = routing is not None and routing.route == "consult"
        if asked.private:
            # Not looked up: the card asks for the question without them.
            notice = card("private_data")
            return Answer("consult", card=card(routing.card), notice=notice) if routing and consult else _no_answer(notice)
        if not consult and other_language(asked.text, release.languages):
            return _no_answer(card("language"))
        if routing and not consult:
            return _no_answer(card(routing.card))
        matches = search(release, completed(question, written), _LOOKED_AT, weights)
        asked.lap("search")
        best = matches[:_ANSWER_POOL]
        ranked = [(match.passage.article, match.passage.first, match.passage.last) for match in matches]
        difference = release.differences.asked_about(question.text, question.vector, ranked)
        found = answer(release, best, None if consult else likely(release, question, best, kinds), difference)
        found = marked(release, found, question)
        asked.lap("answer")
        kind = routing.card if routing else "" if found.quotes else "not_found"
        return dataclasses.replace(found, card=card(kind)) if kind else found


class _Asked:
    """One message on its way: what is known of it so far, where it was raised to, and how long each stage took."""

    def __init__(self, question: str, history: Sequence[Turn], screen: str) -> None:
        self.began = self._last = time.perf_counter()
        self.laps: list[tuple[str, float]] = []
        self.text = clean(question)
        self.searched = to_search(self.text, history)
        self.private = private_data(self.text)
        written = language_of(self.text)
        self.language = screen if written in {"", "en"} else written
        self.routing: Routing | None = None

    @property
    def route(self) -> Route:
        """Where the message was raised to; what no rule raised is not answered as long as nothing was found."""
        return self.routing.route if self.routing else "no_answer"

    def raised_by(self, rules: Rules) -> None:
        """Let rules see the message; where it leans on the one before, also both together."""
        found = rules.route(self.text[:_ROUTED])
        if found is None and self.searched != self.text:
            found = rules.route(self.searched[:_ROUTED])
        self.routing = highest(self.routing, found)

    def lap(self, stage: str) -> None:
        """Note how long the stage took that ends now."""
        now = time.perf_counter()
        self.laps.append((stage, round((now - self._last) * 1000, 3)))
        self._last = now


def _no_answer(card: Card) -> Answer:
    return Answer("no_answer", card=card)


def clean(question: str) -> str:
    """A question in one form: composed characters, no control or invisible ones, single blanks."""
    composed = unicodedata.normalize("NFC", question)
    visible = "".join(c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} else " " for c in composed)
    return " ".join(visible.split())


def _check(text: str) -> None:
    if not text:
        raise QuestionError("There is no question in it. Please write one, in your own words.")
    if len(text) > MAX_QUESTION:
        raise QuestionError(f"The question has {len(text):,} characters. Please ask it in at most {MAX_QUESTION:,}.")
