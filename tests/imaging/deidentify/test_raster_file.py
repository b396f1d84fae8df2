from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin, TiffImagePlugin

from consilium.imaging.deidentify.policy import Policy
from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.raster_file import clean_raster
from consilium.imaging.deidentify.refusal import Reason, Refused

NAME = "Quixwell Ottoline"
RAMP = np.add.outer(np.arange(60) * 2, np.arange(80) * 1).astype(np.uint8)


def told(kind: str, picture: NDArray[Any] = RAMP, *, orientation: int = 6) -> bytes:
    """A picture with a name in every place that its kind has for text."""
    image = Image.fromarray(picture)
    exif = Image.Exif()
    exif[270], exif[315], exif[274] = NAME, NAME, orientation
    buffer = io.BytesIO()
    if kind == "png":
        text = PngImagePlugin.PngInfo()
        text.add_text("Patient", NAME)
        text.add_itxt("Comment", NAME, zip=False)
        image.save(buffer, "PNG", pnginfo=text, exif=exif, dpi=(300, 300))
        return buffer.getvalue() + NAME.encode()
    if kind == "tiff":
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[270], info[305], info[274] = NAME, NAME, 6
        image.save(buffer, "TIFF", tiffinfo=info)
        return buffer.getvalue()
    if kind == "bmp":
        image.save(buffer, "BMP")
        return buffer.getvalue() + NAME.encode()
    if kind == "jpeg":
        image.save(buffer, "JPEG", exif=exif, comment=NAME, icc_profile=NAME.encode())
        return buffer.getvalue() + NAME.encode()
    image.convert("RGB").save(buffer, "WEBP", exif=exif, xmp=NAME, icc_profile=NAME.encode(), lossless=True)
    return buffer.getvalue()


def pixels(content: bytes) -> NDArray[Any]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def shown_pixels(content: bytes) -> NDArray[Any]:
    """As a viewer shows them."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_is_drawn_on_what_is_shown(orientation: int, pseudonyms: Pseudonyms) -> None:
    content = told("png", orientation=orientation)
    clean = clean_raster(content, "png", Policy(masks=((2, 3, 9, 8),)), pseudonyms)
    expected = shown_pixels(content).copy()
    expected[3:8, 2:9] = 0
    assert np.array_equal(shown_pixels(clean.content), expected)


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "bmp", "webp"])
def test_the_same_pixels_and_no_name(kind: str, pseudonyms: Pseudonyms) -> None:
    content = told(kind)
    clean = clean_raster(content, kind, Policy(), pseudonyms)
    assert NAME.encode() in content
    assert b"Quixwell" not in clean.content and b"Ottoline" not in clean.content
    assert np.array_equal(pixels(clean.content), pixels(content))
    clean.check(clean.content)
    assert clean.place.startswith("images/") and clean.place == clean_raster(content, kind, Policy(), pseudonyms).place


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_how_a_picture_is_turned_stays(kind: str, pseudonyms: Pseudonyms) -> None:
    clean = clean_raster(told(kind), kind, Policy(), pseudonyms)
    with Image.open(io.BytesIO(clean.content)) as image:
        assert image.getexif().get(274) == 6


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_deep_levels_stay(kind: str, dtype: type, pseudonyms: Pseudonyms) -> None:
    content = told(kind, RAMP.astype(dtype) * (1 if dtype is np.uint8 else 257))
    clean = clean_raster(content, kind, Policy(), pseudonyms)
    assert pixels(clean.content).max() == pixels(content).max() == (197 if dtype is np.uint8 else 197 * 257)


def test_a_mask_blanks_a_box_without_loss(pseudonyms: Pseudonyms) -> None:
    content = told("jpeg")
    clean = clean_raster(content, "jpeg", Policy(masks=((0, 0, 60, 10),)), pseudonyms)
    assert clean.kind == "png" and clean.masked
    shown = shown_pixels(content)
    assert shown.shape == (80, 60)
    assert not pixels(clean.content)[:10].any()
    assert np.array_equal(pixels(clean.content)[10:], shown[10:])
    with pytest.raises(Refused) as caught:
        clean_raster(content, "jpeg", Policy(masks=((0, 0, 61, 10),)), pseudonyms)
    assert caught.value.reason is Reason.MASK_DOES_NOT_FIT


def test_several_pictures_in_one_file_are_refused(pseudonyms: Pseudonyms) -> None:
    buffer = io.BytesIO()
    image = Image.fromarray(RAMP)
    image.save(buffer, "TIFF", save_all=True, append_images=[image])
    with pytest.raises(Refused) as caught:
        clean_raster(buffer.getvalue(), "tiff", Policy(), pseudonyms)
    assert caught.value.reason is Reason.SEVERAL_PICTURES


def test_what_hides_behind_the_end_of_the_pixels_is_gone(pseudonyms: Pseudonyms) -> None:
    content = told("png")
    at = content.index(b"IDAT")
    end = at + 4 + int.from_bytes(content[at - 4 : at], "big")
    data = content[at + 4 : end] + NAME.encode()
    chunk = b"IDAT" + data
    grown = content[: at - 4] + len(data).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    grown += content[end + 4 :]
    clean = clean_raster(grown, "png", Policy(), pseudonyms)
    assert NAME.encode() not in clean.content
    assert np.array_equal(pixels(clean.content), RAMP)
