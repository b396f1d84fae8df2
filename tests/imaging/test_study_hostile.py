"""Files that claim what they do not hold, or hold more than they claim: an error of ours, soon, and no large memory."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate

from consilium.errors import ConsiliumError, ImageOutOfBounds, UnreadableImage
from consilium.imaging.modalities import modalities
from consilium.imaging.open_study import open_study
from consilium.imaging.views import views
from tests.imaging.made_files import dicom, raster

RAMP = np.add.outer(np.arange(24) * 5, np.arange(32) * 4).astype(np.uint8)
EXPLICIT_HEADER = 132


@contextmanager
def _bounded(mebibytes: int, seconds: float = 10.0) -> Iterator[None]:
    tracemalloc.start()
    began = time.monotonic()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < mebibytes << 20
        assert time.monotonic() - began < seconds
    finally:
        tracemalloc.stop()


def _refused(path: Path, content: bytes, mebibytes: int = 16) -> ConsiliumError:
    path.write_bytes(content)
    with _bounded(mebibytes), pytest.raises(ConsiliumError) as caught:
        list(views(open_study(path), side=16))
    assert caught.value.where
    assert caught.value.way_out
    return caught.value


@pytest.mark.parametrize(
    "claims",
    [
        {"NumberOfFrames": 2_000_000_000},
        {"NumberOfFrames": 99_999},
        {"NumberOfFrames": -4},
        {"Rows": 65_535, "Columns": 65_535},
        {"Rows": 30_000, "Columns": 3_000},
        {"Rows": 0},
        {"Columns": 0},
        {"BitsAllocated": 24},
        {"BitsAllocated": 65_535},
        {"SamplesPerPixel": 4},
        {"SamplesPerPixel": 65_535},
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_sizes_that_are_not_there(claims: dict[str, Any], compressed: bool, tmp_path: Path) -> None:
    if compressed:
        frame = raster(RAMP, "jpeg")
        content = dicom([frame + b"\0" * (len(frame) % 2)], shape=(24, 32), syntax=uid.JPEGBaseline8Bit, **claims)
    else:
        content = dicom(RAMP, **claims)
    _refused(tmp_path / "case", content)


def test_a_deflated_bomb(tmp_path: Path) -> None:
    whole = dicom(RAMP, syntax=uid.DeflatedExplicitVRLittleEndian)
    start = whole.index(b"1.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    piece = b"\0" * (1 << 20)
    bomb = b"".join(packer.compress(piece) for _ in range(300)) + packer.flush()
    end_of_meta = EXPLICIT_HEADER + 12 + struct.unpack("<L", whole[140:144])[0]
    assert start < end_of_meta
    found = _refused(tmp_path / "case", whole[:end_of_meta] + bomb, 32)
    assert isinstance(found, ImageOutOfBounds)
    assert "inflates" in found.what


def test_an_element_longer_than_its_file(tmp_path: Path) -> None:
    content = dicom(RAMP, PatientComments="x" * 64)
    at = content.index(b"x" * 64)
    spoilt = content[: at - 2] + b"\xfe\xff" + content[at:]
    _refused(tmp_path / "case", spoilt)


def test_sequences_without_end(tmp_path: Path) -> None:
    nested = b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 20_000
    content = dicom(RAMP)
    at = content.index(b"\x28\x00\x02\x00US")
    _refused(tmp_path / "case", content[:at] + nested + content[at:], 64)


def test_private_elements_of_every_kind(tmp_path: Path) -> None:
    noise = np.random.default_rng(7)
    kinds = [b"OB", b"OW", b"UN", b"LT", b"SQ", b"FD", b"DS", b"UT"]
    soup = bytearray(b"\x09\x00\x10\x00LO\x06\x00SOUP  ")
    for element in range(0x1000, 0x1400):
        kind = kinds[element % len(kinds)]
        content = noise.bytes(2 * int(noise.integers(0, 40)))
        soup += struct.pack("<HH2s", 9, element, kind)
        long = kind in (b"OB", b"OW", b"UN", b"UT", b"SQ")
        soup += struct.pack("<HL", 0, len(content)) if long else struct.pack("<H", len(content))
        soup += content
    content = dicom(RAMP)
    at = content.index(b"\x20\x00\x0e\x00UI")
    path = tmp_path / "case"
    path.write_bytes(content[:at] + bytes(soup) + content[at:])
    with _bounded(32):
        try:
            (view,) = views(open_study(path), side=16)
            assert view.pixels.std() > 0.1
        except UnreadableImage as error:
            assert error.way_out


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    """Numbers are text in DICOM; what is none is passed over where a picture can be shown without it."""
    content = dicom(
        RAMP, sop="2", modality="CT", RescaleSlope="1.000", WindowCenter="100.0", WindowWidth="200.0",
        PixelSpacing=["0.500", "0.500"],
    )  # fmt: skip
    for number in (b"1.000", b"100.0", b"200.0", b"0.500\\0.500"):
        spoilt = content.replace(number, b"nonsense\\"[: len(number)].ljust(len(number), b"!"), 1)
        path = tmp_path / "case"
        path.write_bytes(spoilt)
        try:
            assert len(list(views(open_study(path), side=16))) == 1
        except UnreadableImage as error:
            assert error.way_out


@pytest.mark.parametrize("identifier", [entry.id for entry in modalities()])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_fractions_that_are_no_levels(value: float, identifier: str, tmp_path: Path) -> None:
    values = np.full((16, 16), value, np.float32)
    content = dicom(values, sop="30", modality="MR", PixelData=None, FloatPixelData=values.tobytes(), BitsStored=32)
    path = tmp_path / "case"
    path.write_bytes(content)
    (view,) = views(open_study(path, modality=identifier), side=16)
    assert np.isfinite(view.pixels).all()


def test_fragments_without_end(tmp_path: Path) -> None:
    frame = raster(RAMP, "jpeg")
    pieces = encapsulate([frame + b"\0" * (len(frame) % 2)], has_bot=False)
    many = pieces[:8] + b"\xfe\xff\x00\xe0\0\0\0\0" * 40_000 + pieces[8:]
    content = dicom([frame], shape=(24, 32), syntax=uid.JPEGBaseline8Bit, encapsulated=many)
    path = tmp_path / "case"
    path.write_bytes(content)
    with _bounded(96, seconds=20):
        assert len(list(views(open_study(path), side=16))) == 1


def test_a_picture_bomb(tmp_path: Path) -> None:
    header = raster(np.zeros((8, 8), np.uint8), "png")
    wide = header[:16] + struct.pack(">LL", 30_000, 30_000) + header[24:]
    wide = wide[:29] + struct.pack(">L", zlib.crc32(wide[12:29])) + wide[33:]
    assert isinstance(_refused(tmp_path / "case", wide), ImageOutOfBounds)


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "one").write_bytes(dicom(RAMP))
    assert len(open_study(tmp_path)) == 1
