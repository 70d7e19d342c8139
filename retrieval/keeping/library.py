"""The folder of articles as staff work on it: what is there, in which state, and changes that lose nothing of anybody's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from retrieval.durable import put
from retrieval.errors import CorpusError, EditConflict, UnreadableFile
from retrieval.locks import locked
from retrieval.reading import article_files, articles_folder, is_note, read_with_sheets, source_digest
from retrieval.reading.formats import ENDINGS, MAX_BYTES, too_large
from retrieval.reading.metadata import FIELDS, metadata_from, sidecar_of, sidecar_values
from retrieval.reading.sheets import Sheets
from retrieval.release import Release
from retrieval.types import Article

__all__ = ["EDITABLE", "Held", "Library", "Standing", "Value"]

Value = str | date | list[str] | None
"""A value of an article's metadata; None takes it out."""
Standing = str
"""unreadable, draft, withdrawn, new (goes out with the next release), changed (since the release in force), or published."""
EDITABLE = ("text", "Markdown", "HTML")
"""The kinds of files whose text can be edited as it is."""
_FRONT = re.compile(rb"\A(?:\xef\xbb\xbf)?\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_FRONT_BYTES = 100_000
_NAME = re.compile(r"[^\W_][\w .()&+,-]{0,118}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Held:
    """One file of the folder: its name, how it stands, what it was read as (or why it was not), and its digest just now."""

    doc: str
    standing: Standing
    article: Article | None
    problem: UnreadableFile | None
    seen: str

    @property
    def title(self) -> str:
        """The article's title, or the file's name where it could not be read."""
        return self.article.title if self.article else self.doc


class Library:
    """A corpus's articles. Reads each file once, and again when it has changed.

    Every change takes `by`, who makes it, and `seen`, the digest that the file had when they looked at it (`Held.seen`): where
    it has another one now, somebody else was faster, EditConflict is raised, and nothing is written.
    """

    def __init__(self, corpus: Path) -> None:
        self.corpus = corpus
        self.folder = articles_folder(corpus)
        self._read: dict[str, tuple[str, Article | UnreadableFile, Sheets | None]] = {}

    def held(self, release: Release | None) -> list[Held]:
        """All files of the folder, in the order of their names.

        Parameters: the release in force, whose articles need not be read again. Raises CorpusError where there is no folder.
        """
        return [self.look(path.name, release) for path in article_files(self.folder)[0]]

    def look(self, doc: str, release: Release | None = None) -> Held:
        """One file of the folder, as `held` has it; raises CorpusError where it is not there."""
        path = self._path(doc)
        try:
            seen = source_digest(path)
        except UnreadableFile as problem:
            return Held(doc, "unreadable", None, problem, "")
        served = release.article(doc) if release else None
        read = served if served and served.source_digest == seen else self._reading(path, seen)
        if isinstance(read, UnreadableFile):
            return Held(doc, "draft" if _says_draft(path) else "unreadable", None, read, seen)
        state = read.metadata.state
        # What patients have is compared, not the file: the same words saved by another program are no change.
        same = served and (served.title, served.text, served.metadata) == (read.title, read.text, read.metadata)
        waiting = "published" if same else "changed" if served else "new"
        return Held(doc, state if state in {"draft", "withdrawn"} else waiting, read, None, seen)

    def sheets(self, doc: str) -> Sheets | None:
        """A PDF's pages as pictures, where it was read and they could be drawn."""
        path = self._path(doc)
        self._reading(path, source_digest(path))
        return self._read[doc][2]

    def add(self, name: str, data: bytes, by: str) -> str:
        """Put a new file into the folder, as a draft.

        Parameters: the file's name, its bytes, and who adds it. Returns the name it has. Raises CorpusError for a name that
        will not do or is taken, UnreadableFile for a kind that is not read or that is too large, BuildLocked, OSError.
        """
        name = self._name_for(name)
        path = self.folder / name
        if len(data) > MAX_BYTES:
            raise too_large(path, len(data))
        with locked(self.corpus, f"adding {name}", by):
            for other in article_files(self.folder)[0]:
                if other.name.casefold() == name.casefold():
                    raise CorpusError(f"{name}: there is an article of this name. Replace that one, or choose another name.")
                if other.stem.casefold() == path.stem.casefold():
                    raise CorpusError(
                        f"{name}: {other.name} has the same name but for its ending, and both would share {path.stem}.toml. "
                        "Choose another name."
                    )
            # A draft from its first moment: were the article there first, a publishing just then would take it along.
            sidecar, front = sidecar_of(path), _FRONT.match(data)
            if front:
                put(path, _with_front(path, data, {"state": "draft"}))
                sidecar.unlink(missing_ok=True)
            else:
                put(sidecar, tomlkit.dumps({"state": "draft"}).encode())
                put(path, data)
        return name

    def replace(self, doc: str, data: bytes, by: str, seen: str) -> None:
        """Put a new version in a file's place; what is known of the article stays, but it is a draft again.

        Parameters: the file, its new bytes, who, and the digest that was seen. Raises as `add` and the class say.
        """
        path = self._path(doc)
        if len(data) > MAX_BYTES:
            raise too_large(path, len(data))
        again: dict[str, Value] = {"state": "draft", "checked_by": None, "checked_on": None}
        with self._editing(path, by, seen):
            was = path.read_bytes()
            if sidecar_of(path).is_file() or not _FRONT.match(was):
                self._describe(path, was, again)
                put(path, data)
            else:
                # A new text without values of its own gets those of the old one.
                front = _FRONT.match(was)
                whole = data if _FRONT.match(data) or not front else front.group() + b"\n" + data
                put(path, _with_front(path, whole, again))

    def text(self, doc: str) -> tuple[str, str]:
        """The text of a file as it can be edited, and its digest; raises CorpusError for kinds that cannot be edited."""
        path = self._path(doc)
        if ENDINGS[path.suffix.lower()] not in EDITABLE:
            raise CorpusError(f"{doc}: only text, Markdown and HTML can be edited here. Upload a new version instead.")
        seen = source_digest(path)
        try:
            return path.read_bytes().decode("utf-8"), seen
        except UnicodeDecodeError as problem:
            raise CorpusError(
                f"{doc}: it is not in UTF-8 and cannot be edited here. Upload a new version instead."
            ) from problem

    def write(self, doc: str, text: str, by: str, seen: str) -> None:
        """Replace the text of a file that can be edited; parameters as for `replace`, errors as for it and for `text`."""
        self.text(doc)
        path = self._path(doc)
        with self._editing(path, by, seen):
            put(path, text.encode())

    def describe(self, doc: str, values: Mapping[str, Value], by: str, seen: str) -> None:
        """Change what is known of an article: in its front matter, if it has one, else in NAME.toml beside it.

        Parameters: the file, the values to set by name (see types.Metadata), who, and the digest that was seen. Comments and
        other values stay as they are. Raises CorpusError for a name that means nothing, UnreadableFile for a wrong value.
        """
        unknown = sorted(set(values) - set(FIELDS))
        if unknown:
            raise CorpusError(f"{doc}: {unknown[0]!r} is nothing that is kept of an article. Known are: {', '.join(FIELDS)}.")
        path = self._path(doc)
        with self._editing(path, by, seen):
            self._describe(path, path.read_bytes(), values)

    def check_off(self, doc: str, by: str, seen: str, today: date) -> None:
        """Note that somebody read what the program read, and found it right: from now on it goes out with the next release."""
        self.describe(doc, {"state": "checked", "checked_by": by, "checked_on": today}, by, seen)

    def remove(self, doc: str, by: str, seen: str) -> None:
        """Delete a draft; raises CorpusError for anything else, which is withdrawn instead."""
        held = self.look(doc)
        if held.standing not in {"draft", "unreadable"}:
            raise CorpusError(f"{doc}: only drafts are deleted. Withdraw it instead; then nobody is shown it any more.")
        path = self._path(doc)
        with self._editing(path, by, seen):
            path.unlink()
            sidecar_of(path).unlink(missing_ok=True)

    def _describe(self, path: Path, data: bytes, values: Mapping[str, Value]) -> None:
        """Write values where they belong, after a look at what they would come to."""
        sidecar = sidecar_of(path)
        if not sidecar.is_file() and path.suffix.lower() in {".md", ".markdown"} and _FRONT.match(data):
            put(path, _with_front(path, data, values))
            return
        was = sidecar.read_bytes() if sidecar.is_file() else b""
        put(sidecar, _with_values(sidecar, was, values))

    def _reading(self, path: Path, seen: str) -> Article | UnreadableFile:
        known = self._read.get(path.name)
        if known is None or known[0] != seen:
            try:
                article, sheets = read_with_sheets(path)
                known = (seen, article, sheets)
            except UnreadableFile as problem:
                known = (seen, problem, None)
            self._read[path.name] = known
        return known[1]

    def _path(self, doc: str) -> Path:
        path = next((path for path in article_files(self.folder)[0] if path.name == doc), None)
        if path is None:
            raise CorpusError(
                f"{doc}: there is no such article in {self.folder}. `patient-faq check` lists those that there are."
            )
        return path

    def _name_for(self, name: str) -> str:
        """A file name that is safe everywhere, from what an upload calls itself."""
        plain = " ".join(name.replace("\\", "/").rpartition("/")[2].split())
        stem, dot, ending = plain.rpartition(".")
        if f".{ending.lower()}" not in ENDINGS:
            shown = f".{ending}" if dot else "nothing"
            raise UnreadableFile(
                Path(plain or "the file"), f"files ending in {shown} are not read", f"Save it as {', '.join(ENDINGS)}."
            )
        if not _NAME.fullmatch(stem) or _RESERVED.fullmatch(stem) or stem != stem.strip():
            raise CorpusError(
                f"{plain}: a name may have letters, digits, blanks and - _ . ( ), up to 119, and begins with a letter or "
                "digit. Rename the file and add it again."
            )
        path = Path(f"{stem}.{ending.lower()}")
        if is_note(path):
            raise CorpusError(f"{plain}: files of this name are taken for notes about the folder. Choose another name.")
        return path.name

    @contextmanager
    def _editing(self, path: Path, by: str, seen: str) -> Iterator[None]:
        with locked(self.corpus, f"editing {path.name}", by):
            if source_digest(path) != seen:
                raise EditConflict(
                    f"{path.name}: somebody else has changed it since you opened it. Nothing was overwritten; look at it "
                    "again, then make your change."
                )
            yield


def _says_draft(path: Path) -> bool:
    """Whether a file that could not be read is said to be a draft: one that was begun and has no text yet, for instance."""
    sidecar, front = sidecar_of(path), _FRONT.match(path.read_bytes()[:_FRONT_BYTES])
    try:
        said = sidecar.read_bytes() if sidecar.is_file() else front.group(1) if front else b""
        return sidecar_values(said, path).get("state") == "draft"
    except (UnreadableFile, OSError):
        return False


def _with_front(path: Path, data: bytes, values: Mapping[str, Value]) -> bytes:
    """A Markdown file's bytes with values changed in its front matter."""
    front = _FRONT.match(data)
    assert front
    return data[: front.start(1)] + _with_values(path, front.group(1), values) + data[front.end(1) :]


def _with_values(path: Path, was: bytes, values: Mapping[str, Value]) -> bytes:
    """TOML with values changed, its comments and order kept; checked as the reader will check it."""
    try:
        document = tomlkit.parse(was.decode("utf-8-sig"))
    except (UnicodeDecodeError, TOMLKitError) as problem:
        raise UnreadableFile(path, f"it is not valid TOML ({problem})", "Mend the line it names.") from problem
    for name, value in values.items():
        if value is None or value == "" or value == []:
            document.pop(name, None)
        else:
            document[name] = value
    text = tomlkit.dumps(document).encode()
    metadata_from(path, sidecar_values(text, path))
    return text if not text or text.endswith(b"\n") else text + b"\n"
