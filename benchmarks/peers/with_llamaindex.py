"""LlamaIndex, as its starter tutorial with local models sets it up: sentence splitter, vector index, retriever."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llama_index.core import Document, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import NodeWithScore
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from peer import SHOWN, Ask, Found, Options, main, model_folder, read_texts


def _embedding() -> HuggingFaceEmbedding:
    return HuggingFaceEmbedding(model_name=str(model_folder()))


def index(texts: Path, folder: Path, options: Options) -> None:
    """Split, embed and keep; `size` and `overlap` count tokens, and without them the splitter is as it comes."""
    documents = [Document(text=text, id_=doc) for doc, text in read_texts(texts).items()]
    splitter = SentenceSplitter(chunk_size=options["size"], chunk_overlap=options["overlap"]) if options else SentenceSplitter()
    made = VectorStoreIndex.from_documents(documents, embed_model=_embedding(), transformations=[splitter])
    made.storage_context.persist(str(folder))


def opened(folder: Path, options: Options) -> Ask:
    """Open what was kept."""
    storage = StorageContext.from_defaults(persist_dir=str(folder))
    retriever = load_index_from_storage(storage, embed_model=_embedding()).as_retriever(similarity_top_k=SHOWN)

    def ask(question: str) -> Sequence[Found]:
        return [_found(hit) for hit in retriever.retrieve(question)]

    return ask


def _found(hit: NodeWithScore) -> Found:
    node = hit.node
    return Found(node.ref_doc_id, node.start_char_idx, node.end_char_idx, node.get_content())


if __name__ == "__main__":
    main(index, opened)
