"""Putting a release in force: written beside the others, checked, noted in the history, and switched to in one step."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retrieval import history
from retrieval.durable import UNFINISHED, put, sync
from retrieval.errors import DamagedHistory, NoRelease, ReleaseError
from retrieval.history import Done, Entry
from retrieval.release import CANDIDATES, RELEASES, Pointer, Release, open_current, pointer
from retrieval.release_files import Content, digest_of, verified, write
from retrieval.shared import Shared

__all__ = ["clear_leftovers", "history_faults", "put_in_force", "settle", "stage", "take_up", "usable"]

_STAGING = ".building"
_SHARED = 3
"""So many releases that were in force last are kept where they are shared."""


def stage(index: Path, identity: str, content: Content) -> None:
    """Write a release as a candidate and verify it; the one in force stays in force. The caller holds the lock.

    Raises OSError where the disk is full or refuses, DamagedRelease where it did so and nobody said so.
    """
    clear_leftovers(index)
    for candidate in (index / CANDIDATES).glob("*"):
        shutil.rmtree(candidate)
    staging = index / f"{_STAGING}-{identity}"
    staging.mkdir(parents=True)
    write(staging, identity, content)
    # Opened, not only compared: numpy does not say when the end of an array could not be written, and digests are taken after.
    written = Release.open_folder(staging, digest_of(staging / "manifest.json"))
    for article in written.articles:
        written.sheets(article.doc)
    target = index / CANDIDATES / identity
    target.parent.mkdir(exist_ok=True)
    os.rename(staging, target)
    sync(target.parent)


def usable(index: Path, identity: str) -> Release | None:
    """A candidate, or a release that was in force, if it is there and nothing of it is damaged."""
    for place in (CANDIDATES, RELEASES):
        if (index / place / identity).is_dir():
            try:
                found = Release.open_folder(index / place / identity)
            except ReleaseError:
                continue
            if found.classifier or not found.has_router:
                return found
    return None


def put_in_force(
    index: Path, identity: str, what: Done, by: str, note: str = "", details: Mapping[str, Any] | None = None,
    shared: Shared | None = None,
) -> Entry:  # fmt: skip
    """Put a candidate, or a release that was in force before, in force; the caller holds the lock.

    Parameters: the index folder, the release's name, what the history says of it: what was done, by whom, why, and figures; and
    the engine that several machines share, if there is one (shared.py).
    Until the last step the release before stays in force, whatever happens. Returns the entry of the history.
    Raises OSError where the disk is full or refuses, NoRelease or DamagedRelease where the release cannot be used, EngineError
    where the shared engine fails.
    """
    if what != "imported":  # a history that was taken up was settled where it came from, and no pointer names it yet
        settle(index)
    candidate, target = index / CANDIDATES / identity, index / RELEASES / identity
    if candidate.is_dir():
        verified(candidate, "")
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            # It was there but not in force, or damaged: what was just verified takes its place.
            aside = index / f"{_STAGING}-replaced-{identity}"
            os.rename(target, aside)
            os.rename(candidate, target)
            shutil.rmtree(aside)
        else:
            os.rename(candidate, target)
        sync(target.parent)
        sync(candidate.parent)
    if not target.is_dir():
        raise NoRelease(f"{target}: there is no such release. `patient-faq releases` lists those that there are.")
    manifest = verified(target, "")
    digest = digest_of(target / "manifest.json")
    before = _pointer(index)
    entry = Entry(0, "", what, by, note, identity, before.release, digest, str(manifest["corpus"]), dict(details or {}))
    opened = Release.open_folder(target, digest) if shared else None
    if shared and opened:
        shared.write(opened, _known(index))
    entry = history.append(index, entry, (before.entry, before.entry_digest))
    _point(index, Pointer(identity, digest, entry.number, entry.digest))
    if shared and opened:
        shared.switch(opened, _known(index), _latest(index))
    return entry


def take_up(index: Path, shared: Shared | None) -> None:
    """Make sure that a shared engine holds the release in force; the caller holds the lock.

    Raises NoRelease, DamagedRelease or EngineError.
    """
    if shared:
        release = open_current(index)
        shared.write(release, _known(index))
        shared.switch(release, _known(index), _latest(index))


def _known(index: Path) -> frozenset[str]:
    """The names of all releases that were ever made in this folder, as far as it tells."""
    folders = (path.name for place in (RELEASES, CANDIDATES) for path in (index / place).glob("*"))
    return frozenset((*folders, *(entry.release for entry in _entries(index))))


def _latest(index: Path) -> frozenset[str]:
    """The releases that a shared engine goes on holding: a chat may not yet have taken up the newest."""
    latest = list(dict.fromkeys(entry.release for entry in reversed(_entries(index)) if entry.release))
    return frozenset(latest[:_SHARED])


def _entries(index: Path) -> list[Entry]:
    try:
        return history.entries(index)
    except DamagedHistory:  # told where the history is looked at; nothing is deleted by what cannot be read
        return []


def settle(index: Path) -> None:
    """Note in the history what was cut off before it was carried out; the caller holds the lock. Raises OSError."""
    now = _pointer(index)
    last = history.last_number(index)
    if last <= now.entry:
        return
    note = f"Entry {last} was cut off before it took effect."
    said = Entry(0, "", "given up", "patient-faq", note, now.release, now.release, now.manifest)
    said = history.append(index, said, (now.entry, now.entry_digest))
    if now.release:
        _point(index, dataclasses.replace(now, entry=said.number, entry_digest=said.digest))


def history_faults(index: Path) -> list[str]:
    """What is wrong with the history, a line each; nothing where it is whole. Raises NoRelease or DamagedRelease."""
    now = pointer(index)
    return history.faults(index, (now.entry, now.entry_digest, now.release))


def clear_leftovers(index: Path) -> None:
    """Delete what a killed build left behind; the caller holds the lock."""
    for path in index.glob(f"{_STAGING}-*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for place in ("", "history/", "files/*/"):
        for path in index.glob(f"{place}{UNFINISHED}*"):
            path.unlink()


def _pointer(index: Path) -> Pointer:
    try:
        return pointer(index)
    except ReleaseError:
        return Pointer("", "")


def _point(index: Path, to: Pointer) -> None:
    values = {"release": to.release, "manifest": to.manifest, "entry": to.entry, "entry_digest": to.entry_digest}
    put(index / "current", json.dumps(values).encode())
