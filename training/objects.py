"""What two looks make of cells that the second look has not learnt from: `python -m training.objects`.

The rescorer is trained on what it will meet, and of cells that they have learnt from two looks are surer than they are
at work. So each half of the cases is seen by those that were trained without it (`--without`), and drawn cells are of
their own. Of other stains there are so few that those are shown which were learnt from. One file a shard of cells in
`runs/objects/`; a run that was stopped goes on with the shards that are not there.
"""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from consilium.errors import NoMetaphase
from consilium.karyotype.find import seen_twice
from consilium.karyotype.models import using
from consilium.karyotype.proposals import Proposals
from training.cells import CORES, DARKNESS_SCALE, RUNS, Cell, drawn_cells, load_cells, unlearnt_half
from training.export import weights

DRAWN = 12
"""Drawn cells of a shard: crossings with exact truth, and not always 46 chromosomes."""

SHARDS = 24
"""Parts of the real cells, and as many of the drawn ones: each part is one process' work for some minutes."""


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


def objects_in(shard: int) -> Path:
    """Look at a part of the cells, unless that was done."""
    kept = RUNS / "objects" / f"{shard}.pickle"
    if not kept.exists():
        cells = [*real_cells()[shard::SHARDS], *drawn_cells([11, shard], DRAWN)]
        found = [one for one in map(objects_of, cells) if one is not None]
        partial = kept.with_suffix(".partial")
        partial.write_bytes(pickle.dumps(found, protocol=5))
        partial.rename(kept)
    return kept


def real_cells() -> list[Cell]:
    """Of every stain, both parts."""
    return [cell for source in ("tseng2023", "adir_mfish", "bioimlab_qband") for cell in load_cells(source)]


def load_objects() -> list[Objects]:
    """What `main` kept."""
    return [one for kept in sorted((RUNS / "objects").glob("*.pickle")) for one in pickle.loads(kept.read_bytes())]


def main() -> None:
    (RUNS / "objects").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(CORES, max_tasks_per_child=1) as pool:
        for kept in pool.map(objects_in, range(SHARDS)):
            print(kept, flush=True)


if __name__ == "__main__":
    main()
