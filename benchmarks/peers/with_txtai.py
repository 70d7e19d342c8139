"""txtai, as its introduction sets it up: an embeddings index with content, here hybrid and over its own paragraphs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from peer import SHOWN, Ask, Found, Options, main, model_folder, place, read_texts
from txtai import Embeddings
from txtai.pipeline import Segmentation

_INDEX, _PLACES = "index", "places.json"


def index(texts: Path, folder: Path, options: Options) -> None:
    """Divide into paragraphs, embed and keep, also where each paragraph stands: that it does not say itself."""
    paragraphs = Segmentation(paragraphs=True)
    chunks: list[str] = []
    places: list[tuple[str, int, int]] = []
    for doc, text in read_texts(texts).items():
        parts = [part for part in paragraphs(text) if part]
        chunks.extend(parts)
        places.extend((doc, start, end) for start, end in place(text, parts))
    embeddings = Embeddings(path=str(model_folder()), method="sentence-transformers", content=True, hybrid=True)
    embeddings.index(chunks)
    embeddings.save(str(folder / _INDEX))
    (folder / _PLACES).write_text(json.dumps(places), encoding="utf-8")


def opened(folder: Path, options: Options) -> Ask:
    """Open what was kept."""
    embeddings = Embeddings()
    embeddings.load(str(folder / _INDEX))
    places = json.loads((folder / _PLACES).read_text(encoding="utf-8"))

    def ask(question: str) -> Sequence[Found]:
        return [Found(*places[int(hit["id"])], hit["text"]) for hit in embeddings.search(question, SHOWN)]

    return ask


if __name__ == "__main__":
    main(index, opened)
