"""How a metaphase lies, which way round its grey levels are and how large it was scanned do not change its count."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from consilium.karyotype.case import karyotype_image
from consilium.karyotype.karyotype_set import karyotype_set
from consilium.karyotype.render import render_metaphase

Grey = NDArray[np.uint8]

SEEDS = (5, 6)

CHANGES: dict[str, Callable[[Grey], Grey]] = {
    "turned by 90 degrees": lambda page: np.rot90(page, 1),
    "turned by 180 degrees": lambda page: np.rot90(page, 2),
    "turned by 270 degrees": lambda page: np.rot90(page, 3),
    "mirrored left to right": lambda page: page[:, ::-1],
    "mirrored top to bottom": lambda page: page[::-1],
    "inverted": lambda page: 255 - page,
    "scaled to 0.8": lambda page: _scaled(page, 0.8),
    "scaled to 1.25": lambda page: _scaled(page, 1.25),
}


def _scaled(page: Grey, factor: float) -> Grey:
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(page, None, fx=factor, fy=factor, interpolation=way), np.uint8)


def _count(page: Grey, path: Path) -> int:
    Image.fromarray(np.ascontiguousarray(page)).save(path)
    return karyotype_image(path).count


@cache
def crossing_count(seed: int, change: str) -> int:
    """The count of a changed picture in which chromosomes cross; read once for the tests that ask."""
    with tempfile.TemporaryDirectory() as folder:
        return _count(CHANGES.get(change, np.asarray)(drawn(seed, crowding=0.2)), Path(folder) / "cell.png")


def drawn(seed: int, crowding: float) -> Grey:
    """A drawn male metaphase."""
    return render_metaphase(karyotype_set("46,XY"), np.random.default_rng(seed), crowding=crowding).pixels


@pytest.mark.usefixtures("shipped_models")
@pytest.mark.parametrize("change", ["none", *sorted(CHANGES)])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_count_does_not_change(seed: int, change: str, tmp_path: Path) -> None:
    page = drawn(seed, crowding=0.0)
    assert _count(CHANGES.get(change, np.asarray)(page), tmp_path / "cell.png") == 46


@pytest.mark.xfail(
    reason="about one chromosome in a cell with crossings is missed or doubled (see the benchmark)", strict=False
)
@pytest.mark.usefixtures("shipped_models")
@pytest.mark.parametrize("change", ["none", *sorted(CHANGES)])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_count_does_not_change_where_chromosomes_cross(seed: int, change: str) -> None:
    assert crossing_count(seed, change) == 46


@pytest.mark.usefixtures("shipped_models")
@pytest.mark.parametrize("change", ["none", *sorted(CHANGES)])
@pytest.mark.parametrize("seed", SEEDS)
def test_where_chromosomes_cross_the_count_is_off_by_two_at_most(seed: int, change: str) -> None:
    assert abs(crossing_count(seed, change) - 46) <= 2


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_every_change_is_one(change: str) -> None:
    page = np.arange(40 * 60, dtype=np.uint8).reshape(40, 60)
    changed = CHANGES[change](page)
    assert changed.shape != page.shape or (changed != page).any()
