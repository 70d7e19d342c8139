"""The words inside a quote that answer are found among its clauses."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import WordEncoder

from retrieval.encoder import Encoder
from retrieval.errors import DamagedRelease
from retrieval.marking import Clauses, clauses_of
from retrieval.reading import read_article
from retrieval.types import Article

pytestmark = pytest.mark.usefixtures("quick_reading")


def article(folder: Path, text: str) -> Article:
    file = folder / "a.md"
    file.write_text(text, encoding="utf-8")
    return read_article(file)


def cut(read: Article) -> list[str]:
    return [read.text[start:end] for start, end in clauses_of(read)]


def marked(read: Article, question: str, encoder: Encoder) -> str:
    """What is marked of the whole article's text."""
    spans = clauses_of(read)
    clauses = Clauses.of([(spans, encoder.encode([read.text[start:end] for start, end in spans]))])
    start, end = clauses.best([read], 0, 0, len(read.text), encoder.encode_questions([question])[0])
    return read.text[start:end]


def test_a_sentence_is_cut_where_a_clause_begins(tmp_path: Path) -> None:
    read = article(tmp_path, "# A\n\nRedness fades within a day, and you can work, because the skin heals fast. It is mild.\n")
    assert cut(read) == ["Redness fades within a day", "and you can work", "because the skin heals fast", "It is mild"]


def test_what_only_leads_to_a_clause_is_not_cut_from_it(tmp_path: Path) -> None:
    read = article(
        tmp_path, "# A\n\nBefore pico laser, it would help to rest. If your skin is sensitive, the gap is eight weeks.\n"
    )
    assert cut(read) == ["Before pico laser, it would help to rest", "If your skin is sensitive", "the gap is eight weeks"]


def test_what_is_only_enumerated_is_not_cut(tmp_path: Path) -> None:
    assert len(cut(article(tmp_path, "# A\n\nIt treats scars, spots, lines and tattoos.\n"))) == 1


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["one", "two,", "because", "three;", "(four)", "if", "and the", "fifth"]), min_size=3, max_size=30)
)
def test_clauses_are_in_order_and_lose_no_word(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    read = article(tmp_path_factory.mktemp("a"), f"# A\n\nThe {' '.join(words)} end of it.\n")
    spans = clauses_of(read)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    between = [read.text[before[1] : after[0]] for before, after in itertools.pairwise(spans)]
    assert not any(letter.isalnum() for gap in between for letter in gap)
    whole = {sentence.start for sentence in read.sentences}
    assert all(len(read.text[start:end].split()) >= 3 or start in whole for start, end in spans)


def test_the_clause_nearest_to_the_question_is_marked(tmp_path: Path, real_encoder: Encoder) -> None:
    read = article(
        tmp_path,
        "# A\n\nA numbing cream is put on before the laser, while the tattoo needs six sessions. Parking is behind us.\n",
    )
    assert marked(read, "where do I leave my car", real_encoder) == "Parking is behind us"
    assert marked(read, "will my skin be numbed", real_encoder) == "A numbing cream is put on before the laser"


def test_a_question_for_a_time_is_answered_by_a_clause_that_has_one(tmp_path: Path, words: WordEncoder) -> None:
    read = article(tmp_path, "# A\n\nThe redness goes at last, although the redness goes in 2 days.\n")
    assert marked(read, "how long until redness goes", words) == "although the redness goes in 2 days"
    assert marked(read, "redness goes", words) == "The redness goes at last"


def test_only_clauses_within_the_quote_are_marked(tmp_path: Path, words: WordEncoder) -> None:
    read = article(tmp_path, "# A\n\nRedness fades soon. Redness fades late.\n")
    spans = clauses_of(read)
    clauses = Clauses.of([(spans, words.encode([read.text[start:end] for start, end in spans]))])
    question = words.encode_questions(["redness fades soon"])[0]
    second = read.sentences[1]
    start, end = clauses.best([read], 0, second.start, second.end, question)
    assert read.text[start:end] == "Redness fades late"
    assert clauses.best([read], 0, second.start, second.start + 3, question) == (second.start, second.start)


def test_what_is_saved_is_loaded(tmp_path: Path, words: WordEncoder) -> None:
    spans = [(0, 4), (6, 9)]
    clauses = Clauses.of([([], np.empty((0, words.dimension), np.float32)), (spans, words.encode(["one two", "three"]))])
    clauses.save(tmp_path)
    again = Clauses.load(tmp_path)
    assert again.of_article(0)[0] == []
    assert again.of_article(1)[0] == spans
    assert again.of_article(1)[1] == pytest.approx(words.encode(["one two", "three"]), abs=1e-3)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "places.npy").write_bytes(b"nonsense")
    with pytest.raises(DamagedRelease, match="the clauses cannot be read"):
        Clauses.load(tmp_path)
