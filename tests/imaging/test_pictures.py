from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consilium.errors import ImageOutOfBounds, InputError, UnreadableImage
from consilium.imaging.open_study import open_study
from consilium.imaging.study import Study
from tests.imaging.made_files import raster, tiff_stack

GREY = np.add.outer(np.arange(20) * 5, np.arange(30) * 4).astype(np.uint8)
COLOUR = np.stack([GREY, GREY[::-1], GREY // 2], axis=-1)
DEEP = GREY.astype(np.uint16) * 257


def _study(folder: Path, content: bytes, **options: Any) -> Study:
    path = folder / "case"
    path.write_bytes(content)
    return open_study(path, **options)


@pytest.mark.parametrize("kind", ["png", "tiff", "bmp"])
def test_colour_stays(kind: str, tmp_path: Path) -> None:
    study = _study(tmp_path, raster(COLOUR, kind))
    assert (study.shape, study.channels, study.modality) == ((1, 20, 30), 3, None)
    np.testing.assert_array_equal(study.plane(0).pixels, COLOUR)


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_lossy_colour_is_close(kind: str, tmp_path: Path) -> None:
    smooth = np.full((24, 24, 3), (200, 40, 90), np.uint8)
    pixels = _study(tmp_path, raster(smooth, kind, quality=98)).plane(0).pixels
    np.testing.assert_allclose(pixels, smooth, atol=6)


@pytest.mark.parametrize("pixels", [GREY, DEEP, DEEP.astype(np.float32) / 7], ids=["8 bits", "16 bits", "fractions"])
def test_grey_of_any_depth(pixels: Any, tmp_path: Path) -> None:
    study = _study(tmp_path, raster(pixels, "tiff"))
    assert study.channels == 1
    np.testing.assert_array_equal(study.plane(0).pixels, pixels)


def test_smaller_than_a_metaphase_and_larger(tmp_path: Path) -> None:
    assert _study(tmp_path, raster(GREY[:3, :3], "png")).shape == (1, 3, 3)
    wide = np.zeros((8, 13_000), np.uint8)
    assert _study(tmp_path, raster(wide, "png")).shape == (1, 8, 13_000)


def test_larger_than_what_is_decoded_whole(tmp_path: Path) -> None:
    with pytest.raises(ImageOutOfBounds, match="40000 x 2"):
        _study(tmp_path, raster(np.zeros((2, 40_000), np.uint8), "png"))


def test_upright_as_the_camera_was_held(tmp_path: Path) -> None:
    tag = Image.Exif()
    tag[274] = 6
    study = _study(tmp_path, raster(COLOUR, "png", exif=tag.tobytes()))
    assert study.shape == (1, 30, 20)
    np.testing.assert_array_equal(study.plane(0).pixels, np.rot90(COLOUR, -1))


def test_transparent_is_white(tmp_path: Path) -> None:
    clear = np.zeros((8, 8, 4), np.uint8)
    assert _study(tmp_path, raster(clear, "png")).plane(0).pixels.min() == 255


class TestPages:
    def test_are_channels_where_the_microscope_says_so(self, tmp_path: Path) -> None:
        sizes = 'PhysicalSizeX="0.5" PhysicalSizeY="250" PhysicalSizeYUnit="nm"'
        ome = f'<OME><Pixels SizeC="2" SizeZ="1" SizeT="1" {sizes}/></OME>'
        study = _study(tmp_path, tiff_stack([DEEP, DEEP[::-1]], ome), modality="fluo")
        assert study.form == "channels"
        assert study.spacing_mm == (None, pytest.approx(0.00025), pytest.approx(0.0005))
        np.testing.assert_array_equal(study.plane(1).pixels, DEEP[::-1])

    @pytest.mark.parametrize(
        ("description", "modality", "form"),
        [
            ("ImageJ=1.53\nimages=3\nslices=3\n", None, "volume"),
            ("ImageJ=1.53\nimages=3\nframes=3\n", None, "frames"),
            ("", "fluo", "channels"),
            ("", "us", "frames"),
        ],
    )
    def test_are_what_the_description_says(
        self, description: str, modality: str | None, form: str, tmp_path: Path
    ) -> None:
        study = _study(tmp_path, tiff_stack([GREY] * 3, description), modality=modality)
        assert (study.form, len(study)) == (form, 3)

    def test_of_different_sizes_are_no_study(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableImage, match="pages differ in size"):
            _study(tmp_path, tiff_stack([GREY, GREY[:9]]))


def test_an_animation_is_no_picture(tmp_path: Path) -> None:
    frames = [Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1].copy())]
    frames[0].save(tmp_path / "case", "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(UnreadableImage, match="several pictures"):
        open_study(tmp_path / "case")


class TestWhatIsNoPicture:
    def test_is_told_what_is_read(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableImage, match=r"not an image of a known kind.*DICOM, NIfTI"):
            _study(tmp_path, b"%PDF-1.7 ..." + b" " * 200)

    def test_an_empty_file(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableImage, match="the file is empty"):
            _study(tmp_path, b"")

    def test_nothing_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableImage, match="no such file"):
            open_study(tmp_path / "absent")

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        import os

        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UnreadableImage, match="not a regular file"):
            open_study(tmp_path / "pipe")

    def test_a_modality_that_there_is_not(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no modality 'xray'"):
            _study(tmp_path, raster(GREY, "png"), modality="xray")


def test_planes_and_regions_that_there_are_not(tmp_path: Path) -> None:
    study = _study(tmp_path, raster(GREY, "png"))
    for index in (-1, 1):
        with pytest.raises(InputError, match="there is no plane"):
            study.plane(index)
    with pytest.raises(InputError, match="no slide"):
        study.region(0, 0, 4, 4)
