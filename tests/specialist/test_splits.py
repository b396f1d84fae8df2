from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.errors import UnusableDataset
from consilium.specialist.evidence.enough import NotEnough
from consilium.specialist.splits import Folds, grouped_folds, refuse_crossing, strata_of_groups, too_few


def _folds(strata: np.ndarray, groups: np.ndarray, **wanted: int) -> Folds:
    found = grouped_folds(strata, groups, **wanted)
    assert isinstance(found, Folds)
    return found


@settings(max_examples=40)
@given(st.integers(10, 40), st.integers(1, 4), st.integers(0, 1000))
def test_no_group_crosses_and_every_fold_has_every_class(patients: int, most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(patients), rng.integers(1, most + 1, patients))
    strata = (np.arange(patients) % 2)[groups]
    folds = _folds(strata, groups, seed=seed)
    for fold in folds.assigned:
        refuse_crossing(fold, groups)
        for part in range(folds.count):
            assert set(strata[fold == part].tolist()) == {0, 1}


def test_classes_are_spread_evenly() -> None:
    strata = np.repeat([0, 1], [160, 40])
    folds = _folds(strata, np.arange(200))
    for fold in folds.assigned:
        assert np.bincount(fold[strata == 1], minlength=5).tolist() == [8] * 5
        assert np.bincount(fold[strata == 0], minlength=5).tolist() == [32] * 5


def test_large_groups_do_not_make_one_fold_large() -> None:
    sizes = np.r_[np.full(5, 20), np.ones(50, int)]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    fold = _folds(np.zeros(len(groups), np.intp), groups).assigned[0]
    assert np.bincount(fold).max() - np.bincount(fold).min() <= 1


def test_repetitions_differ_and_seeds_repeat() -> None:
    strata, groups = np.arange(60) % 2, np.arange(60)
    first = _folds(strata, groups, seed=3)
    assert first.repeats == 5
    assert not (first.assigned[0] == first.assigned[1]).all()
    assert (first.assigned == _folds(strata, groups, seed=3).assigned).all()
    assert not (first.assigned == _folds(strata, groups, seed=4).assigned).all()


def test_names_of_groups_do_not_matter() -> None:
    strata, groups = np.arange(60) % 3, np.arange(60) // 2
    assert (_folds(strata, groups).assigned == _folds(strata, groups * 7 + 100).assigned).all()


def test_too_few_groups_of_a_class_are_a_result() -> None:
    strata, groups = np.repeat([0, 1], [30, 12]), np.r_[np.arange(30), 30 + np.arange(12) // 4]
    found = grouped_folds(strata, groups)
    assert isinstance(found, NotEnough)
    assert (found.found, found.needed) == (3, 5)
    assert "not enough cases" in str(found)
    (short,) = too_few(strata, groups, ("benign", "malignant"))
    assert "malignant" in short.counted
    assert len(too_few(strata, groups, ("benign", "malignant"), needed=40)) == 2


def test_a_group_with_two_classes_stands_with_its_rarer_one_or_apart() -> None:
    strata, groups = np.array([0, 0, 0, 1, 0, 1]), np.array([0, 1, 2, 2, 3, 4])
    assert strata_of_groups(strata, groups).tolist() == [0, 0, 1, 0, 1]
    many = np.tile([0, 1], 6), np.repeat(np.arange(6), 2)
    assert set(strata_of_groups(*many).tolist()) == {2}


def test_given_parts_that_a_group_crosses_are_refused() -> None:
    with pytest.raises(UnusableDataset, match="p2"):
        refuse_crossing(np.array([0, 0, 1]), np.array(["p1", "p2", "p2"]))
