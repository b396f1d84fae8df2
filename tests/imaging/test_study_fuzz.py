"""Whatever a file holds, opening it and looking at it ends in views or in a `ConsiliumError`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import uid

from consilium.errors import ConsiliumError
from consilium.imaging.modalities import modalities
from consilium.imaging.open_study import open_study
from consilium.imaging.views import views
from tests.imaging.made_files import (
    AXIAL,
    dicom,
    item,
    items,
    mgh,
    nifti,
    raster,
    tiff_stack,
    video,
)

RAMP = np.add.outer(np.arange(24) * 5, np.arange(32) * 4).astype(np.uint8)
STACK = np.stack([RAMP, RAMP // 2, RAMP // 3])
COLOUR = np.stack([RAMP, RAMP[::-1], RAMP], axis=-1)
VOLUME = np.arange(8 * 9 * 6).reshape(8, 9, 6)

# The fixture's folder is shared by the examples on purpose: each overwrites the one file in it.
FUZZ = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def _enhanced() -> bytes:
    frames = [
        item(
            PlanePositionSequence=items(item(ImagePositionPatient=[0.0, 0.0, 2.0 * index])),
            FrameVOILUTSequence=items(item(WindowCenter=60, WindowWidth=100)),
        )
        for index in range(3)
    ]
    shared = item(
        PlaneOrientationSequence=items(item(ImageOrientationPatient=AXIAL)),
        PixelMeasuresSequence=items(item(PixelSpacing=[1.0, 1.0], SliceThickness=2.0)),
    )
    return dicom(
        STACK,
        sop="4.1",
        modality="MR",
        PerFrameFunctionalGroupsSequence=items(*frames),
        SharedFunctionalGroupsSequence=items(shared),
    )


def _slide() -> bytes:
    tiles = np.stack([COLOUR[:16, :16]] * 4)
    return dicom(
        tiles,
        sop="77.1.6",
        modality="SM",
        TotalPixelMatrixColumns=30,
        TotalPixelMatrixRows=28,
        DimensionOrganizationType="TILED_FULL",
        ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
    )


def _palette() -> bytes:
    ramp = np.arange(256, dtype=np.uint16) << 8
    tables = {
        f"{colour}PaletteColorLookupTable{part}": value
        for colour in ("Red", "Green", "Blue")
        for part, value in (("Descriptor", [256, 0, 16]), ("Data", ramp.tobytes()))
    }
    return dicom(RAMP, sop="6.1", modality="US", PhotometricInterpretation="PALETTE COLOR", **tables)


def _files(folder: Path) -> dict[str, bytes]:
    jpeg = raster(RAMP, "jpeg", quality=95)
    made = {
        "dicom": dicom(RAMP.astype(np.int16), sop="2", modality="CT", RescaleIntercept=-1024, RescaleSlope=1),
        "dicom_frames": dicom(STACK, sop="12.1", modality="XA", FrameTime=40),
        "dicom_enhanced": _enhanced(),
        "dicom_slide": _slide(),
        "dicom_palette": _palette(),
        "dicom_bits": dicom(
            [b""] * 3,
            encapsulated=np.packbits(STACK > 60, bitorder="little").tobytes(),
            shape=(24, 32),
            BitsAllocated=1,
            BitsStored=1,
        ),
        "dicom_deflated": dicom(RAMP, syntax=uid.DeflatedExplicitVRLittleEndian),
        "dicom_big_endian": dicom(RAMP, syntax=uid.ExplicitVRBigEndian),
        "dicom_jpeg": dicom([jpeg, jpeg], shape=(24, 32), sop="3.1", modality="US", syntax=uid.JPEGBaseline8Bit),
        "dicom_rle": _rle(),
        "nifti": nifti(VOLUME.astype(np.int16)),
        "nifti_packed": nifti(VOLUME.astype(np.float32), packed=True),
        "mgh": mgh(VOLUME.astype(np.float32)),
        "png": raster(COLOUR, "png"),
        "tiff": tiff_stack([RAMP, RAMP], "SizeZ"),
        "avi": video(folder / "made.avi", frames=4).read_bytes(),
        "mp4": video(folder / "made.mp4", frames=4).read_bytes(),
    }  # fmt: skip
    try:
        import imagecodecs
    except ImportError:
        return made
    made["dicom_jpeg_2000"] = dicom(
        [imagecodecs.jpeg2k_encode(RAMP, level=0)], shape=(24, 32), syntax=uid.JPEG2000Lossless
    )
    made["dicom_jpeg_ls"] = dicom([imagecodecs.jpegls_encode(RAMP)], shape=(24, 32), syntax=uid.JPEGLSLossless)
    made["dicom_jpeg_lossless"] = dicom(
        [imagecodecs.jpeg8_encode(RAMP, lossless=True)], shape=(24, 32), syntax=uid.JPEGLosslessSV1
    )
    return made


def _rle() -> bytes:
    data = pydicom.dcmread(pydicom.filebase.DicomBytesIO(dicom(RAMP)))
    data.compress(uid.RLELossless)
    buffer = pydicom.filebase.DicomBytesIO()
    pydicom.dcmwrite(buffer, data)
    return bytes(buffer.getvalue())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return _files(tmp_path_factory.mktemp("made"))


KINDS = (
    "dicom", "dicom_frames", "dicom_enhanced", "dicom_slide", "dicom_palette", "dicom_bits", "dicom_deflated",
    "dicom_big_endian", "dicom_jpeg", "dicom_rle", "dicom_jpeg_2000", "dicom_jpeg_ls", "dicom_jpeg_lossless", "nifti",
    "nifti_packed", "mgh", "png", "tiff", "avi", "mp4",
)  # fmt: skip


def _look(content: bytes, path: Path, modality: str | None = None) -> int:
    """Opens and looks; gives how many views there were, 0 after an error."""
    path.write_bytes(content)
    try:
        study = open_study(path, modality=modality)
        seen = list(views(study, side=16, slices=2, frames=2, tiles=2))
    except ConsiliumError as error:
        assert error.where
        assert error.way_out
        return 0
    for view in seen:
        assert view.pixels.shape == (16, 16, 3)
        assert view.pixels.dtype == np.float32
        assert np.isfinite(view.pixels).all()
    return len(seen)


def _name(kind: str) -> str:
    return "case.mgh" if kind == "mgh" else "case"


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_is_whole_before_it_is_spoilt(kind: str, files: dict[str, bytes], tmp_path: Path) -> None:
    if kind not in files:
        pytest.skip("imagecodecs (extra dicom) makes this file")
    assert _look(files[kind], tmp_path / _name(kind)) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_cut_off_at_every_sixteenth(kind: str, files: dict[str, bytes], tmp_path: Path) -> None:
    content = files.get(kind, b"")
    for sixteenth in range(16):
        _look(content[: len(content) * sixteenth // 16], tmp_path / _name(kind))


@pytest.mark.parametrize("kind", KINDS)
@FUZZ
@given(data=st.data())
def test_changed_bytes(kind: str, data: st.DataObject, files: dict[str, bytes], tmp_path: Path) -> None:
    content = bytearray(files.get(kind, b"\0" * 16))
    # Half of the changes hit the header, where lengths, counts and offsets stand.
    place = st.integers(0, len(content) - 1) | st.integers(0, min(len(content), 900) - 1)
    modality = data.draw(st.sampled_from([None, *(entry.id for entry in modalities())]))
    changes = data.draw(st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=12))
    for at, value in changes:
        content[at] = value
    _look(bytes(content), tmp_path / _name(kind), modality)


@pytest.mark.parametrize("kind", KINDS)
@FUZZ
@given(data=st.data())
def test_spliced(kind: str, data: st.DataObject, files: dict[str, bytes], tmp_path: Path) -> None:
    content = files.get(kind, b"\0" * 16)
    place = st.integers(0, len(content))
    start, stop = sorted(data.draw(st.tuples(place, place)))
    middle = data.draw(st.binary(max_size=40))
    _look(content[:start] + middle + content[stop:], tmp_path / _name(kind))
