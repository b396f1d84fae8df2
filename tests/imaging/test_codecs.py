"""Every compression, encoded here and read back; what is lossless comes back the same."""

from __future__ import annotations

import io
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import uid
from pydicom.encaps import encapsulate

from consilium.errors import MissingExtra, UnreadableImage
from consilium.imaging import codecs
from consilium.imaging.open_study import open_study
from consilium.imaging.study import Study
from tests.imaging.made_files import dicom, raster

GREY8 = np.add.outer(np.arange(24) * 5, np.arange(32) * 4).astype(np.uint8)
GREY12 = GREY8.astype(np.uint16) * 16 + 3
COLOUR = np.stack([GREY8, GREY8[::-1], np.full_like(GREY8, 90)], axis=-1)
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"


def _study(folder: Path, content: bytes) -> Study:
    path = folder / "case"
    path.write_bytes(content)
    return open_study(path)


def _twelve_bits(frame: bytes, syntax: str, **further: Any) -> bytes:
    return dicom([frame], shape=(24, 32), syntax=syntax, BitsAllocated=16, BitsStored=12, **further)


class TestWithImagecodecs:
    imagecodecs = pytest.importorskip("imagecodecs", reason="imagecodecs (extra dicom) encodes these")

    @pytest.mark.parametrize("pixels", [GREY8, COLOUR], ids=["grey", "colour"])
    @pytest.mark.parametrize(
        ("syntax", "codec", "options"),
        [
            (uid.JPEG2000Lossless, "jpeg2k_encode", {"level": 0, "reversible": True}),
            (uid.JPEGLSLossless, "jpegls_encode", {}),
            (uid.JPEGLosslessSV1, "jpeg8_encode", {"lossless": True, "predictor": 1}),
            (uid.JPEGLossless, "jpeg8_encode", {"lossless": True, "predictor": 4}),
            (uid.HTJ2KLossless, "htj2k_encode", {"reversible": True}),
        ],
    )
    def test_lossless_is_lossless(
        self, syntax: str, codec: str, options: dict[str, Any], pixels: NDArray[Any], tmp_path: Path
    ) -> None:
        if not hasattr(self.imagecodecs, codec):
            pytest.skip(f"imagecodecs {self.imagecodecs.__version__} reads this and cannot write it")
        frame = getattr(self.imagecodecs, codec)(pixels, **options)
        study = _study(tmp_path, dicom([bytes(frame)], shape=pixels.shape, syntax=syntax))
        np.testing.assert_array_equal(study.plane(0).pixels, pixels)

    @pytest.mark.parametrize(
        ("syntax", "codec", "options"),
        [
            (uid.JPEG2000Lossless, "jpeg2k_encode", {"level": 0, "bitspersample": 12, "reversible": True}),
            (uid.JPEGLSLossless, "jpegls_encode", {}),
            (uid.JPEGLosslessSV1, "jpeg8_encode", {"lossless": True, "bitspersample": 12}),
        ],
    )
    def test_twelve_bits(self, syntax: str, codec: str, options: dict[str, Any], tmp_path: Path) -> None:
        frame = bytes(getattr(self.imagecodecs, codec)(GREY12, **options))
        np.testing.assert_array_equal(_study(tmp_path, _twelve_bits(frame, syntax)).plane(0).pixels, GREY12)

    def test_twelve_bits_with_a_sign(self, tmp_path: Path) -> None:
        values = GREY12.astype(np.int16) - 2048
        frame = bytes(self.imagecodecs.jpegls_encode((values & 0xFFF).astype(np.uint16)))
        content = _twelve_bits(frame, uid.JPEGLSLossless, PixelRepresentation=1)
        np.testing.assert_array_equal(_study(tmp_path, content).plane(0).pixels, values)

    @pytest.mark.parametrize("syntax", [uid.JPEGExtended12Bit, "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"])
    def test_lossy_jpeg_of_twelve_bits_is_close(self, syntax: str, tmp_path: Path) -> None:
        frame = bytes(self.imagecodecs.jpeg8_encode(GREY12, level=98, bitspersample=12))
        pixels = _study(tmp_path, _twelve_bits(frame, syntax)).plane(0).pixels
        np.testing.assert_allclose(pixels, GREY12, atol=40)

    def test_another_size_inside_is_refused(self, tmp_path: Path) -> None:
        frame = bytes(self.imagecodecs.jpegls_encode(GREY8[:20]))
        study = _study(tmp_path, dicom([frame], shape=(24, 32), syntax=uid.JPEGLSLossless))
        with pytest.raises(UnreadableImage, match="32 x 24 pixels, the compressed picture 32 x 20"):
            study.plane(0)

    def test_jpeg_ls_without_an_end(self, tmp_path: Path) -> None:
        frame = bytes(self.imagecodecs.jpegls_encode(GREY8))
        study = _study(tmp_path, dicom([frame[:-2] + b"\x01\xd9"], shape=(24, 32), syntax=uid.JPEGLSLossless))
        with pytest.raises(UnreadableImage, match="cut off"):
            study.plane(0)

    def test_without_it_the_message_names_the_extra(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        frame = bytes(self.imagecodecs.jpegls_encode(GREY8))
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
        # highdicom brings a decoder of its own along, where it is installed.
        monkeypatch.setattr(codecs, "get_decoder", lambda _: SimpleNamespace(is_available=False))
        study = _study(tmp_path, dicom([frame], shape=(24, 32), syntax=uid.JPEGLSLossless))
        with pytest.raises(MissingExtra, match=r"JPEG-LS Lossless.*consilium\[dicom\]"):
            study.plane(0)

    def test_without_it_pillow_reads_jpeg_2000(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
        frame = raster(GREY8, "jpeg2000", irreversible=False, no_jp2=True)
        study = _study(tmp_path, dicom([frame], shape=(24, 32), syntax=uid.JPEG2000Lossless))
        np.testing.assert_array_equal(study.plane(0).pixels, GREY8)


def test_baseline_jpeg_in_colour(tmp_path: Path) -> None:
    frame = raster(COLOUR, "jpeg", quality=98, subsampling=0)
    content = dicom([frame], shape=COLOUR.shape, syntax=uid.JPEGBaseline8Bit, PhotometricInterpretation="YBR_FULL_422")
    np.testing.assert_allclose(_study(tmp_path, content).plane(0).pixels, COLOUR, atol=12)


@pytest.mark.parametrize("pixels", [GREY8, GREY12, COLOUR], ids=["8 bits", "16 bits", "colour"])
def test_run_lengths(pixels: NDArray[Any], tmp_path: Path) -> None:
    data = pydicom.dcmread(io.BytesIO(dicom(pixels)))
    data.compress(uid.RLELossless)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data)
    np.testing.assert_array_equal(_study(tmp_path, buffer.getvalue()).plane(0).pixels, pixels)


def test_frames_that_are_deflated_each_by_itself(tmp_path: Path) -> None:
    frames = []
    for shade in (GREY8, GREY8[::-1]):
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        content = packer.compress(shade.tobytes()) + packer.flush()
        frames.append(content + b"\0" * (len(content) % 2))
    study = _study(tmp_path, dicom(frames, shape=(24, 32), syntax=uid.JPEGBaseline8Bit).replace(
        b"1.2.840.10008.1.2.4.50\0"[:22], DEFLATED_FRAMES.encode() + b"\0", 1
    ))  # fmt: skip
    np.testing.assert_array_equal(study.plane(0).pixels, GREY8)
    np.testing.assert_array_equal(study.plane(1).pixels, GREY8[::-1])


def test_a_run_of_single_bits(tmp_path: Path) -> None:
    mask = (GREY8 > 100).astype(np.uint8)
    packed = np.packbits(mask.ravel(), bitorder="little").tobytes()
    pieces = [packed[at : at + 128] for at in range(0, len(packed), 128)]
    pieces = [packed[at : at + 128] for at in range(0, len(packed), 128)]
    runs = b"".join(bytes([len(piece) - 1]) + piece for piece in pieces)
    frame = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + b"\0" * 56 + runs
    content = dicom(
        [frame + b"\0" * (len(frame) % 2)], shape=(24, 32), syntax=uid.RLELossless, BitsAllocated=1, BitsStored=1
    )
    np.testing.assert_array_equal(_study(tmp_path, content).plane(0).pixels, mask)


class TestFragments:
    """A frame may be cut into pieces; the offset table or the codestreams say where each begins (PS3.5 A.4)."""

    FRAMES = tuple(raster(np.full((16, 16), level, np.uint8), "jpeg") for level in (40, 120, 200))

    def _levels(self, folder: Path, encapsulated: bytes) -> list[int]:
        content = dicom(
            list(self.FRAMES), shape=(16, 16), syntax=uid.JPEGBaseline8Bit, encapsulated=encapsulated, sop="3.1",
            modality="US",
        )  # fmt: skip
        return [int(plane.pixels[8, 8]) for plane in _study(folder, content).planes()]

    def test_with_an_offset_table(self, tmp_path: Path) -> None:
        pieces = encapsulate(list(self.FRAMES), fragments_per_frame=2, has_bot=True)
        assert self._levels(tmp_path, pieces) == [40, 120, 200]

    def test_without_one(self, tmp_path: Path) -> None:
        pieces = encapsulate(list(self.FRAMES), fragments_per_frame=3, has_bot=False)
        assert self._levels(tmp_path, pieces) == [40, 120, 200]

    def test_fewer_frames_than_the_header_says(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableImage, match="the header says 3 frames, 2 are there"):
            self._levels(tmp_path, encapsulate(list(self.FRAMES[:2])))


class TestTooMuchWork:
    def test_a_jpeg_of_many_scans(self, tmp_path: Path) -> None:
        frame = raster(GREY8, "jpeg", progressive=True)
        scan = frame.index(b"\xff\xda")
        # A scan of nothing but its header makes a decoder go over the picture once more.
        spoilt = frame[:scan] + frame[scan:-2] * 200 + frame[-2:]
        spoilt += b"\0" * (len(spoilt) % 2)
        study = _study(tmp_path, dicom([spoilt], shape=(24, 32), syntax=uid.JPEGBaseline8Bit))
        with pytest.raises(UnreadableImage, match="too many scans"):
            study.plane(0)

    def test_a_jpeg_that_claims_more_than_it_can_hold(self, tmp_path: Path) -> None:
        frame = bytearray(raster(GREY8, "jpeg"))
        size = frame.index(b"\xff\xc0") + 5
        frame[size : size + 4] = (9000).to_bytes(2, "big") * 2
        content = dicom([bytes(frame) + b"\0" * (len(frame) % 2)], shape=(9000, 9000), syntax=uid.JPEGBaseline8Bit)
        study = _study(tmp_path, content)
        with pytest.raises(UnreadableImage, match="cut off"):
            study.plane(0)

    def test_jpeg_2000_that_claims_more_than_it_can_hold(self, tmp_path: Path) -> None:
        frame = bytearray(raster(GREY8, "jpeg2000", no_jp2=True))
        size = frame.index(b"\xff\x51") + 6
        for at in (size, size + 16):  # of the picture and of its one tile
            frame[at : at + 8] = (9000).to_bytes(4, "big") * 2
        content = dicom([bytes(frame) + b"\0" * (len(frame) % 2)], shape=(9000, 9000), syntax=uid.JPEG2000Lossless)
        study = _study(tmp_path, content)
        with pytest.raises(UnreadableImage, match="cut off"):
            study.plane(0)

    def test_jpeg_2000_of_many_components(self, tmp_path: Path) -> None:
        frame = bytearray(raster(GREY8, "jpeg2000", no_jp2=True))
        at = frame.index(b"\xff\x51") + 38
        frame[at : at + 2] = (16_000).to_bytes(2, "big")
        content = dicom([bytes(frame) + b"\0" * (len(frame) % 2)], shape=(24, 32), syntax=uid.JPEG2000Lossless)
        study = _study(tmp_path, content)
        with pytest.raises(UnreadableImage, match="too many components"):
            study.plane(0)


def test_a_syntax_of_somebody_own_is_named(tmp_path: Path) -> None:
    content = dicom([b"\0" * 100], shape=(24, 32), syntax=uid.JPEGBaseline8Bit)
    private = content.replace(b"1.2.840.10008.1.2.4.50", b"1.2.840.99999.1.2.4.50", 1)
    study = _study(tmp_path, private)
    with pytest.raises(UnreadableImage, match="is not read"):
        study.plane(0)
