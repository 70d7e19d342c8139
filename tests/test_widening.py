"""Widening: terms beside lay words, and slips of the pen mended where there is no doubt."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import DamagedRelease
from retrieval.glossary import Glossary
from retrieval.widening import Widening

TEXTS = ["Redness settles in three weeks.", "Acne scars need several sessions.", "Wear sunscreen. Scans are rare."]
WIDENING = Widening.of(Glossary({("visit",): ("session", "visit"), ("spec",): ("goggles", "specs")}), TEXTS)
SLIPS = {"acen": "acne", "redess": "redness", "sesions": "sessions", "settels": "settles", "gogles": "goggles", "weks": "weeks"}


def test_terms_stand_beside_the_words_that_lead_to_them() -> None:
    assert WIDENING.widen("How many visits?", ()) == "How many visits? session"


@pytest.mark.parametrize(("slip", "word"), SLIPS.items())
def test_a_slip_is_mended_to_the_one_word_that_is_near(slip: str, word: str) -> None:
    assert WIDENING.widen(f"what of {slip}", (slip,)) == f"what of {word}"


@pytest.mark.parametrize("word", ["scaks", "rare", "mad", "zebra"])
def test_a_word_is_left_alone_where_there_is_doubt_or_nothing_near(word: str) -> None:
    assert WIDENING.widen(word, (word,)) == word


@given(st.text(max_size=60))
def test_no_word_is_touched_that_the_model_knows(text: str) -> None:
    assert WIDENING.widen(text, ()).startswith(text)


def test_a_term_that_stands_in_the_question_is_not_added() -> None:
    assert WIDENING.widen("is a visit one session", ()) == "is a visit one session"


def test_only_the_whole_word_is_mended() -> None:
    assert WIDENING.widen("acen, acenes and can't", ("acen",)) == "acne, acenes and can't"


def test_a_slip_of_a_lay_word_leads_to_its_term_too() -> None:
    assert WIDENING.widen("two vissit", ("vissit",)).endswith("visit session")


def test_what_is_saved_is_loaded_and_what_is_damaged_is_named(tmp_path: Path) -> None:
    WIDENING.save(tmp_path)
    again = Widening.load(tmp_path)
    assert again.known == WIDENING.known
    assert again.widen("two vissit acen", ("vissit", "acen")) == WIDENING.widen("two vissit acen", ("vissit", "acen"))
    (tmp_path / "glossary.json").write_text("nonsense", encoding="utf-8")
    with pytest.raises(DamagedRelease, match="Build again"):
        Widening.load(tmp_path)
