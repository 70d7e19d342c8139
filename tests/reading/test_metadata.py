"""Metadata: checked value by value, never guessed."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from samples import refused

from retrieval.reading.metadata import metadata_from, sidecar_of, sidecar_values
from retrieval.types import Metadata

PATH = Path("redness.toml")


def test_an_article_has_its_metadata_beside_it() -> None:
    assert sidecar_of(Path("corpus/redness.pdf")) == Path("corpus/redness.toml")
    assert sidecar_of(Path("corpus/v1.2.pdf")) == Path("corpus/v1.2.toml")


def test_every_field_is_read() -> None:
    source = """
        title = "Red   skin"
        based_on = "A study"
        publisher = "A journal"
        language = "de"
        topics = ["laser", "skin"]
        reviewed_by = "Dr. Lee"
        reviewed_on = 2026-05-03
        review_by = 2027-05-03
    """
    metadata, warnings = metadata_from(PATH, sidecar_values(source.encode(), PATH))
    assert metadata == Metadata(
        "Red skin", "A study", "A journal", "de", ("laser", "skin"), "Dr. Lee", date(2026, 5, 3), date(2027, 5, 3)
    )
    assert warnings == ()


def test_what_is_not_said_stays_empty() -> None:
    assert metadata_from(PATH, {}) == (Metadata(), ())
    assert metadata_from(PATH, {"review_by": None, "language": ""})[0] == Metadata()


def test_a_date_may_be_written_as_text() -> None:
    assert metadata_from(PATH, {"review_by": "2026-05-03"})[0].review_by == date(2026, 5, 3)


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert sidecar_values('\ufefftitle = "Red"'.encode(), PATH) == {"title": "Red"}


def test_an_unknown_name_is_warned_of() -> None:
    warnings = metadata_from(PATH, {"titel": "Red", "author": "Lee"})[1]
    assert [warning.split(" means")[0] for warning in warnings] == ['redness.toml: "author"', 'redness.toml: "titel"']
    assert "reviewed_on" in warnings[0]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"title": 5}, "title = 5 is not text"),
        ({"topics": "laser"}, 'topics = "laser" is not a list of words'),
        ({"topics": ["laser", 2]}, 'topics = ["laser", 2] is not a list of words'),
        ({"review_by": "May 2026"}, 'review_by = "May 2026" is not a date'),
        ({"review_by": 2026}, "review_by = 2026 is not a date"),
        ({"review_by": datetime(2026, 5, 3, 12)}, "is not a date"),
        ({"reviewed_on": date(2026, 5, 3)}, "it has reviewed_on but not reviewed_by"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(values: dict[str, object], reason: str) -> None:
    with refused(reason, name="redness.toml"):
        metadata_from(PATH, values)


@pytest.mark.parametrize(
    "data",
    [
        b"title = ",
        b"title = \xff",
        b"title",
        b"a = 1\na = 2",
        b"n = " + b"1" * 5000,
        b"d = 2026-13-45",
        b"a = " + b"[" * 20_000,
    ],
    ids=["cut", "not UTF-8", "no value", "twice", "long number", "no date", "nested"],
)
def test_a_file_that_is_no_toml_is_refused(data: bytes) -> None:
    with refused("it is not valid TOML", name="redness.toml", remedy="Mend"):
        sidecar_values(data, PATH)
