"""Pages and the places of words: checked before they are believed, saved as they are, and asked for by span."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from retrieval.reading.sheets import MAX_SHEETS, Sheets
from retrieval.types import Place


def webp() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 6), "white").save(out, format="WEBP")
    return out.getvalue()


# "Red fades soon. Go home", the last two words on the second page.
WORDS = [
    [0, 3, 1, 1000, 1000, 1500, 1200],
    [4, 9, 1, 1600, 1010, 2500, 1190],
    [10, 15, 1, 1000, 1250, 1800, 1450],
    [16, 18, 2, 1000, 1000, 1300, 1200],
    [19, 23, 2, 6000, 1000, 6500, 1200],
]
LENGTH = 23


def sheets(**other: Any) -> Sheets:
    told = {"pictures": (webp(), webp()), "sizes": [[4, 6], [4, 6]], "words": WORDS, "length": LENGTH, **other}
    return Sheets.checked(told["pictures"], told["sizes"], told["words"], told["length"])


def test_words_of_a_line_are_one_rectangle() -> None:
    assert sheets().places(0, 9) == (Place(1, 0.1, 0.1, 0.25, 0.12),)


def test_the_next_line_page_or_column_is_another_rectangle() -> None:
    assert sheets().places(0, 23) == (
        Place(1, 0.1, 0.1, 0.25, 0.12),
        Place(1, 0.1, 0.125, 0.18, 0.145),
        Place(2, 0.1, 0.1, 0.13, 0.12),
        Place(2, 0.6, 0.1, 0.65, 0.12),
    )


@pytest.mark.parametrize(("start", "end", "count"), [(3, 4, 0), (2, 3, 1), (-1, -1, 0), (23, 99, 0), (5, 11, 2), (9, 0, 0)])
def test_only_words_of_the_span_are_in_it(start: int, end: int, count: int) -> None:
    assert len(sheets().places(start, end)) == count


def test_sheets_are_saved_and_read_as_they_are(tmp_path: Path) -> None:
    whole = sheets()
    whole.save(tmp_path)

    def read(name: str) -> bytes:
        return (tmp_path / name).read_bytes()

    back = Sheets.load(read, pictures=True)
    assert (back.pictures, back.digest) == (whole.pictures, whole.digest)
    assert back.places(0, 23) == whole.places(0, 23)
    assert Sheets.load(read).pictures == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.webp", "2.webp", "sizes.npy", "words.npy"]


def test_the_digest_tells_pictures_and_places_apart() -> None:
    moved = [[*WORDS[0][:3], 999, *WORDS[0][4:]], *WORDS[1:]]
    digests = {sheets().digest, sheets(words=moved).digest, sheets(sizes=[[4, 6], [4, 7]]).digest}
    digests.add(sheets(pictures=(webp(), webp() + b"\0")).digest)
    assert len(digests) == 4
    assert sheets().digest == sheets().digest


def word(place: int, value: int) -> list[list[int]]:
    return [[*WORDS[0][:place], value, *WORDS[0][place + 1 :]], *WORDS[1:]]


@pytest.mark.parametrize(
    "other",
    [
        {"words": word(0, -1)}, {"words": word(0, 3)}, {"words": word(1, 5)}, {"words": word(2, 0)}, {"words": word(2, 3)},
        {"words": word(3, 1500)}, {"words": word(5, 10_001)}, {"words": word(4, -1)}, {"words": word(6, 1000)},
        {"words": word(6, 10**12)}, {"words": word(6, 10**30)}, {"words": [[1, 2, 3]]}, {"words": "abc"}, {"words": None},
        {"words": [["a"] * 7]}, {"words": [*WORDS[1:], WORDS[0]]}, {"length": 22},
        {"pictures": ()}, {"pictures": (webp(),)}, {"pictures": (webp(), b"<svg>")}, {"pictures": (webp(), b"")},
        {"sizes": [[4, 6], [0, 6]]}, {"sizes": [[4, 6]]}, {"sizes": [4, 6, 7]}, {"sizes": {}},
        {"pictures": (webp(),) * (MAX_SHEETS + 1), "sizes": [[4, 6]] * (MAX_SHEETS + 1)},
    ],
)  # fmt: skip
def test_what_cannot_be_is_not_believed(other: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, OverflowError)):
        sheets(**other)


def test_a_file_without_words_has_sheets_all_the_same() -> None:
    assert sheets(words=[]).places(0, 23) == ()
