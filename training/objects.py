"""What two looks make of cells that the second look has not learnt from: `python -m training.objects`.

The rescorer is trained on what it will meet, and of cells that they have learnt from two looks are surer than they are
at work. So each half of the cases is seen by those that were trained without it (`--without`), and drawn cells are of
their own. Of other stains there are so few that those are shown which were learnt from. Kept in `runs/objects.pickle`.
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
from consilium.karyotype.models import using
from consilium.karyotype.proposals import Proposals
from training.cells import CORES, DARKNESS_SCALE, RUNS, Cell, drawn_cells, load_cells, unlearnt_half
from training.export import weights

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
        with using(weights(unlearnt_half(cell))):
            return Objects(cell, seen_twice(cell.darkness.astype(np.float32) / DARKNESS_SCALE, threads=1))
    except NoMetaphase:
        return None


def objects_drawn(shard: int) -> list[Objects | None]:
    return [objects_of(cell) for cell in drawn_cells([11, shard], DRAWN // SHARDS)]


def real_cells() -> list[Cell]:
    """Of every stain, both parts."""
    return [cell for source in ("tseng2023", "adir_mfish", "bioimlab_qband") for cell in load_cells(source)]


def load_objects() -> list[Objects]:
    """What `main` kept."""
    found: list[Objects] = pickle.loads((RUNS / "objects.pickle").read_bytes())
    return found


def main() -> None:
    with ProcessPoolExecutor(CORES) as pool:
        real = pool.map(objects_of, real_cells(), chunksize=16)
        drawn = pool.map(objects_drawn, range(SHARDS))
        found = [one for one in (*real, *chain.from_iterable(drawn)) if one is not None]
    partial = RUNS / "objects.partial"
    partial.write_bytes(pickle.dumps(found, protocol=5))
    partial.rename(RUNS / "objects.pickle")
    print(f"{len(found)} cells, {np.mean([len(one.proposals.worth) for one in found]):.0f} objects a cell")


if __name__ == "__main__":
    main()
