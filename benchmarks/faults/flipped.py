"""Bits flipped in the files of an index, bytes cut off, files deleted: who notices, and whether the file is named."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reading.samples import body, heading, pdf

from benchmarks.faults.place import Caught, World, told
from retrieval import history
from retrieval.errors import PatientFaqError
from retrieval.in_force import history_faults
from retrieval.release import open_current
from retrieval.snapshots import content

__all__ = ["Damage", "damaged"]

_PLACES = 3


@dataclass(slots=True)
class Damage:
    """What was made of one kind of file: how many files, how much was done to them, and what came of it, counted."""

    what: str
    files: int = 0
    tried: int = 0
    came: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def damaged(world: World, every: int) -> Iterator[Damage]:
    """Damage each file of an index in turn, in each way.

    Parameters: the world; how many bits lie between two that are flipped in small files, where otherwise all are (1). Yields
    what came of it for each kind of file.
    """
    with_pdf(world)
    index = world.index
    release = next((index / "releases").glob(open_current(index).id))
    yield _each("the release in force", sorted(path for path in release.rglob("*") if path.is_file()), index, _opening)
    yield _each("the pointer to it, every bit", [index / "current"], index, _pointer, every)
    yield _each("the history, every bit", sorted((index / "history").iterdir()), index, _history, every)
    yield _verify(world)
    kept = sorted(path for path in (index / "files").rglob("*") if path.is_file())
    yield _each("the files that are kept", kept, index, _kept)
    yield from _first_used(world, kept)


def with_pdf(world: World) -> None:
    """Put a leaflet with pictures of its pages in force, so that all kinds of files are there."""
    world.fresh()
    leaflet = world.corpus / "articles" / "leaflet.pdf"
    leaflet.write_bytes(pdf(heading("Washing"), body("Wash with lukewarm water. Use no soap for a day.")))
    done = told(world.command("publish"))
    assert done.status == 0, done.said
    assert (open_current(world.index).sheets("leaflet.pdf") or None) is not None
    world.first = shutil.copytree(world.now, world.folder / "first with a leaflet")


def _ways(data: bytes, every: int) -> Iterator[tuple[str, bytes | None]]:
    """What is done to a file: bits flipped (at the beginning, the middle and the end, or each), a byte cut off, deleted."""
    bits = range(0, len(data) * 8, every) if every else [0, len(data) * 4, len(data) * 8 - 1]
    for bit in bits if data else ():
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(changed)
    if data:
        yield "cut by a byte", data[:-1]
    yield "a byte more", data + b" "
    yield "deleted", None


def _each(what: str, paths: list[Path], index: Path, look: object, every: int = 0) -> Damage:
    assert callable(look)
    found = Damage(what, len(paths))
    for count, path in enumerate(paths):
        data = path.read_bytes()
        for way, changed in _ways(data, every):
            path.unlink() if changed is None else path.write_bytes(changed)
            came = look(index, path)
            found.tried += 1
            found.came[came] += 1
            if came.startswith("NOT"):
                found.findings.append(f"{path.relative_to(index)}, {way}: {came}")
            path.write_bytes(data)
        if count % 20 == 0:
            print(f"{what}: {count} of {len(paths)} files", file=sys.stderr, flush=True)
    return found


def _named(problem: BaseException, path: Path, folder: Path) -> str:
    """Who an error names: the file, or a folder that it is in."""
    if not isinstance(problem, PatientFaqError):
        return f"NOT one of our errors: {problem!r}"
    if str(path) in str(problem):
        return "refused, and the file is named"
    return "refused, and the folder is named" if str(folder) in str(problem) else f"NOT named: {problem}"


def _opening(index: Path, path: Path) -> str:
    with Caught() as caught:
        release = open_current(index)
    if caught.problem:
        return _named(caught.problem, path, path.parent)
    if path.name == "classifier.npz" and release.classifier is None and str(path) in release.fault:
        return "served by rules alone, and the file is named"
    return "NOT noticed"


def _pointer(index: Path, path: Path) -> str:
    with Caught() as caught:
        open_current(index)
        if path.read_bytes().endswith(b"} "):
            return "says the same as before"
    if caught.problem:
        return _named(caught.problem, path, index)
    with Caught() as caught:
        faults = history_faults(index)
        return "the same release is served, and the history says that it is not whole" if faults else "NOT noticed"
    return f"NOT one of our errors: {caught.problem!r}"


def _history(index: Path, path: Path) -> str:
    with Caught() as caught:
        history.entries(index)
    if caught.problem and not isinstance(caught.problem, PatientFaqError):
        return f"NOT one of our errors: {caught.problem!r}"
    with Caught() as caught:
        faults = history_faults(index)
        number = str(int(path.stem))
        named = any(f"entry {number}:" in fault or f"entry {int(number) + 1}:" in fault for fault in faults)
        return "noticed, and the entry is named" if named else f"NOT named: {faults}" if faults else "NOT noticed"
    return f"NOT one of our errors: {caught.problem!r}"


def _verify(world: World) -> Damage:
    """The same as staff see it: `patient-faq history --verify`."""
    command = ["history", "--verify", "--index", str(world.index)]
    assert told(command).status == 0

    def look(index: Path, path: Path) -> str:
        outcome = told(command)
        if outcome.status == -1:
            return f"NOT a message: {outcome.said.splitlines()[-1]}"
        return "exit status 1, and what is not whole" if outcome.status == 1 else "NOT noticed"

    paths = sorted((world.index / "history").iterdir())
    return _each("the history, seen by `patient-faq history --verify`", paths, world.index, look)


def _kept(index: Path, path: Path) -> str:
    with Caught() as caught:
        content(index, path.name)
    return _named(caught.problem, path, path.parent) if caught.problem else "NOT noticed"


def _first_used(world: World, kept: list[Path]) -> Iterator[Damage]:
    """What rollback and withdraw make of a kept file that is damaged, and rollback of a damaged release: all or nothing."""
    oldest = sorted(path for path in (world.index / "releases" / world.oldest).rglob("*") if path.is_file())
    for operation, paths in (("rollback", kept), ("withdraw", kept), ("rollback", oldest)):
        world.fresh()
        before = world.state()
        assert told(world.command(operation)).status == 0
        after = world.state()
        where = "the release put back" if paths is oldest else "the files that are kept"
        found = Damage(f"{where}, at {operation}", len(paths))
        for count, path in enumerate(paths):
            named = str(path if paths is kept else world.index / "releases" / world.oldest)
            data = (world.first / path.relative_to(world.now)).read_bytes()
            for way, changed in _ways(data, 0):
                world.fresh()
                path.unlink() if changed is None else path.write_bytes(changed)
                outcome, left = told(world.command(operation)), world.state()
                came = _came(outcome.status, outcome.said, left.served, before.served, after.served, named)
                if came.startswith("done") and left.files != after.files:
                    came = "NOT the files that belong to it"
                found.tried += 1
                found.came[came] += 1
                if came.startswith("NOT"):
                    found.findings.append(f"{path.relative_to(world.index)}, {way}: {came}")
            if count % 10 == 0:
                print(f"{found.what}: {count} of {len(paths)} files", file=sys.stderr, flush=True)
        yield found


def _came(status: int, said: str, left: object, before: object, after: object, named: str) -> str:
    if status == -1:
        return f"NOT a message: {said.splitlines()[-1]}"
    if status == 0:
        return "done all the same, as it should be" if left == after else "NOT what it should be"
    if left != before:
        return "NOT what was before"
    return "refused, named, and nothing changed" if named in said else "refused, not named, and nothing changed"
