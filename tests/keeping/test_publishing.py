"""Publishing, putting back and withdrawing: signed, refused where patients would be worse off, never a part of it."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval import history
from retrieval.build import build
from retrieval.errors import BuildError, BuildLocked, CorpusError, EditConflict, PublishRefused, ReleaseError, UnreadableFile
from retrieval.in_force import history_faults
from retrieval.keeping.library import Library
from retrieval.keeping.publishing import Judgement, lay_out_entry, prepare, publish, releases, roll_back, withdraw
from retrieval.locks import locked
from retrieval.reading import read_article
from retrieval.release import current_id, open_current
from retrieval.settings import Settings
from retrieval.types import Article

pytestmark = pytest.mark.usefixtures("quick_reading")


@pytest.fixture
def settings(corpus: Path, corpus_index: Path) -> Settings:
    return replace(Settings(), corpus=corpus, index=corpus_index)


def fine(before: str, candidate: str) -> Judgement:
    return Judgement((), {"hit@1": 0.9})


def worse(before: str, candidate: str) -> Judgement:
    return Judgement(("hit@1: 0.500, must be at least 0.800",), {"hit@1": 0.5})


def change(settings: Settings, text: str = "Eleven sessions are usual now.") -> None:
    (settings.corpus / "articles" / "sessions.txt").write_text(f"Sessions\n\n{text}\n", encoding="utf-8")


def files_of(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if not name.endswith(".lock")}


def test_preparing_changes_nothing_for_patients(settings: Settings, words: WordEncoder) -> None:
    before = current_id(settings.index)
    change(settings)
    report = prepare(settings, words, "Ann")
    assert report.changed
    assert current_id(settings.index) == before
    assert len(history.entries(settings.index)) == 1


def test_publishing_puts_in_force_what_was_looked_at_and_says_so(settings: Settings, words: WordEncoder) -> None:
    change(settings)
    looked_at = prepare(settings, words, "Ann").release
    words.encoded.clear()
    done = publish(settings, words, "Ann Tan", "eleven now", fine, expected=looked_at)
    assert words.encoded == []  # what was looked at is put in force, not built again
    assert done.entry is not None
    assert (done.entry.what, done.entry.by, done.entry.note) == ("published", "Ann Tan", "eleven now")
    assert done.entry.details == {"figures": {"hit@1": 0.9}}
    assert current_id(settings.index)[0] == looked_at
    assert history_faults(settings.index) == []


def test_a_folder_that_changed_since_it_was_looked_at_is_not_published(settings: Settings, words: WordEncoder) -> None:
    before = current_id(settings.index)
    change(settings)
    looked_at = prepare(settings, words, "Ann").release
    change(settings, "Twelve it is.")
    with pytest.raises(EditConflict, match="has changed since you looked at it"):
        publish(settings, words, "Ann", "eleven now", fine, expected=looked_at)
    assert current_id(settings.index) == before


def test_where_nothing_changed_nothing_is_noted(settings: Settings, words: WordEncoder) -> None:
    assert publish(settings, words, "Ann", "again", fine).entry is None
    assert len(history.entries(settings.index)) == 1


def test_below_the_gate_it_is_refused_with_the_reasons(settings: Settings, words: WordEncoder) -> None:
    before = current_id(settings.index)
    change(settings)
    with pytest.raises(PublishRefused, match="patients would be worse off") as refused:
        publish(settings, words, "Ann", "eleven now", worse)
    assert refused.value.reasons == ("hit@1: 0.500, must be at least 0.800",)
    assert current_id(settings.index) == before
    assert len(history.entries(settings.index)) == 1


def test_a_named_person_may_publish_all_the_same_and_the_history_keeps_why(settings: Settings, words: WordEncoder) -> None:
    change(settings)
    done = publish(settings, words, "Ann Tan", "eleven now", worse, override="the old figure is dangerous")
    assert done.entry is not None
    assert done.entry.details["overridden"] == ["hit@1: 0.500, must be at least 0.800"]
    assert done.entry.details["reason"] == "the old figure is dangerous"


def test_an_article_that_cannot_be_read_any_more_does_not_vanish_in_silence(settings: Settings, words: WordEncoder) -> None:
    (settings.corpus / "articles" / "sun.html").write_bytes(b"")
    with pytest.raises(PublishRefused) as refused:
        publish(settings, words, "Ann", "tidied up", fine)
    assert refused.value.reasons[0].startswith("sun.html would be gone, since it cannot be read now")


def not_opened(index: Path) -> tuple[None, tuple[str, ...]]:
    """Stands for a disk that could not read the release in force at the one moment that a build asks for it."""
    return None, ()


def test_an_article_that_is_a_draft_does_not_vanish_where_the_version_before_could_not_be_read(
    settings: Settings, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(settings.corpus)
    library.replace("redness.md", b"# Redness\n\nNot ready yet.\n", "Cara", library.look("redness.md").seen)
    change(settings)
    before = current_id(settings.index)
    with monkeypatch.context() as disk:
        disk.setattr("retrieval.build._previous", not_opened)
        with pytest.raises(PublishRefused) as refused:
            publish(settings, words, "Ann", "eleven now", fine)
    assert [reason.split(":")[0] for reason in refused.value.reasons] == ["redness.md would be gone"]
    assert current_id(settings.index) == before
    publish(settings, words, "Ann", "eleven now", fine)
    assert open_current(settings.index).article("redness.md") is not None


def test_withdrawing_takes_nothing_else_along_that_could_not_be_read(
    settings: Settings, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> tuple[Article, None]:
        if path.name == "sessions.txt":
            raise UnreadableFile(path, "the disk refuses", "Try again.")
        return read_article(path), None

    before = current_id(settings.index)
    monkeypatch.setattr("retrieval.build._previous", not_opened)
    monkeypatch.setattr("retrieval.build.read_with_sheets", read)
    with pytest.raises(BuildError, match=r"sessions\.txt: could not be read just now and would be gone too"):
        withdraw(settings, words, "sun.html", "Ann", "it is wrong")
    assert current_id(settings.index) == before


def test_what_fails_after_a_release_was_put_back_is_not_called_unchanged(
    settings: Settings, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = current_id(settings.index)[0]
    change(settings)
    publish(settings, words, "Ann", "eleven now", fine)

    def full(*arguments: object) -> list[str]:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("retrieval.keeping.publishing.put_back", full)
        with pytest.raises(BuildError, match=rf"No space left on device\. Release {first} is in force.*patient-faq diff"):
            roll_back(settings, first, "Bob", "it was wrong")
    assert current_id(settings.index)[0] == first
    prepare(settings, words, "Bob")  # as `patient-faq diff` does
    assert "five sessions" in (settings.corpus / "articles" / "sessions.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("by", "note", "said"), [("", "why", "by whom"), ("Ann", " ", "why"), ("A", "why", "by whom")])
def test_nothing_is_done_without_a_name_and_a_reason(
    settings: Settings, words: WordEncoder, by: str, note: str, said: str
) -> None:
    change(settings)
    first = current_id(settings.index)[0]
    for act in (
        lambda: publish(settings, words, by, note, fine),
        lambda: roll_back(settings, first, by, note),
        lambda: withdraw(settings, words, "sun.html", by, note),
    ):
        with pytest.raises(CorpusError, match=said):
            act()
    assert current_id(settings.index)[0] == first


def test_two_publishers_at_once_are_kept_apart_by_name(settings: Settings, words: WordEncoder) -> None:
    change(settings)
    with locked(settings.index, "publishing", "Bob Lim"), pytest.raises(BuildLocked, match="Bob Lim is publishing since"):
        publish(settings, words, "Ann", "eleven now", fine)


def test_putting_back_brings_release_and_files_and_leaves_drafts(settings: Settings, words: WordEncoder) -> None:
    first, folder = current_id(settings.index)[0], files_of(settings.corpus)
    change(settings)
    (settings.corpus / "articles" / "new.md").write_text("# New\n\nThis came later.\n", encoding="utf-8")
    publish(settings, words, "Ann", "eleven now", fine)
    Library(settings.corpus).add("draft.md", b"# D\n\nNot ready.\n", "Cara")
    entry, changed = roll_back(settings, first[:6], "Bob Lim", "eleven was wrong")
    assert (entry.what, entry.release, entry.by) == ("rolled back", first, "Bob Lim")
    assert sorted(changed) == ["articles/new.md", "articles/sessions.txt"]
    assert current_id(settings.index)[0] == first
    draft = {"articles/draft.md": b"# D\n\nNot ready.\n", "articles/draft.toml": b'state = "draft"\n'}
    assert files_of(settings.corpus) == folder | draft
    assert not build(settings.corpus, settings.index, words).changed


def test_what_putting_back_overwrites_is_set_aside(settings: Settings, words: WordEncoder, tmp_path: Path) -> None:
    first = current_id(settings.index)[0]
    change(settings)
    publish(settings, words, "Ann", "eleven now", fine)
    change(settings, "An hour of work that nobody has published.")
    entry, _ = roll_back(settings, first, "Bob Lim", "eleven was wrong")
    assert lay_out_entry(settings.index, entry.number, tmp_path / "aside", set_aside=True) == 4
    kept = (tmp_path / "aside" / "articles" / "sessions.txt").read_text(encoding="utf-8")
    assert "An hour of work that nobody has published." in kept
    with pytest.raises(CorpusError, match="is not empty"):
        lay_out_entry(settings.index, entry.number, tmp_path / "aside")
    with pytest.raises(CorpusError, match="there are no such files"):
        lay_out_entry(settings.index, 99, tmp_path / "other")


def test_the_folder_can_be_left_as_it_is(settings: Settings, words: WordEncoder) -> None:
    first = current_id(settings.index)[0]
    change(settings)
    publish(settings, words, "Ann", "eleven now", fine)
    before = files_of(settings.corpus)
    roll_back(settings, first, "Bob", "only for tonight", folder=False)
    assert files_of(settings.corpus) == before
    assert current_id(settings.index)[0] == first


def test_putting_back_that_was_cut_off_is_finished_by_whoever_comes_next(
    settings: Settings, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, folder = current_id(settings.index)[0], files_of(settings.corpus)
    change(settings)
    publish(settings, words, "Ann", "eleven now", fine)

    def cut(*arguments: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("retrieval.keeping.publishing.put_back", cut)
    with pytest.raises(KeyboardInterrupt):
        roll_back(settings, first, "Bob", "eleven was wrong")
    monkeypatch.undo()
    assert files_of(settings.corpus) != folder
    assert not prepare(settings, words, "Cara").changed
    assert files_of(settings.corpus) == folder


@pytest.mark.parametrize("name", ["", "nosuch", "../.."])
def test_a_release_that_was_never_in_force_cannot_be_put_back(settings: Settings, name: str) -> None:
    with pytest.raises(BuildError, match="no release that was in force is called so"):
        roll_back(settings, name, "Bob", "why not")


def test_a_damaged_release_is_not_put_back(settings: Settings, words: WordEncoder) -> None:
    first = current_id(settings.index)[0]
    change(settings)
    second = publish(settings, words, "Ann", "eleven now", fine).report.release
    (settings.index / "releases" / first / "articles.jsonl").write_text("[]", encoding="utf-8")
    with pytest.raises(ReleaseError, match="Get its files out of the history"):
        roll_back(settings, first, "Bob", "eleven was wrong")
    assert current_id(settings.index)[0] == second


def test_withdrawing_takes_one_article_out_at_once_and_publishes_nothing_else(settings: Settings, words: WordEncoder) -> None:
    change(settings)
    entry = withdraw(settings, words, "sun.html", "Dr Cara Ng", "wrong about sun screen")
    release = open_current(settings.index)
    assert [article.doc for article in release.articles] == ["redness.md", "sessions.txt"]
    assert "Most people need five sessions." in release.articles[1].text
    assert (entry.what, entry.details) == ("withdrawn", {"article": "sun.html"})
    held = {held.doc: held.standing for held in Library(settings.corpus).held(release)}
    assert held == {"redness.md": "published", "sessions.txt": "changed", "sun.html": "withdrawn"}
    publish(settings, words, "Ann", "eleven now", fine)
    assert open_current(settings.index).article("sun.html") is None


def test_an_article_that_is_not_in_force_or_is_the_only_one_is_not_withdrawn(settings: Settings, words: WordEncoder) -> None:
    with pytest.raises(CorpusError, match=r"In it are: redness\.md"):
        withdraw(settings, words, "nothing.md", "Ann", "it is wrong")
    withdraw(settings, words, "sun.html", "Ann", "it is wrong")
    withdraw(settings, words, "redness.md", "Ann", "it is wrong")
    with pytest.raises(CorpusError, match="it is the only article"):
        withdraw(settings, words, "sessions.txt", "Ann", "it is wrong")
    assert open_current(settings.index).article("sessions.txt") is not None


def test_releases_are_listed_the_latest_first(settings: Settings, words: WordEncoder) -> None:
    first = current_id(settings.index)[0]
    change(settings)
    second = publish(settings, words, "Ann", "eleven now", fine).report.release
    roll_back(settings, first, "Bob", "eleven was wrong")
    found = releases(settings.index)
    assert [(kept.release, kept.in_force, kept.usable) for kept in found] == [(first, True, True), (second, False, True)]
    assert [entry.what for entry in found[0].entries] == ["built", "rolled back"]
