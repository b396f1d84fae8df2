"""Two models of boxes on the same cases, which neither has seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from consilium.errors import InputError, UnusableDataset
from consilium.specialist.compare import Comparison, refuse_known
from consilium.specialist.dataset import Dataset
from consilium.specialist.detection.average_precision import estimated_share
from consilium.specialist.detection.boxes import Boxes
from consilium.specialist.detection.finder import Finder
from consilium.specialist.detection.fit import ap50_of
from consilium.specialist.evidence.enough import FEWEST
from consilium.specialist.evidence.intervals import Difference
from consilium.specialist.splits import codes_of

_DRAWS = 2000


def refuse_unlike_boxes(first: Finder, second: Finder, dataset: Dataset) -> None:
    """Holds the two and the cases to each other.

    Raises:
        InputError: the models find other things.
        UnusableDataset: one of them has learnt from a case.
    """
    if first.labels != second.labels:
        raise InputError(
            f"the models do not find the same ({', '.join(first.labels)}; {', '.join(second.labels)})",
            way_out="Compare two that were fitted to boxes with the same labels.",
        )
    refuse_known({*first.trained_on, *second.trained_on}, dataset)


def compare_boxes(
    first: Sequence[Boxes], second: Sequence[Boxes], true: Sequence[Boxes], labels: Sequence[str], dataset: Dataset
) -> Comparison:
    """Compare AP50, the mean over the labels, with the same patients drawn for both.

    Args:
        first: every box that the first model finds in each case, also unsure ones.
        second: the same, by the other.
        true: boxes.
        labels: of both models, by the numbers of the boxes.
        dataset: the cases.

    Returns:
        The difference with the percentile interval of the paired bootstrap over patients, and p as twice the smaller
        share of draws on one side of none.

    Raises:
        UnusableDataset: fewer than `FEWEST` patients have a box.
    """
    groups = codes_of(dataset.groups)
    patients = len(np.unique(groups[[len(one) > 0 for one in true]]))
    if patients < FEWEST:
        raise UnusableDataset(
            f"{patients} patients have a box, {FEWEST} are needed",
            where=str(dataset.origin),
            way_out="Collect more cases; with fewer the difference says nothing.",
        )
    worth = [ap50_of(found, true, len(labels)) for found in (first, second)]
    figures = [estimated_share(one, groups, patients, draws=_DRAWS) for one in worth]
    count = len(np.unique(groups))
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=_DRAWS).astype(np.float64)
    gaps = np.array([worth[0](weights[groups]) - worth[1](weights[groups]) for weights in drawn])
    gaps = gaps[np.isfinite(gaps)]
    low, high = (float(end) for end in np.quantile(gaps, [0.025, 0.975]))
    tail = min(int((gaps <= 0).sum()), int((gaps >= 0).sum()))
    return Comparison(
        figure="AP50",
        labels=tuple(labels),
        first=figures[0],
        second=figures[1],
        difference=Difference(
            value=figures[0].value - figures[1].value, low=low, high=high, p=min(2 * (tail + 1) / (len(gaps) + 1), 1.0)
        ),
        cases=len(true),
    )
