from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from consilium.errors import ConsiliumError, ImageOutOfBounds, MissingExtra, UnreadableImage
from consilium.imaging import codecs, dicom_file
from consilium.imaging.read import GreyImage, read_image

Make = Callable[..., bytes]
Read = Callable[[bytes], GreyImage]
Ramp = NDArray[np.uint8]


@pytest.fixture
def read_bytes(tmp_path: Path) -> Read:
    def read(content: bytes) -> GreyImage:
        (tmp_path / "IM0001").write_bytes(content)
        return read_image(tmp_path / "IM0001")

    return read


def test_monochrome1_is_turned_round(make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
    image = read_bytes(make_dicom(ramp, PhotometricInterpretation="MONOCHROME1"))
    assert image.photometric == "MONOCHROME1"
    np.testing.assert_array_equal(image.pixels, 255 - ramp)


def test_monochrome1_of_twelve_bits_is_turned_within_twelve_bits(
    make_dicom: Make, ramp: Ramp, read_bytes: Read
) -> None:
    deep = ramp.astype(np.uint16) * 16
    content = make_dicom(deep, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read_bytes(content).pixels, 4095 - deep)


def test_the_window_is_that_of_the_standard(make_dicom: Make, read_bytes: Read) -> None:
    """PS3.3 C.11.2.1.2.1, note 4: centre 2048 and width 4096 map 0 to the lowest and 4095 to the highest level."""
    values = np.tile(np.linspace(0, 4095, 64).astype(np.int16), (40, 1))
    shown = read_bytes(make_dicom(values, WindowCenter=2048, WindowWidth=4096)).pixels
    np.testing.assert_array_equal(shown, np.rint(values / 4095 * 65535))


def test_values_outside_the_window_are_cut(make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
    shown = read_bytes(make_dicom(ramp, WindowCenter=["100", "50"], WindowWidth=["41", "20"])).pixels
    assert shown.dtype == np.uint8
    assert (shown[ramp <= 79] == 0).all()
    assert (shown[ramp >= 120] == 255).all()
    assert 110 < int(shown[ramp == 100].mean()) < 145


@pytest.mark.parametrize(("function", "at_edge"), [("LINEAR_EXACT", 255), ("SIGMOID", 225)])
def test_other_window_functions(function: str, at_edge: int, make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
    """At centre + width / 2: full level when linear, 1 / (1 + exp(-2)) of it when sigmoid (C.11.2.1.3.1)."""
    shown = read_bytes(make_dicom(ramp, WindowCenter=100, WindowWidth=40, VOILUTFunction=function)).pixels
    assert set(np.unique(shown[ramp == 120])) == {at_edge}
    assert set(np.unique(shown[ramp == 100])) == {128}


@pytest.mark.parametrize("window", [{"WindowCenter": 5}, {"WindowCenter": 5, "WindowWidth": 0}, {"WindowWidth": 9}])
def test_an_unusable_window_is_left_out(window: dict[str, int], make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
    np.testing.assert_array_equal(read_bytes(make_dicom(ramp, **window)).pixels, ramp)


def test_rescaling_keeps_whole_numbers_that_fit(make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
    deep = ramp.astype(np.int16) - 300
    np.testing.assert_array_equal(read_bytes(make_dicom(deep, RescaleSlope=2, RescaleIntercept=600)).pixels, ramp * 2.0)


def test_negative_values_are_stretched(make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
    shown = read_bytes(make_dicom(ramp.astype(np.int16) - 300)).pixels
    assert (shown.min(), shown.max()) == (0, 65535)
    np.testing.assert_array_equal(np.argsort(shown, axis=None), np.argsort(ramp, axis=None))


def test_a_voi_table_is_applied(make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
    table = Dataset()
    table.LUTDescriptor = [256, 0, 8]
    table.LUTData = list(range(255, -1, -1))
    table["LUTData"].VR = "US"
    table["LUTDescriptor"].VR = "US"
    np.testing.assert_array_equal(read_bytes(make_dicom(ramp, VOILUTSequence=[table])).pixels, 255 - ramp)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_colour_becomes_luminance(photometric: str, make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
    stored = np.stack([ramp] * 3, axis=-1)
    if photometric == "YBR_FULL":
        stored[..., 1:] = 128
    shown = read_bytes(make_dicom(stored, PhotometricInterpretation=photometric)).pixels
    np.testing.assert_array_equal(shown, ramp)


@pytest.mark.parametrize(
    ("attributes", "spacing"),
    [
        ({"PixelSpacing": ["0.0001", "0.0002"]}, (0.0001, 0.0002)),
        ({"ImagerPixelSpacing": [0.5, 0.5]}, (0.5, 0.5)),
        ({"PixelSpacing": [0, 0]}, None),
        ({}, None),
    ],
)
def test_pixel_spacing(
    attributes: dict[str, Any], spacing: tuple[float, float] | None, make_dicom: Make, ramp: Ramp, read_bytes: Read
) -> None:
    assert read_bytes(make_dicom(ramp, **attributes)).pixel_spacing_mm == spacing


def test_pixel_spacing_of_a_microscope_image(make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
    measures, group = Dataset(), Dataset()
    measures.PixelSpacing = [0.0001, 0.0001]
    group.PixelMeasuresSequence = [measures]
    assert read_bytes(make_dicom(ramp, SharedFunctionalGroupsSequence=[group])).pixel_spacing_mm == (0.0001, 0.0001)


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
def test_a_data_set_without_preamble(syntax: str, make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
    whole = make_dicom(ramp, syntax=syntax)
    group_length = int.from_bytes(whole[140:144], "little")
    bare = whole[144 + group_length :]
    assert bare[:2] == b"\x08\x00"
    np.testing.assert_array_equal(read_bytes(bare).pixels, ramp)


class TestRefused:
    def test_several_frames(self, make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
        content = make_dicom(ramp, NumberOfFrames=2, PixelData=ramp.tobytes() * 2)
        with pytest.raises(UnreadableImage, match="2 frames"):
            read_bytes(content)

    def test_one_frame_that_says_so_is_fine(self, make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
        np.testing.assert_array_equal(read_bytes(make_dicom(ramp, NumberOfFrames=1)).pixels, ramp)

    @pytest.mark.parametrize("size", [(20_000, 20_000), (9_000, 9_000), (1, 1)])
    def test_a_size_out_of_bounds(self, size: tuple[int, int], make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
        with pytest.raises(ImageOutOfBounds, match=f"{size[0]} x {size[1]}"):
            read_bytes(make_dicom(ramp, Columns=size[0], Rows=size[1]))

    def test_a_compressed_picture_larger_than_its_header_says(
        self, make_dicom: Make, encode: Make, ramp: Ramp, read_bytes: Read
    ) -> None:
        hidden = encode(Image.new("L", (20_000, 40)), "jpeg")
        content = make_dicom(ramp, syntax=uid.JPEGBaseline8Bit, PixelData=encapsulate([hidden]))
        with pytest.raises(UnreadableImage, match="20000 x 40"):
            read_bytes(content)

    @pytest.mark.skipif(not codecs.get_decoder(uid.JPEG2000Lossless).is_available, reason="no JPEG 2000 decoder")
    def test_jpeg_2000_sizes_are_compared_too(self, make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
        def stream(picture: Image.Image) -> bytes:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG2000", no_jp2=True)
            return buffer.getvalue()

        syntax = uid.JPEG2000Lossless
        fitting = make_dicom(ramp, syntax=syntax, PixelData=encapsulate([stream(Image.fromarray(ramp))]))
        np.testing.assert_array_equal(read_bytes(fitting).pixels, ramp)
        hidden = make_dicom(ramp, syntax=syntax, PixelData=encapsulate([stream(Image.new("L", (640, 320)))]))
        with pytest.raises(UnreadableImage, match="640 x 320"):
            read_bytes(hidden)

    def test_a_compression_without_decoder_names_the_way_out(
        self, make_dicom: Make, ramp: Ramp, read_bytes: Read, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
        rows, columns = (int(side).to_bytes(2, "big") for side in ramp.shape)
        start_of_frame = b"\xff\xd8\xff\xf7\x00\x0b\x08" + rows + columns + b"\x01\x01\x11\x00"
        content = make_dicom(ramp, syntax=uid.JPEGLSLossless, PixelData=encapsulate([start_of_frame + b"\0\xff\xd9"]))
        with pytest.raises(MissingExtra, match="JPEG-LS Lossless") as refused:
            read_bytes(content)
        assert "consilium[dicom]" in refused.value.way_out and "uncompressed" in refused.value.way_out

    def test_an_inflating_bomb(
        self,
        valid_files: dict[str, bytes],
        make_dicom: Make,
        ramp: Ramp,
        read_bytes: Read,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(dicom_file, "_MAX_INFLATED", 1 << 20)
        # The colour profile is far larger than the limit once it is inflated, the picture is not.
        bomb = make_dicom(ramp, syntax=uid.DeflatedExplicitVRLittleEndian, ICCProfile=b"\0" * (8 << 20))
        assert len(bomb) < 1 << 16
        with pytest.raises(ImageOutOfBounds, match="inflates"):
            read_bytes(bomb)
        np.testing.assert_array_equal(read_bytes(valid_files["dicom_deflated"]).pixels, ramp)

    def test_a_report_is_no_picture(self, make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
        data = pydicom.dcmread(io.BytesIO(make_dicom(ramp)))
        del data.PixelData, data.Rows, data.Columns
        data.SOPClassUID = uid.BasicTextSRStorage
        buffer = io.BytesIO()
        data.save_as(buffer)
        with pytest.raises(UnreadableImage, match="Basic Text SR"):
            read_bytes(buffer.getvalue())

    def test_an_unknown_photometric_interpretation(self, make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
        with pytest.raises(UnreadableImage, match="HSV"):
            read_bytes(make_dicom(ramp, PhotometricInterpretation="HSV"))

    def test_too_few_pixels(self, make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
        with pytest.raises(UnreadableImage, match="the file is truncated"):
            read_bytes(make_dicom(ramp, PixelData=ramp.tobytes()[:1000]))

    def test_fractions_that_are_not_numbers(self, make_dicom: Make, ramp: Ramp, read_bytes: Read) -> None:
        values = ramp.astype(np.float32)
        values[3, 3] = np.nan
        data = pydicom.dcmread(io.BytesIO(make_dicom(ramp, BitsAllocated=32)))
        del data.PixelData, data.BitsStored, data.HighBit, data.PixelRepresentation
        data.FloatPixelData = values.tobytes()
        buffer = io.BytesIO()
        data.save_as(buffer)
        with pytest.raises(UnreadableImage, match="not numbers"):
            read_bytes(buffer.getvalue())


@pytest.mark.real_data
def test_files_of_many_makers_are_read_or_refused_in_words(real_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(real_data / "dicom" / "samples.zip") as archive:
        archive.extractall(tmp_path)
    read, refused = 0, 0
    for path in sorted(tmp_path.rglob("*.dcm")):
        try:
            image = read_image(path)
        except ConsiliumError as error:
            assert error.way_out
            refused += 1
        else:
            assert image.kind == "dicom"
            assert image.pixels.dtype in (np.uint8, np.uint16)
            assert image.pixels.ndim == 2
            assert image.pixels.min() < image.pixels.max()
            read += 1
    # 114 files, of which many are no pictures, of several frames, tiny, or of rare compressions on purpose.
    assert read + refused >= 114
    assert read >= 39
