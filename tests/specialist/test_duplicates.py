from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.specialist.duplicates import (
    Duplicate,
    contradictions,
    digest,
    looks,
    merged,
    same_bytes,
    same_features,
    same_looks,
)


def _picture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return cv2.GaussianBlur(rng.normal(size=(200, 260)).astype(np.float32), (0, 0), 12) * 900 + 128


def test_equal_bytes(tmp_path: Path) -> None:
    for name, content in (("a", b"x"), ("b", b"y"), ("c", b"x")):
        (tmp_path / name).write_bytes(content)
    found = same_bytes([digest(tmp_path / name) for name in "abc"])
    assert found == [Duplicate(first=0, second=2, how="same bytes")]


def test_a_folder_has_the_digest_of_its_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.dcm").write_bytes(b"slice")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    (tmp_path / "two" / "b.dcm").write_bytes(b"slice")
    assert digest(tmp_path / "one") != digest(tmp_path / "two")


def test_a_reduced_darkened_noisy_copy_looks_the_same_and_others_do_not() -> None:
    pictures = [_picture(seed) for seed in range(30)]
    copy = cv2.resize(pictures[4], (130, 100), interpolation=cv2.INTER_AREA) * 0.7 + 10
    copy += np.random.default_rng(1).normal(size=copy.shape)
    found = same_looks([looks(picture) for picture in [*pictures, copy]])
    assert found == [Duplicate(first=4, second=30, how="same looks")]


def test_empty_pictures_are_not_each_others_copies() -> None:
    assert looks(np.full((50, 50), 7, np.uint8)) == 0
    assert same_looks([0, 0, 0]) == []


def test_nearly_equal_features() -> None:
    features = np.random.default_rng(0).normal(size=(50, 64)).astype(np.float32) + 100
    features[20] = features[10] + np.float32(0.02) * features[30] / 100
    assert [(one.first, one.second) for one in same_features(features)] == [(10, 20)]
    assert same_features(features[:, :5]) == []


@settings(max_examples=50)
@given(st.integers(2, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=20))
def test_merged_groups_are_the_connected_ones(count: int, pairs: list[tuple[int, int]]) -> None:
    import scipy.sparse
    from scipy.sparse.csgraph import connected_components

    inside = [(one, other) for one, other in pairs if one < count and other < count]
    groups = np.arange(count) // 2
    joined = merged(groups, [Duplicate(first=one, second=other, how="same looks") for one, other in inside])
    edges = [*inside, *((a, a + 1) for a in range(0, count - 1, 2))]
    rows, columns = zip(*edges, strict=True)
    graph = scipy.sparse.coo_array((np.ones(len(edges)), (rows, columns)), shape=(count, count))
    _, expected = connected_components(graph, directed=False)
    same = joined[:, None] == joined[None]
    assert (same == (expected[:, None] == expected[None])).all()
    assert set(joined.tolist()) == set(range(int(joined.max()) + 1))


def test_copies_with_different_labels() -> None:
    pairs = [Duplicate(first=0, second=1, how="same bytes"), Duplicate(first=1, second=2, how="same bytes")]
    assert contradictions(pairs, ["a", "a", "b"]) == pairs[1:]
