"""The passages' vectors: compared one by one or, where there are very many, looked for in a part of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import vector_index
from retrieval.encoder import Vectors
from retrieval.errors import DamagedRelease
from retrieval.vector_index import VectorIndex


def clustered(count: int, dimension: int = 24) -> Vectors:
    """Vectors of length 1 that lie in heaps, as those of passages do."""
    chance = np.random.default_rng(7)
    heaps = chance.standard_normal((count // 40 + 1, dimension))
    found = heaps[np.arange(count) % len(heaps)] + 0.7 * chance.standard_normal((count, dimension))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Vectors:
    """More vectors than are compared one by one."""
    monkeypatch.setattr(vector_index, "EXACT_UP_TO", 3_000)
    return clustered(6_000)


@settings(deadline=None, max_examples=40)
@given(count=st.integers(1, 60), wanted=st.integers(1, 80), seed=st.integers(0, 99))
def test_few_are_compared_one_by_one(count: int, wanted: int, seed: int) -> None:
    vectors = clustered(count, 8)
    asked = np.random.default_rng(seed).standard_normal(8).astype(np.float32)
    found = VectorIndex.of(vectors).nearest(asked, wanted)
    products = vectors @ asked
    assert len(set(found.tolist())) == min(wanted, count)
    assert sorted(products[found])[::-1] == sorted(products.tolist(), reverse=True)[:wanted]


@settings(deadline=None, max_examples=40)
@given(kept=st.lists(st.booleans(), min_size=1, max_size=60), wanted=st.integers(1, 80))
def test_few_of_those_that_are_kept(kept: list[bool], wanted: int) -> None:
    vectors, asked, mask = clustered(len(kept), 8), clustered(3, 8)[2], np.array(kept)
    found = VectorIndex.of(vectors).nearest(asked, wanted, mask)
    assert mask[found].all()
    assert len(set(found.tolist())) == min(wanted, sum(kept))
    products = vectors @ asked
    assert sorted(products[found])[::-1] == sorted(products[mask].tolist(), reverse=True)[:wanted]


def test_among_many_only_those_that_are_kept_and_nearly_all_that_are_nearest(many: Vectors) -> None:
    index, kept = VectorIndex.of(many), np.random.default_rng(3).random(len(many)) < 0.25
    found = wanted = 0
    for place in range(11, 6_000, 97):
        near = index.nearest(many[place], 400, kept)
        assert kept[near].all()
        products = np.where(kept, many @ many[place], -2)
        found += len(np.intersect1d(np.argsort(-products)[:10], near))
        wanted += 10
    assert found / wanted >= 0.95
    assert len(index.nearest(many[5], 400, np.zeros(len(many), bool))) == 0
    assert set(index.nearest(many[5], 50, np.ones(len(many), bool)).tolist()) == set(index.nearest(many[5], 50).tolist())


def test_among_many_nearly_all_that_are_nearest_are_found_by_looking_at_a_part(many: Vectors) -> None:
    index = VectorIndex.of(many)
    assert 1 <= index._near.nprobe < index._near.nlist
    found = wanted = 0
    for place in range(11, 6_000, 97):
        asked = many[place] + 0.1 * clustered(1)[0]
        right = np.argsort(-(many @ asked))[:10]
        found += len(np.intersect1d(right, index.nearest(asked, 400)))
        wanted += 10
    assert found / wanted >= 0.97


@pytest.mark.parametrize("exact", [True, False])
def test_what_was_saved_is_the_same_and_stays_on_the_disk(many: Vectors, tmp_path: Path, exact: bool) -> None:
    vectors = many[:2_000] if exact else many
    index = VectorIndex.of(vectors)
    index.save(tmp_path)
    assert (tmp_path / "nearest.faiss").exists() is not exact
    loaded = VectorIndex.load(tmp_path)
    assert (loaded.count, loaded.dimension) == vectors.shape
    assert (loaded.part(0, len(vectors)) == vectors).all()
    assert (loaded.at(np.array([5, 1])) == vectors[[5, 1]]).all()
    asked = vectors[17]
    assert set(loaded.nearest(asked, 50).tolist()) == set(index.nearest(asked, 50).tolist())
    mapped = Path("/proc/self/maps").read_text()
    assert str(tmp_path / "vectors.npy") in mapped


def test_the_same_vectors_give_the_same_files(many: Vectors, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        VectorIndex.of(many).save(tmp_path / name)
    for file in ("vectors.npy", "nearest.faiss"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_there_may_be_none(tmp_path: Path) -> None:
    VectorIndex.of(np.empty((0, 8), dtype=np.float32)).save(tmp_path)
    loaded = VectorIndex.load(tmp_path)
    assert loaded.count == 0
    assert loaded.nearest(np.ones(8, dtype=np.float32), 3).tolist() == []


@pytest.mark.parametrize("name", ["vectors.npy", "nearest.faiss"])
def test_a_file_that_is_none_is_told(many: Vectors, tmp_path: Path, name: str) -> None:
    VectorIndex.of(many).save(tmp_path)
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(DamagedRelease, match="the vectors cannot be read"):
        VectorIndex.load(tmp_path)
