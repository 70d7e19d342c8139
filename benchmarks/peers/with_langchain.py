"""LangChain with FAISS, as its tutorial on semantic search sets it up: recursive splitter, vectors, nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter
from peer import SHOWN, Ask, Found, Options, main, model_folder, read_texts


def _embeddings() -> HuggingFaceEmbeddings:
    return HuggingFaceEmbeddings(model_name=str(model_folder()))


def index(texts: Path, folder: Path, options: Options) -> None:
    """Split, embed and keep; `size` and `overlap` count characters."""
    documents = [Document(page_content=text, metadata={"doc": doc}) for doc, text in read_texts(texts).items()]
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=options["size"], chunk_overlap=options["overlap"], add_start_index=True
    )
    FAISS.from_documents(splitter.split_documents(documents), _embeddings()).save_local(str(folder))


def opened(folder: Path, options: Options) -> Ask:
    """Open what was kept."""
    # Its store is a pickle; this one was written by `index` a moment ago.
    store = FAISS.load_local(str(folder), _embeddings(), allow_dangerous_deserialization=True)

    def ask(question: str) -> Sequence[Found]:
        return [_found(document) for document in store.similarity_search(question, k=SHOWN)]

    return ask


def _found(document: Document) -> Found:
    start = document.metadata["start_index"]
    return Found(document.metadata["doc"], start, start + len(document.page_content), document.page_content)


if __name__ == "__main__":
    main(index, opened)
