"""What every Gradio page here shares: Gradio told to keep to itself, the device's own fonts, the clinic's colour."""

from __future__ import annotations

import os

# Gradio looks these up at its import.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1")
# Nobody looks at the statistics of its queue, which it would work out anew after every event.
os.environ.update(GRADIO_ANALYTICS_CACHE_FREQUENCY=str(10**9), GRADIO_ANALYTICS_MAX_EVENTS="1")

import gradio as gr

__all__ = ["accent_css", "gr", "own_fonts", "readable_on"]


def own_fonts() -> gr.Theme:
    """A plain theme with the fonts of the reader's own device: nothing is downloaded."""
    return gr.themes.Base(font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"], font_mono=["monospace"])


def accent_css(colour: str) -> str:
    """The clinic's colour in #rrggbb, and what can be read on it, as style."""
    return f":root {{ --pf-accent: {colour}; --pf-on-accent: {readable_on(colour)}; }}"


def readable_on(colour: str) -> str:
    """White or black, whichever stands out more from a colour in #rrggbb (relative luminance as in WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#fff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000"
