from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.generalist.cases import pool, pool_cases


def test_a_case_is_mean_maximum_and_spread() -> None:
    found = pool(np.asarray([[1.0, 5.0], [3.0, 5.0]], np.float32))
    assert found.tolist() == [2, 5, 3, 5, 1, 0] and found.dtype == np.float32


def test_cases_keep_the_order_in_which_they_came() -> None:
    image = np.arange(10, dtype=np.float32).reshape(5, 2)
    found = pool_cases(image, ["b", "a", "b", "c", "b"])
    assert found.names == ("b", "a", "c") and found.pictures.tolist() == [3, 1, 1]
    assert found.features[0] == pytest.approx(pool(image[[0, 2, 4]]))
    assert found.features[1, 4:].tolist() == [0, 0]


@given(st.permutations(range(6)))
def test_the_order_of_pictures_does_not_matter(order: list[int]) -> None:
    image = np.random.default_rng(1).random((6, 4)).astype(np.float32)
    assert pool(image[order]) == pytest.approx(pool(image), abs=1e-6)


def test_nothing_is_no_case() -> None:
    with pytest.raises(ValueError, match="without pictures"):
        pool(np.empty((0, 3), np.float32))
    assert pool_cases(np.empty((0, 3), np.float32), []).features.shape == (0, 9)


def test_every_picture_needs_a_case() -> None:
    with pytest.raises(ValueError, match="2 pictures, but 1"):
        pool_cases(np.zeros((2, 3), np.float32), ["a"])
