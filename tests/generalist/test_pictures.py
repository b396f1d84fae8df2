from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consilium.errors import NothingToDo, UnreadableImage
from consilium.generalist.pictures import as_square, middle_picture, pictures
from tests.imaging.made_files import nifti, tiff_stack, write_series

Paint = Callable[..., Path]


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp", "a.jpg"])
def test_colours_come_as_they_are(paint: Paint, name: str) -> None:
    found = pictures(paint(name, (200, 100, 0)), 64)
    assert found.shape == (1, 64, 64, 3) and found.dtype == np.float32
    assert found.mean((0, 1, 2)) * 255 == pytest.approx([200, 100, 0], abs=6)


def test_grey_levels_have_three_equal_channels(tmp_path: Path) -> None:
    levels = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
    Image.fromarray(levels).save(tmp_path / "grey.png")
    found = pictures(tmp_path / "grey.png", 32)[0]
    assert np.array_equal(found[..., 0], found[..., 1]) and np.array_equal(found[..., 1], found[..., 2])
    assert found[0, :, 0] == pytest.approx((np.arange(32) * 8 + 2) / 255, abs=0.01)


def test_sixteen_bits_are_spread(tmp_path: Path) -> None:
    levels = np.tile(np.linspace(1000, 1400, 100).astype(np.uint16), (40, 1))
    Image.fromarray(levels).save(tmp_path / "deep.png")
    found = pictures(tmp_path / "deep.png", 32)
    assert found.min() < 0.05 and found.max() > 0.95


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert pictures(tmp_path / "clear.png", 32) == pytest.approx(1.0)


def test_the_whole_picture_is_pressed_into_the_square() -> None:
    wide = np.zeros((50, 200, 3), np.float32)
    wide[:, :20], wide[:, -20:] = 1, 1
    square = as_square(wide, 40)
    assert square[:, :4].min() == 1 and square[:, -4:].min() == 1 and square[:, 6:-6].max() == 0


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no image")
    with pytest.raises(UnreadableImage, match=r"notes\.png"):
        pictures(tmp_path / "notes.png", 32)


def test_a_folder_and_nothing_are_named(tmp_path: Path) -> None:
    with pytest.raises(NothingToDo, match="no DICOM picture"):
        pictures(tmp_path, 32)
    with pytest.raises(UnreadableImage, match="no such file"):
        pictures(tmp_path / "nothing.png", 32)


def test_studies_of_several_planes_give_their_views(tmp_path: Path) -> None:
    values = np.zeros((20, 24, 18), np.int16)
    values[5:15, 5:15, 5:12] = 100
    (tmp_path / "head.nii.gz").write_bytes(nifti(values, packed=True))
    found = pictures(tmp_path / "head.nii.gz", 64, "mr")
    assert found.shape == (48, 64, 64, 3) and found.dtype == np.float32 and 0 <= found.min() < found.max() <= 1
    middle = middle_picture(tmp_path / "head.nii.gz", 64, "mr")
    assert any(np.array_equal(middle, one) for one in pictures(tmp_path / "head.nii.gz", 64, "mr"))
    write_series(tmp_path / "series", [0.0, 2.0, 4.0, 6.0])
    folder = pictures(tmp_path / "series", 32)
    assert folder.shape[1:] == (32, 32, 3) and len(folder) > 4
    (tmp_path / "pages.tif").write_bytes(tiff_stack([np.full((40, 40), level, np.uint8) for level in (10, 200)]))
    assert len(pictures(tmp_path / "pages.tif", 32)) == 2
