"""Whole slides in the formats that tiffslide reads (Aperio SVS, generic pyramidal TIFF, and others); extra `slide`."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import MissingExtra
from consilium.imaging.study import Level, Provenance, Study, check_slide_size


class TiffSlideRegions:
    """Regions of a slide, read through tiffslide."""

    def __init__(self, slide: Any) -> None:
        self._slide = slide
        self._close = weakref.finalize(self, slide.close)
        self._levels = tuple(
            Level(width=int(width), height=int(height), downsample=float(down))
            for (width, height), down in zip(slide.level_dimensions, slide.level_downsamples, strict=True)
        )

    @property
    def levels(self) -> Sequence[Level]:
        """From the finest to the coarsest."""
        return self._levels

    def region(self, x: int, y: int, width: int, height: int, level: int) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 RGB; only the part that lies on the slide is read."""
        size, canvas = self._levels[level], np.full((height, width, 3), 255, np.uint8)
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + width, size.width), min(y + height, size.height)
        if right <= left or bottom <= top:
            return canvas
        corner = (round(left * size.downsample), round(top * size.downsample))
        read = self._slide.read_region(corner, level, (right - left, bottom - top), as_array=True)
        canvas[top - y : bottom - y, left - x : right - x] = read[..., :3]
        return canvas


def study_of_slide(path: Path, *, named: str | None) -> Study:
    """The study in a whole-slide file.

    Args:
        path: the file.
        named: the modality; histopathology where nobody names one.

    Raises:
        MissingExtra: tiffslide is not installed.
        Exception: whatever tiffslide raises on a damaged file.
    """
    try:
        from tiffslide import TiffSlide
    except ImportError as missing:
        raise MissingExtra(
            "tiffslide is needed for whole slides",
            where=str(path),
            way_out="Install it: pip install 'consilium[slide]'.",
        ) from missing
    slide = TiffSlide(str(path))
    regions = TiffSlideRegions(slide)
    finest = regions.levels[0]
    check_slide_size(finest.width, finest.height, path)
    properties = slide.properties
    return Study(
        modality=named or "sm",
        files=(path,),
        form="slide",
        shape=(1, finest.height, finest.width),
        channels=3,
        provenance=Provenance(
            reader="slide", acquisition={"Vendor": str(properties.get("tiffslide.vendor") or "")[:64]}
        ),
        slide=regions,
        spacing_mm=(None, _mm(properties.get("tiffslide.mpp-y")), _mm(properties.get("tiffslide.mpp-x"))),
    )


def _mm(micrometres: Any) -> float | None:
    try:
        value = float(micrometres) / 1000.0
    except (TypeError, ValueError):
        return None
    return value if 0 < value < 1 else None
