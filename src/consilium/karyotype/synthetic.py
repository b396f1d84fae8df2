"""The mark that a drawn picture carries, so that nobody takes it for a photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from consilium.errors import OutputError

KEY, VALUE = "Consilium-Synthetic", "yes"
"""The PNG text chunk every drawn picture carries."""


def save_marked(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write (H, W) uint8 grey levels as a PNG that says it is synthetic.

    Raises:
        OutputError: if the file cannot be written.
    """
    mark = PngImagePlugin.PngInfo()
    mark.add_text(KEY, VALUE)
    try:
        Image.fromarray(pixels).save(path, format="PNG", pnginfo=mark)
    except OSError as problem:
        raise OutputError(
            f"the picture cannot be written: {problem.strerror or problem}",
            where=str(path),
            way_out="Choose a folder that exists and that you may write to.",
        ) from problem


def is_synthetic(path: Path) -> bool:
    """Whether a file is a picture that `save_marked` wrote; False for anything else, also for unreadable files."""
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return isinstance(picture, PngImagePlugin.PngImageFile) and picture.text.get(KEY) == VALUE
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
        return False
