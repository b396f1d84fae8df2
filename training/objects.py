"""What two looks make of cells that the second look has not learnt from: `python -m training.objects`.

The rescorer is trained on what it will meet, and of cells that it has learnt from the second look is surer than it is
at work. So these are the G-banded cells that `training.proposals` leaves out, and drawn cells of their own. Of other
stains there are so few that those are shown which it has learnt from. Kept in `runs/objects.pickle`.
"""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np

from consilium.errors import NoMetaphase
from consilium.karyotype.find import seen_twice
from consilium.karyotype.proposals import Proposals
from training.cells import DARKNESS_SCALE, RUNS, Cell, drawn_cells, load_cells

DRAWN = 180
"""Drawn cells: crossings with exact truth, and not always 46 chromosomes."""

SHARDS = 6


@dataclass(frozen=True)
class Objects:
    """A cell, and what may be a chromosome in it."""

    cell: Cell
    proposals: Proposals


def objects_of(cell: Cell) -> Objects | None:
    """None where there is hardly anything in the cell."""
    cv2.setNumThreads(1)
    try:
        return Objects(cell, seen_twice(cell.darkness.astype(np.float32) / DARKNESS_SCALE, threads=1))
    except NoMetaphase:
        return None


def objects_drawn(shard: int) -> list[Objects | None]:
    return [objects_of(cell) for cell in drawn_cells([11, shard], DRAWN // SHARDS)]


def real_cells() -> list[Cell]:
    """G-banded cells that the second look has not learnt from, and all of other stains."""
    cells = load_cells("tseng2023")
    unlearnt = [cell for number, cell in enumerate(cells) if number % 2 == 1 or cell.part == "validation"]
    return [*unlearnt, *load_cells("adir_mfish"), *load_cells("bioimlab_qband")]


def load_objects() -> list[Objects]:
    """What `main` kept."""
    found: list[Objects] = pickle.loads((RUNS / "objects.pickle").read_bytes())
    return found


def main() -> None:
    with ProcessPoolExecutor(2) as pool:
        real = pool.map(objects_of, real_cells(), chunksize=16)
        drawn = pool.map(objects_drawn, range(SHARDS))
        found = [one for one in (*real, *chain.from_iterable(drawn)) if one is not None]
    partial = RUNS / "objects.partial"
    partial.write_bytes(pickle.dumps(found, protocol=5))
    partial.rename(RUNS / "objects.pickle")
    print(f"{len(found)} cells, {np.mean([len(one.proposals.worth) for one in found]):.0f} objects a cell")


if __name__ == "__main__":
    main()
