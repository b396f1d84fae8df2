from __future__ import annotations

import numpy as np
import pytest

from consilium.specialist.classic_features import classic_features
from consilium.specialist.evidence.baselines import MOST_VALUES, baseline, macro_auc, metadata_features, shortcut
from consilium.specialist.splits import Folds, grouped_folds


def test_columns_become_numbers() -> None:
    found = metadata_features({"width": [512, 512.0, "", "1024"], "kind": ["png", "jpg", "png", "png"]})
    assert found.shape == (4, 1 + 2 + 2)
    assert found[:, 2].tolist() == pytest.approx([0, 0, np.log(2), 0])  # that the width is missing
    assert found[2, 1] == found[0, 1]  # the median stands in for it
    assert (found[:, 3] > 0).tolist() == [True, False, True, True]


def test_a_column_of_names_does_not_become_a_feature_each() -> None:
    assert metadata_features({"id": [f"p{number}" for number in range(200)]}).shape == (200, 1 + MOST_VALUES)
    assert metadata_features({}).shape == (0, 1)
    assert not metadata_features({"empty": ["", "", ""]})[:, 0].any()


def test_a_better_model_gains_on_a_worse_one_and_none_on_itself() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(120) % 2
    good = rng.normal(size=(120, 10)).astype(np.float32)
    poor = rng.normal(size=(120, 10)).astype(np.float32)
    good[:, 0] += 2 * truth
    folds = grouped_folds(truth, np.arange(120), repeats=2)
    assert isinstance(folds, Folds)
    targets, groups = truth[:, None, None].astype(float), np.arange(120)
    model = macro_auc(good, targets, groups, folds, "logistic")
    against = baseline("noise", poor, model, targets, groups, folds, "logistic")
    assert against.gain.low > 0 and against.gain.p < 0.001
    assert shortcut(against, ["x"]).alarm == "none"
    itself = baseline("itself", good, model, targets, groups, folds, "logistic")
    assert (itself.gain.value, itself.gain.p) == (0.0, 1.0)
    assert shortcut(itself, ["x"]).alarm == "no better than metadata"


def test_classic_features_are_52_finite_numbers_for_any_picture() -> None:
    rng = np.random.default_rng(0)
    for picture in (
        rng.integers(0, 255, (300, 200), np.uint8),
        rng.integers(0, 65535, (40, 600, 3), np.uint16),
        np.zeros((64, 64)),
        np.ones((1, 1)),
        np.ones((1, 500)),
        rng.normal(size=(3, 2)),
    ):
        found = classic_features(picture)
        assert found.shape == (52,) and found.dtype == np.float32
        assert np.isfinite(found).all()


def test_classic_features_tell_coarse_from_fine_and_not_bright_from_dark() -> None:
    import cv2

    rng = np.random.default_rng(1)
    fine = rng.normal(size=(128, 128)).astype(np.float32)
    coarse = cv2.GaussianBlur(fine, (0, 0), 4)
    co_occurrence = slice(40, 52)
    assert np.abs(classic_features(fine) - classic_features(coarse))[co_occurrence].max() > 1
    assert np.allclose(classic_features(fine), classic_features(3 * fine + 100), atol=2e-3)


def test_co_occurrence_of_stripes_is_that_of_the_textbook() -> None:
    stripes = np.tile([0.0, 1.0], (64, 32))
    contrast, homogeneity, _, correlation = classic_features(stripes)[40:44]
    # Horizontal and both diagonal neighbours are opposite, vertical ones equal: contrast 15² × 3/4.
    assert contrast == pytest.approx(225 * 0.75, rel=0.01)
    assert homogeneity == pytest.approx(0.25 + 0.75 / 226, rel=0.01)
    assert correlation == pytest.approx(-0.5, abs=0.01)
