"""What staff do, in one place: the commands and the screen are two ways to the same desk."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from retrieval import history
from retrieval.assistant import Assistant
from retrieval.build import BuildReport, Progress
from retrieval.clinic import load_clinic
from retrieval.damage import damage_in
from retrieval.differences import FIELD, load_points
from retrieval.encoder import Encoder, open_encoder
from retrieval.errors import CorpusError, NoRelease, ReleaseError
from retrieval.evaluation.carrying import Renewed, renew, texts_of
from retrieval.history import Entry
from retrieval.in_force import history_faults
from retrieval.journal import Cited, Journal
from retrieval.keeping.checking import Finding, check_articles
from retrieval.keeping.closing import Proof, proof, span_of
from retrieval.keeping.closing import add_judged as judge
from retrieval.keeping.closing import attach as attach_question
from retrieval.keeping.closing import start_article as begin
from retrieval.keeping.comparing import Comparison, compare, gate_of, judged_in, pair
from retrieval.keeping.gaps import Gap, annotate, entitle, find_gap, set_state, take
from retrieval.keeping.gaps import gaps as gaps_of
from retrieval.keeping.library import Held, Library
from retrieval.keeping.preview import Row, passages_preview
from retrieval.keeping.publishing import Judgement, Kept, Published, prepare, publish, releases, roll_back, withdraw
from retrieval.locks import locked
from retrieval.release import Release, articles_of, current_id, open_current
from retrieval.review import due
from retrieval.settings import Settings
from retrieval.types import Article, Clinic

__all__ = ["Change", "Desk", "Overview"]

_RECENT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Change:
    """What publishing the folder would change: the build's report and, where anything changes, the comparison."""

    report: BuildReport
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class Overview:
    """One article at a glance.

    `review` is how its review stands ("", soon, due, withdrawn), `age` the days since it was reviewed (None: never), `differs`
    the points on which other articles say something else, `cited` how patients met it where the journal is on.
    """

    held: Held
    passages: int
    review: str
    age: int | None
    differs: int
    cited: Cited


class Desk:
    """A corpus, its releases and its journal. Every method raises PatientFaqError with what to do."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.library = Library(settings.corpus)
        self._encoder: Encoder | None = None
        self._opening = threading.Lock()
        self._opened: Release | None = None

    @property
    def encoder(self) -> Encoder:
        """The model, opened when it is first needed."""
        with self._opening:
            if self._encoder is None:
                self._encoder = open_encoder(self.settings)
            return self._encoder

    @property
    def clinic(self) -> Clinic:
        """The clinic as the folder has it."""
        return load_clinic(self.settings.corpus)

    def release(self) -> Release | None:
        """The release in force, or None where there is none that can be opened."""
        try:
            opened = self._opened
            if opened is None or opened.id != current_id(self.settings.index)[0]:
                opened = self._opened = open_current(self.settings.index)
            return opened
        except ReleaseError:
            return None

    def held(self) -> list[Held]:
        """All files of the folder, and how they stand."""
        return self.library.held(self.release())

    def look(self, doc: str) -> Held:
        """One file of the folder, read whole: with the sentences that look damaged."""
        return self.library.look(doc)

    def findings(self, doc: str = "", today: date | None = None) -> tuple[Finding, ...]:
        """What staff should know of the articles of the folder, or of one of them."""
        held = [self.library.look(one.doc) for one in self.held()]
        if doc and doc not in {one.doc for one in held}:
            self.library.look(doc)
        articles = [one.article for one in held if one.article]
        unread = [one.problem for one in held if one.problem and (not doc or one.doc == doc)]
        points = load_points(FIELD, *self._added_points())
        return check_articles(articles, unread, self.encoder, self.clinic, points, doc, today=today or date.today())

    def preview(self, doc: str) -> tuple[Row, ...]:
        """What the program read of an article, row by row; nothing where it could not be read."""
        article = self.library.look(doc).article
        return passages_preview(article, self.encoder) if article else ()

    def doubtful(self, doc: str) -> dict[str, str]:
        """The sentences of an article that look damaged and that nobody has confirmed: their words by their names."""
        article = self.library.look(doc).article
        if article is None:
            return {}
        found: dict[str, str] = {}
        for damage in damage_in(article, self.encoder.known_words()):
            sentence = next((one for one in article.sentences if one.start <= damage.start < one.end), None)
            if sentence and damage.sentence not in article.metadata.confirmed:
                found[damage.sentence] = article.text[sentence.start : sentence.end]
        return found

    def confirm(self, doc: str, names: Iterable[str], by: str, seen: str) -> None:
        """Note that sentences that look damaged are right as they stand; they can be quoted then."""
        article = self.library.look(doc).article
        if article is None:
            raise CorpusError(f"{doc}: it cannot be read, so nothing of it can be confirmed.")
        unknown = sorted(set(names) - set(self.doubtful(doc)) - set(article.metadata.confirmed))
        if unknown:
            raise CorpusError(f"{doc}: {unknown[0]} names no sentence of it that looks damaged. Look at it again.")
        confirmed = sorted({*article.metadata.confirmed, *names})
        self.library.describe(doc, {"confirmed": confirmed, "confirmed_by": by}, by, seen)

    def what_would_change(self, by: str = "", progress: Progress | None = None) -> Change:
        """Build the folder as it lies there, and ask the release in force and the new one the same questions."""
        report = prepare(self.settings, self.encoder, by, progress)
        if not report.changed:
            return Change(report, None)
        return Change(report, self.compared(self._in_force(), report.release, progress))

    def compared(self, old: str, new: str, progress: Progress | None = None) -> Comparison:
        """Ask two releases the same questions: the judged ones, and what patients asked lately where that is kept."""
        index, corpus = self.settings.index, self.settings.corpus
        assistants = pair(index, old, new, self.encoder)
        return compare(*assistants, judged_in(corpus), self._recent(), gate_of(corpus), progress, texts_of(index))

    def publish(
        self, by: str, note: str, *, override: str = "", expected: str = "", progress: Progress | None = None
    ) -> tuple[Published, Comparison | None]:
        """Put the folder in force; see `publishing.publish`. Returns what was done, and the comparison it was judged by."""
        made: list[Comparison] = []

        def judged(before: str, candidate: str) -> Judgement:
            made.append(self.compared(before, candidate, progress))
            return Judgement(made[0].broken, {one.name: round(one.now.mean, 4) for one in made[0].figures})

        done = publish(self.settings, self.encoder, by, note, judged, override=override, expected=expected, progress=progress)
        return done, made[0] if made else None

    def roll_back(self, release: str, by: str, note: str, *, folder: bool = True) -> tuple[Entry, list[str]]:
        """Put a release back; see `publishing.roll_back`."""
        return roll_back(self.settings, release, by, note, folder=folder)

    def withdraw(self, doc: str, by: str, note: str) -> Entry:
        """Take an article out at once; see `publishing.withdraw`."""
        return withdraw(self.settings, self.encoder, doc, by, note)

    def history(self) -> tuple[list[Entry], list[str]]:
        """All entries of the history, and what is wrong with it; nothing of either where nothing was published yet."""
        entries = history.entries(self.settings.index)
        try:
            return entries, history_faults(self.settings.index)
        except NoRelease:
            if entries:  # something was in force, and what says so is missing
                raise
            return [], []

    def releases(self) -> list[Kept]:
        """The releases that were in force, the latest first."""
        return releases(self.settings.index)

    def articles_between(self, old: str, new: str) -> tuple[list[str], list[str]]:
        """The titles of the articles that only the second of two releases has, and of those that only the first has."""
        index = self.settings.index
        before, after = ({one.doc: one.title for one in articles_of(index, each)} for each in (old, new))
        come = [title for doc, title in after.items() if doc not in before]
        return come, [title for doc, title in before.items() if doc not in after]

    def carry_judged(self, by: str) -> dict[str, Renewed]:
        """Move the judged questions along with the sentences of articles that were edited; says which could not be."""
        articles = {one.doc: one.article for one in self.held() if one.article}
        files = sorted((self.settings.corpus / "judged").glob("*.jsonl"))
        with locked(self.settings.corpus, "renewing judged questions", by):
            return {file.name: renew(file, texts_of(self.settings.index), articles) for file in files}

    def journal(self) -> Journal | None:
        """The journal, or None where the clinic keeps none. Whoever opens it closes it."""
        return Journal.open(self.settings.journal) if self.clinic.journal else None

    def gaps(self) -> list[Gap]:
        """What patients asked in vain or did not like, grouped; nothing where no journal is kept."""
        with self._kept() as journal:
            return gaps_of(journal, self.encoder) if journal else []

    def gap(self, name: str) -> Gap:
        """One gap, by its name."""
        with self._needed() as journal:
            return find_gap(journal, self.encoder, name)

    def change_gap(
        self, name: str, *, owner: str | None = None, state: str = "", title: str | None = None, note: str | None = None
    ) -> Gap:
        """Say who is at a gap, where it stands, what it is called, or what there is to know of it."""
        with self._needed() as journal:
            gap = find_gap(journal, self.encoder, name)
            if owner is not None:
                gap = take(journal, gap, owner)
            if title is not None:
                gap = entitle(journal, gap, title)
            if note is not None:
                gap = annotate(journal, gap, note)
            if state:
                gap = set_state(journal, gap, state)  # type: ignore[arg-type]  # one that is none is refused by name
            return gap

    def attach(self, doc: str, first: int, last: int, question: str, by: str) -> bool:
        """Attach a question to sentences of an article, so that it finds them from the next release on."""
        article = self._article(doc)
        sentences = [article.text[one.start : one.end] for one in article.sentences[first : last + 1]]
        with locked(self.settings.corpus, f"attaching a question to {doc}", by):
            return attach_question(self.settings.corpus, doc, sentences, question)

    def add_judged(self, doc: str, first: int, last: int, question: str, by: str) -> bool:
        """Add a judged question that these sentences answer; False where it stands there already."""
        article = self._article(doc)
        spans = [span_of(article, first, last)]
        with locked(self.settings.corpus, "adding a judged question", by):
            return judge(self.settings.corpus, question, spans, {article.doc: article}) is not None

    def start_article(self, title: str, question: str, by: str) -> Path:
        """Begin a draft with a question for a heading."""
        with locked(self.settings.corpus, "beginning an article", by):
            return begin(self.settings.corpus, title, question)

    def proof(self, name: str) -> Proof:
        """Ask a gap's questions of the release in force."""
        assistant = Assistant.pinned(self.settings.index, self._in_force(), self.encoder)
        return proof(self.gap(name), assistant)

    def overview(self, today: date | None = None) -> list[Overview]:
        """Every article at a glance."""
        day, clinic, release = today or date.today(), self.clinic, self.release()
        cited = self._cited(clinic)
        numbers = {one.doc: number for number, one in enumerate(release.articles)} if release else {}
        open_points = [point for point in release.differences.found if point.settled is None] if release else []
        found = []
        for held in self.library.held(release):
            metadata = held.article.metadata if held.article else None
            number = numbers.get(held.doc, -1)
            found.append(
                Overview(
                    held=held,
                    passages=int((release.rows[:, 0] == number).sum()) if release and number >= 0 else 0,
                    review=due(metadata, clinic, day) if metadata else "",
                    age=(day - metadata.reviewed_on).days if metadata and metadata.reviewed_on else None,
                    differs=sum(any(said.article == number for said in point.statements) for point in open_points),
                    cited=cited.get(held.doc, Cited()),
                )
            )
        return found

    def sentences(self, doc: str) -> list[tuple[int, str]]:
        """The sentences of an article that can be quoted, with their numbers: what a question can be attached to."""
        article = self._article(doc)
        return [(number, article.text[one.start : one.end]) for number, one in enumerate(article.sentences)]

    def _article(self, doc: str) -> Article:
        article = self.library.look(doc, self.release()).article
        if article is None:
            raise CorpusError(f"{doc}: it cannot be read. `patient-faq check {doc}` says why.")
        return article

    def _added_points(self) -> Sequence[Path]:
        corpus = self.settings.corpus
        return () if self.library.folder == corpus else (corpus / "differences.toml",)

    def _in_force(self) -> str:
        try:
            return current_id(self.settings.index)[0]
        except ReleaseError:
            return ""

    @contextmanager
    def _kept(self) -> Iterator[Journal | None]:
        journal = self.journal()
        try:
            yield journal
        finally:
            if journal:
                journal.close()

    @contextmanager
    def _needed(self) -> Iterator[Journal]:
        with self._kept() as journal:
            if journal is None:
                raise CorpusError(
                    "This clinic keeps no journal, so there are no gaps. `journal = true` in corpus/clinic.toml turns it on, "
                    "with the next release; docs/privacy.md says what is kept then."
                )
            yield journal

    def _recent(self) -> list[str]:
        with self._kept() as journal:
            if journal is None:
                return []
            noted = journal.noted(date.today() - timedelta(days=_RECENT_DAYS))
            return [one.question for one in reversed(noted) if one.question]

    def _cited(self, clinic: Clinic) -> dict[str, Cited]:
        with self._kept() as journal:
            return dict(journal.by_article(clinic.journal_days)) if journal else {}
