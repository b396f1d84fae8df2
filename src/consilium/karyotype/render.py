"""Synthetic G-banded metaphases with exact truth.

For the demo case and for tests: what is where is known to the pixel. Nothing here is a photograph, and everything
that leaves this module says so (`Rendered.synthetic`, the text chunk of `save_synthetic`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.cytogenetics.bands import LEVELS, LIGHTEST_BAND, iscn_length
from consilium.errors import InputError
from consilium.karyotype.karyotype_set import karyotype_set
from consilium.karyotype.metaphase import CLASSES, Box
from consilium.karyotype.render_altered import Altered, chromosomes_of
from consilium.karyotype.render_chromosome import Drawing, draw_chromosome, draw_pieces
from consilium.karyotype.render_field import light, nucleus, specks
from consilium.karyotype.render_spread import Placed, spread
from consilium.karyotype.short_arm_up import angle_to_short_arm_up
from consilium.karyotype.synthetic import is_synthetic, save_marked

__all__ = [
    "Altered",
    "DrawnChromosome",
    "Rendered",
    "chromosomes_of",
    "is_synthetic",
    "karyotype_set",
    "render_metaphase",
    "save_synthetic",
]

Floats = NDArray[np.float32]

LENGTH_OF_CHROMOSOME_1 = 8.8
"""Length of chromosome 1 in widths at mid-metaphase; measured on a handful of amniotic G-banded metaphases."""

_STRETCH = {400: 0.9, 550: 1.0, 850: 1.25}  # the less contracted a cell, the more bands it shows

# Optical density of a band is _PALEST + _DENSITY * darkness, fitted by eye and histogram to the same metaphases; a
# change of contrast turns about _MID_GREY. The densities d of crossing chromosomes add up to (sum d**k)**(1/k) with
# k = _OPACITY: chromatin is nearly opaque, two dark bands that cross are a little darker than one, not twice as dark.
_PALEST, _DENSITY = 0.12, 1.08
_MID_GREY = 0.6
_OPACITY = 2.4


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnChromosome:
    """The truth about one drawn chromosome.

    Attributes:
        label: one of `CLASSES`; of an altered chromosome the one whose centromere it has, `UNSURE` where not known.
        name: of an altered chromosome its short name, "der(9)t(9;22)"; the label of a normal one.
        composition: what an altered chromosome consists of, in the detailed system; empty for a normal one.
        box: amodal box in pixels, exclusive maxima: the extent of `mask`.
        mask: (h, w) bool, amodal, cut to its extent.
        origin: (x, y) of the mask's first pixel in the image.
        angle_deg: rotation that puts the short arm up (see `short_arm_up.py`).
        axis: (n, 2) float32, (x, y) in the image from pter to qter, one point a pixel.
        visible: fraction of the mask that no other chromosome shares, 0..1.
    """

    label: str
    box: Box
    mask: NDArray[np.bool_]
    origin: tuple[int, int]
    angle_deg: float
    axis: Floats
    visible: float
    name: str = ""
    composition: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """A drawn metaphase.

    Attributes:
        pixels: (H, W) uint8.
        truth: one entry a chromosome, in the order of the karyotype asked for.
        inverted: whether chromosomes are bright on a dark field.
    """

    pixels: NDArray[np.uint8]
    truth: tuple[DrawnChromosome, ...]
    inverted: bool

    @property
    def synthetic(self) -> Literal[True]:
        """Always True: nothing of it was photographed."""
        return True


def render_metaphase(
    karyotype: Mapping[str, int] | Sequence[str | Altered],
    rng: np.random.Generator,
    *,
    width_px: float = 18.0,
    band_level: int = 550,
    crowding: float = 0.3,
    contrast: float = 1.0,
    blur: float = 0.9,
    noise: float = 0.9,
    nuclei: int = 1,
    debris: float = 1.0,
    inverted: bool = False,
) -> Rendered:
    """Draw one metaphase.

    Args:
        karyotype: copies of each chromosome, or the chromosomes: labels (`karyotype_set` makes them from a name) and
            altered ones (`chromosomes_of` makes both from any ISCN string).
        rng: everything random comes from here; the same state draws the same picture.
        width_px: width of a chromosome in pixels.
        band_level: resolution of the bands in bphs, one of `bands.LEVELS`.
        crowding: 0 keeps all apart, 1 lets most of them touch or cross.
        contrast: contrast between light and dark bands; 1 is a good slide, 0.5 a pale one.
        blur: standard deviation of the optics' blur, pixels.
        noise: standard deviation of the camera's noise, grey levels.
        nuclei: how many interphase nuclei lie in the field (fewer if there is no room).
        debris: amount of dirt; 1 is usual, 0 none.
        inverted: draw bright chromosomes on a dark field.

    Raises:
        InputError: for an unknown label, an empty karyotype, an unknown band level, a width below 4 pixels, or a
            crowding outside 0..1.
    """
    chromosomes = _chromosomes(karyotype)
    if width_px < 4 or band_level not in LEVELS or not 0 <= crowding <= 1:
        raise InputError(
            f"chromosomes {width_px:g} pixels wide at {band_level} bphs and a crowding of {crowding:g} cannot be drawn",
            way_out=f"Take at least 4 pixels, one of {', '.join(map(str, LEVELS))} bphs, and a crowding of 0 to 1.",
        )
    stretch = _STRETCH[band_level] * float(np.exp(rng.normal(0.0, 0.10)))
    cell_length = LENGTH_OF_CHROMOSOME_1 * stretch * width_px
    drawings = [_drawing(one, rng, width_px, cell_length, band_level) for one in chromosomes]
    shape, places = spread(drawings, rng, crowding=crowding, width_px=width_px, room_for_nuclei=nuclei > 0)
    density = _chromosome_density(shape, drawings, places, contrast, rng)
    taken = _taken(shape, drawings, places)
    alone = taken == 1
    for _ in range(nuclei):
        _add_nucleus(density, taken, width_px, rng)
    area = shape[0] * shape[1] / (width_px * 40) ** 2
    dirt = specks(shape, int(rng.poisson(55 * debris * area)), width_px, rng)
    dirt[cv2.dilate(taken, np.ones((5, 5), np.uint8)) > 0] *= 0.35
    pixels = _expose(light(shape, rng), np.maximum(density, dirt), blur, noise, rng)
    return Rendered(
        pixels=255 - pixels if inverted else pixels,
        truth=tuple(_truth(chromosomes, drawings, places, alone)),
        inverted=inverted,
    )


def save_synthetic(rendered: Rendered, path: Path) -> None:
    """Write the picture as a PNG that is marked as synthetic (see `is_synthetic`).

    Raises:
        OutputError: if the file cannot be written.
    """
    save_marked(rendered.pixels, path)


def _chromosomes(karyotype: Mapping[str, int] | Sequence[str | Altered]) -> list[str | Altered]:
    if isinstance(karyotype, Mapping):
        told: list[str | Altered] = [label for label, copies in karyotype.items() for _ in range(copies)]
    else:
        told = list(karyotype)
    unknown = sorted({one for one in told if isinstance(one, str)} - set(CLASSES))
    if unknown or not told:
        raise InputError(
            f"no chromosome is called {unknown[0]!r}" if unknown else "an empty karyotype was asked for",
            way_out="Chromosomes are 1 to 22, X and Y; karyotype_set('normal female') lists a whole cell.",
        )
    return told


def _drawing(
    one: str | Altered, rng: np.random.Generator, width_px: float, cell_length: float, band_level: int
) -> Drawing:
    width = width_px * float(np.exp(rng.normal(0.0, 0.03)))
    length = cell_length * float(np.exp(rng.normal(0.0, 0.045)))
    if isinstance(one, str):
        length_px = length * iscn_length(one) / iscn_length("1")
        return draw_chromosome(one, rng, width_px=width, length_px=length_px, band_level=band_level)
    return draw_pieces(
        one.stretches, rng, width_px=width, px_per_unit=length / iscn_length("1"), band_level=band_level, ring=one.ring
    )


def _chromosome_density(
    shape: tuple[int, int],
    drawings: Sequence[Drawing],
    places: Sequence[Placed],
    contrast: float,
    rng: np.random.Generator,
) -> Floats:
    """Optical density of all chromosomes, (H, W) float32; where two cross, nearly as dark as one dark band."""
    power = np.zeros(shape, np.float32)
    stain = float(np.exp(rng.normal(0.0, 0.08)))
    for drawing, place in zip(drawings, places, strict=True):
        # The soft rim of the outline falls to the background whatever the contrast.
        solid = np.minimum(drawing.darkness / LIGHTEST_BAND, 1.0)
        banded = _PALEST + _DENSITY * (_MID_GREY + contrast * (drawing.darkness - _MID_GREY))
        density = stain * float(np.exp(rng.normal(0.0, 0.05))) * solid * np.maximum(banded, 0.05)
        power[place.window] += density**_OPACITY
    return np.asarray(power ** (1.0 / _OPACITY), dtype=np.float32)


def _taken(shape: tuple[int, int], drawings: Sequence[Drawing], places: Sequence[Placed]) -> NDArray[np.uint8]:
    """How many chromosomes lie on each pixel, (H, W) uint8."""
    count = np.zeros(shape, np.uint8)
    for drawing, place in zip(drawings, places, strict=True):
        count[place.window] += drawing.mask
    return count


def _add_nucleus(density: Floats, taken: NDArray[np.uint8], width_px: float, rng: np.random.Generator) -> None:
    """Draw a nucleus where no chromosome lies, partly outside the image if need be; none if there is no room."""
    body, outline = nucleus(float(rng.uniform(4.6, 6.6)) * width_px, rng)
    half = body.shape[0] // 2
    beyond = np.pad(taken, half)
    for _ in range(60):
        x, y = int(rng.integers(density.shape[1])), int(rng.integers(density.shape[0]))
        window = np.s_[y : y + body.shape[0], x : x + body.shape[1]]
        if beyond[window][outline].any():
            continue
        seen = np.pad(density, half)
        seen[window] = np.maximum(seen[window], body)
        beyond[window] |= outline.astype(np.uint8)
        density[...] = seen[half:-half, half:-half]
        taken[...] = beyond[half:-half, half:-half]
        return


def _expose(field: Floats, density: Floats, blur: float, noise: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Light through the slide onto the camera, (H, W) uint8."""
    seen: Floats = field * np.exp(-density)
    if blur > 0:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), blur), dtype=np.float32)
    # Capture stations sharpen: it leaves the faint bright halo around chromosomes.
    seen = seen + rng.uniform(0.15, 0.5) * (seen - cv2.GaussianBlur(seen, (0, 0), 2.6))
    grain = cv2.GaussianBlur(rng.standard_normal(seen.shape, np.float32), (0, 0), 0.7)
    seen = seen + noise * grain / max(float(grain.std()), 1e-6)
    return np.clip(np.round(seen), 0, 255).astype(np.uint8)


def _truth(
    chromosomes: Sequence[str | Altered],
    drawings: Sequence[Drawing],
    places: Sequence[Placed],
    alone: NDArray[np.bool_],
) -> list[DrawnChromosome]:
    """Truth of each drawing; `alone` (H, W) is True where exactly one chromosome lies."""
    truth = []
    for one, drawing, place in zip(chromosomes, drawings, places, strict=True):
        rows, columns = np.flatnonzero(drawing.mask.any(axis=1)), np.flatnonzero(drawing.mask.any(axis=0))
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        x, y = place.x + int(left), place.y + int(top)
        axis = drawing.axis + np.array([place.x, place.y], np.float32)
        dx, dy = axis[0] - axis[-1]
        truth.append(
            DrawnChromosome(
                label=one if isinstance(one, str) else one.label,
                name=one if isinstance(one, str) else one.name,
                composition="" if isinstance(one, str) else one.composition,
                box=(float(x), float(y), float(place.x + right), float(place.y + bottom)),
                mask=drawing.mask[top:bottom, left:right].copy(),
                origin=(x, y),
                angle_deg=angle_to_short_arm_up(float(dx), float(dy)),
                axis=axis,
                visible=float(alone[place.window][drawing.mask].mean()),
            )
        )
    return truth
