"""Corpus -> release: read what changed, divide, encode, index, check, switch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from retrieval.asked import Asked, AskedAs, load_asked
from retrieval.classifier import SHIPPED, Classifier
from retrieval.clinic import is_signed, load_clinic
from retrieval.damage import without_damaged
from retrieval.differences import FIELD as POINTS
from retrieval.differences import Differences, Points, find_differences, load_points, notes_on_marks
from retrieval.encoder import Encoder, Vectors
from retrieval.encodings import Encodings, Progress
from retrieval.errors import BuildError, CorpusError, EngineError, NoRelease, ReleaseError, UnreadableFile
from retrieval.examples import Examples
from retrieval.glossary import FIELD as GLOSSARY
from retrieval.glossary import load_glossary
from retrieval.in_force import clear_leftovers, put_in_force, stage, take_up, usable
from retrieval.lexical import LexicalIndex
from retrieval.locks import locked, somebody
from retrieval.marking import CLAUSES_VERSION, Clauses, clauses_of
from retrieval.messages import Message, comparable, load_messages
from retrieval.passages import PASSAGES_VERSION, passage_in_context, passage_text, passages_of
from retrieval.reading import article_files, articles_folder, read_with_sheets, source_digest
from retrieval.reading.metadata import sidecar_of
from retrieval.reading.sheets import Sheets
from retrieval.release import Release, current_id, open_current
from retrieval.release_files import Content, release_id
from retrieval.review import review_notes
from retrieval.rules import load_rules
from retrieval.shared import Shared
from retrieval.snapshots import corpus_paths, listing, take
from retrieval.types import Article, Difference, Passage
from retrieval.vocabulary import Vocabulary
from retrieval.widening import Widening

__all__ = ["VECTOR_WEIGHTS", "BuildReport", "Progress", "build", "prepared", "working"]

VECTOR_WEIGHTS = (0.65, 0.25, 0.10)
"""A passage's vector is the sum, so weighted, of those of its own words, of its words in context, and of its heading.

The inner product with a question's vector is then the mean, so weighted, of three cosines. Chosen on dev; docs/design.md.
"""
_DRAFT = "The wording of the cards is a draft: nobody has signed it off. `patient-faq cards` prints it and says how."
_UNCHANGED = "The release in force is unchanged; mend this and build again."
_HALF_DONE = "Mend this, then run `patient-faq diff`: it finishes what is still to be done in the folder."
_RECIPE = f"passages {PASSAGES_VERSION}, clauses {CLAUSES_VERSION}, vectors {VECTOR_WEIGHTS}"


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: `unread` are the files that are not in the release, `encoded` those that were encoded anew."""

    release: str
    changed: bool
    articles: int
    passages: int
    encoded: tuple[str, ...]
    unread: tuple[UnreadableFile, ...]
    notes: tuple[str, ...]


def build(
    corpus: Path, index: Path, encoder: Encoder, progress: Progress | None = None, shared: Shared | None = None
) -> BuildReport:
    """Build a release of a corpus and put it in force.

    Parameters: the corpus (or a plain folder of articles), the index folder, the model, whom to tell of progress, and the
    engine that several machines share, if there is one (shared.py).
    Returns a report; `changed` is false when the release in force was already of the same input.
    Raises CorpusError where nothing can be read, BuildLocked where somebody else is at it, BuildError where writing
    fails, EngineError where the shared engine does; the release in force is untouched then.
    """
    with working(index, "building a release"):
        report = prepared(corpus, index, encoder, progress)
        if report.changed:
            put_in_force(index, report.release, "built", somebody(), shared=shared)
        else:
            take_up(index, shared)
        return report


@contextmanager
def working(index: Path, what: str, by: str = "") -> Iterator[None]:
    """Hold an index folder's lock, and turn what the disk refuses into a BuildError; raises BuildLocked as `locked` does.

    What fails after a release was put in force is told apart from what fails before.
    """
    before = _in_force(index)
    try:
        with locked(index, what, by):
            before = _in_force(index)
            yield
    except OSError as problem:
        where = problem.filename or index
        raise BuildError(f"{where}: {problem.strerror or problem}. {_so_far(index, before)}") from problem
    except (ReleaseError, EngineError) as problem:
        if _in_force(index) == before:
            raise
        raise BuildError(f"{problem} {_so_far(index, before)}") from problem


def _so_far(index: Path, before: str | None) -> str:
    """Which release is in force, for whoever is told that something failed."""
    now = _in_force(index)
    if now is None:
        return "Which release is in force cannot be read either: mend this and look with `patient-faq releases`."
    return _UNCHANGED if now == before else f"Release {now} is in force since a moment ago. {_HALF_DONE}"


def _in_force(index: Path) -> str | None:
    """The release in force, "" where there is none, None where that cannot be read."""
    try:
        return current_id(index)[0]
    except NoRelease:
        return ""
    except ReleaseError:
        return None


def prepared(corpus: Path, index: Path, encoder: Encoder, progress: Progress | None = None) -> BuildReport:
    """Build and check a release of a corpus, and leave the one in force as it is; the caller holds the lock (`working`).

    Parameters and errors as for `build`. Returns a report; the release is there to be put in force (in_force.py).
    """
    tell = progress or (lambda what, done, total: None)
    folder = articles_folder(corpus)
    clinic = load_clinic(corpus)
    routing = _routing(corpus, encoder)
    # In a plain folder files of these names are articles and what is known of them.
    added = () if folder == corpus else (corpus / "glossary.txt", corpus / "differences.toml")
    glossary = load_glossary(GLOSSARY, *added[:1])
    points = load_points(POINTS, *added[1:])
    clear_leftovers(index)
    previous, notes = _previous(index)
    notes = notes if is_signed(clinic) else (*notes, _DRAFT)
    articles, drawn, unread, skipped = _read_all(folder, previous, encoder, tell)
    articles, unfinished, stayed = _in_use(articles, previous)
    drawn |= _sheets_of(stayed, previous)
    articles, too_long = _within_limit(articles, previous, encoder)
    unread = (*unread, *too_long)
    if not articles:
        raise CorpusError(_nothing_read(folder, unread, unfinished))
    asked, detached = load_asked(corpus / "questions", articles)
    warnings = [warning for article in articles for warning in article.warnings]
    notes = (*notes, *skipped, *unfinished, *review_notes(articles, clinic, date.today()), *warnings, *detached)
    sheets = {article.doc: drawn[article.doc] for article in articles if article.doc in drawn}
    pictures = [(doc, each.digest) for doc, each in sheets.items()]
    parts = (asked, glossary.terms, pictures)
    others = (*routing.digests, points.digest, *(_digest(repr(part).encode()) for part in parts))
    identity = release_id(articles, clinic, encoder.name, _RECIPE, others)
    same = previous if previous is not None and previous.id == identity else usable(index, identity)
    if same is not None:
        changed = same is not previous
        return BuildReport(identity, changed, len(articles), len(same.rows), (), unread, notes)
    encodings = Encodings(encoder, index, tell)
    passages, vectors, encoded = _encoded(articles, previous, encoder, encodings)
    tell("Indexing words", 0, 1)
    texts = [passage_in_context(articles[passage.article], passage) for passage in passages]
    lexical = LexicalIndex.build(texts)
    vocabulary = Vocabulary.of([*texts, *(message.text for message in routing.messages if comparable(message))])
    examples = _examples(routing, previous, encoder, encodings)
    found = find_differences(articles, points)
    notes = (*notes, *notes_on_marks(points, found))
    widening = Widening.of(glossary, (article.text for article in articles))
    content = Content(
        articles, passages, vectors, _clauses(articles, previous, encoder, encodings), lexical, vocabulary, widening,
        _asked(asked, previous, encoder, encodings), _differences(points, found, previous, encoder, encodings), clinic,
        encoder.name, _RECIPE, routing.rules, examples, routing.classifier, sheets,
        _snapshot(index, corpus, articles, stayed, previous),
    )  # fmt: skip
    tell("Writing and checking", 0, 1)
    _staged(index, identity, content)
    encodings.finished()
    tell("Writing and checking", 1, 1)
    return BuildReport(identity, True, len(articles), len(passages), encoded, unread, notes)


def _sheets_of(docs: Iterable[str], release: Release | None) -> dict[str, Sheets]:
    found = {doc: release.sheets(doc, pictures=True) for doc in docs} if release else {}
    return {doc: sheets for doc, sheets in found.items() if sheets}


def _snapshot(index: Path, corpus: Path, articles: Sequence[Article], stayed: Collection[str], previous: Release | None) -> str:
    """Keep the files that the release is made from; they must still be those that were read.

    Of articles that stayed as they were in the release before, the files are those of that release.
    """
    folder = articles_folder(corpus)
    mine = [article for article in articles if article.doc not in stayed]
    theirs: dict[str, str] = {}
    if stayed and previous is not None:
        names = {(folder / doc).relative_to(corpus).as_posix() for doc in stayed}
        names |= {sidecar_of(Path(name)).as_posix() for name in names}
        theirs = {path: digest for path, digest in listing(index, previous.corpus).items() if path in names}
    name = take(index, corpus, corpus_paths(corpus, [article.doc for article in mine]), theirs)
    for article in mine:
        try:
            same = source_digest(folder / article.doc) == article.source_digest
        except UnreadableFile:
            same = False
        if not same:
            raise BuildError(f"{article.doc}: it was changed while it was being read. {_UNCHANGED}")
    return name


@dataclass(frozen=True, slots=True)
class _Routing:
    """What a corpus adds to routing: its rules by file name, its example messages, and the trained router in bytes."""

    rules: dict[str, str]
    messages: tuple[Message, ...]
    classifier: bytes

    @property
    def digests(self) -> tuple[str, ...]:
        """What names these in a release's name."""
        rules = "".join(f"{name}\0{text}\0" for name, text in sorted(self.rules.items()))
        return (_digest(rules.encode()), self.messages_digest, _digest(self.classifier))

    @property
    def messages_digest(self) -> str:
        return _digest("".join(f"{message.route}\t{message.kind}\t{message.text}\n" for message in self.messages).encode())


def _routing(corpus: Path, encoder: Encoder) -> _Routing:
    """Read and check corpus/routing, and take the trained router that was made for the model, if there is one."""
    folder = corpus / "routing"
    rules = load_rules(folder) if folder.is_dir() else {}
    messages = load_messages(folder) if folder.is_dir() else ()
    fitting = SHIPPED.is_file() and Classifier.load(SHIPPED).model == encoder.name
    return _Routing(rules, messages, SHIPPED.read_bytes() if fitting else b"")


def _examples(routing: _Routing, previous: Release | None, encoder: Encoder, encodings: Encodings) -> Examples:
    """Encode the example messages, unless the release before has just these."""
    if previous is not None and previous.model == encoder.name and previous.examples.digest == routing.messages_digest:
        return previous.examples
    vectors = encodings.of("Encoding example messages", [message.text for message in routing.messages])
    routes = [message.route for message in routing.messages]
    return Examples.of(vectors, routes, routing.messages_digest)


def _asked(asked: Sequence[Asked], previous: Release | None, encoder: Encoder, encodings: Encodings) -> AskedAs:
    """Encode the asked-as questions; the vectors of those that the release before has too are taken over."""
    old: dict[str, Vectors] = {}
    if previous is not None and previous.model == encoder.name:
        old = {item.question: row for item, row in zip(previous.asked.asked, previous.asked.vectors, strict=True)}
    fresh = [item.question for item in asked if item.question not in old]
    old.update(zip(fresh, encodings.of("Encoding asked-as questions", fresh), strict=True))
    vectors = np.array([old[item.question] for item in asked], dtype=np.float32).reshape(-1, encoder.dimension)
    return AskedAs.of(asked, vectors)


def _differences(
    points: Points, found: Sequence[Difference], previous: Release | None, encoder: Encoder, encodings: Encodings
) -> Differences:
    """Take over what is asked about the points, unless they have changed since the release before."""
    if previous is not None and previous.model == encoder.name and previous.differences.digest == points.digest:
        return previous.differences.renewed(found)
    return Differences.of(points, found, encodings.of("Encoding what points are asked", list(points.asks)))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _staged(index: Path, identity: str, content: Content) -> None:
    try:
        stage(index, identity, content)
    except RuntimeError as problem:
        # faiss has no error of its own for a full disk.
        raise BuildError(f"{index}: the vectors could not be written ({problem}). {_UNCHANGED}") from problem
    except ReleaseError as problem:
        raise BuildError(f"{index}: the disk did not keep what was written ({problem}). {_UNCHANGED}") from problem


def _previous(index: Path) -> tuple[Release | None, tuple[str, ...]]:
    if not (index / "current").exists():
        return None, ()
    try:
        return open_current(index), ()
    except ReleaseError as problem:
        return None, (f"The release in force is not usable and is built anew: {problem}",)


def _read_all(
    folder: Path, previous: Release | None, encoder: Encoder, tell: Progress
) -> tuple[tuple[Article, ...], dict[str, Sheets], tuple[UnreadableFile, ...], tuple[str, ...]]:
    """Read and draw the articles that changed since the previous release, and take over the others."""
    paths, notes = article_files(folder)
    known = encoder.known_words()

    def read(path: Path) -> tuple[Article, Sheets | None] | UnreadableFile:
        try:
            # Which sentences look damaged depends on the words that the model knows.
            old = previous.article(path.name) if previous and previous.model == encoder.name else None
            if previous and old and old.source_digest == source_digest(path):
                return old, previous.sheets(path.name, pictures=True)
            article, sheets = read_with_sheets(path)
            return without_damaged(article, known), sheets
        except UnreadableFile as problem:
            return problem

    articles: list[Article] = []
    drawn: dict[str, Sheets] = {}
    unread: list[UnreadableFile] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for done, result in enumerate(pool.map(read, paths), start=1):
            if isinstance(result, UnreadableFile):
                unread.append(result)
            else:
                article, sheets = result
                articles.append(article)
                drawn.update({article.doc: sheets} if sheets else {})
            tell("Reading", done, len(paths))
    return tuple(articles), drawn, tuple(unread), tuple(notes)


def _in_use(
    articles: Sequence[Article], previous: Release | None
) -> tuple[tuple[Article, ...], tuple[str, ...], tuple[str, ...]]:
    """The articles that belong in a release, a note on each that is a draft or withdrawn, and which stay as they were.

    Where the file of an article that is in force is a draft, since somebody is at work on it, the article stays as it was.
    """
    kept: list[Article] = []
    notes: list[str] = []
    stayed: list[str] = []
    for article in articles:
        served = previous.article(article.doc) if previous else None
        if article.metadata.state == "withdrawn":
            notes.append(f"{article.doc}: not in the release, it is withdrawn.")
        elif article.metadata.state != "draft":
            kept.append(article)
        elif served is not None:
            kept.append(served)
            stayed.append(article.doc)
            notes.append(f"{article.doc}: its file is a draft; patients go on reading the version before.")
        else:
            notes.append(f"{article.doc}: not in the release, it is a draft.")
    return tuple(kept), tuple(notes), tuple(stayed)


def _within_limit(
    articles: Sequence[Article], previous: Release | None, encoder: Encoder
) -> tuple[tuple[Article, ...], tuple[UnreadableFile, ...]]:
    """Refuse articles with a sentence that is longer than the model reads: it must not be cut in silence."""
    kept: list[Article] = []
    refused: list[UnreadableFile] = []
    for number, article in enumerate(articles):
        if _reusable(article, previous, encoder):
            kept.append(article)
            continue
        single = [passage for passage in passages_of(article, number) if passage.first == passage.last]
        counts = encoder.count_tokens([passage_in_context(article, passage) for passage in single])
        longest = max(range(len(single)), key=counts.__getitem__)
        if counts[longest] <= encoder.max_tokens:
            kept.append(article)
            continue
        words = passage_text(article, single[longest]).split()
        reason = (
            f'the sentence "{" ".join(words[:8])} ..." has {len(words)} words ({counts[longest]} tokens), '
            f"and the model reads {encoder.max_tokens} tokens"
        )
        refused.append(UnreadableFile(Path(article.doc), reason, "Divide it into shorter sentences."))
    return tuple(kept), tuple(refused)


def _encoded(
    articles: Sequence[Article], previous: Release | None, encoder: Encoder, encodings: Encodings
) -> tuple[tuple[Passage, ...], Vectors, tuple[str, ...]]:
    """Passages and vectors of all articles, and the names of those that were encoded; of the others they are taken over."""
    fresh = {
        number: _fitting(article, number, encoder)
        for number, article in enumerate(articles)
        if not _reusable(article, previous, encoder)
    }
    known = {number: _known_passages(articles[number].doc, previous, encoder) for number in fresh}
    # All at once: batches are then of like length, however short the articles are.
    texts = (
        text
        for number, mine in fresh.items()
        for parts in _parts_of(articles[number], mine)
        if parts not in known[number]
        for text in parts
    )
    encodings.prepare("Encoding passages", texts)
    passages: list[Passage] = []
    vectors: list[Vectors] = []
    for number, article in enumerate(articles):
        if number in fresh or previous is None:
            mine = fresh[number]
            rows = _passage_vectors(_parts_of(article, mine), known[number], encodings)
        else:
            old, rows = previous.vectors_of(article.doc)
            mine = [Passage(number, passage.first, passage.last) for passage in old]
        passages.extend(mine)
        vectors.append(rows)
    return tuple(passages), np.concatenate(vectors), tuple(articles[number].doc for number in fresh)


_Parts = tuple[str, str, str]


def _known_passages(doc: str, previous: Release | None, encoder: Encoder) -> dict[_Parts, Vectors]:
    """The vectors of an article as it was in the release before: of what has not changed in it they are taken over."""
    old = _comparable(doc, previous, encoder)
    if old is None or previous is None:
        return {}
    passages, vectors = previous.vectors_of(doc)
    return dict(zip(_parts_of(old, passages), vectors, strict=True))


def _passage_vectors(parts: Sequence[_Parts], known: Mapping[_Parts, Vectors], encodings: Encodings) -> Vectors:
    fresh = [part for part in parts if part not in known]
    own, context, heading = (encodings.of("Encoding passages", [part[place] for part in fresh]) for place in range(3))
    of_own, of_context, of_heading = VECTOR_WEIGHTS
    made = dict(zip(fresh, (of_own * own + of_context * context + of_heading * heading).astype(np.float32), strict=True))
    rows = [known[part] if part in known else made[part] for part in parts]
    return np.array(rows, dtype=np.float32).reshape(-1, own.shape[1])


def _parts_of(article: Article, passages: Sequence[Passage]) -> list[_Parts]:
    """What each passage's vector is made of: its own words, its words in context, and its heading."""
    return [
        (
            passage_text(article, passage),
            passage_in_context(article, passage),
            article.sections[article.sentences[passage.first].section].title or article.title,
        )
        for passage in passages
    ]


def _clauses(articles: Sequence[Article], previous: Release | None, encoder: Encoder, encodings: Encodings) -> Clauses:
    """The clauses of all articles; those of unchanged articles are taken over."""
    fresh = {article.doc: clauses_of(article) for article in articles if not _reusable(article, previous, encoder)}
    texts = {article.doc: [article.text[start:end] for start, end in fresh.get(article.doc, ())] for article in articles}
    known = {doc: _known_clauses(doc, previous, encoder) for doc in fresh}
    encodings.prepare("Encoding clauses", (text for doc in fresh for text in texts[doc] if text not in known[doc]))
    parts: list[tuple[Sequence[tuple[int, int]], Vectors]] = []
    for article in articles:
        doc = article.doc
        if doc in fresh or previous is None:
            new = [text for text in texts[doc] if text not in known[doc]]
            made = known[doc] | dict(zip(new, encodings.of("Encoding clauses", new), strict=True))
            vectors = np.array([made[text] for text in texts[doc]], dtype=np.float32).reshape(-1, encoder.dimension)
            parts.append((fresh[doc], vectors))
        else:
            parts.append(previous.clauses_of(doc))
    return Clauses.of(parts)


def _known_clauses(doc: str, previous: Release | None, encoder: Encoder) -> dict[str, Vectors]:
    old = _comparable(doc, previous, encoder)
    if old is None or previous is None:
        return {}
    spans, vectors = previous.clauses_of(doc)
    return {old.text[start:end]: vector for (start, end), vector in zip(spans, vectors, strict=True)}


def _fitting(article: Article, number: int, encoder: Encoder) -> list[Passage]:
    """An article's passages without the runs that are longer than the model reads."""
    passages = passages_of(article, number)
    counts = encoder.count_tokens([passage_in_context(article, passage) for passage in passages])
    return [passage for passage, count in zip(passages, counts, strict=True) if count <= encoder.max_tokens]


def _reusable(article: Article, previous: Release | None, encoder: Encoder) -> bool:
    old = _comparable(article.doc, previous, encoder)
    return old is not None and old.source_digest == article.source_digest and old.digest == article.digest


def _comparable(doc: str, previous: Release | None, encoder: Encoder) -> Article | None:
    """An article as it was in the release before, if that was divided and encoded as it would be now."""
    if previous is None or previous.model != encoder.name or previous.recipe != _RECIPE:
        return None
    return previous.article(doc)


def _nothing_read(folder: Path, unread: Sequence[UnreadableFile], unfinished: Sequence[str]) -> str:
    if unfinished and not unread:
        return f"{folder}: every article is a draft or withdrawn. Check one, then build again."
    if not unread:
        return f"{folder}: holds no articles (.md, .txt, .html, .docx, .pdf). Put one there, then build again."
    return f"{folder}: none of its {len(unread)} files could be read. " + " ".join(str(problem) for problem in unread[:5])
