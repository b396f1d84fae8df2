"""The demo case: six synthetic cells of 47,XY,+21, one of which lost a chromosome on the slide."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from consilium.errors import OutputError
from consilium.karyotype.render import Rendered, karyotype_set, render_metaphase, save_synthetic

KARYOTYPE = "47,XY,+21"
CELLS = 6

_LEVELS = (550, 550, 400, 550, 850, 550)
_CROWDING = (0.12, 0.25, 0.35, 0.2, 0.5, 0.3)
_NUCLEI = (0, 1, 2, 1, 0, 1)


def demo_cells(*, seed: int = 21) -> tuple[Rendered, ...]:
    """Draw the cells; the last one lacks one chromosome, drawn by lot from the autosomes other than 21.

    Args:
        seed: the same seed draws the same cells.
    """
    cells = []
    # One generator a cell: a change to how one is drawn leaves the others as they were.
    for number, rng in enumerate(np.random.default_rng(seed).spawn(CELLS)):
        chromosomes = karyotype_set(KARYOTYPE)
        if number == CELLS - 1:
            chromosomes.remove(str(rng.integers(1, 21)))
        cells.append(
            render_metaphase(
                chromosomes,
                rng,
                band_level=_LEVELS[number],
                crowding=_CROWDING[number],
                nuclei=_NUCLEI[number],
                contrast=float(rng.uniform(0.85, 1.1)),
                blur=float(rng.uniform(0.8, 1.1)),
            )
        )
    return tuple(cells)


def write_demo_case(folder: Path, *, seed: int = 21) -> list[Path]:
    """Write the demo case as `synthetic_01.png` to `synthetic_06.png`, each marked as synthetic.

    Args:
        folder: where to write; made if it does not exist.
        seed: the same seed writes the same pictures.

    Returns:
        The files, in the order of the cells.

    Raises:
        OutputError: if the folder or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise OutputError(
            f"the folder cannot be made: {problem.strerror or problem}",
            where=str(folder),
            way_out="Choose another place for the demo case.",
        ) from problem
    files = []
    for number, cell in enumerate(demo_cells(seed=seed), start=1):
        files.append(folder / f"synthetic_{number:02d}.png")
        save_synthetic(cell, files[-1])
    return files
