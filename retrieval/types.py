"""The values that flow through the engine: frozen, slotted dataclasses, no behaviour beyond slicing.

Every offset counts characters (Unicode code points) of an article's canonical text.
This module imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

__all__ = [
    "Answer",
    "Article",
    "Block",
    "BlockKind",
    "Card",
    "Citation",
    "Clinic",
    "Difference",
    "Heading",
    "Match",
    "Metadata",
    "Passage",
    "Place",
    "Quote",
    "Route",
    "Routing",
    "Section",
    "Sentence",
    "Settled",
    "SideBySide",
    "State",
    "Statement",
    "Turn",
]

BlockKind = Literal["heading", "paragraph", "item", "debris"]
State = Literal["", "draft", "checked", "withdrawn"]
Route = Literal["answer", "consult", "urgent", "no_answer"]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of an article besides its text; absent facts stay absent.

    `state` is where it stands with the staff: a draft and a withdrawn article are in no release; without one it is as checked.
    `confirmed` names the sentences that look damaged and that `confirmed_by` has found to be right.
    """

    title: str = ""
    based_on: str = ""
    publisher: str = ""
    language: str = "en"
    topics: tuple[str, ...] = ()
    reviewed_by: str = ""
    reviewed_on: date | None = None
    review_by: date | None = None
    state: State = ""
    checked_by: str = ""
    checked_on: date | None = None
    confirmed: tuple[str, ...] = ()
    confirmed_by: str = ""


# Named tuples, and not dataclasses as all else here: an article has hundreds of these three, and is read while a patient waits.


class Block(NamedTuple):
    """One paragraph, list item, heading or piece of web debris: a span of canonical text.

    `level` is 1 to 6 for headings and 0 otherwise; `page` counts from 1 and is 0 where there are no pages.
    `opens` says that a new section begins here although no heading does.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    page: int = 0
    opens: bool = False


class Section(NamedTuple):
    """A stretch of an article under one heading; `path` runs from the outermost heading to its own."""

    path: tuple[str, ...]
    start: int
    end: int
    page: int = 0

    @property
    def title(self) -> str:
        """The section's own heading, empty before the first heading."""
        return self.path[-1] if self.path else ""


class Sentence(NamedTuple):
    """A sentence that can be quoted: a span, the section and block it stands in, and its page (0 where there are none)."""

    start: int
    end: int
    section: int
    block: int
    page: int = 0


@dataclass(frozen=True, slots=True)
class Article:
    """One document of the clinic, read: its file name, canonical text, structure and metadata.

    `digest` is the SHA-256 of the canonical text in UTF-8; `source_digest` that of the file's bytes and of
    the metadata file beside it.
    """

    doc: str
    title: str
    text: str
    digest: str
    source_digest: str
    blocks: tuple[Block, ...]
    sections: tuple[Section, ...]
    sentences: tuple[Sentence, ...]
    metadata: Metadata = field(default_factory=Metadata)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle on a printed page, which counts from 1: fractions of its width and height from the top left corner."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit of retrieval: sentences `first`..`last` (inclusive) of one section of article number `article`."""

    article: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Match:
    """A passage that was found for a question. Of two `score` the higher is better; see retrieval.search.

    `dense` (mean cosine), `lexical` (share of the question's word weight) and `asked` (how like the question the nearest
    asked-as question of its sentences is) are the parts it was made of; `also` are passages elsewhere that say the same.
    """

    passage: Passage
    score: float
    dense: float
    lexical: float
    asked: float = 0.0
    also: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote stands: enough to prove it and to open it.

    `overdue` says that the article's review was due, by `review_by`, before the day of the answer: patients are told.
    """

    doc: str
    title: str
    section: str
    page: int
    start: int
    end: int
    digest: str
    based_on: str = ""
    reviewed_on: date | None = None
    reviewed_by: str = ""
    language: str = "en"
    review_by: date | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of an article, and where it stands in the text."""

    title: str
    doc: str
    start: int
    end: int
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Quote:
    """The words shown to a patient, to the letter, and where they stand; `also` is where else it is said.

    `marked` are those of them that answer the question best: a span of the article's text within the citation's, empty
    where nothing is marked.
    """

    text: str
    citation: Citation
    score: float
    also: tuple[Citation, ...] = ()
    marked: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What articles say differently on a point, as quotes, none of them preferred."""

    point: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """Sentences `first` to `last` (inclusive) of article number `article`, and the value that they give."""

    article: int
    first: int
    last: int
    value: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A mark of the staff's: this difference is settled, or none. `said` are the values that they saw, if noted."""

    point: str
    kind: str
    by: str
    on: str
    note: str
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A point, what the articles say on it in the order of the articles, and the staff's mark, if there is one.

    One that is marked is listed for staff and not shown to patients. One that is `personal` depends on the patient: it is
    not shown below a card that points to a clinician.
    """

    point: str
    statements: tuple[Statement, ...]
    settled: Settled | None = None
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """Fixed text of the clinic: shown whole, never put together from a question.

    `heading` is one call to action, `bullets` stand alone, `level` is read out to screen readers; `language` is the code of
    the language that it is in.
    """

    kind: str
    label: str
    level: str
    heading: str
    text: str = ""
    bullets: tuple[str, ...] = ()
    contacts: bool = True
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Clinic:
    """Who runs this FAQ and how to reach them. `placeholder` is true until a real clinic fills it in.

    `signed_off_wording` names the wording of the cards that was signed off, by whom and when. `whatsapp` is a number.
    With `journal` what patients ask and tell about quotes is kept, for `journal_days` days. Staff are warned `review_warn_days`
    before an article's `review_by`; one on any of `withdraw_topics` is withdrawn by itself `withdraw_after_days` after it.
    """

    name: str
    placeholder: bool
    phone: str = ""
    email: str = ""
    booking_url: str = ""
    whatsapp: str = ""
    emergency_number: str = ""
    accent: str = "#0b6e69"
    cards: tuple[Card, ...] = ()
    signed_off_by: str = ""
    signed_off_on: date | None = None
    signed_off_wording: str = ""
    journal: bool = False
    journal_days: int = 90
    review_warn_days: int = 30
    withdraw_topics: tuple[str, ...] = ()
    withdraw_after_days: int = 0


@dataclass(frozen=True, slots=True)
class Routing:
    """Where a message goes, by which card, and the names of the rules that decided, most urgent first."""

    route: Route
    card: str = ""
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier exchange of the chat: what the patient asked."""

    question: str


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is shown for one question, and how it came about.

    `differs` is what the articles say differently on the point that was asked about, if they do;
    `searched` is what was looked for where that is not the question itself; `rules` are those that raised the route;
    `notice` is a second card below the first; `confidence` is how likely the quotes that were found answer the question,
    where that was asked; `private` are the kinds of private data in the question, which must then not be shown again or
    kept; `stages_ms` says how long each stage took, in order.
    """

    route: Route
    quotes: tuple[Quote, ...] = ()
    card: Card | None = None
    notice: Card | None = None
    confidence: float = 0.0
    private: tuple[str, ...] = ()
    searched: str = ""
    suggestions: tuple[Heading, ...] = ()
    differs: tuple[SideBySide, ...] = ()
    release: str = ""
    elapsed_ms: float = 0.0
    rules: tuple[str, ...] = ()
    stages_ms: tuple[tuple[str, float], ...] = ()
