"""How usable a metaphase is: spread, overlap, sharpness, band level, and one score that ranks the cells of a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from consilium.karyotype.count import DIPLOID
from consilium.karyotype.flags import length_of, touching
from consilium.karyotype.metaphase import Chromosome, Normalised, Quality
from consilium.karyotype.straighten import medial_axis, straighten

MEASURED = 10
"""How many of the longest free, straight chromosomes bands are read on: about as many as a technologist would."""

STRAIGHT = 0.85
"""Chord over arc length above which a chromosome is straight enough to count bands on."""

HALF_CONTRAST = 0.03
"""Band contrast (standard deviation of the profile, darkness units) that gives half of its share of sharpness."""

HALF_RATIO = 1.0
"""Band contrast over pixel noise that gives half of its share of sharpness."""

BAND_SCALE = 0.25
"""Scale, in chromosome widths, above which darkness varies by region and no longer by band."""

BANDS_A_DARK_ONE = 2.4
"""Bands of the ideogram for each dark band that can be told apart: the light one beside it, and those that merge
with a dark neighbour. In the 400-band ideogram, drawn sharply, 166 dark bands a haploid set stand apart."""

PROMINENCE = 0.04
"""Darkness by which a dark band must stand out from the light bands beside it to be counted."""

BAND_LEVEL_LIMITS = (150, 850)
"""Below, bands are blobs; above, no light microscope shows more (ISCN ideograms end at 850)."""

COUNT_TOLERANCE = 2
"""Numerical changes of up to this many chromosomes do not make a cell less usable."""

WEIGHTS = {"free": 0.35, "spread": 0.2, "sharpness": 0.45}
"""Shares of the score: crossings cost a technologist most of her time, blurred bands cannot be repaired at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bands:
    """What one straightened chromosome shows: contrast and noise in darkness units, dark bands, length in pixels."""

    contrast: float
    noise: float
    dark_bands: int
    length: int


def assess(normalised: Normalised, chromosomes: Sequence[Chromosome]) -> Quality:
    """Rate a metaphase.

    The band level is an estimate: dark bands seen on the longest straight chromosomes, taken as `BANDS_A_DARK_ONE`
    bands each, over their share of the cell's total length; a laboratory's own count is against the ideogram.

    Args:
        normalised: the cell's darkness image.
        chromosomes: its chromosomes; none gives a quality of zero.
    """
    if not chromosomes:
        return Quality(score=0.0, spread=0.0, overlap=0.0, sharpness=0.0, band_level=0)
    contacts = touching(chromosomes)
    overlap = sum(number > 0 for number in contacts) / len(chromosomes)
    spread = _spread(chromosomes, width=normalised.chromosome_width)
    lengths = [length_of(one) for one in chromosomes]
    page = np.round(255 * (1 - np.clip(normalised.darkness, 0, 1))).astype(np.uint8)
    shown = [_bands(page, chromosomes[index]) for index in _measurable(chromosomes, contacts, lengths)]
    sharpness = _sharpness(shown)
    haploid = sum(lengths) / len(lengths) * DIPLOID / 2
    parts = {"free": 1 - overlap, "spread": spread, "sharpness": sharpness}
    complete = max(1 - max(abs(len(chromosomes) - DIPLOID) - COUNT_TOLERANCE, 0) / (DIPLOID / 2), 0.0)
    return Quality(
        score=complete * sum(weight * parts[part] for part, weight in WEIGHTS.items()),
        spread=spread,
        overlap=overlap,
        sharpness=sharpness,
        band_level=_band_level(shown, haploid),
    )


def _spread(chromosomes: Sequence[Chromosome], *, width: float) -> float:
    """Mean free distance from each chromosome to its nearest neighbour, in chromosome widths, at most one each."""
    reach = max(int(np.ceil(width)), 1)
    right = max(one.instance.origin[0] + one.instance.mask.shape[1] for one in chromosomes) + 2 * reach
    bottom = max(one.instance.origin[1] + one.instance.mask.shape[0] for one in chromosomes) + 2 * reach
    cover = np.zeros((bottom, right), dtype=np.int16)
    windows = []
    for one in chromosomes:
        (x, y), (height, across) = one.instance.origin, one.instance.mask.shape
        cover[y + reach : y + reach + height, x + reach : x + reach + across] += one.instance.mask
        windows.append(np.s_[y : y + height + 2 * reach, x : x + across + 2 * reach])
    gaps = []
    for one, window in zip(chromosomes, windows, strict=True):
        own = np.pad(one.instance.mask, reach)
        others = cover[window] - own > 0
        distance = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 5)
        nearest = float(distance[own].min()) if others.any() and own.any() else reach + 1.0
        gaps.append(min(max(nearest - 1, 0.0), reach) / reach)
    return float(np.mean(gaps))


def _measurable(chromosomes: Sequence[Chromosome], contacts: Sequence[int], lengths: Sequence[float]) -> list[int]:
    """The longest straight chromosomes, free ones first."""
    order = sorted(range(len(chromosomes)), key=lambda index: (contacts[index] > 0, -lengths[index]))
    chosen: list[int] = []
    for index in order:
        axis = medial_axis(chromosomes[index].instance.mask)
        if axis is not None and np.hypot(*(axis[-1] - axis[0])) >= STRAIGHT * len(axis):
            chosen.append(index)
        if len(chosen) == MEASURED:
            break
    return chosen


def _bands(page: NDArray[np.uint8], one: Chromosome) -> _Bands:
    picture = 1 - straighten(page, one.instance, one.angle_deg).pixels.astype(np.float64) / 255
    middle, half = picture.shape[1] // 2, max(picture.shape[1] // 6, 1)
    # Only the core: towards the rim darkness falls off with thickness, not with bands.
    core = picture[:, middle - half : middle + half + 1]
    profile = core.mean(axis=1)
    tip = max(len(profile) // 20, 2)
    inner = profile[tip:-tip] if len(profile) > 3 * tip else profile
    # Detail narrower than the chromosome is what blur takes away first and what names a chromosome.
    banded = inner - gaussian_filter1d(inner, sigma=max(BAND_SCALE * picture.shape[1], 1.0), mode="nearest")
    # Second differences across the axis cancel bands and slopes; of white noise they have six times the variance.
    ripple = core[:, :-2] - 2 * core[:, 1:-1] + core[:, 2:]
    noise = 1.4826 * float(np.median(np.abs(ripple - np.median(ripple, axis=0)))) / np.sqrt(6)
    visible = max(PROMINENCE, 4 * noise / np.sqrt(core.shape[1]))
    peaks, _ = find_peaks(np.pad(gaussian_filter1d(inner, sigma=0.7), 1), prominence=visible)
    return _Bands(contrast=float(banded.std()), noise=noise, dark_bands=len(peaks), length=len(profile))


def _sharpness(shown: Sequence[_Bands]) -> float:
    if not shown:
        return 0.0
    contrast = float(np.median([bands.contrast for bands in shown]))
    ratio = contrast / max(float(np.median([bands.noise for bands in shown])), 0.002)
    return contrast / (contrast + HALF_CONTRAST) * ratio / (ratio + HALF_RATIO)


def _band_level(shown: Sequence[_Bands], haploid: float) -> int:
    if not shown or haploid <= 0:
        return 0
    per_haploid = [BANDS_A_DARK_ONE * bands.dark_bands / (bands.length / haploid) for bands in shown]
    return int(np.clip(25 * round(float(np.median(per_haploid)) / 25), *BAND_LEVEL_LIMITS))
