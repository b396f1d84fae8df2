"""Compressed DICOM frames become arrays.

Two ways: pydicom with Pillow, which the base installation has (JPEG of 8 bits, JPEG 2000, RLE), and imagecodecs
(extra `dicom`, BSD-3-Clause, with libjpeg-turbo, CharLS and OpenJPEG inside), which reads the rest: JPEG of 12 bits,
lossless and progressive JPEG, JPEG-LS, High-Throughput JPEG 2000. Where both can, imagecodecs goes first, as it reads
JPEG 2000 that Pillow refuses; baseline JPEG stays with pydicom, which knows all its colour spaces.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.pixels.utils import pixel_array

from consilium.errors import MissingExtra, UnreadableImage
from consilium.imaging.codestream import (
    JPEG_2000_FAMILY,
    JPEG_FAMILY,
    jpeg_2000_components,
    jpeg_2000_size,
    jpeg_size,
    scans,
)
from consilium.imaging.study import COPY_AGAIN

DEFLATED_FRAMES = uid.UID("1.2.840.10008.1.2.8.1")
"""Deflated Image Frame Compression (PS3.5 A.4.13), younger than pydicom's tables."""

_SPECTRAL_SELECTION = uid.UID("1.2.840.10008.1.2.4.53")
_FULL_PROGRESSION = uid.UID("1.2.840.10008.1.2.4.55")
_JPEG = (*uid.JPEGTransferSyntaxes, _SPECTRAL_SELECTION, _FULL_PROGRESSION)
_MAX_SCANS = 100
_MOST_COMPONENTS = 4
_END_MAY_BE_PADDED = 16
_PIXELS_ON_TRUST = 1 << 24
_PIXELS_A_BYTE_OF_NOTHING = 20_000  # JPEG 2000 and JPEG-LS pack what is black into next to nothing
_PIXELS_A_BYTE = 1024  # progressive JPEG of one colour needs at least a bit for each block of 64 pixels
_LUMINANCE_CHROMINANCE = ("YBR_FULL", "YBR_FULL_422")
_IMAGE_PIXEL = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation",
)  # fmt: skip


def decode_frame(frame: bytes, header: Dataset, syntax: uid.UID, path: Path) -> NDArray[Any]:
    """Decodes one compressed frame.

    Args:
        frame: its bytes, fragments put together.
        header: the data set with the Image Pixel module.
        syntax: the transfer syntax.
        path: the file, for messages.

    Returns:
        Stored values: (H, W) integers or (H, W, 3) RGB.

    Raises:
        MissingExtra: only imagecodecs can decode it, and it is not installed.
        UnreadableImage: nothing can decode it, or its size is not that of the header.
        Exception: whatever the decoder raises on a damaged frame.
    """
    rows, columns = int(header.Rows), int(header.Columns)
    if syntax == DEFLATED_FRAMES:
        return _inflated(frame, header, path)
    if syntax == uid.RLELossless:
        return _run_lengths(frame, header, path) if header.BitsAllocated == 1 else with_pydicom(frame, header, syntax)
    _check_codestream(frame, syntax, (columns, rows), path)
    if syntax == uid.JPEGBaseline8Bit:
        return with_pydicom(frame, header, syntax)
    try:
        import imagecodecs
    except ImportError:
        return _without_imagecodecs(frame, header, syntax, path)
    if syntax in JPEG_2000_FAMILY:
        values = imagecodecs.jpeg2k_decode(frame)
    elif syntax in uid.JPEGLSTransferSyntaxes:
        values = imagecodecs.jpegls_decode(frame)
    elif syntax in _JPEG:
        values = imagecodecs.jpeg8_decode(frame)
    else:
        raise _not_decodable(syntax, path)
    return _as_stored(np.asarray(values), header, syntax)


def with_pydicom(frame: bytes, header: Dataset, syntax: uid.UID) -> NDArray[Any]:
    """One frame, compressed or not, decoded by pydicom as if it were a file of its own; YBR comes back as RGB."""
    single = Dataset()
    single.file_meta = FileMetaDataset()
    single.file_meta.TransferSyntaxUID = syntax
    single.set_original_encoding(syntax.is_implicit_VR, syntax.is_little_endian)
    for keyword in _IMAGE_PIXEL:
        if keyword in header:
            single[keyword] = header[keyword]
    single.NumberOfFrames = 1
    single.PixelData = encapsulate([frame]) if syntax.is_compressed else frame + b"\0" * (len(frame) % 2)
    single["PixelData"].VR = "OB" if syntax.is_compressed or int(header.BitsAllocated) <= 8 else "OW"
    single["PixelData"].is_undefined_length = syntax.is_compressed
    return np.asarray(pixel_array(single, index=0))


def _check_codestream(frame: bytes, syntax: uid.UID, stated: tuple[int, int], path: Path) -> None:
    """A compressed frame has a size of its own, and a decoder believes that one, not the data set's."""
    if syntax in JPEG_2000_FAMILY:
        inside = jpeg_2000_size(frame)
    elif syntax in JPEG_FAMILY or syntax in _JPEG:
        inside = jpeg_size(frame)
    else:
        raise _not_decodable(syntax, path)
    if inside != stated:
        raise UnreadableImage(
            f"the header says {stated[0]} x {stated[1]} pixels, the compressed picture {inside[0]} x {inside[1]}",
            where=str(path),
            way_out="Export it again from the system it came from.",
        )
    if syntax in JPEG_2000_FAMILY and not 1 <= jpeg_2000_components(frame) <= _MOST_COMPONENTS:
        raise UnreadableImage("its JPEG 2000 data name too many components", where=str(path), way_out=COPY_AGAIN)
    if syntax in uid.JPEGLSTransferSyntaxes and b"\xff\xd9" not in frame[-_END_MAY_BE_PADDED:]:
        # CharLS was seen to look for a missing end for a quarter of a minute.
        raise UnreadableImage("its JPEG-LS data are cut off", where=str(path), way_out=COPY_AGAIN)
    pixels = stated[0] * stated[1]
    if syntax in _JPEG and scans(frame) > _MAX_SCANS:
        raise UnreadableImage("its JPEG data have too many scans", where=str(path), way_out=COPY_AGAIN)
    others = max(_PIXELS_ON_TRUST, _PIXELS_A_BYTE_OF_NOTHING * len(frame))
    if pixels > (_PIXELS_A_BYTE * len(frame) if syntax in _JPEG else others):
        raise UnreadableImage("its compressed data are cut off", where=str(path), way_out=COPY_AGAIN)


def _without_imagecodecs(frame: bytes, header: Dataset, syntax: uid.UID, path: Path) -> NDArray[Any]:
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        available = False
    if available:
        try:
            return with_pydicom(frame, header, syntax)
        except RuntimeError as problem:
            raise _needs_extra(syntax, path) from problem
    raise _needs_extra(syntax, path)


def _needs_extra(syntax: uid.UID, path: Path) -> MissingExtra:
    return MissingExtra(
        f"nothing installed can undo its compression ({syntax.name})",
        where=str(path),
        way_out="Install the decoders: pip install 'consilium[dicom]'; or export it uncompressed.",
    )


def _not_decodable(syntax: uid.UID, path: Path) -> UnreadableImage:
    return UnreadableImage(
        f"its compression ({syntax.name}) is not read", where=str(path), way_out="Export it uncompressed."
    )


def _as_stored(values: NDArray[Any], header: Dataset, syntax: uid.UID) -> NDArray[Any]:
    """What imagecodecs returns, in the shape, sign and colour that the header means."""
    samples = int(header.get("SamplesPerPixel") or 1)
    shape = (int(header.Rows), int(header.Columns))
    if values.shape != (shape if samples == 1 else (*shape, samples)):
        raise ValueError(f"the frame decodes to {values.shape}")
    photometric = str(header.get("PhotometricInterpretation") or "")
    if samples == 3 and syntax in uid.JPEGLSTransferSyntaxes and photometric in _LUMINANCE_CHROMINANCE:
        values = convert_color_space(values, "YBR_FULL", "RGB")
    bits, allocated = int(header.get("BitsStored") or 16), int(header.get("BitsAllocated") or 16)
    if int(header.get("PixelRepresentation") or 0) == 1 and values.dtype.kind == "u" and 0 < bits <= 16:
        # These codecs carry the bits; what they count as is the data set's affair (PS3.5 8.1.1).
        shift = 16 - bits
        signed = (values.astype(np.uint16) << shift).view(np.int16) >> shift
        return signed if allocated > 8 else signed.astype(np.int8)
    return values


def _inflated(frame: bytes, header: Dataset, path: Path) -> NDArray[Any]:
    samples, bits = int(header.get("SamplesPerPixel") or 1), int(header.BitsAllocated)
    pixels = int(header.Rows) * int(header.Columns) * samples
    expected = (pixels * bits + 7) // 8
    raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, expected)
    if len(raw) < expected:
        raise UnreadableImage("its deflated picture is cut off", where=str(path), way_out=COPY_AGAIN)
    if bits == 1:
        return unpacked_bits(raw, 0, header)
    return with_pydicom(raw, header, uid.ExplicitVRLittleEndian)


def _run_lengths(frame: bytes, header: Dataset, path: Path) -> NDArray[Any]:
    """RLE of single bits, one plane of packed bytes (PS3.5 G, Supplement 244)."""
    expected = (int(header.Rows) * int(header.Columns) + 7) // 8
    count, start = int.from_bytes(frame[:4], "little"), int.from_bytes(frame[4:8], "little")
    out = bytearray()
    at = start
    while count == 1 and at + 1 < len(frame) and len(out) < expected:
        run = frame[at]
        if run < 128:
            out += frame[at + 1 : at + 2 + run]
            at += 2 + run
        elif run > 128:
            out += frame[at + 1 : at + 2] * (257 - run)
            at += 2
        else:
            at += 1
    if len(out) < expected:
        raise UnreadableImage("its run-length data are cut off", where=str(path), way_out=COPY_AGAIN)
    return unpacked_bits(bytes(out), 0, header)


def unpacked_bits(raw: bytes, first_bit: int, header: Dataset) -> NDArray[np.uint8]:
    """(H, W) of 0 and 1 from packed bits, the first pixel in the lowest bit (PS3.5 8.1.1)."""
    rows, columns = int(header.Rows), int(header.Columns)
    bits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")
    return np.ascontiguousarray(bits[first_bit : first_bit + rows * columns].reshape(rows, columns))
