"""What is wrong with articles, in plain words, and what to do about it.

Nothing here is printed, written or decided: screens and commands show what is found.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from retrieval.damage import damage_in, empty_pages, sentence_name
from retrieval.differences import Points, find_differences
from retrieval.encoder import Encoder
from retrieval.errors import SettingsError, UnreadableFile
from retrieval.keeping.copies import copies_among
from retrieval.keeping.preview import Row, by_sentence, kinds_of, passages_preview, shortened
from retrieval.language import base_of, language_of, names_of
from retrieval.passages import sentence_text
from retrieval.phrases import Pattern, line, words
from retrieval.review import due, review_notes
from retrieval.types import Article, Clinic, Statement

__all__ = ["ADVICE_AND_PRICE", "Finding", "FindingKind", "Row", "check_articles", "passages_preview"]

ADVICE_AND_PRICE = Path(__file__).parent.parent / "safety" / "advice_and_price.toml"

FindingKind = Literal[
    "unreadable", "damaged", "scanned", "warning", "duplicate", "near_duplicate", "differs", "advice", "price", "metadata",
    "review",
]  # fmt: skip
_ORDER: tuple[FindingKind, ...] = (
    "unreadable", "duplicate", "scanned", "damaged", "review", "near_duplicate", "differs", "advice", "price", "metadata",
    "warning",
)  # fmt: skip
_COPY = 0.2  # the share of an article's sentences in another from which it is called a near duplicate
_MUCH = 0.2  # the share of damaged sentences from which it is serious
_MONEY = re.compile(
    r"(?:\b(?:RM|MYR|USD|SGD|AUD|GBP|EUR|S\$)|[$€£¥])\s?\d(?:[\d,.]*\d)?"
    r"|\b\d[\d,.]*\s?(?:ringgit|dollars?|euros?|MYR|USD|SGD)\b|\b\d+\s?% off\b",
    re.IGNORECASE,
)
_MISSING = {
    "title": "its title",
    "publisher": "who published it",
    "based_on": "what it is based on",
    "topics": "its topics",
    "reviewed_by": "who reviewed it",
    "reviewed_on": "when it was reviewed",
    "review_by": "when it is to be reviewed next",
}
_SAID_ELSEWHERE = ("no text on page", "damaged characters on page", "not quoted. `patient-faq check`")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: what it is, in which article, what to do, and where it stands (-1 where it has no place).

    `serious` is what takes something from patients or could mislead them.
    """

    doc: str
    kind: FindingKind
    says: str
    what_to_do: str
    start: int = -1
    end: int = -1
    serious: bool = False


def check_articles(
    articles: Sequence[Article], unread: Sequence[UnreadableFile], encoder: Encoder, clinic: Clinic, points: Points,
    only: str = "", *, today: date,
) -> tuple[Finding, ...]:  # fmt: skip
    """Find all that staff should know of articles before they are published.

    Parameters: the articles as `read_article` gives them (damaged sentences included), the files that could not be read, the
    model, the clinic, the field's points, the file name of the one article that is asked about ("" for all), and the day.
    Returns the findings, article by article, what is serious first. Withdrawn articles are not compared with others.
    """
    known = encoder.known_words()
    compared = [article for article in articles if article.metadata.state != "withdrawn"]
    found = [_unreadable(problem) for problem in unread]
    found += _copied(compared)
    found += _differing(compared, points)
    for article in articles:
        if not only or article.doc == only:
            found += [*_damaged(article, known), *_scanned(article), *_warned(article), *_worded(article), *_described(article)]
            found += _due(article, clinic, today)
    wanted = (one for one in found if not only or one.doc == only)
    return tuple(sorted(wanted, key=lambda one: (one.doc, not one.serious, _ORDER.index(one.kind), one.start)))


def _unreadable(problem: UnreadableFile) -> Finding:
    reason = problem.reason[:1].upper() + problem.reason[1:]
    return Finding(problem.path.name, "unreadable", f"{reason}. Nothing of it can be quoted.", problem.remedy, serious=True)


def _damaged(article: Article, known: frozenset[str]) -> Iterator[Finding]:
    """A finding a sentence that nobody has confirmed, and one for each heading and paragraph that is damaged besides."""
    damage = damage_in(article, known)
    confirmed = set(article.metadata.confirmed)
    named = {name: found for name, found in by_sentence(damage).items() if name and name not in confirmed}
    count = sum(sentence_name(sentence_text(article, place)) in named for place in range(len(article.sentences)))
    serious = count >= _MUCH * len(article.sentences)
    for place, sentence in enumerate(article.sentences):
        text = sentence_text(article, place)
        found = named.get(sentence_name(text))
        if found is None:
            continue
        yield Finding(
            article.doc, "damaged",
            f'"{shortened(text)}" looks damaged ({kinds_of(article, found)}). It is not quoted.',
            f"Mend the original and add it again. If the words are right as they are, confirm it: {sentence_name(text)}.",
            sentence.start, sentence.end, serious,
        )  # fmt: skip
    outside = [one for one in damage if not one.sentence and one.kind != "page"]
    for block in article.blocks:
        found = [one for one in outside if block.start <= one.start < block.end]
        if found:
            what = "The heading" if block.kind == "heading" else "A paragraph that is not quoted,"
            yield Finding(
                article.doc, "damaged",
                f'{what} "{shortened(article.text[block.start : block.end])}" looks damaged ({kinds_of(article, found)}).',
                "Mend the original and add it again.", block.start, block.end,
            )  # fmt: skip


def _due(article: Article, clinic: Clinic, today: date) -> Iterator[Finding]:
    for note in review_notes([article], clinic, today):
        said = note.removeprefix(f"{article.doc}: ")
        serious = due(article.metadata, clinic, today) != "soon"
        remedy = "Have it reviewed, and write down by whom, on which day, and by when it is to be reviewed again."
        yield Finding(article.doc, "review", said[:1].upper() + said[1:], remedy, serious=serious)


def _scanned(article: Article) -> Iterator[Finding]:
    pages = [number for number, _ in empty_pages(article)]
    if pages:
        which = "Page " + str(pages[0]) + " has" if len(pages) == 1 else f"Pages {', '.join(map(str, pages))} have"
        remedy = "If they are scans, run text recognition (OCR) on the file and add it again. If they are blank, all is well."
        at = empty_pages(article)[0][1]
        yield Finding(article.doc, "scanned", f"{which} no text: what stands there is not read.", remedy, at, at, True)


def _warned(article: Article) -> Iterator[Finding]:
    for warning in article.warnings:
        if not any(said in warning for said in _SAID_ELSEWHERE):
            says = warning.removeprefix(f"{article.doc}: ")
            yield Finding(
                article.doc, "warning", says[:1].upper() + says[1:], "Look at the file, and mend it if patients lose by it."
            )


def _copied(articles: Sequence[Article]) -> Iterator[Finding]:
    """Articles with the same text, articles of which much stands in another, and single sentences that stand in both."""
    for copy in copies_among(articles):
        article, other = articles[copy.article], articles[copy.other]
        if copy.whole:
            yield Finding(
                article.doc, "duplicate", f"It says word for word what {other.doc} says.",
                "Keep one of the two and withdraw the other.", serious=True,
            )  # fmt: skip
        elif copy.share >= _COPY:
            yield Finding(
                article.doc, "near_duplicate", f"{copy.share:.0%} of its sentences stand nearly word for word in {other.doc}.",
                "If one is an older version of the other, withdraw it. If both are needed, let each say a thing once.",
            )  # fmt: skip
        else:
            for mine, theirs in copy.sentences:
                sentence = article.sentences[mine]
                shown, beside = shortened(sentence_text(article, mine)), shortened(sentence_text(other, theirs))
                yield Finding(
                    article.doc, "near_duplicate", f'"{shown}" stands in {other.doc} too: "{beside}"',
                    "If both are meant, leave them: patients see one of them. Otherwise take one out.",
                    sentence.start, sentence.end,
                )  # fmt: skip


def _differing(articles: Sequence[Article], points: Points) -> Iterator[Finding]:
    """For each point on which articles differ, what each of them says and what the others say."""
    for difference in find_differences(articles, points):
        said: dict[int, dict[str, Statement]] = defaultdict(dict)
        for statement in difference.statements:
            said[statement.article].setdefault(statement.value, statement)
        for number, mine in said.items() if difference.settled is None else ():
            article, first = articles[number], next(iter(mine.values()))
            others = "; ".join(
                f"{articles[other].doc} says {_quoted(theirs)}" for other, theirs in said.items() if other != number
            )
            yield Finding(
                article.doc, "differs", f"On {difference.point!r} it says {_quoted(mine)}{'; ' if others else ''}{others}.",
                "Find out which is right and mend the other. If both are, mark the point as settled in differences.toml.",
                article.sentences[first.first].start, article.sentences[first.last].end,
            )  # fmt: skip


def _quoted(values: Iterable[str]) -> str:
    return " and ".join(f'"{value}"' for value in values)


def _worded(article: Article) -> Iterator[Finding]:
    """Sentences that sound like advice to one person, or like an advertisement."""
    patterns = _patterns()
    for place, sentence in enumerate(article.sentences):
        text = sentence_text(article, place)
        tokens = words(text)
        said = line(tokens)
        if any(pattern.stands_in(said) for pattern in patterns["unless"]):
            said = ""
        advice = next((pattern for pattern in patterns["advice"] if pattern.stands_in(said)), None)
        if advice is not None:
            yield Finding(
                article.doc, "advice", f'"{shortened(text)}" sounds like advice to one person ("{_stretch(advice, tokens)}").',
                "Say what is true of all patients, or whom to ask. If it is that already, leave it.",
                sentence.start, sentence.end,
            )  # fmt: skip
        money = _MONEY.search(text)
        price = next((pattern for pattern in patterns["price"] if pattern.stands_in(said)), None)
        if money or price is not None:
            shown = money.group() if money else _stretch(price, tokens) if price else ""
            yield Finding(
                article.doc, "price", f'"{shortened(text)}" sounds like a price, an offer or praise ("{shown}").',
                "Take it out: prices change, and praise cannot be proved. If it is neither, leave it.",
                sentence.start, sentence.end,
            )  # fmt: skip


def _stretch(pattern: Pattern, tokens: Sequence[str]) -> str:
    first, last = pattern.find(tokens) or (0, 0)
    return " ".join(tokens[first:last])


@cache
def _patterns() -> dict[str, tuple[Pattern, ...]]:
    try:
        values = tomllib.loads(ADVICE_AND_PRICE.read_text(encoding="utf-8"))
        return {name: tuple(Pattern(source) for source in values[name]) for name in ("advice", "price", "unless")}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as problem:
        raise SettingsError(f"{ADVICE_AND_PRICE}: cannot be read ({problem}). Install patient-faq again.") from problem


def _described(article: Article) -> Iterator[Finding]:
    """What is not known of an article, and a language that it is not in."""
    missing = [said for name, said in _MISSING.items() if not getattr(article.metadata, name)]
    if missing:
        yield Finding(
            article.doc, "metadata", f"It does not say {_listed(missing)}.",
            "Add it to the article's description: patients see who stands behind a quote and how old it is.",
        )  # fmt: skip
    said = base_of(article.metadata.language)
    text = " ".join(article.text[sentence.start : sentence.end] for sentence in article.sentences)
    found = language_of(text)
    if found and found != said:
        yield Finding(
            article.doc, "metadata", f"It is described as {names_of([said])}, but its text looks like {names_of([found])}.",
            f'Write language = "{found}" in its description, if that is so: questions find answers in their own language.',
            serious=True,
        )  # fmt: skip


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
