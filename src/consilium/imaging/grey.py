"""One grey picture as it was stored, and the sizes between which a picture can be one metaphase."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ImageOutOfBounds

MIN_SIDE = 32
"""Pixels: a single chromosome of a usable metaphase is longer than this."""

MAX_SIDE = 12_000
"""Pixels: no camera on a microscope delivers more in one field."""

MAX_PIXELS = 60_000_000
"""A field of 60 megapixels is already a stitched slide, and decoding more is how a small file exhausts a machine."""

MAX_FILE_BYTES = 1 << 30
"""Twice what `MAX_PIXELS` of 16-bit colour with alpha take up uncompressed."""

Levels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True, slots=True)
class GreyImage:
    """The grey levels of one image file.

    Attributes:
        pixels: (H, W) uint8 or uint16, upright as the file asks to be shown, high = bright.
        path: the file.
        kind: what the content is: "png", "jpeg", "tiff", "bmp", "webp" or "dicom".
        photometric: how the levels were stored: the photometric interpretation of a DICOM file, otherwise the
            mode of the decoder, such as "L", "RGB" or "I;16".
        pixel_spacing_mm: (between rows, between columns) in millimetres where a DICOM file states it.
    """

    pixels: Levels
    path: Path
    kind: str
    photometric: str
    pixel_spacing_mm: tuple[float, float] | None = None


def check_size(width: int, height: int, path: Path) -> None:
    """Refuses a picture that is too small or too large to be one metaphase; called before anything is decoded.

    Args:
        width: pixels, as the file's header says.
        height: pixels, as the file's header says.
        path: the file, for the message.

    Raises:
        ImageOutOfBounds: a side is under `MIN_SIDE` or over `MAX_SIDE`, or the area is over `MAX_PIXELS`.
    """
    size = f"the image is {width} x {height} pixels"
    if min(width, height) < MIN_SIDE:
        raise ImageOutOfBounds(
            f"{size}; at least {MIN_SIDE} on each side are needed",
            where=str(path),
            way_out="Use the original scan, not a thumbnail.",
        )
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageOutOfBounds(
            f"{size}; at most {MAX_SIDE} on a side and {MAX_PIXELS // 1_000_000} megapixels are read",
            where=str(path),
            way_out="Cut the metaphase out of the slide scan and save it as an image of its own.",
        )


def as_levels(values: NDArray[Any], *, eight_bits: bool) -> Levels:
    """Whole numbers that are known to fit, as contiguous uint8 or uint16."""
    if eight_bits:
        return np.ascontiguousarray(values, dtype=np.uint8)
    return np.ascontiguousarray(values, dtype=np.uint16)
