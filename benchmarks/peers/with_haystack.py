"""Haystack, after its tutorial on hybrid retrieval: BM25 and vectors over one splitter's chunks, joined by rank.

The tutorial ranks what both found with a cross-encoder. Its weights are another model's, so here the two lists are joined
by reciprocal rank fusion, which the joiner offers for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from peer import SHOWN, Ask, Found, Options, main, model_folder, read_texts

_STORE = "store.json"


def index(texts: Path, folder: Path, options: Options) -> None:
    """Split, embed and keep; `size` and `overlap` count words."""
    store = InMemoryDocumentStore()
    pipeline = Pipeline()
    pipeline.add_component(
        "splitter", DocumentSplitter(split_by="word", split_length=options["size"], split_overlap=options["overlap"])
    )
    pipeline.add_component("embedder", SentenceTransformersDocumentEmbedder(model=str(model_folder()), progress_bar=False))
    pipeline.add_component("writer", DocumentWriter(store))
    pipeline.connect("splitter", "embedder")
    pipeline.connect("embedder", "writer")
    documents = [Document(content=text, meta={"doc": doc}) for doc, text in read_texts(texts).items()]
    pipeline.run({"splitter": {"documents": documents}})
    folder.mkdir(parents=True)
    store.save_to_disk(str(folder / _STORE))


def opened(folder: Path, options: Options) -> Ask:
    """Open what was kept."""
    store = InMemoryDocumentStore.load_from_disk(str(folder / _STORE))
    pipeline = Pipeline()
    pipeline.add_component("embedder", SentenceTransformersTextEmbedder(model=str(model_folder()), progress_bar=False))
    pipeline.add_component("dense", InMemoryEmbeddingRetriever(store))
    pipeline.add_component("words", InMemoryBM25Retriever(store))
    pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=SHOWN))
    pipeline.connect("embedder", "dense")
    pipeline.connect("dense", "joiner")
    pipeline.connect("words", "joiner")

    def ask(question: str) -> Sequence[Found]:
        result = pipeline.run({"embedder": {"text": question}, "words": {"query": question}})
        return [_found(document) for document in result["joiner"]["documents"]]

    return ask


def _found(document: Document) -> Found:
    start = document.meta["split_idx_start"]
    return Found(document.meta["doc"], start, start + len(document.content), document.content)


if __name__ == "__main__":
    main(index, opened)
