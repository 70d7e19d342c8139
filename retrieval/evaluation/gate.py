"""The gate: limits that an evaluation must keep, and the reasons why it does not.

A gate's file says which figures count, what they were, and where that was measured:

    [baseline]
    commit = "1a2b3c4"
    judged = "corpus/judged/questions.jsonl, dev"

    [figures]
    "hit@1" = { was = 0.51, at_least = 0.49 }
    "answered in vain" = { was = 0.40, at_most = 0.44 }
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path

from retrieval.errors import EvaluationError
from retrieval.evaluation.statistics import Figure

__all__ = ["broken_limits", "gate_text", "measured_on"]

_NOT_SMALLER = ("words", "ms ", "answered in vain", "calibration", "false alarms", "mean risk")
_NEVER_LESS = ("quotes proved",)


def broken_limits(path: Path, figures: Mapping[str, Figure]) -> list[str]:
    """Hold figures against a gate's file.

    Returns a reason for each limit that is not kept; raises EvaluationError for a file that is no gate.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        commit = str(values["baseline"]["commit"])
        limits = [_limit(name, limit) for name, limit in values["figures"].items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise EvaluationError(f"{path}: not a gate ({problem!r}). See docs/evaluating.md.") from problem
    if not limits:
        raise EvaluationError(f"{path}: a gate without figures lets everything pass. See docs/evaluating.md.")
    reasons: list[str] = []
    for name, was, at_least, at_most in limits:
        if name not in figures:
            reasons.append(f"{name}: not measured in this run")
            continue
        now = figures[name].mean
        change = f"{name}: {now:.3f}, was {was:.3f} at {commit} ({now - was:+.3f})"
        # Asked this way round, so that a figure that is no number (nan) does not pass.
        if not at_least <= now <= at_most:
            low = math.isfinite(at_least) and not now > at_most
            reasons.append(f"{change}; must be " + (f"at least {at_least:.3f}" if low else f"at most {at_most:.3f}"))
    return reasons


def measured_on(path: Path) -> tuple[frozenset[str], str]:
    """What a gate's figures were measured on: the names of the files of judged questions, and their split.

    Raises EvaluationError for a file that is no gate.
    """
    try:
        *names, split = str(tomllib.loads(path.read_text(encoding="utf-8"))["baseline"]["judged"]).split(", ")
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise EvaluationError(f"{path}: not a gate ({problem!r}). See docs/evaluating.md.") from problem
    return frozenset(Path(name).name for name in names), split


def gate_text(figures: Mapping[str, Figure], commit: str, judged: str) -> str:
    """Write a gate's file from figures, times left out.

    Each may get worse by a quarter of the width of its 95 % interval, and by 0.01 at least; proof of quotes not at all.
    """
    lines = ["# Written by `patient-faq evaluate --write-gate`. See docs/evaluating.md.", "", "[baseline]"]
    lines += [f"commit = {_quoted(commit)}", f"judged = {_quoted(judged)}", "", "[figures]"]
    for name, figure in figures.items():
        if name.startswith("ms "):
            continue
        room = 0.0 if name in _NEVER_LESS else max(0.01, (figure.high - figure.low) / 4)
        bound = "at_most" if any(name.startswith(word) or word in name for word in _NOT_SMALLER) else "at_least"
        limit = figure.mean + room if bound == "at_most" else figure.mean - room
        # Without room not even rounding may move the limit.
        written = f"{limit:.4f}" if room else f"{limit}"
        lines.append(f"{_quoted(name)} = {{ was = {figure.mean:.4f}, {bound} = {written} }}")
    return "\n".join(lines) + "\n"


def _limit(name: str, limit: Mapping[str, float]) -> tuple[str, float, float, float]:
    """A figure's name, what it was, and its lowest and highest value; raises for a limit that limits nothing."""
    if not {"was"} < set(limit) <= {"was", "at_least", "at_most"}:
        raise ValueError(f"{name} needs was, and at_least or at_most")
    was, least, most = float(limit["was"]), float(limit.get("at_least", "-inf")), float(limit.get("at_most", "inf"))
    return name, was, least, most


def _quoted(text: str) -> str:
    """A text as TOML writes it, which is as JSON does."""
    return json.dumps(text, ensure_ascii=False)
