"""Message -> the language it is written in, by its letters and its small words (safety/languages.toml)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from retrieval.errors import SettingsError

__all__ = ["FILE", "base_of", "language_of", "names_of", "other_language"]

FILE = Path(__file__).parent / "safety" / "languages.toml"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SURE = 2  # small words of a language, or letters of a script, that a message must have to be in it
_SHORT = 4  # a message of so few words is in a language by one small word, if none of it is English


@dataclass(frozen=True, slots=True)
class _Language:
    code: str
    name: str
    letters: re.Pattern[str] | None
    words: frozenset[str]


def language_of(message: str) -> str:
    """The language of a message as a code of ISO 639-1, or "" where nothing speaks for any.

    A message that mixes English with another language is taken as English unless the other has more of it.
    """
    tokens = [token.lower().replace("’", "'") for token in _WORD.findall(unicodedata.normalize("NFC", message))]
    for language in _languages():
        if language.letters is not None:
            letters = len(language.letters.findall(message))
            if letters >= _SURE and letters > sum(token.isascii() for token in tokens):
                return language.code
    counts = {language.code: sum(token in language.words for token in tokens) for language in _languages()}
    code = max(counts, key=lambda code: counts[code])
    if not counts[code]:
        return ""
    needed = 1 if counts["en"] == 0 and len(tokens) <= _SHORT else _SURE
    return code if code == "en" or (counts[code] >= needed and counts[code] > counts["en"]) else ""


def other_language(message: str, known: Iterable[str]) -> str:
    """The language of a message if it is one that the articles do not have, else "".

    Parameters: the message, and the codes of the articles' languages (also such as en-GB).
    """
    code = language_of(message)
    return "" if code in map(base_of, known) else code


def base_of(code: str) -> str:
    """A language's own code, without what region it is of: en of en-GB."""
    return code.split("-")[0].lower()


def names_of(codes: Iterable[str]) -> str:
    """Languages by what they call themselves, as in "English, 中文"; a language that has no name here stays a code."""
    names = {language.code: language.name for language in _languages()}
    distinct = dict.fromkeys(map(base_of, codes))
    return ", ".join(names.get(code, code) for code in distinct)


@cache
def _languages() -> tuple[_Language, ...]:
    return tuple(_language(values) for values in _read())


def _read() -> list[dict[str, Any]]:
    try:
        values: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["language"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as problem:
        raise SettingsError(f"{FILE}: cannot be read ({problem}). Install patient-faq again.") from problem
    return values


def _language(values: dict[str, Any]) -> _Language:
    ranges = [part.split("-") for part in str(values.get("script", "")).split()]
    letters = "".join(f"{chr(int(first, 16))}-{chr(int(last, 16))}" for first, last in ranges)
    words = frozenset(str(values.get("words", "")).split())
    return _Language(values["code"], values["name"], re.compile(f"[{letters}]") if letters else None, words)
