from __future__ import annotations

import numpy as np
import pytest

from consilium.specialist.enough import NotEnough
from consilium.specialist.intervals import auc_interval
from consilium.specialist.subgroups import bands_of, subgroups


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


def test_a_subgroup_has_the_auc_of_its_cases_or_says_that_it_is_too_small() -> None:
    rng = np.random.default_rng(0)
    positive = np.arange(120) % 3 == 0
    scores = rng.normal(size=120) + positive
    site = np.where(np.arange(120) < 90, "A", "B")
    found = {
        one.value: one
        for one in subgroups({"site": site.tolist()}, scores, 1 / (1 + np.exp(-scores)), positive, np.arange(120))
    }
    own = site == "A"
    assert found["A"].auc == auc_interval(scores[own], positive[own], np.arange(120)[own])
    assert (found["A"].cases, found["A"].positive) == (90, 30)
    assert found["B"].prevalence == pytest.approx(1 / 3)
    assert isinstance(found["B"].auc, type(found["A"].auc))
    few = subgroups(
        {"site": np.where(np.arange(120) < 100, "A", "B").tolist()}, scores, scores, positive, np.arange(120)
    )
    assert isinstance(few[1].auc, NotEnough)
    assert (few[1].auc.found, few[1].auc.needed) == (6, 10)


def test_ten_images_of_two_patients_are_two() -> None:
    positive = np.arange(80) % 2 == 0
    groups = np.where(np.arange(80) < 40, np.arange(80), 100 + np.arange(80) % 4)
    site = ["A"] * 40 + ["B"] * 40
    found = subgroups({"site": site}, np.arange(80.0), np.zeros(80), positive, groups)
    assert isinstance(found[1].auc, NotEnough)
    assert found[1].patients == 4
