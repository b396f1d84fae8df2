"""Pictures out of PNG, JPEG, TIFF, BMP and WebP files: grey levels of a metaphase, or colour as it is.

The decoder is chosen by the sniffed kind, so that a file cannot pick an obscure one, and the size is checked
between reading the header and decoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, ImageFile, ImageOps, JpegImagePlugin, PngImagePlugin
from PIL import TiffImagePlugin as Tiff
from PIL import WebPImagePlugin as WebP

from consilium.errors import UnreadableImage
from consilium.imaging.grey import GreyImage, Levels, as_levels, check_size
from consilium.imaging.study import MAX_PLANE_PIXELS, MAX_PLANE_SIDE, check_plane_size

_DECODERS: dict[str, type[ImageFile.ImageFile]] = {
    "png": PngImagePlugin.PngImageFile,
    "jpeg": JpegImagePlugin.JpegImageFile,
    "tiff": Tiff.TiffImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "webp": WebP.WebPImageFile,
}

_NEW_SUBFILE_TYPE = 254
_BITS_PER_SAMPLE = 258
_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0
_IMAGE_DESCRIPTION = 270
_ORIENTATION = 274
_TILE_WIDTH = 322
_MAX_PAGES = 64
_MAX_STACK = 4096


def read_raster(stream: BinaryIO, kind: str, path: Path) -> GreyImage:
    """Decodes an image of a known kind.

    Args:
        stream: the file, at its start.
        kind: one of "png", "jpeg", "tiff", "bmp", "webp".
        path: the file, for messages and for the result.

    Returns:
        Grey levels, upright as the file's orientation tag says. Colour becomes luminance (ITU-R BT.601), what is
        transparent becomes white.

    Raises:
        ImageOutOfBounds: the header names a size that is not decoded.
        UnreadableImage: the file holds several pictures, or levels that do not fit 16 bits.
        Exception: whatever the decoder raises on a damaged file; `read_image` puts it into words.
    """
    if kind == "webp":
        # The decoder of WebP reserves its canvas when it is made, so the size is read before that.
        check_size(*_webp_size(stream.read(30)), path)
        stream.seek(0)
    with _DECODERS[kind](stream) as image:
        check_size(*image.size, path)
        _refuse_several_pictures(image, path)
        photometric = image.mode
        inverted_levels = _white_is_zero_levels(image)
        image.load()
        upright = ImageOps.exif_transpose(image)
        pixels = _grey_levels(upright, path)
    if inverted_levels is not None:
        pixels = as_levels(inverted_levels - pixels, eight_bits=False)
    return GreyImage(pixels=pixels, path=path, kind=kind, photometric=photometric)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A full picture in a file, as its header describes it.

    Attributes:
        number: of the page in the file.
        width, height: pixels, upright.
        coloured: it decodes to (H, W, 3).
        bits: a value has, as decoded.
    """

    number: int
    width: int
    height: int
    coloured: bool
    bits: int


def picture_pages(stream: BinaryIO, kind: str, path: Path) -> list[Page]:
    """What full pictures a file holds, from its headers alone.

    Args:
        stream: the file, at its start.
        kind: one of "png", "jpeg", "tiff", "bmp", "webp".
        path: the file, for messages.

    Returns:
        The pages, thumbnails and pyramid levels left out.

    Raises:
        ImageOutOfBounds: one is too large to be decoded whole.
        UnreadableImage: an animation, or a TIFF of more pages than are read.
        Exception: whatever the decoder raises on a damaged file.
    """
    if kind == "webp":
        check_plane_size(*_webp_size(stream.read(30)), path)
        stream.seek(0)
    with _DECODERS[kind](stream) as image:
        check_plane_size(*image.size, path)
        if not isinstance(image, Tiff.TiffImageFile):
            _refuse_several_pictures(image, path)
            return [_page(image, 0)]
        pages: list[Page] = []
        for number in range(_MAX_STACK):
            try:
                image.seek(number)
            except EOFError:
                return pages
            if not int(image.tag_v2.get(_NEW_SUBFILE_TYPE, 0)) & 1 or number == 0:
                check_plane_size(*image.size, path)
                pages.append(_page(image, number))
    raise UnreadableImage(
        f"the file holds more than {_MAX_STACK} pages", where=str(path), way_out="Save it in smaller parts."
    )


def _page(image: ImageFile.ImageFile, number: int) -> Page:
    width, height = _upright_size(image)
    grey = image.mode in ("1", "L") or image.mode.startswith(("I", "F"))
    deep = 16 if image.mode.startswith("I;16") else 32
    return Page(
        number=number,
        width=width,
        height=height,
        coloured=not grey or image.has_transparency_data,
        bits=deep if image.mode.startswith(("I", "F")) else 8,
    )


def tiff_description(stream: BinaryIO) -> str:
    """The description of the first page, where microscopes write what the pages are; "" where there is none."""
    with Tiff.TiffImageFile(stream) as image:
        return str(image.tag_v2.get(_IMAGE_DESCRIPTION, ""))


def tiff_is_tiled_pyramid(stream: BinaryIO, least: int | None = None) -> bool:
    """Whether a TIFF is a slide: its first page lies in tiles and is larger than what is decoded whole.

    Args:
        stream: the file, at its start.
        least: pixels that a tiled page needs to be a slide; more than `MAX_PLANE_PIXELS` or two tiled pages that become
            smaller where left out.
    """
    with Tiff.TiffImageFile(stream) as image:
        width, height = image.size
        if _TILE_WIDTH not in image.tag_v2:
            return False
        if least is not None or width * height > MAX_PLANE_PIXELS or max(width, height) > MAX_PLANE_SIDE:
            return width * height >= (least or 1)
        for page in range(1, _MAX_PAGES):
            try:
                image.seek(page)
            except EOFError:
                return False
            if _TILE_WIDTH in image.tag_v2 and image.size[0] < width // 2 + 1:
                return True
    return False


def read_picture(stream: BinaryIO, kind: str, path: Path, page: int = 0) -> NDArray[Any]:
    """Decodes one picture of any size and colour.

    Args:
        stream: the file, at its start.
        kind: one of "png", "jpeg", "tiff", "bmp", "webp".
        path: the file, for messages.
        page: of a TIFF.

    Returns:
        (H, W) uint8, uint16, int32 or float32, or (H, W, 3) uint8 RGB; upright, what is transparent on white.

    Raises:
        ImageOutOfBounds: it is too large to be decoded whole.
        Exception: whatever the decoder raises on a damaged file.
    """
    if kind == "webp":
        check_plane_size(*_webp_size(stream.read(30)), path)
        stream.seek(0)
    with _DECODERS[kind](stream) as image:
        if page:
            image.seek(page)
        check_plane_size(*image.size, path)
        inverted_levels = _white_is_zero_levels(image)
        image.load()
        upright = ImageOps.exif_transpose(image)
        pixels = _as_it_is(upright)
    return pixels if inverted_levels is None else as_levels(inverted_levels - pixels, eight_bits=False)


def _as_it_is(image: Image.Image) -> NDArray[Any]:
    if image.mode.startswith(("I", "F")):
        levels = np.asarray(image)
        return levels.astype(levels.dtype.newbyteorder("="))
    if image.mode == "1":
        image = image.convert("L")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
    elif image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    return np.array(image)


def _upright_size(image: ImageFile.ImageFile) -> tuple[int, int]:
    turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    return (image.size[1], image.size[0]) if turned else image.size


def _webp_size(header: bytes) -> tuple[int, int]:
    """Width and height from the first 30 bytes (RFC 9649, sections 2.4 to 2.7).

    Raises:
        ValueError: the header is cut off or of no known form.
    """
    form = header[12:16]
    if len(header) == 30 and form == b"VP8X":
        return int.from_bytes(header[24:27], "little") + 1, int.from_bytes(header[27:30], "little") + 1
    if len(header) == 30 and form == b"VP8 ":
        return int.from_bytes(header[26:28], "little") & 0x3FFF, int.from_bytes(header[28:30], "little") & 0x3FFF
    if len(header) >= 25 and form == b"VP8L":
        bits = int.from_bytes(header[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise ValueError("no size in the WebP header")


def _refuse_several_pictures(image: ImageFile.ImageFile, path: Path) -> None:
    if isinstance(image, Tiff.TiffImageFile):
        several = _has_second_full_page(image)
    else:
        several = getattr(image, "n_frames", 1) > 1
    if several:
        raise UnreadableImage(
            "the file holds several pictures",
            where=str(path),
            way_out="Save each metaphase as a file of its own.",
        )


def _has_second_full_page(image: Tiff.TiffImageFile) -> bool:
    """Whether a further page is more than the thumbnail or pyramid level that scanners append."""
    for page in range(1, _MAX_PAGES):
        try:
            image.seek(page)
        except EOFError:
            image.seek(0)
            return False
        if not int(image.tag_v2.get(_NEW_SUBFILE_TYPE, 0)) & 1:
            return True
    return True


def _white_is_zero_levels(image: ImageFile.ImageFile) -> int | None:
    """The highest level of a 16-bit TIFF that counts from white; the decoder turns only 8 bits round."""
    if not isinstance(image, Tiff.TiffImageFile) or not image.mode.startswith("I;16"):
        return None
    if image.tag_v2.get(_PHOTOMETRIC) != _WHITE_IS_ZERO:
        return None
    return int((1 << image.tag_v2[_BITS_PER_SAMPLE][0]) - 1)


def _grey_levels(image: Image.Image, path: Path) -> Levels:
    """The decoded picture as (H, W) uint8 or uint16.

    Raises:
        UnreadableImage: the levels are fractions or do not fit 16 bits.
    """
    if image.mode == "F":
        raise _unfit("the levels are fractions", path)
    if image.mode.startswith("I"):
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() > np.iinfo(np.uint16).max:
            raise _unfit("the levels do not fit 16 bits", path)
        return as_levels(levels, eight_bits=False)
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        background = Image.new("RGBA", coloured.size, "white")
        image = Image.alpha_composite(background, coloured)
    elif image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return as_levels(np.asarray(image.convert("L")), eight_bits=True)


def _unfit(what: str, path: Path) -> UnreadableImage:
    return UnreadableImage(what, where=str(path), way_out="Save it with 8 or 16 bits a pixel.")
