"""A file or a folder becomes one study, whatever family it is of."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from consilium.errors import InputError, NothingToDo, UnreadableImage
from consilium.imaging.modalities import modality as modality_called
from consilium.imaging.read import files_below, sniff
from consilium.imaging.study import COPY_AGAIN, Study, decoding

_HEAD_BYTES = 4096
_SLIDE_SUFFIXES = frozenset({".svs", ".scn", ".ndpi", ".bif", ".qptiff"})
_READ = "DICOM, NIfTI (.nii, .nii.gz), MGH/MGZ, PNG, JPEG, TIFF, BMP, WebP, MP4, AVI and whole slides are read."


def open_study(source: Path, *, modality: str | None = None, series: str | None = None) -> Study:
    """Opens a study; its pixels are read later, when they are asked for.

    Args:
        source: a file, or a folder with the DICOM files of one series. The content decides, not the name.
        modality: an id of `consilium.imaging.modalities`. DICOM says it itself; other files do not, and then a study
            without one has `modality` None.
        series: which Series Instance UID of a folder; the beginning of it is enough where it is unique.

    Raises:
        UnreadableImage: not there, not permitted, damaged, or of a kind that is not read.
        ImageOutOfBounds: larger than what is read.
        MissingExtra: the file needs a decoder that is not installed; the message names the extra.
        NothingToDo: no picture in the folder.
        InputError: there is no such modality, or the folder holds several series and none was chosen.
    """
    named = None if modality is None else modality_called(modality).id

    def opened() -> Study:
        status = source.stat()
        if stat.S_ISDIR(status.st_mode):
            return _study_of_folder(source, named, series)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableImage("not a regular file", where=str(source), way_out="Copy it to a file first.")
        if status.st_size == 0:
            raise UnreadableImage("the file is empty", where=str(source), way_out=COPY_AGAIN)
        return _study_of_file(source, named)

    return decoding(opened, source)


def _study_of_file(path: Path, named: str | None) -> Study:
    # Each reader is imported when a file of its family comes along, because its libraries take time to load.
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    kind = sniff(head[:132])
    if kind == "dicom":
        from consilium.imaging.dicom_study import study_of_dicom

        return study_of_dicom(path, named=named)
    if kind == "tiff" and _is_slide(path, named):
        from consilium.imaging.slide import study_of_slide

        return study_of_slide(path, named=named)
    if kind is not None:
        from consilium.imaging.pictures import study_of_picture

        return study_of_picture(path, kind, named=named)
    from consilium.imaging.nifti import looks_like_volume, study_of_volume
    from consilium.imaging.video import looks_like_video, study_of_video

    if looks_like_volume(head, path) or path.suffix.lower() in (".hdr", ".img"):
        return study_of_volume(path, named=named)
    if looks_like_video(head):
        return study_of_video(path, named=named)
    raise UnreadableImage("not an image of a known kind", where=str(path), way_out=_READ)


def _is_slide(path: Path, named: str | None) -> bool:
    if path.suffix.lower() in _SLIDE_SUFFIXES:
        return True
    from consilium.imaging.raster import tiff_is_tiled_pyramid

    with path.open("rb") as stream:
        return tiff_is_tiled_pyramid(stream, least=1 if named == "sm" else None)


def _study_of_folder(folder: Path, named: str | None, series: str | None) -> Study:
    from consilium.imaging.dicom_study import series_of, study_of_series

    found = series_of(file for file in files_below(folder) if _is_dicom(file))
    if not found:
        raise NothingToDo(
            "there is no DICOM picture in the folder",
            where=str(folder),
            way_out="A folder is read as one DICOM series; open other files one by one.",
        )
    members = {uid: [file.path for file in files] for uid, files in found.items()}
    return study_of_series(found[_chosen(members, series, folder)], named=named)


def _is_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return sniff(stream.read(132)) == "dicom"
    except OSError:
        return False


def _chosen(found: dict[str, list[Path]], series: str | None, folder: Path) -> str:
    if series is not None:
        matching = [uid for uid in found if uid == series] or [uid for uid in found if uid.startswith(series)]
        if len(matching) == 1:
            return matching[0]
        raise InputError(
            f"{'no' if not matching else 'more than one'} series begins with {series!r}",
            where=str(folder),
            way_out=f"It holds {_listed(found)}.",
        )
    if len(found) > 1:
        raise InputError(
            f"the folder holds {len(found)} series",
            where=str(folder),
            way_out=f"Choose one with series=: {_listed(found)}.",
        )
    return next(iter(found))


def _listed(found: dict[str, list[Path]]) -> str:
    named: Sequence[str] = [f"{uid} ({len(files)} files, {files[0].name} ...)" for uid, files in found.items()]
    return "; ".join(named[:8]) + ("; and more" if len(named) > 8 else "")
