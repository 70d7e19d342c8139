"""Points on which articles say different things: found when a release is built, told when a patient asks about one.

field/differences.toml says which points the field has, which sentences speak of each and how its value is read; a clinic
adds points, and marks what is settled, in its own corpus. Nothing is chosen or weighed: what was found is shown side by side.
"""

from __future__ import annotations

from retrieval.differences.amounts import Value, amounts_in, read_values
from retrieval.differences.asking import Differences
from retrieval.differences.finding import find_differences, notes_on_marks
from retrieval.differences.points import FIELD, Point, Points, load_points

__all__ = [
    "FIELD",
    "Differences",
    "Point",
    "Points",
    "Value",
    "amounts_in",
    "find_differences",
    "load_points",
    "notes_on_marks",
    "read_values",
]
