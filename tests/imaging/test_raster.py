from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from consilium.errors import UnreadableImage
from consilium.imaging.read import GreyImage, read_image

Encode = Callable[..., bytes]
Ramp = NDArray[np.uint8]

ORIENTED: dict[int, Callable[[Ramp], Ramp]] = {
    # What a camera stored (EXIF 2.32, tag 0x0112) so that showing it upright gives the ramp.
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.T,
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].T,
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.fixture
def read_bytes(tmp_path: Path) -> Callable[[bytes], GreyImage]:
    def read(content: bytes) -> GreyImage:
        (tmp_path / "cell").write_bytes(content)
        return read_image(tmp_path / "cell")

    return read


Read = Callable[[bytes], GreyImage]


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "webp"])
@pytest.mark.parametrize("orientation", ORIENTED)
def test_orientation_is_honoured_once(
    kind: str, orientation: int, encode: Encode, ramp: Ramp, read_bytes: Read
) -> None:
    stored = Image.fromarray(np.ascontiguousarray(ORIENTED[orientation](ramp)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"jpeg": {"quality": 95}, "webp": {"lossless": True}}.get(kind, {})
    shown = read_bytes(encode(stored.convert("RGB"), kind, exif=exif, **options)).pixels
    assert shown.shape == ramp.shape
    assert np.abs(shown.astype(int) - ramp).max() <= (6 if kind == "jpeg" else 0)


def test_sixteen_bits_are_turned_too(encode: Encode, ramp: Ramp, read_bytes: Read) -> None:
    deep = ramp.astype(np.uint16) * 257
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(deep, 1)))
    np.testing.assert_array_equal(read_bytes(encode(stored, "tiff", tiffinfo={274: 6})).pixels, deep)


def test_colour_becomes_luminance(encode: Encode, read_bytes: Read) -> None:
    picture = Image.new("RGB", (96, 32))
    for column, colour in enumerate(["red", (0, 255, 0), "blue"]):
        picture.paste(colour, (column * 32, 0, column * 32 + 32, 32))
    levels = read_bytes(encode(picture, "png")).pixels[0, ::32]
    # ITU-R BT.601: 0.299, 0.587, 0.114 of 255
    np.testing.assert_array_equal(levels, [76, 150, 29])


@pytest.mark.parametrize("kind", ["png", "tiff", "webp"])
def test_transparent_is_white(kind: str, encode: Encode, ramp: Ramp, read_bytes: Read) -> None:
    picture = Image.fromarray(ramp).convert("RGBA")
    alpha = np.full(ramp.shape, 255, np.uint8)
    alpha[:20] = 0
    picture.putalpha(Image.fromarray(alpha))
    options = {"lossless": True} if kind == "webp" else {}
    shown = read_bytes(encode(picture, kind, **options)).pixels
    assert (shown[:20] == 255).all()
    np.testing.assert_array_equal(shown[20:], ramp[20:])


def test_half_transparent_black_is_middle_grey(encode: Encode, read_bytes: Read) -> None:
    shown = read_bytes(encode(Image.new("LA", (40, 40), (0, 128)), "png")).pixels
    assert set(np.unique(shown)) == {127}


def test_palettes(encode: Encode, ramp: Ramp, read_bytes: Read) -> None:
    picture = Image.fromarray(ramp)
    picture.putpalette([value for level in range(256) for value in (255 - level,) * 3])
    assert picture.mode == "P"
    np.testing.assert_array_equal(read_bytes(encode(picture, "png")).pixels, 255 - ramp)
    index = int(ramp[0, 0])
    shown = read_bytes(encode(picture, "png", transparency=index)).pixels
    assert (shown[ramp == index] == 255).all()


def test_one_bit(encode: Encode, ramp: Ramp, read_bytes: Read) -> None:
    shown = read_bytes(encode(Image.fromarray(ramp > 100), "png")).pixels
    np.testing.assert_array_equal(shown, np.where(ramp > 100, 255, 0))


@pytest.mark.parametrize("kind", ["tiff", "jpeg"])
def test_print_colours(kind: str, encode: Encode, ramp: Ramp, read_bytes: Read) -> None:
    picture = Image.fromarray(ramp).convert("RGB").convert("CMYK")
    image = read_bytes(encode(picture, kind, quality=95))
    assert image.photometric == "CMYK"
    assert np.abs(image.pixels.astype(int) - ramp).max() <= 6


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bit_tiff_of_either_byte_order(order: str, encode: Encode, ramp: Ramp, read_bytes: Read) -> None:
    deep = ramp.astype(np.uint16) * 257
    shown = read_bytes(encode(Image.fromarray(deep.astype(f"{order}u2")), "tiff")).pixels
    assert shown.dtype == np.uint16
    np.testing.assert_array_equal(shown, deep)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_white_is_zero_is_turned_round(depth: type, encode: Encode, ramp: Ramp, read_bytes: Read) -> None:
    top = np.iinfo(depth).max
    levels = (ramp.astype(np.uint32) * (top // 255)).astype(depth)
    content = bytearray(encode(Image.fromarray(levels), "tiff", compression="raw"))
    # The entry of tag 262 (photometric interpretation), a SHORT, count 1: its value 1 becomes 0.
    entry = content.index(b"\x06\x01\x03\x00\x01\x00\x00\x00")
    assert content[entry + 8] == 1
    content[entry + 8] = 0
    np.testing.assert_array_equal(read_bytes(bytes(content)).pixels, top - levels)


@pytest.mark.parametrize("values", [np.float32(0.5), np.int32(-5), np.int32(70_000)])
def test_levels_that_are_no_sixteen_bit_numbers(values: np.generic, encode: Encode, read_bytes: Read) -> None:
    with pytest.raises(UnreadableImage, match="8 or 16 bits"):
        read_bytes(encode(Image.fromarray(np.full((40, 40), values)), "tiff"))


def test_the_thumbnail_of_a_scanner_is_no_second_picture(encode: Encode, ramp: Ramp, read_bytes: Read) -> None:
    page, thumbnail = Image.fromarray(ramp), Image.fromarray(ramp[::2, ::2].copy())
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    content = encode(page, "tiff", save_all=True, append_images=[thumbnail])
    np.testing.assert_array_equal(read_bytes(content).pixels, ramp)
