"""DOCX: turned into HTML by mammoth, pictures left out, and read as such."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import mammoth

from retrieval.errors import UnreadableFile
from retrieval.reading.draft import Reading
from retrieval.reading.html import blocks_of_html

__all__ = ["read_docx"]

_MAX_UNPACKED = 200_000_000
_RESERVE = 1_000_000
_STYLES = "p[style-name='Title'] => h1:fresh"
_REMEDY = "Open it in a word processor and save it again as .docx."


def read_docx(path: Path, data: bytes) -> Reading:
    """Read a DOCX file; raises UnreadableFile where it is damaged or unpacks to an absurd size."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as problem:
        raise UnreadableFile(path, "it is a damaged Word file", _REMEDY) from problem
    if "word/document.xml" not in names:
        raise UnreadableFile(path, "it is an archive, but not a Word file", _REMEDY)
    if unpacked > _MAX_UNPACKED:
        reason = f"it unpacks to {unpacked / 1e6:,.0f} MB, more than the {_MAX_UNPACKED / 1e6:,.0f} MB allowed"
        raise UnreadableFile(path, reason, "Save it again without pictures.")
    reserve = bytearray(_RESERVE)
    try:
        no_picture = mammoth.images.img_element(lambda image: {})
        html = mammoth.convert_to_html(io.BytesIO(data), convert_image=no_picture, style_map=_STYLES).value
    except MemoryError:
        # Room to raise in: CPython tries for ever where there is none for one number more, and the file would be said to
        # take too long.
        del reserve
        raise
    except RecursionError:
        raise
    except Exception as problem:
        # mammoth has no error of its own: damaged XML comes out as whatever its parser or its own code raises.
        raise UnreadableFile(path, "it is a damaged Word file", _REMEDY) from problem
    draft, title = blocks_of_html(html)
    return Reading(draft.text, tuple(draft.blocks), title)
