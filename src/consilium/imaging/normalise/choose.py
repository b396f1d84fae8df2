"""From a study to the normaliser of its modality.

A normaliser is prepared once, from a few planes, so that all planes of a study are treated alike; then it works on any
part of any plane.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.imaging.normalise import field
from consilium.imaging.normalise.colour import shades_of_grey
from consilium.imaging.normalise.levels import (
    BONE,
    BRAIN,
    LUNG,
    SOFT_TISSUE,
    Levels,
    as_displayed,
    between,
    full_range,
    three_channels,
    through_window,
)
from consilium.imaging.normalise.sampling import LUMINANCE, percentiles, sampled, some_values
from consilium.imaging.study import Plane, Study

HIGHEST_SUV = 15.0
_HEAD = ("HEAD", "BRAIN", "SKULL")


@dataclass(frozen=True, kw_only=True, slots=True)
class Normaliser:
    """What is done with the planes of one study.

    Attributes:
        levels: (H, W) or (H, W, 3) values of a plane, or of a part, and that plane -> (H, W, 3) float32 0..1.
        box: (top, left, bottom, right) of what is the picture, in every plane.
        mirrored: left and right are exchanged after that, so that all chest walls lie on the left.
    """

    levels: Callable[[NDArray[Any], Plane], Levels]
    box: field.Box
    mirrored: bool = False


def normaliser_of(study: Study) -> Normaliser:
    """Prepares the normaliser of a study's modality; reads at most 16 planes.

    Args:
        study: of any modality, or of none: then grey values are shown as the file asks, or between percentiles 0.5 and
            99.5, and colour stays as it is.

    Raises:
        ConsiliumError: a plane cannot be read.
    """
    if study.slide is not None:
        return Normaliser(levels=_colour, box=(0, 0, study.shape[1], study.shape[2]))
    return _PREPARED.get(study.modality or "", _shown)(study)


def _box(study: Study) -> field.Box:
    return 0, 0, study.shape[1], study.shape[2]


def _colour(values: NDArray[Any], plane: Plane) -> Levels:
    """Colour and bytes as they are; deeper grey up to the largest value of its type or of the plane."""
    top = full_range(plane.pixels)
    shown = between(values, 0.0, top)
    if plane.white_is_low:
        shown = np.asarray(1.0 - shown, dtype=np.float32)
    return shown if shown.ndim == 3 else three_channels(shown)


def _grey(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(values[..., :3] @ LUMINANCE) if values.ndim == 3 else values


def _stretched(study: Study, low: float, high: float) -> Normaliser:
    """Between two percentiles of the study, colour as grey."""
    bounds = percentiles(sampled(study).planes, low, high)

    def levels(values: NDArray[Any], plane: Plane) -> Levels:
        shown = between(_grey(values), *bounds)
        return three_channels(np.asarray(1.0 - shown, np.float32) if plane.white_is_low else shown)

    return Normaliser(levels=levels, box=_box(study))


def _shown(study: Study) -> Normaliser:
    """As the file asks; colour and bytes as they are, other grey values between percentiles 0.5 and 99.5."""
    planes = sampled(study).planes
    bytes_as_they_are = planes[0].pixels.dtype == np.uint8
    low, high = (0.0, 255.0) if bytes_as_they_are else percentiles(planes, 0.5, 99.5)

    def levels(values: NDArray[Any], plane: Plane) -> Levels:
        if values.ndim == 3:
            return _colour(values, plane)
        return three_channels(as_displayed(values, plane, low, high))

    return Normaliser(levels=levels, box=_box(study))


def _ct(study: Study) -> Normaliser:
    """Three windows as three channels; a picture that is not in Hounsfield units was windowed before."""
    if study.unit != "HU":
        return _shown(study)
    part = str(study.provenance.acquisition.get("BodyPartExamined") or "").upper()
    windows = (BRAIN if part in _HEAD else LUNG, SOFT_TISSUE, BONE)

    def levels(values: NDArray[Any], _plane: Plane) -> Levels:
        known = np.nan_to_num(values.astype(np.float32), nan=-1024.0)
        return np.stack([through_window(known, window) for window in windows], axis=-1)

    return Normaliser(levels=levels, box=_box(study))


def _pt(study: Study) -> Normaliser:
    """SUV from 0 to 15; where the header does not allow it, from 0 to percentile 99.5."""
    if study.suv_factor is None:
        top = float(np.percentile(some_values(sampled(study).planes), 99.5))
    else:
        top = HIGHEST_SUV / study.suv_factor

    def levels(values: NDArray[Any], _plane: Plane) -> Levels:
        return three_channels(between(_grey(values), 0.0, top))

    return Normaliser(levels=levels, box=_box(study))


def _nm(study: Study) -> Normaliser:
    top = float(np.percentile(some_values(sampled(study).planes), 99.5))

    def levels(values: NDArray[Any], plane: Plane) -> Levels:
        shown = between(_grey(values), 0.0, top)
        return three_channels(np.asarray(1.0 - shown, np.float32) if plane.white_is_low else shown)

    return Normaliser(levels=levels, box=_box(study))


def _us(study: Study) -> Normaliser:
    """The fan alone, between percentiles 1 and 99 of it; colour stays, as Doppler is colour."""
    sample = sampled(study)
    brightest = _brightest(sample.planes)
    top, left, bottom, right = field.whole(brightest)
    if study.regions:
        # Machines name a region generously: letters and scales stand in it, so the fan is looked for inside.
        tops, lefts, bottoms, rights = (
            [edge // sample.step for edge in edges] for edges in zip(*study.regions, strict=True)
        )
        top, left, bottom, right = min(tops), min(lefts), max(bottoms), max(rights)
    inner = field.ultrasound_field(brightest[top:bottom, left:right])
    box = (top + inner[0], left + inner[1], top + inner[2], left + inner[3])
    inside = [_part(plane, box) for plane in sample.planes]
    low, high = percentiles(inside, 1.0, 99.0)

    def levels(values: NDArray[Any], _plane: Plane) -> Levels:
        shown = between(values, low, high)
        return shown if shown.ndim == 3 else three_channels(shown)

    return Normaliser(levels=levels, box=sample.in_full(box, study))


def _mg(study: Study) -> Normaliser:
    """As the file asks, cut to the breast, the chest wall on the left."""
    shown, sample = _shown(study), sampled(study, 4)
    brightest = np.max([shown.levels(plane.pixels, plane)[..., 0] for plane in sample.planes], axis=0)
    box = field.breast(brightest)
    return Normaliser(
        levels=shown.levels,
        box=sample.in_full(box, study),
        mirrored=field.chest_wall_is_right(brightest, box),
    )


def _lit(study: Study) -> Normaliser:
    """Colour as it is, cut to the lit field."""
    sample = sampled(study)
    return Normaliser(levels=_colour, box=sample.in_full(field.lit_field(_brightest(sample.planes)), study))


def _dms(study: Study) -> Normaliser:
    def levels(values: NDArray[Any], plane: Plane) -> Levels:
        return shades_of_grey(_colour(values, plane))

    return Normaliser(levels=levels, box=_box(study))


def _plain(study: Study) -> Normaliser:
    return Normaliser(levels=_colour, box=_box(study))


def _karyo(study: Study) -> Normaliser:
    """Grey between percentiles 0.1 and 99.9, dark on light: a background that is dark is turned round."""
    values = some_values(sampled(study).planes)
    low, middle, high = (float(value) for value in np.percentile(values, (0.1, 50.0, 99.9)))
    # Most of a field is background, so the median is.
    turned = middle < (low + high) / 2.0

    def levels(values: NDArray[Any], _plane: Plane) -> Levels:
        shown = between(_grey(values), low, high)
        return three_channels(np.asarray(1.0 - shown, np.float32) if turned else shown)

    return Normaliser(levels=levels, box=_box(study))


def _fluo(study: Study) -> Normaliser:
    """Each channel between its own percentiles 0.5 and 99.5, whether it is a plane or a colour."""
    if study.form == "channels":

        def of_plane(values: NDArray[Any], plane: Plane) -> Levels:
            return three_channels(between(_grey(values), *percentiles([plane], 0.5, 99.5)))

        return Normaliser(levels=of_plane, box=_box(study))
    if study.channels == 1:
        return _stretched(study, 0.5, 99.5)
    planes = sampled(study).planes
    colours = [
        percentiles([Plane(index=0, pixels=plane.pixels[..., channel]) for plane in planes], 0.5, 99.5)
        for channel in range(3)
    ]

    def of_colours(values: NDArray[Any], _plane: Plane) -> Levels:
        return np.stack([between(values[..., channel], *colours[channel]) for channel in range(3)], axis=-1)

    return Normaliser(levels=of_colours, box=_box(study))


def _brightest(planes: Sequence[Plane]) -> NDArray[np.float32]:
    """(H, W) 0..1: the greatest level that each pixel takes in some planes."""
    grey = [_grey(plane.pixels).astype(np.float32) for plane in planes]
    top = max(full_range(plane.pixels) for plane in planes)
    brightest = np.nan_to_num(np.max(grey, axis=0), posinf=top, neginf=0.0)
    return np.asarray(np.clip(brightest / top, 0.0, 1.0), dtype=np.float32)


def _part(plane: Plane, box: field.Box) -> Plane:
    return Plane(index=plane.index, pixels=plane.pixels[box[0] : box[2], box[1] : box[3]], padding=plane.padding)


_PREPARED: dict[str, Callable[[Study], Normaliser]] = {
    "ct": _ct,
    "mr": partial(_stretched, low=0.5, high=99.5),
    "us": _us,
    "xr": _shown,
    "mg": _mg,
    "dx-dental": _shown,
    "xa": _shown,
    "pt": _pt,
    "nm": _nm,
    "op": _lit,
    "opt": partial(_stretched, low=1.0, high=99.0),
    "es": _lit,
    "dms": _dms,
    "xc": _plain,
    "sm": _plain,
    "cyto": _plain,
    "smear": _plain,
    "karyo": _karyo,
    "fluo": _fluo,
}
"""id -> what prepares its normaliser; a test holds that all nineteen are there."""
