"""Pictures of a case: taken in when they are pictures, kept by content."""

from __future__ import annotations

import re
import tempfile
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


def add_image(change: Change, files: Files, case: CaseRow, name: str, content: bytes) -> ImageRow:
    """Take a picture in.

    Args:
        change: the transaction.
        files: where it is kept.
        case: whose it is.
        name: of its file; what stands before the last slash is left out.
        content: of its file.

    Raises:
        NotAllowed: the person may not.
        InputError: it is no picture that is read, the case has it already or is closed, or the name is none.
        OutputError: it cannot be written.
    """
    from sqlalchemy import func, select

    from consilium.laboratory.analysis.tables import ImageRow

    change.require("image.add")
    check_editable(case)
    called = file_name(name)
    kind, pixels = read_content(content, called)
    there = [ImageRow.case_id == case.id, ImageRow.withdrawn.is_(None)]
    if (change.session.scalar(select(func.count()).select_from(ImageRow).where(*there)) or 0) >= MOST_IMAGES:
        raise InputError(f"a case has at most {MOST_IMAGES} pictures", where=case.number)
    digest = files.keep(content)
    for row in change.session.scalars(select(ImageRow).where(*there)):
        if digest == row.sha256:
            raise InputError(f"this picture is there already, as image {row.id}", where=case.number)
        if called == row.name:
            raise InputError(
                f"image {row.id} has this name already", where=case.number,
                way_out="Give the file another name, or withdraw the one that is there.",
            )  # fmt: skip
    height, width = pixels.shape
    row = ImageRow(
        case_id=case.id, name=called, sha256=digest, kind=kind, size=len(content), width=width, height=height
    )
    return change.add(row, "image.add")


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
