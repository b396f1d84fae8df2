"""Are the masks right, on the stains whose true masks exist?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.annotated import Placed
from benchmarks.average_precision import Outcomes, greedy_matches, mean_average_precision
from benchmarks.figures import Figure, Section
from benchmarks.intervals import ratio
from benchmarks.judged import Judged
from consilium.karyotype.proposals import mask_iou

LEAST_IOU = 0.5


def mask_iou_matrix(found: Sequence[Placed], truth: Sequence[Placed]) -> NDArray[np.float64]:
    """(len(found), len(truth))."""
    return np.asarray([[mask_iou(one, other) for other in truth] for one in found], np.float64).reshape(
        len(found), len(truth)
    )


def measure(readings: Mapping[str, Mapping[str, Sequence[Judged]]], *, data: Mapping[str, str]) -> Section:
    """Measure every method on every set.

    Args:
        readings: the judged cells by set and method.
        data: what each set is, in words.
    """
    figures = [
        figure
        for source, methods in readings.items()
        for method, cells in methods.items()
        for figure in _figures(cells, source, method, data[source])
    ]
    return Section(figures=tuple(figures), tables={})


def _figures(cells: Sequence[Judged], source: str, method: str, data: str) -> list[Figure]:
    cases = [one.cell.case for one in cells]
    matrices = [mask_iou_matrix(_masks(one), one.cell.masks or ()) for one in cells]
    matched = [_best_pairs(matrix) for matrix in matrices]
    pairs = [len(ious) for ious in matched]
    estimates = {
        "mask_ap50": mean_average_precision([_outcomes(cells, matrices)], cases),
        "mask_iou": ratio(cases, [sum(ious) for ious in matched], pairs),
        "mask_recall": ratio(cases, pairs, [matrix.shape[1] for matrix in matrices]),
    }
    note = f"{len(cells)} cells"
    return [
        Figure(name=f"{name}_{source.partition('_')[0]}", estimate=estimate, data=data, method=method, note=note)
        for name, estimate in estimates.items()
    ]


def _masks(one: Judged) -> list[Placed]:
    return [(chromosome.instance.mask, chromosome.instance.origin) for chromosome in one.found]


def _best_pairs(matrix: NDArray[np.float64]) -> list[float]:
    """The IoUs of the one-to-one pairs with at least `LEAST_IOU`, as many as possible."""
    if not matrix.size:
        return []
    rows, columns = linear_sum_assignment(-np.where(matrix >= LEAST_IOU, 1000 + matrix, 0))
    return [float(v) for v in matrix[rows, columns] if v >= LEAST_IOU]


def _outcomes(cells: Sequence[Judged], matrices: Sequence[NDArray[np.float64]]) -> Outcomes:
    scores = [np.asarray([c.instance.score for c in one.found], np.float64) for one in cells]
    right = [greedy_matches(iou, own, least=LEAST_IOU) for iou, own in zip(matrices, scores, strict=True)]
    return Outcomes(
        scores=np.concatenate([np.zeros(0), *scores]),
        right=np.concatenate([np.zeros(0, np.bool_), *right]),
        cells=np.repeat(np.arange(len(cells)), [len(own) for own in scores]),
        truths=np.asarray([matrix.shape[1] for matrix in matrices], np.float64),
    )
