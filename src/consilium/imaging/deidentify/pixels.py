"""The pixels of a DICOM file: shown to the text finder, blanked under masks, and rid of what lies beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames, get_frame
from pydicom.pixels.utils import pixel_array

from consilium.imaging.codecs import decode_frame
from consilium.imaging.deidentify import burnt_in
from consilium.imaging.deidentify.compressed import without_jpeg_2000_remarks, without_jpeg_remarks
from consilium.imaging.deidentify.policy import Box
from consilium.imaging.deidentify.refusal import Reason, refused

MAX_FRAME_PIXELS = 120_000_000
MAX_DECODED_BYTES = 1 << 30
LOOKED_AT = 24
"""Frames of a long series that are searched for text: burnt-in text stands still, and their brightest is searched
too."""

_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_JPEG = (*uid.JPEGTransferSyntaxes, *uid.JPEGLSTransferSyntaxes)
_JPEG_2000 = (*uid.JPEG2000TransferSyntaxes, uid.HTJ2K, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL)
_VIDEO = (*uid.MPEGTransferSyntaxes,)


def has_pixels(data: Dataset) -> bool:
    """Whether the data set holds a picture."""
    return any(keyword in data for keyword in _PIXEL_KEYWORDS)


def frames_of(data: Dataset) -> int:
    """How many frames the header names, at least one."""
    return max(1, int(data.get("NumberOfFrames") or 1))


def check_pixels(data: Dataset) -> None:
    """Refuses what is not to be decoded.

    Raises:
        Refused: a video, an absurd size, or fewer bytes than the header names.
    """
    syntax = data.file_meta.TransferSyntaxUID
    if syntax in _VIDEO:
        raise refused(Reason.VIDEO)
    rows, columns = int(data.get("Rows") or 0), int(data.get("Columns") or 0)
    if rows <= 0 or columns <= 0:
        raise refused(Reason.DAMAGED)
    if rows * columns > MAX_FRAME_PIXELS:
        raise refused(Reason.TOO_LARGE)
    if "PixelData" in data and not syntax.is_encapsulated and len(data.PixelData or b"") < _native_bytes(data):
        raise refused(Reason.DAMAGED)


def _native_bytes(data: Dataset) -> int:
    """Bytes that uncompressed pixels take up (PS3.5, section 8.1.1), without the padding to an even length."""
    samples = int(data.get("SamplesPerPixel") or 1)
    values = int(data.Rows) * int(data.Columns) * samples * frames_of(data)
    if str(data.get("PhotometricInterpretation")) == "YBR_FULL_422":
        values = values // 3 * 2
    return (values * int(data.BitsAllocated) + 7) // 8


def ultrasound_regions(data: Dataset) -> tuple[Box, ...]:
    """The boxes in which an ultrasound machine says that its picture lies (PS3.3, C.8.5.5)."""
    boxes = []
    for region in data.get("SequenceOfUltrasoundRegions") or []:
        corners = [region.get(f"RegionLocation{name}") for name in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        if any(not isinstance(corner, int) for corner in corners):
            return ()
        x0, y0, x1, y1 = (int(corner) for corner in corners if corner is not None)
        boxes.append((x0, y0, x1 + 1, y1 + 1))
    return tuple(boxes)


def seems_written_on(data: Dataset) -> bool:
    """Whether the text finder suspects writing in any frame that it looks at.

    Raises:
        Refused: the picture cannot be decoded.
    """
    count = frames_of(data)
    looked_at = sorted(
        {round(i * (count - 1) / max(1, min(count, LOOKED_AT) - 1)) for i in range(min(count, LOOKED_AT))}
    )
    brightest: NDArray[Any] | None = None
    for index in looked_at:
        grey = _grey(_decoded(data, index))
        if burnt_in.seems_written_on(grey):
            return True
        brightest = grey if brightest is None else np.maximum(brightest, grey)
    return count > 1 and brightest is not None and burnt_in.seems_written_on(brightest)


def _decoded(data: Dataset, index: int | None) -> NDArray[Any]:
    try:
        syntax = getattr(data, "file_meta", Dataset()).get("TransferSyntaxUID")
        if syntax is None or not syntax.is_encapsulated:
            return pixel_array(data, index=index)
        return _decompressed(data, syntax, index)
    except MemoryError:
        raise refused(Reason.TOO_LARGE) from None
    except Exception as problem:
        # Decoders are the work of many hands: whatever one raises, the picture was not seen.
        raise refused(Reason.NOT_DECODABLE) from problem


def _decompressed(data: Dataset, syntax: uid.UID, index: int | None) -> NDArray[Any]:
    count = frames_of(data)
    wanted = range(count) if index is None else (index,)
    frames = [
        # No message of the decoder is handed on, so no path is needed.
        decode_frame(get_frame(data.PixelData, at, number_of_frames=count), data, syntax, Path())
        for at in wanted
    ]
    return np.stack(frames) if index is None and count > 1 else frames[0]


def _grey(picture: NDArray[Any]) -> NDArray[np.float32]:
    values = picture.astype(np.float32)
    return values.max(axis=2) if values.ndim == 3 else values


def blanked(data: Dataset, *, masks: tuple[Box, ...], kept: tuple[Box, ...]) -> None:
    """Blanks boxes of every frame and writes the pixels uncompressed; changes the data set.

    Args:
        data: with its pixels.
        masks: boxes that are blanked.
        kept: where there are any, all that lies in none of them is blanked too.

    Raises:
        Refused: a mask lies outside the picture, the picture cannot be decoded or is of a kind that is not blanked.
    """
    rows, columns = int(data.Rows), int(data.Columns)
    if "PixelData" not in data or int(data.get("BitsAllocated") or 0) not in (8, 16, 32):
        raise refused(Reason.MASK_NOT_POSSIBLE)
    for x0, y0, x1, y1 in masks:
        if not (0 <= x0 < x1 <= columns and 0 <= y0 < y1 <= rows):
            raise refused(Reason.MASK_DOES_NOT_FIT)
    samples = int(data.get("SamplesPerPixel") or 1)
    if rows * columns * frames_of(data) * samples * int(data.BitsAllocated) // 8 > MAX_DECODED_BYTES:
        raise refused(Reason.TOO_LARGE)
    picture = np.array(_decoded(data, None))
    covered = np.zeros((rows, columns), bool) if not kept else np.ones((rows, columns), bool)
    for x0, y0, x1, y1 in kept:
        covered[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = False
    for x0, y0, x1, y1 in masks:
        covered[y0:y1, x0:x1] = True
    photometric = str(data.get("PhotometricInterpretation") or "")
    level = int(picture.max()) if photometric == "MONOCHROME1" and picture.size else 0
    if picture.ndim == 2 + (samples > 1):
        picture[covered] = level
    else:
        picture[:, covered] = level
    _store(data, picture, photometric)


def _store(data: Dataset, picture: NDArray[Any], photometric: str) -> None:
    syntax = data.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated or syntax == uid.DeflatedExplicitVRLittleEndian:
        data.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    big = data.file_meta.TransferSyntaxUID == uid.ExplicitVRBigEndian
    if photometric.startswith("YBR"):
        data.PhotometricInterpretation = "RGB"
    if int(data.get("SamplesPerPixel") or 1) > 1:
        data.PlanarConfiguration = 0
    bits = picture.dtype.itemsize * 8
    if bits != int(data.BitsAllocated):
        data.BitsAllocated = data.BitsStored = bits
        data.HighBit = bits - 1
    raw = picture.astype(picture.dtype.newbyteorder(">" if big else "<")).tobytes()
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in data:
            delattr(data, keyword)
    data.PixelData = raw + b"\0" * (len(raw) % 2)
    data["PixelData"].VR = "OB" if bits == 8 and syntax != uid.ImplicitVRLittleEndian else "OW"


def tidied(data: Dataset) -> None:
    """Takes out what lies beside the pixels: bits that none uses, bytes behind the last, remarks of compressors.

    Args:
        data: the data set with its pixels; its PixelData are replaced where something was found.

    Raises:
        Refused: an overlay lies in compressed pixels, or the compressed pictures are damaged.
    """
    for keyword, size in (("FloatPixelData", 4), ("DoubleFloatPixelData", 8)):
        if keyword in data:
            length = int(data.Rows) * int(data.Columns) * frames_of(data) * size
            data[keyword].value = bytes(data[keyword].value[:length])
    if "PixelData" not in data:
        return
    syntax = data.file_meta.TransferSyntaxUID
    overlay_tags = [tag for tag in list(data.keys()) if tag.group & 0xFF00 == 0x6000 and tag.element == 0x0102]
    in_pixels = any(int(data[tag].value or 0) > 0 for tag in overlay_tags)
    bits = [int(data.get(keyword) or 0) for keyword in ("BitsAllocated", "BitsStored", "HighBit")]
    if in_pixels and bits[0] > bits[1] and bits[2] != bits[1] - 1:
        raise refused(Reason.HIDDEN_BITS)
    if not syntax.is_encapsulated:
        data.PixelData = _tidied_native(data)
        return
    if in_pixels and bits[0] > bits[1]:
        raise refused(Reason.HIDDEN_BITS)
    if syntax not in _JPEG and syntax not in _JPEG_2000:
        return
    strip = without_jpeg_remarks if syntax in _JPEG else without_jpeg_2000_remarks
    try:
        before = list(_frames(data))
        after = [strip(frame) for frame in before]
    except Exception as problem:
        raise refused(Reason.DAMAGED) from problem
    if [len(frame) for frame in after] != [len(frame) for frame in before]:
        for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
            if keyword in data:
                delattr(data, keyword)
        data.PixelData = encapsulate(after)
        data["PixelData"].VR = "OB"
        data["PixelData"].is_undefined_length = True


def _frames(data: Dataset) -> Iterator[bytes]:
    return generate_frames(data.PixelData, number_of_frames=frames_of(data))


def _tidied_native(data: Dataset) -> bytes:
    """Uncompressed pixels of exactly the length that the header names, and only in the bits that are used."""
    length = _native_bytes(data)
    if data.file_meta.TransferSyntaxUID == uid.ExplicitVRBigEndian and data["PixelData"].VR == "OW":
        # Bytes are stored in swapped pairs, so that the last one of an odd number is behind its padding.
        length += length % 2
    raw = bytes(data.PixelData[:length])
    allocated, stored = int(data.BitsAllocated), int(data.get("BitsStored") or 0)
    if allocated in (8, 16, 32) and 0 < stored < allocated and int(data.get("HighBit") or 0) == stored - 1:
        big = data.file_meta.TransferSyntaxUID == uid.ExplicitVRBigEndian
        order = ">" if big and allocated > 8 else "<"
        values = np.frombuffer(raw, dtype=f"{order}u{allocated // 8}")
        kept: NDArray[Any] = values & np.asarray((1 << stored) - 1, dtype=values.dtype)
        if int(data.get("PixelRepresentation") or 0):
            # Two's complement is carried on to the left of the sign, or decoders that read whole words would be misled.
            sign = np.asarray(1 << (stored - 1), dtype=values.dtype)
            kept = np.where(kept & sign, kept | np.asarray((1 << allocated) - (1 << stored), dtype=values.dtype), kept)
        raw = kept.astype(values.dtype).tobytes()
    return raw + b"\0" * (len(raw) % 2)
