"""Whole slides in DICOM: each file is one level of the pyramid, each frame one tile (PS3.3 C.8.12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_color_lut

from consilium.errors import UnreadableImage
from consilium.imaging.dicom_file import DicomFile
from consilium.imaging.dicom_frame_groups import attribute, first_number, pixel_spacing
from consilium.imaging.study import COPY_AGAIN, Level, Provenance, Study, check_slide_size

_MOST_SPARSE = 1000  # pixels of a slide for each that a tile holds


class DicomRegions:
    """Regions of a slide, put together from tiles as they are asked for."""

    def __init__(self, files: Sequence[DicomFile]) -> None:
        self._files = files
        self._tiles = [_tiles(file) for file in files]
        self._gridded = [
            not any(top % int(file.header.Rows) or left % int(file.header.Columns) for top, left in tiles)
            for file, tiles in zip(files, self._tiles, strict=True)
        ]
        widest = _matrix(files[0])[0]
        sizes = [_matrix(file) for file in files]
        self._levels = tuple(Level(width=width, height=height, downsample=widest / width) for width, height in sizes)

    @property
    def levels(self) -> Sequence[Level]:
        """From the finest to the coarsest."""
        return self._levels

    def region(self, x: int, y: int, width: int, height: int, level: int) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 RGB; only the tiles that it touches are decoded."""
        file, size = self._files[level], self._levels[level]
        rows, columns = int(file.header.Rows), int(file.header.Columns)
        canvas = np.full((height, width, 3), 255, np.uint8)
        for (top, left), frame in self._touched(x, y, width, height, level):
            # The last tiles of a row reach beyond the slide; what lies there is padding.
            y0, y1 = max(top, y, 0), min(top + rows, y + height, size.height)
            x0, x1 = max(left, x, 0), min(left + columns, x + width, size.width)
            if y0 < y1 and x0 < x1:
                tile = _rgb(file, frame)
                canvas[y0 - y : y1 - y, x0 - x : x1 - x] = tile[y0 - top : y1 - top, x0 - left : x1 - left]
        return canvas

    def _touched(self, x: int, y: int, width: int, height: int, level: int) -> Iterator[tuple[tuple[int, int], int]]:
        """The tiles that may lie in a region: those of the grid where there is one, else all."""
        tiles, header = self._tiles[level], self._files[level].header
        rows, columns = int(header.Rows), int(header.Columns)
        if not self._gridded[level]:
            yield from tiles.items()
            return
        size = self._levels[level]
        for top in range(max(y, 0) // rows * rows, min(y + height, size.height), rows):
            for left in range(max(x, 0) // columns * columns, min(x + width, size.width), columns):
                if (top, left) in tiles:
                    yield (top, left), tiles[top, left]


def study_of_dicom_slide(files: Sequence[DicomFile], *, modality_id: str | None, provenance: Provenance) -> Study:
    """The study that tiled files are: the levels of one slide.

    Args:
        files: of one series; label and overview, which may show a name, are left out.
        modality_id: as the caller or the header says.
        provenance: of the first file.

    Raises:
        UnreadableImage: no file holds the slide itself, or a header does not say how the tiles lie.
    """
    levels = [file for file in files if not {"LABEL", "OVERVIEW", "THUMBNAIL"} & _image_type(file)]
    if not levels:
        raise UnreadableImage(
            "only the label or the overview of a slide", where=str(files[0].path), way_out="Choose the slide itself."
        )
    levels.sort(key=lambda file: -_matrix(file)[0])
    regions = DicomRegions(levels)
    finest = regions.levels[0]
    spacing = pixel_spacing(levels[0].header, 0)
    return Study(
        modality=modality_id,
        files=tuple(file.path for file in levels),
        form="slide",
        shape=(1, finest.height, finest.width),
        channels=3,
        provenance=provenance,
        slide=regions,
        spacing_mm=(None, *(spacing or (None, None))),
    )


def _image_type(file: DicomFile) -> set[str]:
    value = file.header.get("ImageType")
    return {str(value)} if isinstance(value, str) else set(map(str, value or []))


def _matrix(file: DicomFile) -> tuple[int, int]:
    """Width and height of the whole level, pixels."""
    width = first_number(file.header.get("TotalPixelMatrixColumns")) or file.header.Columns
    height = first_number(file.header.get("TotalPixelMatrixRows")) or file.header.Rows
    check_slide_size(int(width), int(height), file.path)
    if width * height > _MOST_SPARSE * file.frames * int(file.header.Rows) * int(file.header.Columns):
        raise _unclear(file.path)
    return int(width), int(height)


def _tiles(file: DicomFile) -> dict[tuple[int, int], int]:
    """(top, left) of each tile in the level -> frame; the first optical path and focal plane."""
    width, height = _matrix(file)
    rows, columns = int(file.header.Rows), int(file.header.Columns)
    across, down = -(-width // columns), -(-height // rows)
    if str(file.header.get("DimensionOrganizationType") or "") == "TILED_FULL":
        if across * down > file.frames:
            raise _unclear(file.path)
        return {(frame // across * rows, frame % across * columns): frame for frame in range(across * down)}
    found: dict[tuple[int, int], int] = {}
    for frame in range(file.frames):
        left = first_number(_place(file, frame, "ColumnPositionInTotalImagePixelMatrix"))
        top = first_number(_place(file, frame, "RowPositionInTotalImagePixelMatrix"))
        if left is None or top is None:
            raise _unclear(file.path)
        found.setdefault((int(top) - 1, int(left) - 1), frame)
    return found


def _place(file: DicomFile, frame: int, keyword: str) -> Any:
    return attribute(file.header, frame, keyword, "PlanePositionSlideSequence")


def _unclear(path: Path) -> UnreadableImage:
    return UnreadableImage("its header does not say where the tiles lie", where=str(path), way_out=COPY_AGAIN)


def _rgb(file: DicomFile, frame: int) -> NDArray[np.uint8]:
    stored = file.stored(frame)
    if str(file.header.get("PhotometricInterpretation")) == "PALETTE COLOR":
        stored = apply_color_lut(stored, file.header)
        stored = stored >> 8 if stored.dtype == np.uint16 else stored
    elif stored.dtype != np.uint8:
        bits = max(int(file.header.get("BitsStored") or 8) - 8, 0)
        stored = np.clip(np.asarray(stored, dtype=np.int64) >> bits, 0, 255)
    eight = np.asarray(stored, dtype=np.uint8)
    return eight if eight.ndim == 3 else np.repeat(eight[..., None], 3, axis=2)
