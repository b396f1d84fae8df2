"""Two specialists on the same cases, which neither has seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError, UnusableDataset
from consilium.generalist.cache import content_hash
from consilium.specialist.dataset import Dataset
from consilium.specialist.evidence.discrimination import interval_of, mean_of
from consilium.specialist.evidence.enough import FEWEST
from consilium.specialist.evidence.intervals import Difference, Estimate, auc_influence, paired_difference
from consilium.specialist.specialist import Specialist
from consilium.specialist.splits import codes_of


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two figures of the same cases.

    Attributes:
        figure: "AUC", "Dice" or "AP50".
        labels: whose figures were averaged; of two labels that are told apart, the second alone.
        first, second: with intervals, the models as given.
        difference: of the first from the second, paired.
        cases: how many.
    """

    figure: str
    labels: tuple[str, ...]
    first: Estimate
    second: Estimate
    difference: Difference
    cases: int


def refuse_unlike(first: Specialist, second: Specialist, dataset: Dataset) -> None:
    """Holds the two and the cases to each other.

    Raises:
        InputError: the models answer other questions, or quantities.
        UnusableDataset: a label of the cases is unknown to them, or one of them has learnt from a case.
    """
    if first.task == "regress" or first.task != second.task or first.labels != second.labels:
        raise InputError(
            f"the models do not answer the same question ({first.task}: {', '.join(first.labels) or 'a quantity'}; "
            f"{second.task}: {', '.join(second.labels) or 'a quantity'})",
            way_out="Compare two that were fitted to the same labels.",
        )
    unknown = sorted(set(dataset.labels) - set(first.labels))
    if unknown:
        raise UnusableDataset(
            f"the label {unknown[0]!r} is unknown to the models",
            where=str(dataset.origin),
            way_out=f"Their labels are {', '.join(first.labels)}.",
        )
    refuse_known({*first.trained_on, *second.trained_on}, dataset)


def refuse_known(learnt: Collection[str], dataset: Dataset) -> None:
    """See that no case was learnt from.

    Args:
        learnt: SHA-256 of the cases that were.
        dataset: the cases.

    Raises:
        UnusableDataset: one was.
    """
    known = [case.file for case in dataset.cases if content_hash(case.file) in learnt]
    if known:
        raise UnusableDataset(
            f"{len(known)} case(s) were trained on by one of the models, the first is {known[0]}",
            where=str(dataset.origin),
            way_out="Compare on cases that neither has seen; figures on others mean nothing.",
        )


def compare(
    first: NDArray[np.float64], second: NDArray[np.float64], dataset: Dataset, labels: Sequence[str]
) -> Comparison:
    """Compare probabilities of the same cases.

    Args:
        first: (n, labels) of one model.
        second: (n, labels) of the other.
        dataset: the cases.
        labels: of the columns.

    Raises:
        UnusableDataset: no label has enough cases with and without it.
    """
    groups = codes_of(dataset.groups)
    columns = range(1, 2) if dataset.task == "binary" and len(labels) == 2 else range(len(labels))
    truth = {n: np.array([labels[n] in case.labels for case in dataset.cases]) for n in columns}
    kept = [
        n
        for n, positive in truth.items()
        if min(len(np.unique(groups[positive])), len(np.unique(groups[~positive]))) >= FEWEST
    ]
    if not kept:
        raise UnusableDataset(
            f"no label has {FEWEST} patients with and {FEWEST} without it",
            where=str(dataset.origin),
            way_out="Collect more cases; with fewer the difference says nothing.",
        )
    one, other = (mean_of([auc_influence(scores[:, n], truth[n], groups) for n in kept]) for scores in (first, second))
    rarest = min((truth[n] for n in kept), key=lambda own: int(own.sum()))
    return Comparison(
        figure="AUC",
        labels=tuple(labels[n] for n in kept),
        first=interval_of(one, rarest, groups),
        second=interval_of(other, rarest, groups),
        difference=paired_difference(one, other, groups),
        cases=len(dataset.cases),
    )
