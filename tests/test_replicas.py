"""Several processes answer from one index folder: each takes up what is published, and each answer is of one release."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.build import build
from retrieval.in_force import put_in_force
from retrieval.release import current_id

TESTS = Path(__file__).resolve().parent
REPLICAS, RELEASES = 3, 5
QUESTION = "how many sessions do most people need"
ASKING = """
import json, sys, time
from pathlib import Path
from retrieval.assistant import Assistant
from retrieval.clinic import load_clinic
from retrieval.rules import Rules
from support import WordEncoder
assistant = Assistant(Path(sys.argv[1]), WordEncoder(), Rules.floor(), load_clinic(Path(sys.argv[2])))
while True:
    quotes, release = assistant.search(sys.argv[3], 2)
    print(json.dumps([release, [[quote.text, quote.citation.digest] for quote in quotes]]), flush=True)
    time.sleep(0.01)
"""


class Replica:
    """One process that asks the same question again and again; `said` holds its answers, each once for each time in a row."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[tuple[str, list[list[str]]]] = []
        self.answers = 0
        self.changed = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            release, quotes = json.loads(line)
            with self.changed:
                self.answers += 1
                if not self.said or self.said[-1] != (release, quotes):
                    self.said.append((release, quotes))
                self.changed.notify_all()

    def wait_for(self, release: str) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: bool(self.said) and self.said[-1][0] == release, timeout=60)

    def answer_for_a_while(self) -> None:
        """Until it has looked at the pointer again, which it does twice a second."""
        with self.changed:
            enough = self.answers + 150
            assert self.changed.wait_for(lambda: self.answers >= enough, timeout=60)


@contextmanager
def replica(index: Path, corpus: Path) -> Iterator[Replica]:
    command = [sys.executable, "-c", ASKING, str(index), str(corpus), QUESTION]
    environment = {"PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield Replica(process)
        finally:
            process.kill()


@pytest.fixture
def replicas(corpus: Path, corpus_index: Path) -> Iterator[list[Replica]]:
    with ExitStack() as running:
        yield [running.enter_context(replica(corpus_index, corpus)) for _ in range(REPLICAS)]


def test_all_follow_every_publish_and_no_answer_mixes_two_releases(
    corpus: Path, corpus_index: Path, words: WordEncoder, replicas: list[Replica]
) -> None:
    releases = [current_id(corpus_index)[0]]
    for each in replicas:
        each.wait_for(releases[0])
    expected = {releases[0]: "Most people need five sessions."}
    for number in range(6, 6 + RELEASES - 1):
        said = f"Most people need {number} sessions."
        (corpus / "articles" / "sessions.txt").write_text(
            f"Sessions\n\nHow many sessions are needed?\n\n{said}\n", encoding="utf-8"
        )
        releases.append(build(corpus, corpus_index, words).release)
        expected[releases[-1]] = said
        for each in replicas:
            each.wait_for(releases[-1])
    put_in_force(corpus_index, releases[0], "rolled back", "a test", "five was right")
    for each in replicas:
        each.wait_for(releases[0])
        assert [release for release, _ in each.said] == [*releases, releases[0]]  # in order, each once, no answer of both
        assert all(expected[release] in quotes[0][0] for release, quotes in each.said)
        assert len({quotes[0][1] for _, quotes in each.said}) == RELEASES
        assert each.process.poll() is None


def test_a_replica_goes_on_with_what_it_has_where_the_new_release_is_damaged(
    corpus: Path, corpus_index: Path, words: WordEncoder, replicas: list[Replica]
) -> None:
    first = current_id(corpus_index)[0]
    for each in replicas:
        each.wait_for(first)
    pointer = (corpus_index / "current").read_bytes()
    (corpus_index / "current").write_bytes(pointer.replace(first.encode(), b"0123456789abcdef"))
    for each in replicas:
        each.answer_for_a_while()
        assert [release for release, _ in each.said] == [first]
    (corpus_index / "current").write_bytes(pointer)
    (corpus / "articles" / "sessions.txt").write_text("Sessions\n\nMost people need two sessions.\n", encoding="utf-8")
    second = build(corpus, corpus_index, words).release
    for each in replicas:
        each.wait_for(second)
        assert [release for release, _ in each.said] == [first, second]
