"""What a DICOM header says of one frame: place, size, window, time.

Classic files say it once at the top; enhanced ones in functional groups, shared by all frames or for each
(PS3.3 C.7.6.16). Here a frame is asked and the nearest answer counts: its own group, the shared one, the top.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from consilium.imaging.study import LookUp, Vector, Window, sensible_mm


def attribute(header: Dataset, frame: int, keyword: str, group: str) -> Any:
    """The value of an attribute for one frame, or None.

    Args:
        header: the data set.
        frame: its index, from 0.
        keyword: of the attribute, e.g. "PixelSpacing".
        group: keyword of the functional group sequence that may hold it, e.g. "PixelMeasuresSequence".
    """
    for holder in _holders(header, frame, group):
        value = holder.get(keyword)
        if value is not None and value != "":
            return value
    return None


def _holders(header: Dataset, frame: int, group: str) -> Iterator[Dataset]:
    own = header.get("PerFrameFunctionalGroupsSequence")
    if own is not None and frame < len(own):
        yield from own[frame].get(group) or []
    for shared in header.get("SharedFunctionalGroupsSequence") or []:
        yield from shared.get(group) or []
    yield header


def numbers(value: Any, count: int) -> tuple[float, ...] | None:
    """`count` finite numbers, or None where the value is anything else."""
    if value is None or isinstance(value, (str, bytes)):
        return None
    values = list(value) if isinstance(value, Sequence) or hasattr(value, "__iter__") else [value]
    if len(values) != count:
        return None
    try:
        made = tuple(float(entry) for entry in values)
    except (TypeError, ValueError):
        return None
    return made if all(math.isfinite(entry) for entry in made) else None


def first_number(value: Any) -> float | None:
    """The first of one or several values as a finite number, or None."""
    if value is None or value == "":
        return None
    if not isinstance(value, (str, int, float)) and hasattr(value, "__iter__"):
        value = next(iter(value), None)
    try:
        made = float(value)
    except (TypeError, ValueError):
        return None
    return made if math.isfinite(made) else None


def position(header: Dataset, frame: int) -> Vector | None:
    """Centre of the top left pixel in the patient, millimetres LPS (Image Position (Patient))."""
    value = numbers(attribute(header, frame, "ImagePositionPatient", "PlanePositionSequence"), 3)
    return None if value is None else (value[0], value[1], value[2])


def orientation(header: Dataset, frame: int) -> tuple[Vector, Vector] | None:
    """Unit vectors along a row and down a column (Image Orientation (Patient)); None where they are no right angle."""
    value = numbers(attribute(header, frame, "ImageOrientationPatient", "PlaneOrientationSequence"), 6)
    if value is None:
        return None
    along, down = np.asarray(value[:3]), np.asarray(value[3:])
    lengths = float(np.linalg.norm(along)), float(np.linalg.norm(down))
    if min(lengths) < 0.5 or abs(float(along @ down)) > 0.01 * lengths[0] * lengths[1]:
        return None
    along, down = along / lengths[0], down / lengths[1]
    return (float(along[0]), float(along[1]), float(along[2])), (float(down[0]), float(down[1]), float(down[2]))


def pixel_spacing(header: Dataset, frame: int) -> tuple[float, float] | None:
    """Millimetres between rows and between columns."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        value = numbers(attribute(header, frame, keyword, "PixelMeasuresSequence"), 2)
        if value is not None and sensible_mm(value[0]) and sensible_mm(value[1]):
            return value[0], value[1]
    for region in header.get("SequenceOfUltrasoundRegions") or []:
        # Units 3 are centimetres (PS3.3 C.8.5.5.1.1).
        across, down = first_number(region.get("PhysicalDeltaX")), first_number(region.get("PhysicalDeltaY"))
        centimetres = region.get("PhysicalUnitsXDirection") == 3 and region.get("PhysicalUnitsYDirection") == 3
        if centimetres and across and down and sensible_mm(abs(across)) and sensible_mm(abs(down)):
            return abs(down) * 10.0, abs(across) * 10.0
    return None


def slice_gap(header: Dataset) -> float | None:
    """Millimetres between planes as the header says them, for files that give no positions."""
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        value = sensible_mm(first_number(attribute(header, 0, keyword, "PixelMeasuresSequence")))
        if value is not None:
            return value
    return None


def voi(header: Dataset, frame: int) -> Window | LookUp | None:
    """The first VOI LUT or window of a frame (PS3.3 C.11.2); None where there is none that can be used."""
    for entry in header.get("VOILUTSequence") or []:
        table = _look_up(entry)
        if table is not None:
            return table
    centre = first_number(attribute(header, frame, "WindowCenter", "FrameVOILUTSequence"))
    width = first_number(attribute(header, frame, "WindowWidth", "FrameVOILUTSequence"))
    function = str(attribute(header, frame, "VOILUTFunction", "FrameVOILUTSequence") or "LINEAR").upper()
    function = function if function in ("LINEAR", "LINEAR_EXACT", "SIGMOID") else "LINEAR"
    if centre is None or width is None or width < (1 if function == "LINEAR" else 0) or width == 0:
        return None
    return Window(centre=centre, width=width, function=function)


def _look_up(entry: Dataset) -> LookUp | None:
    descriptor, data = entry.get("LUTDescriptor"), entry.get("LUTData")
    if descriptor is None or data is None or len(descriptor) != 3:
        return None
    count, first, bits = (int(value) for value in descriptor)
    if isinstance(data, bytes):
        data = np.frombuffer(data[: len(data) & ~1], "<u2")
    levels = np.asarray(data, dtype=np.int64).ravel()[: count or 1 << 16]
    if levels.size < 2 or not 8 <= bits <= 16 or levels.min() < 0 or levels.max() >> bits:
        return None
    return LookUp(first=first, levels=levels.astype(np.uint16), top=(1 << bits) - 1)


def rescale(header: Dataset, frame: int) -> tuple[float, float]:
    """Slope and intercept of the modality LUT (PS3.3 C.11.1); (1, 0) where there is none."""
    slope = first_number(attribute(header, frame, "RescaleSlope", "PixelValueTransformationSequence"))
    intercept = first_number(attribute(header, frame, "RescaleIntercept", "PixelValueTransformationSequence"))
    return (1.0 if slope is None or slope == 0 else slope), (0.0 if intercept is None else intercept)


def frame_times_ms(header: Dataset, frames: int) -> tuple[float, ...]:
    """When each frame was taken, milliseconds since the first (PS3.3 C.7.6.5); empty where nobody says."""
    vector = header.get("FrameTimeVector")
    if vector is not None and not isinstance(vector, (str, float, int)) and len(vector) == frames:
        steps = numbers(vector, frames)
        if steps is not None and min(steps) >= 0:
            # The first entry is the time before the first frame and says nothing.
            return tuple(float(time) for time in np.cumsum((0.0, *steps[1:])))
    step = first_number(header.get("FrameTime"))
    if step is None or step <= 0:
        rate = first_number(header.get("CineRate")) or first_number(header.get("RecommendedDisplayFrameRate"))
        step = 1000.0 / rate if rate is not None and rate > 0 else first_number(header.get("ActualFrameDuration"))
    if step is None or step <= 0:
        return ()
    return tuple(index * step for index in range(frames))


def normal(directions: tuple[Vector, Vector]) -> NDArray[np.float64]:
    """The unit vector along which planes follow each other: row direction cross column direction."""
    return np.cross(np.asarray(directions[0]), np.asarray(directions[1]))


def ultrasound_regions(header: Dataset) -> tuple[tuple[int, int, int, int], ...]:
    """(top, left, bottom, right) of the parts that hold tissue or flow (Sequence of Ultrasound Regions, C.8.5.5)."""
    rows, columns = int(header.Rows), int(header.Columns)
    found = []
    for region in header.get("SequenceOfUltrasoundRegions") or []:
        corners = [
            first_number(region.get(f"RegionLocation{corner}")) for corner in ("MinY0", "MinX0", "MaxY1", "MaxX1")
        ]
        kind = region.get("RegionDataType")
        if kind not in (None, 1, 2) or None in corners:
            continue
        top, left, bottom, right = (int(corner) for corner in corners if corner is not None)
        top, left, bottom, right = max(top, 0), max(left, 0), min(bottom + 1, rows), min(right + 1, columns)
        if bottom - top >= 16 and right - left >= 16:
            found.append((top, left, bottom, right))
    return tuple(found)
