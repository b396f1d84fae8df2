"""The picture of a karyogram as it stands in a report."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from consilium.karyotype.arrange import arrange, to_png
from consilium.karyotype.karyogram_png import ENLARGEMENT
from consilium.karyotype.metaphase import Metaphase

_ABOVE_THE_FOOTER = 8
"""Units between the last row and what is said below it."""


def karyogram_picture(metaphase: Metaphase, pixels: NDArray[np.uint8]) -> bytes:
    """Draw the karyogram of a cell, a PNG file.

    What the program says below a karyogram is for whoever has yet to look at it: it is left out where nothing is
    flagged any more, since the report says who looked.

    Args:
        metaphase: as it is to be shown.
        pixels: (H, W) uint8, its picture.
    """
    laid_out = arrange(replace(metaphase, pixels=pixels))
    drawn = to_png(laid_out, "en").data
    if any(place.flags for place in laid_out.places):
        return drawn
    with Image.open(io.BytesIO(drawn)) as picture:
        foot = round((laid_out.footer_y - _ABOVE_THE_FOOTER) * ENLARGEMENT)
        kept = picture.crop((0, 0, picture.width, max(foot, 1)))
        stream = io.BytesIO()
        kept.save(stream, format="PNG", compress_level=6)
    return stream.getvalue()
