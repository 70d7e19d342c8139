"""The child process: its limits, and its one JSON object."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from samples import locked, pdf_lines

import retrieval
from retrieval.reading import worker

ROOT = str(Path(retrieval.__file__).resolve().parent.parent)


def child(code: str, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    start = f"import sys; sys.path.insert(0, {ROOT!r}); from retrieval.reading import worker; {code}"
    return subprocess.run(
        [sys.executable, "-I", "-c", start, *arguments], input=data, capture_output=True, timeout=30, check=False
    )


def said(name: str, data: bytes, memory: int = 1_500_000_000) -> dict[str, object]:
    done = child("worker.main()", name, str(memory), "30", data=data)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_reading_is_one_json_object() -> None:
    assert said("a.md", b"---\nreviewed_on: 2026-05-03\ntopics: [a, 2026-01-01]\n---\n# Red\n\nIt fades.\n") == {
        "text": "Red\n\nIt fades.",
        "title": "Red",
        "metadata": {"reviewed_on": "2026-05-03", "topics": ["a", "2026-01-01"]},
        "warnings": [],
        "blocks": [["heading", 0, 3, 1, 0, False], ["paragraph", 5, 14, 0, 0, False]],
        "sentences": [[5, 14, 1]],
    }


def test_a_refusal_is_its_reason_and_its_remedy() -> None:
    assert said("a.pdf", locked(pdf_lines(["It fades."]), "secret")) == {
        "reason": "it is locked with a password",
        "remedy": "Save it without the password.",
    }


@pytest.mark.parametrize("front", [b"a: &a [*a]", b"a: " + b"[" * 3000])
def test_metadata_nested_without_end_is_a_refusal(front: bytes) -> None:
    assert said("a.md", b"---\n" + front + b"\n---\nIt fades.\n")["reason"] == "it is nested too deeply"


def test_metadata_that_swells_without_end_is_a_refusal() -> None:
    swelling = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    done = child("worker.main()", "a.md", "500000000", "2", data=f"---\n{swelling}---\nIt fades.\n".encode())
    assert done.returncode != 0 or b"memory" in done.stdout


def test_the_limits_are_those_given() -> None:
    show = (
        "import resource as r; worker._limit(700_000_000, 7);"
        " print([r.getrlimit(getattr(r, 'RLIMIT_' + name)) for name in 'CPU AS NOFILE FSIZE NPROC CORE'.split()])"
    )
    assert child(show).stdout.decode().strip() == str([(7, 8), (700_000_000, 700_000_000), (64, 64), (0, 0), (0, 0), (0, 0)])


def test_nothing_can_be_written(tmp_path: Path) -> None:
    child(f"worker._limit(10**9, 5); open({str(tmp_path / 'x')!r}, 'w').write('x')")
    assert (tmp_path / "x").read_bytes() == b""


def test_values_that_json_does_not_know_become_words() -> None:
    assert worker._plain([1, "a", None, True, {"b": 2}]) == [1, "a", None, True, "{'b': 2}"]


def test_pages_and_places_are_one_json_object() -> None:
    told = json.dumps({"text": "It fades in two days.", "blocks": [[0, 21, 1]]}).encode() + b"\n"
    done = child("worker.draw()", "a.pdf", "1500000000", "30", data=told + pdf_lines(["It fades in two days."]))
    drawn = json.loads(done.stdout)
    assert set(drawn) == {"pictures", "sizes", "words"}
    assert [row[:3] for row in drawn["words"]] == [[0, 2, 1], [3, 8, 1], [9, 11, 1], [12, 15, 1], [16, 21, 1]]


def test_reading_does_not_load_what_draws() -> None:
    code = "worker.main(); print({'pypdfium2', 'numpy'} & set(sys.modules), file=sys.stderr)"
    assert child(code, "a.pdf", "1500000000", "30", data=pdf_lines(["It fades."])).stderr == b"set()\n"
