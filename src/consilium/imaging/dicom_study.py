"""DICOM files become a study: one file, or the files of one series sorted by where they lie in the patient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from consilium.errors import InputError
from consilium.imaging.dicom_file import DicomFile, open_dicom, read_header
from consilium.imaging.dicom_frame_groups import (
    attribute,
    first_number,
    frame_times_ms,
    orientation,
    pixel_spacing,
    position,
    rescale,
    slice_gap,
    ultrasound_regions,
    voi,
)
from consilium.imaging.modalities import NativeForm, modality, modality_of_dicom
from consilium.imaging.stack import Stack, stacked
from consilium.imaging.study import Plane, Provenance, Study, Unit, Vector, check_planes, decoding
from consilium.imaging.suv import suv_factor

_TILED = "TotalPixelMatrixColumns"
_ACQUISITION = (
    "Manufacturer", "ManufacturerModelName", "BodyPartExamined", "ViewPosition", "KVP", "SliceThickness",
    "ConvolutionKernel", "MagneticFieldStrength", "ScanningSequence", "RepetitionTime", "EchoTime", "FlipAngle",
    "Units", "DecayCorrection", "BitsStored", "PhotometricInterpretation", "LossyImageCompression",
    "BurnedInAnnotation",
)  # fmt: skip
"""Attributes that name a machine or a setting; none is free text in which a name may stand (PS3.15 annex E)."""


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """Where one plane of the study lies: which file, and which frame of it."""

    file: Path
    frame: int


class DicomPlanes:
    """Planes out of DICOM files, in the order of the study; at most one file is held open, as a header."""

    def __init__(self, frames: Sequence[_Frame], times_ms: Sequence[float], opened: DicomFile | None) -> None:
        self._frames = frames
        self._times_ms = times_ms
        self._opened = opened

    def plane(self, index: int) -> Plane:
        """Reads plane `index`: stored values, then palette or modality LUT (PS3.3 C.11.1)."""
        place = self._frames[index]
        if self._opened is None or self._opened.path != place.file:
            self._opened = open_dicom(place.file)
        file = self._opened
        header = file.header
        pixels, padding = _values(file, place.frame)
        return Plane(
            index=index,
            pixels=pixels,
            voi=voi(header, place.frame) if pixels.ndim == 2 else None,
            white_is_low=str(header.get("PhotometricInterpretation") or "") == "MONOCHROME1",
            padding=padding,
            time_ms=self._times_ms[index] if self._times_ms else None,
        )


def _values(file: DicomFile, frame: int) -> tuple[NDArray[Any], float | None]:
    header = file.header
    stored = file.stored(frame)
    stored = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    photometric = str(header.get("PhotometricInterpretation") or "")
    if photometric == "PALETTE COLOR":
        stored = apply_color_lut(stored, header)
    if stored.ndim == 3:
        return _eight_bits(stored[..., :3], header, photometric), None
    padding = first_number(header.get("PixelPaddingValue"))
    if "ModalityLUTSequence" in header:
        return np.asarray(apply_modality_lut(stored, header)), None
    slope, intercept = rescale(header, frame)
    if (slope, intercept) == (1.0, 0.0):
        if stored.dtype.itemsize > 4 or stored.dtype.kind == "f":
            stored = stored.astype(np.float32)
        return stored, padding
    values = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    return values, None if padding is None else padding * slope + intercept


def _eight_bits(colour: NDArray[Any], header: Dataset, photometric: str) -> NDArray[np.uint8]:
    if colour.dtype == np.uint8:
        return np.ascontiguousarray(colour)
    # Palettes give 16 bits of which the upper ones count; other colour uses as many bits as it says.
    bits = 16 if photometric == "PALETTE COLOR" else int(header.get("BitsStored") or 16)
    return np.ascontiguousarray(np.clip(colour.astype(np.int64) >> max(bits - 8, 0), 0, 255).astype(np.uint8))


def study_of_dicom(path: Path, *, named: str | None) -> Study:
    """The study in one DICOM file.

    Args:
        path: a file that was found to be DICOM.
        named: the modality that the caller names, or None to take it from the header.

    Raises:
        UnreadableImage: no picture, damaged, or of a compression that is not read.
        ImageOutOfBounds: a size that is not decoded.
    """
    file = open_dicom(path)
    header = file.header
    if file.syntax in uid.MPEGTransferSyntaxes:
        from consilium.imaging.video import study_of_dicom_video

        return study_of_dicom_video(file, modality_id=_modality(header, named), provenance=_provenance(file, ()))
    if first_number(header.get(_TILED)) is not None and file.frames > 1:
        from consilium.imaging.dicom_slide import study_of_dicom_slide

        return study_of_dicom_slide([file], modality_id=_modality(header, named), provenance=_provenance(file, ()))
    places = [_Frame(file=path, frame=index) for index in range(file.frames)]
    stack = stacked(
        positions=[position(header, index) for index in range(file.frames)],
        orientations=[orientation(header, index) for index in range(file.frames)],
        in_plane=pixel_spacing(header, 0),
    )
    return _study([places[index] for index in stack.order], [path], file, stack, named)


@dataclass(frozen=True, kw_only=True)
class SeriesFile:
    """What sorting needs of one file of a series.

    Attributes:
        frames: how many pictures it holds.
        size: (rows, columns).
        acquisition: Acquisition Number, 0 where there is none.
        number: Instance Number, 0 where there is none.
    """

    path: Path
    series: str
    frames: int
    size: tuple[int, int]
    position: Vector | None
    directions: tuple[Vector, Vector] | None
    acquisition: float
    number: float


def series_of(paths: Iterable[Path]) -> dict[str, list[SeriesFile]]:
    """The files of a folder by the series they belong to.

    Args:
        paths: DICOM files; those without a picture, such as reports, are left out.

    Returns:
        Series Instance UID -> files, in the order in which the series were met. Files without that UID are a series
        of their own each, called by their name.

    Raises:
        ImageOutOfBounds: more files than a study has planes.
        UnreadableImage: a file is damaged.
    """
    series: dict[str, list[SeriesFile]] = defaultdict(list)
    for count, path in enumerate(paths, 1):
        check_planes(count, path.parent)
        file = decoding(lambda path=path: _series_file(path), path)  # type: ignore[misc]
        if file is not None:
            series[file.series].append(file)
    return dict(series)


def _series_file(path: Path) -> SeriesFile | None:
    header = read_header(path)
    if header.get("Rows") is None or header.get("Columns") is None:
        return None
    return SeriesFile(
        path=path,
        series=str(header.get("SeriesInstanceUID") or path.name),
        frames=int(header.get("NumberOfFrames") or 1),
        size=(int(header.Rows), int(header.Columns)),
        position=position(header, 0),
        directions=orientation(header, 0),
        acquisition=first_number(header.get("AcquisitionNumber")) or 0.0,
        number=first_number(header.get("InstanceNumber")) or 0.0,
    )


def study_of_series(files: Sequence[SeriesFile], *, named: str | None) -> Study:
    """The study that the files of one series are.

    Args:
        files: all with the same Series Instance UID.
        named: the modality that the caller names, or None to take it from the headers.

    Raises:
        InputError: the pictures differ in size or orientation, so they are no stack.
        UnreadableImage: a file is damaged.
    """
    first = files[0].path
    if len(files) == 1:
        return decoding(lambda: study_of_dicom(first, named=named), first)
    opened = decoding(lambda: open_dicom(first), first)
    if first_number(opened.header.get(_TILED)) is not None:
        from consilium.imaging.dicom_slide import study_of_dicom_slide

        levels = [decoding(lambda path=file.path: open_dicom(path), file.path) for file in files]  # type: ignore[misc]
        return study_of_dicom_slide(
            levels, modality_id=_modality(opened.header, named), provenance=_provenance(opened, ())
        )
    _refuse_mixture(files)
    files = sorted(files, key=lambda file: (file.acquisition, file.number, str(file.path)))
    stack = stacked(
        positions=[file.position for file in files],
        orientations=[file.directions for file in files],
        in_plane=pixel_spacing(opened.header, 0),
    )
    places = [_Frame(file=files[index].path, frame=0) for index in stack.order]
    opened = decoding(lambda: open_dicom(places[0].file), places[0].file)
    return _study(places, [place.file for place in places], opened, stack, named)


def _refuse_mixture(files: Sequence[SeriesFile]) -> None:
    kinds: dict[tuple[Any, ...], list[SeriesFile]] = defaultdict(list)
    for file in files:
        if file.frames > 1:
            raise InputError(
                f"one of several files of a series holds {file.frames} frames",
                where=str(file.path),
                way_out="Open that file by itself.",
            )
        directions = None if file.directions is None else tuple(np.round(np.ravel(file.directions), 2) + 0.0)
        kinds[(file.size, directions)].append(file)
    if len(kinds) > 1:
        parts = "; ".join(
            f"{len(group)} of {group[0].size[1]} x {group[0].size[0]} pixels, first {group[0].path.name}"
            for group in list(kinds.values())[:6]
        )
        raise InputError(
            f"the pictures of the series differ in size or orientation ({parts})",
            where=str(files[0].path.parent),
            way_out="Open the files one by one, or put each stack into a folder of its own.",
        )


def _study(
    places: Sequence[_Frame], files: Sequence[Path], opened: DicomFile, stack: Stack, named: str | None
) -> Study:
    header = opened.header
    modality_id = _modality(header, named)
    factor, notes = None, list(stack.notes)
    if modality_id == "pt":
        factor, why = suv_factor(header)
        notes += [why] if why else []
    times = () if stack.is_volume else frame_times_ms(header, len(places))
    colour = opened.samples == 3 or str(header.get("PhotometricInterpretation")) == "PALETTE COLOR"
    spacing = pixel_spacing(header, 0)
    gap = stack.gap_mm if stack.gap_mm is not None else (slice_gap(header) if len(places) > 1 else None)
    # Parallel planes without positions: a secondary capture or an old converter wrote them.
    form = _form(header, modality_id, len(places), stack, bool(times))
    return Study(
        modality=modality_id,
        files=tuple(files),
        form=form,
        shape=(len(places), int(header.Rows), int(header.Columns)),
        channels=3 if colour else 1,
        provenance=_provenance(opened, tuple(notes)),
        source=DicomPlanes(places, times, opened),
        unit=_unit(header, modality_id),
        spacing_mm=(gap, *(spacing or (None, None))),
        affine=stack.affine,
        orientation=orientation(header, 0),
        frame_times_ms=times,
        volumes=stack.volumes,
        suv_factor=factor,
        laterality=_laterality(header),
        regions=ultrasound_regions(header),
    )


def _form(header: Dataset, modality_id: str | None, planes: int, stack: Stack, timed: bool) -> NativeForm:
    if planes == 1:
        return "plane"
    if stack.is_volume:
        return "volume"
    reconstructed = "TOMO" in " ".join(map(str, header.get("ImageType") or []))
    if modality_id == "nm":
        return "volume" if reconstructed else "frames"
    native = modality(modality_id).native_form if modality_id is not None else None
    return "volume" if native == "volume" and not timed else "frames"


def _modality(header: Dataset, named: str | None) -> str | None:
    if named is not None:
        return named
    found = modality_of_dicom(str(header.get("Modality") or ""), str(header.get("SOPClassUID") or ""))
    return None if found is None else found.id


def _unit(header: Dataset, modality_id: str | None) -> Unit:
    if modality_id == "ct" and header.get("SOPClassUID") in modality("ct").sop_classes:
        kind = attribute(header, 0, "RescaleType", "PixelValueTransformationSequence")
        return "HU" if kind in (None, "HU", "HU_MOD") else "level"
    units: dict[str, Unit] = {"BQML": "Bq/ml", "GML": "g/ml"}
    return units.get(str(header.get("Units") or ""), "level") if modality_id == "pt" else "level"


def _laterality(header: Dataset) -> str:
    for keyword, group in (("ImageLaterality", ""), ("Laterality", ""), ("FrameLaterality", "FrameAnatomySequence")):
        value = str(attribute(header, 0, keyword, group) or "").strip().upper()
        if value in ("L", "R"):
            return value
    return ""


def _provenance(file: DicomFile, notes: tuple[str, ...]) -> Provenance:
    acquisition: dict[str, str | float | tuple[float, ...]] = {}
    for keyword in _ACQUISITION:
        value = file.header.get(keyword)
        if value is None or value == "":
            continue
        number = first_number(value)
        if number is not None and not isinstance(value, str):
            acquisition[keyword] = number
        else:
            acquisition[keyword] = str(value)[:64]
    return Provenance(
        reader="dicom",
        transfer_syntax=str(file.header.file_meta.get("TransferSyntaxUID") or file.syntax),
        sop_class=str(file.header.get("SOPClassUID") or ""),
        acquisition=acquisition,
        notes=notes,
    )
