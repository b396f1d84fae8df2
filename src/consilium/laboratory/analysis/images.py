"""Pictures of a case: taken in when they are pictures, kept by content."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from consilium.errors import InputError, UnreadableImage
from consilium.laboratory.analysis.editable import check_editable
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.entry import entry
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from consilium.laboratory.analysis.tables import ImageRow
    from consilium.laboratory.tables import CaseRow

MOST_IMAGES = 500
"""Of a case that count."""

_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class KeptImage:
    """A picture whose file is kept, and that no record names yet."""

    name: str
    sha256: str
    kind: str
    size: int
    width: int
    height: int


def keep_image(files: Files, name: str, content: bytes) -> KeptImage:
    """Look at a file, and keep it if it is a picture; no record names it before `add_kept`.

    Args:
        files: where it is kept.
        name: of the file; what stands before the last slash is left out.
        content: of the file.

    Raises:
        InputError: it is no picture that is read, or the name is none.
        OutputError: it cannot be written.
    """
    called = file_name(name)
    kind, pixels = read_content(content, called)
    height, width = pixels.shape
    return KeptImage(
        name=called, sha256=files.keep(content), kind=kind, size=len(content), width=width, height=height
    )  # fmt: skip


def add_kept(change: Change, case: CaseRow, kept: KeptImage) -> ImageRow:
    """Take a picture in whose file is kept.

    Raises:
        NotAllowed: the person may not.
        InputError: the case has it already, has too many, or is closed.
    """
    from sqlalchemy import func, select

    from consilium.laboratory.analysis.tables import ImageRow

    change.require("image.add")
    check_editable(case)
    there = [ImageRow.case_id == case.id, ImageRow.withdrawn.is_(None)]
    if (change.session.scalar(select(func.count()).select_from(ImageRow).where(*there)) or 0) >= MOST_IMAGES:
        raise InputError(f"a case has at most {MOST_IMAGES} pictures", where=case.number)
    for row in change.session.scalars(select(ImageRow).where(*there)):
        if kept.sha256 == row.sha256:
            raise InputError(f"this picture is there already, as image {row.id}", where=case.number)
        if kept.name == row.name:
            raise InputError(
                f"image {row.id} has this name already", where=case.number,
                way_out="Give the file another name, or withdraw the one that is there.",
            )  # fmt: skip
    made = ImageRow(
        case_id=case.id, name=kept.name, sha256=kept.sha256, kind=kept.kind, size=kept.size, width=kept.width,
        height=kept.height,
    )  # fmt: skip
    return change.add(made, "image.add")


def add_image(change: Change, files: Files, case: CaseRow, name: str, content: bytes) -> ImageRow:
    """Take a picture in: `keep_image` and `add_kept` in one.

    Raises:
        NotAllowed: the person may not.
        InputError: it is no picture that is read, the case has it already or is closed, or the name is none.
        OutputError: it cannot be written.
    """
    change.require("image.add")
    check_editable(case)
    return add_kept(change, case, keep_image(files, name, content))


def withdraw_image(change: Change, row: ImageRow, *, reason: str, seen: int | None = None) -> None:
    """Let a picture count no longer, as one of another case. Cells that were read in it are withdrawn with it.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: no reason was told, it was withdrawn before, or its case is closed.
    """
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import CellRow
    from consilium.laboratory.tables import CaseRow

    check_editable(change.session.get_one(CaseRow, row.case_id))
    change.withdraw(row, "image.withdraw", reason=reason, seen=seen)
    for cell in change.session.scalars(
        select(CellRow).where(CellRow.image_id == row.id, CellRow.withdrawn.is_(None))
    ):  # fmt: skip
        change.withdraw(cell, "image.withdraw", reason=reason)


def file_name(name: str) -> str:
    """The name of a file as a record holds it.

    Raises:
        InputError: it is none.
    """
    bare = PurePath(name.replace("\\", "/")).name
    found = _SPACES.sub(" ", entry("the name of a file", bare, longest=200, needed=True))
    if not found.isprintable() or found in (".", ".."):
        raise InputError("the name of a file has a letter in it that cannot be kept")
    return found


def read_content(content: bytes, name: str = "") -> tuple[str, NDArray[np.uint8]]:
    """The kind of a picture, and its grey levels as they are shown: (H, W) uint8.

    Raises:
        InputError: it is no picture that is read; the message says why.
    """
    from consilium.imaging.read import read_image
    from consilium.karyotype.case import display_levels

    with tempfile.TemporaryDirectory(prefix="consilium-") as folder:
        path = Path(folder) / "picture"
        path.write_bytes(content)
        try:
            found = read_image(path)
        except InputError as problem:
            # The folder of this moment tells nobody anything.
            kind = type(problem) if type(problem) is not InputError else UnreadableImage
            raise kind(problem.what, where=name, way_out=problem.way_out) from problem
    return found.kind, display_levels(found.pixels)
