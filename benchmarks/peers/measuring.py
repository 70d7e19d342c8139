"""Runs one product in processes of its own, checks what it found, and makes figures of it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from peer import Found

from retrieval.evaluation.judged import Judged, answering
from retrieval.evaluation.metrics import hit_at, percentile, words_to_answer
from retrieval.evaluation.statistics import Figure, with_interval

__all__ = ["Failed", "Figures", "Run", "figures", "judge", "misplaced", "run_ask", "run_index"]

_FEW_WORDS = 100
_LIMIT = 900  # seconds a process may take; one that hangs must not keep the others from being measured


class Failed(Exception):
    """A product could not be measured; the message says why."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process that was asked every question: what it found, and what it took."""

    found: tuple[tuple[Found, ...], ...]
    ms: tuple[float, ...]
    first_answer_s: float
    peak_mb: float
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What is reported of one product.

    `words` is the mean of the words read to the answer over the questions for which anything was shown (`shown` is their
    share); `hit_few_words` the share of questions whose answer is read within the first hundred words shown.
    """

    hit_1: Figure
    hit_3: Figure
    hit_few_words: Figure
    words: float
    shown: float
    median_ms: float
    p95_ms: float
    first_answer_s: float
    peak_mb: float
    differing: int
    refused: tuple[str, ...]


def run_index(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, dict[str, Any]]:
    """Let a product keep its index; returns the seconds from start to end and what it said. Raises Failed."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        try:
            done = subprocess.run(
                command, env=dict(environment), stdout=subprocess.PIPE, stderr=errors, timeout=_LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"indexing took longer than {_LIMIT} seconds") from None
        except OSError as problem:
            raise Failed(f"it could not be started ({problem.strerror})") from problem
        if done.returncode:
            raise Failed(f"indexing failed: {_last_line(errors)}")
    said: dict[str, Any] = json.loads(done.stdout)
    return time.perf_counter() - began, said


def run_ask(command: Sequence[str], environment: Mapping[str, str], questions: Sequence[str]) -> Run:
    """Ask a product each question, one by one, in a fresh process. Raises Failed where it ends before the last answer."""
    found: list[tuple[Found, ...]] = []
    ms: list[float] = []
    first = 0.0
    began = time.perf_counter()
    with tempfile.TemporaryFile() as errors, _started(command, environment, errors) as process:
        assert process.stdin
        assert process.stdout
        for question in questions:
            # A process that has died says nothing more, which is what the next line finds.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(question) + "\n")
                process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                break
            first = first or time.perf_counter() - began
            answer = json.loads(line)
            found.append(tuple(Found(*values) for values in answer["found"]))
            ms.append(answer["ms"])
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        last = process.stdout.readline()
        if process.wait() or not last:
            raise Failed(f"stopped after {len(found)} of {len(questions)} questions: {_last_line(errors)}")
    said = json.loads(last)
    return Run(tuple(found), tuple(ms), first, said["peak_mb"], tuple(said["refused"]))


def misplaced(found: Sequence[Sequence[Found]], texts: Mapping[str, str]) -> list[str]:
    """A line for each chunk that does not stand where it is said to; blanks may differ."""
    chunks = {chunk for chunks in found for chunk in chunks}
    return [
        f"{chunk.doc} {chunk.start}-{chunk.end}"
        for chunk in sorted(chunks, key=lambda chunk: (chunk.doc, chunk.start))
        if texts.get(chunk.doc, "")[chunk.start : chunk.end].split() != chunk.text.split()
    ]


def judge(item: Judged, found: Sequence[Found]) -> tuple[list[bool], int]:
    """Whether each chunk answers, by the product's own rule, and the words read to the answer."""
    relevant = [answering(item.answers, chunk.doc, chunk.start, chunk.end) for chunk in found]
    return relevant, words_to_answer([len(chunk.text.split()) for chunk in found], relevant)


def figures(judged: Sequence[Judged], runs: Sequence[Run]) -> Figures:
    """Figures of several runs with the same questions.

    What was found is taken from the first run. Of times and memory the least of the runs counts, for each question and for
    each process: other programs on the machine can only add to it. The first question is left out of the times.
    """
    first = runs[0]
    rows = [judge(item, found) for item, found in zip(judged, first.found, strict=True)]
    least = [min(times) for times in zip(*(run.ms for run in runs), strict=True)][1:]
    read = [words for (_, words), found in zip(rows, first.found, strict=True) if found]
    return Figures(
        hit_1=with_interval([hit_at(relevant, 1) for relevant, _ in rows]),
        hit_3=with_interval([hit_at(relevant, 3) for relevant, _ in rows]),
        hit_few_words=with_interval([float(any(relevant) and words <= _FEW_WORDS) for relevant, words in rows]),
        words=sum(read) / len(read) if read else 0.0,
        shown=len(read) / len(rows),
        median_ms=percentile(least, 0.5),
        p95_ms=percentile(least, 0.95),
        first_answer_s=min(run.first_answer_s for run in runs),
        peak_mb=min(run.peak_mb for run in runs),
        differing=sum(len(set(found)) > 1 for found in zip(*(run.found for run in runs), strict=True)),
        refused=tuple(sorted({host for run in runs for host in run.refused})),
    )


@contextlib.contextmanager
def _started(command: Sequence[str], environment: Mapping[str, str], errors: IO[bytes]) -> Iterator[subprocess.Popen[str]]:
    try:
        process = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
        )
    except OSError as problem:
        raise Failed(f"it could not be started ({problem.strerror})") from problem
    watchdog = threading.Timer(_LIMIT, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe:
                    pipe.close()
        if process.poll() is None:
            process.kill()
            process.wait()


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"
