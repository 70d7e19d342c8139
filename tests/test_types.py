"""Values are frozen and slotted, so that nothing can change under an answer."""

from __future__ import annotations

import dataclasses

import pytest

from retrieval import types

VALUES = [value for name in types.__all__ if dataclasses.is_dataclass(value := getattr(types, name))]


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_values_cannot_be_changed_or_added_to(kind: type) -> None:
    assert kind.__dataclass_params__.frozen
    assert "__slots__" in vars(kind)
    assert "__dict__" not in dir(kind)


def test_a_section_is_called_by_its_innermost_heading() -> None:
    assert types.Section(("After treatment", "Redness"), 0, 5).title == "Redness"
    assert types.Section((), 0, 5).title == ""
