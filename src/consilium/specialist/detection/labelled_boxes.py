"""The boxes of labelled cases: read from their files, held against their pictures, their labels numbered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from consilium.errors import UnusableDataset
from consilium.specialist.case import JOINED, Case
from consilium.specialist.detection.box_file import BoxFile, NamedBox, read_box_file
from consilium.specialist.detection.boxes import Boxes, no_boxes, within
from consilium.specialist.label_names import in_order

_OVER = 2.0
"""Pixels that a box may reach over the border, where it is then cut; more means that it is of another picture."""
_CLICK = 2.0
"""A box narrower than this many pixels is a click that slipped."""


@dataclass(frozen=True, kw_only=True)
class LabelledBoxes:
    """True boxes of some pictures.

    Attributes:
        labels: names of the classes.
        boxes: of each picture.
        notes: what a person should look at.
    """

    labels: tuple[str, ...]
    boxes: tuple[Boxes, ...]
    notes: tuple[str, ...]


def read_case_boxes(cases: Sequence[Case], shapes: Sequence[tuple[int, int]]) -> LabelledBoxes:
    """Read the boxes of cases.

    Args:
        cases: each with `boxes`, a file or the numbers themselves (left,top,right,bottom, several
            parted by a semicolon).
        shapes: rows and columns of each picture.

    Raises:
        UnusableDataset: a file of boxes is damaged or does not know its picture, a box lies outside its picture, or
            there is no box at all; the message names the case.
    """
    files: dict[str, BoxFile] = {}
    named: list[list[NamedBox]] = []
    notes = []
    for case, shape in zip(cases, shapes, strict=True):
        if not case.boxes:
            raise UnusableDataset(
                "it has no boxes, not even an empty file of them",
                where=str(case.file),
                way_out="Name its file of boxes.",
            )
        found = _written(case)
        if found is None:
            if case.boxes not in files:
                files[case.boxes] = read_box_file(Path(case.boxes))
            found = files[case.boxes].of(case.file)
        if found is None:
            raise UnusableDataset(
                f"the picture {case.file.name} is not in it",
                where=case.boxes,
                way_out="List every picture, also those where nothing is.",
            )
        kept = [box for box in found if _is_of_picture(box, case, shape)]
        if len(kept) < len(found):
            notes.append(f"{case.file.name}: {len(found) - len(kept)} box(es) narrower than {_CLICK:g} pixels left out")
        named.append(kept)
    labels = in_order({box.label for boxes in named for box in boxes})
    if not labels:
        raise UnusableDataset("there is no box in any picture", way_out="Draw boxes round what is to be found.")
    numbers = {label: number for number, label in enumerate(labels)}
    return LabelledBoxes(
        labels=labels,
        boxes=tuple(_boxes(one, numbers, shape) for one, shape in zip(named, shapes, strict=True)),
        notes=tuple(notes),
    )


def _written(case: Case) -> tuple[NamedBox, ...] | None:
    """Boxes that stand in the table itself; None where it names a file."""
    boxes = []
    for part in case.boxes.split(JOINED):
        try:
            left, top, right, bottom = (float(number) for number in part.split(","))
        except ValueError:
            return None
        if not (math.isfinite(left + top + right + bottom) and left <= right and top <= bottom):
            raise UnusableDataset(
                f"{part.strip()!r} is no box", where=str(case.file), way_out="Write left,top,right,bottom in pixels."
            )
        boxes.append(NamedBox(label=case.labels[0] if case.labels else "object", corners=(left, top, right, bottom)))
    return tuple(boxes)


def _is_of_picture(box: NamedBox, case: Case, shape: tuple[int, int]) -> bool:
    """Whether a box is one; False for a click.

    Raises:
        UnusableDataset: it is of another picture.
    """
    if box.size is not None and box.size != shape:
        raise UnusableDataset(
            f"the boxes are of a picture of {box.size[1]} by {box.size[0]} pixels, and it has {shape[1]} by {shape[0]}",
            where=str(case.file),
            way_out="Give the boxes in pixels of the picture as it is.",
        )
    left, top, right, bottom = box.corners
    if left < -_OVER or top < -_OVER or right > shape[1] + _OVER or bottom > shape[0] + _OVER:
        raise UnusableDataset(
            f"a box ({left:g}, {top:g} to {right:g}, {bottom:g}) lies outside the picture of {shape[1]} by"
            f" {shape[0]} pixels",
            where=str(case.file),
            way_out="Are rows and columns swapped, or is it the box of another picture?",
        )
    return right - left >= _CLICK and bottom - top >= _CLICK


def _boxes(named: Sequence[NamedBox], numbers: dict[str, int], shape: tuple[int, int]) -> Boxes:
    if not named:
        return no_boxes()
    corners = np.array([box.corners for box in named], np.float64)
    classes = np.array([numbers[box.label] for box in named], np.intp)
    return Boxes(corners=within(corners, shape, smallest=_CLICK), classes=classes)
