"""Which whole sentences belong together, so that none is shown without the one that it leans on or that limits it."""

from __future__ import annotations

import re

from retrieval.passages import adjoin, sentence_text
from retrieval.types import Article, Passage

__all__ = ["asks_for_a_list", "complete"]

# "This treatment" is understood by itself, and so is "it": both mostly mean what the whole article is about.
_LEANS = re.compile(
    r"(?:however|but|yet|these|those|such|they|their|he|she|instead|in this way"
    r"|this(?! (?:\w+ )?(?:treatment|device|product|laser|technology|procedure|method|article)))\b",
    re.IGNORECASE,
)
_LIMITS = re.compile(
    r"(?:however|but|yet|still|nevertheless|unless|except|although|though|note|only|even so|that said"
    r"|if (?:your|you have|you are sensitive)|in (?:some|rare|a few) cases)\b",
    re.IGNORECASE,
)
_ASKS_FOR_A_LIST = re.compile(
    r"\b(?:what|which|name|give)\s+(?:me\s+)?(?:all\s+)?(?:are|were|the|of)\b.*s\b"
    r"|\b(?:what|which)\s+(?:\w+\s+){0,2}(?:things|steps|problems|conditions|types|kinds|sorts|areas|effects|risks|benefits"
    r"|results|outcomes|changes|reasons|stages|parts|people|products|uses)\b"
    r"|\blist\b|\b(?:all|every|each)\s+(?:of\s+)?the\b|\beverything\b",
    re.IGNORECASE,
)
_MOST_SENTENCES = 4
_LONGEST_LIST = 12


def asks_for_a_list(question: str) -> bool:
    """Whether a question asks for all there are of something."""
    return _ASKS_FOR_A_LIST.search(question) is not None


def complete(article: Article, passage: Passage, whole_list: bool = False) -> Passage:
    """Take along what a passage must not be shown without.

    Parameters: the article, the passage, and whether the question asks for a list.
    The sentence before, where the first one leans on it ("These effects ..."); the sentence after, where it limits the last
    one ("However, ...", "If your skin is sensitive ..."); the items of a list, where the last one is only its head; the whole
    list, where the question asks for one. (Items that are no sentences by themselves are read as one with the words that
    head them.) Nothing is taken from another section, and at most four sentences are shown together, apart from lists.
    """
    first, last = passage.first, passage.last
    item = next((place for place in range(first, last + 1) if _is_item(article, place)), None) if whole_list else None
    if item is not None:
        head, end = _list_of(article, item)
        if end - head < _LONGEST_LIST:
            return Passage(passage.article, min(head, first), max(end, last))
    if first and last - first + 1 < _MOST_SENTENCES and adjoin(article, first - 1) and _LEANS.match(_text(article, first)):
        first -= 1
    count = len(article.sentences)
    if (
        last + 1 < count
        and last - first + 1 < _MOST_SENTENCES
        and adjoin(article, last)
        and _LIMITS.match(_text(article, last + 1))
    ):
        last += 1
    if _text(article, last).endswith(":"):
        while last + 1 < count and last - first < _LONGEST_LIST and adjoin(article, last) and _is_item(article, last + 1):
            last += 1
    return Passage(passage.article, first, last)


def _list_of(article: Article, item: int) -> tuple[int, int]:
    """The first and last sentence of the list that an item stands in, with the sentence that heads it."""
    first = last = item
    while first and adjoin(article, first - 1) and _is_item(article, first - 1):
        first -= 1
    if first and adjoin(article, first - 1) and _text(article, first - 1).endswith(":"):
        first -= 1
    while last + 1 < len(article.sentences) and adjoin(article, last) and _is_item(article, last + 1):
        last += 1
    return first, last


def _is_item(article: Article, sentence: int) -> bool:
    return article.blocks[article.sentences[sentence].block].kind == "item"


def _text(article: Article, sentence: int) -> str:
    return sentence_text(article, sentence)
