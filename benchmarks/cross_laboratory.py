"""Do the names and the way up hold on another laboratory's chromosomes, which no training saw?

The crops of `gband612` are mostly upright as published, so "short arm up" is taken as the truth of their polarity.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.annotated import NO_CLASS
from benchmarks.figures import Figure, Section
from benchmarks.intervals import ratio
from benchmarks.judged import Judged
from benchmarks.naming import COLUMNS, ROWS, confusion
from consilium.karyotype.metaphase import CLASSES, UNSURE


def upright(angle_deg: float) -> bool:
    """Whether a turn by this angle leaves what was on top in the upper half."""
    return abs((angle_deg + 180.0) % 360.0 - 180.0) < 90.0


def measure(cells: Sequence[Judged], *, data: str) -> Section:
    """Measure accuracy and polarity.

    Args:
        cells: cells of crops, given to the classifier; markers are counted apart.
        data: what they are, in words.
    """
    cases = [one.cell.case for one in cells]
    named = [[(f, t) for f, t in one.pairs if one.cell.labels[t] != NO_CLASS] for one in cells]
    markers = [[f for f, t in one.pairs if one.cell.labels[t] == NO_CLASS] for one in cells]
    sizes = [int((one.cell.labels != NO_CLASS).sum()) for one in cells]
    right = [
        sum(one.found[f].label == CLASSES[one.cell.labels[t]] for f, t in own)
        for one, own in zip(cells, named, strict=True)
    ]
    up = [sum(upright(one.found[f].angle_deg) for f, _ in own) for one, own in zip(cells, named, strict=True)]
    unsure = [sum(one.found[f].label == UNSURE for f in own) for one, own in zip(cells, markers, strict=True)]
    refused = sum(one.reading.metaphase is None for one in cells)
    note = f"{sum(sizes)} chromosomes of {len(cells)} cells" + (f"; {refused} cells refused" if refused else "")
    marker_counts = [len(own) for own in markers]
    figures = (
        Figure(name="gband612_accuracy", estimate=ratio(cases, right, sizes), data=data, note=note),
        Figure(name="gband612_polarity", estimate=ratio(cases, up, sizes), data=data, note=note),
        Figure(
            name="gband612_markers_unsure",
            estimate=ratio(cases, unsure, marker_counts),
            data=data,
            note=f"{sum(marker_counts)} markers",
        ),
    )
    return Section(figures=figures, tables={**_by_class(cells), **_confusion(cells)})


def _by_class(cells: Sequence[Judged]) -> dict[str, object]:
    """For each class [chromosomes, named right, upright]."""
    counts = {label: [0, 0, 0] for label in CLASSES}
    for one in cells:
        for found, true in one.pairs:
            if one.cell.labels[true] == NO_CLASS:
                continue
            own = counts[CLASSES[one.cell.labels[true]]]
            own[0] += 1
            own[1] += one.found[found].label == CLASSES[one.cell.labels[true]]
            own[2] += upright(one.found[found].angle_deg)
    return {"by_class": counts}


def _confusion(cells: Sequence[Judged]) -> dict[str, object]:
    whole = [one for one in cells if NO_CLASS not in one.cell.labels]
    return {
        "confusion_rows": list(ROWS),
        "confusion_columns": list(COLUMNS),
        "confusion": confusion(whole).tolist(),
    }
