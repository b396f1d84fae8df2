from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.breast import SET, TEST, TRAIN, WAYS, divided, encoder_from, table, unpack
from consilium.generalist.shipped import WEIGHTS, shipped_encoder
from consilium.specialist.dataset import read_dataset


def _cases() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    groups = np.sort(rng.integers(0, 600, 780))
    return rng.random(780) < 0.27, groups


def test_a_division_has_the_sizes_of_breastmnist_and_no_group_in_two_parts() -> None:
    positive, groups = _cases()
    parts = divided(positive, groups, 3)
    assert (parts == "test").sum() == TEST and (parts == "train").sum() == TRAIN
    for part in ("test", "train"):
        assert positive[parts == part].mean() == pytest.approx(positive.mean(), abs=0.005)
    assert all(len(set(parts[groups == one])) == 1 for one in np.unique(groups))


def test_a_division_is_that_of_its_seed() -> None:
    positive, groups = _cases()
    assert np.array_equal(divided(positive, groups, 1), divided(positive, groups, 1))
    assert not np.array_equal(divided(positive, groups, 1), divided(positive, groups, 2))


def test_a_network_of_the_recipe_is_an_encoder(tmp_path: Path) -> None:
    encoder = encoder_from(WEIGHTS / "generalist.onnx", tmp_path)
    picture = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    assert np.allclose(encoder.embed(picture).image, shipped_encoder(threads=1).embed(picture).image, atol=1e-5)


def test_the_table_tells_what_further_looks_brought() -> None:
    estimate = {"value": 0.9, "low": 0.85, "high": 0.94, "method": "x"}
    found = {
        "meaning": "m", "primary": estimate, "accuracy": estimate, "cross_validated": estimate, "trained": 546,
        "tested": 156, "worst": [{"file": "a.webp", "label": "malignant", "probability": 0.01}], "seconds": 3.0,
    }  # fmt: skip
    each = ({**found, "divisions": [0.9 + add, 0.88 + add]} for add in (0.03, 0.01, 0.0, 0.0))
    ways = dict(zip([way.name for way in WAYS], each, strict=True))
    text = table({"ways": ways, "pictures": 778, "groups": 600, "date": "2026-11-26", "machine": "M"})
    assert "one_size less seen_once: +0.0100 on average, better on 2 of 2" in text
    assert "as_fitted less one_size: +0.0200" in text
    assert "| a.webp | malignant | 0.010 |" in text and "0.9000 (0.8500 to 0.9400)" in text


@pytest.mark.real_data
def test_the_real_set_is_two_classes(real_data: Path, tmp_path: Path) -> None:
    dataset = read_dataset(unpack(real_data / "medical" / f"{SET}.zip", tmp_path))
    assert dataset.task == "binary" and dataset.labels == ("benign or normal", "malignant")
    assert len(dataset.cases) == 778 and int(dataset.targets().sum()) == 210
