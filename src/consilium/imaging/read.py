"""Image files in, grey levels out; and the search for image files in folders.

The content decides what a file is, not its name. Nothing that a file can contain raises anything but a
`ConsiliumError`, and nothing is decoded before its size is known to be sensible.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from consilium.errors import ConsiliumError, ImageOutOfBounds, InputError, NothingToDo, UnreadableImage
from consilium.imaging.grey import MAX_FILE_BYTES, GreyImage

__all__ = ["GreyImage", "find_images", "read_image", "sniff"]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dicom"})
"""A file with such a name in a searched folder counts as an image even when its content does not look like one,
so that a damaged image is reported instead of being passed over."""

_HEAD_BYTES = 132
_BMP_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)
_KNOWN_STRANGERS = {
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or office document",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture",
    b"<svg": "an SVG drawing",
}
_WAY_OUT = "Use PNG, JPEG, TIFF (8 or 16 bits), BMP, WebP or DICOM."


def read_image(path: Path) -> GreyImage:
    """Reads one image file.

    Args:
        path: the file; its name does not matter, its content does.

    Returns:
        The grey levels: colour as luminance, transparency on white, orientation tags honoured, DICOM rescaled,
        windowed and with high levels bright.

    Raises:
        UnreadableImage: not there, not permitted, not an image, damaged, of several pictures, or of a kind that
            is not read.
        ImageOutOfBounds: too small or too large, found before decoding.
    """
    # Imported here, because the command line asks for `find_images` long before it needs a decoder, and outside
    # the try, because a fault of the installation is not a fault of the file.
    from consilium.imaging.dicom import read_dicom
    from consilium.imaging.raster import read_raster

    try:
        _refuse_unusual_file(path)
        with path.open("rb") as stream, warnings.catch_warnings():
            # Decoders warn about oddities in the metadata that do not touch the pixels.
            warnings.simplefilter("ignore")
            kind = _known_kind(stream, path)
            return read_dicom(path) if kind == "dicom" else read_raster(stream, kind, path)
    except ConsiliumError:
        raise
    except OSError as problem:
        if problem.errno is None:
            raise _damaged(path, problem) from problem
        raise UnreadableImage(_reason(problem), where=str(path), way_out=_way_out(problem)) from problem
    except Exception as problem:
        # Decoders are the work of many hands: whatever one raises on a file's content means that it is damaged.
        raise _damaged(path, problem) from problem


def _refuse_unusual_file(path: Path) -> None:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise UnreadableImage("a folder, not an image", where=str(path), way_out="Name the images in it.")
    if not stat.S_ISREG(status.st_mode):
        # Opening a pipe would wait for somebody to write into it.
        raise UnreadableImage("not a regular file", where=str(path), way_out="Copy the image to a file first.")
    if status.st_size == 0:
        raise UnreadableImage("the file is empty", where=str(path), way_out="Export or copy it again.")
    if status.st_size > MAX_FILE_BYTES:
        raise ImageOutOfBounds(
            f"the file has {status.st_size >> 20} MiB; at most {MAX_FILE_BYTES >> 20} are read",
            where=str(path),
            way_out="Cut the metaphase out of the slide scan and save it as an image of its own.",
        )


def _known_kind(stream: BinaryIO, path: Path) -> str:
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    kind = sniff(head)
    if kind is None:
        stranger = next((name for magic, name in _KNOWN_STRANGERS.items() if head.startswith(magic)), "")
        raise UnreadableImage(stranger or "not an image of a known kind", where=str(path), way_out=_WAY_OUT)
    return kind


def _damaged(path: Path, problem: Exception) -> UnreadableImage:
    detail = str(problem).split("\n", 1)[0].strip() or type(problem).__name__
    return UnreadableImage(
        f"the image is damaged or truncated ({detail[:120].rstrip('.')})",
        where=str(path),
        way_out="Export or copy it again.",
    )


def _reason(problem: OSError) -> str:
    match problem:
        case FileNotFoundError():
            return "there is no such file or folder"
        case PermissionError():
            return "reading it is not permitted"
        case _:
            return f"it cannot be opened ({problem.strerror})"


def _way_out(problem: OSError) -> str:
    match problem:
        case FileNotFoundError():
            return "Check the name."
        case PermissionError():
            return "Ask its owner for permission to read it."
        case _:
            return "Check the disk or the link it lies behind."


def sniff(head: bytes) -> str | None:
    """What kind of image begins with these bytes.

    Args:
        head: the first 132 bytes of a file, or all of a shorter one.

    Returns:
        "png", "jpeg", "tiff", "bmp", "webp", "dicom", or None.
    """
    # First, because the preamble of a DICOM file may be the header of a TIFF file.
    if head[128:132] == b"DICM" or _is_bare_dicom(head):
        return "dicom"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return "bmp"
    return None


def _is_bare_dicom(head: bytes) -> bool:
    """A data set without preamble starts with group 2, or with the first elements of group 8."""
    if head[:4] == b"\x02\x00\x00\x00":
        return head[4:6] == b"UL"
    explicit = head[4:6] in (b"UL", b"UI", b"CS", b"DA", b"TM", b"SH", b"LO")
    short_implicit = int.from_bytes(head[4:8], "little") <= 64
    return len(head) == _HEAD_BYTES and head[:2] == b"\x08\x00" and head[3:4] == b"\0" and (explicit or short_implicit)


def find_images(inputs: Sequence[Path]) -> list[Path]:
    """The image files that a list of files and folders stands for.

    Args:
        inputs: files, which are taken whatever they hold, and folders, which are searched through and through.

    Returns:
        Each file once, in the order of the inputs, and naturally sorted within a folder ("cell 2" before
        "cell 10"). Hidden files and folders are passed over, and so is whatever neither is nor is named like
        an image. Links are followed, circles of links are not.

    Raises:
        InputError: an input does not exist, or a folder cannot be searched.
        NothingToDo: there is no image in the inputs.
    """
    found: dict[str, Path] = {}
    for entry in inputs:
        try:
            is_folder = stat.S_ISDIR(entry.stat().st_mode)
            files = _images_in(entry) if is_folder else [entry]
        except OSError as problem:
            where = str(problem.filename or entry)
            raise InputError(_reason(problem), where=where, way_out=_way_out(problem)) from problem
        for file in files:
            found.setdefault(os.path.realpath(file), file)
    if not found:
        named = ", ".join(str(entry) for entry in inputs)
        raise NothingToDo("there is no image to read", where=named, way_out=_WAY_OUT)
    return list(found.values())


def files_below(folder: Path) -> list[Path]:
    """The regular files in a folder and the folders in it, naturally sorted; hidden ones and DICOMDIR left out."""
    files = list(_walk(folder, set()))
    return sorted(files, key=lambda file: [_natural_key(part) for part in file.relative_to(folder).parts])


def _images_in(folder: Path) -> list[Path]:
    return [file for file in files_below(folder) if _looks_like_image(file)]


def _walk(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Regular files below a folder, each real folder once, so that a circle of links comes to an end."""
    status = folder.stat()
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as entries:
        visible = [entry for entry in entries if not entry.name.startswith((".", "__MACOSX"))]
    for entry in visible:
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError:
            continue  # a link that leads to itself
        if is_folder:
            yield from _walk(Path(entry.path), seen)
        elif is_file and entry.name != "DICOMDIR":
            yield Path(entry.path)


def _looks_like_image(file: Path) -> bool:
    if file.suffix.lower() in SUFFIXES:
        return True
    try:
        with file.open("rb") as stream:
            return sniff(stream.read(_HEAD_BYTES)) is not None
    except OSError:
        return False


def _natural_key(name: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]
