"""Cuts a process off at steps that it takes in the file system: python cutting.py OPERATION WORK EVERY

WORK holds `corpus` and `index` as they are before. A child of this process does the operation in copies of them and ends at a
step as if it had been killed: at every EVERYth step, and at each of the last six. Prints a JSON object: the release in force
and the corpus's files before, after the whole operation, and after each cut, as left and after somebody else went on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

# All that an operation imports, before the first child: what counts are its own steps.
import bm25s  # noqa: F401
from support import WordEncoder, read_here

import retrieval.reading
import retrieval.reading.html
import retrieval.reading.markdown
import retrieval.reading.plain
from retrieval import history
from retrieval.build import build
from retrieval.in_force import history_faults
from retrieval.keeping.publishing import Judgement, prepare, publish, roll_back, withdraw
from retrieval.release import open_current
from retrieval.settings import Settings

WORK = Path(sys.argv[2])
EVERY = int(sys.argv[3])
LAST = 6
CORPUS, INDEX = WORK / "now" / "corpus", WORK / "now" / "index"
SETTINGS = replace(Settings(), corpus=CORPUS, index=INDEX)


# Reading writes nothing, and need not be done in a process of its own a thousand times.
retrieval.reading.read_sandboxed = read_here


def fine(before: str, candidate: str) -> Judgement:
    """Nothing speaks against any release here."""
    return Judgement()


def first() -> str:
    """The release that the history began with."""
    return history.entries(INDEX)[0].release


OPERATIONS: dict[str, Callable[[], object]] = {
    "build": lambda: build(CORPUS, INDEX, WordEncoder()),
    "publish": lambda: publish(SETTINGS, WordEncoder(), "Ann Tan", "a new leaflet", fine),
    "rollback": lambda: roll_back(SETTINGS, first(), "Bob Lim", "it was wrong"),
    "withdraw": lambda: withdraw(SETTINGS, WordEncoder(), "sun.html", "Cara Ng", "it is wrong"),
}


def fresh() -> None:
    """Begin again with what there was before."""
    shutil.rmtree(WORK / "now", ignore_errors=True)
    shutil.copytree(WORK / "corpus", CORPUS)
    shutil.copytree(WORK / "index", INDEX)


def state() -> dict[str, object]:
    """What patients are served, which files the corpus has, and whether all of it holds together."""
    release = open_current(INDEX)
    files = {
        str(path.relative_to(CORPUS)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(CORPUS.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    return {"release": release.id, "articles": [article.doc for article in release.articles], "files": files}


def cut_at(limit: int, operation: Callable[[], object]) -> int:
    """Do an operation in a child that ends at a step (0: never); returns the steps that it took, 0 where it ended early."""
    counted = WORK / "steps"
    child = os.fork()
    if child == 0:
        steps = 0

        def cut(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal steps
            opening = event == "open" and (
                (isinstance(arguments[1], str) and bool(set(arguments[1]) & set("wax+")))
                or (arguments[1] is None and isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR)))
            )
            if opening or event in {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "os.truncate"}:
                if not str(arguments[0]).startswith(str(WORK)):
                    return
                steps += 1
                if steps == limit:
                    os._exit(9)

        sys.addaudithook(cut)
        try:
            operation()
            counted.write_text(str(steps), encoding="ascii")
        except BaseException as problem:  # noqa: BLE001  a child of a fork must not go on with what its parent was at
            sys.stderr.write(f"{problem!r} {getattr(problem, 'reasons', ())}\n")
            os._exit(1)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended not in {0, 9}:
        raise SystemExit(f"cut at step {limit}, it ended with {ended}")
    return 0 if ended else int(counted.read_text(encoding="ascii"))


def main() -> None:
    """Cut, and print what was left."""
    operation = OPERATIONS[sys.argv[1]]
    fresh()
    before = state()
    steps = cut_at(0, operation)
    after = state()
    cuts = []
    for limit in range(1, steps + 1):
        if limit % EVERY == 0 or limit > steps - LAST:
            fresh()
            cut_at(limit, operation)
            left = state()
            # Whoever comes next finishes or clears up what was left, whatever they do.
            cut_at(0, lambda: prepare(SETTINGS, WordEncoder(), "Dan"))
            cuts.append({"step": limit, "left": left, "settled": state(), "faults": history_faults(INDEX)})
    sys.stdout.write(json.dumps({"before": before, "after": after, "steps": steps, "cuts": cuts}))


main()
