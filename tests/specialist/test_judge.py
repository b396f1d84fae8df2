from __future__ import annotations

import numpy as np
import pytest

from consilium.specialist.evidence.enough import NotEnough
from consilium.specialist.segmentation.baselines import fit_mean_shape, otsu, thresholded
from consilium.specialist.segmentation.judge import (
    case_means,
    figures_of,
    mean_of,
    objects_of_cases,
    paired_gain,
    score_of,
    subgroups_of,
    tolerance_of,
)
from consilium.specialist.segmentation.mask_scheme import MaskScheme
from consilium.specialist.segmentation.overlap import dice, surface_agreement
from consilium.specialist.segmentation.validation import CaseScore

TWO = MaskScheme(values=(1, 2), labels=("a", "b"), instances=False, volumes=False)


def scored(found: np.ndarray, true: np.ndarray, scheme: MaskScheme = TWO, **beside: object) -> CaseScore:
    words = {"case": 0, "spacing": None, "size_of_pixel": 1.0, "tolerance": None, **beside}
    return score_of(found, true, scheme, **words)  # type: ignore[arg-type]


def test_a_case_is_judged_label_by_label() -> None:
    true, found = np.zeros((40, 50), np.intp), np.zeros((40, 50), np.intp)
    true[5:15, 5:15], found[6:15, 5:15] = 1, 1
    found[30:33, 30:33] = 2
    score = scored(found, true)
    assert score.dice == (dice(found == 1, true == 1), 0.0)
    whole = surface_agreement(found == 1, true == 1, tolerance=2.0).normalised
    assert score.surface == (whole, 0.0)
    assert score.true_size == (100.0, 0.0) and score.found_size == (90.0, 9.0)
    assert scored(true, true).dice == (1.0, None)
    sized = scored(true, true, size_of_pixel=0.25)
    assert sized.true_size == (25.0, 0.0)
    # Only labels that the case has count, and a label it has and the model misses counts as 0.
    assert case_means([score, scored(np.zeros_like(true), true)]).tolist() == [score.dice[0], 0.0]
    assert np.isnan(case_means([scored(found, np.zeros_like(true))])[0])


def test_a_box_around_both_changes_no_distance_even_at_the_rim() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        true, found = (np.zeros((30, 30), np.intp) for _ in range(2))
        for mask in (true, found):
            top, left = rng.integers(0, 15, 2)
            mask[top : top + rng.integers(3, 16), left : left + rng.integers(3, 16)] = 1
        expected = surface_agreement(found > 0, true > 0, tolerance=2.0).normalised
        assert scored(found, true).surface[0] == expected


def test_the_tolerance_follows_the_size_unless_it_is_asked_for() -> None:
    assert tolerance_of((256, 200), None, None) == 2.0
    assert tolerance_of((1280, 200), None, None) == 10.0
    assert tolerance_of((30, 40, 50), (3.0, 0.5, 0.5), None) == 3.0
    assert tolerance_of((30, 40, 50), (0.5, 0.5, 0.5), None) == 1.0
    assert tolerance_of((256, 200), None, 4.5) == 4.5


def _scores(overlaps: list[float]) -> list[CaseScore]:
    return [
        CaseScore(case=n, dice=(one,), surface=(one / 2,), true_size=(100.0,), found_size=(100.0 * one + 10,))
        for n, one in enumerate(overlaps)
    ]


def test_figures_over_patients() -> None:
    rng = np.random.default_rng(1)
    overlaps = [0.0, *rng.uniform(0.6, 0.9, 23).tolist()]
    scores = [
        *_scores(overlaps),
        CaseScore(case=24, dice=(0.0,), surface=(0.0,), true_size=(0.0,), found_size=(5.0,)),
        CaseScore(case=25, dice=(None,), surface=(None,), true_size=(0.0,), found_size=(0.0,)),
    ]
    groups = np.arange(26) // 2
    (found,) = figures_of(scores, groups, ["lesion"], seed=0)
    assert found.cases == 24 and found.patients == 12 and found.without == 2
    assert found.dice.value == pytest.approx(np.mean(overlaps)) and found.dice.low < found.dice.value < found.dice.high
    assert found.surface.value == pytest.approx(np.mean(overlaps) / 2)
    assert found.missed.value == pytest.approx(1 / 24)
    assert found.invented is not None and found.invented.value == 0.5
    gaps = 100 * np.array(overlaps) - 90
    assert found.size.bias.value == pytest.approx(gaps.mean())
    assert found.size.high - found.size.low == pytest.approx(2 * 1.96 * gaps.std(ddof=1))
    assert figures_of(scores[:18], groups[:18], ["lesion"], seed=0) == ()


def test_the_interval_of_a_mean_covers_and_minds_patients() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for trial in range(60):
        patients = np.repeat(rng.normal(0.7, 0.1, 15), 3)
        one = mean_of(patients + rng.normal(0, 0.02, 45), np.repeat(np.arange(15), 3), seed=trial)
        held += one.low <= 0.7 <= one.high
    assert 50 <= held <= 60
    values = np.array([0.5, np.nan, 0.5])
    assert mean_of(values, np.arange(3), seed=0).value == 0.5


def test_a_paired_gain_is_the_paired_test() -> None:
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(3)
    first = rng.normal(0.7, 0.1, 200)
    second = first - rng.normal(0.02, 0.1, 200)
    found = paired_gain(first, second, np.arange(200))
    assert found.value == pytest.approx((first - second).mean())
    # The normal law in place of Student's, as everywhere else.
    assert found.p == pytest.approx(ttest_rel(first, second).pvalue, abs=1e-3)
    second[0] = np.nan
    assert paired_gain(first, second, np.arange(200)).value == pytest.approx((first - second)[1:].mean())


def test_objects_are_counted_over_cases() -> None:
    scores = [
        CaseScore(case=n, dice=(1.0,), surface=(1.0,), true_size=(9.0,), found_size=(9.0,), objects=one)
        for n, one in enumerate([(3, 0, 1), (2, 2, 0), (0, 0, 0)])
    ]
    found = objects_of_cases(scores, np.arange(3), seed=0)
    assert (found.true, found.hits, found.surplus) == (6, 5, 2)
    assert found.precision.value == pytest.approx((0.75 + 0.5 + 1) / 3)


def test_subgroups_of_few_get_no_figure() -> None:
    overlap = np.linspace(0.4, 0.9, 26)
    overlap[25] = np.nan
    sexes = ["f"] * 20 + ["m"] * 6
    women, men = subgroups_of({"sex": sexes, "name": [str(n) + "x" for n in range(26)]}, overlap, np.arange(26), seed=0)
    assert women.value == "f" and not isinstance(women.dice, NotEnough)
    assert women.dice.value == pytest.approx(overlap[:20].mean())
    assert isinstance(men.dice, NotEnough) and men.dice.found == men.cases == 5


def test_ways_that_learn_nothing() -> None:
    masks = []
    for shift in (0, 2, 4):
        mask = np.zeros((64, 96), np.intp)
        mask[20 + shift : 40 + shift, 30:60] = 1
        mask[50:60, 10:20] = 2
        masks.append(mask)
    shape = fit_mean_shape(masks, TWO)
    first, second = shape.outlined((64, 96))
    assert dice(first, masks[1] == 1) > 0.9 and dice(second, masks[1] == 2) > 0.9
    assert [one.shape for one in shape.outlined((32, 32))] == [(32, 32)] * 2
    rng = np.random.default_rng(0)
    values = np.clip(np.where(masks[0] == 1, 0.8, 0.3) + 0.05 * rng.standard_normal((64, 96)), 0, 1).astype(np.float32)
    assert 0.45 < otsu(values) < 0.65
    assert dice(thresholded(values, bright=True), masks[0] == 1) > 0.99
    assert (thresholded(values, bright=True) ^ thresholded(values, bright=False)).all()
