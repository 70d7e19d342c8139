"""Text -> sentence spans, by syntok, with nothing lost in between."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

__all__ = ["sentence_spans"]

# "no.", "min." and the like end a sentence as often as not: there they are abbreviations only before a figure.
_ABBREVIATION_END = re.compile(r"\b(?:(?:e\.g|i\.e|approx|incl|Dr|Mr|Mrs|Ms|Prof|vs)|(no|fig|min|max|hrs?))\.$", re.IGNORECASE)
_LONGEST_ABBREVIATION = 8


def sentence_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Divide text[start:end], one block of an article, into sentences.

    Parameters: canonical text and the block's offsets.
    Returns spans in order, without white space at their ends; together they hold all other characters of the block.
    """
    # Imported on use, as in _tokenizer: the sandbox's children, one for each file, load this module and divide nothing.
    from syntok.segmenter import segment

    tokens = _tokenizer().tokenize(text[start:end], start)
    firsts = [sentence[0].offset for sentence in segment(tokens) if sentence]
    if not firsts:
        return []
    firsts[0] = start + len(text[start:end]) - len(text[start:end].lstrip())
    spans: list[tuple[int, int]] = []
    for first, following in zip(firsts, [*firsts[1:], end], strict=True):
        last = first + len(text[first:following].rstrip())
        if last <= first:
            continue
        if spans and _goes_on(text, spans[-1], first):
            first = spans.pop()[0]
        spans.append((first, last))
    return spans


@cache
def _tokenizer() -> Any:
    from syntok.tokenizer import Tokenizer

    return Tokenizer(emit_hyphen_or_underscore_sep=True, replace_not_contraction=False)


def _goes_on(text: str, before: tuple[int, int], at: int) -> bool:
    start, end = before
    abbreviation = _ABBREVIATION_END.search(text, max(start, end - _LONGEST_ABBREVIATION), end)
    return abbreviation is not None and (not abbreviation.group(1) or text[at].isdigit())
