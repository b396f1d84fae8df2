from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from consilium.errors import ConsiliumError, ImageOutOfBounds, UnreadableImage
from consilium.imaging.open_study import open_study
from consilium.imaging.study import Study
from tests.imaging.made_files import mgh, nifti

VALUES = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)
PLACE = np.array([[-2.0, 0, 0, 90], [0, 3.0, 0, -126], [0, 0, 4.0, -72], [0, 0, 0, 1]])


def _study(folder: Path, content: bytes, name: str = "case.nii", **options: Any) -> Study:
    path = folder / name
    path.write_bytes(content)
    return open_study(path, **options)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i2", ">i2", "i4", "f4", "f8"])
def test_planes_lie_along_the_last_axis(packed: bool, dtype: str, tmp_path: Path) -> None:
    study = _study(tmp_path, nifti(VALUES.astype(dtype), PLACE, packed=packed))
    assert study.form == "volume"
    assert study.shape == (3, 4, 5)
    for index in (2, 0, 1):
        np.testing.assert_array_equal(study.plane(index).pixels, VALUES[:, :, index].T)


def test_the_affine_leads_to_the_left_the_back_and_the_head(tmp_path: Path) -> None:
    study = _study(tmp_path, nifti(VALUES, PLACE))
    assert study.spacing_mm == (4.0, 3.0, 2.0)
    column, row, plane = 1, 2, 1
    right, front, up, _ = PLACE @ [column, row, plane, 1]
    np.testing.assert_allclose(np.asarray(study.affine) @ [plane, row, column, 1], [-right, -front, up, 1])


def test_micrometres_become_millimetres(tmp_path: Path) -> None:
    content = nifti(VALUES, PLACE, xyzt_units=3)
    assert _study(tmp_path, content).spacing_mm == pytest.approx((0.004, 0.003, 0.002))


def test_values_are_scaled(tmp_path: Path) -> None:
    study = _study(tmp_path, nifti(VALUES, scl_slope=0.5, scl_inter=-3.0))
    np.testing.assert_allclose(study.plane(1).pixels, VALUES[:, :, 1].T * 0.5 - 3.0)


def test_a_fourth_axis_is_volumes_in_turn(tmp_path: Path) -> None:
    study = _study(tmp_path, nifti(np.stack([VALUES, VALUES + 100], axis=3)))
    assert (study.shape[0], study.volumes) == (6, 2)
    np.testing.assert_array_equal(study.plane(4).pixels, VALUES[:, :, 1].T + 100)


def test_colour(tmp_path: Path) -> None:
    rgb = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    values = np.zeros((5, 4, 2), rgb)
    values["R"], values["B"] = 200, 7
    study = _study(tmp_path, nifti(values))
    assert study.channels == 3
    assert study.plane(1).pixels[0, 0].tolist() == [200, 0, 7]


def test_complex_values_count_by_their_size(tmp_path: Path) -> None:
    study = _study(tmp_path, nifti((VALUES * (3 + 4j)).astype(np.complex64)))
    np.testing.assert_allclose(study.plane(0).pixels, VALUES[:, :, 0].T * 5.0)


@pytest.mark.parametrize("name", ["case.mgh", "case.mgz"])
def test_mgh(name: str, tmp_path: Path) -> None:
    content = mgh(VALUES.astype(np.float32))
    study = _study(tmp_path, gzip.compress(content) if name.endswith("z") else content, name)
    assert study.provenance.reader == "mgh"
    np.testing.assert_array_equal(study.plane(2).pixels, VALUES[:, :, 2].T)


def test_a_pair_of_header_and_image(tmp_path: Path) -> None:
    from nibabel.nifti1 import Nifti1Pair

    Nifti1Pair(VALUES, PLACE).to_filename(tmp_path / "case.img")
    for name in ("case.hdr", "case.img"):
        study = open_study(tmp_path / name)
        assert [file.name for file in study.files] == ["case.hdr", "case.img"]
        np.testing.assert_array_equal(study.plane(1).pixels, VALUES[:, :, 1].T)


class TestUnitOfCt:
    def test_with_air_it_is_hounsfield(self, tmp_path: Path) -> None:
        study = _study(tmp_path, nifti(VALUES - 1000), modality="ct")
        assert study.unit == "HU"
        assert "taken for Hounsfield" in study.provenance.notes[0]

    def test_without_it_stays_open(self, tmp_path: Path) -> None:
        assert _study(tmp_path, nifti(VALUES), modality="ct").unit == "level"


class TestHostile:
    def _with_sides(self, sides: list[int], packed: bool = False) -> bytes:
        content = bytearray(nifti(VALUES))
        content[40:56] = np.array([len(sides), *sides, *[1] * (7 - len(sides))], "<i2").tobytes()
        return gzip.compress(bytes(content)) if packed else bytes(content)

    @pytest.mark.parametrize("packed", [False, True])
    @pytest.mark.parametrize(
        "sides",
        [[32767, 32767, 32767], [30000, 3000, 3000], [500, 500, 500, 500], [100, 100, 10], [5, 4, -3], [5, 0, 3]],
    )
    def test_absurd_sides(self, sides: list[int], packed: bool, tmp_path: Path) -> None:
        with pytest.raises((ImageOutOfBounds, UnreadableImage)):
            _study(tmp_path, self._with_sides(sides, packed))

    def test_a_bomb_is_unpacked_no_further_than_its_planes(self, tmp_path: Path) -> None:
        import tracemalloc

        bomb = gzip.compress(nifti(VALUES) + b"\0" * 60_000_000, 6)
        assert len(bomb) < 1 << 20
        tracemalloc.start()
        try:
            study = _study(tmp_path, bomb, "bomb.nii.gz")
            for plane in study.planes():
                assert plane.pixels.shape == (4, 5)
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
        finally:
            tracemalloc.stop()

    def test_a_packed_file_that_ends_early(self, tmp_path: Path) -> None:
        values = np.random.default_rng(0).integers(0, 999, (40, 40, 10)).astype(np.int16)
        content = nifti(values, packed=True)
        study = _study(tmp_path, content[: len(content) // 2])
        with pytest.raises(UnreadableImage, match="damaged or truncated"):
            list(study.planes())
        # The planes before the break can still be read, also after the error.
        np.testing.assert_array_equal(study.plane(0).pixels, values[:, :, 0].T)

    @pytest.mark.parametrize("offset", [-5.0, 1e12, float("nan"), float("inf")])
    def test_an_absurd_offset(self, offset: float, tmp_path: Path) -> None:
        content = bytearray(nifti(VALUES))
        content[108:112] = np.array([offset], "<f4").tobytes()
        with pytest.raises(ConsiliumError):
            list(_study(tmp_path, bytes(content)).planes())

    def test_values_on_a_surface_are_no_picture(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableImage, match="along a line"):
            _study(tmp_path, nifti(np.zeros((3000, 1, 1), np.float32)))


def numbers(shape: tuple[int, ...]) -> NDArray[np.int16]:
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def test_a_single_plane_is_a_picture(tmp_path: Path) -> None:
    study = _study(tmp_path, nifti(numbers((6, 5))))
    assert study.form == "plane"
    assert study.shape == (1, 5, 6)
