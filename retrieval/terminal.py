"""What all commands share: options, messages, progress. With the commands themselves all that prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from retrieval.settings import Settings

__all__ = [
    "FOUND_WANTING",
    "WRONG_USE",
    "CorpusOption",
    "IndexOption",
    "JsonOption",
    "fail",
    "print_json",
    "progress_line",
    "settings_from",
]

WRONG_USE = 2
FOUND_WANTING = 1
CorpusOption = Annotated[
    Path | None, typer.Option("--corpus", help="The corpus, or any folder of articles.", show_default="corpus")
]
IndexOption = Annotated[Path | None, typer.Option("--index", help="Folder of the releases.", show_default="index")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line instead of text.")]


def settings_from(corpus: Path | None = None, index: Path | None = None) -> Settings:
    """The settings of the environment, with the folders that were named; raises SettingsError."""
    settings = Settings.from_environment()
    return replace(settings, corpus=corpus or settings.corpus, index=index or settings.index)


def print_json(values: dict[str, Any]) -> None:
    """One JSON object on a line."""
    typer.echo(json.dumps(values, ensure_ascii=False))


def progress_line() -> tuple[Callable[[str, int, int], None], Callable[[], None]]:
    """A progress line on a terminal, and nothing anywhere else: whom to tell, and what ends it."""
    if not sys.stderr.isatty():
        return (lambda what, done, total: None), (lambda: None)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    tasks: dict[str, Any] = {}

    def tell(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done, total=total)

    return tell, bar.stop


def fail(message: str, status: int) -> NoReturn:
    """End with a message and a status."""
    sys.stderr.write(f"patient-faq: {message}\n")
    raise SystemExit(status)
