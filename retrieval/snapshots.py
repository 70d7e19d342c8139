"""The files of the corpus that releases were made from, kept in INDEX/files/ by their digests: none twice, none ever changed.

A snapshot is a list of paths and digests; it is kept as a file like any other, and its own digest names it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from retrieval.durable import put
from retrieval.errors import DamagedRelease
from retrieval.reading import articles_folder
from retrieval.reading.metadata import sidecar_of

__all__ = ["content", "corpus_paths", "kept", "lay_out", "listing", "put_back", "take"]

_FOLDER = "files"
_BESIDE = ("clinic.toml", "glossary.txt", "differences.toml")


def corpus_paths(corpus: Path, docs: Iterable[str]) -> list[str]:
    """The files of a corpus that make a release, relative to it: articles with their metadata, and what stands beside them.

    Parameters: the corpus, and the file names of the articles.
    """
    folder = articles_folder(corpus)
    paths = [path for doc in docs for path in (folder / doc, sidecar_of(folder / doc))]
    if folder == corpus:
        paths.append(corpus / "clinic.toml")
    else:
        paths += [corpus / name for name in _BESIDE]
        paths += [*(corpus / "questions").glob("*.txt"), *(corpus / "routing").glob("*")]
    return sorted({path.relative_to(corpus).as_posix() for path in paths if path.is_file()})


def take(index: Path, corpus: Path, paths: Iterable[str], instead: Mapping[str, str] | None = None) -> str:
    """Keep files of a corpus.

    Parameters: the index folder, the corpus, paths relative to it, of which those that are not there are left out, and paths
    that stand for files that are kept already, by their digests.
    Returns the snapshot's name. Raises OSError.
    """
    found = {path: kept(index, (corpus / path).read_bytes()) for path in set(paths) if (corpus / path).is_file()}
    found |= instead or {}
    return kept(index, json.dumps(found, ensure_ascii=False, indent=0, sort_keys=True).encode())


def listing(index: Path, snapshot: str) -> dict[str, str]:
    """The paths of a snapshot, each with its file's digest; raises DamagedRelease where it is absent or altered."""
    try:
        values = json.loads(content(index, snapshot))
        return {_inside(str(path)): str(digest) for path, digest in values.items()}
    except (ValueError, AttributeError) as problem:
        raise DamagedRelease(f"{_place(index, snapshot)}: is no list of files ({problem}).") from problem


def content(index: Path, digest: str) -> bytes:
    """A file that is kept, by its digest; raises DamagedRelease where it is absent or altered."""
    path = _place(index, digest)
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise DamagedRelease(f"{path}: cannot be read ({problem.strerror}). Restore it from a backup.") from problem
    if hashlib.sha256(data).hexdigest() != digest:
        raise DamagedRelease(f"{path}: altered since it was kept. Restore it from a backup.")
    return data


def kept(index: Path, data: bytes) -> str:
    """Keep a file's bytes, unless they are kept already; returns their digest. Raises OSError."""
    digest = hashlib.sha256(data).hexdigest()
    path = _place(index, digest)
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        put(path, data)
    return digest


def lay_out(index: Path, snapshot: str, folder: Path) -> None:
    """Write all files of a snapshot into an empty folder; raises DamagedRelease or OSError."""
    for path, digest in listing(index, snapshot).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content(index, digest))


def put_back(index: Path, corpus: Path, snapshot: str, known: Mapping[str, str]) -> list[str]:
    """Make the files of a corpus again what they were; the caller has kept what is there now, and holds the corpus's lock.

    Parameters: the index folder, the corpus, the snapshot, and the list of files that may be removed if the snapshot does not
    have them. Files in neither list, such as drafts, stay as they are. Doing it again does no harm, so that it can be taken up
    where it was cut off. Returns the paths that were written or removed. Raises DamagedRelease before anything was written.
    """
    wanted = listing(index, snapshot)
    contents = {path: content(index, digest) for path, digest in wanted.items()}
    changed = []
    for path, data in contents.items():
        target = corpus / path
        if not target.is_file() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            put(target, data)
            changed.append(path)
    for path in sorted(set(known) - set(wanted)):
        if (corpus / path).is_file():
            (corpus / path).unlink()
            changed.append(path)
    return changed


def _place(index: Path, digest: str) -> Path:
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise DamagedRelease(f"{digest!r} is not the name of a file that is kept.")
    return index / _FOLDER / digest[:2] / digest


def _inside(path: str) -> str:
    """A path that stays inside the corpus; anything else raises ValueError."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts or "\0" in path:
        raise ValueError(f"{path!r} leads out of the corpus")
    return path
