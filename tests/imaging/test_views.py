from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consilium.errors import InputError
from consilium.imaging.normalise.sampling import evenly
from consilium.imaging.open_study import open_study
from consilium.imaging.study import Study
from consilium.imaging.views import resized, views
from tests.imaging.made_files import AXIAL, dicom, item, items, nifti, raster, tiff_stack, write_series


def _study(folder: Path, content: bytes, modality: str | None = None) -> Study:
    path = folder / "case"
    path.write_bytes(content)
    return open_study(path, modality=modality)


class TestOnePicture:
    def test_fills_the_longer_side_and_is_padded_with_its_border(self, tmp_path: Path) -> None:
        picture = np.full((40, 80, 3), 200, np.uint8)
        picture[10:30, 20:60] = (10, 60, 110)
        (view,) = views(_study(tmp_path, raster(picture, "png"), "xc"), side=64)
        assert view.placed == (16, 0, 48, 64)
        assert view.box == (0, 0, 40, 80)
        np.testing.assert_allclose(view.pixels[0, 0], 200 / 255, atol=1e-6)
        np.testing.assert_allclose(view.pixels[32, 32], np.array([10, 60, 110]) / 255, atol=1e-6)

    def test_keeps_its_shape_in_millimetres(self, tmp_path: Path) -> None:
        picture = np.tile(np.arange(50, dtype=np.uint16), (50, 1))
        study = _study(tmp_path, dicom(picture, sop="1.1", modality="DX", ImagerPixelSpacing=[0.1, 0.2]))
        (view,) = views(study, side=64)
        assert view.placed == (16, 0, 48, 64)

    def test_shrinks_by_means_over_the_area(self) -> None:
        board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
        assert np.abs(resized(board, 8, 8).astype(int) - 128).max() <= 1
        assert resized(board.astype(np.float32), 8, 100).shape == (8, 100)

    def test_a_mirrored_breast_says_so(self, tmp_path: Path) -> None:
        plate = np.zeros((100, 80), np.uint16)
        plate[20:80, 40:] = 3000
        (view,) = views(_study(tmp_path, dicom(plate, sop="1.2", modality="MG")), side=32)
        assert view.mirrored
        assert view.box == pytest.approx((20, 40, 80, 80), abs=3)


class TestFrames:
    RUN = np.stack([np.full((20, 30), 100 + index, np.uint8) for index in range(40)])

    def test_are_spread_evenly_with_their_times(self, tmp_path: Path) -> None:
        study = _study(tmp_path, dicom(self.RUN, sop="12.1", modality="RF", FrameTime=50))
        seen = [view for view in views(study, side=16, frames=4) if view.kind == "frame"]
        assert [view.index for view in seen] == [5, 15, 25, 35]
        assert [view.time_ms for view in seen] == [250.0, 750.0, 1250.0, 1750.0]

    def test_of_vessels_end_with_least_and_greatest_level(self, tmp_path: Path) -> None:
        run = np.full((40, 20, 30), 180, np.uint8)
        for index in range(20):
            run[index, index, :] = 40  # contrast runs down
        study = _study(tmp_path, dicom(run, sop="12.1", modality="XA", WindowCenter=128, WindowWidth=256))
        seen = list(views(study, side=30))
        assert [view.kind for view in seen[-2:]] == ["minimum", "maximum"]
        least, greatest = (view.pixels[5:25, :, 0] for view in seen[-2:])
        assert least.max() == pytest.approx(40 / 255, abs=0.01)
        assert greatest.min() == pytest.approx(180 / 255, abs=0.01)


class TestVolume:
    def test_only_the_sections_that_are_asked_for(self, tmp_path: Path) -> None:
        study = _study(tmp_path, nifti(np.random.default_rng(0).random((9, 8, 7)).astype(np.float32)), "mr")
        assert {view.kind for view in views(study, side=16, planes=["coronal"])} == {"coronal"}
        axial = list(views(study, side=16, planes=["axial"], slices=3))
        assert [view.index for view in axial] == [1, 3, 5]
        assert list(views(study, side=16, planes=[])) == []

    def test_sections_across_the_planes_keep_their_shape(self, tmp_path: Path) -> None:
        write_series(tmp_path / "ct", [5.0 * index for index in range(8)])
        seen = list(views(open_study(tmp_path / "ct"), side=80))
        # 32 rows of 0.5 mm, 32 columns of 0.25 mm, 8 planes of 5 mm.
        for kind, high, wide in (("axial", 16, 8), ("coronal", 40, 8), ("sagittal", 40, 16)):
            top, left, bottom, right = next(view.placed for view in seen if view.kind == kind)
            assert (bottom - top) / (right - left) == pytest.approx(high / wide, rel=0.1)

    def test_of_a_series_in_time_the_first_counts(self, tmp_path: Path) -> None:
        first = np.random.default_rng(1).random((9, 8, 7)).astype(np.float32)
        both = _study(tmp_path, nifti(np.stack([first, np.full_like(first, 9.0)], axis=3)), "mr")
        seen = list(views(both, side=16, slices=2))
        (tmp_path / "case").write_bytes(nifti(first))
        alone = list(views(open_study(tmp_path / "case", modality="mr"), side=16, slices=2))
        for one, other in zip(seen, alone, strict=True):
            np.testing.assert_array_equal(one.pixels, other.pixels)


def test_tomosynthesis_is_shown_plane_by_plane(tmp_path: Path) -> None:
    plate = np.zeros((20, 100, 80), np.uint16)
    plate[:, 20:80, 40:] = 3000
    places = [
        item(PlanePositionSequence=items(item(ImagePositionPatient=[0.0, 0.0, float(index)]))) for index in range(20)
    ]
    shared = item(PlaneOrientationSequence=items(item(ImageOrientationPatient=AXIAL)))
    content = dicom(
        plate, sop="13.1.3", modality="MG", PerFrameFunctionalGroupsSequence=items(*places),
        SharedFunctionalGroupsSequence=items(shared),
    )  # fmt: skip
    study = _study(tmp_path, content)
    assert (study.modality, study.form) == ("mg", "volume")
    seen = list(views(study, side=16, slices=4))
    assert [(view.kind, view.index) for view in seen] == [("plane", index) for index in (2, 7, 12, 17)]
    assert all(view.mirrored for view in seen)


def test_three_channels_become_red_green_and_blue(tmp_path: Path) -> None:
    pages = [np.zeros((20, 20), np.uint16) for _ in range(4)]
    for channel, page in enumerate(pages):
        page[channel * 5 : channel * 5 + 5] = 1000
    (view,) = views(_study(tmp_path, tiff_stack(pages, "channels=4"), "fluo"), side=20)
    assert view.pixels[2, 5].tolist() == [1.0, 0.0, 0.0]
    assert view.pixels[7, 5].tolist() == [0.0, 1.0, 0.0]
    assert view.pixels[12, 5].tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("wrong", [{"side": 0}, {"slices": 0}, {"frames": -1}, {"tiles": 0}])
def test_numbers_that_make_no_view(wrong: dict[str, Any], tmp_path: Path) -> None:
    study = _study(tmp_path, raster(np.zeros((8, 8), np.uint8), "png"))
    with pytest.raises(InputError, match="must be positive"):
        list(views(study, **wrong))


@pytest.mark.parametrize(
    ("count", "wanted", "expected"),
    [(5, 16, [0, 1, 2, 3, 4]), (16, 4, [2, 6, 10, 14]), (10, 3, [1, 5, 8]), (1, 1, [0])],
)
def test_evenly(count: int, wanted: int, expected: list[int]) -> None:
    assert evenly(count, wanted) == expected
