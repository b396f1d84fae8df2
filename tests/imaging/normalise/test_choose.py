"""What each modality's normaliser does with values that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from consilium.imaging.normalise import normaliser_of
from consilium.imaging.open_study import open_study
from consilium.imaging.study import Study
from tests.imaging.made_files import ct_slice, dicom, disc, item, items, raster, tiff_stack


def _study(folder: Path, content: bytes, modality: str | None = None) -> Study:
    path = folder / "case"
    path.write_bytes(content)
    return open_study(path, modality=modality)


def _levels(study: Study, index: int = 0) -> NDArray[np.float32]:
    plane = study.plane(index)
    return normaliser_of(study).levels(plane.pixels, plane)


class TestCt:
    def test_shows_three_windows(self, tmp_path: Path) -> None:
        shown = _levels(_study(tmp_path, ct_slice(0.0, value=40)))
        # 40 HU: lung -1350..150, soft tissue -160..240, bone -770..1730.
        np.testing.assert_allclose(shown[10, 10], [1390 / 1500, 0.5, 810 / 2500], atol=1e-6)
        np.testing.assert_allclose(shown[0, 0], [350 / 1500, 0.0, 0.0], atol=1e-6)

    def test_of_the_head_shows_brain(self, tmp_path: Path) -> None:
        shown = _levels(_study(tmp_path, ct_slice(0.0, value=20, BodyPartExamined="HEAD")))
        assert shown[10, 10, 0] == pytest.approx(0.25)

    def test_that_was_windowed_before_stays_as_it_is(self, tmp_path: Path) -> None:
        picture = np.full((40, 40), 51, np.uint8)
        assert _levels(_study(tmp_path, raster(picture, "png"), "ct")).max() == pytest.approx(0.2)


class TestPet:
    HEADER: ClassVar[dict[str, Any]] = {
        "sop": "128", "modality": "PT", "Units": "BQML", "DecayCorrection": "START", "PatientWeight": 75.0,
        "SeriesDate": "20260102", "SeriesTime": "113000", "AcquisitionDate": "20260102", "AcquisitionTime": "113000",
        "RescaleSlope": 2.0, "RescaleIntercept": 0,
    }  # fmt: skip

    def _tracer(self) -> Any:
        return items(
            item(RadiopharmaceuticalStartTime="103000", RadionuclideTotalDose=3.0e8, RadionuclideHalfLife=3600.0)
        )

    def test_uptake_is_divided_by_what_is_left_of_the_dose(self, tmp_path: Path) -> None:
        # After one half-life 150 MBq are left: 2 kBq/ml in 75 kg are 2000 * 75000 / 150e6 = 1.0.
        values = np.full((20, 20), 1000, np.uint16)
        study = _study(tmp_path, dicom(values, **self.HEADER, RadiopharmaceuticalInformationSequence=self._tracer()))
        assert study.unit == "Bq/ml"
        assert study.suv_factor == pytest.approx(75_000 / 150e6)
        assert _levels(study)[0, 0, 0] == pytest.approx(1.0 / 15.0)

    def test_without_weight_the_study_says_so_and_is_stretched(self, tmp_path: Path) -> None:
        values = np.arange(400, dtype=np.uint16).reshape(20, 20)
        header = {keyword: value for keyword, value in self.HEADER.items() if keyword != "PatientWeight"}
        study = _study(tmp_path, dicom(values, **header, RadiopharmaceuticalInformationSequence=self._tracer()))
        assert study.suv_factor is None
        assert study.provenance.notes == ("SUV cannot be computed: Patient's Weight is missing",)
        shown = _levels(study)[..., 0]
        assert shown[0, 0] == 0.0
        assert shown[19, 19] == 1.0
        assert shown[10, 0] == pytest.approx(400 / (2 * np.percentile(values, 99.5)), rel=1e-3)


def test_magnetic_resonance_runs_between_percentiles_of_the_volume(tmp_path: Path) -> None:
    values = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    shown = _levels(_study(tmp_path, dicom(values, sop="4", modality="MR")))[..., 0].ravel()
    assert shown[5000] == pytest.approx((5000 - 49.995) / (9949.005 - 49.995), abs=1e-4)
    assert shown[:50].max() == 0.0
    assert shown[9950:].min() == 1.0


class TestUltrasound:
    def test_is_cut_to_the_region_of_the_file(self, tmp_path: Path) -> None:
        frame = np.zeros((100, 120), np.uint8)
        frame[20:80, 30:110] = np.linspace(60, 240, 80).astype(np.uint8)
        frame[2:8, 2:60] = 255
        region = item(
            RegionLocationMinX0=30, RegionLocationMinY0=20, RegionLocationMaxX1=109, RegionLocationMaxY1=79,
            RegionDataType=1, PhysicalUnitsXDirection=3, PhysicalUnitsYDirection=3, PhysicalDeltaX=0.02,
            PhysicalDeltaY=0.03,
        )  # fmt: skip
        study = _study(tmp_path, dicom(frame, sop="6.1", modality="US", SequenceOfUltrasoundRegions=items(region)))
        assert normaliser_of(study).box == (20, 30, 80, 110)
        assert study.spacing_mm == (None, pytest.approx(0.3), pytest.approx(0.2))

    def test_colour_stays_colour(self, tmp_path: Path) -> None:
        doppler = np.full((60, 60, 3), 120, np.uint8)
        doppler[20:40, 20:40] = (220, 20, 20)
        doppler[:10] = 30
        shown = _levels(_study(tmp_path, dicom(doppler, sop="6.1", modality="US")))
        assert shown[30, 30, 0] > shown[30, 30, 1] + 0.5


def test_a_radiograph_is_shown_as_its_file_asks(tmp_path: Path) -> None:
    values = np.array([[0, 1024, 2048, 4095]] * 4, np.uint16)
    inverted = dicom(
        values, sop="1", modality="CR", PhotometricInterpretation="MONOCHROME1", BitsStored=12,
        WindowCenter=[2048, 10], WindowWidth=[2048, 10],
    )  # fmt: skip
    shown = _levels(_study(tmp_path, inverted))[0, :, 0]
    np.testing.assert_allclose(shown, [1.0, 1.0 - 0.5 / 2047, 1023.5 / 2047 - 0.5 / 2047, 0.0], atol=1e-3)


def test_a_radiograph_goes_through_its_table(tmp_path: Path) -> None:
    table = item(LUTDescriptor=[4, 10, 16], LUTData=[0, 1000, 30000, 65535])
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "US"
    values = np.array([[0, 11, 12, 200]] * 4, np.uint16)
    study = _study(tmp_path, dicom(values, sop="1", modality="CR", VOILUTSequence=items(table)))
    np.testing.assert_allclose(_levels(study)[0, :, 0], np.array([0, 1000, 30000, 65535]) / 65535, atol=1e-6)


@pytest.mark.parametrize("flipped", [False, True])
def test_breasts_all_look_to_the_right(flipped: bool, tmp_path: Path) -> None:
    plate = np.zeros((200, 160), np.uint16)
    y, x = np.mgrid[:200, :160]
    plate[(x / 90) ** 2 + ((y - 100) / 80) ** 2 < 1] = 2000
    study = _study(
        tmp_path, dicom(plate[:, ::-1].copy() if flipped else plate, sop="1.2", modality="MG", ImageLaterality="L")
    )
    normaliser = normaliser_of(study)
    assert study.laterality == "L"
    assert normaliser.mirrored is flipped
    top, left, bottom, right = normaliser.box
    assert (bottom - top, right - left) == (pytest.approx(160, abs=8), pytest.approx(90, abs=8))


@pytest.mark.parametrize(("level", "surround", "turned"), [(40, 230, False), (230, 30, True)])
def test_chromosomes_are_dark_on_light(level: int, surround: int, turned: bool, tmp_path: Path) -> None:
    field = disc(80, 12, level=level, surround=surround)
    shown = _levels(_study(tmp_path, raster(field, "png"), "karyo"))[..., 0]
    assert shown[40, 40] == 0.0
    assert shown[0, 0] == 1.0


def test_each_channel_of_fluorescence_is_stretched_by_itself(tmp_path: Path) -> None:
    faint = np.linspace(100, 140, 10_000).astype(np.uint16).reshape(100, 100)
    bright = np.linspace(0, 60_000, 10_000).astype(np.uint16).reshape(100, 100)
    study = _study(tmp_path, tiff_stack([faint, bright]), "fluo")
    for index in range(2):
        shown = _levels(study, index)
        assert shown.min() == 0.0
        assert shown.max() == 1.0
        assert shown.mean() == pytest.approx(0.5, abs=0.03)


def test_scintigraphy_begins_at_nought(tmp_path: Path) -> None:
    counts = np.arange(1000, 2000, dtype=np.uint16).reshape(20, 50)
    shown = _levels(_study(tmp_path, dicom(counts, sop="20", modality="NM")))[..., 0]
    assert shown[0, 0] == pytest.approx(1000 / np.percentile(counts, 99.5), rel=1e-4)


def test_padding_does_not_count(tmp_path: Path) -> None:
    values = np.full((100, 100), -2000, np.int16)
    values[:, 50:] = np.linspace(0, 1000, 50).astype(np.int16)
    shown = _levels(_study(tmp_path, dicom(values, sop="4", modality="MR", PixelPaddingValue=-2000)))[..., 0]
    assert shown[0, 0] == 0.0
    assert shown[0, 75] == pytest.approx(0.5, abs=0.02)


def test_without_a_modality_bytes_and_colour_stay(tmp_path: Path) -> None:
    picture = np.arange(0, 240, 4, dtype=np.uint8).reshape(5, 4, 3).repeat(3, axis=0)
    shown = _levels(_study(tmp_path, raster(picture, "png")))
    np.testing.assert_allclose(shown, picture / np.float32(255), atol=1e-6)
