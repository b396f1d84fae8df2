"""Small files of every family that a study can be in, made here so that no image of anybody is needed."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items

STORAGE = "1.2.840.10008.5.1.4.1.1."


def dicom(
    frames: NDArray[Any] | Sequence[bytes],
    *,
    sop: str = "7",
    modality: str = "OT",
    syntax: str = uid.ExplicitVRLittleEndian,
    shape: tuple[int, ...] | None = None,
    encapsulated: bytes | None = None,
    **attributes: Any,
) -> bytes:
    """A DICOM file.

    Args:
        frames: (H, W), (H, W, 3) or (T, H, W[, 3]) stored values; or compressed frames, with `shape` beside them.
        sop: what follows the root of the storage classes.
        syntax: the transfer syntax.
        shape: of one frame, where they are compressed: (H, W) or (H, W, 3).
        encapsulated: the bytes of the pixel element, in place of one fragment a frame.
        attributes: further ones, or others than follow from the pixels; None leaves one out.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = uid.UID(STORAGE + sop)
    meta.MediaStorageSOPInstanceUID = uid.UID("1.2.3.4")
    meta.TransferSyntaxUID = uid.UID(syntax)
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, "1.2.3.4"
    data.Modality = modality
    data.SeriesInstanceUID = "1.2.3"
    if isinstance(frames, np.ndarray):
        colour = frames.shape[-1] == 3 and frames.ndim >= 3
        shape = frames.shape[-3:] if colour else frames.shape[-2:]
        count = frames.shape[0] if frames.ndim > len(shape) else 1
        bits, signed = frames.dtype.itemsize * 8, frames.dtype.kind == "i"
        content = frames.tobytes()
        pixels = content + b"\0" * (len(content) % 2)
    else:
        assert shape is not None
        count, bits, signed = len(frames), 8, False
        pixels = encapsulate(list(frames)) if encapsulated is None else encapsulated
    data.Rows, data.Columns = shape[:2]
    data.SamplesPerPixel = 3 if len(shape) == 3 else 1
    data.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    if len(shape) == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit, data.PixelRepresentation = bits - 1, int(signed)
    if count > 1:
        data.NumberOfFrames = count
    data.PixelData = pixels
    data["PixelData"].VR = "OB" if bits == 8 or not isinstance(frames, np.ndarray) else "OW"
    for keyword, value in attributes.items():
        if value is None:
            del data[keyword]
        else:
            setattr(data, keyword, value)
    if "HighBit" not in attributes:
        data.HighBit = data.BitsStored - 1
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


def item(**attributes: Any) -> Dataset:
    """A data set for a sequence."""
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def items(*entries: Dataset) -> Items:
    """A sequence."""
    return Items(list(entries))


AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def ct_slice(z: float, value: int = 0, side: int = 32, **attributes: Any) -> bytes:
    """An axial CT slice at height z mm whose Hounsfield units are all `value`, but for a corner of air."""
    stored = np.full((side, side), value + 1024, np.uint16)
    stored[:4, :4] = 24
    place = {
        "ImagePositionPatient": [-10.0, -20.0, z], "ImageOrientationPatient": AXIAL, "PixelSpacing": [0.5, 0.25],
        "RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU", "InstanceNumber": 1,
    }  # fmt: skip
    return dicom(stored, sop="2", modality="CT", **(place | attributes))


def write_series(folder: Path, heights: Sequence[float], **attributes: Any) -> list[Path]:
    """A CT series in a folder, one file a height, its values the rank of the height; written in the order given."""
    folder.mkdir(exist_ok=True)
    ranks = {height: rank for rank, height in enumerate(sorted(heights))}
    files = []
    for number, height in enumerate(heights):
        file = folder / f"IM{number:04d}"
        file.write_bytes(ct_slice(height, ranks[height], InstanceNumber=number + 1, **attributes))
        files.append(file)
    return files


def nifti(values: NDArray[Any], affine: NDArray[Any] | None = None, packed: bool = False, **entries: Any) -> bytes:
    """A NIfTI-1 file of (x, y, z[, t]) values."""
    from nibabel.nifti1 import Nifti1Image

    made = Nifti1Image(values, np.eye(4) if affine is None else affine)
    for name, value in entries.items():
        made.header[name] = value
    content: bytes = made.to_bytes()
    return gzip.compress(content, 1) if packed else content


def mgh(values: NDArray[Any]) -> bytes:
    """An MGH file of (x, y, z) values."""
    from nibabel.freesurfer.mghformat import MGHImage

    content: bytes = MGHImage(values, np.eye(4)).to_bytes()
    return content


def raster(pixels: NDArray[Any], kind: str, **options: Any) -> bytes:
    """A picture as a PNG, JPEG, TIFF, BMP or WebP file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind.upper(), **options)
    return buffer.getvalue()


def tiff_stack(pages: Sequence[NDArray[Any]], description: str = "") -> bytes:
    """A TIFF of several pages."""
    buffer = io.BytesIO()
    pictures = [Image.fromarray(page) for page in pages]
    pictures[0].save(buffer, "TIFF", save_all=True, append_images=pictures[1:], description=description)
    return buffer.getvalue()


def video(path: Path, frames: int = 20, shape: tuple[int, int] = (48, 64), rate: float = 25.0) -> Path:
    """An AVI (MJPG) or MP4 whose frame n has about the grey level 10 n + 20."""
    code = {".avi": "MJPG", ".mp4": "mp4v"}[path.suffix]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), rate, (shape[1], shape[0]))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(np.full((*shape, 3), 10 * number + 20, np.uint8))
    writer.release()
    return path


def disc(side: int, radius: float, level: int = 200, surround: int = 0) -> NDArray[np.uint8]:
    """(side, side) uint8: a disc on a surround."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.where(np.hypot(x, y) <= radius, level, surround).astype(np.uint8)
