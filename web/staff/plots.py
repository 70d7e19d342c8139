"""Plots for the staff's page, drawn by hand as SVG: no script, the page's own colours, and widths in hundredths of the page's.

Each is a figure with a caption, a key with words, and a sentence for who cannot see it. Marks differ in shape or place, not in
colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from web.staff.room import escaped

__all__ = ["Bar", "Span", "bars_svg", "days_svg", "spans_svg"]

_ROW = 46
_LONGEST = 34
_HALF = 90
"""Pixels of a row, letters of a label, pixels above and below the middle."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How often an article was quoted and how often disliked."""

    label: str
    quoted: int
    disliked: int


@dataclass(frozen=True, slots=True)
class Span:
    """When an article was reviewed (None: never), and by when it is to be reviewed again (None: no day was set)."""

    label: str
    reviewed: date | None
    due: date | None


def bars_svg(rows: Sequence[Bar]) -> str:
    """Two bars an article: how often it was quoted, and how often a quote of it was disliked."""
    most = max((max(row.quoted, row.disliked) for row in rows), default=0) or 1
    drawn = []
    for number, row in enumerate(rows):
        y = number * _ROW
        drawn.append(_label(row.label, y + 14))
        for place, (kind, count) in enumerate((("pf-s0", row.quoted), ("pf-s1", row.disliked))):
            drawn.append(f'<rect class="{kind}" x="0" y="{y + 20 + place * 11}" width="{88 * count / most:.2f}%" height="9"/>')
            x = 88 * count / most
            drawn.append(f'<text class="pf-tick" x="{x:.2f}%" dx="6" y="{y + 28 + place * 11}">{count}</text>')
    about = "; ".join(f"{row.label}: quoted {row.quoted} times, disliked {row.disliked} times" for row in rows)
    keys = (("pf-s0", "quoted (upper bar)"), ("pf-s1", "disliked (lower bar)"))
    return _figure("How often articles were quoted, and disliked", keys, len(rows) * _ROW, drawn, about)


def spans_svg(rows: Sequence[Span], today: date) -> str:
    """A line of time an article: a square where it was reviewed, a circle where it is to be again, and today across all."""
    days = [day for row in rows for day in (row.reviewed, row.due) if day] + [today]
    first, last = min(days) - timedelta(days=30), max(days) + timedelta(days=30)
    whole = (last - first).days

    def at(day: date) -> float:
        return 100 * (day - first).days / whole

    height = len(rows) * _ROW + 24
    drawn = [f'<line class="pf-today" x1="{at(today):.2f}%" x2="{at(today):.2f}%" y1="0" y2="{height - 20}"/>']
    for number, row in enumerate(rows):
        y = number * _ROW
        drawn.append(_label(row.label, y + 14))
        drawn.append(f'<line class="pf-grid" x1="0" x2="100%" y1="{y + 30}" y2="{y + 30}"/>')
        if row.reviewed and row.due:
            kind = "pf-over" if row.due < today else "pf-line"
            drawn.append(
                f'<line class="{kind}" x1="{at(row.reviewed):.2f}%" x2="{at(row.due):.2f}%" y1="{y + 30}" y2="{y + 30}"/>'
            )
        if row.reviewed:
            drawn.append(
                f'<svg x="{at(row.reviewed):.2f}%" y="{y + 24}"><rect class="pf-s0" x="-6" y="0" width="12" height="12"/></svg>'
            )
        if row.due:
            drawn.append(f'<circle class="pf-s1" cx="{at(row.due):.2f}%" cy="{y + 30}" r="6"/>')
    for x, day, anchor in ((0.0, first, "start"), (at(today), today, "middle"), (100.0, last, "end")):
        if 20 < x < 80 or x in {0.0, 100.0}:
            said = "today" if day == today else f"{day:%b %Y}"
            drawn.append(f'<text class="pf-tick" x="{x:.2f}%" y="{height - 4}" text-anchor="{anchor}">{said}</text>')
    told = (f"{row.label}: {f'reviewed {row.reviewed}' if row.reviewed else 'never reviewed'}"
            f"{f', to be reviewed by {row.due}' if row.due else ', no day set'}" for row in rows)  # fmt: skip
    keys = (("pf-s0", "reviewed (square)"), ("pf-s1", "review by (circle)"))
    return _figure("When articles were reviewed, and when they are to be again", keys, height, drawn, "; ".join(told))


def days_svg(counts: Mapping[date, tuple[int, int]], today: date, days: int) -> str:
    """A column a day: questions answered above the middle, not found below it."""
    shown = [today - timedelta(days=days - 1 - number) for number in range(days)]
    most = max((max(counts.get(day, (0, 0))) for day in shown), default=0) or 1
    width = 100 / days
    drawn = [f'<text class="pf-tick" x="0" y="12">{most}</text>']
    for number, day in enumerate(shown):
        up, down = counts.get(day, (0, 0))
        x, tall, deep = number * width + width * 0.15, _HALF * up / most, _HALF * down / most
        if up:
            drawn.append(
                f'<rect class="pf-s0" x="{x:.2f}%" y="{_HALF + 16 - tall:.1f}" width="{width * 0.7:.2f}%" height="{tall:.1f}"/>'
            )
        if down:
            drawn.append(f'<rect class="pf-s1" x="{x:.2f}%" y="{_HALF + 16}" width="{width * 0.7:.2f}%" height="{deep:.1f}"/>')
    drawn.append(f'<line class="pf-base" x1="0" x2="100%" y1="{_HALF + 16}" y2="{_HALF + 16}"/>')
    height = 2 * _HALF + 40
    for side, day, anchor in (("0", shown[0], "start"), ("100%", shown[-1], "end")):
        drawn.append(f'<text class="pf-tick" x="{side}" y="{height - 4}" text-anchor="{anchor}">{day.day} {day:%b}</text>')
    answered, vain = (sum(counts.get(day, (0, 0))[which] for day in shown) for which in (0, 1))
    about = (
        f"In the last {days} days {answered} questions were answered with quotes, and {vain} were not found in the articles."
    )
    keys = (("pf-s0", "answered (upward)"), ("pf-s1", "not found (downward)"))
    return _figure(f"Questions a day, the last {days} days", keys, height, drawn, about) + f"<p>{about}</p>"


def _label(text: str, y: int) -> str:
    return f'<text x="0" y="{y}">{escaped(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")}</text>'


def _figure(title: str, keys: Sequence[tuple[str, str]], height: int, drawn: Sequence[str], about: str) -> str:
    key = "".join(
        f'<li><svg width="22" height="14" aria-hidden="true"><rect class="{kind}" x="1" y="1" width="20" height="12"/></svg> '
        f"{name}</li>"
        for kind, name in keys
    )
    return (
        f'<figure class="pf-plot"><figcaption>{title}</figcaption><ul class="pf-key">{key}</ul>'
        f'<svg width="100%" height="{height}" role="img" aria-label="{escaped(title)}. {escaped(about)}">'
        f"{''.join(drawn)}</svg></figure>"
    )
