"""Masks as files with the geometry of the picture or volume that they belong to: PNG, or NIfTI."""

from __future__ import annotations

import gzip
import io
import os
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError, OutputError, UnreadableImage
from consilium.imaging.open_study import open_study
from consilium.specialist.segmentation.overlap import Labels

_NIFTI = (".nii", ".nii.gz")
_SPREAD = (0.5, 99.5)


def is_volume_file(path: Path) -> bool:
    """Whether a file is named like a NIfTI volume."""
    return path.name.lower().endswith(_NIFTI)


def read_mask(path: Path) -> Labels:
    """Numbers of classes or objects in a PNG (H, W) or a NIfTI file (planes, rows, columns).

    Raises:
        UnreadableImage: damaged, or in colour.
    """
    if is_volume_file(path):
        return np.asarray(np.rint(read_volume(path)[0]), np.intp)
    from PIL import Image

    try:
        with Image.open(path) as image:
            found = np.asarray(image)
    except (OSError, ValueError) as problem:
        raise UnreadableImage(
            f"the mask cannot be read ({problem})", where=str(path), way_out="Save it as PNG."
        ) from problem
    if found.ndim != 2:
        raise UnreadableImage(
            f"a mask has one number a pixel, this one has shape {found.shape}",
            where=str(path),
            way_out="Save it as a PNG of grey levels, 0 where nothing is outlined.",
        )
    return found.astype(np.intp)


def read_volume(path: Path) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    """Values (planes, rows, columns) of a volume, and the spacing of each axis in millimetres (1 where it is not told).

    Raises:
        InputError: several volumes, or colour.
        UnreadableImage: damaged.
    """
    study = open_study(path)
    if study.volumes != 1 or study.channels != 1:
        raise InputError(
            f"{study.volumes} volumes of {study.channels} channels are no single volume of values",
            where=str(path),
            way_out="Give one volume a file.",
        )
    planes = np.stack([study.plane(number).pixels for number in range(study.shape[0])])
    spacing = [1.0 if size is None else float(size) for size in study.spacing_mm]
    return planes.astype(np.float32), (spacing[0], spacing[1], spacing[2])


def spread_volume(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values 0..1 between the 0.5th and 99.5th percentile of a volume."""
    low, high = np.percentile(values, _SPREAD)
    return np.asarray(np.clip((values - low) / max(float(high - low), 1e-6), 0, 1), np.float32)


def write_mask(mask: Labels, path: Path, *, like: Path) -> None:
    """Write a mask so that it lies on the picture it was made of, whole or not at all.

    Args:
        mask: (H, W), or (planes, rows, columns) of a volume.
        path: to be written; .png for a picture, .nii or .nii.gz for a volume.
        like: the volume whose affine and units the mask gets; not looked at for a picture.

    Raises:
        InputError: the mask and the name do not fit each other, or the mask has not the size of the volume.
        OutputError: it cannot be written.
    """
    if (mask.ndim == 3) != is_volume_file(path) or (mask.ndim == 2 and path.suffix.lower() != ".png"):
        raise InputError(
            f"a mask of {mask.ndim} dimensions is not written as {path.name}",
            way_out="Use .png for a picture and .nii.gz for a volume.",
        )
    content = mask_bytes(mask, like=like, packed=path.suffix.lower() == ".gz")
    write_whole(content, path)


def write_whole(content: bytes, path: Path) -> None:
    """Write a file so that it is there whole or not at all; folders are made.

    Raises:
        OutputError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as problem:
        raise OutputError(
            f"it cannot be written ({problem.strerror or problem})", where=str(path), way_out="Choose another folder."
        ) from problem
    finally:
        beside.unlink(missing_ok=True)


def mask_bytes(mask: Labels, *, like: Path, packed: bool = True) -> bytes:
    """A mask as a file: PNG of a picture, NIfTI of a volume; arguments as of `write_mask`.

    Args:
        mask: (H, W), or (planes, rows, columns).
        like: the volume.
        packed: whether a NIfTI file is gzipped.

    Raises:
        InputError: the mask has not the size of the volume.
    """
    kind = np.uint8 if mask.max(initial=0) < 256 else np.uint16
    if mask.ndim == 3:
        content = _volume_bytes(mask.astype(kind), like)
        return gzip.compress(content, mtime=0) if packed else content
    from PIL import Image

    page = io.BytesIO()
    Image.fromarray(mask.astype(kind)).save(page, "PNG")
    return page.getvalue()


def _volume_bytes(mask: NDArray[np.unsignedinteger], like: Path) -> bytes:
    nibabel = import_module("nibabel")
    source = nibabel.load(like)
    turned = mask.transpose(2, 1, 0)
    if turned.shape != source.shape[:3]:
        raise InputError(
            f"the mask has {turned.shape} voxels and the volume {source.shape}",
            where=str(like),
            way_out="Segment it again.",
        )
    written = nibabel.Nifti1Image(turned, source.affine)
    # What the coordinates mean (scanner, template) is told by the codes, apart from the affine.
    for get, put in (("get_sform", "set_sform"), ("get_qform", "set_qform")):
        affine, code = getattr(source, get, lambda **_: (None, 0))(coded=True)
        getattr(written, put)(affine, int(code))
    if hasattr(source.header, "get_xyzt_units"):
        written.header.set_xyzt_units(*source.header.get_xyzt_units())
    return bytes(written.to_bytes())
