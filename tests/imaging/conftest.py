"""One small valid file of each kind, all showing the same grey ramp."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid
from pydicom.dataset import FileDataset, FileMetaDataset

RAMP = np.add.outer(np.arange(40) * 2, np.arange(56) * 3).astype(np.uint8)
"""(40, 56) uint8, 0 at the top left and 243 at the bottom right; no two rows or columns are alike."""


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as a file of that kind."""
    buffer = io.BytesIO()
    picture.save(buffer, kind.upper(), **options)
    return buffer.getvalue()


def dicom_file(pixels: NDArray[Any], *, syntax: str = uid.ExplicitVRLittleEndian, **attributes: Any) -> bytes:
    """A secondary-capture DICOM file; attributes override what follows from the pixels."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = uid.SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    meta.TransferSyntaxUID = uid.UID(syntax)
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = uid.SecondaryCaptureImageStorage, "1.2.3.4"
    bits = pixels.dtype.itemsize * 8
    data.Rows, data.Columns = pixels.shape[:2]
    data.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    data.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit = bits - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    data["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def ramp() -> NDArray[np.uint8]:
    return RAMP


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    return encoded


@pytest.fixture(scope="session")
def make_dicom() -> Callable[..., bytes]:
    return dicom_file


@pytest.fixture(scope="session")
def valid_files() -> dict[str, bytes]:
    """One file of each kind and storage that decoders treat differently."""
    grey, colour = Image.fromarray(RAMP), Image.fromarray(RAMP).convert("RGB")
    deep = Image.fromarray(RAMP.astype(np.uint16) * 257)
    return {
        "png": encoded(grey, "png"),
        "png16": encoded(deep, "png"),
        "jpeg": encoded(grey, "jpeg", quality=95),
        "tiff": encoded(grey, "tiff"),
        "tiff16": encoded(deep, "tiff"),
        "tiff_lzw": encoded(colour, "tiff", compression="tiff_lzw"),
        "bmp": encoded(grey, "bmp"),
        "webp": encoded(colour, "webp", lossless=True),
        "webp_lossy": encoded(colour, "webp", quality=90),
        "dicom": dicom_file(RAMP),
        "dicom_deflated": dicom_file(RAMP, syntax=uid.DeflatedExplicitVRLittleEndian),
        "dicom_jpeg": dicom_file(
            RAMP, syntax=uid.JPEGBaseline8Bit, PixelData=pydicom.encaps.encapsulate([encoded(grey, "jpeg", quality=95)])
        ),
    }
