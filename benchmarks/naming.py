"""Are the names right, how sure is the pipeline of them, and does it point at those that are wrong?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration import expected_calibration_error, matched, reliability
from benchmarks.figures import Figure, Section
from benchmarks.intervals import Estimate, ratio
from benchmarks.judged import Judged, label_index
from consilium.karyotype.metaphase import CLASSES, UNSURE

COLUMNS = (*CLASSES, UNSURE, "missed")
ROWS = (*CLASSES, "nothing")
"""The confusion matrix: true classes and false detections down, names and missed chromosomes across."""


def confusion(cells: Iterable[Judged]) -> NDArray[np.int64]:
    """(25, 26) counts, in the order of `ROWS` and `COLUMNS`."""
    counts = np.zeros((len(ROWS), len(COLUMNS)), np.int64)
    for one in cells:
        for found, true in one.pairs:
            counts[one.cell.labels[true], label_index(one.found[found].label)] += 1
        for found in one.false:
            counts[-1, label_index(one.found[found].label)] += 1
        for true in one.missed:
            counts[one.cell.labels[true], -1] += 1
    return counts


def wrong_names(one: Judged) -> list[int]:
    """The found objects of a cell that are true chromosomes under a wrong name."""
    return [found for (found, _), right in zip(one.pairs, one.named_right, strict=True) if not right]


def share_flagged(cells: Sequence[Judged], chosen: Sequence[Sequence[int]]) -> Estimate:
    """Of the chosen objects of each cell, how many carry a flag of any kind."""
    return ratio(
        [one.cell.case for one in cells],
        [sum(bool(one.found[index].flags) for index in own) for one, own in zip(cells, chosen, strict=True)],
        [len(own) for own in chosen],
    )


def missed_in_flagged_cells(cells: Sequence[Judged]) -> Estimate:
    """A missed chromosome can carry no flag; how many lie in a cell that does."""
    flagged = [bool(one.reading.metaphase is None or one.reading.metaphase.flags) for one in cells]
    missed = [len(one.missed) for one in cells]
    return ratio([one.cell.case for one in cells], [f * m for f, m in zip(flagged, missed, strict=True)], missed)


def by_code(cells: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """For each flag: how many chromosomes carry it, how many of them are wrong, what share of the wrong it catches."""
    wrong = [set(wrong_names(one)) for one in cells]
    everything, errors, only = Counter[str](), Counter[str](), Counter[str]()
    for one, own in zip(cells, wrong, strict=True):
        for index, chromosome in enumerate(one.found):
            codes = {flag.code for flag in chromosome.flags}
            everything.update(codes)
            if index in own:
                errors.update(codes)
                only.update(codes if len(codes) == 1 else ())
    found, total = sum(len(one.found) for one in cells), sum(map(len, wrong))
    return {
        code: {
            "chromosomes": everything[code],
            "share_of_all": everything[code] / max(found, 1),
            "wrong": errors[code],
            "share_of_wrong": errors[code] / max(total, 1),
            "wrong_caught_by_it_alone": only[code],
        }
        for code in sorted(everything, key=lambda code: -errors[code])
    }


def _figures(cells: Sequence[Judged], *, data: str, method: str) -> Iterator[Figure]:
    confidence, right, cases = matched(cells)
    estimates = {
        "errors_flagged": share_flagged(cells, [wrong_names(one) for one in cells]),
        "false_flagged": share_flagged(cells, [one.false for one in cells]),
        "missed_in_flagged_cells": missed_in_flagged_cells(cells),
        "chromosomes_flagged": share_flagged(cells, [range(len(one.found)) for one in cells]),
        "calibration_error": expected_calibration_error(confidence, right, cases),
    }
    counted = {
        "errors_flagged": f"{sum(len(wrong_names(one)) for one in cells)} wrong names",
        "false_flagged": f"{sum(len(one.false) for one in cells)} false detections",
        "missed_in_flagged_cells": f"{sum(len(one.missed) for one in cells)} missed",
    }
    for name, estimate in estimates.items():
        yield Figure(name=name, estimate=estimate, data=data, method=method, note=counted.get(name, ""))


def measure(readings: dict[str, Sequence[Judged]], *, data: str) -> Section:
    """Measure every method.

    Args:
        readings: the judged cells by method.
        data: what they are, in words.
    """
    measured: list[Figure] = []
    tables: dict[str, object] = {"confusion_rows": list(ROWS), "confusion_columns": list(COLUMNS)}
    for method, cells in readings.items():
        measured += _figures(cells, data=data, method=method)
        confidence, right, _ = matched(cells)
        tables[f"confusion_{method}"] = confusion(cells).tolist()
        tables[f"reliability_{method}"] = reliability(confidence, right)
        tables[f"flags_{method}"] = by_code(cells)
    return Section(figures=tuple(measured), tables=tables)
