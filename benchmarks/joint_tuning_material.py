"""What tuning and judging need of the pictures of a set, made once: maps of all views and looks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.joint_training import Cases, read_set
from consilium.generalist.encoder import Encoder
from consilium.generalist.looks import shrunk
from consilium.generalist.pictures import pictures
from consilium.generalist.shipped import shipped_encoder
from consilium.specialist.case_features import CaseFeatures
from consilium.specialist.tuning.rung import Material, material_of
from training.cells import RUNS

FINER = 7 / 4
"""Side of the second size that is looked at, by that of the first."""

Maps = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A set ready to be tuned on.

    Attributes:
        cases: with the features of the study's looks.
        material: views at the size that is trained on; the first two are the looks at that size.
        finer, below: (n, 2, 96, h, w) and (n, 2, BELOW) of the two looks at the finer size.
    """

    cases: Cases
    material: Material
    finer: Maps
    below: NDArray[np.float32]


def shown(data: Path, name: str, modality: str) -> Shown:
    """A set, its maps kept in `CONSILIUM_RUNS`."""
    kept = RUNS / "joint_tuning" / f"{name}.npz"
    made: dict[str, NDArray[np.float32]] = {}

    def make(read: CaseFeatures) -> None:
        if not kept.exists():
            made.update(_maps(read, shipped_encoder(threads=1), modality))

    cases = read_set(data, name, modality, also=make)
    if made:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, allow_pickle=False, **made)
    with np.load(kept, allow_pickle=False) as have:
        material = Material(
            frozen=have["frozen"], maps=have["maps"], below=have["fixed"], digests=(), modality=modality
        )
        return Shown(cases=cases, material=material, finer=have["finer"], below=have["finer_fixed"])


def _maps(read: CaseFeatures, encoder: Encoder, modality: str) -> dict[str, NDArray[np.float32]]:
    side = round(encoder.side * FINER)
    large = np.concatenate([pictures(files[0], side, modality)[:1] for files in read.files])
    material = material_of(shrunk(large, encoder.side), encoder, read.digests, modality)
    level = [one.stride for one in encoder.levels].index(16)
    finer, fixed = [], []
    for picture in large:
        found = encoder.embed(np.ascontiguousarray(np.stack([picture, picture[:, ::-1]])), modality)
        finer.append(found.levels[level])
        fixed.append(found.image[:, : material.below.shape[2]])
    return {
        "frozen": material.frozen, "maps": material.maps, "fixed": material.below, "finer": np.stack(finer),
        "finer_fixed": np.stack(fixed),
    }  # fmt: skip
