"""Our engine, through what screens use: `search` ranks as the peers do, `ask` is the whole way of a patient's question."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

from peer import SHOWN, Ask, Found, Options, main

from retrieval.assistant import Assistant
from retrieval.build import build
from retrieval.encoder import open_encoder
from retrieval.settings import Settings
from retrieval.types import Answer, Quote


def index(texts: Path, folder: Path, options: Options) -> None:
    """Build a release of a corpus, or of any folder of texts."""
    build(texts, folder, open_encoder(Settings.from_environment()))


def opened(folder: Path, options: Options) -> Ask:
    """Open the release; with `ask` every question is routed too, and may be left unanswered."""
    logging.disable(logging.WARNING)
    assistant = Assistant.open(dataclasses.replace(Settings.from_environment(), index=folder))

    def ask(question: str) -> Sequence[Found]:
        quotes = _answered(assistant.ask(question)) if options["ask"] else assistant.search(question, SHOWN)[0]
        return [_found(quote) for quote in quotes[:SHOWN]]

    return ask


def _answered(answer: Answer) -> Sequence[Quote]:
    # A patient is pointed to a person then; here it must not pass for a question that was left open on purpose.
    if answer.card and answer.card.kind == "trouble":
        raise RuntimeError("a question could not be answered; the log of `patient-faq ask` says why")
    return answer.quotes


def _found(quote: Quote) -> Found:
    return Found(quote.citation.doc, quote.citation.start, quote.citation.end, quote.text)


if __name__ == "__main__":
    main(index, opened)
