from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consilium.errors import InputError, NothingToDo, UnreadableImage
from consilium.imaging.open_study import open_study
from consilium.imaging.study import LookUp, Study, Window
from tests.imaging.made_files import AXIAL, ct_slice, dicom, item, items, write_series

RUN = np.arange(4 * 6 * 8, dtype=np.uint8).reshape(4, 6, 8)


def _study(folder: Path, content: bytes, modality: str | None = None) -> Study:
    path = folder / "case"
    path.write_bytes(content)
    return open_study(path, modality=modality)


class TestSeries:
    def test_is_sorted_by_place_and_not_by_name(self, tmp_path: Path) -> None:
        files = write_series(tmp_path / "ct", [5.0, 1.0, 3.0, -1.0])
        study = open_study(tmp_path / "ct")
        assert study.files == (files[3], files[1], files[2], files[0])
        assert study.shape == (4, 32, 32)
        assert study.unit == "HU"
        assert study.spacing_mm == (2.0, 0.5, 0.25)
        assert [float(plane.pixels[10, 10]) for plane in study.planes()] == [0.0, 1.0, 2.0, 3.0]
        np.testing.assert_allclose(np.asarray(study.affine) @ [1, 0, 0, 1], [-10.0, -20.0, 1.0, 1.0])

    def test_of_several_in_a_folder_is_asked_for(self, tmp_path: Path) -> None:
        write_series(tmp_path / "a", [0.0, 1.0], SeriesInstanceUID="1.2.10")
        write_series(tmp_path / "b", [0.0, 1.0, 2.0], SeriesInstanceUID="1.2.20")
        with pytest.raises(InputError, match=r"2 series.*1\.2\.10 \(2 files.*1\.2\.20 \(3 files"):
            open_study(tmp_path)
        assert len(open_study(tmp_path, series="1.2.20")) == 3
        assert len(open_study(tmp_path, series="1.2.1")) == 2
        with pytest.raises(InputError, match=r"more than one series begins with '1\.2'"):
            open_study(tmp_path, series="1.2")
        with pytest.raises(InputError, match="no series begins with '9'"):
            open_study(tmp_path, series="9")

    def test_with_reports_beside_it(self, tmp_path: Path) -> None:
        write_series(tmp_path, [0.0, 1.0])
        report = dicom(RUN[0], sop="88.11", modality="SR", PixelData=None, Rows=None, Columns=None)
        (tmp_path / "report").write_bytes(report)
        (tmp_path / "notes.txt").write_text("seen")
        assert len(open_study(tmp_path)) == 2

    def test_of_two_sizes_is_no_stack(self, tmp_path: Path) -> None:
        write_series(tmp_path, [0.0, 1.0])
        (tmp_path / "scout").write_bytes(ct_slice(9.0, side=40))
        with pytest.raises(InputError, match=r"differ in size.*2 of 32 x 32.*1 of 40 x 40 pixels, first scout"):
            open_study(tmp_path)

    def test_of_two_directions_is_no_stack(self, tmp_path: Path) -> None:
        write_series(tmp_path, [0.0, 1.0])
        (tmp_path / "side").write_bytes(ct_slice(9.0, ImageOrientationPatient=[0, 1, 0, 0, 0, -1]))
        with pytest.raises(InputError, match="differ in size or orientation"):
            open_study(tmp_path)

    def test_with_a_damaged_file_names_it(self, tmp_path: Path) -> None:
        files = write_series(tmp_path, [0.0, 1.0, 2.0])
        files[1].write_bytes(files[1].read_bytes()[:-100])
        study = open_study(tmp_path)
        with pytest.raises(UnreadableImage, match=r"IM0001.*truncated"):
            list(study.planes())

    def test_a_folder_without_pictures(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("nothing")
        with pytest.raises(NothingToDo, match="no DICOM picture"):
            open_study(tmp_path)

    def test_dynamic_series_are_volumes_in_turn(self, tmp_path: Path) -> None:
        for phase in range(2):
            write_series(tmp_path / str(phase), [0.0, 1.0, 2.0], AcquisitionNumber=phase + 1)
        study = open_study(tmp_path)
        assert (study.shape[0], study.volumes) == (6, 2)
        assert [file.parent.name for file in study.files] == ["0", "0", "0", "1", "1", "1"]


class TestEnhanced:
    def _frames(self, **shared: Any) -> bytes:
        places = [4.0, 0.0, 2.0]
        own = [
            item(
                PlanePositionSequence=items(item(ImagePositionPatient=[0.0, 0.0, place])),
                FrameVOILUTSequence=items(item(WindowCenter=place, WindowWidth=10.0)),
                PixelValueTransformationSequence=items(
                    item(RescaleSlope=place + 1, RescaleIntercept=-1, RescaleType="HU")
                ),
            )
            for place in places
        ]
        common = item(
            PlaneOrientationSequence=items(item(ImageOrientationPatient=AXIAL)),
            PixelMeasuresSequence=items(item(PixelSpacing=[0.7, 0.6], SliceThickness=2.0)),
        )
        return dicom(
            RUN[:3].astype(np.uint16),
            sop="2.1",
            modality="CT",
            PerFrameFunctionalGroupsSequence=items(*own),
            SharedFunctionalGroupsSequence=items(common),
        )

    def test_frames_are_sorted_and_rescaled_each_by_itself(self, tmp_path: Path) -> None:
        study = _study(tmp_path, self._frames())
        assert study.form == "volume"
        assert study.unit == "HU"
        assert study.spacing_mm == (2.0, 0.7, 0.6)
        stored = RUN[[1, 2, 0]].astype(np.float32)
        for index, (frame, place) in enumerate(zip(stored, [0.0, 2.0, 4.0], strict=True)):
            plane = study.plane(index)
            np.testing.assert_allclose(plane.pixels, frame * (place + 1) - 1)
            assert plane.voi == Window(centre=place, width=10.0)


class TestFrameTimes:
    def test_from_one_step(self, tmp_path: Path) -> None:
        study = _study(tmp_path, dicom(RUN, sop="3.1", modality="US", FrameTime=33.3))
        assert study.form == "frames"
        np.testing.assert_allclose(study.frame_times_ms, [0.0, 33.3, 66.6, 99.9])
        assert study.plane(2).time_ms == pytest.approx(66.6)

    def test_from_a_vector_whose_first_entry_says_nothing(self, tmp_path: Path) -> None:
        study = _study(tmp_path, dicom(RUN, sop="12.1", modality="XA", FrameTimeVector=[7.0, 10.0, 20.0, 30.0]))
        assert study.frame_times_ms == (0.0, 10.0, 30.0, 60.0)

    def test_from_the_rate(self, tmp_path: Path) -> None:
        study = _study(tmp_path, dicom(RUN, sop="12.1", modality="XA", CineRate=15))
        assert study.frame_times_ms[3] == pytest.approx(200.0)

    def test_from_nothing(self, tmp_path: Path) -> None:
        study = _study(tmp_path, dicom(RUN, sop="12.1", modality="XA", FrameTimeVector=[1.0, 2.0]))
        assert study.frame_times_ms == ()
        assert study.plane(1).time_ms is None


class TestPixels:
    def test_a_palette_becomes_colour(self, tmp_path: Path) -> None:
        indices = np.array([[0, 1, 2, 3]] * 4, np.uint8)
        tables = {
            "Red": [0, 65535, 0, 32768],
            "Green": [0, 0, 65535, 32768],
            "Blue": [65535, 0, 0, 32768],
        }
        attributes: dict[str, Any] = {}
        for colour, levels in tables.items():
            attributes[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 0, 16]
            attributes[f"{colour}PaletteColorLookupTableData"] = np.array(levels, "<u2").tobytes()
        study = _study(
            tmp_path, dicom(indices, sop="6.1", modality="US", PhotometricInterpretation="PALETTE COLOR", **attributes)
        )
        assert study.channels == 3
        assert study.plane(0).pixels[0].tolist() == [[0, 0, 255], [255, 0, 0], [0, 255, 0], [128, 128, 128]]

    def test_luminance_and_chrominance_become_red_green_blue(self, tmp_path: Path) -> None:
        red = np.array([[[76, 85, 255]] * 4] * 4, np.uint8)
        study = _study(tmp_path, dicom(red, sop="6.1", modality="US", PhotometricInterpretation="YBR_FULL"))
        np.testing.assert_allclose(study.plane(0).pixels[0, 0], [254, 0, 0], atol=2)

    def test_colour_plane_by_plane(self, tmp_path: Path) -> None:
        colours = np.zeros((3, 4, 4), np.uint8)
        colours[0] = 200
        planar = dicom(np.moveaxis(colours, 0, -1).copy(), PlanarConfiguration=1, PixelData=colours.tobytes())
        assert _study(tmp_path, planar).plane(0).pixels[1, 1].tolist() == [200, 0, 0]

    def test_big_endian(self, tmp_path: Path) -> None:
        values = np.array([[1, 256], [515, 65535]], np.uint16)
        swapped = dicom(values.byteswap(), syntax="1.2.840.10008.1.2.2", PixelData=values.byteswap().tobytes())
        pixels = _study(tmp_path, swapped).plane(0).pixels
        assert pixels.tolist() == values.tolist()
        assert pixels.dtype.isnative

    def test_signed_values_below_their_bits(self, tmp_path: Path) -> None:
        values = np.array([[-2048, -1], [0, 2047]], np.int16)
        study = _study(tmp_path, dicom(values, sop="2", modality="CT", BitsStored=12))
        assert study.plane(0).pixels.tolist() == values.tolist()

    def test_single_bits_of_frames_that_share_a_byte(self, tmp_path: Path) -> None:
        masks = np.random.default_rng(1).integers(0, 2, (3, 5, 7)).astype(np.uint8)
        packed = np.packbits(masks.ravel(), bitorder="little").tobytes()
        study = _study(
            tmp_path,
            dicom([b""] * 3, shape=(5, 7), encapsulated=packed + b"\0" * (len(packed) % 2), sop="66.4", modality="SEG",
                  BitsAllocated=1, BitsStored=1),
        )  # fmt: skip
        for index in range(3):
            np.testing.assert_array_equal(study.plane(index).pixels, masks[index])

    def test_a_modality_table(self, tmp_path: Path) -> None:
        table = item(LUTDescriptor=[4, 0, 16], LUTData=[5, 50, 500, 5000], ModalityLUTType="US")
        table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "US"
        values = np.array([[0, 1], [2, 3]], np.uint8)
        study = _study(tmp_path, dicom(values, sop="1", modality="CR", ModalityLUTSequence=items(table)))
        assert study.plane(0).pixels.tolist() == [[5, 50], [500, 5000]]

    def test_a_table_of_levels_goes_before_a_window(self, tmp_path: Path) -> None:
        table = item(LUTDescriptor=[2, 7, 12], LUTData=[0, 4095])
        table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "US"
        study = _study(
            tmp_path, dicom(RUN[0], sop="1", modality="CR", WindowCenter=1, WindowWidth=2, VOILUTSequence=items(table))
        )
        found = study.plane(0).voi
        assert isinstance(found, LookUp)
        assert (found.first, found.levels.tolist(), found.top) == (7, [0, 4095], 4095)


class TestProvenance:
    def test_says_how_and_not_whose(self, tmp_path: Path) -> None:
        named = ct_slice(
            0.0, PatientName="Doe^Jane", PatientID="4711", StudyDate="20260102", InstitutionName="General",
            ProtocolName="Jane special", Manufacturer="Maker", KVP=120, StationName="CT1",
        )  # fmt: skip
        found = _study(tmp_path, named).provenance
        assert found.reader == "dicom"
        assert found.transfer_syntax == "1.2.840.10008.1.2.1"
        assert found.acquisition["Manufacturer"] == "Maker"
        assert found.acquisition["KVP"] == 120.0
        told = repr(found)
        for secret in ("Doe", "Jane", "4711", "20260102", "General", "CT1"):
            assert secret not in told


class TestObjectsWithoutAPicture:
    @pytest.mark.parametrize(
        ("sop", "kind"), [("88.11", "Basic Text SR"), ("481.5", "RT Plan"), ("9.1.1", "12-lead ECG Waveform")]
    )
    def test_are_named(self, sop: str, kind: str, tmp_path: Path) -> None:
        content = dicom(RUN[0], sop=sop, PixelData=None, Rows=None, Columns=None)
        with pytest.raises(UnreadableImage, match=rf"without a picture \({kind}"):
            _study(tmp_path, content)

    def test_a_directory_of_a_medium(self, tmp_path: Path) -> None:
        record = item(DirectoryRecordType="IMAGE", ReferencedFileID=["OUTSIDE", "IM0009"])
        content = dicom(
            RUN[0], sop="7", PixelData=None, Rows=None, Columns=None, SOPClassUID="1.2.840.10008.1.3.10",
            DirectoryRecordSequence=items(record),
        )  # fmt: skip
        with pytest.raises(UnreadableImage, match="without a picture"):
            _study(tmp_path, content)
        # In a folder it is passed over, and nothing that it names is followed.
        write_series(tmp_path / "medium", [0.0, 1.0])
        (tmp_path / "medium" / "DICOMDIR").write_bytes(content)
        assert len(open_study(tmp_path / "medium")) == 2
