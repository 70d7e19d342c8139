"""Sets of places: the same as numpy's own functions make of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrieval.places import joined, values_at

some = st.lists(st.integers(0, 30), max_size=20).map(lambda places: np.array(places, dtype=np.int64))


@given(st.lists(some, min_size=1, max_size=3))
def test_joined_places_are_ascending_and_each_there_once(parts: list[np.ndarray]) -> None:
    before = [part.copy() for part in parts]
    assert joined(parts).tolist() == sorted({int(place) for part in parts for place in part})
    assert all(np.array_equal(part, was) for part, was in zip(parts, before, strict=True))


@given(some, some)
def test_each_place_gets_its_value_and_others_get_none(places: np.ndarray, known: np.ndarray) -> None:
    known = np.unique(known)
    values = (known * 2 + 1).astype(np.float32)
    expected = [2 * place + 1 if place in known else 0 for place in places.tolist()]
    assert values_at(places, known, values).tolist() == expected
