"""Two releases side by side: what would change for patients if the new one took the old one's place.

Both are asked the same questions: the judged ones, recent ones of the journal, and messages that must reach a person. An answer
has changed if a patient would see something else: another card, other words, another first quote. The same words at another
place of an article are no change.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from retrieval.assistant import Assistant
from retrieval.encoder import Encoder, Question
from retrieval.errors import QuestionError
from retrieval.evaluation.carrying import Carrier, Lost
from retrieval.evaluation.gate import broken_limits, measured_on
from retrieval.evaluation.judged import Judged, answering, find_faults, load_judged
from retrieval.evaluation.run import Outcome, figures, outcome, p_value
from retrieval.evaluation.statistics import Figure
from retrieval.passages import sentence_text
from retrieval.release import Release
from retrieval.types import Answer, Article, Quote, Turn

__all__ = [
    "AnswerChange", "ArticleChange", "Comparison", "FigureChange", "JudgedFiles", "PointChange", "Said", "compare", "gate_of",
    "judged_in", "pair",
]  # fmt: skip

_MOST_RECENT = 200
_KEPT = 4  # encoded questions: each is asked of two releases, and ranked as well as answered
_RAISED = ("urgent", "consult")
_MANY = 100
_JUDGED, _GATE = "judged", "gate.toml"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class JudgedFiles:
    """The judged questions of a corpus, without those that are for reports only.

    `counted` are those that the gate's figures are measured on, or all where there is no gate; `others` are asked and count in
    no figure, such as dialogues; `messages` have a route that they must take.
    """

    counted: tuple[Judged, ...] = ()
    others: tuple[Judged, ...] = ()
    messages: tuple[Judged, ...] = ()


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """An article that is added, removed, changed, or only described anew, and how many sentences came and went."""

    doc: str
    what: Literal["added", "removed", "changed", "described"]
    came: int = 0
    went: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """The words of a quote; `left` says whether the articles of the other release say them too."""

    doc: str
    text: str
    left: bool


@dataclass(frozen=True, slots=True)
class PointChange:
    """What was, and is now, shown beside each other on a point on which articles differ."""

    point: str
    before: tuple[str, ...]
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """A question that is answered differently; pairs are (before, now).

    `id` is a judged question's name, empty for a recent one. `right` is whether the answer is right: a quote answers, nothing
    is quoted where the articles leave it open, or the route is the one to take; None where it is not judged. `top` is the first
    quote.
    """

    id: str
    question: str
    route: tuple[str, str]
    card: tuple[str, str]
    vanished: tuple[Said, ...]
    appeared: tuple[Said, ...]
    top: tuple[str, str]
    differs: tuple[PointChange, ...]
    right: tuple[bool | None, bool | None]

    @property
    def moved(self) -> bool:
        """Whether it takes another route, or gets another card."""
        return self.route[0] != self.route[1] or self.card[0] != self.card[1]


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure of both releases over the questions that count in both, and how likely such a difference would be by chance.

    `before` is None for a first release, `p_value` also where the figure is no mean over ranked questions.
    """

    name: str
    before: Figure | None
    now: Figure
    p_value: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What would change for patients.

    `old` is empty for a first release. `changes` are those of `asked` questions whose answers changed; `danger` those of
    `messages` messages for a person that are sent elsewhere. `counted` questions could be held against the new release;
    `broken` are the limits of the gate that they do not keep. `lost` are the judged spans that could not be carried over to it:
    a question that has no other is in no figure and in no limit.
    """

    old: str
    new: str
    articles: tuple[ArticleChange, ...]
    asked: int
    changes: tuple[AnswerChange, ...]
    messages: int
    danger: tuple[AnswerChange, ...]
    counted: int
    figures: tuple[FigureChange, ...]
    broken: tuple[str, ...]
    lost: tuple[Lost, ...]
    notes: tuple[str, ...]
    seconds: float


def gate_of(corpus: Path) -> Path | None:
    """The gate's file of a corpus, or None where it has none."""
    path = corpus / _JUDGED / _GATE
    return path if path.is_file() else None


def judged_in(corpus: Path) -> JudgedFiles:
    """Load the judged questions of a corpus, those of the dev split and those without one.

    The gate's figures are only comparable over the questions on which they were measured, so its file says which those are.
    Raises EvaluationError naming file and line that cannot be read.
    """
    gate = gate_of(corpus)
    names, split = measured_on(gate) if gate else (frozenset[str](), "dev")
    counted: list[Judged] = []
    others: list[Judged] = []
    messages: list[Judged] = []
    for path in sorted((corpus / _JUDGED).glob("*.jsonl")):
        measured = path.name in names or not gate
        for item in load_judged(path):
            if measured and not item.route and (split == "all" or item.split in {split, ""}):
                counted.append(item)
            elif item.split in {"dev", ""}:
                (messages if item.route else others).append(item)
    return JudgedFiles(tuple(counted), tuple(others), tuple(messages))


def pair(index: Path, old: str, new: str, encoder: Encoder) -> tuple[Assistant | None, Assistant]:
    """Open two releases to compare them, with one model that encodes each question once for both.

    Parameters: the index folder, their names (the old one's empty for a first release), and the model.
    Raises NoRelease, DamagedRelease or ModelError.
    """
    # A cast, so that this class needs no list of all that a model can do.
    shared = cast(Encoder, _Remembering(encoder))
    return Assistant.pinned(index, old, shared) if old else None, Assistant.pinned(index, new, shared)


def compare(
    old: Assistant | None,
    new: Assistant,
    judged: JudgedFiles,
    recent: Sequence[str] = (),
    gate: Path | None = None,
    progress: Progress | None = None,
    olds: Mapping[str, Article] | None = None,
) -> Comparison:
    """Ask two releases the same questions and say what changed.

    Parameters: the release in force (None where there is none) and the new one, best from `pair`; the judged questions, which
    are carried over to both; recent questions of patients, the newest first, of which the first 200 are asked; the gate's file;
    whom to tell; and articles of other releases by the digest of their text (`carrying.texts_of`), on which questions may have
    been judged. Without a gate or without judged questions the comparison says so and no limit is broken. Raises
    EvaluationError for a gate that cannot be read.
    """
    began = time.perf_counter()
    run = _Run(old, new, olds or {})
    latest = [Judged("", (question,), ()) for question in dict.fromkeys(recent)]
    asked = [*judged.counted, *judged.others, *latest[:_MOST_RECENT]] if old else list(judged.counted)
    messages = run.looked_at(judged.messages)
    tell = progress or (lambda what, done, total: None)
    for number, item in enumerate((*asked, *messages), start=1):
        run.ask(item, measured=number <= len(judged.counted))
        tell("Asking both releases", number, len(asked) + len(messages))
    danger = [change for change in run.changes[1] if change.moved]
    notes = [*run.notes, *run.faults()]
    if len(latest) > _MOST_RECENT:
        notes.append(f"Of {len(latest)} recent questions the newest {_MOST_RECENT} were asked.")
    if not judged.counted:
        notes.append("There are no judged questions: nothing says whether answers are right, and no limit can be held.")
    elif gate is None:
        notes.append("There are no limits (judged/gate.toml): figures are shown, and none is held.")
    now = [found for _, found in run.outcomes[1]]
    return Comparison(
        old=run.old.id if run.old else "",
        new=run.new.id,
        articles=_articles(run.old.articles if run.old else (), run.new.articles),
        asked=len(asked),
        changes=tuple(run.changes[0]),
        messages=len(messages),
        danger=tuple(sorted(danger, key=lambda change: (change.route[0] != "urgent", change.route[1] in _RAISED))),
        counted=len(now),
        figures=run.figures(),
        broken=tuple(broken_limits(gate, figures(now))) if gate and judged.counted else (),
        lost=tuple(run.lost),
        notes=tuple(notes),
        seconds=round(time.perf_counter() - began, 2),
    )


class _Run:
    """Asks question by question, and keeps what came back: only what changed, and what is measured."""

    def __init__(self, old: Assistant | None, new: Assistant, olds: Mapping[str, Article]) -> None:
        self._assistants: tuple[Assistant | None, Assistant] = (old, new)
        self.old, self.new = old.release() if old else None, new.release()
        releases = [release for release in (self.old, self.new) if release]
        texts = {**olds, **{article.digest: article for release in releases for article in release.articles}}
        self._carriers = [Carrier(texts, _by_doc(release)) for release in (self.old, self.new)]
        self._texts = [
            [_spaced(article.text) for article in release.articles] if release else [] for release in (self.old, self.new)
        ]
        self.changes: tuple[list[AnswerChange], list[AnswerChange]] = ([], [])
        self.outcomes: tuple[list[tuple[int, Outcome]], list[tuple[int, Outcome]]] = ([], [])
        self._same_routing = self.old is not None and self.old.routing == self.new.routing
        self.lost: list[Lost] = []
        self.notes: list[str] = []
        self._kept: list[Judged] = []
        self._number = 0

    def looked_at(self, messages: Sequence[Judged]) -> list[Judged]:
        """The messages for a person that are to be asked: all, or fewer where what routes them is the same in both releases.

        Then only those that nothing raises can go elsewhere, which are few: the urgent ones and every fifth of the others show.
        """
        if self.old is None:
            return []
        urgent = [item for item in messages if item.route == "urgent"]
        consult = [item for item in messages if item.route == "consult"]
        if self._same_routing and len(consult) > _MANY:
            self.notes.append(
                f"What routes messages is the same in both releases: of {len(consult)} for a clinician every fifth was asked."
            )
            consult = consult[::5]
        return [*urgent, *consult]

    def ask(self, item: Judged, measured: bool) -> None:
        """Ask both releases, and note what changed; a question that is measured counts where it has its answers."""
        self._number += 1
        if item.route and self._same_routing and _answer(self._assistants[1], item).route in _RAISED:
            return  # by the same rules or the same router as before
        answers: list[Answer | None] = []
        right: list[bool | None] = []
        for side, assistant in enumerate(self._assistants):
            fitting, lost = self._carriers[side].question(item)
            if side == 1:
                self.lost += lost
                self._kept += [fitting] if fitting and measured else []
            if assistant is None:
                answers.append(None)
                right.append(None)
            elif fitting and measured:
                found, answer = outcome(assistant, fitting, open_ranked=False)
                self.outcomes[side].append((self._number, found))
                answers.append(answer)
                right.append(_right(fitting, answer))
            else:
                answers.append(answer := _answer(assistant, item))
                right.append(_right(fitting, answer) if fitting and item.id else None)
        before, now = answers
        if before and now:
            change = self._change(item, before, now, (right[0], right[1]))
            if change:
                self.changes[bool(item.route)].append(change)

    def faults(self) -> list[str]:
        """What is wrong with the judged questions as they fit the new release, in a line."""
        faults = find_faults(self._kept, _by_doc(self.new))
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        return [f"The judged questions have faults: {'; '.join(faults[:3])}{more}."] if faults else []

    def figures(self) -> tuple[FigureChange, ...]:
        """The figures of both releases, over the questions that count in both, so that like is compared with like."""
        both = {number for number, _ in self.outcomes[0]} & {number for number, _ in self.outcomes[1]}
        one, other = ([found for number, found in side if number in both] for side in self.outcomes)
        if self.old is None:
            other = [found for _, found in self.outcomes[1]]
        before = figures(one)
        return tuple(
            FigureChange(name, before.get(name), figure, p_value(name, one, other) if self.old else None)
            for name, figure in figures(other).items()
            if not name.startswith("ms ")
        )

    def _change(self, item: Judged, before: Answer, now: Answer, right: tuple[bool | None, bool | None]) -> AnswerChange | None:
        """What a patient would see otherwise, or None where it is nothing."""
        top = (_first(before), _first(now))
        change = AnswerChange(
            id=item.id,
            question=" / ".join(item.turns),
            route=(before.route, now.route),
            card=(_card(before), _card(now)),
            vanished=_only(before.quotes, now.quotes, self._texts[1]),
            appeared=_only(now.quotes, before.quotes, self._texts[0]),
            top=top,
            differs=_points(before, now),
            right=right,
        )
        seen = change.moved or change.vanished or change.appeared or change.differs or _spaced(top[0]) != _spaced(top[1])
        return change if seen or (None not in right and right[0] != right[1]) else None


class _Remembering:
    """A model that keeps the questions which it encoded last."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._questions: OrderedDict[tuple[str, ...], list[Question]] = OrderedDict()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode_questions(self, texts: Sequence[str]) -> list[Question]:
        # What is encoded together is kept together: alone, the last digits of a vector may be others.
        key = tuple(texts)
        if key not in self._questions:
            self._questions[key] = self._encoder.encode_questions(texts)
            while len(self._questions) > _KEPT:
                self._questions.popitem(last=False)
        return self._questions[key]


def _answer(assistant: Assistant, item: Judged) -> Answer:
    try:
        return assistant.ask(item.turns[-1], [Turn(turn) for turn in item.turns[:-1]])
    except QuestionError:
        return Answer("no_answer")


def _right(item: Judged, answer: Answer) -> bool:
    if item.route:
        return answer.route == item.route
    if not item.answers:
        return answer.route != "answer"
    cited = [quote.citation for quote in answer.quotes]
    return any(answering(item.answers, place.doc, place.start, place.end) for place in cited)


def _articles(old: Iterable[Article], new: Iterable[Article]) -> tuple[ArticleChange, ...]:
    before, now = ({article.doc: article for article in articles} for articles in (old, new))
    changes = []
    for doc in sorted({*before, *now}):
        one, other = before.get(doc), now.get(doc)
        said, says = _sentences(one), _sentences(other)
        came, went = (says - said).total(), (said - says).total()
        if one is None or other is None:
            changes.append(ArticleChange(doc, "removed" if one else "added", came, went))
        elif one.digest != other.digest:
            changes.append(ArticleChange(doc, "changed", came, went))
        elif one.source_digest != other.source_digest:
            changes.append(ArticleChange(doc, "described"))
    return tuple(changes)


def _sentences(article: Article | None) -> Counter[str]:
    return Counter(_spaced(sentence_text(article, place)) for place in range(len(article.sentences))) if article else Counter()


def _only(of: Sequence[Quote], among: Sequence[Quote], texts: Sequence[str]) -> tuple[Said, ...]:
    """The quotes whose words are not shown among others; a quote that is part of a longer one is shown."""
    shown = [_spaced(quote.text) for quote in among]
    return tuple(
        Said(quote.citation.doc, quote.text, any(_spaced(quote.text) in text for text in texts))
        for quote in of
        if not any(_spaced(quote.text) in other for other in shown)
    )


def _points(before: Answer, now: Answer) -> tuple[PointChange, ...]:
    one, other = ({row.point: tuple(quote.text for quote in row.quotes) for row in answer.differs} for answer in (before, now))
    return tuple(
        PointChange(point, one.get(point, ()), other.get(point, ()))
        for point in dict.fromkeys([*one, *other])
        if {*map(_spaced, one.get(point, ()))} != {*map(_spaced, other.get(point, ()))}
    )


def _first(answer: Answer) -> str:
    return answer.quotes[0].text if answer.quotes else ""


def _card(answer: Answer) -> str:
    return answer.card.kind if answer.card else ""


def _by_doc(release: Release | None) -> dict[str, Article]:
    return {article.doc: article for article in release.articles} if release else {}


def _spaced(text: str) -> str:
    """A text's words with one blank between and around them: where lines end does not count, where words end does."""
    return f" {' '.join(text.split())} "
