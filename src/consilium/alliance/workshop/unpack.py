"""Labelled images that were handed in become a folder: an archive, or files with the names of their folders.

Whoever hands in may not be who he says, and his archive may not be what he thinks. So no name leads out of the folder,
nothing but files of images and tables is kept, no link and no archive within an archive is followed, and what counts is
what was unpacked and not what the archive says of itself. A folder appears whole or not at all.
"""

from __future__ import annotations

import re
import shutil
import stat
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO

from consilium.errors import InputError, OutputError

KINDS = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dicom", ".ima"}
    | {".nii", ".gz", ".mgh", ".mgz", ".mp4", ".avi", ".svs", ".scn", ".ndpi", ".bif", ".qptiff"}
    | {".csv", ".json", ".xml"}
)
"""Endings of what a dataset is made of; .gz only as .nii.gz. A file without one is kept where it is DICOM."""

_CHUNK = 1 << 20
_LEFTOVERS = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini"})
_DRIVE = re.compile(r"^[A-Za-z]:")
_LONGEST = 180
"""Bytes of one name; file systems take 255."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much may be handed in.

    Attributes:
        bytes: of all files, unpacked.
        files: how many.
        depth: folders within each other.
    """

    bytes: int = 8 << 30
    files: int = 50_000
    depth: int = 8


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """What came of it.

    Attributes:
        dataset: folder or table that a fit begins with.
        files: that were kept.
        left_out: names of others, at most the first hundred.
    """

    dataset: Path
    files: int
    left_out: tuple[str, ...]


def unpack_zip(archive: IO[bytes], out: Path, *, limits: Limits | None = None) -> Unpacked:
    """Unpack an archive.

    Args:
        archive: of the kind ZIP.
        out: the folder; it must not exist.
        limits: how much it may hold.

    Raises:
        InputError: it is no such archive, is damaged, encrypted, too large, or a name in it leads elsewhere.
        OutputError: it cannot be written.
    """
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
        raise InputError("it is no ZIP archive, or is damaged", way_out="Pack the folder again, as .zip.") from problem
    with opened:
        every = opened.infolist()
        _refuse_too_many(len(every), sum(one.file_size for one in every), limits or Limits())
        for one in every:
            if stat.S_ISLNK(one.external_attr >> 16):
                raise InputError("there is a link in the archive", where=_shown(one.filename), way_out=_PACK_FILES)
            if one.flag_bits & 0x1:
                raise InputError("the archive is encrypted", way_out="Pack it without a password.")
        members = [(_name_in(one), one) for one in every if not one.filename.endswith("/")]

        def read(member: zipfile.ZipInfo) -> Iterator[bytes]:
            try:
                with opened.open(member) as stream:
                    while piece := stream.read(_CHUNK):
                        yield piece
            except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, ValueError, OSError) as problem:
                raise InputError(
                    f"the archive is damaged ({problem})", where=_shown(member.filename), way_out="Pack it again."
                ) from problem
            except Exception as problem:  # zlib.error, lzma.LZMAError: each decoder has its own
                raise InputError(
                    "the archive is damaged", where=_shown(member.filename), way_out="Pack it again."
                ) from problem

        return _kept(((name, read(member)) for name, member in members), out, limits or Limits())


def keep_files(files: Iterable[tuple[str, IO[bytes]]], out: Path, *, limits: Limits | None = None) -> Unpacked:
    """Keep files of a folder that a browser sent one by one.

    Args:
        files: name with those of its folders, content.
        out: the folder; it must not exist.
        limits: how much they may be.

    Raises:
        InputError: they are too many or too large, or a name leads elsewhere.
        OutputError: they cannot be written.
    """

    def read(stream: IO[bytes]) -> Iterator[bytes]:
        while piece := stream.read(_CHUNK):
            yield piece

    return _kept(((name, read(stream)) for name, stream in files), out, limits or Limits())


def safe_path(name: str, *, depth: int = Limits.depth) -> PurePosixPath:
    """Where a file of a name belongs, below the folder.

    Raises:
        InputError: the name leads out of it, is of another machine, or cannot be that of a file.
    """
    plain = unicodedata.normalize("NFC", name).replace("\\", "/")
    parts = plain.split("/")
    odd = (
        not plain or plain.startswith("/") or _DRIVE.match(plain) or any(one in ("", ".", "..") for one in parts)
        or any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn") for letter in plain)
    )  # fmt: skip
    if odd:
        raise InputError("a name leads out of the folder, or is none", where=_shown(name), way_out=_PACK_FILES)
    if len(parts) > depth + 1 or any(len(one.encode()) > _LONGEST for one in parts):
        raise InputError("a name is too long or too deep", where=_shown(name), way_out="Use fewer and shorter folders.")
    return PurePosixPath(*parts)


def dataset_in(folder: Path) -> Path:
    """The folder or table that a fit begins with: folders that hold nothing but one folder are passed through.

    Raises:
        InputError: there are several tables.
    """
    here = folder
    while True:
        entries = sorted(here.iterdir())
        tables = [one for one in entries if one.suffix.lower() == ".csv" and one.is_file()]
        if len(tables) > 1:
            raise InputError(
                f"there are {len(tables)} tables: {', '.join(one.name for one in tables[:5])}",
                way_out="Hand in the one that lists the cases.",
            )
        if tables:
            return tables[0]
        if len(entries) != 1 or not entries[0].is_dir():
            return here
        here = entries[0]


_PACK_FILES = "Pack the folder of images itself, without links, with names as people write them."


def _kept(files: Iterable[tuple[str, Iterator[bytes]]], out: Path, limits: Limits) -> Unpacked:
    room, count, left_out = limits.bytes, 0, []
    seen: set[str] = set()
    with _whole(out) as half:
        for name, content in files:
            path = safe_path(name, depth=limits.depth)
            if any(part.lower() in _LEFTOVERS or part.startswith("._") for part in path.parts):
                continue
            first = next(content, b"")
            if not _of_a_dataset(path, first):
                left_out.append(str(path))
                continue
            if (same := str(path).casefold()) in seen:
                raise InputError("two files have one name", where=_shown(str(path)), way_out="Name each but once.")
            seen.add(same)
            count += 1
            if count > limits.files:
                _refuse_too_many(count, 0, limits)
            room = _written(half / path, first, content, room, limits)
        if not count:
            raise InputError(
                "there is no image and no table in it", where=", ".join(left_out[:3]),
                way_out="A folder for each class with its images, or a table that lists them.",
            )  # fmt: skip
        dataset = dataset_in(half).relative_to(half)
    return Unpacked(dataset=out / dataset, files=count, left_out=tuple(left_out[:100]))


def _written(path: Path, first: bytes, rest: Iterator[bytes], room: int, limits: Limits) -> int:
    """Write a file; how many bytes are left for others."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            for piece in chain((first,), rest):
                room -= len(piece)
                if room < 0:
                    break
                stream.write(piece)
    except (FileExistsError, NotADirectoryError) as problem:
        raise InputError("two files have one name", where=path.name, way_out="Name each but once.") from problem
    except OSError as problem:
        raise OutputError(
            f"it cannot be kept ({problem.strerror})", where=path.name, way_out="Make room on the disk, then again."
        ) from problem
    if room < 0:
        _refuse_too_many(0, limits.bytes + 1, limits)
    return room


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A folder beside another's place, moved there at the end and removed where something went wrong."""
    half = out.with_name(f".{out.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    try:
        half.mkdir(parents=True, mode=0o700)
        yield half
        half.rename(out)
    except OSError as problem:
        raise OutputError(
            f"it cannot be kept ({problem.strerror})", where=out.name, way_out="Make room on the disk, then again."
        ) from problem
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _of_a_dataset(path: PurePosixPath, first: bytes) -> bool:
    ending = path.suffix.lower()
    if ending == ".gz":
        return path.name.lower().endswith(".nii.gz")
    # DICOM files are often named by a UID, whose last part looks like an ending.
    return ending in KINDS or first[128:132] == b"DICM"


def _name_in(member: zipfile.ZipInfo) -> str:
    """The name of a member. Archives of Chinese Windows write GBK and do not say so (APPNOTE.TXT, appendix D)."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        raw = member.orig_filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _refuse_too_many(files: int, size: int, limits: Limits) -> None:
    if files > limits.files:
        raise InputError(
            f"there are more than {limits.files} files", way_out="Put the folder on the server and point to it there."
        )
    if size > limits.bytes:
        raise InputError(
            f"they are more than {limits.bytes >> 20} MB unpacked",
            way_out="Put the folder on the server and point to it there.",
        )


def _shown(name: str) -> str:
    """A name of somebody else's, fit for a message."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:80]
