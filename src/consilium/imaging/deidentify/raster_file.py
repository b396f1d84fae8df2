"""A picture file (PNG, JPEG, TIFF, BMP, WebP) with the same pixels and nothing said beside them."""

from __future__ import annotations

import io
import struct
import zlib
from collections import Counter
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from consilium.imaging.deidentify.burnt_in import seems_written_on
from consilium.imaging.deidentify.clean_file import CleanFile
from consilium.imaging.deidentify.compressed import orientation_alone, without_jpeg_remarks
from consilium.imaging.deidentify.pixels import MAX_FRAME_PIXELS
from consilium.imaging.deidentify.policy import Box, Policy
from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.refusal import Reason, Refused, refused

SUFFIXES = {"png": ".png", "jpeg": ".jpg", "tiff": ".tif", "bmp": ".bmp", "webp": ".webp"}
_ORIENTATION = 274
_PHOTOMETRIC, _BITS_PER_SAMPLE = 262, 258
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"bKGD"}
)
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_INFLATE_STEP = 1 << 22


def clean_raster(content: bytes, kind: str, policy: Policy, pseudonyms: Pseudonyms) -> CleanFile:
    """De-identifies a picture file.

    Args:
        content: the whole file.
        kind: "png", "jpeg", "tiff", "bmp" or "webp", as its first bytes say.
        policy: masks, and whether somebody looked at it.
        pseudonyms: made with the site's key.

    Returns:
        The file with the same pixels; blanked ones are stored without loss, as PNG or TIFF.

    Raises:
        Refused: it is not handed on, and why.
        Exception: whatever a decoder raises on a damaged file; `deidentify` puts it into words.
    """
    picture, orientation, mode = _decoded(content, kind)
    counts: Counter[tuple[str, str]] = Counter()
    upright = _upright(picture, orientation)
    if policy.masks:
        # A mask is drawn on what a person sees.
        upright = picture = _blanked(upright, policy.masks)
        orientation = 1
        kind = "tiff" if mode.startswith(("I", "F")) else "png"
        written = _encoded(picture, kind, orientation, content)
    elif kind in ("tiff", "bmp"):
        written = _encoded(picture, kind, orientation, content)
    else:
        strip = {"png": _without_png_remarks, "jpeg": _without_jpeg_remarks, "webp": _without_webp_remarks}[kind]
        written = strip(content, orientation, counts)
    if not policy.reviewed and seems_written_on(upright.max(axis=2) if upright.ndim == 3 else upright):
        raise refused(Reason.TEXT_SUSPECTED)
    counts["metadata", "removed"] += int(len(written) != len(content))
    return CleanFile(
        kind=kind,
        content=written,
        place=f"images/{pseudonyms.file(content)}{SUFFIXES[kind]}",
        actions={"removed": counts.total()},
        attributes=counts,
        masked=bool(policy.masks),
        check=partial(check_written, kind=kind, picture=picture),
    )


def _decoded(content: bytes, kind: str) -> tuple[NDArray[Any], int, str]:
    """Pixels as stored, how the picture is turned when shown, and the decoder's mode."""
    with Image.open(io.BytesIO(content), formats=[kind.upper()]) as image:
        if image.width * image.height > MAX_FRAME_PIXELS:
            raise refused(Reason.TOO_LARGE)
        if getattr(image, "n_frames", 1) > 1:
            raise refused(Reason.SEVERAL_PICTURES)
        white_is_zero = (
            isinstance(image, TiffImagePlugin.TiffImageFile)
            and image.mode.startswith("I;16")
            and image.tag_v2.get(_PHOTOMETRIC) == 0
        )
        top = (1 << int(image.tag_v2[_BITS_PER_SAMPLE][0])) - 1 if white_is_zero else 0  # type: ignore[attr-defined]
        image.load()
        # Asked for after loading: the decoder of TIFF turns the picture itself and forgets the tag.
        orientation = int(image.getexif().get(_ORIENTATION, 1) or 1)
        mode = image.mode
        plain: Image.Image = image
        if mode in ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "La", "RGBa"):
            plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
        picture = np.asarray(plain)
    if white_is_zero:
        picture = (top - picture.astype(np.int64)).astype(np.uint16)
    return picture, orientation if 1 <= orientation <= 8 else 1, mode


def _upright(picture: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The picture as it is shown (Exif 2.32, tag 274)."""
    turned = picture.swapaxes(0, 1) if orientation >= 5 else picture
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return turned[::-1] if orientation in (3, 4, 7, 8) else turned


def _blanked(picture: NDArray[Any], masks: tuple[Box, ...]) -> NDArray[Any]:
    height, width = picture.shape[:2]
    blank = picture.copy()
    for x0, y0, x1, y1 in masks:
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            raise refused(Reason.MASK_DOES_NOT_FIT)
        blank[y0:y1, x0:x1] = 0
        if blank.ndim == 3 and blank.shape[2] in (2, 4):
            blank[y0:y1, x0:x1, -1] = np.iinfo(np.uint8).max
    return blank


def _encoded(picture: NDArray[Any], kind: str, orientation: int, content: bytes) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(picture)
    if kind == "tiff":
        resolution = _resolution(content)
        info = TiffImagePlugin.ImageFileDirectory_v2()
        if orientation != 1:
            info[_ORIENTATION] = orientation
        image.save(buffer, "TIFF", compression="tiff_adobe_deflate", tiffinfo=info, **resolution)
    elif kind == "png":
        image.save(buffer, "PNG")
        return _without_png_remarks(buffer.getvalue(), orientation, Counter())
    else:
        image.save(buffer, kind.upper())
    return buffer.getvalue()


def _resolution(content: bytes) -> dict[str, Any]:
    with Image.open(io.BytesIO(content)) as image:
        dpi = image.info.get("dpi")
    return {"dpi": tuple(float(one) for one in dpi)} if dpi and all(0 < float(one) < 1e6 for one in dpi) else {}


def _without_jpeg_remarks(content: bytes, orientation: int, _counts: Counter[tuple[str, str]]) -> bytes:
    return without_jpeg_remarks(content, keep_exif_orientation=orientation)


def _without_png_remarks(content: bytes, orientation: int, counts: Counter[tuple[str, str]]) -> bytes:
    """Only the chunks that make the picture (PNG, third edition, section 11), up to its end."""
    kept, data, at = [content[:8]], [], 8
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        name, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content):
            raise refused(Reason.DAMAGED)
        if name == b"IDAT":
            data.append(content[at + 8 : at + 8 + length])
        elif name == b"IEND":
            break
        elif name in _PNG_KEPT:
            kept.append(_chunk(name, content[at + 8 : at + 8 + length]))
        else:
            counts[f"PNG chunk {name.decode('latin-1') if name.isalpha() else 'unknown'}"[:14], "removed"] += 1
        at = end
    if orientation != 1:
        kept.append(_chunk(b"eXIf", orientation_alone(orientation)))
    return b"".join(kept) + _chunk(b"IDAT", _deflated_alone(b"".join(data))) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _deflated_alone(data: bytes) -> bytes:
    """A zlib stream without what somebody put behind its end."""
    inflater, waiting = zlib.decompressobj(), data
    while waiting and not inflater.eof:
        inflater.decompress(waiting, _INFLATE_STEP)
        waiting = inflater.unconsumed_tail
    return data[: len(data) - len(inflater.unused_data)]


def _without_webp_remarks(content: bytes, orientation: int, counts: Counter[tuple[str, str]]) -> bytes:
    """Only the chunks that make the picture (RFC 9649, section 2.7)."""
    end = min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    kept, extended, at = [], b"", 12
    while at + 8 <= end:
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        name, body = content[at : at + 4], content[at + 8 : at + 8 + length]
        if len(body) < length:
            raise refused(Reason.DAMAGED)
        if name == b"VP8X":
            extended = body[:10]
        elif name in _WEBP_KEPT:
            kept.append(_riff(name, body))
        else:
            counts[f"WebP chunk {name.decode('latin-1') if name.strip().isalnum() else 'unknown'}", "removed"] += 1
        at += 8 + length + length % 2
    turned = orientation != 1 and bool(extended)
    if extended:
        # Of the flags alpha stays (0x10), and Exif (0x08) where a turn is written.
        kept.insert(0, _riff(b"VP8X", bytes([extended[0] & 0x10 | (0x08 if turned else 0)]) + b"\0\0\0" + extended[4:]))
    if turned:
        kept.append(_riff(b"EXIF", orientation_alone(orientation)))
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _riff(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def check_written(content: bytes, *, kind: str, picture: NDArray[Any]) -> None:
    """Reads what was written: the same pixels, and no text beside them.

    Raises:
        Refused: they are not the same, or something is said beside them.
    """
    try:
        again, _, _ = _decoded(content, kind)
    except Refused:
        raise
    except Exception as problem:
        raise refused(Reason.DAMAGED) from problem
    if again.shape != picture.shape or not np.array_equal(again, picture, equal_nan=again.dtype.kind == "f"):
        raise refused(Reason.DAMAGED)
    with Image.open(io.BytesIO(content), formats=[kind.upper()]) as image:
        said = {
            key for key, value in image.info.items() if isinstance(value, str) and key not in ("compression", "mode")
        }
        beside = (
            said
            | ({"exif"} if set(image.getexif()) - _PLAIN_TAGS else set())
            | ({"xmp", "icc_profile", "comment"} & set(image.info))
        )
    if beside:
        raise refused(Reason.STILL_IDENTIFYING)


_PLAIN_TAGS = frozenset(
    {254, 256, 257, 258, 259, 262, 266, 273, _ORIENTATION, 277, 278, 279, 282, 283, 284, 296, 317, 320, 338, 339}
)
"""TIFF tags that say how pixels are stored (TIFF 6.0, parts 1 and 2)."""
