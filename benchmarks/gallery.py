"""The worst errors as one picture, to be looked at. It shows other people's pixels, so it stays under `runs/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet
from numpy.typing import NDArray

from benchmarks.annotated import decode
from benchmarks.judged import Judged
from benchmarks.naming import wrong_names
from consilium.karyotype.metaphase import CLASSES
from consilium.karyotype.straighten import dark_on_light, straighten

SHOWN = 12
"""Errors of each kind: wrong names, missed, false."""

PER_CELL = 2
"""Of one cell and kind, so that one hopeless image does not fill the page."""

CONTEXT = 40
"""Pixels of surroundings shown around a missed or false object."""

Box = Sequence[float] | NDArray[np.float32]


@dataclass(frozen=True)
class _Mistake:
    """One error: in which cell, which object (found or true), and how bad."""

    judged: Judged
    index: int
    weight: float


def draw_gallery(cells: Sequence[Judged], path: Path) -> None:
    """Draw the most confident wrong names beside correct chromosomes, and the worst missed and false detections."""
    wrong = _worst([_Mistake(one, i, one.found[i].confidence) for one in cells for i in wrong_names(one)])
    # A large chromosome missed in a cell that is otherwise right is worse than a crumb in a heap.
    missed = _worst([_Mistake(one, i, _area(one.cell.boxes[i]) / len(one.missed)) for one in cells for i in one.missed])
    false = _worst([_Mistake(one, i, one.found[i].instance.score) for one in cells for i in one.false])
    sheet = Sheet(figsize=(SHOWN * 1.25, 9.5), dpi=100, layout="constrained")
    grid = sheet.subplots(3, SHOWN, squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    for axes, mistake in zip(grid[0], wrong, strict=False):
        _show_name(axes, mistake, cells)
    for row, chosen, kind in ((grid[1], missed, "missed"), (grid[2], false, "false")):
        for axes, mistake in zip(row, chosen, strict=False):
            _show_place(axes, mistake, kind)
    sheet.suptitle("Wrong names (left, beside a right one of the true class), missed, false; third-party images")
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.savefig(path)


def _worst(mistakes: Sequence[_Mistake]) -> list[_Mistake]:
    chosen: list[_Mistake] = []
    for mistake in sorted(mistakes, key=lambda one: -one.weight):
        if sum(one.judged is mistake.judged for one in chosen) < PER_CELL:
            chosen.append(mistake)
    return chosen[:SHOWN]


def _area(box: Box) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _show_name(axes: Axes, mistake: _Mistake, cells: Sequence[Judged]) -> None:
    one = mistake.judged
    true = next(CLASSES[one.cell.labels[t]] for f, t in one.pairs if f == mistake.index)
    pictures = [_straight(one, mistake.index)]
    # Its own cell's homologue first; another cell's only where its own has no right one.
    for other in (one, *cells):
        right = [f for (f, _), good in zip(other.pairs, other.named_right, strict=True) if good]
        same = [f for f in right if other.found[f].label == true]
        if same:
            pictures.append(_straight(other, same[0]))
            break
    axes.imshow(_beside(pictures), cmap="gray", vmin=0, vmax=255)
    found = one.found[mistake.index]
    codes = ", ".join(flag.code for flag in found.flags) or "no flag"
    axes.set_title(f"{true} named {found.label}\n{found.confidence:.3f}\n{codes}\n{one.cell.name}", fontsize=7)


def _straight(one: Judged, index: int) -> NDArray[np.uint8]:
    assert one.reading.metaphase is not None
    page = dark_on_light(decode(one.cell.image), inverted=one.reading.metaphase.inverted)
    return straighten(page, one.found[index].instance, one.found[index].angle_deg).pixels


def _beside(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    height = max(picture.shape[0] for picture in pictures)
    padded = [
        cv2.copyMakeBorder(p, 0, height - p.shape[0], 4, 4, cv2.BORDER_CONSTANT, value=(255.0,)) for p in pictures
    ]
    return np.asarray(np.hstack(padded), np.uint8)


def _show_place(axes: Axes, mistake: _Mistake, kind: str) -> None:
    one = mistake.judged
    is_missed = kind == "missed"
    box = one.cell.boxes[mistake.index] if is_missed else one.found[mistake.index].instance.box
    pixels = decode(one.cell.image)
    x0, y0 = (max(int(v) - CONTEXT, 0) for v in box[:2])
    x1, y1 = min(int(box[2]) + CONTEXT, pixels.shape[1]), min(int(box[3]) + CONTEXT, pixels.shape[0])
    axes.imshow(pixels[y0:y1, x0:x1], cmap="gray", vmin=0, vmax=255)
    for other in one.found:
        _outline(axes, other.instance.box, (x0, y0), "#3080d0", 0.7)
    _outline(axes, box, (x0, y0), "#e03030", 1.8)
    axes.set(xlim=(0, x1 - x0), ylim=(y1 - y0, 0))
    found = None if is_missed else one.found[mistake.index]
    what = f"as {found.label}, score {found.instance.score:.2f}" if found else CLASSES[one.cell.labels[mistake.index]]
    axes.set_title(f"{kind} {what}\n{one.cell.name}", fontsize=7)


def _outline(axes: Axes, box: Box, origin: tuple[int, int], colour: str, width: float) -> None:
    left, top, right, bottom = box[0] - origin[0], box[1] - origin[1], box[2] - origin[0], box[3] - origin[1]
    axes.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=colour, linewidth=width)
