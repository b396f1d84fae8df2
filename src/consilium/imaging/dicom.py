"""Grey levels out of DICOM files: one frame, meant as MONOCHROME2 (high = bright).

The order of the steps is that of PS3.3 C.11: stored values, modality LUT or rescale, VOI LUT or window, and the
turning round of MONOCHROME1 last.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi

from consilium.errors import UnreadableImage
from consilium.imaging.dicom_file import open_dicom, read_header
from consilium.imaging.grey import GreyImage, Levels, as_levels, check_size

_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as for the other kinds


def read_dicom(path: Path) -> GreyImage:
    """Reads the one frame of a DICOM file.

    Args:
        path: a file that was found to be DICOM, with or without the 128-byte preamble.

    Returns:
        uint8 levels where at most 8 bits are stored, uint16 otherwise.

    Raises:
        ImageOutOfBounds: the header names a size that is not decoded, or inflates to more than a file may hold.
        MissingExtra: its compression needs the extra `dicom`.
        UnreadableImage: no picture, several frames, or a compression that nothing can undo.
        Exception: whatever pydicom raises on a damaged file; `read_image` puts it into words.
    """
    # The size first, whatever else may be wrong with the file.
    header = read_header(path)
    if header.get("Rows") is not None and header.get("Columns") is not None:
        check_size(int(header.Columns), int(header.Rows), path)
    file = open_dicom(path)
    if file.frames > 1:
        raise UnreadableImage(
            f"the file holds {file.frames} frames; one metaphase a file is read",
            where=str(path),
            way_out="Export each frame as a file of its own.",
        )
    photometric = str(header.get("PhotometricInterpretation") or "")
    return GreyImage(
        pixels=_grey_levels(file.header, file.stored(0), photometric, path),
        path=path,
        kind="dicom",
        photometric=photometric,
        pixel_spacing_mm=_pixel_spacing(header),
    )


def _grey_levels(data: Dataset, stored: NDArray[Any], photometric: str, path: Path) -> Levels:
    if photometric == "PALETTE COLOR":
        return _luminance(apply_color_lut(stored, data))
    if stored.ndim == 3 and stored.shape[2] == 3:
        return _luminance(stored)
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnreadableImage(
            f"the photometric interpretation {photometric or 'is missing and'} cannot be shown as grey levels",
            where=str(path),
            way_out="Export it as MONOCHROME2 or RGB.",
        )
    values = apply_modality_lut(stored, data)
    if not np.isfinite(values).all():
        raise UnreadableImage("some pixels are not numbers", where=str(path), way_out="Export it again.")
    levels, top = _shown_levels(data, values)
    if photometric == "MONOCHROME1":
        levels = top - levels
    return as_levels(levels, eight_bits=top <= np.iinfo(np.uint8).max)


def _luminance(rgb: NDArray[Any]) -> Levels:
    return as_levels(np.rint(rgb[..., :3] @ np.asarray(_LUMINANCE)), eight_bits=rgb.dtype.itemsize == 1)


def _shown_levels(data: Dataset, values: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Values after the modality LUT as levels from 0 to `top`; returns both.

    Without a LUT or a window, whole numbers from 0 to 65535 stay as they are and anything else is stretched.
    """
    bits = int(data.get("BitsStored") or 16)
    top = 255 if bits <= 8 else 65535
    window = _window(data)
    if "VOILUTSequence" in data:
        shown = apply_voi(values, data)
        deepest = (1 << int(data.VOILUTSequence[0].LUTDescriptor[2])) - 1
        return np.rint(shown * (top / deepest)), top
    if window is not None:
        return np.rint(_through_window(values, *window) * top), top
    lowest, highest = float(values.min()), float(values.max())
    if lowest >= 0 and highest <= 65535 and bool((values == np.rint(values)).all()):
        return values.astype(np.int64), max((1 << min(bits, 16)) - 1, int(highest))
    span = highest - lowest
    return np.rint((values - lowest) * (top / span if span else 0.0)), top


def _window(data: Dataset) -> tuple[float, float, str] | None:
    """Centre, width and function of the first window, or None where there is no usable one."""
    centre, width = _first(data.get("WindowCenter")), _first(data.get("WindowWidth"))
    function = str(data.get("VOILUTFunction") or "LINEAR").upper()
    if centre is None or width is None or not math.isfinite(centre) or not math.isfinite(width):
        return None
    return (centre, width, function) if width > (1 if function == "LINEAR" else 0) else None


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, (str, int, float)):
        return float(value)
    return float(value[0]) if len(value) else None


def _through_window(values: NDArray[Any], centre: float, width: float, function: str) -> NDArray[np.float64]:
    """Values as 0..1 through a window (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    if function == "SIGMOID":
        exponent = np.clip(-4.0 * (values - centre) / width, -60.0, 60.0)
        return np.asarray(1.0 / (1.0 + np.exp(exponent)))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1.0
    return np.asarray(np.clip((values - centre) / width + 0.5, 0.0, 1.0))


def _pixel_spacing(data: Dataset) -> tuple[float, float] | None:
    """Millimetres between rows and between columns, from the plain or the shared functional-group attribute."""
    holders = [data]
    for group in data.get("SharedFunctionalGroupsSequence") or []:
        holders.extend(group.get("PixelMeasuresSequence") or [])
    for holder in holders:
        for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
            value = holder.get(keyword)
            if value is None or isinstance(value, str) or len(value) != 2:
                continue
            rows, columns = float(value[0]), float(value[1])
            if 0 < rows < math.inf and 0 < columns < math.inf:
                return rows, columns
    return None
