"""The glossary: lay words for terms, checked for what would make it mean two things."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retrieval.errors import SettingsError
from retrieval.glossary import FIELD, Glossary, load_glossary


def glossary(folder: Path, text: str, *others: Path) -> Glossary:
    file = folder / "glossary.txt"
    file.write_text(text, encoding="utf-8")
    return load_glossary(*others, file)


def test_lay_words_lead_to_their_terms_whatever_their_endings(tmp_path: Path) -> None:
    found = glossary(tmp_path, "# a note\n\nsession: visit, one go\nredness: like a tomato\n")
    assert found.terms_of("How many VISITS until I look like a tomato?") == ["session", "redness"]
    assert found.terms_of("is one go enough, one go only") == ["session"]
    assert found.terms_of("like tomatoes") == []


def test_the_longest_phrase_counts(tmp_path: Path) -> None:
    found = glossary(tmp_path, "erythema: ring\ninfraorbital: tear ring, tear ring round the eye\n")
    assert found.terms_of("a tear ring round the eye") == ["infraorbital"]


def test_what_a_clinic_says_of_a_word_counts(tmp_path: Path) -> None:
    field = tmp_path / "field.txt"
    field.write_text("session: visit, go\n", encoding="utf-8")
    found = glossary(tmp_path, "consultation: visit\n", field)
    assert found.terms_of("my first visit") == ["consultation"]
    assert found.terms_of("one more go") == ["session"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("session\n", "line 1: 'session' is no entry"),
        ("session:\n", "line 1: 'session:' is no entry"),
        ("session: ,\n", "is no entry"),
        ("session: ?\n", "is no entry"),
        ("session: visit\nconsultation: visits\n", "line 2: 'visits' stands under 'session' and under 'consultation'"),
        ("session: visit\nvisit: session\n", "goes in a circle: visit -> session -> visit"),
        ("a b: c d\nc d: e f\ne f: a b\n", "goes in a circle"),
        ("session: sessions\n", "goes in a circle"),
    ],
)
def test_what_would_mean_two_things_or_nothing_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        glossary(tmp_path, text)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "glossary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"glossary\.txt: cannot be read"):
        load_glossary(tmp_path / "glossary.txt")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    found = glossary(tmp_path, "session: visit, one go\nredness: like a tomato\n")
    again = Glossary.from_json(json.loads(json.dumps(found.to_json())))
    assert again.terms == found.terms == {"session": ("visit", "one go"), "redness": ("like a tomato",)}
    assert again.terms_of("One visits, like tomatoes: like a tomato") == ["session", "redness"]


def test_the_field_has_a_few_hundred_terms() -> None:
    found = load_glossary(FIELD, Path("nowhere.txt"))
    assert len(found.terms) >= 300
    assert "session" in found.terms_of("how many more visits")
    assert found.words >= {"session", "visit"}
