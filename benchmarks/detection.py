"""Are the chromosomes found, and are the cells counted and read right as wholes?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.average_precision import Outcomes, greedy_matches, mean_average_precision
from benchmarks.figures import Figure, Section
from benchmarks.intervals import Estimate, fraction, ratio
from benchmarks.judged import Judged, boxes_of, label_index
from consilium.karyotype.metaphase import CLASSES
from consilium.karyotype.proposals import box_iou


def figures(cells: Sequence[Judged], *, data: str, method: str, subset: str) -> Iterator[Figure]:
    """The detection figures of one method on one set of cells."""
    cases = [one.cell.case for one in cells]
    pairs = [len(one.pairs) for one in cells]
    estimates = {
        "detection_recall": ratio(cases, pairs, [len(one.cell.labels) for one in cells]),
        "detection_precision": ratio(cases, pairs, [len(one.found) for one in cells]),
        "class_accuracy": ratio(cases, [sum(one.named_right) for one in cells], pairs),
        "map50": map50(cells),
        "cells_counted_exactly": fraction(cases, [len(one.found) == len(one.cell.labels) for one in cells]),
        "cells_wholly_right": fraction(cases, [one.wholly_right for one in cells]),
        "images_refused": fraction(cases, [one.reading.metaphase is None for one in cells]),
    }
    for name, estimate in estimates.items():
        yield Figure(name=name, estimate=estimate, data=data, method=method, subset=subset)


def map50(cells: Sequence[Judged]) -> Estimate:
    """Mean over the 24 classes of the AP at IoU 0.5.

    A chromosome counts once, under the name that was given to it, with its detection score times the confidence of
    the name; unsure objects count nowhere.
    """
    return mean_average_precision([_outcomes(cells, index) for index in range(len(CLASSES))], [
        one.cell.case for one in cells
    ])  # fmt: skip


def _outcomes(cells: Sequence[Judged], index: int) -> Outcomes:
    scores, right, owners = [], [], []
    for number, one in enumerate(cells):
        own = [c for c in one.found if label_index(c.label) == index]
        if not own:
            continue
        score = np.asarray([c.instance.score * c.confidence for c in own])
        truth = one.cell.boxes[one.cell.labels == index]
        right.append(greedy_matches(box_iou(boxes_of(own), truth), score))
        scores.append(score)
        owners.append(np.full(len(own), number))
    return Outcomes(
        scores=np.concatenate([np.zeros(0), *scores]),
        right=np.concatenate([np.zeros(0, np.bool_), *right]),
        cells=np.concatenate([np.zeros(0, np.intp), *owners]),
        truths=np.asarray([(one.cell.labels == index).sum() for one in cells], np.float64),
    )


def measure(readings: dict[str, Sequence[Judged]], *, data: str) -> Section:
    """Measure every method, on all cells and on the difficult ones apart.

    Args:
        readings: the judged cells by method.
        data: what they are, in words.
    """
    measured: list[Figure] = []
    tables: dict[str, object] = {}
    for method, cells in readings.items():
        measured += figures(cells, data=data, method=method, subset="all")
        difficult = [one for one in cells if one.cell.difficult]
        if difficult:
            measured += figures(difficult, data=f"{data}, difficult", method=method, subset="difficult")
        surplus = Counter(len(one.found) - len(one.cell.labels) for one in cells)
        tables[f"found_less_true_{method}"] = {f"{k:+d}": surplus[k] for k in sorted(surplus)}
        tables[f"refused_{method}"] = {o.cell.name: o.reading.error for o in cells if o.reading.error}
    return Section(figures=tuple(measured), tables=tables)
