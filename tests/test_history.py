"""Who put which release in force: entries are only added, and nothing that was said can be unsaid unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.build import prepared, working
from retrieval.errors import DamagedHistory
from retrieval.history import Entry, append, entries
from retrieval.in_force import history_faults, put_in_force
from retrieval.locks import somebody
from retrieval.release import current_id, open_current, pointer

pytestmark = pytest.mark.usefixtures("quick_reading")


@pytest.fixture
def index(corpus: Path, corpus_index: Path, words: WordEncoder) -> Path:
    """Three entries: built, published, rolled back."""
    folder = corpus_index
    first = current_id(folder)[0]
    (corpus / "articles" / "sun.html").unlink()
    with working(folder, "publishing", "Ann"):
        second = prepared(corpus, folder, words).release
        put_in_force(folder, second, "published", "Ann Tan", "the sun leaflet is old", {"hit@1": 0.9})
    with working(folder, "rolling back", "Bob"):
        put_in_force(folder, first, "rolled back", "Bob Lim", "it was not so old")
    return folder


def test_an_entry_says_who_what_when_why_and_what_was_before(index: Path) -> None:
    built, published, back = entries(index)
    assert (built.what, built.by, built.before) == ("built", somebody(), "")
    assert (published.what, published.by, published.note) == ("published", "Ann Tan", "the sun leaflet is old")
    assert published.details == {"hit@1": 0.9}
    assert (published.before, back.before, back.release) == (built.release, published.release, built.release)
    assert published.corpus != built.corpus == back.corpus
    assert [entry.number for entry in entries(index)] == [1, 2, 3]
    assert back.at.endswith("+00:00")


def test_each_entry_carries_the_digest_of_the_one_before_and_the_pointer_that_of_the_last(index: Path) -> None:
    built, published, back = entries(index)
    assert (built.previous, published.previous, back.previous) == ("", built.digest, published.digest)
    assert (pointer(index).entry, pointer(index).entry_digest) == (3, back.digest)
    assert history_faults(index) == []


def test_every_changed_byte_of_every_entry_is_found(index: Path) -> None:
    for number, file in enumerate(sorted((index / "history").iterdir()), start=1):
        whole = file.read_bytes()
        for at in range(0, len(whole), 7):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            found = " ".join(history_faults(index))
            assert f"entry {number}" in found or f"entry {number + 1}" in found, at
        file.write_bytes(whole)
    assert history_faults(index) == []


@pytest.mark.parametrize(("gone", "said"), [(1, "entry 1: not there"), (2, "entry 2: not there"), (3, "entry 3: not there")])
def test_an_entry_that_is_gone_is_missed(index: Path, gone: int, said: str) -> None:
    (index / "history" / f"{gone:06}.json").unlink()
    assert said in " ".join(history_faults(index))


def test_two_entries_that_were_exchanged_are_found(index: Path) -> None:
    one, two = (index / "history" / f"{number:06}.json" for number in (1, 2))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    assert len(history_faults(index)) >= 2


@pytest.mark.parametrize("harm", ["altered", "deleted"])
def test_what_was_done_to_the_last_entry_is_still_seen_after_the_next(index: Path, harm: str) -> None:
    last = index / "history" / "000003.json"
    if harm == "altered":
        last.write_bytes(last.read_bytes().replace(b"Bob Lim", b"Ann Tan"))
    else:
        last.unlink()
    put_in_force(index, current_id(index)[0], "published", "Cara", "again")
    assert any("entry 3" in fault or "entry 4" in fault for fault in history_faults(index))


def test_the_pointer_moved_by_hand_is_found(index: Path) -> None:
    values = json.loads((index / "current").read_text(encoding="utf-8"))
    values["release"] = entries(index)[1].release
    (index / "current").write_text(json.dumps(values), encoding="utf-8")
    assert history_faults(index) == ["entry 3: names another release than the one in force"]


def test_what_was_cut_off_between_entry_and_pointer_is_given_up_and_says_so(index: Path) -> None:
    now = pointer(index)
    other = entries(index)[1].release
    append(index, Entry(0, "", "published", "Dan", "lightning", other, now.release), (now.entry, now.entry_digest))
    assert open_current(index).id == now.release
    put_in_force(index, other, "published", "Dan", "once more")
    *_, cut, given_up, again = entries(index)
    assert (cut.note, given_up.what, again.note) == ("lightning", "given up", "once more")
    assert given_up.note == "Entry 4 was cut off before it took effect."
    assert given_up.release == given_up.before == again.before == now.release
    assert history_faults(index) == []


def test_an_entry_that_cannot_be_read_is_named(index: Path) -> None:
    (index / "history" / "000002.json").write_text("{", encoding="utf-8")
    with pytest.raises(DamagedHistory, match=r"000002\.json: cannot be read"):
        entries(index)
    assert any("entry 2" in fault for fault in history_faults(index))
