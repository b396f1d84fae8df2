"""Pictures of outlined cases for a report: the true outline and that of the model, drawn on the file at report time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ConsiliumError
from consilium.specialist.report.facts import ModelFacts
from consilium.specialist.report.html import THUMBNAIL
from consilium.specialist.segmentation.explain import FOUND, TRUE, fullest, with_outline
from consilium.specialist.segmentation.mask_file import is_volume_file, read_mask, read_volume, spread_volume
from consilium.specialist.segmentation.mask_scheme import joined_masks
from consilium.specialist.segmentation.overlap import Labels
from consilium.specialist.segmentation.segment_file import read_picture
from consilium.specialist.segmentation.working_grid import nearest


class OutlinedPictures(Mapping[int, NDArray[np.uint8]]):
    """Case number to picture, (h, w, 3) uint8, truth in blue and the model dashed in orange.

    A file that is gone, or a mask that does not fit it, has none.

    Args:
        facts: of the model.
        folder: of the facts, below which the masks of the model lie.
        folders: where names that are not absolute are looked for, the first that has one.
    """

    def __init__(self, facts: ModelFacts, folder: Path, folders: Sequence[Path]) -> None:
        self._cases, self._folder, self._folders = facts.cases, folder, folders

    def __getitem__(self, case: int) -> NDArray[np.uint8]:
        """The picture of a case; of a volume, the section with most of the true mask.

        Raises:
            KeyError: there is none.
        """
        told = self._cases[case]
        files = [self._place(name) for name in (told.file, *told.masks)]
        known = [file for file in files if file is not None]
        if len(known) < len(files) or not told.found:
            raise KeyError(case)
        try:
            shown, true = _shown(known[0]), joined_masks(known[1:], instances=len(known) > 2)
            found = read_mask(self._folder / told.found)
        except (ConsiliumError, OSError) as problem:
            raise KeyError(case) from problem
        if not shown.shape[: true.ndim] == true.shape == found.shape:
            raise KeyError(case)
        if true.ndim == 3:
            at = fullest(true > 0 if true.any() else found > 0)
            shown, true, found = np.repeat(shown[at][:, :, None], 3, axis=2), true[at], found[at]
        return _drawn(shown, true, found)

    def _place(self, name: str) -> Path | None:
        return next((folder / name for folder in self._folders if (folder / name).exists()), None)

    def __iter__(self) -> Iterator[int]:
        """Numbers of all cases, whether they have a picture or not."""
        return iter(range(len(self._cases)))

    def __len__(self) -> int:
        """How many cases there are."""
        return len(self._cases)


def _shown(file: Path) -> NDArray[np.float32]:
    return spread_volume(read_volume(file)[0]) if is_volume_file(file) else read_picture(file)


def _drawn(shown: NDArray[np.float32], true: Labels, found: Labels) -> NDArray[np.uint8]:
    import cv2

    # Drawn at the size of the page, so that lines stay lines.
    height, width = true.shape
    factor = THUMBNAIL / max(height, width)
    size = max(round(height * factor), 1), max(round(width * factor), 1)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(np.ascontiguousarray(shown), size[::-1], interpolation=how), np.float32)
    colours = np.asarray(np.round(np.clip(picture, 0, 1) * 255), np.uint8)
    drawn = with_outline(colours, nearest(true, size), TRUE)
    return with_outline(drawn, nearest(found, size), FOUND, dashed=True)
