"""What extraction did to an article's text: false signs, words cut, joined or robbed of letters, pages without text.

A sentence that looks damaged is not quoted until a person has confirmed that it is right. Precision comes first: a sound
sentence that is called damaged takes an answer from patients.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from retrieval.english import English
from retrieval.errors import UnreadableFile
from retrieval.language import base_of, language_of
from retrieval.signs import Stretch, false_signs
from retrieval.types import Article

__all__ = ["KINDS", "Damage", "damage_in", "damage_score", "empty_pages", "sentence_name", "without_damaged"]

KINDS = {
    "control": "a sign that cannot be printed",
    "glyph": "a sign of a symbol font, or one that could not be read",
    "encoding": "letters of another encoding",
    "ligature": "letters lost, such as fi or fl",
    "split": "a word cut in two",
    "joined": "words without a space between them",
    "space": "no space after a full stop or comma",
    "letters": "a word with a space after every letter",
    "hyphen": "a hyphen left over from the end of a line",
    "long": "a word longer than any real one",
    "strange": "words that are none",
    "symbols": "mostly digits or signs",
    "page": "a page without text",
}
"""The kinds of damage, in words for staff."""

_MOSTLY = 0.4  # share of an article's words that must be known: 0.9 in sound English, 0.1 to 0.2 in other languages
_STRANGE = 0.15  # a sentence of which no more is known, in an article of which most is, is not made of words
_STRANGE_WORDS, _STRANGE_PLAIN = 5, 7
_VOWELS = 0.27  # their share of the letters; of English ones it is 0.4
_LEAST_LETTERS, _LEAST_SIGNS = 0.35, 10
_LONGEST = {"en": 32}
_LONGEST_OTHER = 48

_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_WORD = re.compile(r"[^\W\d_]+")
_LONG = re.compile(f"[{_LATIN}]+")
_LETTERS = re.compile(rf"(?<!\w)(?:[{_LATIN}][ \u2009]){{3,}}[{_LATIN}](?![\w'’])")
_ADDRESS = re.compile(r"\S*(?://|www\.|@|\.(?:com|org|net|gov|edu|info|co|my|uk|sg|html?|pdf|php)\b)\S*", re.IGNORECASE)
_PHONE = re.compile(r"(?:\+|\b0)[\d \-()]{7,}\d")
# "treatment.After": what stands before is no abbreviation, what stands behind begins a sentence.
_STOP = re.compile(rf"(?:(?<![\w.])([{_LATIN}]{{3,}}|[a-z]{{2}})|(?<=\w)\))([.!?:;])([A-Z][a-z]+|I)(?![\w.])")
_COMMA = re.compile(rf"(?<![\w.'’])([{_LATIN}]{{2,}})\)?([,;])([{_LATIN}]{{2,}})(?!\w)")
_CAMEL = re.compile(r"(?<![\w'’-])([A-Za-z]?[a-z]+)([A-Z][a-z]+|I)(?![\w-])")
_BRACKET = re.compile(r"(?<=[a-z]\))[A-Z][a-z]+")
_MARKED = re.compile(r"(?<![\w/=?&])([^\W\d_]+)([?!#$%*^~|<>=\"])([^\W\d_]+)(?![\w/=&])")
_MARK_OUTSIDE = re.compile(r"(?<![\w?])([a-z]+)\?(?= [a-z])|(?<![\w?])\?([a-z]+)")
_HYPHEN = re.compile(r"(?<![\w-])([^\W\d_]{2,})-(\s?)([a-z]{2,})(?![\w-])")
_BREAK = re.compile(r"[ \n]")
_PAGES = re.compile(r"no text on page ([\d, ]+)")


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of an article's text that looks damaged: `kind` is one of KINDS.

    `sentence` names the sentence that it stands in, and is empty outside of sentences.
    """

    kind: str
    start: int
    end: int
    sentence: str


def sentence_name(text: str) -> str:
    """The name of a sentence: 8 hex digits of the SHA-256 of its text. Other words, another name."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def damage_in(article: Article, known: frozenset[str]) -> tuple[Damage, ...]:
    """Find what looks damaged in an article, in the order of its text.

    Parameters: the article as it was read, and whole words that the model knows, in lower case.
    Returns what stands in sentences and headings, signs in what is not quoted, and a stretch without length for each page
    without text. Words are looked at only in English articles of which most words are known.
    """
    english = _english(article, known)
    names = _names(article.text)
    found: list[Damage] = []
    for sentence in article.sentences:
        text = article.text[sentence.start : sentence.end]
        name = sentence_name(text)
        found += [
            Damage(kind, sentence.start + start, sentence.start + end, name)
            for kind, start, end in _in_text(text, english, names, _language(article))
        ]
    quoted = [(sentence.start, sentence.end) for sentence in article.sentences]
    for block in article.blocks:
        if any(start < block.end and end > block.start for start, end in quoted):
            continue
        text = article.text[block.start : block.end]
        stretches = _in_text(text, english, names, _language(article)) if block.kind == "heading" else false_signs(text)
        found += [
            Damage(kind, block.start + start, block.start + end, "") for kind, start, end in stretches if kind != "symbols"
        ]
    found += [Damage("page", at, at, "") for _, at in empty_pages(article)]
    return tuple(sorted(found, key=lambda one: (one.start, one.end)))


def damage_score(article: Article, damage: Sequence[Damage]) -> float:
    """The share of an article's sentences that are damaged, from 0 to 1.

    What was left out of the sentences for its damaged signs when the file was read counts as one sentence a block.
    """
    damaged = {one.sentence for one in damage if one.sentence}
    hurt = sum(sentence_name(article.text[each.start : each.end]) in damaged for each in article.sentences)
    outside = [one for one in damage if not one.sentence and one.kind != "page"]
    lost = sum(
        block.kind != "heading" and any(block.start <= one.start < block.end for one in outside) for block in article.blocks
    )
    return (hurt + lost) / max(1, len(article.sentences) + lost)


def empty_pages(article: Article) -> tuple[tuple[int, int], ...]:
    """The pages without text, each with the place in the text where it would stand: they are scans or blank."""
    pages = {block.page: block.end for block in article.blocks if block.page}
    said = {
        int(number) for warning in article.warnings for list_ in _PAGES.findall(warning) for number in re.findall(r"\d+", list_)
    }
    missing = ({*range(1, max(pages, default=0))} | said) - set(pages)
    return tuple((number, max((end for page, end in pages.items() if page < number), default=0)) for number in sorted(missing))


def without_damaged(article: Article, known: frozenset[str]) -> Article:
    """Leave the sentences out that look damaged and that nobody has confirmed, so that they are never quoted.

    Parameters: the article as it was read, and whole words that the model knows.
    Returns the article with fewer sentences and one warning more; its text, offsets and all else stay as they are.
    Raises UnreadableFile where no sentence is left.
    """
    confirmed = frozenset(article.metadata.confirmed)
    damaged = {one.sentence for one in damage_in(article, known)} - confirmed - {""}
    kept = tuple(each for each in article.sentences if sentence_name(article.text[each.start : each.end]) not in damaged)
    count = len(article.sentences) - len(kept)
    if not count:
        return article
    if not kept:
        reason = f"all of its {count} sentences look damaged" if count > 1 else "its only sentence looks damaged"
        remedy = "Mend the original or save it in another format; if it is right as it is, confirm its sentences."
        raise UnreadableFile(Path(article.doc), reason, remedy)
    look = "looks damaged and is" if count == 1 else "look damaged and are"
    said = (
        f"{article.doc}: {count} of {len(article.sentences)} sentences {look} not quoted. `patient-faq check` names them. "
        "Mend the original, or confirm those that are right."
    )
    return replace(article, sentences=kept, warnings=(*article.warnings, said))


def _language(article: Article) -> str:
    return base_of(article.metadata.language)


def _english(article: Article, known: frozenset[str]) -> English | None:
    """What is known of English words, if this is an English article and most of its words are known."""
    if _language(article) != "en" or not known:
        return None
    quoted = " ".join(article.text[each.start : each.end] for each in article.sentences)
    words = _WORD.findall(quoted)
    english = English(known, (word.lower() for word in words))
    plain = [word for word in words if word.islower()]
    return english if plain and sum(map(english.knows, plain)) >= _MOSTLY * len(plain) else None


def _names(text: str) -> frozenset[str]:
    """Words with a capital inside that the article has more than once: names such as PicoSure."""
    counts = Counter(match.group() for match in _CAMEL.finditer(text))
    return frozenset(word for word, count in counts.items() if count > 1)


def _in_text(text: str, english: English | None, names: frozenset[str], language: str) -> list[Stretch]:
    """All stretches of one sentence or heading; where two lie over each other, the one that is told apart better."""
    found: list[Stretch] = list(false_signs(text))
    # An address, a file's name: as long as what is not one, so that offsets hold.
    plain = _ADDRESS.sub(lambda match: "0" * len(match.group()), text)
    found += _any_language(plain, language)
    if english is not None:
        for look in _ENGLISH:
            found += look(plain, english, names)
    kept: list[Stretch] = []
    for kind, start, end in found:
        if all(end <= other_start or start >= other_end for _, other_start, other_end in kept):
            kept.append((kind, start, end))
    return sorted(kept, key=lambda stretch: stretch[1:])


def _any_language(text: str, language: str) -> Iterator[Stretch]:
    for match in _LETTERS.finditer(text):
        if sum(letter.islower() for letter in match.group()) >= 3:
            yield "letters", *match.span()
    for match in _STOP.finditer(text):
        if (match.group(1) or "))")[1:].islower() or not match.group(1):
            yield "space", *match.span()
    longest = _LONGEST.get(language, _LONGEST_OTHER)
    for match in _LONG.finditer(text):
        if len(match.group()) > longest:
            yield "long", *match.span()
    signs = "".join(_PHONE.sub("", text).split())
    letters = sum(unicodedata.category(sign)[0] in "LM" for sign in signs)
    if len(signs) >= _LEAST_SIGNS and letters < _LEAST_LETTERS * len(signs):
        yield "symbols", 0, len(text)


def _spaces(text: str, english: English, names: frozenset[str]) -> Iterator[Stretch]:
    """No space behind a comma, or between a small letter and a capital, unless it is a name."""
    for match in _COMMA.finditer(text):
        if english.knows(match.group(1)) and english.knows(match.group(3)):
            yield "space", *match.span()
    for match in _CAMEL.finditer(text):
        left, right = match.groups()
        if len(left) < 2 or not (english.knows(left) and english.knows(right)):
            continue
        # A name begins with a capital (YouTube) or is used again; two words that lost their space seldom do.
        if english.is_beginning(right) or (left[0].islower() and match.group() not in names):
            yield "space", *match.span()
    for match in _BRACKET.finditer(text):
        if english.is_beginning(match.group()):
            yield "space", match.start() - 1, match.end()


def _ligatures(text: str, english: English, names: frozenset[str]) -> Iterator[Stretch]:
    for match in _MARKED.finditer(text):
        left, mark, right = match.groups()
        if english.lost_letters(left, right) or (mark == "?" and right.islower()):
            yield "ligature", *match.span()
    for match in _MARK_OUTSIDE.finditer(text):
        left, right = match.groups()
        if english.lost_at_edge(left or "", right or ""):
            yield "ligature", *match.span()
    for match in _WORD.finditer(text):
        # Of three letters, only one that stands by itself: formulas are full of such.
        alone = len(match.group()) > 3 or text[max(0, match.start() - 1) : match.start()] in ("", " ")
        if alone and _is_ordinary(text, match) and english.lost_letters(match.group()):
            yield "ligature", *match.span()


def _hyphens(text: str, english: English, names: frozenset[str]) -> Iterator[Stretch]:
    for match in _HYPHEN.finditer(text):
        left, gap, right = match.groups()
        if english.knows(left) and english.is_joining(right):  # "short- and long-term"
            continue
        if english.is_divided(left, right, gap != ""):
            yield "hyphen", *match.span()


def _splits(text: str, english: English, names: frozenset[str]) -> Iterator[Stretch]:
    """Two or three neighbouring words that are one; also two that lost a ligature between them."""
    words = list(_WORD.finditer(text))
    at = 0
    while at < len(words) - 1:
        length = next((size for size in (3, 2) if _is_cut(text, words[at : at + size], size, english)), 0)
        if length:
            yield "split", words[at].start(), words[at + length - 1].end()
        elif _are_beside(text, words[at : at + 2]) and english.lost_letters(words[at].group(), words[at + 1].group()):
            yield "ligature", words[at].start(), words[at + 1].end()
            length = 2
        at += length or 1


def _is_cut(text: str, pieces: Sequence[re.Match[str]], size: int, english: English) -> bool:
    return len(pieces) == size and _are_beside(text, pieces) and english.is_split([piece.group() for piece in pieces])


def _are_beside(text: str, pieces: Sequence[re.Match[str]]) -> bool:
    """Whether one space stands between them, none is part of anything longer, and only the first may have a capital."""
    gaps = (text[one.end() : two.start()] for one, two in pairwise(pieces))
    lower = all(piece.group().islower() for piece in pieces[1:]) and pieces[0].group()[1:].lower() == pieces[0].group()[1:]
    around = text[max(0, pieces[0].start() - 1) : pieces[0].start()] + text[pieces[-1].end() : pieces[-1].end() + 1]
    return lower and all(_BREAK.fullmatch(gap) for gap in gaps) and not re.search(r"[\w'’/-]", around)


def _joined(text: str, english: English, names: frozenset[str]) -> Iterator[Stretch]:
    for match in _WORD.finditer(text):
        if _is_ordinary(text, match) and english.put_together(match.group()):
            yield "joined", *match.span()


def _is_ordinary(text: str, match: re.Match[str]) -> bool:
    """Whether a word is in small letters, or begins the text, and is not part of anything longer: no name, no formula."""
    word, (start, end) = match.group(), match.span()
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    return (word.islower() or (start == 0 and word[1:].islower())) and not re.search(r"[\w'’/-]", around)


def _strange(text: str, english: English, names: frozenset[str]) -> Iterator[Stretch]:
    words = [word for word in _WORD.findall(text) if len(word) > 2]
    letters = "".join(words).lower()
    # Names of medicines are unknown too, but can be spoken.
    mute = sum(letter in "aeiouy" for letter in letters) < _VOWELS * len(letters)
    plain = len(words) >= _STRANGE_PLAIN and not re.search(r"[(,;:/]|-\s", text) and language_of(text) in ("", "en")
    if len(words) >= _STRANGE_WORDS and (mute or plain) and sum(map(english.knows, words)) <= _STRANGE * len(words):
        yield "strange", 0, len(text)


_ENGLISH: tuple[Callable[[str, English, frozenset[str]], Iterator[Stretch]], ...] = (
    _spaces, _ligatures, _hyphens, _splits, _joined, _strange,
)  # fmt: skip
