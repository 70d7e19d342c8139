"""What a release was made from is kept, and can be put back without touching what is nobody's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import WordEncoder

from retrieval.build import build
from retrieval.errors import BuildError, DamagedRelease
from retrieval.release import open_current
from retrieval.snapshots import content, corpus_paths, kept, lay_out, listing, put_back, take


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_release_names_the_files_that_it_was_made_from(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    (corpus / "articles" / "sun.toml").write_text('title = "In the sun"\n', encoding="utf-8")
    (corpus / "articles" / "draft.md").write_text('+++\nstate = "draft"\n+++\n# D\n\nNot yet ready.\n', encoding="utf-8")
    (corpus / "questions").mkdir()
    (corpus / "questions" / "sun.html.txt").write_text("> Wear a hat.\nhat?\n", encoding="utf-8")
    build(corpus, tmp_path / "index", words)
    names = listing(tmp_path / "index", open_current(tmp_path / "index").corpus)
    assert sorted(names) == [
        "articles/redness.md", "articles/sessions.txt", "articles/sun.html", "articles/sun.toml", "clinic.toml",
        "questions/sun.html.txt",
    ]  # fmt: skip


def test_laid_out_a_snapshot_builds_the_same_release(corpus: Path, tmp_path: Path, words: WordEncoder) -> None:
    first = build(corpus, tmp_path / "index", words).release
    lay_out(tmp_path / "index", open_current(tmp_path / "index").corpus, tmp_path / "again")
    assert build(tmp_path / "again", tmp_path / "other", words).release == first


def test_a_plain_folder_is_kept_too(tmp_path: Path, words: WordEncoder) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "a.txt").write_text("Title\n\nA sentence stands here.\n", encoding="utf-8")
    first = build(plain, tmp_path / "index", words).release
    lay_out(tmp_path / "index", open_current(tmp_path / "index").corpus, tmp_path / "again")
    assert build(tmp_path / "again", tmp_path / "other", words).release == first


def test_no_file_is_kept_twice(tmp_path: Path) -> None:
    assert kept(tmp_path, b"same") == kept(tmp_path, b"same")
    assert len(files_of(tmp_path)) == 1


def test_a_kept_file_that_was_altered_is_refused_and_mended_by_keeping_it_again(tmp_path: Path) -> None:
    name = kept(tmp_path, b"as it was")
    path = next(path for path in tmp_path.rglob("*") if path.is_file())
    path.write_bytes(b"as it wasn't")
    with pytest.raises(DamagedRelease, match="altered since it was kept"):
        content(tmp_path, name)
    kept(tmp_path, b"as it was")
    assert content(tmp_path, name) == b"as it was"


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", ""])
def test_a_list_that_leads_out_of_the_corpus_is_refused(tmp_path: Path, path: str) -> None:
    name = kept(tmp_path, json.dumps({path: "0" * 64}).encode())
    with pytest.raises(DamagedRelease, match="no list of files"):
        listing(tmp_path, name)


def test_a_file_changed_while_it_was_being_read_stops_the_build(
    corpus: Path, tmp_path: Path, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(corpus, tmp_path / "index", words).release
    (corpus / "articles" / "sun.html").write_text("<h1>Sun</h1><p>Stay in the shade.</p>", encoding="utf-8")
    real = take

    def meanwhile(index: Path, folder: Path, paths: list[str], instead: dict[str, str]) -> str:
        (corpus / "articles" / "sun.html").write_text("<h1>Sun</h1><p>Stay in the house.</p>", encoding="utf-8")
        return real(index, folder, paths, instead)

    monkeypatch.setattr("retrieval.build.take", meanwhile)
    with pytest.raises(BuildError, match=r"sun\.html: it was changed while it was being read"):
        build(corpus, tmp_path / "index", words)
    assert open_current(tmp_path / "index").id == first


CORPORA = st.dictionaries(
    st.sampled_from(["articles/a.md", "articles/b.md", "clinic.toml", "questions/a.md.txt"]), st.binary(max_size=20)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    was=CORPORA, known=CORPORA, now=CORPORA, drafts=st.dictionaries(st.sampled_from(["articles/d.md"]), st.binary(max_size=5))
)
def test_put_back_is_as_it_was_but_for_files_that_no_release_knows(
    tmp_path_factory: pytest.TempPathFactory,
    was: dict[str, bytes],
    known: dict[str, bytes],
    now: dict[str, bytes],
    drafts: dict[str, bytes],
) -> None:
    index, corpus = tmp_path_factory.mktemp("index"), tmp_path_factory.mktemp("corpus")

    def write(files: dict[str, bytes]) -> None:
        for path, data in files.items():
            (corpus / path).parent.mkdir(exist_ok=True)
            (corpus / path).write_bytes(data)

    write(was)
    snapshot = take(index, corpus, was)
    for path in was:
        (corpus / path).unlink()
    write(now | drafts)
    put_back(index, corpus, snapshot, dict.fromkeys(known, ""))
    mine = {path: data for path, data in now.items() if path not in was and path not in known}
    assert files_of(corpus) == was | mine | drafts
    assert put_back(index, corpus, snapshot, dict.fromkeys(known, "")) == []


def test_paths_of_a_corpus_are_its_articles_and_what_stands_beside_them(corpus: Path) -> None:
    (corpus / "routing").mkdir()
    (corpus / "routing" / "rules.toml").write_text("", encoding="utf-8")
    (corpus / "judged").mkdir()
    (corpus / "judged" / "questions.jsonl").write_text("", encoding="utf-8")
    assert corpus_paths(corpus, ["sun.html", "gone.md"]) == ["articles/sun.html", "clinic.toml", "routing/rules.toml"]
