"""A NIfTI volume with the same voxels and geometry, and every place for free text empty."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from dataclasses import dataclass
from functools import partial

from consilium.imaging.deidentify.clean_file import CleanFile
from consilium.imaging.deidentify.policy import Policy
from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.refusal import Reason, refused
from consilium.imaging.grey import MAX_FILE_BYTES

_STEP = 1 << 22


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    """Where things stand in a header: (start, length) in bytes.

    The offsets are those of nifti1.h and nifti2.h (NIfTI Data Format Working Group).
    """

    size: int
    magic: tuple[int, int]
    magics: tuple[bytes, ...]
    dim: tuple[int, str]
    bitpix: int
    offset: tuple[int, str]
    texts: dict[str, tuple[int, int]]


_FORMS = {
    348: _Form(
        size=348,
        magic=(344, 4),
        magics=(b"n+1\0",),
        dim=(40, "8h"),
        bitpix=72,
        offset=(108, "f"),
        texts={
            "data_type": (4, 10), "db_name": (14, 18), "extents": (32, 4), "session_error": (36, 2), "regular": (38, 1),
            "glmax": (140, 4), "glmin": (144, 4), "descrip": (148, 80), "aux_file": (228, 24), "intent_name": (328, 16),
        },
    ),
    540: _Form(
        size=540,
        magic=(4, 8),
        magics=(b"n+2\0\r\n\x1a\n",),
        dim=(16, "8q"),
        bitpix=14,
        offset=(168, "q"),
        texts={"descrip": (240, 80), "aux_file": (320, 24), "intent_name": (508, 16), "unused_str": (525, 15)},
    ),
}  # fmt: skip


def is_nifti(head: bytes) -> bool:
    """Whether a file, plain or gzipped, begins as a NIfTI volume does.

    Args:
        head: the first bytes, 1024 or all there are.
    """
    if head[:2] == b"\x1f\x8b":
        try:
            head = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(head, 348)
        except zlib.error:
            return False
        return _order(head) != ""
    return _order(head) != ""


def _order(head: bytes) -> str:
    for order in "<>":
        if len(head) >= 4 and struct.unpack(f"{order}i", head[:4])[0] in _FORMS:
            return order
    return ""


def clean_nifti(content: bytes, policy: Policy, pseudonyms: Pseudonyms) -> CleanFile:
    """De-identifies a NIfTI volume in one file.

    Args:
        content: the whole file, gzipped or not.
        policy: masks are not possible here.
        pseudonyms: made with the site's key.

    Raises:
        Refused: it is not handed on, and why.
    """
    if policy.masks:
        raise refused(Reason.MASK_NOT_POSSIBLE)
    zipped = content[:2] == b"\x1f\x8b"
    plain = _inflated(content) if zipped else content
    order = _order(plain)
    form = _FORMS[struct.unpack(f"{order}i", plain[:4])[0]] if order else None
    if form is None or len(plain) < form.size + 4:
        raise refused(Reason.DAMAGED)
    start, length = form.magic
    if plain[start : start + length] not in form.magics:
        raise refused(Reason.DAMAGED)
    at, letter = form.offset
    stated = struct.unpack_from(f"{order}{letter}", plain, at)[0]
    voxels = _voxel_bytes(plain, form, order)
    first = int(stated) if form.size <= stated <= len(plain) else form.size + 4
    if voxels <= 0 or first + voxels > len(plain):
        raise refused(Reason.DAMAGED)
    header = bytearray(plain[: form.size])
    said = {}
    for name, (begin, count) in form.texts.items():
        if any(header[begin : begin + count]):
            said[name, "removed"] = 1
            header[begin : begin + count] = bytes(count)
    if first > form.size + 4:
        said["extension", "removed"] = 1
    struct.pack_into(f"{order}{letter}", header, at, form.size + 4)
    written = bytes(header) + b"\0\0\0\0" + plain[first : first + voxels]
    if zipped:
        written = _gzipped(written)
    return CleanFile(
        kind="nifti",
        content=written,
        place=f"volumes/{pseudonyms.file(content)}.nii{'.gz' if zipped else ''}",
        actions={"removed": len(said)},
        attributes=said,
        notes=("body_part_unknown",),
        check=partial(check_written, voxels=plain[first : first + voxels]),
    )


def _inflated(content: bytes) -> bytes:
    inflater, parts, size, waiting = zlib.decompressobj(16 + zlib.MAX_WBITS), [], 0, content
    while waiting and not inflater.eof:
        try:
            parts.append(inflater.decompress(waiting, _STEP))
        except zlib.error:
            raise refused(Reason.DAMAGED) from None
        size += len(parts[-1])
        if size > MAX_FILE_BYTES:
            raise refused(Reason.TOO_LARGE)
        if not parts[-1] and inflater.unconsumed_tail == waiting:
            break
        waiting = inflater.unconsumed_tail
    if not inflater.eof:
        raise refused(Reason.DAMAGED)
    return b"".join(parts)


def _gzipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    # No name and no time of a file in the header (RFC 1952, section 2.3).
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=6, mtime=0) as stream:
        stream.write(content)
    return buffer.getvalue()


def _voxel_bytes(plain: bytes, form: _Form, order: str) -> int:
    at, letters = form.dim
    dim = struct.unpack_from(f"{order}{letters}", plain, at)
    (bits,) = struct.unpack_from(f"{order}h", plain, form.bitpix)
    if not 1 <= dim[0] <= 7 or any(side < 1 for side in dim[1 : dim[0] + 1]) or bits < 1:
        raise refused(Reason.DAMAGED)
    count = 1
    for side in dim[1 : dim[0] + 1]:
        count *= side
    return int((count * bits + 7) // 8)


def check_written(content: bytes, *, voxels: bytes) -> None:
    """Reads what was written: the same voxels, and nothing in any place for text.

    Raises:
        Refused: they are not the same, or something is said.
    """
    plain = _inflated(content) if content[:2] == b"\x1f\x8b" else content
    form = _FORMS[struct.unpack(f"{_order(plain) or '<'}i", plain[:4])[0]]
    if plain[form.size + 4 :] != voxels:
        raise refused(Reason.DAMAGED)
    if any(any(plain[begin : begin + count]) for begin, count in form.texts.values()) or any(
        plain[form.size : form.size + 4]
    ):
        raise refused(Reason.STILL_IDENTIFYING)
