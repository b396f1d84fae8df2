"""Every file that files and folders stand for: none is passed over for its name, so that none is forgotten."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from consilium.errors import InputError, NothingToDo


def source_files(inputs: Sequence[Path]) -> list[Path]:
    """The files, each once, in the order of the inputs and sorted within a folder.

    Args:
        inputs: files, and folders that are searched through and through. Hidden files are passed over, links to
            folders are not followed.

    Raises:
        InputError: an input does not exist or cannot be searched.
        NothingToDo: there is no file in them.
    """
    found: dict[str, Path] = {}
    for entry in inputs:
        try:
            files = _below(entry) if stat.S_ISDIR(entry.stat().st_mode) else [entry]
        except OSError as problem:
            raise InputError(
                f"it cannot be read ({problem.strerror})",
                where=str(problem.filename or entry),
                way_out="Check the name.",
            ) from problem
        for file in files:
            found.setdefault(os.path.realpath(file), file)
    if not found:
        named = ", ".join(str(entry) for entry in inputs)
        raise NothingToDo("there is no file to de-identify", where=named, way_out="Name a folder that holds images.")
    return list(found.values())


def _below(folder: Path) -> list[Path]:
    def give_up(problem: OSError) -> None:
        raise problem

    files = []
    for place, folders, names in os.walk(folder, onerror=give_up):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        files += [Path(place) / name for name in sorted(names) if not name.startswith(".")]
    return files
