"""Labelled cases of a folder: a folder for each class, or pictures beside files of boxes.

A file in the folder of a class is a case of its own, files in a folder below it are one patient's
(`class/patient/image.png`). A file called `NAME_mask.*` or `NAME_mask_1.*` beside `NAME.*` is the mask of that case,
not a case. A folder with `images/` and `annotations/` in it has boxes: each picture with the file of its name, or all
with the only JSON file there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from consilium.specialist.case import Case, is_box_file

_NO_CASE = frozenset(
    {".csv", ".tsv", ".txt", ".md", ".json", ".xml", ".html", ".pdf", ".py", ".yaml", ".yml", ".db", ".ini"}
)
_MASK = re.compile(r"^(?P<case>.+?)[_-](?:mask|seg)(?:[_-]?\d+)?$", re.IGNORECASE)


def own_group(file: Path, root: Path) -> str:
    """The group of a case of which no patient is told."""
    return file.relative_to(root).as_posix()


def cases_of_folder(root: Path) -> Iterator[Case]:
    """A class each subfolder; a file in it is a case of its own, files in a folder below it are one patient's."""
    classes = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    for folder in classes:
        files = sorted(
            file
            for file in folder.rglob("*")
            if file.is_file()
            and file.suffix.lower() not in _NO_CASE
            and not any(part.startswith(".") for part in file.relative_to(root).parts)
        )
        stems = {file.with_name(_stem(file)) for file in files}
        masks: dict[Path, list[Path]] = defaultdict(list)
        for file in files:
            owner = _MASK.match(_stem(file))
            if owner and file.with_name(owner["case"]) in stems:
                masks[file.with_name(owner["case"])].append(file)
        are_masks = {mask for several in masks.values() for mask in several}
        for file in files:
            if file in are_masks:
                continue
            patient = file.parent if file.parent != folder else file
            yield Case(
                file=file,
                labels=(folder.name,),
                group=patient.relative_to(root).as_posix(),
                masks=tuple(masks.get(file.with_name(_stem(file)), ())),
            )


def has_annotations(root: Path) -> bool:
    """Whether pictures have their boxes in files beside them."""
    beside = root / "annotations"
    return (root / "images").is_dir() and beside.is_dir() and any(is_box_file(file) for file in beside.iterdir())


def cases_with_annotations(root: Path) -> Iterator[Case]:
    """Pictures in `images/`, each with its file of boxes in `annotations/`."""
    files = {file.stem: file for file in sorted((root / "annotations").iterdir()) if is_box_file(file)}
    of_all = [file for file in files.values() if file.suffix.lower() == ".json"] if len(files) == 1 else []
    for file in sorted((root / "images").iterdir()):
        if file.is_file() and not file.name.startswith(".") and file.suffix.lower() not in _NO_CASE:
            boxes = files.get(file.stem, of_all[0] if of_all else None)
            yield Case(file=file, labels=(), group=own_group(file, root), boxes=str(boxes) if boxes else "")


def _stem(file: Path) -> str:
    """Name without its endings; `.nii.gz` is one ending."""
    name = file.name
    return name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else file.stem
