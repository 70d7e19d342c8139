"""One tree of errors, drawn as it is."""

from __future__ import annotations

import re
from pathlib import Path

from retrieval import errors


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = re.findall(r"^([│├└─ ]*)(\w+)", (errors.__doc__ or "").split("\n\n", 1)[1], flags=re.MULTILINE)
    parents: list[tuple[int, type]] = []
    for indent, name in drawn:
        kind = getattr(errors, name)
        parents = [parent for parent in parents if parent[0] < len(indent)]
        if parents:
            assert kind.__bases__ == (parents[-1][1],), name
        parents.append((len(indent), kind))
    assert {name for _, name in drawn} == {name for name in errors.__all__ if isinstance(getattr(errors, name), type)}


def test_an_unreadable_file_names_itself_the_reason_and_the_way_out() -> None:
    problem = errors.UnreadableFile(Path("/a/b/leaflet.pdf"), "it is locked", "Save it without the password.")
    assert str(problem) == "leaflet.pdf: it is locked. Save it without the password."
    assert (problem.path, problem.reason) == (Path("/a/b/leaflet.pdf"), "it is locked")
