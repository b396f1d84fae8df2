"""Pictures of the cases that a report shows, read from their files one by one when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ConsiliumError
from consilium.imaging.open_study import open_study
from consilium.imaging.views import views

SIDE = 256
"""Pixels of the longer side."""


class PicturesOfFiles(Mapping[int, NDArray[np.uint8]]):
    """Case number to picture, (h, w, 3) uint8; a file that is gone or cannot be read has none.

    Args:
        files: of the cases, in order, as the facts name them.
        folders: where names that are not absolute are looked for, the first that has one.
    """

    def __init__(self, files: Sequence[str], folders: Sequence[Path]) -> None:
        self._files, self._folders = files, folders

    def __getitem__(self, case: int) -> NDArray[np.uint8]:
        """The first view of a file.

        Raises:
            KeyError: there is none.
        """
        for folder in self._folders:
            path = folder / self._files[case]
            if path.exists():
                try:
                    view = next(iter(views(open_study(path), SIDE, slices=1, frames=1, tiles=1)))
                except (ConsiliumError, StopIteration):
                    break
                top, left, bottom, right = view.placed
                return np.asarray(np.rint(view.pixels[top:bottom, left:right] * 255), np.uint8)
        raise KeyError(case)

    def __iter__(self) -> Iterator[int]:
        """Numbers of all cases, whether they have a picture or not."""
        return iter(range(len(self._files)))

    def __len__(self) -> int:
        """How many cases there are."""
        return len(self._files)
