"""All of the real DICOM and NIfTI samples: what is a picture is read, what is none is named."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from consilium.errors import ConsiliumError, UnreadableImage
from consilium.imaging.open_study import open_study
from consilium.imaging.views import views

pytestmark = pytest.mark.real_data

WITHOUT_A_PICTURE = (
    "000_NA", "008_ANN", "009_CR", "026_CT", "050_ECG", "103_RTPLAN", "118_SR", "119_SR", "120_SR",
)  # fmt: skip
SPOILT = ("068_NM",)
"""Made by its authors to be so: a delimiter stands in the middle of the header of its JPEG 2000 data."""

NO_VOLUME = ("27_lh.Yeo2011.mgz",)
"""Values on the surface of a hemisphere."""


@pytest.fixture(scope="module")
def dicom_samples(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom")
    with zipfile.ZipFile(real_data / "dicom" / "samples.zip") as packed:
        packed.extractall(folder)
    return folder


def test_all_dicom_samples(dicom_samples: Path) -> None:
    pytest.importorskip("imagecodecs", reason="29 of them need imagecodecs (extra dicom)")
    index = csv.DictReader(io.StringIO((dicom_samples / "index.csv").read_text(encoding="utf-8")))
    refused, read, syntaxes = [], 0, set()
    for row in index:
        path = dicom_samples / row["file"]
        try:
            study = open_study(path)
            if study.source is not None:
                assert all(plane.pixels.shape[:2] == study.shape[1:] for plane in study.planes())
            seen = list(views(study, side=32, slices=2, frames=2, tiles=2))
        except UnreadableImage as error:
            assert error.way_out
            refused.append(path.stem)
            continue
        read += 1
        syntaxes.add(study.provenance.transfer_syntax)
        assert seen
        assert all(np.isfinite(view.pixels).all() for view in seen)
    assert sorted(refused) == sorted((*WITHOUT_A_PICTURE, *SPOILT))
    assert read == 104
    assert len(syntaxes) == 18


def test_the_base_installation_reads_most(dicom_samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    read = 0
    for path in sorted(dicom_samples.glob("*.dcm")):
        try:
            list(views(open_study(path), side=16, slices=1, frames=1, tiles=1))
            read += 1
        except ConsiliumError as error:
            assert error.way_out
    assert read >= 70


def test_the_same_slice_in_many_compressions_looks_the_same(dicom_samples: Path) -> None:
    """Six of the samples are one CT slice, stored in six ways."""
    pytest.importorskip("imagecodecs", reason="these need imagecodecs (extra dicom)")
    names = ("024_CT", "031_CT", "032_CT", "033_CT", "034_CT", "036_CT")
    pictures = [open_study(dicom_samples / f"{name}.dcm").plane(0).pixels for name in names]
    reference = pictures[0]
    assert reference.std() > 100
    for name, picture in zip(names[1:], pictures[1:], strict=True):
        limit = 0.0 if name == "034_CT" else 40.0
        assert np.abs(picture - reference).mean() <= limit, name


def test_all_volume_samples(real_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(real_data / "dicom" / "nifti_samples.zip") as packed:
        names = packed.namelist()
        packed.extractall(tmp_path)
    refused = []
    for name in names:
        try:
            study = open_study(tmp_path / name, modality="mr")
        except UnreadableImage:
            refused.append(name)
            continue
        assert study.affine is not None
        for view in views(study, side=32, slices=2):
            assert np.isfinite(view.pixels).all()
    assert tuple(refused) == NO_VOLUME
    assert len(names) == 33


def test_volumes_agree_with_nibabel(real_data: Path, tmp_path: Path) -> None:
    import nibabel

    with zipfile.ZipFile(real_data / "dicom" / "nifti_samples.zip") as packed:
        for name in ("04_CT_AVM.nii.gz", "08_pcasl.nii.gz", "13_aparc.a2009s+aseg.mgz", "00_EPI_PE=AP_3.nii"):
            packed.extract(name, tmp_path)
            theirs = nibabel.load(tmp_path / name)
            values = np.asarray(theirs.dataobj)
            values = values.reshape(*values.shape[:3], -1)
            study = open_study(tmp_path / name)
            depth = len(study) // study.volumes
            for index in (0, len(study) // 2, len(study) - 1):
                expected = values[:, :, index % depth, index // depth].T
                np.testing.assert_allclose(study.plane(index).pixels, expected, rtol=1e-5)
            voxel = np.array([3, 5, 7, 1])
            right, front, up, _ = theirs.affine @ voxel
            ours = np.asarray(study.affine) @ [7, 5, 3, 1]
            np.testing.assert_allclose(ours[:3], [-right, -front, up], rtol=1e-5, atol=1e-3)
