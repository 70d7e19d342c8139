"""How well questions are grouped by meaning (retrieval/keeping/gaps.py): python benchmarks/gaps.py. Two minutes on two cores.

Two sets of questions whose groups are known: the judged questions, grouped by the topic that their writers had (not seen in
training; half of the topics have one question only, as gaps do), and asked-as questions, one to six of each of 150 groups (the
question model was tuned on these). Purity is the mean share of a question's group that means the same as it, completeness the
mean share of what means the same that is in its group (B-cubed: Bagga and Baldwin 1998); F is their harmonic mean. `leader`
puts each question, in turn, into the nearest group that there is. At the end half of the judged questions come later.
"""

from __future__ import annotations

import logging
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.cluster import AgglomerativeClustering

from retrieval.asked import questions_in
from retrieval.encoder import Encoder, Vectors, open_encoder
from retrieval.evaluation.judged import load_judged
from retrieval.journal import Journal, Noted
from retrieval.keeping.gaps import NEAR, gaps
from retrieval.settings import Settings

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
Labelled = list[tuple[str, str]]


def judged() -> Labelled:
    """Judged questions and their topics."""
    files = [(name, load_judged(CORPUS / "judged" / f"{name}.jsonl")) for name in ("questions", "unanswerable")]
    return list({one.turns[-1]: (f"{name} {one.topic}", one.turns[-1]) for name, found in files for one in found}.values())


def asked(chance: random.Random, groups: int = 150, most: int = 6) -> Labelled:
    """Some asked-as questions and their groups."""
    of: dict[str, list[str]] = defaultdict(list)
    for group, text in questions_in(CORPUS / "questions"):
        of[group].append(text)
    chosen = chance.sample(sorted(of), groups)
    return [(name, text) for name in chosen for text in chance.sample(of[name], min(len(of[name]), chance.randint(1, most)))]


def purity_and_completeness(labels: Sequence[str], found: Sequence[object]) -> tuple[float, float]:
    """The mean share of a question's group that is right, and of what is right that is in its group."""
    right = np.array([[one == other for other in labels] for one in labels])
    together = np.array([[one == other for other in found] for one in found])
    both = (right & together).sum(axis=1)
    return float((both / together.sum(axis=1)).mean()), float((both / right.sum(axis=1)).mean())


def leader(vectors: Vectors, near: float) -> list[int]:
    """Each in turn into the nearest group, or one of its own."""
    sums: list[Vectors] = []
    found = []
    for row in vectors:
        likeness = [float(row @ mean) / float(np.linalg.norm(mean)) for mean in sums]
        best = int(np.argmax(likeness)) if likeness else -1
        if best < 0 or likeness[best] < near:
            best = len(sums)
            sums.append(np.zeros_like(row))
        sums[best] = sums[best] + row
        found.append(best)
    return found


def linked(vectors: Vectors, near: float, linkage: str) -> list[int]:
    """Agglomerative clustering."""
    how = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage=linkage, distance_threshold=1 - near)
    return [int(one) for one in how.fit_predict(vectors)]


def row(name: str, labels: Sequence[str], found: Sequence[object]) -> str:
    """A line of the table."""
    pure, complete = purity_and_completeness(labels, found)
    score = 2 * pure * complete / (pure + complete)
    return f"| {name} | {len(set(found))} | {pure:.3f} | {complete:.3f} | {score:.3f} |"


def in_two_parts(questions: Labelled, encoder: Encoder) -> tuple[list[str], list[str]]:
    """The gaps of questions when half of them come later, through a real journal, and those of the first half that moved."""
    half = len(questions) // 2
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder) / "journal.sqlite3")
        seen: list[dict[str, str]] = []
        for part in (questions[:half], questions[half:]):
            journal.note_all([Noted("r", text, "no_answer", "not_found") for _, text in part], 90)
            seen.append({one.question: gap.id for gap in gaps(journal, encoder) for one in gap.questions})
        journal.close()
    moved = [text for text, gap in seen[0].items() if seen[1][text] != gap]
    return [seen[1].get(text, text) for _, text in questions], moved


def main() -> None:
    """Group and print."""
    logging.disable(logging.WARNING)
    encoder = open_encoder(Settings.from_environment())
    sets = {"judged": judged(), "asked-as": asked(random.Random(0))}
    for name, questions in sets.items():
        random.Random(1).shuffle(questions)
        labels = [label for label, _ in questions]
        encoded = encoder.encode_questions([text for _, text in questions])
        searching = np.array([one.searching / np.linalg.norm(one.searching) for one in encoded])
        plain = np.array([one.vector for one in encoded])
        print(f"\n{name}: {len(questions)} questions, {len(set(labels))} groups\n")
        print("| how | groups found | purity | completeness | F |\n|---|---|---|---|---|")
        for near in (0.45, 0.5, 0.55, 0.6, 0.65, 0.7):
            print(row(f"average linkage, {near}", labels, linked(searching, near, "average")), flush=True)
        print(row(f"complete linkage, {NEAR}", labels, linked(searching, NEAR, "complete")))
        print(row("leader, 0.6", labels, leader(searching, 0.6)))
        print(row("leader, 0.65", labels, leader(searching, 0.65)))
        print(row("average linkage, 0.6, the published model's vectors", labels, linked(plain, 0.6, "average")))
    found, moved = in_two_parts(sets["judged"], encoder)
    print(row(f"judged, half of them later, {NEAR}", [label for label, _ in sets["judged"]], found))
    print(f"of the first half {len(moved)} questions moved to another gap")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    main()
