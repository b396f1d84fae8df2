"""What is opened may be larger than memory: only the plane that is looked at is held."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from consilium.imaging.open_study import open_study
from consilium.imaging.views import views
from tests.imaging.made_files import ct_slice, dicom, nifti

GIBIBYTE = 1 << 30


@contextmanager
def _peak_below(mebibytes: float) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < mebibytes * 2**20
    finally:
        tracemalloc.stop()


def test_a_run_of_two_gibibytes(tmp_path: Path) -> None:
    """A sparse file: its frames are holes on the disk, and read as black."""
    frames = 8192
    content = dicom(np.zeros((2, 512, 512), np.uint8), sop="12.1", modality="XA", NumberOfFrames=frames)
    size = frames * 512 * 512
    header = content[: -2 * 512 * 512 - 4]
    path = tmp_path / "run"
    with path.open("wb") as stream:
        stream.write(header + size.to_bytes(4, "little"))
        stream.truncate(len(header) + 4 + size)
        stream.seek(-512 * 512, 2)
        stream.write(b"\x80" * (512 * 512))
    with _peak_below(16):
        study = open_study(path)
        assert len(study) == frames
        assert study.plane(frames - 1).pixels.min() == 0x80
        assert study.plane(frames // 2).pixels.max() == 0


def test_a_volume_of_a_gibibyte(tmp_path: Path) -> None:
    header = bytearray(nifti(np.zeros((2, 2, 2), np.int16))[:352])
    header[40:56] = np.array([3, 1024, 1024, 512, 1, 1, 1, 1], "<i2").tobytes()
    path = tmp_path / "volume.nii"
    with path.open("wb") as stream:
        stream.write(header)
        stream.truncate(352 + GIBIBYTE)
        stream.seek(352 + 256 * 1024 * 1024 * 2)
        stream.write((np.arange(1024 * 1024) % 1000).astype("<i2").tobytes())
    with _peak_below(64):
        study = open_study(path, modality="mr")
        assert study.plane(256).pixels.max() == 999
        assert len(list(views(study, side=64, planes=["axial"]))) == 16


def test_views_of_a_series_take_the_memory_of_a_few_planes(tmp_path: Path) -> None:
    for index in range(60):
        (tmp_path / f"{index:03d}").write_bytes(ct_slice(float(index), index, side=256))
    # 60 planes as float32 are 15 MiB; the sections across them that are gathered are 2 x 16 rows of each.
    with _peak_below(12):
        assert len(list(views(open_study(tmp_path)))) == 48
