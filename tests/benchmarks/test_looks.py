from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.generalist import FOLDS
from benchmarks.looks import SETS, SIDES, finest, looks_of, table, ways_of


class Sizes:
    """Stands for a network: says how large a picture is and how bright its left upper corner."""

    def image(self, pictures: np.ndarray, row: int) -> np.ndarray:
        return np.column_stack([np.full(len(pictures), pictures.shape[1]), pictures[:, 0, 0, 0]]).astype(np.float32)


def test_every_set_is_one_that_the_networks_left_out() -> None:
    assert set(SETS) <= {name for names in FOLDS.values() for name in names}


def test_ways_are_means_over_looks() -> None:
    pictures = np.zeros((2, 224, 224, 3), np.float32)
    pictures[:, :, 112:] = 1
    looks = looks_of(Sizes(), pictures)  # type: ignore[arg-type]
    assert all(looks[f"{side} rate"] > 0 for side in SIDES)
    ways = ways_of(looks)
    assert ways["one"][0].tolist() == [128, 0]
    assert ways["mirrored"][0].tolist() == [128, 0.5]
    assert ways["two_sizes"][0].tolist() == [176, 0.5]


def test_the_table_tells_gain_and_cost() -> None:
    aucs = {"one": [0.8, 0.82], "mirrored": [0.81, 0.83], "two_sizes": [0.84, 0.86]}
    found: dict[str, Any] = {"cases": 200, "network": "imagenet", "rates": {"128": 100.0, "224": 50.0}, "aucs": aucs}
    text = table({"sets": {"a": found, "b": found}, "date": "2026-11-26", "machine": "M"})
    assert "| two_sizes less mirrored | +0.0300 (+0.0300 to +0.0300) | 2 |" in text
    assert "time, one | 100 |" in text and "time, mirrored | 50 |" in text and "time, two_sizes | 17 |" in text
    assert "| a | 200 | imagenet | 0.8100 | 0.8200 | 0.8500 |" in text


@pytest.mark.real_data
def test_a_real_set_is_read_in_the_finest_size(real_data: Path) -> None:
    found = finest(real_data / "medical" / "sm_osteosarcoma.zip")
    assert found.shape == (60, 224, 224, 3) and 0 <= found.min() < found.max() <= 1
