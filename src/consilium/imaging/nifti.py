"""NIfTI-1, NIfTI-2 and MGH volumes, plain or gzipped, read plane by plane.

nibabel understands the header. The planes are read here, from where they lie: a gzipped volume is unpacked as far as
it is read and no further, and never held whole.
"""

from __future__ import annotations

import gzip
import io
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from consilium.errors import UnreadableImage
from consilium.imaging.stack import as_affine
from consilium.imaging.study import (
    COPY_AGAIN,
    Affine,
    Plane,
    Provenance,
    Study,
    Unit,
    check_plane_size,
    check_planes,
    sensible_mm,
)

_GZIP = b"\x1f\x8b"
_HEADER_BYTES = 1024
_MOST_BYTES_A_BYTE = 1100  # deflate packs 258 bytes into 2 bits at best
_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
_AIR_HU = -200.0


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where the values lie.

    Attributes:
        file: that holds them; another one than the header's for a pair of .hdr and .img.
        shape: (columns, rows, planes, volumes), the first the fastest.
        slope, intercept: what turns stored values into values.
    """

    file: Path
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, int, int, int]
    slope: float
    intercept: float

    @property
    def plane_bytes(self) -> int:
        return self.shape[0] * self.shape[1] * self.dtype.itemsize


class VolumePlanes:
    """Planes of a volume file, the last of its three axes being the one they follow each other along."""

    def __init__(self, layout: _Layout) -> None:
        self._layout = layout
        self._close: Callable[[], object] | None = None
        self._unpacking: BinaryIO | None = None

    def plane(self, index: int) -> Plane:
        """Reads plane `index`; going backwards in a gzipped file begins again at its start."""
        layout = self._layout
        raw = self._read(layout.offset + index * layout.plane_bytes, layout.plane_bytes)
        if len(raw) < layout.plane_bytes:
            raise EOFError(f"plane {index} ends after {len(raw)} of {layout.plane_bytes} bytes")
        stored = np.frombuffer(raw, layout.dtype).reshape(layout.shape[1], layout.shape[0])
        return Plane(index=index, pixels=_values(stored, layout))

    def _read(self, offset: int, length: int) -> bytes:
        if not _is_packed(self._layout.file):
            with self._layout.file.open("rb") as stream:
                stream.seek(offset)
                return stream.read(length)
        if self._unpacking is None:
            # Kept open, since every opening unpacks from the start; it is closed when this object goes.
            self._unpacking = _unpacked(self._layout.file)
            self._close = weakref.finalize(self, self._unpacking.close)
        try:
            self._unpacking.seek(offset)
            return self._unpacking.read(length)
        except BaseException:
            if self._close is not None:
                self._close()
            self._unpacking = None
            raise


def looks_like_volume(head: bytes, path: Path) -> bool:
    """Whether a file begins like a NIfTI or MGH volume.

    Args:
        head: its first bytes, at least 600 for a gzipped one.
        path: its name decides for MGH, which has no magic number.
    """
    if head.startswith(_GZIP):
        try:
            head = gzip.GzipFile(fileobj=io.BytesIO(head)).read1(_HEADER_BYTES)
        except (OSError, EOFError, ValueError):
            return _named_like_one(path)
    return _family(head, path) is not None or _named_like_one(path)


def _named_like_one(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz", ".mgh", ".mgz"))


def _family(head: bytes, path: Path) -> str | None:
    if head[344:347] in (b"n+1", b"ni1"):
        return "nifti1"
    if head[4:8] in (b"n+2\0", b"ni2\0"):
        return "nifti2"
    if path.name.lower().endswith((".mgh", ".mgz")) and head[:4] == b"\0\0\0\1":
        return "mgh"
    return None


def study_of_volume(path: Path, *, named: str | None) -> Study:
    """The study in a NIfTI or MGH file.

    Args:
        path: the file; of a pair, the .hdr or the .img.
        named: the modality, which these files do not say.

    Raises:
        ImageOutOfBounds: the header names a size that is not read.
        UnreadableImage: the file is shorter than its header says, or of a value type that is not read.
        Exception: whatever nibabel raises on a damaged header.
    """
    header_file = path.with_suffix(".hdr") if path.suffix.lower() == ".img" else path
    with _unpacked(header_file) as stream:
        head = stream.read(_HEADER_BYTES)
    family = _family(head, path)
    if family is None:
        raise UnreadableImage("its header is not that of a volume", where=str(path), way_out=COPY_AGAIN)
    header = _header(family, head)
    shape = _shape(header, path)
    dtype = np.dtype(header.get_data_dtype())
    data_file = header_file
    if family != "mgh" and (head[344:347] == b"ni1" or head[4:8] == b"ni2\0"):
        data_file = header_file.with_suffix(".img")
    slope, intercept = (None, None) if family == "mgh" else header.get_slope_inter()
    layout = _Layout(
        file=data_file,
        offset=int(header.get_data_offset()),
        dtype=dtype,
        shape=shape,
        slope=1.0 if slope is None else float(slope),
        intercept=0.0 if intercept is None else float(intercept),
    )
    _check_length(layout, path)
    units = header.get_xyzt_units()[0] if family != "mgh" else "mm"
    scale = _MILLIMETRES.get(units, 1.0)
    spacing = [float(abs(zoom)) * scale for zoom in header.get_zooms()[:3]] + [0.0] * 3
    affine = np.asarray(header.get_affine() if family == "mgh" else header.get_best_affine(), dtype=np.float64)
    source = VolumePlanes(layout)
    colour = dtype.fields is not None
    unit, notes = _unit(source, layout, named) if not colour else ("level", ())
    return Study(
        modality=named,
        files=(header_file,) if data_file == header_file else (header_file, data_file),
        form="volume" if shape[2] > 1 else "plane",
        shape=(shape[2] * shape[3], shape[1], shape[0]),
        channels=3 if colour else 1,
        provenance=Provenance(reader="mgh" if family == "mgh" else "nifti", notes=notes),
        source=source,
        unit=unit,
        spacing_mm=(sensible_mm(spacing[2]), sensible_mm(spacing[1]), sensible_mm(spacing[0])),
        affine=_lps(affine, scale),
        volumes=shape[3],
    )


def _is_packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == _GZIP


def _unpacked(path: Path) -> BinaryIO:
    return gzip.GzipFile(path, "rb") if _is_packed(path) else path.open("rb")  # type: ignore[return-value]


_HEADERS = {
    "nifti1": ("nibabel.nifti1", "Nifti1Header"),
    "nifti2": ("nibabel.nifti2", "Nifti2Header"),
    "mgh": ("nibabel.freesurfer.mghformat", "MGHHeader"),
}


def _header(family: str, head: bytes) -> Any:
    # Imported when a volume comes along, because it takes a third of a second.
    module, name = _HEADERS[family]
    return getattr(import_module(module), name).from_fileobj(io.BytesIO(head), check=False)


def _shape(header: Any, path: Path) -> tuple[int, int, int, int]:
    sides = [int(side) for side in header.get_data_shape()]
    if not sides or min(sides) < 1:
        raise UnreadableImage(f"its header says {sides} as its size", where=str(path), way_out=COPY_AGAIN)
    if len([side for side in sides if side > 1]) < 2:
        raise UnreadableImage(
            "it holds values along a line, such as those of a surface, and no picture",
            where=str(path),
            way_out="Choose a volume.",
        )
    columns, rows, planes, *further = [*sides, 1, 1, 1][: max(len(sides), 3) + 1]
    volumes = 1
    for side in further:
        volumes *= side
    check_plane_size(columns, rows, path)
    check_planes(planes * volumes, path)
    return columns, rows, planes, volumes


def _check_length(layout: _Layout, path: Path) -> None:
    if layout.dtype.kind not in "buifcV" or layout.dtype.itemsize > 16:
        raise UnreadableImage(
            f"values of type {layout.dtype} are not read", where=str(path), way_out="Save it as int16 or float32."
        )
    needed = layout.offset + layout.plane_bytes * layout.shape[2] * layout.shape[3]
    size = layout.file.stat().st_size
    if needed > (size * _MOST_BYTES_A_BYTE if _is_packed(layout.file) else size) or layout.offset < 0:
        raise UnreadableImage(
            f"the file is truncated: {needed} bytes are needed, {size} are there", where=str(path), way_out=COPY_AGAIN
        )


def _values(stored: NDArray[Any], layout: _Layout) -> NDArray[Any]:
    if stored.dtype.fields is not None:
        return np.stack([stored[name] for name in stored.dtype.names or ()][:3], axis=-1).astype(np.uint8)
    if stored.dtype.kind == "c":
        stored = np.abs(stored)
    if (layout.slope, layout.intercept) != (1.0, 0.0):
        return stored.astype(np.float32) * np.float32(layout.slope) + np.float32(layout.intercept)
    native = stored.astype(stored.dtype.newbyteorder("="))
    return native.astype(np.float32) if native.dtype.kind == "f" or native.dtype.itemsize > 4 else native


def _unit(source: VolumePlanes, layout: _Layout, named: str | None) -> tuple[Unit, tuple[str, ...]]:
    """CT volumes say no unit; one with air in it can only be in Hounsfield units."""
    if named == "pt":
        return "level", ("SUV cannot be computed: the file says neither a dose nor a weight",)
    if named != "ct":
        return "level", ()
    middle = source.plane(layout.shape[2] // 2).pixels
    if float(np.nanmin(middle)) < _AIR_HU:
        return "HU", ("the file does not say its unit; values below -200 were taken for Hounsfield units",)
    return "level", ("the file does not say its unit, and no value is that of air",)


def _lps(affine: NDArray[np.float64], scale: float) -> Affine | None:
    """From (column, row, plane) to RAS millimetres, nibabel's way, to (plane, row, column) to LPS millimetres."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        return None
    turned = np.diag([-scale, -scale, scale, 1.0]) @ affine
    return as_affine(turned[:, [2, 1, 0, 3]])
