"""Reads or draws one untrusted file in a child process with limits on memory, CPU, wall time and output."""

from __future__ import annotations

import base64
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import retrieval
from retrieval.errors import UnreadableFile
from retrieval.reading.draft import MAX_CHARACTERS, Reading
from retrieval.reading.formats import MAX_BYTES, too_large
from retrieval.reading.structure import sections_of
from retrieval.types import Article, Block, Sentence

if TYPE_CHECKING:
    from retrieval.reading.sheets import Sheets

__all__ = ["DRAWING", "Limits", "draw_sandboxed", "read_sandboxed"]

_ROOT = str(Path(retrieval.__file__).resolve().parent.parent)
_START = f"import sys; sys.path.insert(0, {_ROOT!r}); from retrieval.reading.worker import main; main()"
_START_DRAWING = f"import sys; sys.path.insert(0, {_ROOT!r}); from retrieval.reading.worker import draw; draw()"
_KINDS = {"heading", "paragraph", "item", "debris"}
_SIMPLER = "Save it again in a simpler form, or save its text as .docx or .md."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may use: memory and output in bytes, CPU and wall time in seconds."""

    memory: int = 1_500_000_000
    cpu: int = 30
    wall: float = 60.0
    output: int = 12 * MAX_CHARACTERS


DRAWING = Limits(output=14_000_000)
"""What drawing may use: pictures in base64, and a row of numbers a word."""


def read_sandboxed(path: Path, data: bytes, limits: Limits | None = None) -> Reading:
    """Parse a file's bytes in a child process.

    Parameters: its path (the child sees its name only), its bytes, and limits other than the usual ones.
    Raises UnreadableFile with what the child found wrong, or with the limit that it ran into.
    """
    limits = limits or Limits()
    if len(data) > MAX_BYTES:
        raise too_large(path, len(data))
    output = _run(path, data, limits)
    try:
        return _reading(path, json.loads(output))
    except (KeyError, TypeError, ValueError, RecursionError) as problem:
        raise UnreadableFile(path, "it made its reader stop", _SIMPLER) from problem


def draw_sandboxed(path: Path, data: bytes, article: Article, limits: Limits = DRAWING) -> Sheets:
    """Draw a PDF's pages and find its words on them, in a child process of its own.

    What goes wrong here costs an article its pictures only: its text was read before, by another child.
    Parameters: its path, its bytes, and the article that they were read as. Raises UnreadableFile.
    """
    # Imported on use: it needs numpy, and the child that reads a file starts in half the time without.
    from retrieval.reading.sheets import Sheets

    known = {"text": article.text, "blocks": [[block.start, block.end, block.page] for block in article.blocks]}
    output = _run(path, json.dumps(known).encode() + b"\n" + data, limits, _START_DRAWING)
    try:
        result = json.loads(output)
        if "reason" in result:
            raise UnreadableFile(path, str(result["reason"]), str(result["remedy"]))
        pictures = tuple(base64.b64decode(picture, validate=True) for picture in result["pictures"])
        return Sheets.checked(pictures, result["sizes"], result["words"], len(article.text))
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise UnreadableFile(path, "its pages made what draws them stop", _SIMPLER) from problem


def _run(path: Path, data: bytes, limits: Limits, start: str = "") -> bytes:
    command = [sys.executable, "-I", "-c", start or _START, path.name, str(limits.memory), str(limits.cpu)]
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    deadline = time.monotonic() + limits.wall
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd="/"
    ) as child:
        try:
            output = _exchange(path, child, data, deadline, limits)
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as problem:
            raise _took_too_long(path, limits) from problem
        finally:
            child.kill()
    if child.returncode:
        if child.returncode == -signal.SIGXCPU:
            raise _took_too_long(path, limits)
        raise UnreadableFile(path, "it made its reader stop (too much memory, or damage)", _SIMPLER)
    return output


def _exchange(path: Path, child: subprocess.Popen[bytes], data: bytes, deadline: float, limits: Limits) -> bytes:
    """Write the file to the child and take its output, both at once, within time and size."""
    assert child.stdin
    assert child.stdout
    os.set_blocking(child.stdin.fileno(), False)
    output = bytearray()
    rest = memoryview(data)
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdin, selectors.EVENT_WRITE)
        selector.register(child.stdout, selectors.EVENT_READ)
        while selector.get_map():
            remaining = deadline - time.monotonic()
            ready = selector.select(remaining) if remaining > 0 else []
            if not ready:
                raise _took_too_long(path, limits)
            for key, _ in ready:
                if key.fileobj is child.stdin:
                    try:
                        rest = rest[os.write(child.stdin.fileno(), rest[:65536]) :] if rest else rest
                    except BrokenPipeError:
                        rest = rest[:0]
                    if not rest:
                        selector.unregister(child.stdin)
                        child.stdin.close()
                else:
                    piece = os.read(child.stdout.fileno(), 65536)
                    output += piece
                    if len(output) > limits.output:
                        raise UnreadableFile(path, "it unpacks to far more text than an article has", "Split it.")
                    if not piece:
                        selector.unregister(child.stdout)
    return bytes(output)


def _took_too_long(path: Path, limits: Limits) -> UnreadableFile:
    return UnreadableFile(path, f"it took more than {limits.cpu} seconds to read", _SIMPLER)


def _reading(path: Path, result: dict[str, Any]) -> Reading:
    """Check what the child says before any of it is believed."""
    if "reason" in result:
        raise UnreadableFile(path, str(result["reason"]), str(result["remedy"]))
    json.dumps(result, ensure_ascii=False).encode()  # ValueError for halves of characters, which nothing could write
    text = str(result["text"])
    blocks: list[Block] = []
    last = 0
    for kind, start, end, level, page, opens in result["blocks"]:
        if kind not in _KINDS or not last <= start < end <= len(text):
            raise ValueError("a block outside the text")
        blocks.append(Block(kind, int(start), int(end), int(level), int(page), bool(opens)))
        last = end
    sentences: list[Sentence] = []
    last = 0
    belongs = sections_of(text, tuple(blocks), "")[1]
    for start, end, number in result["sentences"]:
        if not (last <= start < end <= len(text) and 0 <= number < len(blocks) and blocks[number].start <= start):
            raise ValueError("a sentence outside its block")
        sentences.append(Sentence(int(start), int(end), belongs[number], int(number), blocks[number].page))
        last = end
    metadata, warnings = dict(result["metadata"]), tuple(map(str, result["warnings"]))
    return Reading(text, tuple(blocks), str(result["title"]), metadata, warnings, tuple(sentences))
