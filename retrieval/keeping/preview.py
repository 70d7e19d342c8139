"""What the machine read of an article, row by row, for staff to hold beside the original."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from retrieval.damage import KINDS, Damage, damage_in, sentence_name, without_damaged
from retrieval.encoder import Encoder
from retrieval.errors import UnreadableFile
from retrieval.passages import passage_in_context, passage_text, passages_of, sentence_text
from retrieval.types import Article, Passage

__all__ = ["Row", "by_sentence", "kinds_of", "passages_preview", "shortened"]

_TELLING = re.compile(r"[\w\x00-\x08\x0e-\x1f\ufffd\ue000-\uf8ff]")  # more than a bullet or a bracket
_SHOWN = 160  # characters of a text in a message


@dataclass(frozen=True, slots=True)
class Row:
    """One row of what was read: a section, a sentence, a passage of several sentences, or a stretch that is never quoted.

    `tokens` is what the model reads of it with its headings, 0 where that is not asked; `why` says why it is not quoted.
    """

    kind: Literal["section", "sentence", "passage", "left out"]
    text: str
    start: int
    end: int
    page: int = 0
    tokens: int = 0
    why: str = ""


def passages_preview(article: Article, encoder: Encoder) -> tuple[Row, ...]:
    """What was read of an article and what of it can be shown, in the order of the text.

    Parameters: the article as `read_article` gives it, and the model.
    Returns a row for each section, each sentence with its tokens, each passage of two or three sentences after the first of
    them, and each stretch that is never quoted, with the reason.
    """
    known = encoder.known_words()
    try:
        quoted = without_damaged(article, known)
    except UnreadableFile:
        quoted = replace(article, sentences=())
    passages = passages_of(quoted, 0)
    counts = encoder.count_tokens([passage_in_context(quoted, passage) for passage in passages])
    rows = [
        Row("section", " > ".join(section.path), section.start, section.end, section.page)
        for section in article.sections
        if section.path
    ]
    rows += [_passage_row(quoted, passage, count, encoder) for passage, count in zip(passages, counts, strict=True)]
    rows += _left_out(article, quoted, known)
    order = {"section": 0, "sentence": 1, "passage": 2, "left out": 1}
    return tuple(sorted(rows, key=lambda row: (row.start, order[row.kind], row.end)))


def _passage_row(article: Article, passage: Passage, tokens: int, encoder: Encoder) -> Row:
    single = passage.first == passage.last
    first, last = article.sentences[passage.first], article.sentences[passage.last]
    too_long = f"longer with its headings than the model reads ({encoder.max_tokens} tokens)"
    what = "; divide it, or the article is refused" if single else "; its sentences count by themselves"
    why = too_long + what if tokens > encoder.max_tokens else ""
    kind: Literal["sentence", "passage"] = "sentence" if single else "passage"
    return Row(kind, passage_text(article, passage), first.start, last.end, first.page, tokens, why)


def _left_out(article: Article, quoted: Article, known: frozenset[str]) -> Iterator[Row]:
    """Damaged sentences, and what stands between the sentences of blocks that are no headings."""
    kept = {(sentence.start, sentence.end) for sentence in quoted.sentences}
    damage = by_sentence(damage_in(article, known))
    spans = sorted((sentence.start, sentence.end) for sentence in article.sentences)
    for place, sentence in enumerate(article.sentences):
        if (sentence.start, sentence.end) not in kept:
            text = sentence_text(article, place)
            why = f"looks damaged: {kinds_of(article, damage[sentence_name(text)])}"
            yield Row("left out", text, sentence.start, sentence.end, sentence.page, why=why)
    for block in article.blocks:
        if block.kind == "heading":
            continue
        at = block.start
        for start, end in [*(span for span in spans if span[0] < block.end and span[1] > block.start), (block.end, block.end)]:
            text = article.text[at : max(at, start)].strip()
            if _TELLING.search(text):
                begin = article.text.index(text, at)
                why = "of the page around the article, or damaged when it was read" if block.kind == "debris" else (
                    "says nothing by itself: asks to call, click or read on, or begins a list"
                )  # fmt: skip
                yield Row("left out", text, begin, begin + len(text), block.page, why=why)
            at = max(at, end)


def by_sentence(damage: Sequence[Damage]) -> Mapping[str, list[Damage]]:
    """Damage by the name of the sentence that it stands in."""
    found: dict[str, list[Damage]] = defaultdict(list)
    for one in damage:
        found[one.sentence].append(one)
    return found


def kinds_of(article: Article, damage: Sequence[Damage]) -> str:
    """What is wrong, each kind once with the first place that shows it."""
    first = {one.kind: one for one in reversed(damage)}
    told = []
    for kind, one in first.items():
        shown = "".join(sign if sign.isprintable() else "□" for sign in article.text[one.start : one.end])
        told.append(KINDS[kind] if kind in {"symbols", "strange"} else f'{KINDS[kind]}: "{shortened(shown, 40)}"')
    return "; ".join(told)


def shortened(text: str, length: int = _SHOWN) -> str:
    """A text on one line, cut where it is longer than a message should be."""
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
