"""One synthetic G-banded chromosome before it is bent: outline, bands and grain of two sister chromatids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from consilium.cytogenetics.bands import LEVELS, Band, bands, profile

Floats = NDArray[np.float32]

SAMPLES_PER_PIXEL = 2
MARGIN = 4.0
"""Pixels of background around the drawing."""

_PLACES = 512
_MEAN_DARKNESS = 0.48
_MERGED = {400: 0.15, 550: 0.105, 850: 0.06}
_DIFFERENTIATED = {400: 1.7, 550: 1.5, 850: 1.2}
# How each band level is drawn from the finest table: the blur that merges its sub-bands (standard deviation, in
# widths) and the contrast the stain then restores. Only the finest table grades its stains well (the coarse ones call
# 19q13.4 as dark as 4q34), and a contracted chromosome is the same chromosome seen more coarsely.
_SATELLITED = frozenset({"13", "14", "15", "21", "22"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Body:
    """What one chromosome is drawn from.

    Attributes:
        rows: its bands from pter to qter.
        level: their resolution in bphs.
        width, length: pixels.
        along: (n,) arc length of each sample from pter, pixels; negative before it.
        place: (n,) where on the ideogram each sample lies, 0 at pter and 1 at qter.
        waist: arc length of the centromere, pixels.
    """

    rows: tuple[Band, ...]
    level: int
    width: float
    length: float
    along: Floats
    place: Floats
    waist: float

    @property
    def label(self) -> str:
        return self.rows[0].chromosome


def straight_chromosome(
    label: str, rng: np.random.Generator, *, width_px: float, length_px: float, band_level: int
) -> Floats:
    """Draw a chromosome upright, pter in the first rows.

    Args:
        label: one of `CLASSES`.
        rng: source of variation between chromosomes.
        width_px: width of the two chromatids together, pixels.
        length_px: length from pter to qter, pixels.
        band_level: 400, 550 or 850 bphs.

    Returns:
        (rows, columns, 2) float32 with `SAMPLES_PER_PIXEL` samples a pixel and `MARGIN` pixels around: darkness (0
        outside, about 1 in the darkest bands), and how far inside the outline in pixels (negative outside). The
        middle column is the axis.

    Raises:
        InputError: for an unknown label or band level.
    """
    return _drawn(_body(label, rng, width_px, length_px, band_level), rng)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A piece of a chromosome to be drawn.

    Attributes:
        label: one of `CLASSES`; empty for material of unknown origin.
        start, stop: ISCN units from pter, in the order in which the piece lies; of unknown material its length.
        darkness: of unknown material, 0..1; a homogeneously staining region is evenly grey.
    """

    label: str
    start: int
    stop: int
    darkness: float = 0.5


def straight_pieces(
    stretches: Sequence[Stretch],
    rng: np.random.Generator,
    *,
    width_px: float,
    px_per_unit: float,
    band_level: int,
    ring: bool = False,
) -> tuple[Floats, float]:
    """Draw a chromosome made of pieces upright, as `straight_chromosome` draws a whole one.

    Args:
        stretches: from the end that is drawn on top.
        rng: source of variation.
        width_px: width of the two chromatids together, pixels.
        px_per_unit: pixels a unit of the ideogram is long.
        band_level: 400, 550 or 850 bphs.
        ring: the ends are joined: nothing is rounded, and the margins repeat the other end.

    Returns:
        The drawing, and its length from end to end in pixels.
    """
    parts = [_part(one, rng, width_px, px_per_unit, band_level) for one in stretches]
    inner = np.concatenate(parts)
    smoothed = gaussian_filter1d(inner[..., 1], 0.08 * width_px * SAMPLES_PER_PIXEL, axis=0)
    margin = round(MARGIN * SAMPLES_PER_PIXEL)
    if ring:
        repeated = np.concatenate([inner[-margin:], inner, inner[:margin]])
        return np.ascontiguousarray(repeated), len(inner) / SAMPLES_PER_PIXEL
    across = _across(width_px)
    radius = min(0.42 * width_px, 0.3 * len(inner) / SAMPLES_PER_PIXEL)
    from_end = np.minimum(np.arange(len(inner)) + 0.5, len(inner) - np.arange(len(inner)) - 0.5) / SAMPLES_PER_PIXEL
    rounded = (1.0 - (1.0 - np.clip(from_end / radius, 0.0, 1.0)) ** 2.3) ** (1 / 2.3)
    half = smoothed[:, len(across) // 2] * rounded
    inside = half[:, None] - np.abs(across)[None, :]
    darkness = np.where(inside > 0, inner[..., 0], 0.0)
    body = np.stack([darkness, inside], axis=-1)
    outside = np.stack([np.zeros_like(across), -np.abs(across) - 1.0], axis=-1)[None]
    beyond = np.repeat(outside, margin, axis=0)
    return np.concatenate([beyond, body, beyond]).astype(np.float32), len(inner) / SAMPLES_PER_PIXEL


def _part(one: Stretch, rng: np.random.Generator, width: float, px_per_unit: float, level: int) -> Floats:
    """The rows of one piece, without its ends."""
    if not one.label:
        body = _body("16", rng, width, max(abs(one.stop - one.start) * px_per_unit, 2.0), level)
        drawn = _drawn(replace(body, waist=-10.0 * width), rng)
        inner = drawn[round(MARGIN * SAMPLES_PER_PIXEL) : len(drawn) - round(MARGIN * SAMPLES_PER_PIXEL)]
        flat = np.where(inner[..., 1] > 0, one.darkness * rng.uniform(0.9, 1.1), 0.0)
        half = np.full(len(inner), 0.5 * width)
        inside = half[:, None] - np.abs(_across(width))[None, :]
        return np.stack([np.where(inside > 0, np.maximum(flat, one.darkness), 0.0), inside], axis=-1).astype(np.float32)
    whole = bands(one.label, max(LEVELS))[-1].iscn_stop
    body = _body(one.label, rng, width, whole * px_per_unit, level)
    drawn = _drawn(body, rng)
    within = (body.along >= 0) & (body.along <= body.length)
    low, high = sorted((one.start, one.stop))
    edges = np.interp([low / whole, high / whole], body.place[within], body.along[within])
    first, last = (np.clip(edges, 0.0, body.length) + MARGIN) * SAMPLES_PER_PIXEL
    rows = drawn[round(first) : max(round(last), round(first) + 1)]
    return rows[::-1] if one.stop < one.start else rows


def _across(width: float) -> Floats:
    """Distance of each column from the axis, pixels; negative on the left."""
    half_columns = int(np.ceil((0.7 * width + MARGIN) * SAMPLES_PER_PIXEL))
    return (np.arange(-half_columns, half_columns + 1) / SAMPLES_PER_PIXEL).astype(np.float32)


def _drawn(body: _Body, rng: np.random.Generator) -> Floats:
    width_px, length_px = body.width, body.length
    across = _across(width_px)
    left, right = _half_widths(body, rng)
    half = np.where(across[None, :] < 0, left[:, None], right[:, None])
    inside = half - np.abs(across)[None, :]
    relative = np.clip(np.abs(across)[None, :] / np.maximum(half, 1e-3), 0.0, 1.0)
    from_end = np.clip(np.minimum(body.along, length_px - body.along), 0.0, None)
    tip = 1.0 - rng.uniform(0.15, 0.4) * np.exp(-((from_end / (0.2 * width_px)) ** 2))
    thickness = (1.0 - relative**3) ** 0.5 * tip[:, None]
    darkness = _two_chromatids(body, across, half, rng) * thickness * _groove(body, across, rng)
    grain = gaussian_filter(
        rng.standard_normal(darkness.shape, np.float32),
        (0.075 * width_px * SAMPLES_PER_PIXEL, 0.11 * width_px * SAMPLES_PER_PIXEL),
    )
    # Light is bent at the rim: pale bands and tips show a fine grey outline.
    rim = rng.uniform(0.05, 0.16) * np.exp(-(((inside - 0.12 * width_px) / (0.06 * width_px)) ** 2))
    darkness += rim * np.clip(1.0 - darkness, 0.0, 1.0) * (inside > 0)
    darkness *= 1.0 + 0.15 * grain / grain.std()
    return np.stack([np.where(inside > 0, np.maximum(darkness, 0.0), 0.0), inside], axis=-1).astype(np.float32)


def _body(label: str, rng: np.random.Generator, width: float, length: float, level: int) -> _Body:
    rows = bands(label, max(LEVELS))
    centromere = next(band.iscn_start for band in rows if band.arm == "q") / rows[-1].iscn_stop
    # No two chromosomes contract alike: the ideogram is stretched and squeezed by some 15 % along the way.
    speed = np.exp(gaussian_filter1d(rng.normal(0.0, 1.3, _PLACES), 25.0))
    if label in _SATELLITED:
        # The ideograms draw stalk and satellite long; on slides they vary from almost nothing to that length.
        speed[: int(_PLACES * centromere * 0.75)] *= rng.uniform(1.1, 2.4)
    place = np.concatenate([[0.0], np.cumsum(speed)])
    place /= place[-1]
    steps = np.linspace(0.0, length, _PLACES + 1)
    along = np.arange(round((length + 2 * MARGIN) * SAMPLES_PER_PIXEL)) / SAMPLES_PER_PIXEL - MARGIN
    return _Body(
        rows=rows,
        level=level,
        width=width,
        length=length,
        along=along.astype(np.float32),
        place=np.interp(along, steps, place).astype(np.float32),
        waist=float(np.interp(centromere, place, steps)),
    )


def _half_widths(body: _Body, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Half the width in pixels, left and right of the axis, at each sample along it; 0 beyond the ends."""
    edges = np.array([band.iscn_stop for band in body.rows]) / body.rows[-1].iscn_stop
    band_at = np.searchsorted(edges, body.place).clip(0, len(body.rows) - 1)
    common = np.array([_relative_width(band) for band in body.rows])[band_at]
    common = gaussian_filter1d(common, 0.09 * body.width * SAMPLES_PER_PIXEL)
    common *= 1.0 + 0.03 * _unit_noise(len(common), 0.6 * body.width * SAMPLES_PER_PIXEL, rng)
    depth = rng.uniform(0.14, 0.32)
    common *= 1.0 - depth * np.exp(-0.5 * ((body.along - body.waist) / (0.15 * body.width)) ** 2)
    radius = min(rng.uniform(0.36, 0.5) * body.width, 0.3 * body.length)
    satellite = 0.45 if body.label in _SATELLITED else 1.0  # a narrow end is rounded on a smaller scale
    from_end = np.clip(np.minimum(body.along / (satellite * radius), (body.length - body.along) / radius), 0.0, 1.0)
    common *= (1.0 - (1.0 - from_end) ** 2.3) ** (1 / 2.3)

    def side() -> Floats:
        rough = 1.0 + 0.035 * _unit_noise(len(common), 2.2 * SAMPLES_PER_PIXEL, rng)
        rough += 0.035 * _unit_noise(len(common), 1.1 * SAMPLES_PER_PIXEL, rng)
        half: Floats = (0.5 * body.width * common * rough).astype(np.float32)
        return half

    return side(), side()


def _relative_width(band: Band) -> float:
    """Width of a band relative to the chromosome's: dark bands bulge a little, stalks are thin."""
    if band.stain == "stalk":
        return 0.42
    if band.stain == "gvar" and band.chromosome in _SATELLITED:
        return 0.70 if band.iscn_start == 0 else 0.80
    if str(band) == "9q12":
        return 0.85
    return 0.99 + 0.07 * band.darkness


def _two_chromatids(body: _Body, across: Floats, half: Floats, rng: np.random.Generator) -> Floats:
    """Band darkness (rows, columns): each chromatid carries the bands at slightly other places."""
    count = 4 * int(body.length)
    merged = _MERGED[body.level] * body.width * count / body.length
    expected = gaussian_filter1d(profile(body.label, count, max(LEVELS)), merged)
    # Merging flattens what the stain then brings out again: the slide is differentiated until bands show.
    expected = _MEAN_DARKNESS + _DIFFERENTIATED[body.level] * (expected - _MEAN_DARKNESS)
    expected = np.clip(expected * (1.0 + 0.06 * _unit_noise(count, 0.35 * body.width * 4, rng)), 0.12, 1.15)
    samples = len(body.along)
    tilt = 0.08 * _unit_noise(samples, 1.0 * body.width * SAMPLES_PER_PIXEL, rng)[:, None]
    arch = rng.normal(0.0, 0.05) * body.width * (across[None, :] / (0.5 * body.width)) ** 2
    ideogram_per_pixel = np.gradient(body.place) * SAMPLES_PER_PIXEL

    def chromatid() -> Floats:
        slip = 0.055 * body.width * _unit_noise(samples, 0.5 * body.width * SAMPLES_PER_PIXEL, rng)[:, None]
        place = body.place[:, None] + (tilt * across[None, :] + arch + slip) * ideogram_per_pixel[:, None]
        strength = 1.0 + 0.08 * _unit_noise(samples, 0.3 * body.width * SAMPLES_PER_PIXEL, rng)[:, None]
        darkness: Floats = np.interp(place, (np.arange(count) + 0.5) / count, expected).astype(np.float32)
        return darkness * strength.astype(np.float32)

    share = 1.0 / (1.0 + np.exp(-across / (0.06 * body.width)))[None, :]
    mixed: Floats = ((1.0 - share) * chromatid() + share * chromatid()).astype(np.float32)
    return mixed


def _groove(body: _Body, across: Floats, rng: np.random.Generator) -> Floats:
    """The paler line between the chromatids, (rows, columns) factors: barely seen, opening at the ends."""
    from_end = np.clip(np.minimum(body.along, body.length - body.along), 0.0, None)
    depth = rng.uniform(0.02, 0.12) * (1.0 + 0.5 * _unit_noise(len(from_end), body.width * SAMPLES_PER_PIXEL, rng))
    depth = depth + rng.uniform(0.0, 0.3) * np.exp(-((from_end / (0.35 * body.width)) ** 2))
    middle = np.exp(-((across / (0.10 * body.width)) ** 2))
    groove: Floats = (1.0 - np.clip(depth, 0.0, 0.6)[:, None] * middle[None, :]).astype(np.float32)
    return groove


def _unit_noise(count: int, scale: float, rng: np.random.Generator) -> Floats:
    """(count,) smooth noise of standard deviation 1 and correlation length `scale` samples."""
    # The expected spread of the filtered noise, not the measured one: short chromosomes would lose their trend.
    noise = gaussian_filter1d(rng.standard_normal(count, np.float32), scale, mode="reflect")
    unit: Floats = (noise * np.sqrt(2.0 * np.sqrt(np.pi) * max(scale, 0.3))).astype(np.float32)
    return unit
