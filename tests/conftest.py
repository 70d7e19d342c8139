"""What many tests share: a readable model, small corpora, the real model, and the places that may be absent."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import ROOT, SHARED, WordEncoder

from retrieval.encoder import Encoder, open_encoder
from retrieval.settings import Settings


@pytest.fixture
def words() -> WordEncoder:
    return WordEncoder()


@pytest.fixture(scope="session")
def real_encoder() -> Encoder:
    """The default model as it is served; exported once where that was not done yet."""
    return open_encoder(Settings.from_environment())


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three small articles in three formats."""
    folder = tmp_path / "corpus"
    (folder / "articles").mkdir(parents=True)
    (folder / "articles" / "redness.md").write_text(
        "# Redness\n\n## How long are you red?\n\nRedness fades in two days. Cool packs help.\n\n"
        "## What about swelling?\n\nSwelling is rare. It goes by itself.\n",
        encoding="utf-8",
    )
    (folder / "articles" / "sessions.txt").write_text(
        "Sessions\n\nHow many sessions are needed?\n\nMost people need five sessions. Tattoos need nine sessions.\n",
        encoding="utf-8",
    )
    (folder / "articles" / "sun.html").write_text(
        "<h1>Sun</h1><h2>Can you go in the sun?</h2><p>Stay out of the sun for a month. Wear a hat.</p>", encoding="utf-8"
    )
    (folder / "clinic.toml").write_text('name = "Test Clinic"\nphone = "+1 555 0100"\n', encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def sources() -> Path:
    """The five source articles, which lie beside the project where it is developed."""
    folder = SHARED / "sources"
    if not folder.is_dir():
        pytest.skip("the source articles are not on this machine (../shared/sources)")
    return folder


@pytest.fixture(scope="session")
def project() -> Path:
    return ROOT
