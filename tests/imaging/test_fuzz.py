"""Whatever a file holds, reading it ends in an image or in a `ConsiliumError`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.errors import ConsiliumError
from consilium.imaging.read import read_image

KINDS = (
    "png", "png16", "jpeg", "tiff", "tiff16", "tiff_lzw", "bmp", "webp", "webp_lossy",
    "dicom", "dicom_deflated", "dicom_jpeg",
)  # fmt: skip

# The fixture's folder is shared by the examples on purpose: each overwrites the one file in it.
FUZZ = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def _read(content: bytes, folder: Path) -> None:
    path = folder / "cell"
    path.write_bytes(content)
    try:
        image = read_image(path)
    except ConsiliumError as error:
        assert error.where == str(path)
        assert error.way_out
    else:
        assert image.pixels.ndim == 2
        assert image.pixels.dtype in (np.uint8, np.uint16)


@pytest.mark.parametrize("kind", KINDS)
@FUZZ
@given(data=st.data())
def test_changed_bytes(kind: str, data: st.DataObject, valid_files: dict[str, bytes], tmp_path: Path) -> None:
    content = bytearray(valid_files[kind])
    # Half of the changes hit the header, where lengths, counts and offsets stand.
    place = st.integers(0, len(content) - 1) | st.integers(0, min(len(content), 700) - 1)
    changes = data.draw(st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=12))
    for at, value in changes:
        content[at] = value
    _read(bytes(content), tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@FUZZ
@given(data=st.data())
def test_cut_short_or_spliced(kind: str, data: st.DataObject, valid_files: dict[str, bytes], tmp_path: Path) -> None:
    content = valid_files[kind]
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, len(content)))
    middle = data.draw(st.binary(max_size=40))
    _read(content[:start] + middle + content[stop:], tmp_path)
    _read(content[:start], tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@FUZZ
@given(tail=st.binary(max_size=400), kept=st.integers(2, 200))
def test_random_bytes_behind_a_true_start(
    kind: str, tail: bytes, kept: int, valid_files: dict[str, bytes], tmp_path: Path
) -> None:
    _read(valid_files[kind][:kept] + tail, tmp_path)


@FUZZ
@given(content=st.binary(max_size=600))
def test_random_bytes(content: bytes, tmp_path: Path) -> None:
    _read(content, tmp_path)
