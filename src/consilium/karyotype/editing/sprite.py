"""The picture of one object: upright or straightened, dark on light, from the pixels of the original alone.

A picture hangs on what its key is made of and on nothing else, so a browser may keep it for ever.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.arrange import picture
from consilium.karyotype.editing.cell import CellObject
from consilium.karyotype.editing.told import chromosome_of

REVISION = b"consilium sprite 1"
"""Goes up with any change to how pictures are made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sprite:
    """A picture of an object.

    Attributes:
        pixels: (h, w) uint8, dark on white, one pixel of the original each, short arm up.
        centromere: estimated row of the centromere.
    """

    pixels: NDArray[np.uint8]
    centromere: int


def sprite_key(one: CellObject, picture_sha256: str) -> str:
    """What names the picture of an object: 40 hexadecimal digits.

    Args:
        one: the object.
        picture_sha256: of the file of its cell's picture.
    """
    shape = np.asarray([*one.region.origin, *one.region.mask.shape], "<i4").tobytes()
    shown = f"{one.angle_deg!r} {one.straight} {one.mirrored} {one.home}".encode()
    parts = (REVISION, picture_sha256.encode(), shown, shape, np.packbits(one.region.mask).tobytes())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:40]


def sprite(page: NDArray[np.uint8], one: CellObject) -> Sprite:
    """Draw an object.

    Args:
        page: (H, W) uint8, its cell dark on light (`straighten.dark_on_light`).
        one: the object.
    """
    drawn = picture(page, chromosome_of(one))
    pixels = drawn.pixels[:, ::-1] if one.mirrored else drawn.pixels
    return Sprite(pixels=np.ascontiguousarray(pixels), centromere=drawn.centromere_row)
