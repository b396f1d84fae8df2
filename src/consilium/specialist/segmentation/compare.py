"""Two models of outlines on the same cases, which neither has seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from consilium.errors import InputError, UnusableDataset
from consilium.specialist.compare import Comparison, refuse_known
from consilium.specialist.dataset import Dataset
from consilium.specialist.evidence.enough import FEWEST
from consilium.specialist.segmentation.judge import mean_of, paired_gain
from consilium.specialist.segmentation.mask_scheme import MaskScheme
from consilium.specialist.segmentation.outliner import Outliner
from consilium.specialist.segmentation.overlap import Labels, dice
from consilium.specialist.splits import codes_of


def refuse_unlike_outlines(first: Outliner, second: Outliner, dataset: Dataset) -> None:
    """Holds the two and the cases to each other.

    Raises:
        InputError: the models outline other things.
        UnusableDataset: one of them has learnt from a case.
    """
    if first.scheme != second.scheme:
        raise InputError(
            f"the models do not outline the same ({', '.join(first.labels)}; {', '.join(second.labels)})",
            way_out="Compare two that were fitted to masks with the same numbers and labels.",
        )
    refuse_known({*first.trained_on, *second.trained_on}, dataset)


def compare_outlines(
    first: Callable[[Path], Labels], second: Callable[[Path], Labels], scheme: MaskScheme, dataset: Dataset
) -> Comparison:
    """Compare masks of the same cases: Dice of each case, the mean over the labels that it has.

    Args:
        first: outlines a file.
        second: the same, by the other model.
        scheme: of both.
        dataset: the cases.

    Raises:
        UnusableDataset: a mask does not fit its picture, or fewer than `FEWEST` patients have something outlined.
        UnreadableImage: a file is damaged.
    """
    overlaps = np.full((2, len(dataset.cases)), np.nan)
    for row, case in enumerate(dataset.cases):
        true = scheme.read(case.masks)
        for place, outlined in enumerate((first, second)):
            found = outlined(case.file)
            if found.shape != true.shape:
                raise UnusableDataset(
                    f"its mask has {true.shape} pixels and it itself {found.shape}",
                    where=str(case.file),
                    way_out="Give each mask the size of its picture.",
                )
            has = [number for number in scheme.numbers if scheme.of_label(true, number).any()]
            if has:
                overlaps[place, row] = np.mean(
                    [dice(scheme.of_label(found, number), scheme.of_label(true, number)) for number in has]
                )
    groups = codes_of(dataset.groups)
    known = np.isfinite(overlaps[0])
    patients = len(np.unique(groups[known]))
    if patients < FEWEST:
        raise UnusableDataset(
            f"{patients} patients have something outlined, {FEWEST} are needed",
            where=str(dataset.origin),
            way_out="Collect more cases; with fewer the difference says nothing.",
        )
    return Comparison(
        figure="Dice",
        labels=scheme.labels,
        first=mean_of(overlaps[0], groups, seed=0),
        second=mean_of(overlaps[1], groups, seed=0),
        difference=paired_gain(overlaps[0], overlaps[1], groups),
        cases=int(known.sum()),
    )
