"""Pictures of cases with boxes for a report: true boxes and those of the model, drawn on the file at report time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ConsiliumError
from consilium.specialist.report.facts import ModelFacts
from consilium.specialist.report.html import THUMBNAIL
from consilium.specialist.segmentation.explain import FOUND, TRUE
from consilium.specialist.segmentation.segment_file import read_picture

_DASH = 4


class BoxedPictures(Mapping[int, NDArray[np.uint8]]):
    """Case number to picture, (h, w, 3) uint8, true boxes in blue and those of the model dashed in orange.

    A file that is gone, or boxes that cannot be read, have none.

    Args:
        facts: of the model.
        folder: of the facts, below which the boxes lie.
        folders: where names that are not absolute are looked for, the first that has one.
    """

    def __init__(self, facts: ModelFacts, folder: Path, folders: Sequence[Path]) -> None:
        self._cases, self._folder, self._folders = facts.cases, folder, folders

    def __getitem__(self, case: int) -> NDArray[np.uint8]:
        """The picture of a case.

        Raises:
            KeyError: there is none.
        """
        told = self._cases[case]
        file = next((folder / told.file for folder in self._folders if (folder / told.file).exists()), None)
        if file is None or not told.found:
            raise KeyError(case)
        try:
            boxes = json.loads((self._folder / told.found).read_text(encoding="utf-8"))
            true, found = (np.array(boxes[name], np.float64).reshape(-1, 4) for name in ("true", "found"))
            return _drawn(read_picture(file), true, found)
        except (ConsiliumError, OSError, ValueError, KeyError, TypeError) as problem:
            raise KeyError(case) from problem

    def __iter__(self) -> Iterator[int]:
        """Numbers of all cases, whether they have a picture or not."""
        return iter(range(len(self._cases)))

    def __len__(self) -> int:
        """How many cases there are."""
        return len(self._cases)


def _drawn(picture: NDArray[np.float32], true: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.uint8]:
    import cv2

    # Drawn at the size of the page, so that lines stay lines.
    height, width = picture.shape[:2]
    factor = THUMBNAIL / max(height, width)
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(np.ascontiguousarray(picture), size, interpolation=how), np.float32)
    canvas = np.ascontiguousarray(np.round(np.clip(small, 0, 1) * 255).astype(np.uint8))
    for corners, colour, dashed in ((true, TRUE, False), (found, FOUND, True)):
        for one in np.round(corners * factor).astype(int).tolist():
            _box(canvas, one, colour, dashed=dashed)
    return canvas


def _box(canvas: NDArray[np.uint8], corners: Sequence[int], colour: tuple[int, int, int], *, dashed: bool) -> None:
    """Edges of a box, two pixels wide on the canvas (H, W, 3)."""
    height, width = canvas.shape[:2]
    left, top = max(corners[0], 0), max(corners[1], 0)
    right, bottom = min(corners[2], width) - 1, min(corners[3], height) - 1
    if right <= left or bottom <= top:
        return
    edges: list[Any] = [
        canvas[top : top + 2, left : right + 1].transpose(1, 0, 2),
        canvas[max(bottom - 1, 0) : bottom + 1, left : right + 1].transpose(1, 0, 2),
        canvas[top : bottom + 1, left : left + 2],
        canvas[top : bottom + 1, max(right - 1, 0) : right + 1],
    ]
    for edge in edges:
        drawn = (np.arange(len(edge)) // _DASH % 2 == 0) if dashed else np.ones(len(edge), np.bool_)
        edge[drawn] = colour
