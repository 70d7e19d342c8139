"""Vectors and words in Milvus: the same candidates as from files, one whole release at any time, plain words where it fails.

The server is a real one, milvus-lite, which speaks what a cluster speaks; each test has a database of its own in it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support import ROOT, WordEncoder, free_port

pytest.importorskip(
    "pymilvus", reason="NO PYMILVUS HERE (pip install 'patient-faq[milvus]'): releases in Milvus are NOT tested"
)

from pymilvus import MilvusClient, MilvusException

from retrieval import milvus_engine
from retrieval.assistant import Assistant
from retrieval.build import build, working
from retrieval.clinic import load_clinic
from retrieval.engine import Found, LocalEngine, Scope
from retrieval.errors import BuildError, EngineError
from retrieval.in_force import put_in_force
from retrieval.keeping.publishing import Judgement, publish, roll_back, withdraw
from retrieval.lexical import LexicalIndex
from retrieval.milvus_engine import ALIAS, Milvus
from retrieval.release import current_id
from retrieval.rules import Rules
from retrieval.settings import Settings
from retrieval.shared import Shared, open_shared
from retrieval.types import Metadata
from retrieval.vector_index import VectorIndex

TERMS = ["redness", "laser", "sun", "session", "pain", "ice", "tattoo", "skin", "cream", "swelling"]
QUESTION = "How many sessions are needed?"
SAID = ["One session.", "Two sessions.", "Three sessions.", "Four sessions."]

# Puts a release in force, for each of the jobs in a process of its own, which kills itself when it comes to a step; prints by
# which signal each ended. What they import is imported once, and nothing is connected before they part.
VICTIM = """
import json, os, signal, sys
from pathlib import Path
from pymilvus import MilvusClient
from retrieval import in_force
from retrieval.locks import locked
from retrieval.milvus_engine import Milvus
def die(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)
for index, release, address, step in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        if step == "drop_collection":
            in_force._SHARED = 1
        setattr(in_force if step == "_point" else MilvusClient, step, die)
        with locked(Path(index), "publishing"):
            in_force.put_in_force(Path(index), release, "published", "victim", shared=Milvus(address))
        os._exit(0)
    print(os.WTERMSIG(os.waitpid(child, 0)[1]))
"""
# What is in force when it was killed: the release before, or the one after.
# benchmarks/milvus.py kills at each call.
STEPS = {
    "insert": "before",
    "rename_collection": "before",
    "_point": "before",
    "alter_alias": "after",
    "drop_collection": "after",
}


@pytest.fixture(autouse=True)
def a_slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patients wait two seconds; a test on a busy machine may wait longer."""
    monkeypatch.setattr(milvus_engine, "_ASKING", 10.0)


class Server:
    """A milvus-lite server in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._numbers = count()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        told = ["--data-dir", str(self._folder / "data"), "--host", "127.0.0.1", "--port", str(self._port)]
        with (self._folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "milvus_lite", "server", *told]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            assert self._process.poll() is None, (self._folder / "log").read_text()
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            except OSError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def fresh(self) -> str:
        """The address of a new database in it."""
        name = f"clinic{next(self._numbers)}"
        client = MilvusClient(f"http://127.0.0.1:{self._port}")
        client.create_database(name)
        client.close()
        return f"http://127.0.0.1:{self._port}/{name}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("milvus"))
    yield started
    started.kill()


@pytest.fixture
def address(server: Server) -> str:
    return server.fresh()


@pytest.fixture
def milvus(address: str) -> Iterator[Milvus]:
    opened = Milvus(address)
    yield opened
    opened.close()


def release_of(texts: list[str], name: str) -> Any:
    """As much of a release as an engine asks for: texts by the word, and vectors at random, three passages an article."""
    places = np.arange(len(texts))
    chance = np.random.default_rng(len(texts))
    vectors = VectorIndex.of(chance.normal(size=(len(texts), 4)).astype(np.float32))
    rows = np.stack([places // 3, places % 3, places % 3, places * 0], axis=1).astype(np.int32)
    told = [SimpleNamespace(metadata=Metadata(language="ms" if number % 2 else "en")) for number in range(len(texts))]
    lexical = LexicalIndex.build(texts)
    local = LocalEngine(vectors, lexical, rows[:, 0], [one.metadata.language for one in told])
    return SimpleNamespace(id=name, manifest="0" * 64, vectors=vectors, lexical=lexical, rows=rows, entries=told, engine=local)


@dataclass(frozen=True)
class Clinic:
    """A folder of articles and one of releases, of which each says another number of sessions; the last is in force."""

    corpus: Path
    index: Path
    made: tuple[str, ...]

    def put(self, number: int, shared: Shared | None) -> dict[str, int]:
        """Put one of the releases in force; returns its collection's name, and how many rows it must have."""
        with working(self.index, "publishing"):
            put_in_force(self.index, self.made[number], "published", "Ann Tan", shared=shared)
        return self.collection()

    def collection(self) -> dict[str, int]:
        """The name that the collection of the release in force must have, and how many rows."""
        release, manifest = current_id(self.index)
        told = json.loads((self.index / "releases" / release / "manifest.json").read_text(encoding="utf-8"))
        return {f"faq_{release}_{manifest[:16]}": told["passages"]}

    def assistant(self, shared: Shared | None) -> Assistant:
        return Assistant(self.index, WordEncoder(), Rules.floor(), load_clinic(self.corpus), shared=shared)

    def said(self, shared: Shared) -> str:
        """What a chat that starts now answers first."""
        return first_quote(self.assistant(shared))

    def copy(self, folder: Path) -> Clinic:
        """The same in a folder of its own, to be written to."""
        shutil.copytree(self.corpus, folder / "corpus")
        shutil.copytree(self.index, folder / "index")
        return dataclasses.replace(self, corpus=folder / "corpus", index=folder / "index")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, built_corpus: Path) -> Clinic:
    folder = tmp_path_factory.mktemp("clinic")
    corpus = shutil.copytree(built_corpus.parent / "corpus", folder / "corpus")
    made = []
    for text in SAID:
        change(corpus, text)
        made.append(build(corpus, folder / "index", WordEncoder()).release)
    return Clinic(corpus, folder / "index", tuple(made))


@pytest.fixture
def clinic(built: Clinic, tmp_path: Path) -> Clinic:
    return built.copy(tmp_path)


def change(corpus: Path, text: str) -> None:
    said = f"Sessions\n\nHow many sessions are needed?\n\n{text}\n"
    (corpus / "articles" / "sessions.txt").write_text(said, encoding="utf-8")


def first_quote(assistant: Assistant) -> str:
    return assistant.ask(QUESTION).quotes[0].text


def soon(assistant: Assistant) -> Assistant:
    """A chat that looks for a newer release at once."""
    assistant._looked = float("-inf")
    return assistant


def held(address: str) -> dict[str, int]:
    """The collections of a database, and how many rows each has."""
    client = MilvusClient(address)
    counted = {name: client.get_collection_stats(name)["row_count"] for name in client.list_collections()}
    client.close()
    return counted


def aliased(address: str) -> list[str]:
    """What the alias names."""
    client = MilvusClient(address)
    found = client.describe_alias(ALIAS)["collection_name"]
    client.close()
    return [found]


def scored(found: Found, vector: np.ndarray) -> tuple[list[float], list[float]]:
    """The candidates' scores, best first, in meaning and in words. Of equals either may be among them."""
    return sorted((found.vectors @ vector).tolist(), reverse=True), sorted(found.lexical.tolist(), reverse=True)


@pytest.mark.parametrize("size", [1, 2, 7, 40, 90])
def test_candidates_and_their_scores_are_those_of_the_files(milvus: Milvus, size: int) -> None:
    chance = np.random.default_rng(size)
    texts = [" ".join(chance.choice(TERMS[:-1], chance.integers(0, 9))) for _ in range(size)]
    release = release_of(texts, f"{size:04d}")
    milvus.write(release, {release.id})
    engine, local = milvus.engine(release), release.engine
    for pool in (3, 10, 200):
        for question in ("laser sun sun swelling", "unknown words", "", " ".join(chance.choice(TERMS, 4))):
            vector = chance.normal(size=4).astype(np.float32)
            also = np.unique(chance.integers(0, size, 2))
            gone = chance.integers(0, 1 + (size - 1) // 3, 2).tolist() if pool != 10 else []
            asked = {"laser sun sun swelling": ["ms"], "": ["en", "ms"], "unknown words": ["zh"]}.get(question, [])
            scope = Scope(frozenset(gone), frozenset(asked))
            mine, theirs = engine.find(vector, question, pool, also, scope), local.find(vector, question, pool, also, scope)
            places, vectors, words = mine.places, mine.vectors, mine.lexical
            assert places.tolist() == sorted(set(places.tolist()))
            assert (vectors.dtype, words.dtype, vectors.shape) == (np.float32, np.float32, (len(places), 4))
            assert np.array_equal(vectors, release.vectors.at(places))
            assert words == pytest.approx(release.lexical.hits(question).at(places), abs=1e-6)
            articles = release.rows[:, 0].tolist()
            told = [release.entries[article].metadata.language for article in articles]
            kept = {place for place in range(size) if articles[place] not in gone and (told[place] in asked or not asked)}
            assert set(places.tolist()) <= kept
            assert kept & set(also.tolist()) <= set(places.tolist())
            nearest, strongest = scored(mine, vector)
            by_files = scored(theirs, vector)
            # Of equals in words they may have another.
            assert nearest[:pool] == pytest.approx(by_files[0][:pool], abs=1e-5)
            assert strongest[:pool] == pytest.approx(by_files[1][:pool], abs=1e-6)


def test_where_all_is_withdrawn_nothing_is_found(milvus: Milvus) -> None:
    release = release_of(["laser", "sun"], "all")
    milvus.write(release, {"all"})
    found = milvus.engine(release).find(np.ones(4, dtype=np.float32), "laser", 5, np.array([0]), Scope(frozenset({0})))
    assert (found.places.shape, found.vectors.shape, found.lexical.shape) == ((0,), (0, 4), (0,))


def test_articles_can_be_told_apart_by_language_and_state(milvus: Milvus, address: str) -> None:
    release = release_of(["laser sun"] * 12, "told")
    milvus.write(release, {"told"})
    client = MilvusClient(address)
    found = client.query("faq_told_" + "0" * 16, filter='language == "ms" and state == ""', output_fields=["place", "article"])
    client.close()
    assert sorted((row["place"], row["article"]) for row in found) == [(3, 1), (4, 1), (5, 1), (9, 3), (10, 3), (11, 3)]


def test_the_same_questions_get_the_same_answers(clinic: Clinic, milvus: Milvus) -> None:
    clinic.put(0, milvus)
    here, there = clinic.assistant(None), clinic.assistant(milvus)
    assert not isinstance(there.release().engine, LocalEngine)
    for question in (QUESTION, "How long are you red?", "Can you go in the sun?", "What about swelling?", "a hat"):
        mine, theirs = there.ask(question), here.ask(question)
        assert [quote.text for quote in mine.quotes] == [quote.text for quote in theirs.quotes]
        assert [quote.score for quote in mine.quotes] == pytest.approx([quote.score for quote in theirs.quotes], abs=1e-5)
        assert mine.route == theirs.route
    assert there.ready() == ""


def test_a_release_is_there_before_it_is_in_force_and_a_running_chat_takes_it_up(
    clinic: Clinic, milvus: Milvus, address: str
) -> None:
    first = clinic.put(0, milvus)
    chat = clinic.assistant(milvus)
    assert first_quote(chat) == SAID[0]
    opened = chat.release()
    second = clinic.put(1, milvus)
    assert held(address) == first | second
    assert aliased(address) == [*second]
    # Who is still at the older one goes on with it.
    vector = opened.vectors.at(np.array([0]))[0]
    assert 0 in opened.engine.find(vector, "red", 5, np.array([0]), Scope()).places
    answer = soon(chat).ask(QUESTION)
    assert (answer.release, answer.quotes[0].text) == (clinic.made[1], SAID[1])


def test_the_last_few_are_kept_and_one_that_is_gone_is_written_anew(clinic: Clinic, milvus: Milvus, address: str) -> None:
    made = [clinic.put(number, milvus) for number in range(len(SAID))]
    assert held(address) == made[1] | made[2] | made[3]
    clinic.put(0, milvus)
    assert held(address) == made[2] | made[3] | made[0]
    assert aliased(address) == [*made[0]]
    assert clinic.said(milvus) == SAID[0]


def test_staff_publish_and_put_back_by_the_setting(clinic: Clinic, address: str, words: WordEncoder) -> None:
    settings = Settings(corpus=clinic.corpus, index=clinic.index, milvus=address)
    change(clinic.corpus, "Nine sessions.")
    publish(settings, words, "Ann Tan", "sessions", lambda before, now: Judgement())
    shared = open_shared(settings)
    assert shared is not None
    assert clinic.said(shared) == "Nine sessions."
    roll_back(settings, clinic.made[1], "Ann Tan", "as before")
    assert clinic.said(shared) == SAID[1]
    withdraw(settings, words, "sun.html", "Ann Tan", "it is wrong")
    assert aliased(address) == [*clinic.collection()]
    assert clinic.assistant(shared).release().article("sun.html") is None
    shared.close()


def test_building_what_is_in_force_already_writes_it_where_it_is_missing(
    clinic: Clinic, milvus: Milvus, words: WordEncoder
) -> None:
    with pytest.raises(EngineError, match=r"does not hold the release in force.* Run `patient-faq build`"):
        clinic.assistant(milvus).release()
    assert not build(clinic.corpus, clinic.index, words, shared=milvus).changed
    assert clinic.said(milvus) == SAID[-1]


def test_another_folder_s_releases_are_let_alone(clinic: Clinic, milvus: Milvus) -> None:
    strange = release_of(["laser"], "strange")
    milvus.write(strange, {"strange"})
    for number in range(len(SAID)):
        clinic.put(number, milvus)
    assert len(milvus.engine(strange).find(np.ones(4, dtype=np.float32), "laser", 1, np.array([0]), Scope()).places) == 1


def test_whoever_is_killed_while_publishing_leaves_one_release_whole_and_the_next_clears_up(
    built: Clinic, tmp_path: Path, server: Server
) -> None:
    there: dict[str, tuple[Clinic, str, Milvus]] = {}
    for step in STEPS:
        where = server.fresh()
        there[step] = (built.copy(tmp_path / step), where, Milvus(where))
        assert there[step][0].put(0, there[step][2]) == held(where)
    jobs = [(str(clinic.index), clinic.made[1], where, step) for step, (clinic, where, _) in there.items()]
    done = run([sys.executable, "-c", VICTIM, json.dumps(jobs)])
    assert done.stdout.split() == [str(int(signal.SIGKILL))] * len(jobs), done.stderr
    for step, expected in STEPS.items():
        clinic, where, shared = there[step]
        now = 0 if expected == "before" else 1
        assert current_id(clinic.index)[0] == clinic.made[now], step
        assert clinic.said(shared) == SAID[now], step
        assert clinic.collection().items() <= held(where).items(), step
        unfinished = [name for name in held(where) if name.endswith("_writing")]
        assert len(unfinished) == (step in {"insert", "rename_collection"}), step
        latest = clinic.put(2, shared)
        assert clinic.said(shared) == SAID[2], step
        assert aliased(where) == [*latest], step
        assert not [name for name in held(where) if name.endswith("_writing")], step
        shared.close()


def test_a_server_that_goes_is_noticed_and_one_that_comes_back_is_used_again(clinic: Clinic, tmp_path: Path) -> None:
    (tmp_path / "milvus").mkdir()
    mine = Server(tmp_path / "milvus")
    shared = Milvus(mine.fresh())
    clinic.put(0, shared)
    chat = clinic.assistant(shared)
    assert first_quote(chat) == SAID[0]
    mine.kill()
    answer = chat.ask(QUESTION)
    assert answer.card is not None
    assert (answer.card.kind, answer.quotes) == ("trouble", ())
    assert chat.ready() == "Nothing can be looked up: every question is pointed to the clinic."
    with pytest.raises(EngineError):
        clinic.put(1, shared)
    assert current_id(clinic.index)[0] == clinic.made[0]
    mine.start()
    deadline = time.monotonic() + 30
    while chat.ready() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert first_quote(chat) == SAID[0]
    clinic.put(1, shared)
    assert clinic.said(shared) == SAID[1]
    mine.kill()


def test_an_unreachable_server_is_named_without_what_is_secret(clinic: Clinic, words: WordEncoder) -> None:
    secret = f"http://faq:horse-battery@127.0.0.1:{free_port()}/clinic"
    settings = Settings(corpus=clinic.corpus, index=clinic.index, milvus=secret, milvus_token="faq:warm-kettle")
    in_force = current_id(settings.index)
    change(clinic.corpus, "Nine sessions.")
    attempts: list[Callable[[], object]] = [
        lambda: open_shared(settings),
        lambda: publish(settings, words, "Ann Tan", "sessions", lambda before, now: Judgement()),
    ]
    for attempt in attempts:
        with pytest.raises(EngineError) as problem:
            attempt()
        said = str(problem.value)
        assert said.startswith(secret.replace("faq:horse-battery@", "") + ": Milvus cannot be reached")
        assert "PATIENT_FAQ_MILVUS" in said
        assert problem.value.__suppress_context__
        assert not [each for each in ("horse-battery", "warm-kettle") if each in said]
    assert "warm-kettle" not in repr(settings)
    assert current_id(settings.index) == in_force


def test_the_command_says_it_in_one_line(clinic: Clinic) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    told = {"MILVUS": address, "MILVUS_TOKEN": "faq:warm-kettle", "CORPUS": clinic.corpus, "INDEX": clinic.index}
    environment = {**os.environ, **{f"PATIENT_FAQ_{name}": str(value) for name, value in told.items()}}
    done = run([sys.executable, "-m", "retrieval", "build"], environment)
    assert done.returncode == 2
    assert f"{address}: Milvus cannot be reached" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "warm-kettle" not in done.stderr + done.stdout


def run(command: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_collection_that_lost_something_is_not_served_and_the_next_build_mends_it(
    clinic: Clinic, milvus: Milvus, address: str, words: WordEncoder
) -> None:
    [(name, rows)] = clinic.put(3, milvus).items()
    client = MilvusClient(address)
    client.delete(name, ids=[0])
    client.close()
    with pytest.raises(EngineError, match=rf"holds {rows - 1} of the {rows} passages"):
        clinic.assistant(milvus).release()
    build(clinic.corpus, clinic.index, words, shared=milvus)
    assert clinic.said(milvus) == SAID[3]


def test_a_chat_whose_server_lacks_the_newest_release_stays_at_the_one_before(clinic: Clinic, milvus: Milvus) -> None:
    clinic.put(0, milvus)
    chat = clinic.assistant(milvus)
    assert first_quote(chat) == SAID[0]
    clinic.put(1, None)  # by somebody who has not set it
    assert first_quote(soon(chat)) == SAID[0]
    assert "The newest release cannot be opened: the one before it answers." in chat.problems()


def test_what_the_server_did_not_keep_as_it_was_written_is_not_put_in_force(
    clinic: Clinic, milvus: Milvus, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.put(0, milvus)
    real = milvus._client.insert

    def altered(name: str, rows: list[dict[str, Any]], **options: Any) -> object:
        return real(name, [*rows[:-1], {**rows[-1], "words": {0: 9.0}}], **options)

    monkeypatch.setattr(milvus._client, "insert", altered)
    with pytest.raises(EngineError, match=r"did not keep what was written\. The release in force is unchanged"):
        clinic.put(1, milvus)
    assert clinic.said(milvus) == SAID[0]


def test_a_switch_that_fails_after_the_release_is_in_force_is_told_so(
    clinic: Clinic, milvus: Milvus, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.put(0, milvus)

    def refused(*arguments: object, **options: object) -> None:
        raise MilvusException(message="the alias is not yours")

    for name in ("alter_alias", "create_alias"):
        monkeypatch.setattr(milvus._client, name, refused)
    with pytest.raises(BuildError, match=r"not the switch to it \(the alias is not yours\).* is in force since a moment ago"):
        clinic.put(1, milvus)
    assert clinic.said(milvus) == SAID[1]


def test_a_file_of_milvus_lite_serves_one_process(clinic: Clinic, tmp_path: Path) -> None:
    settings = Settings(corpus=clinic.corpus, index=clinic.index, milvus=str(tmp_path / "milvus.db"))
    shared = open_shared(settings)
    assert shared is not None
    clinic.put(0, shared)
    assert clinic.said(shared) == SAID[0]
    code = "import sys; from retrieval.milvus_engine import Milvus; Milvus(sys.argv[1])"
    said = run([sys.executable, "-c", code, settings.milvus]).stderr.splitlines()[-1]
    assert "EngineError" in said
    assert "A file is open to one process at a time" in said


def test_nothing_of_it_is_imported_where_it_is_not_set_and_what_is_missing_is_named() -> None:
    code = (
        "import sys\nimport retrieval.assistant, retrieval.build, retrieval.cli, retrieval.keeping.publishing\n"
        "from retrieval.settings import Settings\nfrom retrieval.shared import open_shared\n"
        "assert open_shared(Settings()) is None\n"
        "print(sorted({'pymilvus', 'grpc', 'retrieval.milvus_engine'} & set(sys.modules)))\n"
        "sys.modules['pymilvus'] = None\nopen_shared(Settings(milvus='http://127.0.0.1:1'))\n"
    )
    done = run([sys.executable, "-c", code])
    assert done.stdout == "[]\n"
    assert "EngineError" in done.stderr.splitlines()[-1]
    assert "pip install 'patient-faq[milvus]'" in done.stderr.splitlines()[-1]
