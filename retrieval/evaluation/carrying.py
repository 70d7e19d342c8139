"""Judged questions carried over to articles that were edited: a span moves with its words, or it is lost and said so.

A judged span points into a text that is named by its digest, so every edit of an article, however small, makes all spans of
that article invalid. Here the old text and the new one are aligned, sentence by sentence and in order, then word by word where
sentences are divided differently. A span is carried if all of its words stand in the new text as they were, as whole sentences
again. It is never looked for elsewhere. A span whose words have changed or are gone is lost: a person must judge the question
anew. Until then the question counts in no figure, unless other spans of it are left; whoever shows figures says how many were
left out.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from retrieval.errors import EvaluationError
from retrieval.evaluation.judged import Judged, Span, load_judged
from retrieval.release import articles_of
from retrieval.types import Article

__all__ = ["Carrier", "Lost", "Renewed", "carried", "lost_lines", "renew", "texts_of", "written"]

_WORD = re.compile(r"\S+")
_LINE_END = re.compile(r"(\r\n|\r|\n)")
_MOST_WORDS = 10_000
"""Words of a changed stretch that are aligned one by one: more would take seconds, and so much anew is to be judged anew."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A judged span that could not be carried: the question's name and words, the article, what was said there, and why.

    `said` is empty where no release is left that has the text. `counts` says whether other spans of the question are left, so
    that it still counts in figures.
    """

    id: str
    question: str
    doc: str
    said: str
    why: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of a file of judged questions: how many questions it has, how many spans were carried, what was lost."""

    path: Path
    questions: int
    moved: int
    lost: tuple[Lost, ...]


class Carrier:
    """Carries spans from old texts to the articles as they are now; aligns each pair of texts once."""

    def __init__(self, olds: Mapping[str, Article], articles: Mapping[str, Article]) -> None:
        self._olds = olds
        self._articles = articles
        self._renamed = {article.digest: article for article in articles.values()}
        self._aligned: dict[tuple[str, str], _Aligned] = {}

    def span(self, span: Span) -> Span | str:
        """The span in the article as it is now, or why there is none."""
        # Under another name only where not a letter was changed: then nothing is guessed.
        article = self._articles.get(span.doc) or self._renamed.get(span.digest)
        if article is None:
            return "the article is not there any more"
        if article.digest == span.digest:
            return replace(span, doc=article.doc)
        old = self._olds.get(span.digest)
        if old is None:
            return "no release is left that has the text on which it was judged"
        key = (old.digest, article.doc)
        if key not in self._aligned:
            self._aligned[key] = _Aligned(old, article)
        place = self._aligned[key].moved(span.start, span.end)
        return Span(article.doc, *place, article.digest) if place else "its words have changed or are gone"

    def question(self, item: Judged) -> tuple[Judged | None, tuple[Lost, ...]]:
        """A question with the spans that could be carried, and the others.

        None stands for a question that had answers and has none left: it must not be taken for one that nothing answers.
        """
        places = [self.span(span) for span in item.answers]
        kept = tuple(place for place in places if isinstance(place, Span))
        lost = tuple(
            Lost(item.id, item.turns[-1], span.doc, self._said(span), why, counts=bool(kept))
            for span, why in zip(item.answers, places, strict=True)
            if isinstance(why, str)
        )
        return (replace(item, answers=kept) if kept or not item.answers else None), lost

    def _said(self, span: Span) -> str:
        old = self._olds.get(span.digest)
        return " ".join(old.text[span.start : span.end].split()) if old else ""


def carried(
    judged: Sequence[Judged], olds: Mapping[str, Article], articles: Mapping[str, Article]
) -> tuple[list[Judged], list[Lost]]:
    """Carry judged questions over to articles as they are now.

    Parameters: the questions, articles of this and earlier releases by the digest of their text, and those of now by file name.
    Returns the questions with their spans in the articles of now, and every span that was lost. A question without any span
    left is not among the questions returned, and counts in no figure: `Lost.counts` is false for it. One with other spans left
    goes on with those. Questions that never had answers are returned as they are.
    """
    carrier = Carrier(olds, articles)
    results = [carrier.question(item) for item in judged]
    return [item for item, _ in results if item is not None], [one for _, lost in results for one in lost]


def texts_of(index: Path) -> dict[str, Article]:
    """The articles of all releases in an index folder by the digest of their text, as far as they can be read."""
    found: dict[str, Article] = {}
    for folder in sorted((index / "releases").glob("*")):
        for article in articles_of(index, folder.name):
            found.setdefault(article.digest, article)
    return found


def written(judged: Iterable[Judged]) -> str:
    """Write judged questions as `load_judged` reads them, one JSON object a line, with all that is known of each."""
    return "".join(json.dumps(_values(item), ensure_ascii=False) + "\n" for item in judged)


def renew(path: Path, olds: Mapping[str, Article], articles: Mapping[str, Article]) -> Renewed:
    """Carry the questions of a file over to the articles as they are now, and put the result in the file's place at once.

    Parameters: the file, and the articles as for `carried`. Lines of which no span moves stay to the letter, and so do lost
    spans: they can be carried again should their words come back, as they do when a release is put back. Whoever calls keeps
    others from writing to the file meanwhile. Raises EvaluationError where the file cannot be read or written.
    """
    judged = load_judged(path)
    carrier = Carrier(olds, articles)
    lost: list[Lost] = []
    moved = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = _LINE_END.split(file.read())  # lines and what ends them, in turn
    items = iter(judged)
    for number, line in enumerate(lines):
        if line.strip():
            item = next(items)
            lost += carrier.question(item)[1]
            places = [carrier.span(span) for span in item.answers]
            fresh = [place if isinstance(place, Span) else span for place, span in zip(places, item.answers, strict=True)]
            changes = sum(one != other for one, other in zip(fresh, item.answers, strict=True))
            moved += changes
            lines[number] = _renewed(line, fresh) if changes else line
    if moved:
        _replace(path, "".join(lines))
    return Renewed(path, len(judged), moved, tuple(lost))


def lost_lines(lost: Sequence[Lost]) -> list[str]:
    """What was lost, for staff: a line that counts, then a line for each span."""
    if not lost:
        return []
    questions = {one.id: one.counts for one in lost}
    out = sum(not counts for counts in questions.values())
    count = len(questions)
    head = f"{count} judged {'question has' if count == 1 else 'questions have'} lost an answer"
    lines = [f"{head}; left out of all figures, since no answer is left: {out}."]
    for one in lost:
        said = f': "{one.said}"' if one.said else ""
        lines.append(f"  {one.id} ({one.question}) {one.doc}{said} - {one.why}")
    return lines


class _Aligned:
    """Two texts of an article, aligned: for each word of the old one, which word of the new one it is, if it is there."""

    def __init__(self, old: Article, new: Article) -> None:
        self._old, self._new = old, new
        self._before, self._now = _Words(old), _Words(new)
        self._starts = {sentence.start for sentence in new.sentences}
        self._ends = {sentence.end for sentence in new.sentences}
        self._place: dict[int, int] = {}
        self._align()

    def moved(self, start: int, end: int) -> tuple[int, int] | None:
        """Where a span of the old text stands in the new one, or None where not all of it is there as whole sentences."""
        words = self._before.within(start, end)
        places = [self._place.get(word, -1) for word in words]
        if not places or places[0] < 0 or places != list(range(places[0], places[0] + len(places))):
            return None
        first, last = self._now.spans[places[0]][0], self._now.spans[places[-1]][1]
        whole = first in self._starts and last in self._ends
        # What may not be quoted is not among the words: nothing of it may have come in between.
        same = self._new.text[first:last].split() == self._old.text[start:end].split()
        return (first, last) if whole and same else None

    def _align(self) -> None:
        before, now = self._before.units, self._now.units
        blocks = _blocks(before, now)
        counts, fresh = Counter(before), Counter(now)
        matched = {(i + k, j + k) for i, j, size in blocks for k in range(size)}
        i = j = 0
        for first, other, size in [*blocks, (len(before), len(now), 0)]:
            self._align_words(i, first, j, other)
            for k in range(size):
                one, its = first + k, other + k
                # Said more or less often than before, and nothing around it is as it was: it might be another place.
                alone = not {(one - 1, its - 1), (one + 1, its + 1)} & matched
                if not (alone and counts[before[one]] != fresh[now[its]]):
                    self._note(self._before.first[one], self._now.first[its], len(before[one]))
            i, j = first + size, other + size

    def _align_words(self, i: int, first: int, j: int, other: int) -> None:
        """Align a changed stretch word by word: the same words can be divided into other sentences than before."""
        start, its = self._before.first[i], self._now.first[j]
        old, new = self._before.words[start : self._before.first[first]], self._now.words[its : self._now.first[other]]
        if old and new and max(len(old), len(new)) <= _MOST_WORDS:
            for a, b, size in _blocks(old, new):
                self._note(start + a, its + b, size)

    def _note(self, old: int, new: int, count: int) -> None:
        self._place.update(zip(range(old, old + count), range(new, new + count), strict=True))


class _Words:
    """An article's words in order, by its headings and sentences.

    `units` are the words of each of these; `words` and `spans` all of them and where they stand; `first` is the number of each
    unit's first word, and one more.
    """

    def __init__(self, article: Article) -> None:
        headings = [(block.start, block.end) for block in article.blocks if block.kind == "heading"]
        spans = sorted([*headings, *((sentence.start, sentence.end) for sentence in article.sentences)])
        self.units: list[tuple[str, ...]] = []
        self.words: list[str] = []
        self.spans: list[tuple[int, int]] = []
        self.first = [0]
        for start, end in spans:
            found = list(_WORD.finditer(article.text, start, end))
            self.units.append(tuple(word.group() for word in found))
            self.words += self.units[-1]
            self.spans += [word.span() for word in found]
            self.first.append(len(self.words))
        self._numbers = {start: number for number, (start, _) in enumerate(self.spans)}

    def within(self, start: int, end: int) -> range:
        """The numbers of the words from a sentence's start up to an end; empty where no word starts there."""
        first = self._numbers.get(start)
        if first is None:
            return range(0)
        last = first
        while last < len(self.spans) and self.spans[last][1] <= end:
            last += 1
        return range(first, last)


def _blocks(one: Sequence[Any], other: Sequence[Any]) -> list[tuple[int, int, int]]:
    """Stretches that are the same in two sequences, in order: (place in one, place in the other, length)."""
    shorter = min(len(one), len(other))
    # What both begin and end with is taken first, so that one edit leaves all before and after it where it is.
    head = next((k for k in range(shorter) if one[k] != other[k]), shorter)
    rest = shorter - head
    tail = next((k for k in range(rest) if one[-1 - k] != other[-1 - k]), rest)
    middle = SequenceMatcher(None, one[head : len(one) - tail], other[head : len(other) - tail], autojunk=False)
    found = [(head + block.a, head + block.b, block.size) for block in middle.get_matching_blocks()]
    return [block for block in [(0, 0, head), *found, (len(one) - tail, len(other) - tail, tail)] if block[2]]


def _values(item: Judged) -> dict[str, Any]:
    """A question as JSON has it; what is not known of it is left out."""
    told = {"style": item.style, "topic": item.topic, "split": item.split, "route": item.route}
    answers = [{"doc": span.doc, "start": span.start, "end": span.end, "digest": span.digest} for span in item.answers]
    return {
        "id": item.id,
        "turns": list(item.turns),
        **{name: value for name, value in told.items() if value},
        "answers": answers,
    }


def _renewed(line: str, spans: Sequence[Span]) -> str:
    """A line with other spans; all else that stands in it is kept, also what this program does not know."""
    values = json.loads(line)
    for answer, span in zip(values["answers"], spans, strict=True):
        answer.update(doc=span.doc, start=span.start, end=span.end, digest=span.digest)
    return json.dumps(values, ensure_ascii=False)


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.fresh")
    try:
        with fresh.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(path.stat().st_mode)
        os.replace(fresh, path)
    except OSError as problem:
        fresh.unlink(missing_ok=True)
        raise EvaluationError(f"{path}: cannot be written ({problem.strerror}). It is as it was.") from problem
