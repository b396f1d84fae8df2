from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from consilium.imaging.anatomy import anatomy_of
from consilium.imaging.open_study import open_study
from consilium.imaging.study import Study
from consilium.imaging.views import views
from tests.imaging.made_files import ct_slice, nifti

# One lit voxel block at the patient's left, front, top, in a volume whose axes run x to the left, y to the back, z up.
SIDES = (24, 16, 12)  # x, y, z


def _volume() -> np.ndarray:  # type: ignore[type-arg]
    values = np.zeros(SIDES, np.float32)
    values[18:22, 2:6, 8:11] = 100.0
    return values


def _stored(order: tuple[int, int, int], flips: tuple[int, int, int], folder: Path) -> Study:
    """The volume stored along other axes and directions, with the affine that says so."""
    values, lps = _volume(), np.eye(4)
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1.0
    values = np.transpose(values, order)
    for stored, patient in enumerate(order):
        matrix[patient, stored] = flips[stored]
        if flips[stored] < 0:
            values = np.flip(values, stored)
            matrix[patient, 3] += SIDES[patient] - 1
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps @ matrix
    path = folder / "case.nii"
    path.write_bytes(nifti(np.ascontiguousarray(values), ras))
    return open_study(path, modality="mr")


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1)])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1)])
def test_sections_are_hung_the_same_however_they_are_stored(
    order: tuple[int, int, int], flips: tuple[int, int, int], tmp_path: Path
) -> None:
    study = _stored(order, flips, tmp_path)
    seen = list(views(study, side=24, slices=24))
    assert {view.kind for view in seen} == {"axial", "coronal", "sagittal"}
    # (row, column) of the light's middle in a hung section: the front on top, the left to the right, the head on top.
    expected = {"axial": (3.5, 19.5), "coronal": (11 - 9.0, 19.5), "sagittal": (11 - 9.0, 3.5)}
    for kind, place in expected.items():
        summed = np.sum([view.pixels[..., 0] for view in seen if view.kind == kind], axis=0)
        top, left, bottom, right = next(view.placed for view in seen if view.kind == kind)
        rows, columns = np.nonzero(summed > 0.5 * summed.max())
        scale = 24 / {"axial": 24, "coronal": 24, "sagittal": 16}[kind]
        assert rows.mean() - top == pytest.approx((place[0] + 0.5) * scale - 0.5, abs=1.1)
        assert columns.mean() - left == pytest.approx((place[1] + 0.5) * scale - 0.5, abs=1.1)
        high, wide = {"axial": (16, 24), "coronal": (12, 24), "sagittal": (12, 16)}[kind]
        assert (bottom - top, right - left) == (pytest.approx(high * scale, abs=1), pytest.approx(wide * scale, abs=1))


def test_an_oblique_volume_uses_each_axis_once(tmp_path: Path) -> None:
    turn = np.deg2rad(40)
    matrix = np.eye(4)
    matrix[1:3, 1:3] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    path = tmp_path / "case.nii"
    path.write_bytes(nifti(_volume(), matrix))
    anatomy = anatomy_of(open_study(path))
    assert sorted(anatomy.axes) == [0, 1, 2]
    assert anatomy.section(0) == "axial"


def test_uneven_planes_are_still_named_by_their_orientation(tmp_path: Path) -> None:
    for number, x in enumerate((0.0, 1.0, 2.0, 9.0)):
        slice_ = ct_slice(
            0.0, ImagePositionPatient=[x, 0.0, 0.0], ImageOrientationPatient=[0, 1, 0, 0, 0, -1], InstanceNumber=number
        )
        (tmp_path / f"{number}").write_bytes(slice_)
    study = open_study(tmp_path)
    assert study.affine is None
    assert study.orientation == ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
    assert [anatomy_of(study).section(axis) for axis in range(3)] == ["sagittal", "axial", "coronal"]


def test_without_an_affine_planes_are_taken_for_axial(tmp_path: Path) -> None:
    path = tmp_path / "case.nii"
    content = bytearray(nifti(_volume()))
    content[280:328] = bytes(48)  # the rows of the affine
    path.write_bytes(content)
    study = open_study(path)
    assert study.affine is None
    assert [anatomy_of(study).section(axis) for axis in range(3)] == ["axial", "coronal", "sagittal"]
