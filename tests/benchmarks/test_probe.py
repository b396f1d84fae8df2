from __future__ import annotations

import numpy as np
import pytest

from benchmarks.probe import draws, duplicate_groups, macro_auc, probe_auc


def test_near_duplicates_and_patients_are_one_group() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (6, 32, 32, 3), np.uint8)
    pictures[4] = np.clip(pictures[1].astype(int) + rng.integers(-3, 4, pictures[1].shape), 0, 255)
    groups = duplicate_groups(pictures, ["a", "b", "c", "a", "e", "f"])
    assert groups[0] == groups[3] and groups[1] == groups[4]
    assert len(np.unique(groups)) == 4


def test_pictures_that_join_two_patients_join_all_of_theirs() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3), np.uint8)
    pictures[2] = pictures[1]
    groups = duplicate_groups(pictures, ["a", "a", "b", "b"])
    assert len(np.unique(groups)) == 1


def test_no_group_is_on_both_sides_of_a_draw() -> None:
    labels = np.repeat([0, 1, 2], 40)
    groups = np.arange(120) // 4
    made = list(draws(labels, groups, cases=60, count=5, seed=3))
    assert len(made) == 5 and len({tuple(one.train) for one in made}) == 5
    for one in made:
        assert not set(groups[one.train]) & set(groups[one.test])
        assert len(one.train) == 60 and len(one.train) + len(one.test) == 120
        assert set(labels[one.train]) == set(labels[one.test]) == {0, 1, 2}


def test_a_class_of_one_group_cannot_be_drawn() -> None:
    labels, groups = np.asarray([0] * 20 + [1] * 4), np.asarray([*range(20), *[20] * 4])
    with pytest.raises(ValueError, match="too few groups"):
        list(draws(labels, groups, cases=12, count=1, seed=0))


@pytest.mark.parametrize("classes", [2, 3])
def test_a_probe_finds_what_is_there_and_nothing_that_is_not(classes: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, 300)
    groups = np.arange(300)
    noise = rng.standard_normal((300, 60)).astype(np.float32)
    told = noise.copy()
    told[np.arange(300), labels] += 3
    (one,) = draws(labels, groups, cases=100, count=1, seed=1)
    assert probe_auc(told, labels, groups, one) > 0.85
    assert abs(probe_auc(noise, labels, groups, one) - 0.5) < 0.12


def test_macro_auc_is_the_mean_over_classes() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 80)
    chances = rng.dirichlet([1, 1, 1], 80)
    assert macro_auc(chances, labels) == pytest.approx(roc_auc_score(labels, chances, multi_class="ovr"))
