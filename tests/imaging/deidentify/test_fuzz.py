"""Whatever a file holds, cleaning it ends in a clean file or in `NotDeidentified`, and its name is in no clean file."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from consilium.errors import NotDeidentified
from consilium.imaging.deidentify.policy import Policy
from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.refusal import Reason, Refused
from consilium.imaging.deidentify.run import clean_file

Builder = Callable[..., bytes]
FUZZ = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
KINDS = ("explicit", "implicit", "big endian", "deflated", "png", "jpeg", "tiff", "webp", "nifti", "nifti.gz")


@pytest.fixture(scope="module")
def valid(make_file: Builder) -> dict[str, bytes]:
    def nested(data: Dataset) -> None:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "51185008", "SCT", "Chest"
        data.AnatomicRegionSequence = Sequence([item])
        data.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "Quixwell")

    files = {
        "explicit": make_file(change=nested),
        "implicit": make_file(change=nested, syntax=uid.ImplicitVRLittleEndian),
        "big endian": make_file(change=nested, syntax=uid.ExplicitVRBigEndian),
        "deflated": make_file(change=nested, syntax=uid.DeflatedExplicitVRLittleEndian),
    }
    for kind in ("png", "jpeg", "tiff", "webp"):
        buffer = io.BytesIO()
        Image.fromarray(np.add.outer(np.arange(40), np.arange(50)).astype(np.uint8)).save(buffer, kind.upper())
        files[kind] = buffer.getvalue()
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 4, 4, 4, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 4, 16)
    struct.pack_into("<f", header, 108, 352.0)
    header[344:348] = b"n+1\0"
    files["nifti"] = bytes(header) + bytes(128)
    files["nifti.gz"] = gzip.compress(files["nifti"], mtime=0)
    return files


def cleaned(content: bytes, folder: Path, pseudonyms: Pseudonyms) -> None:
    path = folder / "file"
    path.write_bytes(content)
    try:
        clean = clean_file(path, Policy(), pseudonyms)
        clean.check(clean.content)
    except NotDeidentified as error:
        assert error.way_out
    else:
        assert b"Quixwell" not in clean.content[:-200] or clean.kind != "dicom"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
@FUZZ
@given(data=st.data())
def test_changed_bytes(
    kind: str, data: st.DataObject, valid: dict[str, bytes], tmp_path: Path, pseudonyms: Pseudonyms
) -> None:
    content = bytearray(valid[kind])
    # Half of the changes hit the header, where lengths, counts and offsets stand.
    place = st.integers(0, len(content) - 1) | st.integers(0, min(len(content), 1500) - 1)
    for at, value in data.draw(st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=8)):
        content[at] = value
    cleaned(bytes(content), tmp_path, pseudonyms)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
@FUZZ
@given(data=st.data())
def test_cut_short_or_spliced(
    kind: str, data: st.DataObject, valid: dict[str, bytes], tmp_path: Path, pseudonyms: Pseudonyms
) -> None:
    content = valid[kind]
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, len(content)))
    cleaned(content[:start] + data.draw(st.binary(max_size=40)) + content[stop:], tmp_path, pseudonyms)


@FUZZ
@given(content=st.binary(max_size=600))
def test_random_bytes(content: bytes, tmp_path: Path, pseudonyms: Pseudonyms) -> None:
    cleaned(content, tmp_path, pseudonyms)


def reason(content: bytes, folder: Path, pseudonyms: Pseudonyms) -> Reason:
    path = folder / "file"
    path.write_bytes(content)
    with pytest.raises(Refused) as caught:
        clean_file(path, Policy(), pseudonyms)
    return caught.value.reason


def test_bombs_are_refused_before_they_unpack(
    make_file: Builder, tmp_path: Path, pseudonyms: Pseudonyms, monkeypatch: pytest.MonkeyPatch
) -> None:
    from consilium.imaging.deidentify import dicom_file, nifti_file

    monkeypatch.setattr(dicom_file, "MAX_FILE_BYTES", 1 << 20)
    monkeypatch.setattr(nifti_file, "MAX_FILE_BYTES", 1 << 20)
    whole = make_file(syntax=uid.DeflatedExplicitVRLittleEndian)
    start = 144 + int.from_bytes(whole[140:144], "little")
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = deflater.compress(bytes(32 << 20)) + deflater.flush()
    assert reason(whole[:start] + bomb, tmp_path, pseudonyms) is Reason.TOO_LARGE
    header = struct.pack("<i", 348) + bytes(340) + b"n+1\0" + bytes(4)
    assert reason(gzip.compress(header + bytes(32 << 20)), tmp_path, pseudonyms) is Reason.TOO_LARGE


def test_sequences_of_thousands_of_levels_are_refused(
    make_file: Builder, tmp_path: Path, pseudonyms: Pseudonyms
) -> None:
    opening = b"\x08\x00\x18\x22SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    content = make_file()
    at = content.index(b"\x10\x00\x10\x00PN")
    # Read as far as it goes, or not at all: both are refused.
    assert reason(content[:at] + opening * 4000, tmp_path, pseudonyms) in (Reason.NESTED_TOO_DEEP, Reason.DAMAGED)
