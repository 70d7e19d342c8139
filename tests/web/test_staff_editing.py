"""What is typed and what others save meanwhile: nothing of anybody's is overwritten unseen."""

from __future__ import annotations

from datetime import date

import pytest

from retrieval.errors import CorpusError
from web.staff.editing import FORM, as_typed, entered, like_it_was, merged

SHOWN = ("Redness", "Clinic", "", "en", "aftercare, a", "", "", "")


def _typed(**values: str) -> list[str]:
    return [values.get(name, shown) for (name, _, _), shown in zip(FORM, SHOWN, strict=True)]


def test_only_what_was_changed_is_saved_each_as_what_it_is() -> None:
    assert entered(SHOWN, _typed()) == {}
    typed = _typed(title=" ", topics="lasers, , aftercare ", reviewed_on="2026-05-03", reviewed_by="Dr. Lim")
    changed = {"title": None, "topics": ["lasers", "aftercare"], "reviewed_on": date(2026, 5, 3), "reviewed_by": "Dr. Lim"}
    assert entered(SHOWN, typed) == changed


def test_what_is_no_date_is_named() -> None:
    with pytest.raises(CorpusError, match="Review by: '3 May' is no date"):
        entered(SHOWN, _typed(review_by="3 May"))


def test_a_form_shows_what_is_there_now_unless_something_else_was_typed() -> None:
    assert merged("a", "1", "a", "b", "2") == ("b", "b", "2")  # nothing typed
    assert merged("a", "1", "b", "b", "2") == ("b", "b", "2")  # what was typed is what was saved
    assert merged("a", "1", "c", "a", "2") == ("c", "a", "2")  # something else of the file was changed
    assert merged("a", "1", "c", "b", "2") == ("c", "a", "1")  # both: saving is refused with the old digest


def test_a_file_keeps_its_kind_of_line_ends() -> None:
    for text in ("one\ntwo\n", "one\r\ntwo\r\n"):
        assert like_it_was(as_typed(text), text) == text
