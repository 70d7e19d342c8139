"""A PDF's pages as pictures, and where the words of its canonical text stand on them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.types import Place

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int32]

__all__ = ["MAX_SHEETS", "PICTURE", "WHOLE", "Sheets", "picture_name"]

MAX_SHEETS = 40
"""Pages that a file may have to be drawn."""
PICTURE = "image/webp"
WHOLE = 10_000
"""A page's width and its height, in the numbers that words are placed by."""
_SIZES, _WORDS = "sizes.npy", "words.npy"
_SAME_LINE = 0.5  # of the lower one's height
_GAP = 2.0  # line heights: what is farther apart stands in another column

# Numpy is imported on use: the sandbox's children, one for each file, load this module and none of what needs numpy.


@dataclass(frozen=True, slots=True)
class Sheets:
    """The pages of one article.

    `pictures` are WebP files, page 1 first, or empty where they were not asked for. `sizes` is int32 (pages, 2): width and
    height in pixels. `words` is int32 (words, 7), in the order of the text: start, end, page, left, top, right, bottom, of
    which the last four count 1/10,000 of the page's width or height from its top left corner.
    """

    pictures: tuple[bytes, ...]
    sizes: Numbers
    words: Numbers

    @classmethod
    def checked(cls, pictures: tuple[bytes, ...], sizes: object, words: object, length: int) -> Sheets:
        """Sheets from plain lists that nobody has vouched for, of a text with `length` characters.

        Raises ValueError, TypeError or OverflowError where they cannot be what they are said to be.
        """
        sheets = cls(pictures, _numbers(sizes, 2), _numbers(words, 7))
        starts, ends, pages, left, top, right, bottom = sheets.words.T
        sound = (
            0 < len(pictures) == len(sheets.sizes) <= MAX_SHEETS
            and all(each[:4] == b"RIFF" and each[8:12] == b"WEBP" for each in pictures)
            and bool((sheets.sizes > 0).all())
            and bool(((starts >= 0) & (starts < ends) & (ends <= length)).all() and (ends[:-1] <= starts[1:]).all())
            and bool(((pages >= 1) & (pages <= len(pictures))).all())
            and bool(((left >= 0) & (left < right) & (right <= WHOLE)).all())
            and bool(((top >= 0) & (top < bottom) & (bottom <= WHOLE)).all())
        )
        if not sound:
            raise ValueError("pictures or places that cannot be")
        return sheets

    @classmethod
    def load(cls, read: Callable[[str], bytes], pictures: bool = False) -> Sheets:
        """Sheets as saved; `read` gives a file's bytes by its name. Pictures are left out unless asked for."""
        import numpy as np

        sizes, words = (np.load(io.BytesIO(read(name)), allow_pickle=False) for name in (_SIZES, _WORDS))
        drawn = tuple(read(picture_name(page)) for page in range(1, len(sizes) + 1)) if pictures else ()
        return cls(drawn, sizes, words)

    def save(self, folder: Path) -> None:
        """Write a file a page and two of numbers into a folder."""
        import numpy as np

        np.save(folder / _SIZES, self.sizes, allow_pickle=False)
        np.save(folder / _WORDS, self.words, allow_pickle=False)
        for page, picture in enumerate(self.pictures, start=1):
            (folder / picture_name(page)).write_bytes(picture)

    @property
    def digest(self) -> str:
        """SHA-256 over all of it."""
        digest = sha256(self.sizes.tobytes() + b"\0" + self.words.tobytes())
        for picture in self.pictures:
            digest.update(sha256(picture).digest())
        return digest.hexdigest()

    def places(self, start: int, end: int) -> tuple[Place, ...]:
        """Where a span of the text stands: rectangles in the order of the text, one a line where words stand in lines."""
        rows = self.words[(self.words[:, 0] < end) & (self.words[:, 1] > start)]
        merged: list[list[int]] = []
        for page, left, top, right, bottom in rows[:, 2:].tolist():
            if merged and _goes_on(merged[-1], [page, left, top, right, bottom]):
                last = merged[-1]
                merged[-1] = [page, last[1], min(last[2], top), max(last[3], right), max(last[4], bottom)]
            else:
                merged.append([page, left, top, right, bottom])
        return tuple(Place(page, *(edge / WHOLE for edge in edges)) for page, *edges in merged)


def picture_name(page: int) -> str:
    """The file name of a page's picture."""
    return f"{page}.webp"


def _numbers(rows: object, width: int) -> Numbers:
    import numpy as np

    numbers = np.array(rows, dtype=np.int64).reshape(-1, width)
    if numbers.size and (numbers.min() < 0 or numbers.max() > np.iinfo(np.int32).max):
        raise ValueError("a number out of range")
    return numbers.astype(np.int32)


def _goes_on(last: list[int], word: list[int]) -> bool:
    """Say whether a word stands next in the line of the one before: page, left, top, right, bottom."""
    height = min(last[4] - last[2], word[4] - word[2])
    shared = min(last[4], word[4]) - max(last[2], word[2])
    gap = word[1] - last[3]
    return last[0] == word[0] and shared > _SAME_LINE * height and -height < gap < _GAP * height
