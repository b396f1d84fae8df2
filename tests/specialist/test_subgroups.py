from __future__ import annotations

import numpy as np
import pytest

from consilium.specialist.evidence.discrimination import within_folds
from consilium.specialist.evidence.enough import NotEnough
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.evidence.subgroups import bands_of, subgroups
from consilium.specialist.splits import Folds, grouped_folds


def test_numbers_become_bands_and_words_stay() -> None:
    bands = bands_of([str(age) for age in range(20, 80)])
    assert bands is not None
    assert set(bands) == {"20 to under 39.6667", "39.6667 to under 59.3333", "59.3333 to 79"}
    assert bands_of(["f", "m", ""]) == ("f", "m", "")
    assert bands_of(["0", "1", "1"]) == ("0", "1", "1")
    assert bands_of(["a"] * 5) is None
    assert bands_of([f"patient {number}" for number in range(50)]) is None
    known = bands_of(["30", "", "50", "nan", "70", "90"])
    assert known is not None and known[1] == known[3] == ""


def _scored() -> tuple[np.ndarray, np.ndarray, Folds]:
    rng = np.random.default_rng(0)
    positive = np.arange(120) % 3 == 0
    folds = grouped_folds(positive.astype(np.intp), np.arange(120))
    assert isinstance(folds, Folds)
    return np.stack([rng.normal(size=120) + positive for _ in range(5)]), positive, folds


def test_a_subgroup_has_the_auc_of_its_pairs_or_says_that_it_is_too_small() -> None:
    scores, positive, folds = _scored()
    site, groups, predicted = ["A"] * 90 + ["B"] * 30, np.arange(120), np.full(120, 0.4)
    found = {one.value: one for one in subgroups({"site": site}, scores, folds, predicted, positive, groups)}
    own = np.array(site) == "A"
    expected = np.mean(
        [
            within_folds(one[own], positive[own], fold[own], groups[own]).value
            for one, fold in zip(scores, folds.assigned, strict=True)
        ]
    )
    assert isinstance(found["A"].auc, Estimate)
    assert found["A"].auc.value == pytest.approx(expected)
    assert found["A"].auc.low < expected < found["A"].auc.high
    assert (found["A"].cases, found["A"].positive) == (90, 30)
    assert (found["B"].prevalence, found["B"].share_called) == pytest.approx((1 / 3, 0.4))
    few = subgroups({"site": ["A"] * 100 + ["B"] * 20}, scores, folds, predicted, positive, groups)
    assert isinstance(few[1].auc, NotEnough)
    assert (few[1].auc.found, few[1].auc.needed) == (6, 10)


def test_ten_images_of_two_patients_are_two() -> None:
    scores, positive, folds = _scored()
    groups = np.where(np.arange(120) < 80, np.arange(120), 200 + np.arange(120) % 4)
    found = subgroups({"site": ["A"] * 80 + ["B"] * 40}, scores, folds, np.zeros(120), positive, groups)
    assert isinstance(found[1].auc, NotEnough)
    assert found[1].patients == 4
