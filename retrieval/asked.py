"""Asked-as questions (corpus/questions/ARTICLE.txt): questions in patients' words, and the sentences that answer them.

# a note                                            for whoever reads the file
> Redness settles in a few hours to a day.          a sentence of the article, as it stands there; up to three in a row
how long will i look like a tomato                  questions that it answers, one a line
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from rapidfuzz import fuzz, process

from retrieval.encoder import Vectors
from retrieval.errors import CorpusError, DamagedRelease
from retrieval.lexical import LexicalIndex
from retrieval.passages import sentence_text
from retrieval.types import Article

Places = npt.NDArray[np.int64]

__all__ = ["Asked", "AskedAs", "load_asked", "questions_in"]

_MOST_SENTENCES = 3
_NEARLY = 85.0
"""How alike, of 100, a sentence must be to one that is no longer there for its questions to move to it."""
_DENSE, _LEXICAL = 0.75, 0.25


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the sentences `first` to `last` (inclusive) of article number `article` that answer it."""

    question: str
    article: int
    first: int
    last: int


def load_asked(folder: Path, articles: Sequence[Article]) -> tuple[tuple[Asked, ...], tuple[str, ...]]:
    """Read the files of a folder and find the sentences that they name.

    Parameters: corpus/questions, which need not exist, and the articles of the release.
    Returns the questions, and notes for staff on what is not used: files of articles that are not there, sentences that are
    not in their article. Where a sentence has changed only a little, its questions stay with it, and a note asks to check.
    Raises CorpusError naming file and line for what cannot be understood.
    """
    found: list[Asked] = []
    notes: list[str] = []
    numbers = {article.doc: number for number, article in enumerate(articles)}
    for file in sorted(folder.glob("*.txt")) if folder.is_dir() else []:
        number = numbers.get(file.stem)
        if number is None:
            notes.append(f"questions/{file.name}: there is no article {file.stem}; its questions are not used.")
            continue
        texts = [_folded(sentence_text(articles[number], place)) for place in range(len(articles[number].sentences))]
        for line, quoted, questions in _groups(file):
            places = _run(texts, quoted) or [_place(texts, sentence) for sentence in quoted]
            runs = [place for place, _ in places]
            if -1 in runs or runs != list(range(runs[0], runs[0] + len(runs))):
                what = "does not stand there" if -1 in runs else "is followed by others than those named"
                where = f"questions/{file.name}, line {line}: “{quoted[0][:60]}”"
                notes.append(f"{where} {what}; its {len(questions)} questions are not used.")
                continue
            if not all(exact for _, exact in places):
                notes.append(f"questions/{file.name}, line {line}: “{quoted[0][:60]}” has changed; check its questions.")
            found.extend(Asked(question, number, runs[0], runs[-1]) for question in questions)
    return tuple(dict.fromkeys(found)), tuple(notes)


def questions_in(folder: Path) -> list[tuple[str, str]]:
    """All questions of a folder, attached or not, each with the name of its group: file and line.

    Raises CorpusError as `load_asked` does.
    """
    files = sorted(folder.glob("*.txt")) if folder.is_dir() else []
    return [(f"{file.name} {line}", text) for file in files for line, _, texts in _groups(file) for text in texts]


class AskedAs:
    """The asked-as questions of a release: vectors float32 (questions, dimension), words, and where each belongs.

    vectors.npy is mapped into memory: processes that serve one release share it.
    """

    def __init__(self, asked: Sequence[Asked], vectors: Vectors, lexical: LexicalIndex) -> None:
        self.asked = tuple(asked)
        # All are multiplied at once: by columns in half the time. (Of a mapped file, which is so already, nothing is copied.)
        self.vectors = np.asfortranarray(vectors)
        self._lexical = lexical
        self._same: dict[str, list[int]] = {}
        for place, item in enumerate(self.asked):
            self._same.setdefault(_plain(item.question), []).append(place)
        sentences = sorted({(item.article, place) for item in asked for place in range(item.first, item.last + 1)})
        number = {sentence: place for place, sentence in enumerate(sentences)}
        self._sentences = np.array(sentences, dtype=np.int64).reshape(-1, 2)
        # A question's sentences follow one another among all that have questions.
        self._firsts = np.array([number[item.article, item.first] for item in asked], dtype=np.int64)
        self._counts = np.array([item.last - item.first + 1 for item in asked], dtype=np.int64)

    @classmethod
    def of(cls, asked: Sequence[Asked], vectors: Vectors) -> AskedAs:
        """Questions with the index of their words."""
        return cls(asked, vectors, LexicalIndex.build([item.question for item in asked]))

    def near(self, question: str, vector: Vectors, least: float) -> tuple[Places, Vectors]:
        """Compare a question with all asked-as questions.

        Parameters: the question, its vector (dimension,), and from which likeness on a sentence is of interest.
        Returns such sentences by article number and sentence, int64 (sentences, 2), and how like each one's nearest question
        is, float32 (sentences,): 0.75 cosine + 0.25 share of the question's word weight; 1 where it is this question itself,
        in the same words.
        """
        if not self.asked:
            return self._sentences, np.empty(0, dtype=np.float32)
        scores = _DENSE * (self.vectors @ vector) + _LEXICAL * self._lexical.scores(question)
        scores[self._same.get(_plain(question), [])] = 1.0
        nearest = np.full(len(self._sentences), -np.inf, dtype=np.float32)
        for further in range(int(self._counts.max())):
            longer = self._counts > further
            np.maximum.at(nearest, self._firsts[longer] + further, scores[longer])
        places = np.flatnonzero(nearest >= least)
        return self._sentences[places], nearest[places]

    def save(self, folder: Path) -> None:
        """Write everything to a folder."""
        np.save(folder / "vectors.npy", self.vectors, allow_pickle=False)
        rows = [[item.question, item.article, item.first, item.last] for item in self.asked]
        (folder / "questions.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        (folder / "words").mkdir()
        self._lexical.save(folder / "words")

    @classmethod
    def load(cls, folder: Path) -> AskedAs:
        """Read what `save` wrote; raises DamagedRelease where that fails."""
        try:
            rows = orjson.loads((folder / "questions.json").read_bytes())
            vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
            return cls([Asked(*row) for row in rows], vectors, LexicalIndex.load(folder / "words"))
        except (OSError, ValueError, TypeError) as problem:
            raise DamagedRelease(f"{folder}: the asked-as questions cannot be read ({problem}). Build again.") from problem


def _plain(question: str) -> str:
    """A question whatever is capital in it and however it ends. All of a release are made so when it is opened: it is quick."""
    return question.casefold().rstrip("?!. ")


def _groups(file: Path) -> list[tuple[int, list[str], list[str]]]:
    """The groups of a file: the line where each begins, the sentences that it names, and the questions."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise CorpusError(f"{file}: cannot be read ({problem}). It must be text in UTF-8.") from problem
    groups: list[tuple[int, list[str], list[str]]] = []
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith("#"):
            continue
        if line.startswith(">"):
            if not groups or groups[-1][2]:
                groups.append((number, [], []))
            groups[-1][1].append(_folded(line[1:]))
            if len(groups[-1][1]) > _MOST_SENTENCES:
                raise CorpusError(f"{file}, line {number}: more than {_MOST_SENTENCES} sentences in a row. Name fewer.")
        elif groups:
            groups[-1][2].append(line)
        else:
            raise CorpusError(f"{file}, line {number}: a question before any sentence. Write `> ` and the sentence above it.")
    return groups


def _run(texts: Sequence[str], quoted: Sequence[str]) -> list[tuple[int, bool]]:
    """Where sentences stand in a row to the letter, as `_place` says it; nothing where they do not."""
    count = len(quoted)
    first = next((place for place in range(len(texts) - count + 1) if list(texts[place : place + count]) == list(quoted)), None)
    return [] if first is None else [(first + number, True) for number in range(count)]


def _place(texts: Sequence[str], sentence: str) -> tuple[int, bool]:
    """The number of a sentence among those of an article (-1: none), and whether it stands there to the letter."""
    if sentence in texts:
        return texts.index(sentence), True
    nearest = process.extractOne(sentence, texts, scorer=fuzz.ratio, score_cutoff=_NEARLY)
    return (nearest[2], False) if nearest else (-1, False)


def _folded(text: str) -> str:
    return " ".join(text.split())
