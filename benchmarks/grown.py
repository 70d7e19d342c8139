"""A release of as many passages as are wanted; benchmarks/growth.py measures it.

Up to some ten thousand it is made of real texts beside the project's own, as a clinic's is: read, divided, encoded.

Above that it is made of what a real release has. Vectors have the statistics of real ones: each is a real passage's, moved at
random as far as real neighbours lie apart and in the directions in which real vectors differ. Words are drawn as often as the
real articles have them, and one in four from 200,000 that no article has, of which the nth is 1/n times as frequent as the
first (Zipf): so many terms, rare and frequent, has a large corpus. Nothing of it says anything.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.build import build
from retrieval.classifier import SHIPPED
from retrieval.encoder import Encoder, Vectors
from retrieval.in_force import put_in_force, stage
from retrieval.lexical import LexicalIndex
from retrieval.marking import Clauses
from retrieval.passages import passage_in_context, passages_of
from retrieval.phrases import words
from retrieval.release import Release
from retrieval.release_files import Content
from retrieval.types import Article, Block, Metadata, Passage, Section, Sentence

__all__ = ["built_release", "grown", "grown_release"]

_BLOCK = 50_000
_SENTENCES, _PER_SECTION = 60, 6
_SHORTEST, _LONGEST = 8, 22
_STRANGE, _RARE_WORDS = 0.25, 200_000
_LETTERS = np.array(list("aeioubcdfgklmnprstv"))


def built_release(index: Path, corpus: Path, texts: Sequence[str], encoder: Encoder) -> None:
    """Build a release of a corpus and of other texts, each an article of its own: its first line is the title."""
    with tempfile.TemporaryDirectory() as work:
        larger = Path(work) / "corpus"
        shutil.copytree(corpus, larger)
        for number, text in enumerate(texts):
            (larger / "articles" / f"other-{number:05d}.md").write_text(f"# {text}\n", encoding="utf-8")
        build(larger, index, encoder)


def grown(real: Vectors, count: int, seed: int = 1) -> Vectors:
    """So many vectors with the statistics of real ones, float32 (count, dimension), of length 1."""
    chance = np.random.default_rng(seed)
    centred = real - real.mean(axis=0)
    _, strengths, directions = np.linalg.svd(centred, full_matrices=False)
    spread = (strengths / np.sqrt(len(real)))[:, None] * directions
    products = real @ real.T
    np.fill_diagonal(products, -1)
    # As far as a real vector's nearest neighbour lies from it.
    apart = np.sqrt(np.maximum(0, 2 - 2 * products.max(axis=1))).mean() / np.sqrt((strengths**2).sum() / len(real))
    found: Vectors = np.empty((count, real.shape[1]), dtype=np.float32)
    for first in range(0, count, _BLOCK):
        size = min(_BLOCK, count - first)
        moved = chance.standard_normal((size, len(spread))).astype(np.float32) @ spread.astype(np.float32)
        block = real[chance.integers(0, len(real), size)] + apart * moved
        found[first : first + size] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return found


def grown_release(index: Path, real: Release, count: int) -> Vectors:
    """Write a release of `count` passages into an index folder and put it in force; returns its vectors."""
    articles, passages = _articles(real, count)
    vectors = grown(real.vectors.part(0, len(real.rows)), len(passages))
    texts = [passage_in_context(articles[passage.article], passage) for passage in passages]
    content = Content(
        articles, passages, vectors, _clauses(articles, real), LexicalIndex.build(texts), real.vocabulary, real.widening,
        real.asked, real.differences, real.clinic, real.model, real.recipe, {}, real.examples, SHIPPED.read_bytes(), {},
    )  # fmt: skip
    name = f"{count:016d}"
    stage(index, name, content)
    put_in_force(index, name, "built", "benchmarks/growth.py")
    return vectors


def _articles(real: Release, count: int) -> tuple[tuple[Article, ...], tuple[Passage, ...]]:
    """The real articles, which the asked-as questions belong to, and others until there are enough passages."""
    chance = np.random.default_rng(3)
    frequent = Counter(word for article in real.articles for word in words(article.text))
    known, shares = np.array(list(frequent)), np.array(list(frequent.values()), dtype=np.float64)
    rare = np.array(["".join(one) for one in chance.choice(_LETTERS, (_RARE_WORDS, 7))])
    rarity = 1 / np.arange(1, _RARE_WORDS + 1)
    articles, passages = list(real.articles), list(real.passages)
    while len(passages) < count:
        lengths = chance.integers(_SHORTEST, _LONGEST, _SENTENCES)
        drawn = chance.choice(known, lengths.sum(), p=shares / shares.sum())
        strange = chance.random(len(drawn)) < _STRANGE
        drawn = np.where(strange, chance.choice(rare, len(drawn), p=rarity / rarity.sum()), drawn)
        said = [" ".join(part).capitalize() + "." for part in np.split(drawn, np.cumsum(lengths)[:-1])]
        article = _article(f"article-{len(articles)}.md", said)
        passages.extend(passages_of(article, len(articles)))
        articles.append(article)
    return tuple(articles), tuple(passages[:count])


def _article(doc: str, said: Sequence[str]) -> Article:
    text, blocks, sections, sentences = "", [], [], []
    for number, sentence in enumerate(said):
        if number % _PER_SECTION == 0:
            heading = " ".join(sentence.split()[:4])
            sections.append((heading, len(text)))
            blocks.append(Block("heading", len(text), len(text) + len(heading), 2))
            text += heading + "\n"
        blocks.append(Block("paragraph", len(text), len(text) + len(sentence)))
        sentences.append(Sentence(len(text), len(text) + len(sentence), len(sections) - 1, len(blocks) - 1))
        text += sentence + "\n"
    ends = [start for _, start in sections[1:]] + [len(text)]
    spans = tuple(Section((title,), start, end) for (title, start), end in zip(sections, ends, strict=True))
    digest = hashlib.sha256(text.encode()).hexdigest()
    told = Metadata(reviewed_on=date(2026, 1, 1))
    return Article(doc, sections[0][0], text, digest, digest, tuple(blocks), spans, tuple(sentences), told)


def _clauses(articles: Sequence[Article], real: Release) -> Clauses:
    """Each sentence as one clause, with the vector of a real one."""
    of_real = np.concatenate([real.clauses_of(article.doc)[1] for article in real.articles]).astype(np.float16)
    parts = []
    for number, article in enumerate(articles):
        spans = [(sentence.start, sentence.end - 1) for sentence in article.sentences]
        places: npt.NDArray[np.int64] = np.arange(number, number + len(spans)) % len(of_real)
        parts.append((spans, of_real[places]))
    return Clauses.of(parts)
