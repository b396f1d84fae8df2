from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from consilium.errors import ImageOutOfBounds, InputError, MissingExtra, UnreadableImage
from consilium.imaging.open_study import open_study
from consilium.imaging.tissue import overview, tissue_mask, tissue_tiles
from consilium.imaging.views import views
from tests.imaging.made_files import dicom, item, items

VOLUME = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]


def _glass(side: int) -> NDArray[np.uint8]:
    """(side, side, 3) glass with a square of stained tissue in the lower right quarter."""
    picture = np.full((side, side, 3), 240, np.uint8)
    quarter = side // 2
    noise = np.random.default_rng(5).integers(-20, 20, (side - quarter, side - quarter, 1))
    picture[quarter:, quarter:] = np.clip(np.array([170, 60, 130]) + noise, 0, 255)
    return picture


def _tiles(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    rows, columns = -(-picture.shape[0] // side), -(-picture.shape[1] // side)
    padded = np.zeros((rows * side, columns * side, 3), np.uint8)
    padded[: picture.shape[0], : picture.shape[1]] = picture
    return np.stack(
        [padded[r * side : (r + 1) * side, c * side : (c + 1) * side] for r in range(rows) for c in range(columns)]
    )


def _level(picture: NDArray[np.uint8], **attributes: object) -> bytes:
    usual = {
        "TotalPixelMatrixColumns": picture.shape[1], "TotalPixelMatrixRows": picture.shape[0],
        "DimensionOrganizationType": "TILED_FULL", "ImageType": VOLUME,
    }  # fmt: skip
    return dicom(_tiles(picture, 32), sop="77.1.6", modality="SM", **(usual | attributes))


class TestDicom:
    def test_regions_are_put_together_from_tiles(self, tmp_path: Path) -> None:
        picture = np.random.default_rng(2).integers(0, 255, (70, 90, 3)).astype(np.uint8)
        (tmp_path / "case").write_bytes(_level(picture))
        study = open_study(tmp_path / "case")
        assert (study.form, study.shape) == ("slide", (1, 70, 90))
        np.testing.assert_array_equal(study.region(20, 10, 50, 55), picture[10:65, 20:70])
        beyond = study.region(80, 60, 20, 20)
        np.testing.assert_array_equal(beyond[:10, :10], picture[60:, 80:])
        assert beyond[10:].min() == 255
        assert study.region(-8, -8, 8, 8).min() == 255

    def test_sparse_tiles_say_where_they_lie(self, tmp_path: Path) -> None:
        tiles = np.stack([np.full((8, 8, 3), 50, np.uint8), np.full((8, 8, 3), 90, np.uint8)])
        places = [
            item(
                PlanePositionSlideSequence=items(
                    item(ColumnPositionInTotalImagePixelMatrix=x, RowPositionInTotalImagePixelMatrix=y)
                )
            )
            for x, y in ((9, 1), (1, 9))
        ]
        content = dicom(
            tiles, sop="77.1.6", modality="SM", TotalPixelMatrixColumns=16, TotalPixelMatrixRows=16,
            DimensionOrganizationType="TILED_SPARSE", ImageType=VOLUME, PerFrameFunctionalGroupsSequence=items(*places),
        )  # fmt: skip
        (tmp_path / "case").write_bytes(content)
        whole = open_study(tmp_path / "case").region(0, 0, 16, 16)
        assert whole[0, 15].tolist() == [50] * 3
        assert whole[15, 0].tolist() == [90] * 3
        assert whole[0, 0].tolist() == [255] * 3

    def test_the_files_of_a_series_are_its_levels_without_the_label(self, tmp_path: Path) -> None:
        picture = _glass(128)
        (tmp_path / "b").write_bytes(_level(picture))
        (tmp_path / "a").write_bytes(_level(picture[::4, ::4].copy(), NumberOfFrames=1))
        (tmp_path / "label").write_bytes(
            _level(picture[:32, :64].copy(), ImageType=["ORIGINAL", "PRIMARY", "LABEL", "NONE"])
        )
        study = open_study(tmp_path)
        assert study.slide is not None
        assert [(level.width, level.downsample) for level in study.slide.levels] == [(128, 1.0), (32, 4.0)]
        assert [file.name for file in study.files] == ["b", "a"]

    def test_a_label_alone_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "case").write_bytes(_level(_glass(64), ImageType=["ORIGINAL", "PRIMARY", "LABEL", "NONE"]))
        with pytest.raises(UnreadableImage, match="label or the overview"):
            open_study(tmp_path / "case")

    def test_fewer_tiles_than_the_slide_needs(self, tmp_path: Path) -> None:
        (tmp_path / "case").write_bytes(_level(_glass(64), TotalPixelMatrixColumns=640))
        with pytest.raises(UnreadableImage, match="where the tiles lie"):
            open_study(tmp_path / "case")

    def test_what_cannot_be_asked_for(self, tmp_path: Path) -> None:
        (tmp_path / "case").write_bytes(_level(_glass(64)))
        study = open_study(tmp_path / "case")
        with pytest.raises(InputError, match="too large to be read whole"):
            study.plane(0)
        with pytest.raises(InputError, match="no level 1"):
            study.region(0, 0, 8, 8, level=1)
        with pytest.raises(ImageOutOfBounds, match="region of 100000 x 100000"):
            study.region(0, 0, 100_000, 100_000)


class TestTissue:
    @pytest.fixture
    def slide(self, tmp_path: Path) -> Path:
        path = tmp_path / "case"
        path.write_bytes(_level(_glass(256)))
        return path

    def test_is_where_the_stain_is(self, slide: Path) -> None:
        mask = tissue_mask(overview(open_study(slide)))
        assert mask[140:250, 140:250].mean() > 0.99
        assert mask[:120].mean() < 0.01

    def test_tiles_cover_it_and_nothing_else_at_two_scales(self, slide: Path) -> None:
        # Half a micrometre a pixel is assumed: 16 pixels of a view are 32 at the finer and 128 at the coarser scale.
        tiles = tissue_tiles(open_study(slide), side=16, most=100)
        assert {tile.width for tile in tiles} == {32, 128}
        assert len([tile for tile in tiles if tile.width == 32]) == 16
        assert [(tile.x, tile.y) for tile in tiles if tile.width == 128] == [(128, 128)]
        assert min(tile.tissue for tile in tiles) > 0.9

    def test_their_number_is_bounded(self, slide: Path) -> None:
        seen = list(views(open_study(slide), side=16, tiles=6))
        assert len(seen) == 3 + 1
        assert all(view.kind == "tile" for view in seen)
        assert seen[-1].box == (128, 128, 256, 256)

    def test_glass_alone_still_gives_a_view(self, tmp_path: Path) -> None:
        (tmp_path / "case").write_bytes(_level(np.full((64, 64, 3), 240, np.uint8)))
        assert len(list(views(open_study(tmp_path / "case"), side=16))) == 2

    def test_grey_scans_go_by_their_level(self) -> None:
        scan = np.full((100, 100, 3), 10, np.uint8)
        scan[30:60, 30:60] = 160
        mask = tissue_mask(scan)
        assert mask[35:55, 35:55].all()
        assert not mask[:20].any()


class TestTiledTiff:
    tifffile = pytest.importorskip("tifffile", reason="tifffile (extra slide) writes these")
    pytest.importorskip("tiffslide", reason="tiffslide (extra slide) reads these")

    def _pyramid(self, path: Path, side: int = 512) -> NDArray[np.uint8]:
        picture = _glass(side)
        with self.tifffile.TiffWriter(path) as writer:
            options = {"tile": (128, 128), "photometric": "rgb"}
            writer.write(picture, subifds=0, resolution=(20_000, 20_000), resolutionunit="CENTIMETER", **options)
            for shrink in (2, 4):
                writer.write(picture[::shrink, ::shrink].copy(), subfiletype=1, **options)
        return picture

    def test_a_pyramid_is_a_slide(self, tmp_path: Path) -> None:
        picture = self._pyramid(tmp_path / "case.tif")
        study = open_study(tmp_path / "case.tif")
        assert (study.modality, study.form, study.shape) == ("sm", "slide", (1, 512, 512))
        assert study.slide is not None
        assert [level.width for level in study.slide.levels] == [512, 256, 128]
        assert study.spacing_mm == (None, pytest.approx(0.0005), pytest.approx(0.0005))
        np.testing.assert_array_equal(study.region(300, 200, 64, 100), picture[200:300, 300:364])
        half = study.region(100, 120, 40, 30, level=1)
        np.testing.assert_array_equal(half, picture[::2, ::2][120:150, 100:140])
        assert study.region(500, 500, 20, 20)[12:].min() == 255
        assert len(list(views(study, side=64, tiles=8))) == 4 + 1

    def test_without_tiffslide_the_message_names_the_extra(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._pyramid(tmp_path / "case.tif")
        monkeypatch.setitem(sys.modules, "tiffslide", None)
        with pytest.raises(MissingExtra, match=r"consilium\[slide\]"):
            open_study(tmp_path / "case.tif")

    def test_a_small_tiled_picture_is_a_picture(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        self.tifffile.imwrite(buffer, _glass(128), tile=(64, 64), photometric="rgb")
        (tmp_path / "case.tif").write_bytes(buffer.getvalue())
        assert open_study(tmp_path / "case.tif").form == "plane"
        assert open_study(tmp_path / "case.tif", modality="sm").form == "slide"

    def test_one_that_is_cut_off(self, tmp_path: Path) -> None:
        self._pyramid(tmp_path / "case.svs")
        content = (tmp_path / "case.svs").read_bytes()
        for sixteenth in range(1, 16):
            (tmp_path / "case.svs").write_bytes(content[: len(content) * sixteenth // 16])
            try:
                list(views(open_study(tmp_path / "case.svs"), side=16, tiles=4))
            except (UnreadableImage, ImageOutOfBounds) as error:
                assert error.way_out


class TestHostile:
    def _sparse(self, folder: Path, **claims: object) -> Path:
        place = item(
            PlanePositionSlideSequence=items(
                item(ColumnPositionInTotalImagePixelMatrix=1, RowPositionInTotalImagePixelMatrix=1)
            )
        )
        tile = np.full((1, 32, 32, 3), 90, np.uint8)
        usual = {"TotalPixelMatrixColumns": 64, "TotalPixelMatrixRows": 64, "NumberOfFrames": 2}
        tiles = np.concatenate([tile, tile])
        content = dicom(
            tiles, sop="77.1.6", modality="SM", ImageType=VOLUME, DimensionOrganizationType="TILED_SPARSE",
            PerFrameFunctionalGroupsSequence=items(place, place), **(usual | claims),
        )  # fmt: skip
        (folder / "case").write_bytes(content)
        return folder / "case"

    @pytest.mark.parametrize("side", [100_000, 10_000_000, 4_000_000_000])
    def test_a_slide_that_nothing_could_fill(self, side: int, tmp_path: Path) -> None:
        path = self._sparse(tmp_path, TotalPixelMatrixColumns=side, TotalPixelMatrixRows=side)
        with pytest.raises((ImageOutOfBounds, UnreadableImage)):
            open_study(path)

    def test_pixels_of_an_absurd_size_make_no_millions_of_tiles(self, tmp_path: Path) -> None:
        path = self._sparse(tmp_path, TotalPixelMatrixColumns=1400, TotalPixelMatrixRows=1400, PixelSpacing=[900, 900])
        tiles = tissue_tiles(open_study(path), side=128, most=10)
        assert len(tiles) <= 10
        assert min(tile.width for tile in tiles) >= 2
