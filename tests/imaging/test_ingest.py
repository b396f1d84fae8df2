"""One file of each of the nineteen modalities, in the form it comes in, becomes a study and views."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from consilium.imaging.modalities import modalities
from consilium.imaging.open_study import open_study
from consilium.imaging.study import Study
from consilium.imaging.views import views
from tests.imaging.made_files import dicom, disc, item, items, nifti, raster, tiff_stack, video, write_series

NOISE = np.random.default_rng(19)
GREY = NOISE.integers(0, 4096, (48, 64)).astype(np.uint16)
COLOUR = NOISE.integers(1, 255, (48, 64, 3)).astype(np.uint8)
RUN = NOISE.integers(0, 255, (20, 48, 64)).astype(np.uint8)


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "case"
    path.write_bytes(content)
    return path


def _ct(folder: Path) -> Study:
    write_series(folder / "series", [4.0, 0.0, 2.0])
    return open_study(folder / "series")


def _mr(folder: Path) -> Study:
    return open_study(_file(folder, nifti(NOISE.integers(0, 900, (20, 24, 18)).astype(np.int16))), modality="mr")


def _us(folder: Path) -> Study:
    return open_study(_file(folder, dicom(RUN, sop="3.1", modality="US", FrameTime=40)))


def _xr(folder: Path) -> Study:
    inverted = dicom(GREY, sop="1.1", modality="DX", PhotometricInterpretation="MONOCHROME1", BitsStored=12)
    return open_study(_file(folder, inverted))


def _mg(folder: Path) -> Study:
    return open_study(_file(folder, dicom(disc(96, 30), sop="1.2", modality="MG", ImageLaterality="R")))


def _dental(folder: Path) -> Study:
    return open_study(_file(folder, dicom(GREY, sop="1.3", modality="IO", WindowCenter=2048, WindowWidth=4096)))


def _xa(folder: Path) -> Study:
    return open_study(_file(folder, dicom(RUN, sop="12.1", modality="XA", FrameTimeVector=[0.0] + [66.0] * 19)))


def _pt(folder: Path) -> Study:
    tracer = item(RadiopharmaceuticalStartTime="090000", RadionuclideTotalDose=3.7e8, RadionuclideHalfLife=6588.0)
    return open_study(
        _file(
            folder,
            dicom(
                GREY * 10, sop="128", modality="PT", Units="BQML", DecayCorrection="START", PatientWeight=70,
                SeriesDate="20260102", SeriesTime="100000", AcquisitionDate="20260102", AcquisitionTime="100000",
                RadiopharmaceuticalInformationSequence=items(tracer),
            ),
        )
    )  # fmt: skip


def _nm(folder: Path) -> Study:
    return open_study(_file(folder, dicom(RUN.astype(np.uint16), sop="20", modality="NM", ActualFrameDuration=1000)))


def _op(folder: Path) -> Study:
    field = np.repeat(disc(96, 40)[..., None], 3, axis=2)
    return open_study(_file(folder, dicom(field, sop="77.1.5.1", modality="OP")))


def _opt(folder: Path) -> Study:
    return open_study(_file(folder, dicom(RUN, sop="77.1.5.4", modality="OPT")))


def _es(folder: Path) -> Study:
    return open_study(video(folder / "case.avi"), modality="es")


def _dms(folder: Path) -> Study:
    return open_study(_file(folder, dicom(COLOUR, sop="77.1.7", modality="DMS")))


def _xc(folder: Path) -> Study:
    return open_study(_file(folder, raster(COLOUR, "jpeg")), modality="xc")


def _sm(folder: Path) -> Study:
    tiles = NOISE.integers(90, 255, (16, 32, 32, 3)).astype(np.uint8)
    return open_study(
        _file(
            folder,
            dicom(
                tiles, sop="77.1.6", modality="SM", TotalPixelMatrixColumns=128, TotalPixelMatrixRows=128,
                DimensionOrganizationType="TILED_FULL", ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
            ),
        )
    )  # fmt: skip


def _cyto(folder: Path) -> Study:
    return open_study(_file(folder, raster(COLOUR, "png")), modality="cyto")


def _smear(folder: Path) -> Study:
    return open_study(_file(folder, dicom(COLOUR, sop="77.1.2", modality="GM")), modality="smear")


def _karyo(folder: Path) -> Study:
    return open_study(_file(folder, raster(disc(64, 9, level=220, surround=15), "tiff")), modality="karyo")


def _fluo(folder: Path) -> Study:
    return open_study(_file(folder, tiff_stack([GREY, GREY[::-1]], "ImageJ=1.5\nchannels=2\n")), modality="fluo")


MADE: dict[str, tuple[Callable[[Path], Study], str, int]] = {
    "ct": (_ct, "volume", 3 + 16 + 16),
    "mr": (_mr, "volume", 48),
    "us": (_us, "frames", 16),
    "xr": (_xr, "plane", 1),
    "mg": (_mg, "plane", 1),
    "dx-dental": (_dental, "plane", 1),
    "xa": (_xa, "frames", 16 + 2),
    "pt": (_pt, "plane", 1),
    "nm": (_nm, "frames", 16),
    "op": (_op, "plane", 1),
    "opt": (_opt, "volume", 48),
    "es": (_es, "frames", 16),
    "dms": (_dms, "plane", 1),
    "xc": (_xc, "plane", 1),
    "sm": (_sm, "slide", 4 + 1),
    "cyto": (_cyto, "plane", 1),
    "smear": (_smear, "plane", 1),
    "karyo": (_karyo, "plane", 1),
    "fluo": (_fluo, "channels", 1),
}
"""id -> what makes and opens a study, its form, and how many views it has."""


def test_all_nineteen_are_here() -> None:
    assert list(MADE) == [entry.id for entry in modalities()]


@pytest.mark.parametrize("identifier", MADE)
def test_becomes_a_study_and_views(identifier: str, tmp_path: Path) -> None:
    make, form, count = MADE[identifier]
    study = make(tmp_path)
    assert study.modality == identifier
    assert study.form == form
    assert all(file.is_file() for file in study.files)
    seen = list(views(study, side=32))
    assert len(seen) == count
    for view in seen:
        assert view.pixels.shape == (32, 32, 3)
        assert view.pixels.dtype == np.float32
        assert 0.0 <= view.pixels.min() <= view.pixels.max() <= 1.0
        top, left, bottom, right = view.placed
        assert 0 <= top < bottom <= 32
        assert 0 <= left < right <= 32
    # A view in which nothing can be seen would pass all of the above.
    assert np.std([view.pixels for view in seen]) > 0.02


@pytest.mark.parametrize("identifier", MADE)
def test_the_same_content_has_the_same_key(identifier: str, tmp_path: Path) -> None:
    make, _, _ = MADE[identifier]
    study = make(tmp_path)
    key = study.content_sha256()
    assert key == study.content_sha256()
    last = study.files[-1]
    last.write_bytes(last.read_bytes() + b"\0")
    assert study.content_sha256() != key
