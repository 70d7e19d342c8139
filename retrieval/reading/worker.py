"""The child process that parses or draws one untrusted file: bytes on standard input, one JSON object on standard output.

Its limits are set before the first byte is parsed. Run by retrieval.reading.sandbox, never by hand.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from retrieval.errors import UnreadableFile
from retrieval.reading.confined import confine
from retrieval.reading.draft import whole
from retrieval.reading.formats import read_bytes
from retrieval.reading.structure import sections_of, sentences_of

__all__ = ["draw", "main"]

_MAX_NUMBER = 10**18


def main() -> None:
    """Set the limits given as arguments (bytes of memory, seconds of CPU), read standard input, print the reading."""
    _run(_read)


def draw() -> None:
    """The same for a PDF's pages: the first line of standard input is a JSON object with its text and blocks."""
    _run(_draw)


def _run(work: Callable[[Path, bytes], dict[str, object]]) -> None:
    name, memory, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    _limit(memory, seconds)
    confine()
    logging.disable(logging.CRITICAL)
    data = sys.stdin.buffer.read()
    try:
        result = work(Path(name), data)
    except UnreadableFile as problem:
        result = {"reason": problem.reason, "remedy": problem.remedy}
    except MemoryError:
        result = {"reason": "it needs more memory than a file may use", "remedy": "Save it again in a simpler form."}
    except RecursionError:
        result = {"reason": "it is nested too deeply", "remedy": "Save it again in a simpler form."}
    json.dump(result, sys.stdout)


def _read(path: Path, data: bytes) -> dict[str, object]:
    reading = read_bytes(path, data)
    # Here and not in the parent: a text can be made so that dividing it takes hours.
    _, belongs = sections_of(reading.text, reading.blocks, reading.title)
    sentences = sentences_of(reading.text, reading.blocks, belongs)
    return {
        "text": reading.text,
        "title": reading.title,
        "metadata": {whole(key): _plain(value) for key, value in reading.metadata.items()},
        "warnings": list(reading.warnings),
        "blocks": [[b.kind, b.start, b.end, b.level, b.page, b.opens] for b in reading.blocks],
        "sentences": [[s.start, s.end, s.block] for s in sentences],
    }


def _draw(path: Path, data: bytes) -> dict[str, object]:
    # Imported on use: only a file that is drawn pays for what draws.
    from retrieval.reading.drawing import draw_pdf

    told, _, data = data.partition(b"\n")
    known = json.loads(told)
    drawn = draw_pdf(path, data, known["text"], known["blocks"])
    pictures = [base64.b64encode(picture).decode() for picture in drawn.pictures]
    return {"pictures": pictures, "sizes": drawn.sizes, "words": drawn.words}


def _limit(memory: int, seconds: int) -> None:
    os.umask(0o077)
    # The kernel kills without a word at the hard limit of CPU time; a second before, SIGXCPU says what it is.
    limits = (
        ("RLIMIT_CPU", seconds, seconds + 1),
        ("RLIMIT_AS", memory, memory),
        ("RLIMIT_NOFILE", 64, 64),
        ("RLIMIT_FSIZE", 0, 0),
        ("RLIMIT_NPROC", 0, 0),
        ("RLIMIT_CORE", 0, 0),
    )
    for limit, soft, hard in limits:
        # macOS refuses some of them; the parent's clock and output cap hold there too.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, limit), (soft, hard))


def _plain(value: object) -> object:
    """Dates as text, the rest as JSON has it; anything else as its own words."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, int) and abs(value) >= _MAX_NUMBER:
        return "a number that is far too long"  # Python itself refuses to write it
    if isinstance(value, int | float | bool) or value is None:
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value)
