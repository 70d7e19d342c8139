"""Asked-as questions: read with clear errors, attached to sentences as they stand, compared as vectors and words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import WordEncoder

from retrieval.asked import Asked, AskedAs, load_asked
from retrieval.build import build
from retrieval.encoder import Vectors
from retrieval.errors import CorpusError, DamagedRelease
from retrieval.evaluation.judged import load_judged
from retrieval.phrases import words as plain_words
from retrieval.release import Release, open_current

pytestmark = pytest.mark.usefixtures("quick_reading")

FILE = "redness.md.txt"


@pytest.fixture
def release(corpus_index: Path) -> Release:
    return open_current(corpus_index)


def load(release: Release, folder: Path, text: str, name: str = FILE) -> tuple[list[Asked], list[str]]:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    asked, notes = load_asked(folder, release.articles)
    return list(asked), list(notes)


def test_questions_belong_to_the_sentence_above_them(release: Release, tmp_path: Path) -> None:
    text = "# a note\n\n> Redness fades  in two days.\nhow long am i red\nwhen is it gone\n> Cool packs help.\nwhat helps\n"
    asked, notes = load(release, tmp_path / "questions", text)
    assert notes == []
    assert asked == [Asked("how long am i red", 0, 0, 0), Asked("when is it gone", 0, 0, 0), Asked("what helps", 0, 1, 1)]


def test_a_question_may_belong_to_a_run_of_sentences(release: Release, tmp_path: Path) -> None:
    text = "> Swelling is rare.\n> It goes by itself.\nwill i be puffy\n"
    assert load(release, tmp_path / "questions", text) == ([Asked("will i be puffy", 0, 2, 3)], [])


def test_where_a_sentence_changed_a_little_its_questions_stay_and_staff_are_told(release: Release, tmp_path: Path) -> None:
    asked, notes = load(release, tmp_path / "questions", "> Redness fades in three days.\nhow long am i red\n")
    assert asked == [Asked("how long am i red", 0, 0, 0)]
    assert "has changed; check its questions" in notes[0]


@pytest.mark.parametrize(
    ("text", "name", "note"),
    [
        ("> No sentence of it at all.\nwhy\nhow\n", FILE, "does not stand there; its 2 questions are not used"),
        ("> Swelling is rare.\n> Cool packs help.\nwhy\n", FILE, "is followed by others"),
        ("> Redness fades in two days.\nwhy\n", "gone.md.txt", "there is no article gone.md"),
    ],
)
def test_what_fits_nowhere_is_left_out_with_a_note(release: Release, tmp_path: Path, text: str, name: str, note: str) -> None:
    asked, notes = load(release, tmp_path / "questions", text, name)
    assert asked == []
    assert note in notes[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("how long\n> Redness fades in two days.\n", "line 1: a question before any sentence"),
        ("> a\n> b\n> c\n> d\nwhy\n", "line 4: more than 3 sentences"),
    ],
)
def test_what_cannot_be_understood_is_named_by_file_and_line(release: Release, tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(CorpusError, match=rf"{FILE}, {problem}"):
        load(release, tmp_path / "questions", text)


def test_a_sentence_that_stands_twice_is_found_where_its_row_does(tmp_path: Path, words: WordEncoder) -> None:
    folder = tmp_path / "twice"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n\nAvoid the sun. Drink water. Avoid the sun. Rest well.\n", encoding="utf-8")
    build(folder, tmp_path / "index", words)
    release = open_current(tmp_path / "index")
    asked, notes = load(release, tmp_path / "questions", "> Drink water.\n> Avoid the sun.\nwhat then\n", "a.md.txt")
    assert [(item.first, item.last) for item in asked] == [(1, 2)]
    assert list(notes) == []


def test_a_corpus_without_questions_has_none(release: Release, tmp_path: Path) -> None:
    assert load_asked(tmp_path / "nowhere", release.articles) == ((), ())
    assert release.asked.near("redness", WordEncoder().encode(["redness"])[0], 0.0)[0].shape == (0, 2)


def asked_as() -> AskedAs:
    asked = [Asked("how long am i red", 0, 0, 0), Asked("red for long", 0, 0, 1), Asked("wear what", 1, 4, 4)]
    return AskedAs.of(asked, WordEncoder().encode([item.question for item in asked]))


def likenesses(asked: AskedAs, question: str, vector: Vectors, least: float) -> dict[tuple[int, ...], float]:
    sentences, found = asked.near(question, vector, least)
    return dict(zip(map(tuple, sentences.tolist()), found.tolist(), strict=True))


def test_each_sentence_counts_by_its_nearest_question() -> None:
    vector = WordEncoder().encode(["how long am i red"])[0]
    near = likenesses(asked_as(), "how long am i red now", vector, 0.3)
    assert near[0, 0] == pytest.approx(0.75 + 0.25 * asked_as()._lexical.scores("how long am i red now").max(), abs=1e-3)
    assert 0.3 <= near[0, 1] < near[0, 0]
    assert (1, 4) not in near


def test_what_is_saved_is_loaded_and_what_is_damaged_is_named(tmp_path: Path) -> None:
    before = asked_as()
    before.save(tmp_path)
    after = AskedAs.load(tmp_path)
    assert after.asked == before.asked
    assert np.array_equal(after.vectors, before.vectors)
    (tmp_path / "questions.json").write_text("[[1]]", encoding="utf-8")
    with pytest.raises(DamagedRelease, match="Build again"):
        AskedAs.load(tmp_path)


def test_a_question_added_by_staff_works_from_the_next_release_and_only_it_is_encoded(
    corpus: Path, tmp_path: Path, words: WordEncoder
) -> None:
    file = corpus / "questions" / FILE
    file.parent.mkdir()
    file.write_text("> Cool packs help.\nice or no ice\n", encoding="utf-8")
    first = build(corpus, tmp_path / "index", words)
    words.encoded.clear()
    file.write_text("> Cool packs help.\nice or no ice\nmy freezer bag\n", encoding="utf-8")
    second = build(corpus, tmp_path / "index", words)
    assert second.release != first.release
    assert words.encoded == ["my freezer bag"]
    assert [item.question for item in open_current(tmp_path / "index").asked.asked] == ["ice or no ice", "my freezer bag"]


def test_the_project_s_corpus_has_at_least_twelve_questions_for_each_sentence_and_none_is_a_judged_one(
    project: Path, tmp_path: Path, words: WordEncoder
) -> None:
    build(project / "corpus", tmp_path / "project", words)
    release = open_current(tmp_path / "project")
    counts = {(number, place): 0 for number, a in enumerate(release.articles) for place in range(len(a.sentences))}
    for item in release.asked.asked:
        for place in range(item.first, item.last + 1):
            counts[item.article, place] += 1
    assert min(counts.values()) >= 12
    files = [*(project / "corpus" / "judged").glob("*.jsonl"), *(project / "tests" / "judged").glob("*.jsonl")]
    judged = {" ".join(plain_words(item.turns[-1])) for file in files for item in load_judged(file) if not item.route}
    assert not {" ".join(plain_words(item.question)) for item in release.asked.asked} & judged


def test_the_question_itself_is_as_like_as_can_be_however_it_is_written() -> None:
    asked = AskedAs.of([Asked("When then am I presentable?", 0, 1, 1)], np.array([[0.6, 0.8]], dtype=np.float32))
    other = np.array([1.0, 0.0], dtype=np.float32)
    assert likenesses(asked, "when then am i presentable", other, 0.99) == {(0, 1): 1.0}
    assert likenesses(asked, "when am i presentable", other, 0.99) == {}
