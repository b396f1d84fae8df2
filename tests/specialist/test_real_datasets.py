"""The sets of real test data are read, and their copies are found."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from consilium.specialist.dataset import Dataset, read_dataset
from consilium.specialist.duplicates import contradictions, looks, merged, same_looks

pytestmark = pytest.mark.real_data


def _read(real_data: Path, name: str, folder: Path) -> Dataset:
    with zipfile.ZipFile(real_data / "medical" / f"{name}.zip") as archive:
        archive.extractall(folder)
    return read_dataset(folder / "manifest.csv")


@pytest.mark.parametrize(
    ("name", "task", "cases", "groups"),
    [
        ("ct_head_hemorrhage", "binary", 200, 200),
        ("cyto_lbc_pap", "multiclass", 350, 18),
        ("op_odir_cataract", "binary", 586, 472),
        ("op_drishti_disc_cup", "segment", 36, 36),
        ("xc_foot_ulcer", "segment", None, None),
    ],
)
def test_a_manifest_is_read(
    real_data: Path, tmp_path: Path, name: str, task: str, cases: int | None, groups: int | None
) -> None:
    found = _read(real_data, name, tmp_path)
    assert found.task == task
    if cases is not None:
        assert (len(found.cases), len(set(found.groups.tolist()))) == (cases, groups)
    if name == "ct_head_hemorrhage":
        assert found.labels == ("normal", "hemorrhage")


def test_the_copies_of_the_breast_ultrasound_set_are_found(real_data: Path, tmp_path: Path) -> None:
    # Twenty of these pairs, ten within 2 bits and ten at 3 or 4, were looked at: all were copies.
    found = _read(real_data, "us_busi_breast", tmp_path)
    pairs = same_looks([looks(cv2.imread(str(case.file), cv2.IMREAD_GRAYSCALE)) for case in found.cases])
    sizes = np.bincount(merged(np.arange(len(found.cases)), pairs))
    assert 600 <= len(sizes) <= 650
    assert sizes.max() <= 5
    assert 5 <= len(contradictions(pairs, [case.labels for case in found.cases])) <= 15
