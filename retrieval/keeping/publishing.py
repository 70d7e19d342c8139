"""Putting the folder as it lies there in force, putting an earlier release back, and taking an article out at once."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retrieval import history
from retrieval.build import BuildReport, Progress, prepared, working
from retrieval.durable import put
from retrieval.encoder import Encoder
from retrieval.errors import BuildError, CorpusError, EditConflict, PublishRefused, ReleaseError
from retrieval.history import Entry
from retrieval.in_force import put_in_force, take_up, usable
from retrieval.keeping.library import Library
from retrieval.locks import locked
from retrieval.reading import article_files, articles_folder
from retrieval.release import RELEASES, articles_of, current_id, open_current, pointer
from retrieval.settings import Settings
from retrieval.shared import sharing
from retrieval.snapshots import content, corpus_paths, lay_out, listing, put_back, take

__all__ = [
    "Judgement",
    "Kept",
    "Published",
    "finish",
    "lay_out_entry",
    "prepare",
    "publish",
    "releases",
    "roll_back",
    "withdraw",
]

_RESTORING = "restoring.json"
_NAMED = 2
"""Letters that a name or a note has at least."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What speaks against putting a release in force (nothing: it may be), and figures for the history."""

    reasons: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Published:
    """What was built, and the entry of the history that put it in force (None where nothing had changed)."""

    report: BuildReport
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A release that was in force: by which entries, whether it is now, and whether it can be put back."""

    release: str
    entries: tuple[Entry, ...]
    in_force: bool
    usable: bool


Judge = Callable[[str, str], Judgement]
"""Given the release in force ("" where there is none) and the candidate, says what speaks against it."""


def prepare(settings: Settings, encoder: Encoder, by: str = "", progress: Progress | None = None) -> BuildReport:
    """Build a release of the folder as it lies there, to look at it and to compare it; nothing changes for patients.

    Parameters: the settings, the model, who, whom to tell of progress. Errors as for `retrieval.build.build`.
    """
    with working(settings.index, "preparing a release", by):
        finish(settings)
        return prepared(settings.corpus, settings.index, encoder, progress)


def publish(
    settings: Settings,
    encoder: Encoder,
    by: str,
    note: str,
    judge: Judge,
    *,
    override: str = "",
    expected: str = "",
    progress: Progress | None = None,
) -> Published:
    """Put the folder as it lies there in force.

    Parameters: the settings, the model, who publishes and why, what judges the candidate, a reason to publish it all the same,
    the release that was looked at before (publishing stops if the folder has changed since), and whom to tell of progress.
    Raises PublishRefused with the reasons where the judge has some and `override` is empty; EditConflict; CorpusError without
    a name or a note; other errors as for `retrieval.build.build`. The release before stays in force then.
    """
    _signed(by, note)
    with sharing(settings) as shared, working(settings.index, "publishing", by):
        finish(settings)
        report = prepared(settings.corpus, settings.index, encoder, progress)
        if expected and report.release != expected:
            raise EditConflict("The folder has changed since you looked at it. Look at what would change now, then publish.")
        if not report.changed:
            take_up(settings.index, shared)
            return Published(report, None)
        before = _in_force(settings.index)
        judged = judge(before, report.release)
        reasons = (*_vanished(settings, before, report), *judged.reasons)
        if reasons and not override.strip():
            raise PublishRefused(
                "It was not published: patients would be worse off than before. Mend what is named, or give a reason to "
                "publish it all the same.",
                reasons,
            )
        details: dict[str, Any] = {"figures": dict(judged.figures)}
        if reasons:
            details |= {"overridden": list(reasons), "reason": override.strip()}
        return Published(report, put_in_force(settings.index, report.release, "published", by, note, details, shared))


def roll_back(settings: Settings, release: str, by: str, note: str, *, folder: bool = True) -> tuple[Entry, list[str]]:
    """Put a release back that was in force before, and the folder's files as they were for it.

    Parameters: the settings, the release's name or the beginning of it, who and why, and whether the folder is to be put back.
    Files that no release knows, such as drafts, stay as they are; all others are kept aside first, and the entry of the history
    names them ("set aside"). Returns the entry, and the paths that were changed. Raises CorpusError without a name or a note,
    NoRelease, DamagedRelease, BuildLocked, BuildError.
    """
    _signed(by, note)
    index, corpus = settings.index, settings.corpus
    with sharing(settings) as shared, working(index, "putting a release back", by):
        finish(settings)
        chosen = _named(index, release)
        back = usable(index, chosen)
        if back is None:
            raise ReleaseError(
                f"{index / RELEASES / chosen}: it is damaged or was deleted. Get its files out of the history with "
                "`patient-faq export --entry`, and publish those."
            )
        if not folder:
            return put_in_force(index, chosen, "rolled back", by, note, shared=shared), []
        with locked(corpus, "putting a release back", by):
            wanted = listing(index, back.corpus)
            for digest in wanted.values():
                content(index, digest)  # all of it is there, before anything is done
            known = listing(index, open_current(index).corpus) if _opens(index) else {}
            aside = take(index, corpus, corpus_paths(corpus, [path.name for path in article_files(articles_folder(corpus))[0]]))
            put(index / _RESTORING, json.dumps({"release": chosen, "corpus": back.corpus, "known": sorted(known)}).encode())
            entry = put_in_force(index, chosen, "rolled back", by, note, {"set aside": aside}, shared)
            changed = put_back(index, corpus, back.corpus, known)
            (index / _RESTORING).unlink()
            return entry, changed


def withdraw(settings: Settings, encoder: Encoder, doc: str, by: str, note: str) -> Entry:
    """Take an article out at once: a release without it, made from what is in force and not from the folder.

    Parameters: the settings, the model, the article's file name, who and why. Other changes in the folder are not published by
    this; there the article is marked as withdrawn. Raises CorpusError, NoRelease, BuildLocked, BuildError.
    """
    _signed(by, note)
    index = settings.index
    with sharing(settings) as shared, working(index, f"withdrawing {doc}", by):
        finish(settings)
        release = open_current(index)
        if release.article(doc) is None:
            there = ", ".join(article.doc for article in release.articles)
            raise CorpusError(f"{doc}: it is not in the release in force. In it are: {there}.")
        if len(release.articles) == 1:
            raise CorpusError(
                f"{doc}: it is the only article, and a chat without any cannot be. Publish another, or stop the chat."
            )
        mine = Library(settings.corpus)
        if any(path.name == doc for path in article_files(mine.folder)[0]):
            # First here: if the rest is cut off, publishing must not bring it back.
            mine.describe(doc, {"state": "withdrawn"}, by, mine.look(doc).seen)
        with tempfile.TemporaryDirectory(prefix="patient-faq-") as temporary:
            folder = Path(temporary) / "corpus"
            lay_out(index, release.corpus, folder)
            there_too = Library(folder)
            there_too.describe(doc, {"state": "withdrawn"}, by, there_too.look(doc).seen)
            report = prepared(folder, index, encoder)
        kept = {article.doc for article in articles_of(index, report.release)}
        gone = [article.doc for article in release.articles if article.doc not in kept | {doc}]
        if gone:
            raise BuildError(
                f"{', '.join(gone)}: could not be read just now and would be gone too. The release in force is unchanged; "
                "try again."
            )
        return put_in_force(index, report.release, "withdrawn", by, note, {"article": doc}, shared)


def finish(settings: Settings) -> None:
    """Finish a putting back that was cut off before all of the folder's files were written; the caller holds the lock."""
    marker = settings.index / _RESTORING
    if not marker.is_file():
        return
    values = json.loads(marker.read_text(encoding="utf-8"))
    if _in_force(settings.index) == values["release"]:
        with locked(settings.corpus, "putting a release back"):
            put_back(settings.index, settings.corpus, values["corpus"], dict.fromkeys(values["known"], ""))
    marker.unlink()


def releases(index: Path) -> list[Kept]:
    """The releases that were in force, the latest first. Raises DamagedHistory, NoRelease or DamagedRelease."""
    now = pointer(index).release
    found: dict[str, list[Entry]] = {}
    for entry in history.entries(index):
        if entry.what != "given up" and entry.release:
            found.setdefault(entry.release, []).append(entry)
    kept = [
        Kept(name, tuple(some), name == now, (index / RELEASES / name / "manifest.json").is_file())
        for name, some in found.items()
    ]
    return sorted(kept, key=lambda one: -one.entries[-1].number)


def lay_out_entry(index: Path, number: int, folder: Path, *, set_aside: bool = False) -> int:
    """Write the corpus's files of an entry of the history into a new folder.

    Parameters: the index folder, the entry's number, the folder, and whether those that a putting back set aside are meant.
    Returns how many. Raises CorpusError where there is no such entry or the folder is not empty, DamagedRelease.
    """
    entry = next((one for one in history.entries(index) if one.number == number), None)
    name = str(entry.details.get("set aside", "")) if entry and set_aside else entry.corpus if entry else ""
    if not name:
        raise CorpusError(f"Entry {number}: there are no such files. `patient-faq history` lists the entries.")
    if folder.exists() and any(folder.iterdir()):
        raise CorpusError(f"{folder}: it is not empty. Name a new folder, so that nothing is overwritten.")
    lay_out(index, name, folder)
    return len(listing(index, name))


def _signed(by: str, note: str) -> None:
    for what, text in (("by whom", by), ("why", note)):
        if len(text.strip()) < _NAMED:
            raise CorpusError(f"Write {what} this is done: the history keeps it, for whoever asks later.")


def _in_force(index: Path) -> str:
    try:
        return current_id(index)[0]
    except ReleaseError:
        return ""


def _opens(index: Path) -> bool:
    try:
        open_current(index)
    except ReleaseError:
        return False
    return True


def _vanished(settings: Settings, before: str, report: BuildReport) -> list[str]:
    """Articles that patients have now and that would be gone, since their files, or what stands for them, cannot be read."""
    index = settings.index
    served = {article.doc for article in articles_of(index, before)} if before else set()
    unread = {problem.path.name: problem for problem in report.unread}
    gone = sorted(served - {article.doc for article in articles_of(index, report.release)})
    found = [f"{doc} would be gone, since it cannot be read now: {unread[doc]}" for doc in gone if doc in unread]
    mine = Library(settings.corpus)
    there = {path.name for path in article_files(mine.folder)[0]}
    # A draft's article stays as it was, but for where the release that has it could not be read when this one was built.
    drafts = [doc for doc in gone if doc in there - set(unread) and mine.look(doc).standing == "draft"]
    why = "its file is a draft, and the release in force, which has the version before, could not be read"
    return [*found, *(f"{doc} would be gone: {why}. Publish again, or check it off first." for doc in drafts)]


def _named(index: Path, release: str) -> str:
    """The release that was in force whose name begins like this."""
    found = [kept.release for kept in releases(index) if release and kept.release.startswith(release)]
    if len(found) != 1:
        what = "no release" if not found else "more than one release"
        raise BuildError(f"{release!r}: {what} that was in force is called so. `patient-faq releases` lists them.")
    return found[0]
