"""Vectors and words of releases in Milvus, for where one machine is not enough; imported only where the setting names one.

A release in force has a collection, `faq_RELEASE_DIGEST`, with the digest of its manifest, a row a passage:

place             where the passage stands among the passages
article, language, state   its article's number, and what is known of it, to filter by
vector            its vector
words             what each of its terms adds to a question that asks for it: BM25 as in lexical.py, a sparse vector

It is written under another name, read back and compared, and only then renamed, so that a collection with a release's name is
whole. `faq_in_force` is an alias of the one in force, for whoever looks in from outside; the chat asks by name, so that each
answer is from one release. The release's folder stays the source of all of it: a collection can be written anew at any time.

BM25 is not left to Milvus' own function: its statistics are those of a part of the rows, its scores in another form than ours,
and its analysers do not divide words as we do. An inner product with weights of our own is the same number everywhere.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from retrieval.encoder import Vectors
from retrieval.engine import Found, Scope
from retrieval.errors import EngineError
from retrieval.release import Release
from retrieval.vector_index import EXACT_UP_TO

os.environ.setdefault("PYTHON_DOTENV_DISABLED", "1")  # pymilvus would take settings out of any .env file above it

try:
    from grpc import RpcError
    from pymilvus import AnnSearchRequest, DataType, MilvusClient, MilvusException, RRFRanker
except ImportError as absent:
    raise EngineError(
        "PATIENT_FAQ_MILVUS is set, and what it needs is not installed. Run pip install 'patient-faq[milvus]', or unset it."
    ) from absent

__all__ = ["Milvus", "MilvusEngine"]

Places = npt.NDArray[np.int64]
Row = dict[str, Any]

ALIAS = "faq_in_force"
_PREFIX, _WRITING = "faq_", "_writing"
_DIGEST = 16
_BATCH = 2000
_NOT_LOADED = 101
"""The number that Milvus gives this failure."""
_FOUND_AT_ONCE = 16_384
"""More rows than that Milvus gives at no time."""
_ASKING, _CONNECTING, _WRITING_TAKES = 2.0, 5.0, 600.0
"""Seconds that a question waits for an answer, anybody for a connection, and a publisher for one step."""
_LINKS, _LOOKED_AT_BUILDING, _LOOKED_AT = 16, 200, 1200
"""Of the graph that is searched from more than EXACT_UP_TO passages on (HNSW): M, efConstruction, ef."""
_WITHOUT = "Without that setting the index folder alone is used."
_ABOUT_A_SERVER = f"Look whether it runs, and whether PATIENT_FAQ_MILVUS and PATIENT_FAQ_MILVUS_TOKEN are right. {_WITHOUT}"
_ABOUT_A_FILE = f"A file is open to one process at a time: for more, start a server and name its address. {_WITHOUT}"
_FAULTS = (MilvusException, RpcError, OSError)

# It writes each failure to the log with a page of code; what is raised here says it in a line, without what is secret.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)


class MilvusEngine:
    """The candidates of one release, found in its collection."""

    def __init__(self, milvus: Milvus, collection: str, release: Release) -> None:
        self._milvus, self._collection = milvus, collection
        self._lexical, self._count, self._dimension = release.lexical, release.vectors.count, release.vectors.dimension

    def find(self, vector: Vectors, words: str, pool: int, also: Places, scope: Scope) -> Found:
        """Find the candidates; see Engine. Raises EngineError where Milvus does not answer in time."""
        asked, most = self._lexical.asked(words)
        kept = _filter(scope)
        wanted = min(pool, self._count)
        dense = {"metric_type": "IP", "params": {"ef": max(_LOOKED_AT, wanted)} if self._count > EXACT_UP_TO else {}}
        searches = [AnnSearchRequest([vector.tolist()], "vector", dense, wanted, expr=kept or None)]
        if asked:
            searches.append(AnnSearchRequest([asked], "words", {"metric_type": "IP"}, wanted, expr=kept or None))
        rows = self._milvus.found(self._collection, searches)
        # Not by one more search: a graph may miss the few that a filter leaves.
        if missing := sorted(set(also.tolist()) - {row["place"] for row in rows}):
            rows += self._milvus.rows(self._collection, f"place in {missing}" + (f" and {kept}" if kept else ""))
        rows.sort(key=itemgetter("place"))
        places = np.array([row["place"] for row in rows], dtype=np.int64)
        vectors = np.array([row["vector"] for row in rows], dtype=np.float32).reshape(-1, self._dimension)
        held = [sum(times * row["words"].get(term, 0.0) for term, times in asked.items()) for row in rows]
        return Found(places, vectors, np.array(held, dtype=np.float32) / np.float32(most or 1.0))


class Milvus:
    """A Milvus server, or a file of milvus-lite for one process at a time. What it raises names it without anything secret."""

    def __init__(self, address: str, token: str = "") -> None:
        """Connect; raises EngineError where that fails."""
        parts = urlsplit(address)
        self.shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.scheme else address
        self._advice = _ABOUT_A_FILE if address.endswith(".db") else _ABOUT_A_SERVER
        self._secrets = [secret for secret in (token, parts.password, parts.username) if secret]
        with self._failing("cannot be reached"):
            self._client = MilvusClient(uri=address, token=token, timeout=_CONNECTING)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def found(self, collection: str, searches: Sequence[AnnSearchRequest]) -> list[Row]:
        """The rows that some searches find, each once; raises EngineError."""
        # Whatever the ranks, there is room for all: they are scored afterwards, alike for all questions.
        room = min(sum(one.limit for one in searches), _FOUND_AT_ONCE)

        def found() -> Any:
            return self._client.hybrid_search(
                collection, searches, RRFRanker(), room, output_fields=["vector", "words"], timeout=_ASKING
            )

        with self._failing("did not answer"):
            try:
                hits = found()[0]
            except MilvusException as problem:
                if problem.code != _NOT_LOADED:
                    raise
                self._client.load_collection(collection, timeout=_ASKING)  # milvus-lite was started again, and forgot it
                hits = found()[0]
            return [{"place": int(hit["place"]), **hit["entity"]} for hit in hits]

    def rows(self, collection: str, kept: str) -> list[Row]:
        """The rows that a filter leaves; raises EngineError."""
        with self._failing("did not answer"):
            return list(self._client.query(collection, filter=kept, output_fields=["vector", "words"], timeout=_ASKING))

    def engine(self, release: Release) -> MilvusEngine:
        """The engine of a release; raises EngineError where its collection is not there or not whole."""
        name = _name_of(release)
        with self._failing("did not answer"):
            there = self._client.has_collection(name, timeout=_CONNECTING)
            held = self._held(name) if there else 0
        if held != len(release.rows):
            what = f"holds {held:,} of the {len(release.rows):,} passages of" if there else "does not hold"
            raise EngineError(f"{self.shown}: Milvus {what} the release in force, {release.id}. Run `patient-faq build`.")
        return MilvusEngine(self, name, release)

    def write(self, release: Release, known: Set[str]) -> None:
        """Write a release's collection, unless it is there.

        Parameters: the release, and the names of all releases of the index folder, whose unfinished collections are deleted.
        The caller holds the index folder's lock. Raises EngineError; no other collection has changed then.
        """
        name = _name_of(release)
        with self._failing("could not take the release"):
            there = self._collections(known)
            for left in (each for each in there if each.endswith(_WRITING)):
                self._client.drop_collection(left, timeout=_WRITING_TAKES)
            if name in there and self._held(name) == len(release.rows):
                return
            fresh = name + _WRITING
            self._create(fresh, release)
            for rows in _batches(release):
                self._client.insert(fresh, rows, timeout=_WRITING_TAKES)
            self._client.flush(fresh, timeout=_WRITING_TAKES)
            self._check(fresh, release)
            if name in there:
                self._client.drop_collection(name, timeout=_WRITING_TAKES)
            self._client.rename_collection(fresh, name, timeout=_WRITING_TAKES)
            self._client.load_collection(name, timeout=_WRITING_TAKES)  # milvus-lite forgets it with the other name

    def switch(self, release: Release, known: Set[str], kept: Set[str]) -> None:
        """Let the alias name a release's collection, and delete those of releases that are not to be kept.

        Parameters: the release, the names of all releases of the index folder, and of those to keep. Raises EngineError.
        """
        name = _name_of(release)
        with self._failing("took the release, but not the switch to it"):
            try:
                self._client.alter_alias(name, ALIAS, timeout=_WRITING_TAKES)
            except MilvusException:  # there is none yet
                self._client.create_alias(name, ALIAS, timeout=_WRITING_TAKES)
            for each in self._collections(known - kept - {release.id}):
                self._client.drop_collection(each, timeout=_WRITING_TAKES)

    def _collections(self, releases: Set[str]) -> list[str]:
        """The collections of these releases. Others may be another index folder's."""
        found = self._client.list_collections(timeout=_CONNECTING)
        return sorted(each for each in found if each.startswith(_PREFIX) and each.split("_")[1] in releases)

    def _held(self, name: str) -> int:
        self._client.load_collection(name, timeout=_WRITING_TAKES)
        counted = self._client.query(
            name, filter="", output_fields=["count(*)"], consistency_level="Strong", timeout=_CONNECTING
        )
        return int(counted[0]["count(*)"])

    def _create(self, name: str, release: Release) -> None:
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("place", DataType.INT64, is_primary=True)
        schema.add_field("article", DataType.INT64)
        schema.add_field("language", DataType.VARCHAR, max_length=64)
        schema.add_field("state", DataType.VARCHAR, max_length=64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=release.vectors.dimension)
        schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
        indexes = self._client.prepare_index_params()
        if len(release.rows) > EXACT_UP_TO:
            built = {"M": _LINKS, "efConstruction": _LOOKED_AT_BUILDING}
            indexes.add_index("vector", index_type="HNSW", metric_type="IP", params=built)
        else:
            indexes.add_index("vector", index_type="FLAT", metric_type="IP")
        indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        self._client.create_collection(name, schema=schema, timeout=_WRITING_TAKES)
        self._client.create_index(name, indexes, timeout=_WRITING_TAKES, sync=False)  # loading waits for them

    def _check(self, name: str, release: Release) -> None:
        """Read back what was written, and compare; raises EngineError where it is not the same."""
        same = self._held(name) == len(release.rows)
        for rows in _batches(release):
            if not same:
                break
            first, last = rows[0]["place"], rows[-1]["place"]
            found = self._client.query(
                name, filter=f"place >= {first} and place <= {last}", output_fields=list(rows[0]), consistency_level="Strong",
                timeout=_WRITING_TAKES,
            )  # fmt: skip
            same = [_plain(row) for row in sorted(found, key=lambda row: int(row["place"]))] == [_plain(row) for row in rows]
        if not same:
            raise EngineError(
                f"{self.shown}: Milvus did not keep what was written. The release in force is unchanged; try again, and look "
                "at the server's log."
            )

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except _FAULTS as problem:
            told = problem.details() if isinstance(problem, RpcError) else getattr(problem, "message", "")
            said = str(told or problem).splitlines()
            reason = said[0] if said else type(problem).__name__
            for secret in self._secrets:
                reason = reason.replace(secret, "...")
            raise EngineError(f"{self.shown}: Milvus {what} ({reason}). {self._advice}") from None


def _filter(scope: Scope) -> str:
    """A scope as Milvus has it; "" where everything may be found."""
    parts = [f"article not in {sorted(scope.without)}"] if scope.without else []
    if scope.languages:
        parts.append(f"language in {json.dumps(sorted(scope.languages))}")
    return " and ".join(parts)


def _name_of(release: Release) -> str:
    return f"{_PREFIX}{release.id}_{release.manifest[:_DIGEST]}"


def _batches(release: Release) -> Iterator[list[Row]]:
    """A release's passages as rows of its collection, in order."""
    told = [entry.metadata for entry in release.entries]
    starts, terms, weights = release.lexical.by_passage()
    nothing = {release.lexical.terms: 1.0}  # Milvus wants something in each; no question asks for a term that is none
    for first in range(0, len(release.rows), _BATCH):
        end = min(first + _BATCH, len(release.rows))
        vectors = release.vectors.part(first, end)
        rows: list[Row] = []
        for place in range(first, end):
            article = int(release.rows[place, 0])
            held = slice(starts[place], starts[place + 1])
            words = dict(zip(terms[held].tolist(), weights[held].tolist(), strict=True))
            rows.append({
                "place": place, "article": article, "language": told[article].language, "state": told[article].state,
                "vector": vectors[place - first].tolist(), "words": words or nothing,
            })  # fmt: skip
        yield rows


def _plain(row: Mapping[str, Any]) -> Row:
    """A row with nothing but Python's own values, to be compared."""
    vector: Sequence[float] = row["vector"]
    words = {int(term): float(np.float32(weight)) for term, weight in row["words"].items()}
    return {**row, "vector": np.asarray(vector, dtype=np.float32).tolist(), "words": words}
