"""Plots of results as SVG that stays the same where the figures do (matplotlib)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

__all__ = ["line_plot"]


def line_plot(along: str, at: Sequence[float], lines: Mapping[str, Sequence[float]]) -> str:
    """Draw lines over a value that grows by powers of ten, both axes logarithmic."""
    with mpl.rc_context({"svg.hashsalt": along, "font.size": 10}):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.add_subplot(xscale="log", yscale="log", xlabel=along)
        for name, values in lines.items():
            axes.plot(at, values, marker="o", markersize=4, label=name)
        figure.legend(loc="outside right upper", frameon=False)
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
