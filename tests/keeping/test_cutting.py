"""Cut off at any step that it takes, each operation leaves the release before or the one after, and loses no file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support import ROOT, WordEncoder

from retrieval.keeping.library import Library
from retrieval.keeping.publishing import Judgement, publish
from retrieval.settings import Settings

pytestmark = pytest.mark.skipif(not hasattr(sys, "addaudithook") or sys.platform == "win32", reason="processes are forked")


@pytest.fixture
def work(corpus: Path, corpus_index: Path, tmp_path: Path, words: WordEncoder) -> Path:
    """A corpus with a history of two releases, a draft, and a change that nobody has published."""
    folder = tmp_path / "work"
    folder.mkdir()
    corpus = corpus.rename(folder / "corpus")
    settings = replace(Settings(), corpus=corpus, index=folder / "index")
    corpus_index.rename(settings.index)
    sessions = corpus / "articles" / "sessions.txt"
    sessions.write_text("Sessions\n\nEleven sessions are usual now.\n", encoding="utf-8")
    publish(settings, words, "Ann", "eleven", lambda before, candidate: Judgement())
    sessions.write_text("Sessions\n\nTwelve sessions are usual now.\n", encoding="utf-8")
    Library(corpus).add("draft.md", b"# D\n\nNot ready.\n", "Cara")
    return folder


@pytest.mark.parametrize(("operation", "every"), [("publish", 15), ("rollback", 9), ("withdraw", 15)])
def test_cut_off_at_any_step_the_old_release_or_the_new_one_serves_and_no_file_is_lost(
    work: Path, operation: str, every: int
) -> None:
    script = Path(__file__).parent.parent / "cutting.py"
    command = [sys.executable, str(script), operation, str(work), str(every)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    before, after = told["before"], told["after"]
    assert before["release"] != after["release"]
    assert len(told["cuts"]) >= 8
    for cut in told["cuts"]:
        step, left, settled = cut["step"], cut["left"], cut["settled"]
        served = {"release": left["release"], "articles": left["articles"]}
        assert served in [{name: one[name] for name in served} for one in (before, after)], step
        assert (settled["release"], cut["faults"]) == (left["release"], []), step
        for path in set(before["files"]) & set(after["files"]):
            assert left["files"].get(path) in {before["files"][path], after["files"][path]}, (step, path)
        # Once somebody has gone on, release and files belong together.
        belongs = after if left["release"] == after["release"] else before
        assert settled["files"] == belongs["files"] or (operation == "withdraw" and settled["files"] == after["files"]), step
    if operation == "rollback":  # the others' last step is the one that puts the new release in force
        assert {cut["left"]["release"] for cut in told["cuts"]} == {before["release"], after["release"]}
