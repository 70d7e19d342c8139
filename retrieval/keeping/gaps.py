"""Gaps: what patients asked in vain or disliked, grouped by meaning, with what staff have done about each.

Asked in vain are questions that got the card "not in our articles". Those that a clinician must answer are none: their card
is the answer. Disliked are quotes told to be "not my question" or "out of date". All of it is in the journal's database.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, get_args

import numpy as np
from sqlalchemy import Connection, insert, select, update

from retrieval.encoder import Encoder, Vectors
from retrieval.errors import JournalError
from retrieval.journal import ASKED, FEEDBACK, GAP, GROUPED, Journal

__all__ = [
    "NEAR",
    "STATES",
    "Gap",
    "InVain",
    "State",
    "annotate",
    "entitle",
    "find_gap",
    "gaps",
    "grouped",
    "set_state",
    "take",
]

State = Literal["open", "taken", "answered", "set aside"]
"""Nobody is at it, somebody is, articles answer it now, nothing will be done about it."""
STATES: tuple[State, ...] = get_args(State)
NEAR = 0.6
"""The mean cosine from which questions mean the same: benchmarks/gaps.py has the figures."""
_AT_ONCE = 2000
"""Questions that are compared each with each; further ones take their turn, since that takes memory by their square."""
_TRIES = 3
_NOT_FOUND = "not_found"
_MOST = {"title": 300, "owner": 100, "note": 2000}


@dataclass(frozen=True, slots=True)
class InVain:
    """A question that was not answered, or not well: in vain (`why` is "not found"), or with the feedback on a quote."""

    question: str
    day: date
    why: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that mean the same, the most central first, and what staff noted.

    `title` is that question until staff give one of their own. `since` is when staff last set the state; `again` is how many
    were asked on a later day.
    """

    id: str
    title: str
    questions: tuple[InVain, ...] = ()
    owner: str = ""
    state: State = "open"
    note: str = ""
    since: date | None = None

    @property
    def count(self) -> int:
        """How many questions."""
        return len(self.questions)

    @property
    def newest(self) -> date | None:
        """The day of the newest question; None where all have expired."""
        return max((one.day for one in self.questions), default=None)

    @property
    def again(self) -> int:
        """How many questions were asked since the state was set."""
        return sum(1 for one in self.questions if self.since and one.day > self.since)


@dataclass(frozen=True, slots=True)
class _Entry:
    source: str
    number: int
    asked: InVain


def gaps(journal: Journal, encoder: Encoder) -> list[Gap]:
    """All gaps, those that are asked most first; questions that came since the last look are put into them.

    A new question joins the nearest gap where it is near enough; what is left is grouped among itself. So gaps stay what they
    are. Parameters: the journal and the model. Raises JournalError.
    """
    for _ in range(_TRIES):
        with journal.database.reading() as connection:
            entries = _in_vain(connection)
            belongs = {(row.source, row.question): row.gap for row in connection.execute(select(GROUPED))}
            rows = {row.id: row for row in connection.execute(select(GAP))}
        titles = {row.id: row.title for row in rows.values()}
        texts = list(dict.fromkeys([*(entry.asked.question for entry in entries), *filter(None, titles.values())]))
        vectors = dict(zip(texts, _vectors(encoder, texts), strict=True))
        placed = _place(entries, belongs, titles, vectors)
        if _keep(journal, placed, set(rows)):
            break
    else:
        raise JournalError("Others are putting questions into gaps at the same time. Try again.")
    members: dict[str, list[InVain]] = {name: [] for name in rows}
    for entry in entries:
        name = placed.get((entry.source, entry.number)) or belongs[entry.source, entry.number]
        members.setdefault(name, []).append(entry.asked)
    found = []
    for name, asked in members.items():
        row, central = rows.get(name), _central(asked, vectors)
        title = (row.title if row else "") or (central[0].question if central else "")
        if row is None:
            found.append(Gap(name, title, central))
        elif title:
            since = date.fromisoformat(row.since) if row.since else None
            found.append(Gap(name, title, central, row.owner, row.state, row.note, since))
    return sorted(found, key=lambda gap: (-gap.count, gap.title, gap.id))


def find_gap(journal: Journal, encoder: Encoder, name: str) -> Gap:
    """The gap of this name; raises JournalError where there is none."""
    found = next((gap for gap in gaps(journal, encoder) if gap.id == name), None)
    if found is None:
        raise JournalError(f"There is no gap {name}. Its questions may have expired; `patient-faq gaps` lists those there are.")
    return found


def take(journal: Journal, gap: Gap, owner: str) -> Gap:
    """Somebody takes a gap on; with an empty name it is nobody's again. Raises JournalError where it is gone."""
    owner = _fitting("owner", owner)
    return _change(journal, gap, owner=owner, state="taken" if owner else "open")


def set_state(journal: Journal, gap: Gap, state: State) -> Gap:
    """Say where a gap stands, as of today. Raises JournalError where there is no such state or the gap is gone."""
    if state not in STATES:
        raise JournalError(f"{state!r} is no state of a gap. It is one of: {', '.join(STATES)}.")
    return _change(journal, gap, state=state)


def entitle(journal: Journal, gap: Gap, title: str) -> Gap:
    """Give a gap a title in the staff's own words: it then outlives its questions; with an empty one it goes with the last."""
    title = _fitting("title", title)
    changed = _change(journal, gap, title=title)
    first = gap.questions[0].question if gap.questions else ""
    return Gap(gap.id, title or first, gap.questions, changed.owner, changed.state, changed.note, changed.since)


def annotate(journal: Journal, gap: Gap, note: str) -> Gap:
    """Write a note on a gap, in place of the one before."""
    return _change(journal, gap, note=_fitting("note", note))


def grouped(vectors: Vectors, near: float = NEAR) -> list[int]:
    """Group vectors by average linkage (Sokal and Michener 1958): two groups join while their mean cosine is near enough.

    Parameters: float32 of shape (questions, dimension), rows of length 1, and the cosine. Returns a group's number for each.
    """
    if len(vectors) < 2:
        return [0] * len(vectors)
    from sklearn.cluster import AgglomerativeClustering  # takes a second to import, and most commands need it not

    linkage = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=1 - near)
    return [int(number) for number in linkage.fit_predict(vectors)]


def _in_vain(connection: Connection) -> list[_Entry]:
    """What counts as asked in vain, oldest first. Without its words a question cannot be understood: it is left out."""
    asked = connection.execute(select(ASKED).where(ASKED.c.card == _NOT_FOUND, ASKED.c.question != "")).all()
    disliked = connection.execute(select(FEEDBACK).where(FEEDBACK.c.felt != "helped", FEEDBACK.c.question != "")).all()
    entries = [_Entry("asked", row.id, InVain(row.question, date.fromisoformat(row.day), "not found")) for row in asked]
    why = {"other": "not my question", "outdated": "out of date"}
    for row in disliked:
        told = InVain(row.question, date.fromisoformat(row.at[:10]), why.get(row.felt, row.felt), row.doc)
        entries.append(_Entry("feedback", row.id, told))
    return sorted(entries, key=lambda entry: (entry.asked.day, entry.asked.question, entry.source, entry.number))


def _vectors(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """The vectors of questions as they are searched with, of length 1: they tell best what is asked."""
    found: Vectors = np.array([one.searching for one in encoder.encode_questions(texts)], dtype=np.float32)
    found = found.reshape(len(texts), encoder.dimension)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.where(lengths == 0, 1, lengths), dtype=np.float32)


def _place(
    entries: Sequence[_Entry], belongs: dict[tuple[str, int], str], titles: dict[str, str], vectors: dict[str, Vectors]
) -> dict[tuple[str, int], str]:
    """The gap of each entry that has none yet."""
    placed: dict[tuple[str, int], str] = {}
    members: dict[str, list[Vectors]] = {name: [] for name in titles}
    for entry in entries:
        name = belongs.get((entry.source, entry.number))
        if name in members:
            members[name].append(vectors[entry.asked.question])
    means = {name: np.mean(rows, axis=0) for name, rows in members.items() if rows}
    # One whose questions have all expired is what its title says.
    means |= {name: vectors[title] for name, title in titles.items() if title and name not in means}
    new: dict[str, list[_Entry]] = {}
    for entry in entries:
        if (entry.source, entry.number) not in belongs:
            new.setdefault(entry.asked.question, []).append(entry)
    texts = list(new)
    for first in range(0, len(texts), _AT_ONCE):
        names = _named([vectors[text] for text in texts[first : first + _AT_ONCE]], means)
        for text, name in zip(texts[first : first + _AT_ONCE], names, strict=True):
            placed.update({(entry.source, entry.number): name for entry in new[text]})
    return placed


def _named(new: Sequence[Vectors], means: dict[str, Vectors]) -> list[str]:
    """The names of the gaps of new questions: the nearest that there is, or one that is made here and added to `means`."""
    names = [""] * len(new)
    if means:
        known = list(means)
        likeness = np.array(new) @ np.array([means[name] for name in known]).T
        names = [known[int(row.argmax())] if row.max() >= NEAR else "" for row in likeness]
    left = [place for place, name in enumerate(names) if not name]
    rows = np.array([new[place] for place in left], dtype=np.float32)
    made: dict[int, str] = {}
    for place, group in zip(left, grouped(rows), strict=True):
        names[place] = made.setdefault(group, secrets.token_hex(4))
    for group_name in made.values():
        means[group_name] = np.mean([new[place] for place in left if names[place] == group_name], axis=0)
    return names


def _keep(journal: Journal, placed: dict[tuple[str, int], str], known: set[str]) -> bool:
    """Write down what was put where; False where somebody else did so meanwhile, or what it was put into is gone."""
    if not placed:
        return True
    with journal.database.writing(alone=True) as connection:
        fresh = sorted(set(placed.values()) - known)
        taken = {(row.source, row.question) for row in connection.execute(select(GROUPED.c.source, GROUPED.c.question))}
        there = {row.id for row in connection.execute(select(GAP.c.id))}
        if taken & set(placed) or not set(placed.values()) <= {*there, *fresh}:
            return False
        if fresh:
            blank = {"title": "", "owner": "", "state": "open", "since": "", "note": ""}
            connection.execute(insert(GAP), [{"id": name, **blank} for name in fresh])
        connection.execute(insert(GROUPED), [{"source": s, "question": n, "gap": name} for (s, n), name in placed.items()])
    return True


def _central(asked: Sequence[InVain], vectors: dict[str, Vectors]) -> tuple[InVain, ...]:
    """Questions by how near they are to all of them, the most central first."""
    if not asked:
        return ()
    mean = np.mean([vectors[one.question] for one in asked], axis=0)
    return tuple(
        sorted(asked, key=lambda one: (-round(float(vectors[one.question] @ mean), 4), len(one.question), one.question))
    )


def _change(journal: Journal, gap: Gap, **values: str) -> Gap:
    if "state" in values:
        values["since"] = _today().isoformat()
    with journal.database.writing() as connection:
        connection.execute(update(GAP).where(GAP.c.id == gap.id).values(**values))
        row = connection.execute(select(GAP).where(GAP.c.id == gap.id)).one_or_none()
    if row is None:
        raise JournalError(f"The gap {gap.id} is gone: its questions have expired.")
    since = date.fromisoformat(row.since) if row.since else None
    return Gap(gap.id, row.title or gap.title, gap.questions, row.owner, row.state, row.note, since)


def _fitting(what: str, text: str) -> str:
    text = " ".join(text.split())
    if len(text) > _MOST[what]:
        raise JournalError(f"This {what} has {len(text)} characters. Write at most {_MOST[what]}.")
    return text


def _today() -> date:
    return datetime.now(UTC).date()
