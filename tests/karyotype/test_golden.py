"""Golden karyograms of three drawn cells; `python -m tests.regenerate_goldens` draws them again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from consilium.karyotype.arrange import arrange
from consilium.karyotype.synthetic import is_synthetic
from tests.karyotype.golden_cells import CELLS, FOLDER, golden_cell, layout, picture

MOST_BYTES = 60_000
UNITS = 4
"""Canvas units by which a place may have moved: libraries round a spline differently."""

MEAN, LOCAL, WINDOW = 1.5, 36.0, 15
"""Grey levels, over the whole picture and over a window of a few pixels, by which pictures may differ: with the oldest
libraries a chromosome here and there lies a pixel higher, which is 31; one upside down is 42 or more."""


def golden_layout(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def golden_picture(name: str) -> NDArray[np.uint8]:
    with Image.open(FOLDER / f"{name}.png") as kept:
        return np.asarray(kept.convert("L"))


def differences(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> tuple[float, float]:
    """Mean absolute difference of the whole picture and of its most different window."""
    height = min(len(first), len(second))
    away = np.abs(first[:height].astype(np.float32) - second[:height])
    return float(away.mean()), float(cv2.blur(away, (WINDOW, WINDOW)).max())


@pytest.mark.parametrize("name", sorted(CELLS))
def test_every_label_stands_where_it_stood(name: str) -> None:
    golden, now = golden_layout(name), layout(arrange(golden_cell(name)))
    for key in ("count", "karyotype", "synthetic"):
        assert now[key] == golden[key]
    assert [(one["label"], one["row"], one["empty"]) for one in now["places"]] == [
        (one["label"], one["row"], one["empty"]) for one in golden["places"]
    ]
    assert [(one["kind"], one["text"]) for one in now["brackets"]] == [
        (one["kind"], one["text"]) for one in golden["brackets"]
    ]
    moved = np.abs(np.subtract([one["at"] for one in now["places"]], [one["at"] for one in golden["places"]]))
    assert moved.max() <= UNITS
    assert np.abs(np.subtract(now["size"], golden["size"])).max() <= UNITS


@pytest.mark.parametrize("name", sorted(CELLS))
def test_the_karyogram_looks_as_it_looked(name: str) -> None:
    golden, now = golden_picture(name), picture(golden_cell(name))
    assert abs(len(golden) - len(now)) <= 2
    mean, local = differences(golden, now)
    assert mean < MEAN and local < LOCAL


def test_one_chromosome_upside_down_would_be_seen() -> None:
    """The tolerance is no blindfold."""
    cell = golden_cell("normal_female")
    chromosomes = list(cell.chromosomes)
    chromosomes[8] = replace(chromosomes[8], angle_deg=(chromosomes[8].angle_deg + 180) % 360)
    changed = picture(replace(cell, chromosomes=tuple(chromosomes)))
    assert differences(golden_picture("normal_female"), changed)[1] > LOCAL


@pytest.mark.parametrize("name", sorted(CELLS))
def test_goldens_say_what_was_drawn(name: str) -> None:
    karyotype, _ = CELLS[name]
    golden = golden_layout(name)
    assert golden["karyotype"] == karyotype and golden["synthetic"]
    assert golden["count"] == int(karyotype.split(",")[0])
    assert is_synthetic(FOLDER / f"{name}.png")
    assert (FOLDER / f"{name}.png").stat().st_size <= MOST_BYTES


def test_every_golden_has_its_cell() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(CELLS)
