"""What the detector proposes in cells that it has not learnt from: `python -m training.proposals`.

The second look is trained on what it will meet, so on the proposals of the detectors that are trained without a half of
the cases, each in that half (so: after `python -m training.export detector`, with and without `--without`). Kept in
`runs/proposals.pickle`.
"""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.find import propose
from consilium.karyotype.models import using
from consilium.karyotype.positions import AS_IT_LIES
from training.cells import CORES, DARKNESS_SCALE, RUNS, Cell, load_cells, unlearnt_half
from training.export import weights

LOWEST = 0.05
"""Proposals under this score are not used in training; at work the limit is higher."""


@dataclass(frozen=True)
class Proposed:
    """The proposals of one cell, best first: boxes (n, 4) and scores (n,), float32."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


def proposed(cell: Cell) -> Proposed:
    """By one look as the cell lies, and not in every position: a proposal may well be a little off."""
    cv2.setNumThreads(1)
    darkness = cell.darkness.astype(np.float32) / DARKNESS_SCALE
    with using(weights(unlearnt_half(cell))):
        return Proposed(*propose(darkness, threads=1, threshold=LOWEST, positions=(AS_IT_LIES,)))


def training_cells() -> list[Cell]:
    """The cells of every set, both parts."""
    return [c for source in ("tseng2023", "adir_mfish", "bioimlab_qband", "rendered") for c in load_cells(source)]


def load_proposals() -> dict[str, Proposed]:
    """Proposals by name of the cell."""
    found: dict[str, Proposed] = pickle.loads((RUNS / "proposals.pickle").read_bytes())
    return found


def main() -> None:
    cells = training_cells()
    with ProcessPoolExecutor(CORES) as pool:
        found = dict(zip([c.name for c in cells], pool.map(proposed, cells, chunksize=16), strict=True))
    partial = RUNS / "proposals.partial"
    partial.write_bytes(pickle.dumps(found, protocol=5))
    partial.rename(RUNS / "proposals.pickle")
    print(f"{len(found)} cells, {np.mean([len(p.scores) for p in found.values()]):.0f} proposals a cell")


if __name__ == "__main__":
    main()
