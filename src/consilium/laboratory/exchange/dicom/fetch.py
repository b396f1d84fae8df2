"""Pictures of a study come from an archive: all of them, each one readable, or none; begun again where it broke off.

Only the picture is kept, with the UIDs by which the archive knows it: what its header says of the patient stays there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.errors import ConsiliumError, EngineError, InputError, NotFound, OutputError
from consilium.imaging.read import read_image
from consilium.laboratory.exchange.dicom.archive import FoundInstance, FoundStudy, Spoken, Take, Wanted

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MOST_PICTURES = 500
_NO_PICTURES = frozenset({"SR", "KO", "PR", "DOC", "SEG", "ANN", "REG", "RWV"})
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")

KEPT = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "ImageType", "Rows",
    "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration", "NumberOfFrames", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
    "PixelAspectRatio", "RescaleSlope", "RescaleIntercept", "RescaleType", "WindowCenter", "WindowWidth",
    "VOILUTFunction", "PresentationLUTShape", "PixelIntensityRelationship", "SmallestImagePixelValue",
    "LargestImagePixelValue", "PixelPaddingValue", "LossyImageCompression", "LossyImageCompressionRatio",
    "LossyImageCompressionMethod", "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "PixelData",
)  # fmt: skip
"""What is kept of an object; all else stays in the archive."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What came.

    Attributes:
        folder: with the pictures.
        files: each picture, named by its UID.
        came: how many came in this call; the others had come before.
        left_out: objects of the study that are no pictures.
    """

    folder: Path
    files: tuple[Path, ...]
    came: int
    left_out: int


def check_uid(text: str) -> str:
    """A UID (PS3.5, 9.1), as it may stand in a question and in the name of a file.

    Raises:
        InputError: it is none.
    """
    found = text.strip()
    if not _UID.fullmatch(found) or len(found) > 64:
        raise InputError("this is no UID", way_out="As `consilium laboratory pacs find` lists them.")
    return found


def only_study(archive: Spoken, uid: str) -> FoundStudy:
    """The study of a UID.

    Raises:
        NotFound: the archive has none.
        EngineError: it does not answer.
    """
    wanted = check_uid(uid)
    found = [one for one in archive.studies(Wanted(study=wanted)) if one.uid == wanted]
    if len(found) != 1:
        raise NotFound("the archive has no study of this UID")
    return found[0]


def fetch(archive: Spoken, study: str, to: Path) -> Fetched:
    """Fetch the pictures of a study into a folder of its name.

    Args:
        archive: that has it.
        study: UID.
        to: where the folder is made.

    Raises:
        InputError: it has no picture, too many, or one that cannot be read.
        EngineError: the archive does not answer, or gave less than it has; what came stays for the next call.
        OutputError: nothing can be written there.
    """
    uid = check_uid(study)
    final, half = to / uid, to / f"{uid}.half"
    if final.is_dir():
        files = tuple(sorted(final.glob("*.dcm")))
        return Fetched(folder=final, files=files, came=0, left_out=0)
    every = archive.instances(uid)
    pictures = tuple(one for one in every if one.modality not in _NO_PICTURES)
    if not pictures:
        raise InputError("this study has no pictures", where=uid)
    if len(pictures) > MOST_PICTURES:
        raise InputError(f"this study has {len(pictures)} pictures", where=uid, way_out=f"{MOST_PICTURES} at most.")
    try:
        half.mkdir(parents=True, exist_ok=True, mode=0o700)
        missing = tuple(one for one in pictures if not (half / f"{check_uid(one.uid)}.dcm").exists())
        if missing:
            archive.fetch(uid, missing, _taker(half, missing))
        return _whole(final, half, pictures, missing, len(every) - len(pictures))
    except OSError as problem:
        raise OutputError(f"pictures cannot be written ({problem.strerror})", where=str(to)) from problem


def picture_alone(found: Dataset) -> Dataset:
    """An object without what its header says beside the picture."""
    from pydicom.dataset import Dataset, FileMetaDataset

    made = Dataset()
    for name in KEPT:
        if name in found:
            made[name] = found[name]
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = found.file_meta.TransferSyntaxUID
    return made


def _taker(half: Path, missing: tuple[FoundInstance, ...]) -> Take:
    asked = {one.uid for one in missing}

    def take(found: Dataset) -> None:
        name = str(found.SOPInstanceUID)
        if name not in asked:
            raise EngineError("the archive gave an object that was not asked for")
        part = half / f"{name}.part"
        picture_alone(found).save_as(part, enforce_file_format=True)
        part.replace(half / f"{name}.dcm")

    return take


def _whole(
    final: Path, half: Path, pictures: tuple[FoundInstance, ...], missing: tuple[FoundInstance, ...], left_out: int
) -> Fetched:
    files = tuple(half / f"{one.uid}.dcm" for one in pictures)
    there = [one for one in files if one.exists()]
    if len(there) < len(files):
        raise EngineError(
            f"the archive gave {len(there)} of {len(files)} pictures", way_out="Fetch again: what came is kept."
        )
    for one in files:
        try:
            read_image(one)
        except ConsiliumError as problem:
            one.unlink()
            raise type(problem)(
                f"a picture of the study cannot be taken in: {problem.what}", where=one.name, way_out=problem.way_out
            ) from problem
    half.replace(final)
    return Fetched(folder=final, files=tuple(sorted(final.glob("*.dcm"))), came=len(missing), left_out=left_out)
