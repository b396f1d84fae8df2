"""Grey levels out of DICOM files: one frame, meant as MONOCHROME2 (high = bright).

The order of the steps is that of PS3.3 C.11: stored values, modality LUT or rescale, VOI LUT or window, and the
turning round of MONOCHROME1 last.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.pixels.utils import pixel_array

from consilium.errors import ImageOutOfBounds, UnreadableImage
from consilium.imaging.codestream import JPEG_2000_FAMILY, JPEG_FAMILY, jpeg_2000_size, jpeg_size
from consilium.imaging.grey import MAX_FILE_BYTES, GreyImage, Levels, as_levels, check_size

_HEADER_TAGS = ["SOPClassUID", "Rows", "Columns", "NumberOfFrames"]
_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as for the other kinds
_DECODER_WAY_OUT = "Export it uncompressed, or install a decoder: pip install 'pylibjpeg[all]'."
_INFLATE_STEP = 1 << 22


def read_dicom(path: Path) -> GreyImage:
    """Reads the one frame of a DICOM file.

    Args:
        path: a file that was found to be DICOM, with or without the 128-byte preamble.

    Returns:
        uint8 levels where at most 8 bits are stored, uint16 otherwise.

    Raises:
        ImageOutOfBounds: the header names a size that is not decoded, or inflates to more than a file may hold.
        UnreadableImage: no picture, several frames, or a compression that nothing installed can undo.
        Exception: whatever pydicom raises on a damaged file; `read_image` puts it into words.
    """
    refuse_inflated_bomb(path, MAX_FILE_BYTES)
    header = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=_HEADER_TAGS)
    if header.get("Rows") is None or header.get("Columns") is None:
        raise _without_picture(header, path)
    check_size(int(header.Columns), int(header.Rows), path)
    frames = int(header.get("NumberOfFrames") or 1)
    if frames > 1:
        raise UnreadableImage(
            f"the file holds {frames} frames; one metaphase a file is read",
            where=str(path),
            way_out="Export each frame as a file of its own.",
        )
    data = pydicom.dcmread(path, force=True)
    if not any(keyword in data for keyword in _PIXEL_KEYWORDS):
        raise _without_picture(data, path)
    stored = _decode(data, path)
    photometric = str(data.get("PhotometricInterpretation") or "")
    return GreyImage(
        pixels=_grey_levels(data, stored, photometric, path),
        path=path,
        kind="dicom",
        photometric=photometric,
        pixel_spacing_mm=_pixel_spacing(data),
    )


def _without_picture(data: FileDataset, path: Path) -> UnreadableImage:
    named = data.get("SOPClassUID")
    what = f" ({named.name})" if named else ""
    return UnreadableImage(
        f"a DICOM file without a picture{what}",
        where=str(path),
        way_out="Choose the file that holds the microscope image.",
    )


def refuse_inflated_bomb(path: Path, most: int) -> None:
    """Measures a deflated data set piece by piece, because pydicom inflates it whole.

    Args:
        path: the file, deflated or not.
        most: bytes that it may inflate to.

    Raises:
        ImageOutOfBounds: it inflates to more.
    """
    with path.open("rb") as stream:
        start = stream.read(144)
        # The file meta information is a group whose length is its first element (PS3.10, section 7.1).
        meta = stream.read(min(int.from_bytes(start[140:144], "little"), 1 << 16))
        if uid.DeflatedExplicitVRLittleEndian.encode("ascii") not in meta:
            return
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        inflated = 0
        while piece := inflater.unconsumed_tail or stream.read(_INFLATE_STEP):
            inflated += len(inflater.decompress(piece, _INFLATE_STEP))
            if inflated > most:
                raise ImageOutOfBounds(
                    f"the file inflates to more than {most >> 20} MiB",
                    where=str(path),
                    way_out="Export it without deflation, or in smaller parts.",
                )
            if inflater.eof:
                return


def _decode(data: FileDataset, path: Path) -> NDArray[Any]:
    """The stored values, (H, W) or (H, W, 3); what is stored as YBR comes back as RGB."""
    syntax = data.file_meta.get("TransferSyntaxUID")
    if syntax is None:
        implicit, little = data.original_encoding
        syntax = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
        data.file_meta.TransferSyntaxUID = syntax if little else uid.ExplicitVRBigEndian
    elif syntax.is_compressed and not _has_decoder(syntax):
        raise UnreadableImage(
            f"nothing installed can undo its compression ({syntax.name})",
            where=str(path),
            way_out=_DECODER_WAY_OUT,
        )
    _refuse_other_size_inside(data, path)
    try:
        return pixel_array(data, index=0)
    except RuntimeError as problem:
        # pydicom lists the reason of each decoder that tried on a line of its own.
        reason = str(problem).strip().rsplit("\n", 1)[-1].strip()
        raise UnreadableImage(
            f"its picture cannot be decoded ({reason})", where=str(path), way_out=_DECODER_WAY_OUT
        ) from problem


def _has_decoder(syntax: uid.UID) -> bool:
    if syntax == uid.DeflatedExplicitVRLittleEndian:
        return True
    try:
        return get_decoder(syntax).is_available
    except NotImplementedError:
        return False


def _refuse_other_size_inside(data: FileDataset, path: Path) -> None:
    """A compressed frame has a size of its own, and a decoder believes that one, not the data set's.

    Raises:
        UnreadableImage: the two sizes differ.
    """
    syntax = data.file_meta.TransferSyntaxUID
    if syntax in JPEG_FAMILY:
        inside = jpeg_size(get_frame(data.PixelData, 0, number_of_frames=1))
    elif syntax in JPEG_2000_FAMILY:
        inside = jpeg_2000_size(get_frame(data.PixelData, 0, number_of_frames=1))
    else:
        return
    stated = (int(data.Columns), int(data.Rows))
    if inside != stated:
        raise UnreadableImage(
            f"the header says {stated[0]} x {stated[1]} pixels, the compressed picture {inside[0]} x {inside[1]}",
            where=str(path),
            way_out="Export it again from the system it came from.",
        )


def _grey_levels(data: FileDataset, stored: NDArray[Any], photometric: str, path: Path) -> Levels:
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


def _shown_levels(data: FileDataset, values: NDArray[Any]) -> tuple[NDArray[Any], int]:
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


def _window(data: FileDataset) -> tuple[float, float, str] | None:
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


def _pixel_spacing(data: FileDataset) -> tuple[float, float] | None:
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
