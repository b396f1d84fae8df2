"""One study: the pixels of a case, whatever file they lie in, one plane at a time.

A study knows its shape, spacing and orientation from headers alone. Pixels are read when they are asked for and are not
kept, so a series of a thousand slices takes the memory of one.

Coordinates are DICOM's: millimetres in the patient, x to the left, y to the back, z to the head (LPS, PS3.3 C.7.6.2).
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ConsiliumError, ImageOutOfBounds, InputError, UnreadableImage
from consilium.imaging.modalities import NativeForm

MAX_PLANE_SIDE = 32_768
"""Pixels: no detector and no camera delivers a longer side; what does is a slide, and slides are read by regions."""

MAX_PLANE_PIXELS = 100_000_000
"""A plane that is decoded whole; mammograms have 30 million pixels, stitched radiographs 60."""

MAX_SLIDE_PIXELS = 100_000_000_000
"""A whole glass slide (25 x 75 mm) at 0.14 micrometres a pixel."""

MAX_PLANES = 100_000
"""More planes than any volume, cine run or functional series has."""

Unit = Literal["HU", "Bq/ml", "g/ml", "level"]
"""What a pixel value is: Hounsfield units, activity, uptake (SUV) itself, or a number without a physical meaning."""

Affine = tuple[tuple[float, float, float, float], ...]
"""(4, 4): voxel index (plane, row, column, 1) to patient coordinates (x, y, z, 1) in millimetres, LPS."""


Vector = tuple[float, float, float]
"""A place (millimetres) or a direction (unit length) in the patient, LPS."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A window of grey levels (PS3.3 C.11.2): centre and width in pixel values; LINEAR, LINEAR_EXACT or SIGMOID."""

    centre: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LookUp:
    """A VOI look-up table (PS3.3 C.11.2.1.1): `levels[0]` is for values up to `first`; `top` is full brightness."""

    first: int
    levels: NDArray[np.uint16]
    top: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plane:
    """The pixels of one plane, and how its file asks to have them shown.

    Attributes:
        index: which plane of the study, from 0.
        pixels: (H, W) grey or (H, W, 3) RGB. Integers as stored, or float32 where a rescale or a physical unit asks
            for it. Values are those after the modality LUT.
        voi: the first window or table of the file.
        white_is_low: low values are meant to be bright (MONOCHROME1).
        padding: the value of pixels that are outside of the picture.
        time_ms: since the first frame, where the study runs over time.
    """

    index: int
    pixels: NDArray[Any]
    voi: Window | LookUp | None = None
    white_is_low: bool = False
    padding: float | None = None
    time_ms: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One level of a slide's pyramid.

    Attributes:
        width, height: pixels.
        downsample: how many pixels of level 0 one pixel is wide.
    """

    width: int
    height: int
    downsample: float


class PlaneSource(Protocol):
    """What reads the pixels of a study. It is shared by threads only if each has its own study."""

    def plane(self, index: int) -> Plane:
        """Reads plane `index`; may raise whatever a decoder raises, `Study` puts it into words."""


class RegionSource(Protocol):
    """What reads rectangles of a slide."""

    @property
    def levels(self) -> Sequence[Level]:
        """From the finest to the coarsest."""

    def region(self, x: int, y: int, width: int, height: int, level: int) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 RGB from (x, y), all in pixels of `level`; outside of the slide is white."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """Where the pixels come from, without anything that names a person, a place or a day.

    Attributes:
        reader: "dicom", "nifti", "mgh", "raster", "video" or "slide".
        transfer_syntax: UID, for DICOM.
        sop_class: UID, for DICOM.
        acquisition: what is known of the machine and its settings, e.g. {"Manufacturer": "...", "KVP": 120.0}.
        notes: what a reader has to know: a substitute that was made, an entry that is missing.
    """

    reader: str
    transfer_syntax: str = ""
    sop_class: str = ""
    acquisition: Mapping[str, str | float | tuple[float, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Study:
    """The pictures of one case, read lazily.

    Attributes:
        modality: id of `consilium.imaging.modalities`; None where neither the file nor the caller named one.
        files: in the order of the planes.
        form: what the planes are to each other.
        shape: (planes, rows, columns). A slide has one plane, of the size of its finest level.
        channels: 1 grey, 3 RGB.
        unit: of the pixel values.
        spacing_mm: between planes, rows and columns; None where nobody says.
        affine: voxel to patient, for volumes whose file says it and whose planes are parallel and evenly spaced.
        orientation: unit vectors in the patient along a row and down a column, LPS, where the file says them; also
            where the planes make no regular volume.
        frame_times_ms: since the first frame; empty where the study does not run over time.
        volumes: how many volumes follow each other in `shape[0]` planes (a 4-D series); the first one comes first.
        suv_factor: what turns pixel values into SUV by body weight, where the header allows it (PET).
        laterality: "L" or "R", where the file says it.
        regions: (top, left, bottom, right) of the parts of each plane that hold the picture, where the file says it.
    """

    modality: str | None
    files: tuple[Path, ...]
    form: NativeForm
    shape: tuple[int, int, int]
    channels: int
    provenance: Provenance
    source: PlaneSource | None = None
    slide: RegionSource | None = None
    unit: Unit = "level"
    spacing_mm: tuple[float | None, float | None, float | None] = (None, None, None)
    affine: Affine | None = None
    orientation: tuple[Vector, Vector] | None = None
    frame_times_ms: tuple[float, ...] = ()
    volumes: int = 1
    suv_factor: float | None = None
    laterality: str = ""
    regions: tuple[tuple[int, int, int, int], ...] = ()

    def __len__(self) -> int:
        return self.shape[0]

    def plane(self, index: int) -> Plane:
        """Reads one plane.

        Args:
            index: from 0; negative ones do not count from the end.

        Raises:
            InputError: there is no such plane, or the study is a slide, which is read by `region`.
            UnreadableImage: the file is damaged there.
        """
        if self.source is None:
            raise InputError("a slide is too large to be read whole", where=self.where, way_out="Read it by regions.")
        if not 0 <= index < len(self):
            raise InputError(f"there is no plane {index}", where=self.where, way_out=f"It has 0 to {len(self) - 1}.")
        source = self.source
        return decoding(lambda: source.plane(index), self.files[min(index, len(self.files) - 1)])

    def planes(self) -> Iterator[Plane]:
        """Reads all planes in order, one at a time."""
        for index in range(len(self)):
            yield self.plane(index)

    def region(self, x: int, y: int, width: int, height: int, level: int = 0) -> NDArray[np.uint8]:
        """Reads a rectangle of a slide.

        Args:
            x: left edge, in pixels of that level.
            y: top edge, in pixels of that level.
            width: in pixels of that level.
            height: in pixels of that level.
            level: of the pyramid, 0 is the finest.

        Returns:
            (height, width, 3) uint8 RGB; white where it reaches beyond the slide.

        Raises:
            InputError: the study is no slide, or there is no such level.
            ImageOutOfBounds: the rectangle is larger than what is decoded whole.
            UnreadableImage: the file is damaged there.
        """
        if self.slide is None:
            raise InputError("the study is no slide", where=self.where, way_out="Read its planes.")
        if not 0 <= level < len(self.slide.levels):
            raise InputError(f"there is no level {level}", where=self.where, way_out="See `study.slide.levels`.")
        if width < 1 or height < 1 or width * height > MAX_PLANE_PIXELS:
            raise ImageOutOfBounds(
                f"a region of {width} x {height} pixels cannot be read",
                where=self.where,
                way_out="Read a coarser level or a smaller region.",
            )
        slide = self.slide
        return decoding(lambda: slide.region(x, y, width, height, level), self.files[0])

    def content_sha256(self) -> str:
        """A key for caches: SHA-256 of the file, or of the digests of several in the order of the planes.

        It reads all files, which takes seconds for a large slide, and is therefore not part of opening.

        Raises:
            InputError: a file is no longer there.
        """
        digests = [_sha256(file) for file in self.files]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode("ascii")).hexdigest()

    @property
    def where(self) -> str:
        """What messages call it: the file, or the folder of several."""
        return str(self.files[0] if len(self.files) == 1 else self.files[0].parent)


def check_plane_size(width: int, height: int, path: Path) -> None:
    """Refuses what must not be decoded whole; called with what a header says, before anything is reserved.

    Raises:
        ImageOutOfBounds: a side is not positive, or larger than anything that is read.
    """
    if width < 1 or height < 1:
        raise ImageOutOfBounds(f"the image is {width} x {height} pixels", where=str(path), way_out=COPY_AGAIN)
    if max(width, height) > MAX_PLANE_SIDE or width * height > MAX_PLANE_PIXELS:
        raise ImageOutOfBounds(
            f"the image is {width} x {height} pixels; at most {MAX_PLANE_SIDE} on a side and "
            f"{MAX_PLANE_PIXELS // 1_000_000} million in all are read whole",
            where=str(path),
            way_out="Save it as a slide (pyramid of tiles), or in smaller parts.",
        )


def check_slide_size(width: int, height: int, path: Path) -> None:
    """Refuses a slide that no scanner makes, so that looking for its tissue comes to an end.

    Raises:
        ImageOutOfBounds: a side is not positive, or it has more than `MAX_SLIDE_PIXELS`.
    """
    if width < 1 or height < 1 or width * height > MAX_SLIDE_PIXELS:
        raise ImageOutOfBounds(f"the slide is {width} x {height} pixels", where=str(path), way_out=COPY_AGAIN)


def check_planes(count: int, path: Path) -> None:
    """Refuses a number of planes that no study has.

    Raises:
        ImageOutOfBounds: it is not positive or beyond `MAX_PLANES`.
    """
    if not 1 <= count <= MAX_PLANES:
        raise ImageOutOfBounds(
            f"the header says {count} planes; 1 to {MAX_PLANES} are read", where=str(path), way_out=COPY_AGAIN
        )


def sensible_mm(value: float | None) -> float | None:
    """A distance between pixels that can be one: from a picometre to a kilometre; None for anything else."""
    return value if value is not None and 1e-9 < value < 1e6 else None


COPY_AGAIN = "Export or copy it again."

Read = TypeVar("Read")


def decoding(read: Callable[[], Read], path: Path) -> Read:
    """Runs what reads a file, and puts whatever it raises into words.

    Raises:
        ConsiliumError: of `read` itself.
        UnreadableImage: anything else that `read` raised: decoders are the work of many hands, and what one raises on
            a file's content means that the file is damaged.
    """
    try:
        with warnings.catch_warnings():
            # Decoders warn about oddities in the metadata that do not touch the pixels.
            warnings.simplefilter("ignore")
            return read()
    except ConsiliumError:
        raise
    except FileNotFoundError as problem:
        raise UnreadableImage(
            "there is no such file or folder", where=str(path), way_out="Check the name."
        ) from problem
    except PermissionError as problem:
        raise UnreadableImage(
            "reading it is not permitted", where=str(path), way_out="Ask its owner for permission to read it."
        ) from problem
    except Exception as problem:
        detail = str(problem).strip().split("\n", 1)[0].strip() or type(problem).__name__
        raise UnreadableImage(
            f"the file is damaged or truncated ({detail[:120].rstrip('.')})", where=str(path), way_out=COPY_AGAIN
        ) from problem


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as problem:
        raise InputError(
            "the file can no longer be read", where=str(path), way_out="Open the study again."
        ) from problem
