from __future__ import annotations

import gzip
import struct
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from consilium.imaging.deidentify.nifti_file import clean_nifti, is_nifti
from consilium.imaging.deidentify.policy import Policy
from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.refusal import Reason, Refused

NAME = b"Quixwell"
VOXELS = np.arange(5 * 6 * 7, dtype=np.int16)


def volume(*, two: bool = False, order: str = "<", extension: bytes = b"") -> bytes:
    """A volume of 5 x 6 x 7 voxels with a name in every place for text."""
    size = 540 if two else 348
    header = bytearray(size)
    struct.pack_into(f"{order}i", header, 0, size)
    start = size + 4 + len(extension)
    if two:
        header[4:12] = b"n+2\0\r\n\x1a\n"
        struct.pack_into(f"{order}hh8q", header, 12, 4, 16, 3, 5, 6, 7, 1, 1, 1, 1)
        struct.pack_into(f"{order}q", header, 168, start)
        places = (240, 320, 508)
    else:
        header[344:348] = b"n+1\0"
        struct.pack_into(f"{order}8h", header, 40, 3, 5, 6, 7, 1, 1, 1, 1)
        struct.pack_into(f"{order}hh", header, 70, 4, 16)
        struct.pack_into(f"{order}f", header, 108, float(start))
        struct.pack_into(f"{order}3f", header, 80, 0.5, 0.5, 2.0)
        places = (4, 14, 148, 228, 328)
    for at in places:
        header[at : at + 8] = NAME
    flag = b"\x01\0\0\0" if extension else b"\0\0\0\0"
    return bytes(header) + flag + extension + VOXELS.astype(f"{order}i2").tobytes()


EXTENSION = struct.pack("<ii", 32, 6) + NAME * 3


@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("extension", [b"", EXTENSION])
@pytest.mark.parametrize("zipped", [False, True])
def test_the_same_voxels_and_no_name(
    two: bool, order: str, extension: bytes, zipped: bool, pseudonyms: Pseudonyms
) -> None:
    content = volume(two=two, order=order, extension=extension) + NAME
    clean = clean_nifti(gzip.compress(content) if zipped else content, Policy(), pseudonyms)
    clean.check(clean.content)
    plain = gzip.decompress(clean.content) if zipped else clean.content
    assert NAME not in plain
    start = (540 if two else 348) + 4
    assert plain[start:] == VOXELS.astype(f"{order}i2").tobytes()
    assert plain[80:92] == content[80:92]
    assert clean.place.endswith(".nii.gz" if zipped else ".nii")
    assert is_nifti(clean.content[:1024])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (volume()[:400], Reason.DAMAGED),
        (gzip.compress(volume())[:-12], Reason.DAMAGED),
        (volume()[:344] + b"ni1\0" + volume()[348:], Reason.DAMAGED),
        (volume()[:40] + b"\xff\x7f" * 8 + volume()[56:], Reason.DAMAGED),
    ],
)
def test_what_is_refused(content: bytes, reason: Reason, pseudonyms: Pseudonyms) -> None:
    with pytest.raises(Refused) as caught:
        clean_nifti(content, Policy(), pseudonyms)
    assert caught.value.reason is reason


def test_a_mask_is_refused_and_not_forgotten(pseudonyms: Pseudonyms) -> None:
    with pytest.raises(Refused) as caught:
        clean_nifti(volume(), Policy(masks=((0, 0, 1, 1),)), pseudonyms)
    assert caught.value.reason is Reason.MASK_NOT_POSSIBLE


@pytest.mark.real_data
def test_real_volumes_keep_their_voxels(real_data: Path, pseudonyms: Pseudonyms) -> None:
    written = 0
    with ZipFile(real_data / "dicom" / "nifti_samples.zip") as samples:
        for name in samples.namelist():
            content = samples.read(name)
            if not is_nifti(content[:1024]):
                continue
            try:
                clean = clean_nifti(content, Policy(), pseudonyms)
            except Refused:
                continue
            clean.check(clean.content)
            written += 1
    assert written >= 10
