"""All that staff own in one file: the corpus, the history and the files of every release, to keep or to move elsewhere."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from retrieval.build import BuildReport, Progress, prepared, working
from retrieval.durable import UNFINISHED, put, sync
from retrieval.encoder import Encoder
from retrieval.errors import CorpusError
from retrieval.in_force import put_in_force, settle
from retrieval.locks import locked
from retrieval.settings import Settings
from retrieval.shared import sharing

__all__ = ["export_all", "import_all"]

_LIST = "list.json"
_VERSION = 1
_MOST_BYTES = 4_000_000_000
_MOST_FILES = 100_000
_PIECE = 1 << 20


def export_all(settings: Settings, target: Path) -> int:
    """Write corpus, history and kept files into one ZIP file; the journal, which is patients', is not in it.

    Parameters: the settings, and the file, which must not be there yet. Returns how many files are in it.
    Raises CorpusError, BuildLocked, OSError; then there is no such file.
    """
    if target.exists():
        raise CorpusError(f"{target}: it is there already. Choose another name, so that nothing is overwritten.")
    fresh = target.with_name(f"{UNFINISHED}{target.name}")
    digests: dict[str, str] = {}
    try:
        with locked(settings.index, "exporting"), locked(settings.corpus, "exporting"), zipfile.ZipFile(
            fresh, "w", zipfile.ZIP_DEFLATED
        ) as archive:  # fmt: skip
            settle(settings.index)  # so that whoever takes the history up need not know where it was cut off
            for name, path in _files(settings):
                data = path.read_bytes()
                digests[name] = hashlib.sha256(data).hexdigest()
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
            archive.writestr(_LIST, json.dumps({"version": _VERSION, "files": digests}, ensure_ascii=False))
        sync(fresh)
        fresh.rename(target)
        sync(target.parent)
    finally:
        fresh.unlink(missing_ok=True)
    return len(digests)


def import_all(settings: Settings, source: Path, encoder: Encoder, by: str, progress: Progress | None = None) -> BuildReport:
    """Take up what `export_all` wrote, and put a release of it in force.

    Parameters: the settings, whose corpus and index must be empty or absent, the file, the model, who, and whom to tell.
    Everything is checked before anything is written. Returns the build's report. Raises CorpusError for a file that is none of
    ours, is damaged, or would overwrite something; errors of building.
    """
    for folder in (settings.corpus, settings.index):
        if folder.is_dir() and any(path.name != ".gitignore" and path.name != "README.md" for path in folder.iterdir()):
            raise CorpusError(f"{folder}: it is not empty. Name new folders with --corpus and --index; nothing is overwritten.")
    try:
        with zipfile.ZipFile(source) as archive:
            names = _checked(archive, source)
            targets = {"corpus": settings.corpus, "index": settings.index}
            for name in names:
                kind, _, rest = name.partition("/")
                path = targets[kind] / rest
                path.parent.mkdir(parents=True, exist_ok=True)
                put(path, archive.read(name))
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        FileNotFoundError,
    ) as problem:
        raise CorpusError(f"{source}: cannot be read ({problem}). Name a file that `patient-faq export` wrote.") from problem
    with sharing(settings) as shared, working(settings.index, "importing", by):
        report = prepared(settings.corpus, settings.index, encoder, progress)
        put_in_force(settings.index, report.release, "imported", by, f"from {source.name}", shared=shared)
        return report


def _files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """What goes into the file, by its name there. Releases do not: they are built again from the same files."""
    index = settings.index
    for base, folder in (("corpus", settings.corpus), ("index/history", index / "history"), ("index/files", index / "files")):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in inside.parts):
                yield f"{base}/{inside.as_posix()}", path


def _checked(archive: zipfile.ZipFile, source: Path) -> list[str]:
    """The names in it, when each file is as its list says and none leads elsewhere."""
    infos = {info.filename: info for info in archive.infolist()}
    if len(infos) > _MOST_FILES or sum(info.file_size for info in infos.values()) > _MOST_BYTES:
        raise CorpusError(f"{source}: it unpacks to more than a corpus can be. Name a file that `patient-faq export` wrote.")
    try:
        values = json.loads(archive.read(_LIST))
        files, version = dict(values["files"]), values["version"]
    except (KeyError, ValueError, TypeError) as problem:
        raise CorpusError(f"{source}: it holds no {_LIST}. Name a file that `patient-faq export` wrote.") from problem
    if version != _VERSION:
        raise CorpusError(f"{source}: it was written by another version of patient-faq ({version}).")
    if set(files) != set(infos) - {_LIST}:
        raise CorpusError(f"{source}: its list does not name the files that it holds. Take another copy.")
    for name, digest in files.items():
        parts = PurePosixPath(name).parts
        if "\\" in name or ".." in parts or name.startswith("/") or parts[0] not in {"corpus", "index"}:
            raise CorpusError(f"{source}: {name!r} leads out of the corpus. Name a file that `patient-faq export` wrote.")
        found = hashlib.sha256()
        with archive.open(name) as file:
            while piece := file.read(_PIECE):
                found.update(piece)
        if found.hexdigest() != digest:
            raise CorpusError(f"{source}: {name} is damaged. Take another copy.")
    return list(files)
