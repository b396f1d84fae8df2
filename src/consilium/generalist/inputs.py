"""What is to be embedded: files, folders, or a table that names files and what is known of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consilium.errors import InputError, NothingToDo
from consilium.imaging.read import files_below, find_images

MANIFEST_SUFFIX = ".csv"
_STUDIES = (".nii", ".nii.gz", ".mgh", ".mgz", ".mp4", ".avi", ".svs", ".scn", ".ndpi", ".bif", ".qptiff")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One file to embed.

    Attributes:
        path: where it lies.
        file: how it was named: as the manifest has it, or the path.
        label, group, modality: of the manifest; empty where it says nothing.
    """

    path: Path
    file: str
    label: str = ""
    group: str = ""
    modality: str = ""


def find_entries(inputs: Sequence[Path]) -> list[Entry]:
    """The files that inputs stand for, manifests (CSV with a column `file`) and folders opened up.

    Raises:
        InputError: an input does not exist, or a manifest cannot be read or lacks its column.
        NothingToDo: there is no image in the inputs.
    """
    found: list[Entry] = []
    images = [one for one in inputs if not _is_manifest(one)]
    if images:
        # Volumes, runs and slides in folders are found by their names; `find_images` knows pictures only.
        studies = [file for one in images if one.is_dir() for file in files_below(one) if _named_like_study(file)]
        found += [Entry(path=path, file=str(path)) for path in find_images([*studies, *images])]
    for one in inputs:
        if _is_manifest(one):
            found += read_manifest(one)
    if not found:
        raise NothingToDo("there is no image to embed", where=", ".join(str(one) for one in inputs))
    return found


def read_manifest(path: Path) -> list[Entry]:
    """The rows of a manifest: columns `file` (relative to the manifest), and `label`, `group`, `modality` if known.

    Raises:
        InputError: it cannot be read, or it has no column `file`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream)
            if "file" not in (table.fieldnames or ()):
                raise InputError(
                    "the manifest has no column 'file'",
                    where=str(path),
                    way_out="Its first line names the columns, e.g. file,label,group.",
                )
            rows = [
                {key: (row.get(key) or "").strip() for key in ("file", "label", "group", "modality")} for row in table
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise InputError(
            f"the manifest cannot be read ({problem})", where=str(path), way_out="Save it as CSV in UTF-8."
        ) from problem
    return [Entry(path=path.parent / row["file"], **row) for row in rows if row["file"]]


def _is_manifest(path: Path) -> bool:
    return path.suffix.lower() == MANIFEST_SUFFIX and path.is_file()


def _named_like_study(path: Path) -> bool:
    return path.name.lower().endswith(_STUDIES)
