"""The glossary: patients' words for the terms of articles, one term a line.

# a note                                            for whoever reads the file
redness: pink, flushed, like a tomato               the articles' term, then words or phrases that patients use for it

field/glossary.txt is the field's; a clinic adds to it, or takes words for a term of its own, in corpus/glossary.txt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from retrieval.errors import SettingsError
from retrieval.lexical import stems
from retrieval.phrases import words

__all__ = ["FIELD", "Glossary", "load_glossary"]

FIELD = Path(__file__).parent / "field" / "glossary.txt"

_Key = tuple[str, ...]


class Glossary:
    """What patients say for what. Words are compared by their stems, longer phrases before shorter ones.

    `entries` has, for each lay word or phrase as it is compared, the term that it leads to, and the word or phrase itself.
    """

    def __init__(self, entries: Mapping[_Key, tuple[str, str]]) -> None:
        self._entries = dict(entries)
        self._longest = max(map(len, self._entries), default=0)

    @property
    def terms(self) -> dict[str, tuple[str, ...]]:
        """The terms with the lay words and phrases of each, in the order in which they were read."""
        found: dict[str, list[str]] = {}
        for term, lay in self._entries.values():
            found.setdefault(term, []).append(lay)
        return {term: tuple(lays) for term, lays in found.items()}

    def terms_of(self, text: str) -> list[str]:
        """The terms whose lay words stand in a text, in order, each once."""
        said = _key(text)
        found: dict[str, None] = {}
        at = 0
        while at < len(said):
            lengths = range(min(self._longest, len(said) - at), 0, -1)
            length = next((n for n in lengths if said[at : at + n] in self._entries), 0)
            if length:
                found.setdefault(self._entries[said[at : at + length]][0])
            at += max(1, length)
        return list(found)

    @property
    def words(self) -> frozenset[str]:
        """Every word in it, of terms and of patients."""
        return frozenset(word for term, lays in self.terms.items() for part in (term, *lays) for word in words(part))

    def to_json(self) -> list[tuple[_Key, str, str]]:
        """All entries with their words' stems: finding these takes most of the time of reading a glossary."""
        return [(key, *entry) for key, entry in self._entries.items()]

    @classmethod
    def from_json(cls, rows: Iterable[tuple[list[str], str, str]]) -> Glossary:
        """Read what `to_json` gave; raises TypeError or ValueError where it is something else."""
        return cls({tuple(key): (term, lay) for key, term, lay in rows})


def load_glossary(*files: Path) -> Glossary:
    """Read the field's glossary and what a clinic adds; files that do not exist are passed over.

    What a later file says of a lay word counts. Raises SettingsError naming file and line for a line that is none, for a lay
    word that stands under two terms of one file, and for terms that are each other's lay words.
    """
    term_of: dict[_Key, tuple[str, str]] = {}
    for file in files:
        if not file.is_file():
            continue
        own: dict[_Key, str] = {}
        for number, term, lays in _lines(file):
            for lay in lays:
                other = own.setdefault(_key(lay), term)
                if other != term:
                    raise SettingsError(
                        f"{file}, line {number}: {lay!r} stands under {other!r} and under {term!r}. Choose one of them."
                    )
                term_of[_key(lay)] = term, lay
    _check_cycles(files, {key: term for key, (term, _) in term_of.items()})
    return Glossary(term_of)


def _lines(file: Path) -> Iterable[tuple[int, str, list[str]]]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{file}: cannot be read ({problem}). It must be text in UTF-8.") from problem
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        term, colon, rest = line.partition(":")
        lays = [lay.strip() for lay in rest.split(",") if lay.strip()]
        empty = next((part for part in (term, *lays) if not _key(part)), None)
        if not colon or not lays or empty is not None:
            raise SettingsError(f"{file}, line {number}: {line.strip()!r} is no entry. Write `term: lay word, lay phrase`.")
        yield number, term.strip(), lays


def _check_cycles(files: Iterable[Path], term_of: Mapping[_Key, str]) -> None:
    """A lay word leads to a term, and this, where it is a lay word itself, to another; that must come to an end."""
    for start in term_of:
        seen, at = [start], start
        while at in term_of:
            at = _key(term_of[at])
            if at in seen:
                circle = " -> ".join(" ".join(key) for key in (*seen, at))
                raise SettingsError(f"{', '.join(map(str, files))}: the glossary goes in a circle: {circle}. Break it.")
            seen.append(at)


def _key(text: str) -> _Key:
    """A word or phrase as it is compared: all of its words, the small ones too, each by its stem."""
    return tuple((stems(word) or [word])[0] for word in words(text))
