"""How much damage is found, and how much is seen where there is none: python benchmarks/damage.py [FILE.jsonl[.gz] ...]

Every fifth sentence of the project's articles is damaged in one way, then the next fifth, for each kind of damage in turn
(seeded). Prints the share that is found and what was called damaged without being so, as rows for benchmarks/results/damage.md.
Files in BEIR's shape are sound texts: of each, prints the share of sentences that are called damaged, and the stretches
themselves to stderr.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from retrieval.damage import damage_in, sentence_name
from retrieval.encoder import open_encoder
from retrieval.passages import sentence_text
from retrieval.reading import article_files, read_article
from retrieval.sentences import sentence_spans
from retrieval.settings import Settings
from retrieval.types import Article, Section, Sentence

ROOT = Path(__file__).resolve().parent.parent
SEED = 7
ROUNDS = 5
LIGATURES = ("ffi", "ffl", "fi", "fl", "ff")
SMALL = {"the", "of", "to", "and", "your", "that", "is", "are", "was", "for", "from", "with", "can", "may", "will", "have"}


def inside(text: str, chance: random.Random, put: str) -> str:
    at = chance.randrange(1, len(text))
    return text[:at] + put + text[at:]


def ligature(put: str) -> Callable[[str, random.Random], str]:
    """One ligature of the text turned into something else."""

    def damaged(text: str, chance: random.Random) -> str:
        places = [match.span() for match in re.finditer("|".join(LIGATURES), text)]
        if not places:
            return text
        start, end = chance.choice(places)
        return text[:start] + put + text[end:]

    return damaged


def in_word(put: str, least: int = 5) -> Callable[[str, random.Random], str]:
    """One word cut somewhere, with something put where it was cut."""

    def damaged(text: str, chance: random.Random) -> str:
        words = [match for match in re.finditer(r"(?<![\w-])[a-z]+(?![\w-])", text) if len(match.group()) >= least]
        if not words:
            return text
        word = chance.choice(words)
        at = chance.randrange(word.start() + 2, word.end() - 1)
        return text[:at] + put + text[at:]

    return damaged


def kerned(text: str, chance: random.Random) -> str:
    """Several words cut, as by a font whose letters stand far apart."""
    for _ in range(3):
        text = in_word(" ")(text, chance)
    return text


def joined(text: str, chance: random.Random) -> str:
    """A blank lost beside one of the words that stand everywhere."""
    places = [
        match.start(1)
        for match in re.finditer(r"(?<=[a-z])( )(?=[a-z])", text)
        if {text[: match.start()].split()[-1].lower(), re.split(r"\W", text[match.end() :])[0]} & SMALL
    ]
    if not places:
        return text
    at = chance.choice(places)
    return text[:at] + text[at + 1 :]


def all_joined(text: str, chance: random.Random) -> str:
    """All blanks lost."""
    return text.replace(" ", "")


def comma(text: str, chance: random.Random) -> str:
    return re.sub(r", (?=[a-z])", ",", text, count=1)


def full_stop(text: str, chance: random.Random) -> str:
    return text + "After a day it was gone."


def no_stop(text: str, chance: random.Random) -> str:
    return text.rstrip(".?") + "After a day it was gone."


def letters(text: str, chance: random.Random) -> str:
    words = list(re.finditer(r"(?<![\w-])[a-z]{4,}(?![\w-])", text))
    if not words:
        return text
    word = chance.choice(words)
    return text[: word.start()] + " ".join(word.group()) + text[word.end() :]


def encoding(text: str, chance: random.Random) -> str:
    sign = chance.choice("’“–éü™£")
    return inside(text, chance, sign.encode().decode("cp1252", "replace").replace("\ufffd", "\x9d"))


def shifted(text: str, chance: random.Random) -> str:
    """A font that has numbers of its own for its letters, and no table that says which."""
    return "".join(chr((ord(letter) - 97 + 10) % 26 + 97) if letter.islower() else letter for letter in text)


def table(text: str, chance: random.Random) -> str:
    return "Face 3 5 7 | 10 12 14 | 20 22 24 | 31.5 %"


KINDS: dict[str, Callable[[str, random.Random], str]] = {
    "NUL in place of a ligature": ligature("\x00"),
    "U+FFFD in place of a ligature": ligature("\ufffd"),
    "sign of a symbol font": lambda text, chance: inside(text, chance, "\uf061"),
    "another encoding": encoding,
    "ligature -> ?": ligature("?"),
    "ligature -> space": ligature(" "),
    "ligature -> nothing": ligature(""),
    "word cut": in_word(" "),
    "three words cut": kerned,
    "hyphen and blank in a word": in_word("- ", 6),
    "hyphen in a word": in_word("-", 6),
    "space lost beside a small word": joined,
    "all spaces lost": all_joined,
    "space lost after a comma": comma,
    "space lost after a full stop": full_stop,
    "sentences run together": no_stop,
    "space after every letter of a word": letters,
    "font without its table": shifted,
    "row of a table": table,
}


def article_of(doc: str, title: str, sentences: list[str]) -> Article:
    """An article of one section with these sentences."""
    text, spans = "", []
    for sentence in sentences:
        spans.append(Sentence(len(text), len(text) + len(sentence), 0, 0))
        text += sentence + " "
    return Article(doc, title, text, "", "", (), (Section((), 0, len(text)),), tuple(spans))


def measure(articles: list[Article], known: frozenset[str]) -> Iterator[tuple[str, int, int, int, list[str]]]:
    """For each kind: how many sentences were damaged, how many of these were found, how many others, and some not found."""
    for kind, damage in KINDS.items():
        chance = random.Random(SEED)
        done = found = false = 0
        missed: list[str] = []
        for article in articles:
            sound = [sentence_text(article, place) for place in range(len(article.sentences))]
            for turn in range(ROUNDS):
                texts = [damage(text, chance) if place % ROUNDS == turn else text for place, text in enumerate(sound)]
                flagged = {one.sentence for one in damage_in(article_of(article.doc, article.title, texts), known)}
                for before, after in zip(sound, texts, strict=True):
                    seen = sentence_name(after) in flagged
                    done += before != after
                    found += before != after and seen
                    false += before == after and seen
                    missed += [after] if before != after and not seen else []
        yield kind, done, found, false, missed


def sound_share(path: Path, known: frozenset[str]) -> tuple[int, int]:
    """Sentences of a file of sound texts, and how many of them are called damaged."""
    count = flagged = 0
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            text = document["text"]
            blocks = re.finditer(r"[^\n]+", text)
            spans = [span for block in blocks for span in sentence_spans(text, *block.span())]
            sections = (Section((), 0, len(text)),)
            sentences = tuple(Sentence(start, end, 0, 0) for start, end in spans)
            found = damage_in(Article(document["_id"], document["title"], text, "", "", (), sections, sentences), known)
            count += len(spans)
            flagged += len({one.sentence for one in found})
            for one in found:
                print(one.kind, repr(text[max(0, one.start - 40) : one.end + 40]), sep="\t", file=sys.stderr)
    return count, flagged


def main() -> None:
    """Measure and print."""
    known = open_encoder(Settings.from_environment()).known_words()
    articles = [read_article(path) for path in article_files(ROOT / "corpus" / "articles")[0]]
    began = time.perf_counter()
    untouched = sum(len({one.sentence for one in damage_in(article, known)}) for article in articles)
    took = time.perf_counter() - began
    count = sum(len(article.sentences) for article in articles)
    print(f"{count} sentences of the project's articles as they are: {untouched} called damaged, in {took:.1f} s.\n")
    print("| damage | sentences | found | others called damaged |\n|---|---|---|---|")
    for kind, done, found, false, missed in measure(articles, known):
        print(f"| {kind} | {done} | {found / max(1, done):.3f} | {false} |")
        for text in missed[:3]:
            print("missed", kind, repr(text[:150]), sep="\t", file=sys.stderr)
    if sys.argv[1:]:
        print("\n| sound texts | sentences | called damaged |\n|---|---|---|")
    for path in map(Path, sys.argv[1:]):
        whole, flagged = sound_share(path, known)
        print(f"| {path.parent.name} | {whole:,} | {flagged} ({flagged / whole:.2%}) |")


if __name__ == "__main__":
    main()
