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
    sheet = Sheet(figsize=(SHOWN * 1.25, 11.5), dpi=100, layout="constrained")
    grid = sheet.add_gridspec(4, SHOWN)
    half = SHOWN // 2
    for number, mistake in enumerate(wrong):
        row, column = divmod(number, half)
        _show_name(sheet.add_subplot(grid[row, 2 * column : 2 * column + 2]), mistake, cells)
    for row, chosen, kind in ((2, missed, "missed"), (3, false, "false")):
        for column, mistake in enumerate(chosen):
            _show_place(sheet.add_subplot(grid[row, column]), mistake, kind)
    for axes in sheet.axes:
        axes.set_axis_off()
    sheet.suptitle(
        "Wrong names (beside right ones of the true and of the given class), missed, false; third-party images"
    )
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
    found = one.found[mistake.index]
    pictures = [_straight(one, mistake.index)]
    pictures += [_straight(*place) for label in (true, found.label) if (place := _right_one(label, one, cells))]
    axes.imshow(_beside(pictures), cmap="gray", vmin=0, vmax=255)
    codes = [flag.code for flag in found.flags] or ["no flag"]
    lines = [", ".join(codes[start : start + 2]) for start in range(0, len(codes), 2)]
    title = f"{one.cell.name}: {true} named {found.label}, {found.confidence:.3f}"
    axes.set_title("\n".join([title, *lines]), fontsize=7)


def _right_one(label: str, own: Judged, cells: Sequence[Judged]) -> tuple[Judged, int] | None:
    """A chromosome rightly named so: of the same cell, or of another only where that has none."""
    for one in (own, *cells):
        for (found, _), right in zip(one.pairs, one.named_right, strict=True):
            if right and one.found[found].label == label:
                return one, found
    return None


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
