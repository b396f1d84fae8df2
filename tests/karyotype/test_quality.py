"""Quality falls with what a technologist would reject a cell for, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from consilium.karyotype.metaphase import Chromosome, Metaphase, Normalised
from consilium.karyotype.quality import assess

Cell = Callable[..., Metaphase]
Labels = Callable[..., tuple[str, ...]]


def _darkness(pixels: np.ndarray) -> Normalised:
    darkness = np.clip((225 - pixels.astype(np.float32)) / 200, 0, 1).astype(np.float32)
    return Normalised(darkness=darkness, inverted=False, chromosome_width=11.0)


def _noisy(pixels: np.ndarray, sigma: float) -> np.ndarray:
    return np.clip(pixels + np.random.default_rng(3).normal(0, sigma, pixels.shape), 0, 255)


def _moved(chromosomes: tuple[Chromosome, ...], *, towards: int, pairs: int) -> tuple[Chromosome, ...]:
    """Push every second chromosome of the first `pairs` pairs to the left, onto its neighbour."""
    moved = list(chromosomes)
    for index in range(1, 2 * pairs, 2):
        instance = chromosomes[index].instance
        x, y = instance.origin
        moved[index] = replace(chromosomes[index], instance=replace(instance, origin=(x - towards, y)))
    return tuple(moved)


def test_a_good_cell_scores_well(cell: Cell, labels: Labels) -> None:
    made = cell(labels())
    quality = assess(_darkness(_noisy(made.pixels, 3)), made.chromosomes)
    assert quality.overlap == 0
    assert quality.spread == pytest.approx(1.0)
    assert quality.sharpness > 0.5
    assert 0.7 < quality.score <= 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 2.5),
        lambda pixels: 225 - (225 - pixels) * 0.4,
        lambda pixels: _noisy(pixels, 30),
    ],
    ids=["blur", "faint", "noise"],
)
def test_sharpness_falls(cell: Cell, labels: Labels, spoil: Callable[[np.ndarray], np.ndarray]) -> None:
    made = cell(labels())
    clean = _noisy(made.pixels, 3).astype(np.float32)
    good, bad = (assess(_darkness(pixels), made.chromosomes) for pixels in (clean, spoil(clean)))
    assert bad.sharpness < 0.8 * good.sharpness
    assert bad.score < good.score
    assert (bad.overlap, bad.spread) == (good.overlap, good.spread)


def test_crossings_and_crowding(cell: Cell, labels: Labels) -> None:
    made = cell(labels())
    normalised = _darkness(made.pixels)
    free, near, touching = (
        assess(normalised, _moved(made.chromosomes, towards=towards, pairs=5)) for towards in (0, 24, 30)
    )
    assert (free.overlap, near.overlap) == (0, 0)
    assert touching.overlap == pytest.approx(10 / 46)
    assert free.spread > near.spread > touching.spread
    assert free.score > near.score > touching.score


def test_band_level_counts_bands(cell: Cell, labels: Labels) -> None:
    made = cell(labels())
    quality = assess(_darkness(made.pixels), made.chromosomes)
    # One dark band every nine pixels over a haploid length of half the rods' total, 2.4 bands each.
    haploid = sum(max(one.instance.mask.shape) for one in made.chromosomes) / 2
    assert quality.band_level == pytest.approx(2.4 * haploid / 9, rel=0.15)
    faint = assess(_darkness(cv2.GaussianBlur(made.pixels, (0, 0), 4)), made.chromosomes)
    assert faint.band_level < quality.band_level


def test_an_incomplete_cell_scores_lower_but_an_aneuploid_one_does_not(cell: Cell, labels: Labels) -> None:
    full, monosomy, half = (
        assess(_darkness(made.pixels), made.chromosomes)
        for made in (cell(labels()), cell(labels()[1:]), cell(labels()[::2]))
    )
    assert monosomy.score == pytest.approx(full.score, rel=0.1)
    assert half.score < 0.5 * full.score


def test_no_chromosomes() -> None:
    assert assess(_darkness(np.full((50, 50), 225)), ()).score == 0


def test_one_blob_gives_figures_in_range(chromosome: Callable[..., Chromosome]) -> None:
    blob = chromosome(np.ones((4, 4), dtype=bool), (10, 10), "21")
    quality = assess(_darkness(np.full((50, 50), 225)), (blob,))
    assert all(0 <= value <= 1 for value in (quality.score, quality.spread, quality.overlap, quality.sharpness))
