"""Are cells still counted right when one chromosome is taken out of the picture, or one put in?

Nearly all cells of the data are normal, and the naming leans, with a small cost, towards usual numbers of copies: a
reader that called every cell 46 would look good. So the same pictures are changed: a chromosome that lies alone is
painted over with the background around it, or copied, turned, to an empty place of the same picture. What was
counted there is no longer there to be assumed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.annotated import AnnotatedCell, decode
from benchmarks.figures import Figure, Section
from benchmarks.intervals import fraction
from benchmarks.judged import Judged
from consilium.karyotype.proposals import box_iou

Change = Literal["unchanged", "lost", "gained"]

APART = 4
"""Pixels between the boxes of a chromosome that lies alone and of any other."""

TRIES = 400
"""Places tried before a picture counts as too full for one more chromosome."""

AS_LIGHT = 12
"""Grey levels by which an empty place may be darker than the background around the chromosome that goes there."""


def one_lost(cell: AnnotatedCell) -> AnnotatedCell | None:
    """The cell with a chromosome that lies alone painted over; None where none does."""
    rng, image = _random(cell, "lost"), decode(cell.image)
    alone = _alone(cell)
    if not len(alone):
        return None
    k = int(rng.choice(alone))
    x0, y0, x1, y1 = _window(cell.boxes[k], image)
    hole = np.zeros_like(image)
    hole[y0:y1, x0:x1] = 255
    painted = np.asarray(cv2.inpaint(image, hole, 3, cv2.INPAINT_TELEA), np.uint8)
    kept = np.arange(len(cell.boxes)) != k
    return _changed(cell, "lost", painted, cell.boxes[kept], cell.labels[kept])


def one_gained(cell: AnnotatedCell) -> AnnotatedCell | None:
    """The cell with a chromosome that lies alone copied to an empty place; None where there is none of either."""
    rng, image = _random(cell, "gained"), decode(cell.image)
    alone = _alone(cell)
    if not len(alone):
        return None
    k = int(rng.choice(alone))
    x0, y0, x1, y1 = _window(cell.boxes[k], image)
    piece = np.rot90(image[y0:y1, x0:x1], int(rng.integers(4)))
    height, width = piece.shape
    background = float(np.median(np.concatenate([piece[0], piece[-1], piece[:, 0], piece[:, -1]])))
    low, high = cell.boxes[:, :2].min(0).astype(int), cell.boxes[:, 2:].max(0).astype(int)
    for _ in range(TRIES):
        x, y = int(rng.integers(low[0], high[0])), int(rng.integers(low[1], high[1]))
        place = image[y : y + height, x : x + width]
        if place.shape != piece.shape or np.percentile(place, 2) < background - AS_LIGHT:
            continue
        around = np.asarray([[x - APART, y - APART, x + width + APART, y + height + APART]], np.float32)
        if box_iou(around, cell.boxes).any():
            continue
        pasted = image.copy()
        pasted[y : y + height, x : x + width] = np.minimum(place, piece)
        inner = APART // 2
        box = np.asarray([[x + inner, y + inner, x + width - inner, y + height - inner]], np.float32)
        return _changed(
            cell, "gained", pasted, np.concatenate([cell.boxes, box]), np.append(cell.labels, cell.labels[k])
        )
    return None


def changed_cells(cells: Sequence[AnnotatedCell]) -> dict[Change, list[AnnotatedCell]]:
    """The cells as they are, with one chromosome lost and with one gained; those left out that allow only one."""
    made = [(cell, one_lost(cell), one_gained(cell)) for cell in cells]
    whole = [(cell, lost, gained) for cell, lost, gained in made if lost is not None and gained is not None]
    return {
        "unchanged": [cell for cell, _, _ in whole],
        "lost": [lost for _, lost, _ in whole],
        "gained": [gained for _, _, gained in whole],
    }


def _random(cell: AnnotatedCell, change: Change) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{cell.name} {change}".encode()))


def _alone(cell: AnnotatedCell) -> NDArray[np.intp]:
    """Indices of the chromosomes whose box, a little grown, meets no other."""
    grown = cell.boxes + np.asarray([-APART, -APART, APART, APART], np.float32)
    meets = box_iou(grown, cell.boxes) > 0
    np.fill_diagonal(meets, False)
    return np.flatnonzero(~meets.any(1))


def _window(box: NDArray[np.float32], image: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """The box with half the distance to its neighbours around it, within the picture."""
    x0, y0, x1, y1 = (int(side) for side in box)
    around = APART // 2
    return (
        max(x0 - around, 0), max(y0 - around, 0), min(x1 + around, image.shape[1]), min(y1 + around, image.shape[0]),
    )  # fmt: skip


def _changed(
    cell: AnnotatedCell, change: Change, image: NDArray[np.uint8], boxes: NDArray[np.float32], labels: NDArray[np.int16]
) -> AnnotatedCell:
    return replace(
        cell,
        name=f"{cell.name}_{change}",
        image=cv2.imencode(".png", image)[1].tobytes(),
        suffix=".png",
        boxes=boxes,
        labels=labels.astype(np.int16),
        status="numerical",
    )


def figures(readings: Mapping[Change, Sequence[Judged]], *, data: str) -> Iterator[Figure]:
    """Share of cells counted exactly, by change, and of changed cells counted as if nothing had been changed."""
    for change, cells in readings.items():
        cases = [one.cell.case for one in cells]
        exact = [len(one.found) == len(one.cell.labels) for one in cells]
        yield Figure(name=f"counted_exactly_{change}", estimate=fraction(cases, exact), data=data)
        if change != "unchanged":
            before = 1 if change == "lost" else -1
            hidden = [len(one.found) == len(one.cell.labels) + before for one in cells]
            yield Figure(name=f"counted_as_before_{change}", estimate=fraction(cases, hidden), data=data)
            told = [_told(one) for one, gone in zip(cells, hidden, strict=True) if gone]
            where = [case for case, gone in zip(cases, hidden, strict=True) if gone]
            if told:
                yield Figure(name=f"counted_as_before_told_{change}", estimate=fraction(where, told), data=data)


def _told(one: Judged) -> bool:
    """Whether a flag says that the cell outvoted the looks of an object, so that somebody looks for the change."""
    cell = one.reading.metaphase
    if cell is None:
        return False
    codes = {flag.code for flags in (cell.flags, *(found.flags for found in cell.chromosomes)) for flag in flags}
    return bool({"doubtful_object", "left_out"} & codes)


def measure(readings: Mapping[Change, Sequence[Judged]], *, data: str) -> Section:
    """Measure the same pictures unchanged, with one chromosome lost and with one gained."""
    return Section(figures=tuple(figures(readings, data=data)), tables={"changed_cells": len(readings["lost"])})
