"""An edited cell as a metaphase, so that karyograms, reports and the conclusion are made of what people made of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.editing.cell import EditedCell
from consilium.karyotype.editing.told import Told, chromosome_of, told
from consilium.karyotype.metaphase import Metaphase


def metaphase_of(
    cell: EditedCell, pixels: NDArray[np.uint8], *, analysed: bool = False, says: Told | None = None
) -> Metaphase:
    """The metaphase that a cell is as people left it.

    Flags that somebody has looked at are left out, so that marks in a karyogram are what is still to be looked at.

    Args:
        cell: as it is.
        pixels: (H, W) uint8, its picture; any of that size where nothing is drawn of it.
        analysed: whether a person analysed it, so that it speaks for what it lacks.
        says: what it says, where that is known; found out when left out.

    Raises:
        ValueError: the picture is of another size.
    """
    if pixels.shape != (cell.height, cell.width):
        raise ValueError(f"a picture of {pixels.shape} for a cell of {(cell.height, cell.width)}")
    says = told(cell) if says is None else says
    return Metaphase(
        image=cell.image,
        pixels=pixels,
        inverted=cell.inverted,
        synthetic=cell.synthetic,
        chromosomes=tuple(
            replace(chromosome_of(one), flags=() if one.confirmed else says.flags[one.id]) for one in cell.objects
        ),
        count=says.count,
        karyotype=says.karyotype,
        gains=says.gains,
        losses=says.losses,
        quality=cell.quality,
        flags=says.cell_flags,
        analysed=analysed,
    )
