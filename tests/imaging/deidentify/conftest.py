"""Made-up patients in every kind of file."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset

from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.site_key import SiteKey

Builder = Callable[..., bytes]


def dicom_bytes(
    *,
    pixels: NDArray[Any] | None = None,
    sop_class: str = uid.CTImageStorage,
    syntax: str = uid.ExplicitVRLittleEndian,
    preamble: bytes = b"\0" * 128,
    change: Callable[[Dataset], None] = lambda _data: None,
    **attributes: Any,
) -> bytes:
    """A CT slice of a made-up patient; attributes override, `change` may do anything to the data set."""
    picture = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48) % 977 if pixels is None else pixels
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.4711.3"
    meta.TransferSyntaxUID = uid.UID(syntax)
    data = FileDataset("", {}, file_meta=meta, preamble=preamble)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = sop_class, "1.2.826.0.1.4711.3"
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.826.0.1.4711.1", "1.2.826.0.1.4711.2"
    data.PatientName, data.PatientID, data.PatientBirthDate = "Quixwell^Ottoline", "HOSP-0815-77", "19310417"
    data.PatientSex, data.PatientAge = "F", "072Y"
    data.StudyDate, data.StudyTime, data.AccessionNumber, data.StudyID = "20031119", "101530", "ACC-55512", "9"
    data.AcquisitionDate = "20031121"
    data.InstitutionName, data.ReferringPhysicianName = "Wexborough Infirmary", "Blatherwick^Ezra"
    data.Modality, data.BodyPartExamined, data.Manufacturer = "CT", "CHEST", "Acme"
    data.StationName, data.DeviceSerialNumber = "CTWEX03", "SN-99817"
    data.SeriesDescription = "Chest axial 5mm"
    data.Rows, data.Columns = (
        picture.shape[-2:] if picture.ndim == 2 or picture.shape[-1] != 3 else picture.shape[-3:-1]
    )
    data.SamplesPerPixel = 3 if picture.ndim > 2 and picture.shape[-1] == 3 else 1
    data.PhotometricInterpretation = "RGB" if data.SamplesPerPixel == 3 else "MONOCHROME2"
    if data.SamplesPerPixel == 3:
        data.PlanarConfiguration = 0
    bits = picture.dtype.itemsize * 8
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit, data.PixelRepresentation = bits - 1, 0
    data.PixelData = picture.tobytes() + b"\0" * (picture.nbytes % 2)
    data["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    change(data)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def make_file() -> Builder:
    return dicom_bytes


@pytest.fixture(scope="session")
def pseudonyms() -> Pseudonyms:
    return Pseudonyms(SiteKey(b"k" * 32))


@pytest.fixture(scope="session")
def other_pseudonyms() -> Pseudonyms:
    return Pseudonyms(SiteKey(b"x" * 32))
