"""One DICOM file, opened without its pixels; its frames are read one at a time from where they lie.

pydicom parses the header; this module knows where each frame begins, so that a file of two gigabytes is never read
whole.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset

from consilium.errors import ImageOutOfBounds, UnreadableImage
from consilium.imaging.codecs import decode_frame, unpacked_bits, with_pydicom
from consilium.imaging.study import COPY_AGAIN, check_plane_size, check_planes

_MAX_INFLATED = 256 << 20
_INFLATE_STEP = 1 << 22
_PIXEL_TAGS = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}
_ITEM = b"\xfe\xff\x00\xe0"
_MAX_FRAGMENTS = 1_000_000
_FRAME_STARTS = (b"\xff\xd8", b"\xff\x4f", b"\x00\x00\x00\x0c")


@dataclass(frozen=True, kw_only=True)
class DicomFile:
    """A DICOM file with pixels.

    Attributes:
        path: the file.
        header: everything before the pixels.
        syntax: the transfer syntax; guessed from the encoding where the file leaves it out.
        keyword: which element holds the pixels.
        offset: of the first byte of the pixels; in `inflated` where the data set is deflated as a whole.
        length: bytes of pixels, or None where they are encapsulated.
    """

    path: Path
    header: Dataset
    syntax: uid.UID
    keyword: str
    offset: int
    length: int | None
    inflated: bytes | None = None

    @property
    def frames(self) -> int:
        """How many there are, by the header; `open_dicom` has compared that with the file."""
        return int(self.header.get("NumberOfFrames") or 1)

    @property
    def samples(self) -> int:
        """1 or 3 values a pixel."""
        return int(self.header.get("SamplesPerPixel") or 1)

    def stored(self, index: int) -> NDArray[Any]:
        """Reads and decodes one frame.

        Returns:
            (H, W) stored values or (H, W, 3) RGB; indices, where the picture has a palette.

        Raises:
            MissingExtra: its compression needs the extra `dicom`.
            UnreadableImage: it is cut off or cannot be decoded.
            Exception: whatever a decoder raises on damaged data.
        """
        if self.length is None:
            return decode_frame(self.compressed(index), self.header, self.syntax, self.path)
        return self._native(index)

    def compressed(self, index: int) -> bytes:
        """The bytes of one encapsulated frame."""
        with self._stream() as stream:
            return b"".join(_read_at(stream, offset, length) for offset, length in self.frame_fragments[index])

    def fragments(self) -> Sequence[tuple[int, int]]:
        """(offset, length) of all fragments; for a video, which is one stream over all frames."""
        with self._stream() as stream:
            return _fragments(stream, self.offset)[1]

    @cached_property
    def frame_fragments(self) -> list[list[tuple[int, int]]]:
        """(offset, length) of the fragments of each encapsulated frame."""
        with self._stream() as stream:
            return _fragments_by_frame(stream, self)

    def _stream(self) -> BinaryIO:
        return self.path.open("rb") if self.inflated is None else io.BytesIO(self.inflated)

    def _native(self, index: int) -> NDArray[Any]:
        rows, columns = int(self.header.Rows), int(self.header.Columns)
        bits = self.bits_a_frame
        first, last = index * bits, (index + 1) * bits
        with self._stream() as stream:
            raw = _read_at(stream, self.offset + first // 8, (last + 7) // 8 - first // 8)
        order = "<" if self.syntax.is_little_endian else ">"
        if self.keyword != "PixelData":
            kind = "f4" if self.keyword == "FloatPixelData" else "f8"
            return np.frombuffer(raw, order + kind).reshape(rows, columns).astype(np.float32)
        if int(self.header.BitsAllocated) == 1:
            return unpacked_bits(raw, first % 8, self.header)
        return with_pydicom(raw, self.header, self.syntax)

    @property
    def bits_a_frame(self) -> int:
        """Bits that a native frame takes up."""
        allocated = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(self.keyword) or int(
            self.header.BitsAllocated
        )
        samples: float = self.samples
        if str(self.header.get("PhotometricInterpretation")) == "YBR_FULL_422":
            samples = 2
        return int(self.header.Rows) * int(self.header.Columns) * int(samples) * allocated


def open_dicom(path: Path) -> DicomFile:
    """Reads the header of a DICOM file and finds its pixels.

    Args:
        path: a file that was found to be DICOM, with or without the 128-byte preamble.

    Raises:
        ImageOutOfBounds: the header names a size that is not decoded.
        UnreadableImage: no picture, or fewer pixels than the header says.
        Exception: whatever pydicom raises on a damaged file.
    """
    _refuse_inflated_bomb(path)
    with path.open("rb") as stream:
        header = pydicom.dcmread(stream, force=True, stop_before_pixels=True)
        syntax = _syntax(header)
        if syntax == uid.DeflatedExplicitVRLittleEndian:
            return _checked(_inflated(path))
        keyword, length = _pixel_element(stream, syntax)
        offset = stream.tell()
    if not keyword:
        raise without_picture(header, path)
    return _checked(DicomFile(path=path, header=header, syntax=syntax, keyword=keyword, offset=offset, length=length))


def read_header(path: Path) -> Dataset:
    """Everything before the pixels of a file, without a look at them.

    Raises:
        Exception: whatever pydicom raises on a damaged file.
    """
    _refuse_inflated_bomb(path)
    return pydicom.dcmread(path, force=True, stop_before_pixels=True)


def _refuse_inflated_bomb(path: Path) -> None:
    """Measures a deflated data set piece by piece, because pydicom inflates it whole.

    Raises:
        ImageOutOfBounds: it inflates to more than `_MAX_INFLATED` bytes.
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
            if inflated > _MAX_INFLATED:
                raise ImageOutOfBounds(
                    f"the file inflates to more than {_MAX_INFLATED >> 20} MiB",
                    where=str(path),
                    way_out="Export it without deflation, or in smaller parts.",
                )
            if inflater.eof:
                return


def without_picture(header: Dataset, path: Path) -> UnreadableImage:
    """The error of a DICOM object that holds no pixels, such as a report or a plan; it names the kind of object."""
    named = header.get("SOPClassUID") or header.get("file_meta", {}).get("MediaStorageSOPClassUID")
    what = f" ({uid.UID(str(named)).name})" if named else ""
    return UnreadableImage(
        f"a DICOM file without a picture{what}", where=str(path), way_out="Choose a file that holds pixels."
    )


def _syntax(header: Dataset) -> uid.UID:
    named = header.file_meta.get("TransferSyntaxUID") if hasattr(header, "file_meta") else None
    if named:
        return uid.UID(str(named))
    implicit, little = header.original_encoding
    if not little:
        return uid.ExplicitVRBigEndian
    return uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian


def _pixel_element(stream: BinaryIO, syntax: uid.UID) -> tuple[str, int | None]:
    """Keyword and length of the element that the stream stands before; the length is None where it is undefined."""
    known = syntax.is_transfer_syntax and not syntax.is_private
    implicit = known and syntax.is_implicit_VR
    # What pydicom does not know is younger than its tables, and all younger syntaxes are encapsulated little endian.
    encapsulated = not known or syntax.is_encapsulated
    order: Literal["little", "big"] = "big" if known and not syntax.is_little_endian else "little"
    start = stream.read(8 if implicit else 12)
    tag = int.from_bytes(start[:2], order) << 16 | int.from_bytes(start[2:4], order)
    length = int.from_bytes(start[4:8] if implicit else start[8:12], order)
    return _PIXEL_TAGS.get(tag, ""), None if length == 0xFFFFFFFF or encapsulated else length


def _inflated(path: Path) -> DicomFile:
    """A data set that is deflated as a whole is inflated as a whole; `_MAX_INFLATED` bounds it."""
    header = pydicom.dcmread(path, force=True)
    keyword = next((name for name in _PIXEL_TAGS.values() if name in header), "")
    if not keyword:
        raise without_picture(header, path)
    pixels = bytes(header[keyword].value)
    del header[keyword]
    return DicomFile(
        path=path,
        header=header,
        syntax=uid.ExplicitVRLittleEndian,
        keyword=keyword,
        offset=0,
        length=len(pixels),
        inflated=pixels,
    )


def _checked(file: DicomFile) -> DicomFile:
    """Holds the header against what is there.

    Raises:
        ImageOutOfBounds: a size that is not decoded.
        UnreadableImage: no size, or fewer pixels than the size needs.
    """
    header = file.header
    if header.get("Rows") is None or header.get("Columns") is None:
        raise without_picture(header, file.path)
    check_plane_size(int(header.Columns), int(header.Rows), file.path)
    check_planes(file.frames, file.path)
    if file.samples not in (1, 3):
        raise UnreadableImage(
            f"the header says {file.samples} samples a pixel; 1 or 3 are read",
            where=str(file.path),
            way_out="Export it as MONOCHROME2 or RGB.",
        )
    if file.keyword == "PixelData" and int(header.get("BitsAllocated") or 0) not in (1, 8, 16, 32, 64):
        raise UnreadableImage(
            f"the header says {header.get('BitsAllocated')} bits a sample", where=str(file.path), way_out=COPY_AGAIN
        )
    if file.length is not None:
        held = len(file.inflated) if file.inflated is not None else file.path.stat().st_size - file.offset
        needed = (file.bits_a_frame * file.frames + 7) // 8
        if min(file.length, held) < needed:
            raise UnreadableImage(
                f"the file is truncated: {needed} bytes of pixels are needed, {min(file.length, held)} are there",
                where=str(file.path),
                way_out=COPY_AGAIN,
            )
    elif file.syntax not in uid.MPEGTransferSyntaxes:
        held = len(file.frame_fragments)
        if held < file.frames:
            raise UnreadableImage(
                f"the file is truncated: the header says {file.frames} frames, {held} are there",
                where=str(file.path),
                way_out=COPY_AGAIN,
            )
    return file


def _fragments(stream: BinaryIO, offset: int) -> tuple[list[int], list[tuple[int, int]]]:
    """The basic offset table, and (offset, length) of each whole fragment (PS3.5 A.4)."""
    end = stream.seek(0, io.SEEK_END)
    at = offset
    found: list[tuple[int, int]] = []
    table: list[int] = []
    while at + 8 <= end and len(found) <= _MAX_FRAGMENTS:
        stream.seek(at)
        tag, length = stream.read(4), int.from_bytes(stream.read(4), "little")
        # A last fragment that the file is too short for is left out, and the count of frames then tells.
        if tag != _ITEM or at + 8 + length > end:
            break
        if at == offset:
            values = stream.read(length)
            table = [int.from_bytes(values[i : i + 4], "little") for i in range(0, length - length % 4, 4)]
        else:
            found.append((at + 8, length))
        at += 8 + length
    return table, found


def _fragments_by_frame(stream: BinaryIO, file: DicomFile) -> list[list[tuple[int, int]]]:
    """The fragments of each frame: by count, by the offset table, or by where a codestream begins."""
    table, found = _fragments(stream, file.offset)
    if file.frames == 1:
        return [found] if found else []
    if len(found) == file.frames:
        return [[fragment] for fragment in found]
    # Offsets count from the first fragment's item tag, which lies 8 bytes before its value.
    first = found[0][0] if found else 0
    starts = {first + entry for entry in table}
    frames: list[list[tuple[int, int]]] = []
    for offset, length in found:
        stream.seek(offset)
        begins = offset in starts if len(starts) == file.frames else stream.read(4).startswith(_FRAME_STARTS)
        if begins or not frames:
            frames.append([])
        frames[-1].append((offset, length))
    return frames


def _read_at(stream: BinaryIO, offset: int, length: int) -> bytes:
    stream.seek(offset)
    content = stream.read(length)
    if len(content) < length:
        raise EOFError(f"{length} bytes are needed at {offset}, {len(content)} are there")
    return content
