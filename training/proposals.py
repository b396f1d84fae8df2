"""What the shipped detector proposes in the training cells: `python -m training.proposals`.

The second look is trained on what it will meet, so on the proposals of the detector (so: after
`python -m training.export detector`). One cell in two suffices. Kept in `runs/proposals.pickle`.
"""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.find import propose
from training.cells import DARKNESS_SCALE, RUNS, Cell, load_cells

LOWEST = 0.05
"""Proposals under this score are not used in training; at work the limit is higher."""


@dataclass(frozen=True)
class Proposed:
    """The proposals of one cell, best first: boxes (n, 4) and scores (n,), float32."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


def proposed(cell: Cell) -> Proposed:
    darkness = cell.darkness.astype(np.float32) / DARKNESS_SCALE
    return Proposed(*propose(darkness, threads=1, threshold=LOWEST))


def training_cells() -> list[Cell]:
    """Every second G-banded cell, both parts, and all others."""
    cells = [c for source in ("tseng2023", "adir_mfish", "bioimlab_qband") for c in load_cells(source)]
    return [c for i, c in enumerate(cells) if i % 2 == 0 or c.source != "tseng2023"] + load_cells("rendered")


def load_proposals() -> dict[str, Proposed]:
    """Proposals by name of the cell."""
    found: dict[str, Proposed] = pickle.loads((RUNS / "proposals.pickle").read_bytes())
    return found


def main() -> None:
    cv2.setNumThreads(1)
    cells = training_cells()
    with ProcessPoolExecutor(2) as pool:
        found = dict(zip([c.name for c in cells], pool.map(proposed, cells, chunksize=16), strict=True))
    partial = RUNS / "proposals.partial"
    partial.write_bytes(pickle.dumps(found, protocol=5))
    partial.rename(RUNS / "proposals.pickle")
    print(f"{len(found)} cells, {np.mean([len(p.scores) for p in found.values()]):.0f} proposals a cell")


if __name__ == "__main__":
    main()
