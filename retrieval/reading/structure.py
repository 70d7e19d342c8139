"""Blocks -> sections and sentences: the shape that everything after reading works on."""

from __future__ import annotations

import re

from retrieval.reading.debris import is_call_to_action
from retrieval.sentences import sentence_spans
from retrieval.types import Block, Section, Sentence

__all__ = ["sections_of", "sentences_of"]

_WORD = re.compile(r"\w")
_MAX_ITEM_WORDS = 16
_MAX_LIST_WORDS = 80


def sections_of(text: str, blocks: tuple[Block, ...], title: str) -> tuple[tuple[Section, ...], tuple[int, ...]]:
    """Group blocks under their headings.

    Parameters: canonical text, its blocks in order, and the article's title (its own heading opens no section of its own).
    Returns the sections, and for each block the index of its section; a section without heading has an empty path.
    """
    sections: list[Section] = []
    belongs: list[int] = []
    path: list[tuple[int, str]] = []
    fresh = True
    for block in blocks:
        if block.kind == "heading":
            heading = text[block.start : block.end]
            path = [step for step in path if step[0] < block.level]
            if _same(heading, title):
                path = []
            else:
                path.append((block.level, heading))
            fresh = True
        elif block.opens:
            # A gap without a heading: what follows no longer belongs to the heading above.
            path = path[:-1]
            fresh = True
        if fresh:
            sections.append(Section(tuple(step[1] for step in path), block.start, block.end, block.page))
            fresh = False
        else:
            last = sections[-1]
            sections[-1] = Section(last.path, last.start, block.end, last.page)
        belongs.append(len(sections) - 1)
    return tuple(sections), tuple(belongs)


def sentences_of(text: str, blocks: tuple[Block, ...], belongs: tuple[int, ...]) -> tuple[Sentence, ...]:
    """Divide the blocks that can be quoted into sentences.

    Parameters: canonical text, its blocks and each block's section.
    Returns the sentences in order; headings, debris, calls to action and list heads without a list are left out.
    A sentence that ends in a colon and the short items after it are one sentence, since neither says anything alone.
    """
    sentences: list[Sentence] = []
    within = -1
    for number, block in enumerate(blocks):
        if number <= within or block.kind in {"heading", "debris"}:
            continue
        spans = sentence_spans(text, block.start, block.end)
        if spans and text[block.end - 1] == ":":
            within = _short_list_after(text, blocks, belongs, number)
            start, end = spans.pop()
            if within > number:
                spans.append((start, blocks[within].end))
            elif number + 1 < len(blocks) and blocks[number + 1].kind == "item":
                spans.append((start, end))
        for start, end in spans:
            sentence = text[start:end]
            if _WORD.search(sentence) and not is_call_to_action(sentence):
                sentences.append(Sentence(start, end, belongs[number], number, block.page))
    return tuple(sentences)


def _short_list_after(text: str, blocks: tuple[Block, ...], belongs: tuple[int, ...], head: int) -> int:
    """The last item of the list that a block introduces, when the list is short enough to be one sentence, or -1."""
    last = head
    in_all = 0
    while last + 1 < len(blocks) and blocks[last + 1].kind == "item" and belongs[last + 1] == belongs[head]:
        last += 1
        words = len(text[blocks[last].start : blocks[last].end].split())
        in_all += words
        if words > _MAX_ITEM_WORDS or in_all > _MAX_LIST_WORDS:  # not looked at to its end, which may be far
            return -1
    return last if last > head else -1


def _same(heading: str, title: str) -> bool:
    return heading.casefold().split() == title.casefold().split()
