"""Building: complete or not at all, nothing twice, and whatever happens a release serves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from reportlab.pdfgen.canvas import Canvas
from support import WordEncoder

from retrieval.build import build
from retrieval.errors import BuildError, CorpusError, PatientFaqError, SettingsError
from retrieval.marking import Clauses
from retrieval.passages import passage_in_context, passage_text
from retrieval.release import current_id, open_current
from retrieval.snapshots import lay_out

# Builds with the readable model in a process of its own: argument 3 is the number of the file-system step at which the
# process is cut off (0: never), counted over everything that opens for writing, renames, makes or removes.
VICTIM = """
import os, sys
from pathlib import Path
sys.path[:0] = [sys.argv[4], sys.argv[5]]
from support import WordEncoder
from retrieval.build import build
import retrieval.reading.plain, retrieval.reading.html, retrieval.reading.markdown, bm25s
corpus, index, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
steps = 0
def cut(event, arguments):
    global steps
    writing = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if (writing or event in {"os.rename", "os.mkdir", "os.remove", "os.rmdir"}) and str(arguments[0]).startswith(index):
        steps += 1
        if steps == limit:
            os._exit(9)
sys.addaudithook(cut)
build(corpus, Path(index), WordEncoder())
print(steps)
"""


def victim(corpus: Path, index: Path, limit: int = 0) -> list[str]:
    here = Path(__file__).parent
    return [sys.executable, "-c", VICTIM, str(corpus), str(index), str(limit), str(here), str(here.parent)]


def change(corpus: Path, text: str) -> None:
    (corpus / "articles" / "sessions.txt").write_text(f"Sessions\n\n{text}\n", encoding="utf-8")


def test_a_build_reports_what_it_did(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    report = build(corpus, tmp_path / "index", words)
    assert report.changed
    assert report.articles == 3
    assert report.encoded == ("redness.md", "sessions.txt", "sun.html")
    assert report.unread == ()
    assert open_current(tmp_path / "index").id == report.release


def test_an_unchanged_corpus_builds_nothing(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    first = build(corpus, tmp_path / "index", words)
    words.encoded.clear()
    second = build(corpus, tmp_path / "index", words)
    assert (second.release, second.changed, second.encoded) == (first.release, False, ())
    assert words.encoded == []


def test_a_changed_article_encodes_only_itself(corpus: Path, corpus_index: Path, words: WordEncoder) -> None:
    words.encoded.clear()
    change(corpus, "Eleven sessions are usual now.")
    assert build(corpus, corpus_index, words).encoded == ("sessions.txt",)
    changed = "Eleven sessions are usual now"
    assert set(words.encoded) == {f"{changed}.", f"Sessions. {changed}.", "Sessions", changed}


def test_of_a_changed_article_only_what_the_change_touches_is_encoded(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    build(corpus, tmp_path / "step", words)
    path = corpus / "articles" / "redness.md"
    path.write_text(path.read_text(encoding="utf-8").replace("Swelling is rare.", "Swelling is very rare."), encoding="utf-8")
    words.encoded.clear()
    build(corpus, tmp_path / "step", words)
    assert all("very rare" in text or text == "What about swelling?" for text in words.encoded)
    assert {"Swelling is very rare.", "Swelling is very rare. It goes by itself.", "Swelling is very rare"} <= set(
        words.encoded
    )
    build(corpus, tmp_path / "fresh", words)
    one, two = open_current(tmp_path / "step"), open_current(tmp_path / "fresh")
    assert np.array_equal(one.vectors.part(0, len(one.rows)), two.vectors.part(0, len(two.rows)))
    for article in one.articles:
        (spans, vectors), (same_spans, same_vectors) = one.clauses_of(article.doc), two.clauses_of(article.doc)
        assert spans == same_spans
        assert np.array_equal(vectors, same_vectors)


def test_what_is_taken_over_equals_what_is_built_anew(
    corpus: Path, corpus_index: Path, tmp_path: Path, words: WordEncoder
) -> None:
    change(corpus, "Eleven sessions are usual now.")
    (corpus / "articles" / "aaa.txt").write_text("First\n\nThis one comes first now.\n", encoding="utf-8")
    stepped = build(corpus, corpus_index, words)
    fresh = build(corpus, tmp_path / "fresh", words)
    assert stepped.release == fresh.release
    one, two = open_current(corpus_index), open_current(tmp_path / "fresh")
    assert one.passages == two.passages
    assert list(one.articles) == list(two.articles)
    assert (one.vectors.part(0, len(one.rows)) == two.vectors.part(0, len(two.rows))).all()


def add_leaflet(corpus: Path) -> None:
    canvas = Canvas(str(corpus / "articles" / "hands.pdf"), invariant=1)
    canvas.drawString(72, 700, "Wash your hands first.")
    canvas.save()


def test_pages_are_drawn_once_and_taken_over_by_later_builds(
    corpus: Path, tmp_path: Path, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_leaflet(corpus)
    build(corpus, tmp_path / "step", words)
    change(corpus, "Eleven sessions are usual now.")
    fresh = build(corpus, tmp_path / "fresh", words)
    monkeypatch.setattr("retrieval.reading.draw_sandboxed", None)
    stepped = build(corpus, tmp_path / "step", words)
    assert stepped.encoded == ("sessions.txt",)
    assert stepped.release == fresh.release
    one, two = (open_current(tmp_path / name).picture("hands.pdf", 1) for name in ("step", "fresh"))
    assert one == two is not None
    assert not build(corpus, tmp_path / "step", words).changed


def test_pages_that_cannot_be_drawn_are_noted_and_the_article_is_built(
    corpus: Path, tmp_path: Path, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_leaflet(corpus)
    whole = build(corpus, tmp_path / "whole", words)
    monkeypatch.setattr("retrieval.reading.sandbox._START_DRAWING", "import os; os.abort()")
    report = build(corpus, tmp_path / "index", words)
    assert report.articles == 4
    assert any(note.startswith("hands.pdf: its pages are not shown as pictures") for note in report.notes)
    assert open_current(tmp_path / "index").picture("hands.pdf", 1) is None
    assert report.release != whole.release


def test_a_vector_is_own_words_words_in_context_and_heading(corpus: Path, corpus_index: Path, words: WordEncoder) -> None:
    release = open_current(corpus_index)
    passage = release.passages[3]
    article = release.articles[passage.article]
    heading = article.sections[article.sentences[passage.first].section].title
    own, context, above = words.encode([passage_text(article, passage), passage_in_context(article, passage), heading])
    assert release.vectors.part(3, 4)[0] == pytest.approx(0.65 * own + 0.25 * context + 0.1 * above, abs=1e-6)


def test_files_that_cannot_be_read_are_named_and_the_others_are_built(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    (corpus / "articles" / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing")
    (corpus / "articles" / "empty.md").write_bytes(b"")
    (corpus / "articles" / "README.md").write_text("About this folder.", encoding="utf-8")
    report = build(corpus, tmp_path / "index", words)
    assert [problem.path.name for problem in report.unread] == ["broken.pdf", "empty.md"]
    assert report.articles == 3
    assert any("README.md" in note for note in report.notes)


def test_a_sentence_longer_than_the_model_reads_is_refused_by_name(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    change(corpus, "This sentence goes " + "on and " * 40 + "on.")
    report = build(corpus, tmp_path / "index", words)
    assert [problem.path.name for problem in report.unread] == ["sessions.txt"]
    assert "This sentence goes on and on and on" in str(report.unread[0])
    assert "shorter sentences" in str(report.unread[0])


def test_runs_longer_than_the_model_reads_are_left_out_but_their_sentences_stay(tmp_path: Path, words: WordEncoder) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    sentences = [f"Sentence {n} " + "has many words " * 8 + "in it." for n in range(3)]
    (folder / "a.txt").write_text("Long\n\n" + " ".join(sentences) + "\n", encoding="utf-8")
    build(folder, tmp_path / "index", words)
    release = open_current(tmp_path / "index")
    assert [(p.first, p.last) for p in release.passages] == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)]


def test_another_model_encodes_everything_anew(corpus: Path, corpus_index: Path, words: WordEncoder) -> None:
    first = current_id(corpus_index)[0]
    words.name = "words@2"
    second = build(corpus, corpus_index, words)
    assert second.release != first
    assert len(second.encoded) == 3


def test_a_corpus_without_a_readable_article_changes_nothing(corpus: Path, corpus_index: Path, words: WordEncoder) -> None:
    old = current_id(corpus_index)[0]
    for path in (corpus / "articles").iterdir():
        path.write_bytes(b"")
    with pytest.raises(CorpusError, match="none of its 3 files"):
        build(corpus, corpus_index, words)
    assert open_current(corpus_index).id == old


def test_a_wrong_clinic_file_changes_nothing(corpus: Path, corpus_index: Path, words: WordEncoder) -> None:
    old = current_id(corpus_index)[0]
    (corpus / "clinic.toml").write_text("name = ", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"clinic\.toml"):
        build(corpus, corpus_index, words)
    assert open_current(corpus_index).id == old


RULE = """[[rule]]
name = "moonstone"
says = "Somebody takes a medicine that the clinic wants to know of"
route = "consult"
when = ["moonstone"]
examples = ["i am on moonstone"]
counterexamples = ["i am on holiday"]
"""


def clinic_routing(corpus: Path, rules: str = "", messages: str = "") -> Path:
    (corpus / "routing").mkdir(exist_ok=True)
    (corpus / "routing" / "rules.toml").write_text(rules, encoding="utf-8")
    (corpus / "routing" / "messages.txt").write_text(messages, encoding="utf-8")
    return corpus


def test_what_a_clinic_adds_to_routing_makes_a_release(corpus: Path, corpus_index: Path, words: WordEncoder) -> None:
    first = current_id(corpus_index)[0]
    second = build(clinic_routing(corpus, RULE, "# red\na: how red is it?\n"), corpus_index, words)
    assert second.release != first
    assert second.encoded == ()
    release = open_current(corpus_index)
    assert [rule.name for rule in release.rules.rules] == ["moonstone"]
    assert release.examples.has_questions


def test_example_messages_are_encoded_again_only_when_they_change(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    build(clinic_routing(corpus, messages="# red\na: how red is it?\n"), tmp_path / "index", words)
    words.encoded.clear()
    build(clinic_routing(corpus, RULE, "# red\na: how red is it?\n"), tmp_path / "index", words)
    assert words.encoded == []
    build(clinic_routing(corpus, RULE, "# red\na: how red is it?\nn: how blue is it?\n"), tmp_path / "index", words)
    assert sorted(words.encoded) == ["how blue is it?", "how red is it?"]


@pytest.mark.parametrize(
    ("rules", "messages", "said"),
    [
        (RULE.replace('when = ["moonstone"]', 'when = ["sunshine"]'), "", "'moonstone' does not catch its example"),
        (RULE.replace("on holiday", "on moonstone"), "", "'moonstone' catches its counterexample"),
        (RULE.replace('"moonstone"', '"trouble-breathing"'), "", "more than one rule 'trouble-breathing'"),
        (RULE.replace("says", "sais"), "", "'moonstone' has 'sais'"),
        ("", "# a\nu: fine\nwhat now\n", r"messages\.txt, line 3"),
    ],
)
def test_a_fault_in_what_a_clinic_adds_changes_nothing(
    corpus: Path, corpus_index: Path, words: WordEncoder, rules: str, messages: str, said: str
) -> None:
    old = current_id(corpus_index)[0]
    with pytest.raises(PatientFaqError, match=said):
        build(clinic_routing(corpus, rules, messages), corpus_index, words)
    assert open_current(corpus_index).id == old


def test_a_damaged_release_in_force_is_built_anew(corpus: Path, corpus_index: Path, words: WordEncoder) -> None:
    first = current_id(corpus_index)[0]
    (corpus_index / "releases" / first / "articles.jsonl").write_text("[]", encoding="utf-8")
    report = build(corpus, corpus_index, words)
    assert report.changed
    assert any("not usable" in note for note in report.notes)
    assert len(open_current(corpus_index).articles) == 3


def test_progress_is_told(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    said: list[tuple[str, int, int]] = []
    build(corpus, tmp_path / "index", words, lambda *step: said.append(step))
    assert ("Reading", 3, 3) in said
    assert [done == total for what, done, total in said if what == "Encoding passages"] == [True]
    assert [what for what, done, total in said if done == total][-1] == "Writing and checking"


def test_killed_at_ten_random_moments_the_old_release_still_serves(corpus: Path, corpus_index: Path, tmp_path: Path) -> None:
    old = current_id(corpus_index)[0]
    change(corpus, "Eleven sessions are usual now.")
    began = time.monotonic()
    subprocess.run(victim(corpus, tmp_path / "measured"), check=True, capture_output=True)
    whole = time.monotonic() - began
    chance = random.Random(7)
    for _ in range(10):
        process = subprocess.Popen(victim(corpus, corpus_index), stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 0.9 * whole))
        finished = process.poll() is not None
        process.send_signal(signal.SIGKILL)
        process.wait()
        release = open_current(corpus_index)
        # On a machine that was slower while measuring, a build may have been done before it was killed.
        assert release.id == old or finished or release.article("sessions.txt") is not None
        assert len(release.articles) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="file size limits are Linux's")
def test_a_full_disk_is_told_and_the_old_release_serves(corpus: Path, corpus_index: Path) -> None:
    old = current_id(corpus_index)[0]
    change(corpus, "Eleven sessions are usual now.")
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n" + VICTIM
    command = victim(corpus, corpus_index)
    command[2] = limited
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 1
    assert "The release in force is unchanged" in done.stderr
    assert open_current(corpus_index).id == old


def test_an_array_that_the_disk_did_not_keep_whole_is_told_and_the_old_release_serves(
    corpus: Path, corpus_index: Path, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = current_id(corpus_index)[0]
    change(corpus, "Eleven sessions are usual now.")
    save = Clauses.save

    def cut(clauses: Clauses, folder: Path) -> None:
        save(clauses, folder)
        os.truncate(folder / "vectors.npy", 1000)  # numpy says nothing when this is all that could be written

    monkeypatch.setattr(Clauses, "save", cut)
    with pytest.raises(BuildError, match=r"did not keep what was written.*The release in force is unchanged"):
        build(corpus, corpus_index, words)
    assert open_current(corpus_index).id == old


def test_a_kept_file_that_was_never_finished_is_cleared_up(corpus: Path, corpus_index: Path, words: WordEncoder) -> None:
    unfinished = next((corpus_index / "files").iterdir()) / ".unfinished-aa"
    unfinished.write_bytes(b"hal")
    build(corpus, corpus_index, words)
    assert not unfinished.exists()


def test_in_a_plain_folder_a_glossary_is_an_article(tmp_path: Path, words: WordEncoder) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "glossary.txt").write_text("Words of the field\n\nA session is one visit to us.\n", encoding="utf-8")
    (folder / "differences.md").write_text("# What differs\n\nLasers differ in their pulses.\n", encoding="utf-8")
    (folder / "differences.toml").write_text('topics = ["lasers"]\n', encoding="utf-8")
    assert build(folder, tmp_path / "index", words).articles == 2


def test_a_message_that_changes_its_kind_alone_makes_a_release(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    first = build(clinic_routing(corpus, messages="# x\nn: do you treat zebras?\n"), tmp_path / "index", words)
    second = build(clinic_routing(corpus, messages="# x\nx: do you treat zebras?\n"), tmp_path / "index", words)
    assert first.release != second.release


def test_drafts_and_withdrawn_articles_are_in_no_release(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    (corpus / "articles" / "sun.toml").write_text('state = "draft"\n', encoding="utf-8")
    (corpus / "articles" / "sessions.toml").write_text('state = "withdrawn"\n', encoding="utf-8")
    report = build(corpus, tmp_path / "index", words)
    assert [article.doc for article in open_current(tmp_path / "index").articles] == ["redness.md"]
    assert "sun.html: not in the release, it is a draft." in report.notes
    (corpus / "articles" / "redness.toml").write_text('state = "draft"\n', encoding="utf-8")
    with pytest.raises(CorpusError, match="every article is a draft or withdrawn"):
        build(corpus, tmp_path / "other", words)


def test_while_an_article_is_being_worked_on_patients_read_the_version_before(
    corpus: Path, corpus_index: Path, tmp_path: Path, words: WordEncoder
) -> None:
    before = open_current(corpus_index)
    change(corpus, "Eleven sessions are usual now.")
    (corpus / "articles" / "sessions.toml").write_text('state = "draft"\n', encoding="utf-8")
    (corpus / "articles" / "redness.md").write_text("# Redness\n\nRedness fades in three days.\n", encoding="utf-8")
    report = build(corpus, corpus_index, words)
    assert "sessions.txt: its file is a draft; patients go on reading the version before." in report.notes
    assert report.encoded == ("redness.md",)
    after = open_current(corpus_index)
    assert after.article("sessions.txt") == before.article("sessions.txt")
    lay_out(corpus_index, after.corpus, tmp_path / "again")
    assert build(tmp_path / "again", tmp_path / "other", words).release == after.id
    (corpus / "articles" / "sessions.toml").unlink()
    build(corpus, corpus_index, words)
    assert "Eleven" in open_current(corpus_index).article("sessions.txt").text


def test_a_state_that_there_is_not_is_refused_by_name(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    (corpus / "articles" / "sun.toml").write_text('state = "ready"\n', encoding="utf-8")
    report = build(corpus, tmp_path / "index", words)
    assert [str(problem) for problem in report.unread] == [
        'sun.toml: state = "ready" is none that an article can have. Write one of: draft, checked, withdrawn.'
    ]
