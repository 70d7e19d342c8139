"""Assistant.open(settings).ask(question, history): the only place that wires the asking side."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from retrieval.answering import answer, card_of, proved, quote_of
from retrieval.clinic import load_clinic
from retrieval.conversation import to_search
from retrieval.encoder import Encoder, Vectors, open_encoder
from retrieval.errors import ModelError, NoRelease, PatientFaqError, QuestionError, ReleaseError
from retrieval.release import Release, current_id
from retrieval.routing import Router
from retrieval.search import FUSED, Weights, search
from retrieval.settings import Settings
from retrieval.types import Answer, Card, Clinic, Match, Quote, Routing, Turn

__all__ = ["MAX_QUESTION", "Assistant", "clean"]

_LOG = logging.getLogger(__name__)
MAX_QUESTION = 4000
"""Characters a question may have."""
_ROUTED = 20_000
_ANSWER_POOL = 8
_KEPT_RELEASES = 4
_CHECKED_EVERY = 0.5  # seconds between looks at the pointer


class Assistant:
    """Answers questions from the release in force. Safe to use from several threads; holds nothing of any question."""

    def __init__(self, index: Path, encoder: Encoder, router: Router, fallback: Clinic) -> None:
        self._index = index
        self._fallback = fallback
        self._encoder = encoder
        self._router = router
        self._lock = threading.Lock()
        self._releases: OrderedDict[str, Release] = OrderedDict()
        self._current = ""
        self._looked = float("-inf")

    @classmethod
    def open(cls, settings: Settings) -> Assistant:
        """Open the model, the rules and the release in force.

        Raises SettingsError, ModelError, NoRelease or DamagedRelease, each with what to do.
        """
        assistant = cls(settings.index, open_encoder(settings), Router.from_folder(), load_clinic(settings.corpus))
        assistant.release()
        return assistant

    def ask(self, question: str, history: Sequence[Turn] = (), weights: Weights = FUSED) -> Answer:
        """Answer a question.

        Parameters: what the patient wrote, the earlier turns of the chat, oldest first, and, for evaluation, other weights.
        Returns an Answer, also when the release or the model fails: then the card for trouble, or the card that the
        rules asked for. Raises QuestionError for a question that is empty or far too long.
        """
        began = time.perf_counter()
        # Danger first: before the question is judged in any other way.
        clock = _Clock(began)
        text = clean(question)
        searched = to_search(text, history)
        routing = self._router.route(text[:_ROUTED]) or self._router.route(searched[:_ROUTED])
        urgent = routing is not None and routing.route == "urgent"
        clock.lap("route")
        if not urgent:
            _check(text)
        try:
            release = self.release()
            if routing is not None and urgent:
                result = Answer(routing.route, card=card_of(release, routing.card), rules=routing.rules)
            else:
                matches: list[Match] = []
                if routing is None or routing.route != "no_answer":
                    vector = self._encode(searched)
                    clock.lap("encode")
                    matches = search(release, searched, vector, _ANSWER_POOL, weights)
                    clock.lap("search")
                result = answer(release, matches, routing)
                clock.lap("answer")
            result = dataclasses.replace(result, release=release.id)
        except Exception:  # noqa: BLE001  whatever goes wrong, the patient is pointed to a person, by the right card
            _LOG.exception("a question could not be answered")
            result = self._trouble(routing)
        took = (time.perf_counter() - began) * 1000
        looked_for = "" if searched == text else searched
        return dataclasses.replace(result, searched=looked_for, elapsed_ms=round(took, 2), stages_ms=tuple(clock.laps))

    def search(self, question: str, top: int, history: Sequence[Turn] = ()) -> tuple[list[Quote], str]:
        """Rank quotes for a question without routing; returns at most `top` of them, best first, and the release's name.

        Raises QuestionError, ReleaseError or ModelError.
        """
        ranked, release = self._ranked(question, top, history, FUSED)
        return proved(release, (quote for quote, _ in ranked)), release.id

    def ranked(self, question: str, top: int, history: Sequence[Turn], weights: Weights) -> list[tuple[Quote, Match]]:
        """Rank quotes with the scores that decided, for evaluation; raises as `search` does."""
        return self._ranked(question, top, history, weights)[0]

    def release(self, identity: str = "") -> Release:
        """The release in force, or the one with this name.

        Takes up a release that was published since; one that fails its checks is reported and the old one stays.
        Raises NoRelease or DamagedRelease.
        """
        with self._lock:
            if not identity:
                self._follow()
                identity = self._current
            return self._releases.get(identity) or self._open(identity)

    def clinic(self) -> Clinic:
        """The clinic of the release in force, or the one in the corpus where no release can be opened."""
        try:
            return self.release().clinic
        except PatientFaqError:
            return self._fallback

    def example_questions(self, most: int) -> list[str]:
        """Questions to begin with: for each topic of the articles, in turn, the heading that asks about it most nearly.

        Returns at most `most` headings that are questions, none that the rules would send to a clinician; an empty list
        where the articles have none. Raises ReleaseError where there is no release.
        """
        articles = self.release().articles
        headings = list(
            dict.fromkeys(
                section.title
                for article in articles
                for section in article.sections
                if section.title.endswith("?") and self._router.route(section.title) is None
            )
        )
        by_article = zip_longest(*(article.metadata.topics for article in articles))
        topics = list(dict.fromkeys(topic for row in by_article for topic in row if topic))
        if not headings or not topics:
            return headings[:most]
        likeness = self._encoder.encode(topics) @ self._encoder.encode(headings).T
        chosen: dict[str, None] = {}
        for row in likeness:
            chosen.setdefault(headings[int(row.argmax())])
        return list(chosen)[:most]

    def _ranked(
        self, question: str, top: int, history: Sequence[Turn], weights: Weights
    ) -> tuple[list[tuple[Quote, Match]], Release]:
        text = to_search(clean(question), history)
        _check(text)
        release = self.release()
        matches = search(release, text, self._encode(text), top, weights)
        return [(quote_of(release, match), match) for match in matches], release

    def _follow(self) -> None:
        now = time.monotonic()
        if self._current and now - self._looked < _CHECKED_EVERY:
            return
        self._looked = now
        try:
            identity, digest = current_id(self._index)
            if identity != self._current:
                self._open(identity, digest)
                self._current = identity
        except (ReleaseError, ModelError) as problem:
            if not self._current:
                raise
            _LOG.error("the newest release cannot be served, the one before stays: %s", problem)

    def _open(self, identity: str, digest: str = "") -> Release:
        if not identity:
            raise NoRelease(f"{self._index}: no release is in force. Run `patient-faq build`.")
        release = Release.open(self._index, identity, digest)
        if release.model != self._encoder.name:
            raise ModelError(
                f"Release {identity} was built with the model {release.model}, and the settings name "
                f"{self._encoder.name}. Build again, or set PATIENT_FAQ_MODEL."
            )
        self._releases[identity] = release
        while len(self._releases) > _KEPT_RELEASES:
            oldest = next(name for name in self._releases if name != self._current)
            del self._releases[oldest]
        return release

    def _encode(self, text: str) -> Vectors:
        vector: Vectors = self._encoder.encode([text])[0]
        return vector

    def _trouble(self, routing: Routing | None) -> Answer:
        kind = routing.card if routing is not None else "trouble"
        cards: dict[str, Card] = {card.kind: card for card in self.clinic().cards}
        if routing is None:
            return Answer("no_answer", card=cards["trouble"])
        return Answer(routing.route, card=cards[kind], rules=routing.rules)


class _Clock:
    """Notes how long each stage took."""

    def __init__(self, began: float) -> None:
        self._last = began
        self.laps: list[tuple[str, float]] = []

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps.append((stage, round((now - self._last) * 1000, 3)))
        self._last = now


def clean(question: str) -> str:
    """A question in one form: composed characters, no control or invisible ones, single blanks."""
    composed = unicodedata.normalize("NFC", question)
    visible = "".join(c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} else " " for c in composed)
    return " ".join(visible.split())


def _check(text: str) -> None:
    if not any(character.isalnum() for character in text):
        raise QuestionError("There is no question in it. Please write one, in your own words.")
    if len(text) > MAX_QUESTION:
        raise QuestionError(f"The question has {len(text):,} characters. Please ask it in at most {MAX_QUESTION:,}.")
