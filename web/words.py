"""The words of the patients' screens, a file a language in words/, which a translator can edit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from retrieval.errors import SettingsError

__all__ = ["LANGUAGES", "Words", "screen_language", "words_for", "words_of"]

_FOLDER = Path(__file__).parent / "words"
FIRST = "en"
"""The language whose file says which words there are."""
LANGUAGES = tuple(sorted((file.stem for file in _FOLDER.glob("*.toml")), key=lambda code: (code != FIRST, code)))
"""Codes of the languages that the screens have, English first."""
_PLACE = re.compile(r"\{(\w+)\}")
_QUALITY = re.compile(r"^\s*([A-Za-z]{1,8})[A-Za-z0-9-]*\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*$")


@dataclass(frozen=True, slots=True)
class Words:
    """All that the screens say in one language; `code` as in `lang="ms"`."""

    code: str
    texts: Mapping[str, Any]

    def __call__(self, name: str, /, **values: object) -> str:
        """The words of that name (`reader.back`), with values put in the place of the words in braces."""
        text = self._value(name)
        assert isinstance(text, str), f"{name} is no text"
        # All at once: a value may hold braces itself.
        return _PLACE.sub(lambda found: str(values.get(found[1], found[0])), text)

    def listed(self, name: str) -> list[str]:
        """A list of words."""
        return list(self._value(name))

    def day(self, day: date) -> str:
        """A date in words."""
        return self("review.date", day=day.day, month=self.listed("review.months")[day.month - 1], year=day.year)

    def part(self, name: str) -> dict[str, Any]:
        """All words of one part of the file."""
        return dict(self.texts[name])

    def _value(self, name: str) -> Any:
        found: Any = self.texts
        for step in name.split("."):
            found = found[step]
        return found


@cache
def words_of(code: str) -> Words:
    """The words of a language; English for one that the screens do not have. Raises SettingsError where a file is damaged."""
    chosen = code if code in LANGUAGES else FIRST
    path = _FOLDER / f"{chosen}.toml"
    try:
        return Words(chosen, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingsError(f"{path}: cannot be read ({problem}). Mend the line it names.") from problem


def words_for(query: Mapping[str, str], headers: Mapping[str, str]) -> Words:
    """The words for a request: of the language that its address names, or else that the browser asks for."""
    return words_of(screen_language(query.get("lang", ""), headers.get("accept-language", "")))


def screen_language(chosen: str, accepted: str = "") -> str:
    """Which language the screens speak.

    Parameters: the code in the page's address, and the browser's Accept-Language header. Returns one of LANGUAGES: the
    first, where it is one, else the one that the browser wants most, else English.
    """
    if chosen in LANGUAGES:
        return chosen
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:200].split(",")):
        if found := _QUALITY.match(part):
            wanted.append((-float(found[2] or 1), place, found[1].lower()))
    return next((code for quality, _, code in sorted(wanted) if code in LANGUAGES and quality < 0), FIRST)
