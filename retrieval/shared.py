"""An engine that several machines share, where the settings name one; else the files of the release are all there is."""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Protocol

from retrieval.engine import Engine
from retrieval.release import Release
from retrieval.settings import Settings

__all__ = ["Shared", "open_shared", "sharing"]


class Shared(Protocol):
    """What holds the vectors and words of releases for all who ask. Everything raises EngineError where it fails."""

    def engine(self, release: Release) -> Engine:
        """The engine of a release that it holds."""
        ...

    def write(self, release: Release, known: Set[str]) -> None:
        """Take a release up, whole or not at all, before it is put in force; `known` are all releases of the index folder."""
        ...

    def switch(self, release: Release, known: Set[str], kept: Set[str]) -> None:
        """Note that a release is in force, and forget those of the known ones that are neither it nor to be kept."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def open_shared(settings: Settings) -> Shared | None:
    """What the settings name; None where they name nothing. Raises EngineError where it cannot be reached."""
    if not settings.milvus:
        return None
    from retrieval.milvus_engine import Milvus  # only here: what it imports takes most of a second

    return Milvus(settings.milvus, settings.milvus_token)


@contextmanager
def sharing(settings: Settings) -> Iterator[Shared | None]:
    """What the settings name, for as long as a block runs."""
    shared = open_shared(settings)
    try:
        yield shared
    finally:
        if shared is not None:
            shared.close()
