"""Raster files become a study: a picture, the channels of a microscope, or the pages of a stack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from consilium.errors import UnreadableImage
from consilium.imaging.modalities import NativeForm
from consilium.imaging.raster import picture_pages, read_picture, tiff_description
from consilium.imaging.study import Plane, Provenance, Study

_MOST_CHANNELS = 8
_MICROMETRES = {"nm": 1e-6, "µm": 1e-3, "um": 1e-3, "mm": 1.0}


class PicturePlanes:
    """Pages of a raster file."""

    def __init__(self, path: Path, kind: str, pages: Sequence[int]) -> None:
        self._path = path
        self._kind = kind
        self._pages = pages

    def plane(self, index: int) -> Plane:
        """Decodes page `index`."""
        with self._path.open("rb") as stream:
            return Plane(index=index, pixels=read_picture(stream, self._kind, self._path, self._pages[index]))


def study_of_picture(path: Path, kind: str, *, named: str | None) -> Study:
    """The study in a raster file.

    Args:
        path: the file.
        kind: one of "png", "jpeg", "tiff", "bmp", "webp".
        named: the modality, which these files do not say.

    Raises:
        ImageOutOfBounds: a picture is too large to be decoded whole.
        UnreadableImage: an animation, or pages of different sizes.
        Exception: whatever a decoder raises on a damaged file.
    """
    with path.open("rb") as stream:
        pages = picture_pages(stream, kind, path)
        stream.seek(0)
        description = tiff_description(stream) if kind == "tiff" else ""
    first = pages[0]
    if len({(page.width, page.height, page.coloured, page.bits) for page in pages}) > 1:
        raise UnreadableImage(
            "its pages differ in size or depth", where=str(path), way_out="Save each picture as a file of its own."
        )
    return Study(
        modality=named,
        files=(path,),
        form=_form(len(pages), description, named),
        shape=(len(pages), first.height, first.width),
        channels=3 if first.coloured else 1,
        provenance=Provenance(reader="raster", acquisition={"Kind": kind, "BitsStored": float(first.bits)}),
        source=PicturePlanes(path, kind, [page.number for page in pages]),
        spacing_mm=(None, _ome_size(description, "Y"), _ome_size(description, "X")),
    )


def _form(pages: int, description: str, named: str | None) -> NativeForm:
    """What pages are to each other, as OME-TIFF and ImageJ write it; a few pages of fluorescence are its channels."""
    if pages == 1:
        return "plane"
    counts = {name: _count(description, *labels) for name, labels in _AXES.items()}
    for form, count in counts.items():
        if count == pages:
            return form
    return "channels" if named == "fluo" and pages <= _MOST_CHANNELS else "frames"


_AXES: dict[NativeForm, tuple[str, str]] = {
    "channels": (r'SizeC="(\d+)"', r"channels=(\d+)"),
    "volume": (r'SizeZ="(\d+)"', r"slices=(\d+)"),
    "frames": (r'SizeT="(\d+)"', r"frames=(\d+)"),
}


def _count(description: str, *patterns: str) -> int:
    found = next((match for pattern in patterns if (match := re.search(pattern, description))), None)
    return int(found[1][:9]) if found else 1


def _ome_size(description: str, axis: str) -> float | None:
    """Millimetres a pixel, from OME-XML; micrometres where it names no unit (OME schema, Pixels)."""
    size = re.search(rf'PhysicalSize{axis}="([0-9.eE+-]{{1,30}})"', description)
    unit = re.search(rf'PhysicalSize{axis}Unit="([^"]{{1,4}})"', description)
    if size is None:
        return None
    try:
        value = float(size[1]) * _MICROMETRES.get(unit[1] if unit else "µm", 0.0)
    except ValueError:
        return None
    return value if 0 < value < 1000 else None
