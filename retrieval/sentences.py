"""Text -> sentence spans, by syntok, with nothing lost in between."""

from __future__ import annotations

import re

from syntok.segmenter import segment
from syntok.tokenizer import Tokenizer

__all__ = ["sentence_spans"]

_TOKENIZER = Tokenizer(emit_hyphen_or_underscore_sep=True, replace_not_contraction=False)
_ABBREVIATION_END = re.compile(r"\b(?:e\.g|i\.e|approx|incl|Dr|Mr|Mrs|Ms|Prof|vs|no|fig|min|max|hrs?)\.$", re.IGNORECASE)


def sentence_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Divide text[start:end], one block of an article, into sentences.

    Parameters: canonical text and the block's offsets.
    Returns spans in order, without white space at their ends; together they hold all other characters of the block.
    """
    tokens = _TOKENIZER.tokenize(text[start:end], start)
    firsts = [sentence[0].offset for sentence in segment(tokens) if sentence]
    if not firsts:
        return []
    firsts[0] = start + len(text[start:end]) - len(text[start:end].lstrip())
    spans: list[tuple[int, int]] = []
    for first, following in zip(firsts, [*firsts[1:], end], strict=True):
        last = first + len(text[first:following].rstrip())
        if spans and _ABBREVIATION_END.search(text[spans[-1][0] : spans[-1][1]]):
            first = spans.pop()[0]
        if last > first:
            spans.append((first, last))
    return spans
