"""Article -> passages: every run of one to three neighbouring sentences of a section, each a quote that could be shown."""

from __future__ import annotations

import re

from retrieval.types import Article, Passage

__all__ = [
    "LONGEST_RUN",
    "PASSAGES_VERSION",
    "adjoin",
    "context_of",
    "passage_in_context",
    "passage_text",
    "passages_of",
    "sentence_text",
]

# Counts up whenever the same article would be divided or encoded differently.
PASSAGES_VERSION = 1
LONGEST_RUN = 3
"""Sentences of the longest passage."""
_WORDS = re.compile(r"\w{3}")  # more than the number or letter of a list item
_MAX_WORDS = 110


def passages_of(article: Article, number: int) -> tuple[Passage, ...]:
    """Divide an article into passages.

    Parameters: the article, and its place among the articles of the release.
    Returns, for each sentence in order, the runs of one, two and three sentences that begin with it, as far as they
    stay in its section, within 110 words, and have nothing between them that may not be quoted (such as web debris).
    A single sentence is always a passage, however long.
    """
    passages: list[Passage] = []
    sentences = article.sentences
    for first in range(len(sentences)):
        words = 0
        for last in range(first, min(len(sentences), first + LONGEST_RUN)):
            words += len(sentence_text(article, last).split())
            if last > first and (words > _MAX_WORDS or not adjoin(article, last - 1)):
                break
            passages.append(Passage(number, first, last))
    return tuple(passages)


def adjoin(article: Article, sentence: int) -> bool:
    """Whether the next sentence follows this one in the same section with nothing between that may not be quoted."""
    one, other = article.sentences[sentence], article.sentences[sentence + 1]
    return one.section == other.section and not _WORDS.search(article.text[one.end : other.start])


def passage_text(article: Article, passage: Passage) -> str:
    """A passage's own words: the slice of canonical text from its first sentence to its last."""
    return article.text[article.sentences[passage.first].start : article.sentences[passage.last].end]


def passage_in_context(article: Article, passage: Passage) -> str:
    """A passage's words after the headings that it stands under."""
    return f"{context_of(article, article.sentences[passage.first].section)}. {passage_text(article, passage)}"


def context_of(article: Article, section: int) -> str:
    """The article's title and the headings above a section, outermost first."""
    steps = [article.title, *article.sections[section].path]
    return ". ".join(step.rstrip(" .:") for step in steps)


def sentence_text(article: Article, sentence: int) -> str:
    """One sentence's words."""
    span = article.sentences[sentence]
    return article.text[span.start : span.end]
