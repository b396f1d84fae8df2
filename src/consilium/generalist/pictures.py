"""From an image file to the squares an encoder takes; the one place where that is decided.

A raster picture is kept whole and pressed into a square: cutting would lose what lies at the border, and padding was no
better for the shipped encoder. Grey levels of more than 8 bits are spread from their 0.5th to their 99.5th percentile.
Whatever else `open_study` opens (DICOM, volumes, runs over time, slides, several pages) becomes the views of its study.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consilium.errors import UnreadableImage
from consilium.generalist.encoder import Pictures
from consilium.imaging.anatomy import anatomy_of
from consilium.imaging.open_study import open_study
from consilium.imaging.read import read_image
from consilium.imaging.views import views

_GREY = ("1", "L", "LA", "F")
_SPREAD = (0.5, 99.5)


def pictures(path: Path, side: int, modality: str | None = None) -> Pictures:
    """The pictures in a file, or in a folder with one DICOM series.

    Args:
        path: its content says of which kind it is.
        side: pixels.
        modality: how it was made, for files that do not say it; decides how grey levels are evened out.

    Returns:
        (N, side, side, 3) float32 0..1; one for a raster picture, one a view for a study of several planes.

    Raises:
        UnreadableImage: not an image, damaged, or of a kind that is not read.
        ImageOutOfBounds: too small or too large.
        InputError: the folder holds several series, or there is no such modality.
    """
    study = open_study(path, modality=modality)
    if study.provenance.reader == "raster" and len(study) == 1:
        return _raster(path, side)
    return np.stack([view.pixels for view in views(study, side)])


def middle_picture(path: Path, side: int, modality: str | None = None) -> NDArray[np.float32]:
    """One picture of a file, (side, side, 3) float32 0..1: its only one, or one from the middle; as `pictures` else.

    Of a volume that is a single section, for which few planes have to be read.
    """
    study = open_study(path, modality=modality)
    if study.provenance.reader == "raster" and len(study) == 1:
        return np.asarray(_raster(path, side)[0])
    along = anatomy_of(study).section(0) if study.form == "volume" else "axial"
    return next(views(study, side, planes=(along,), slices=1, frames=1, tiles=1)).pixels


def _raster(path: Path, side: int) -> Pictures:
    grey = read_image(path)
    if grey.photometric in _GREY or grey.photometric.startswith("I"):
        levels = _spread(grey.pixels)
        return as_square(np.repeat(levels[:, :, None], 3, axis=2), side)[None]
    return as_square(_colours(path), side)[None]


def as_square(picture: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """(H, W, 3) 0..1 -> (side, side, 3) 0..1, each new pixel the mean of those it covers."""
    import cv2

    height, width = picture.shape[:2]
    # Area means are only defined for shrinking; enlarging with them would show blocks.
    how = cv2.INTER_AREA if min(height, width) >= side else cv2.INTER_LINEAR
    resized = cv2.resize(picture, (side, side), interpolation=how)
    return np.clip(np.asarray(resized, np.float32), 0, 1)


def _spread(levels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float32]:
    if levels.dtype == np.uint8:
        return levels.astype(np.float32) / np.float32(255)
    low, high = np.percentile(levels, _SPREAD)
    spread = (levels.astype(np.float32) - low) / max(float(high - low), 1.0)
    return np.asarray(np.clip(spread, 0, 1), np.float32)


def _colours(path: Path) -> NDArray[np.float32]:
    """(H, W, 3) 0..1 of a file that `read_image` has read, so its size is sensible and its content sound."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("ignore")
            upright = ImageOps.exif_transpose(image)
            if upright.has_transparency_data:
                coloured = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured)
            return np.asarray(upright.convert("RGB"), np.float32) / np.float32(255)
    except (OSError, ValueError) as problem:
        raise UnreadableImage(
            f"its colours cannot be read ({problem})", where=str(path), way_out="Save it as PNG."
        ) from problem
