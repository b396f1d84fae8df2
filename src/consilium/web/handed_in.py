"""Cases that a browser or a program hands in with a form: an archive, or the files of a folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from consilium.alliance.workshop.unpack import Limits, Unpacked, keep_files, unpack_zip
from consilium.errors import InputError
from consilium.web.settings import Settings


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """A form with files.

    Attributes:
        fields: of it, by name.
        archive: the archive; None where none was chosen.
        files: those of a folder, with the names of its folders.
        largest: bytes that they may be, unpacked.
    """

    fields: dict[str, str]
    archive: IO[bytes] | None
    files: tuple[tuple[str, IO[bytes]], ...]
    largest: int

    def unpack(self, out: Path) -> Unpacked:
        """Make a folder of what was handed in.

        Raises:
            InputError, OutputError: as of `unpack_zip` and `keep_files`.
        """
        limits = Limits(bytes=self.largest)
        if self.archive is not None:
            return unpack_zip(self.archive, out, limits=limits)
        return keep_files(self.files, out, limits=limits)

    @property
    def any(self) -> bool:
        """Whether there are files."""
        return self.archive is not None or bool(self.files)


async def handed_in(request: Request) -> AsyncIterator[HandedIn]:
    """The form of a request, its files on the disk until it is answered.

    Raises:
        InputError: it is no form, or has too many files.
    """
    settings: Settings = request.app.state.settings
    try:
        form: FormData = await request.form()
    except HTTPException as problem:
        raise InputError(
            f"the form cannot be read ({problem.detail})", way_out="Hand a folder of many files in as a ZIP archive."
        ) from problem
    try:
        fields = {key: value for key, value in form.multi_items() if isinstance(value, str)}
        archives = [one for one in form.getlist("archive") if isinstance(one, UploadFile) and one.filename]
        files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
        yield HandedIn(
            fields=fields, archive=archives[0].file if archives else None,
            files=tuple((one.filename or "", one.file) for one in files), largest=settings.largest_dataset,
        )  # fmt: skip
    finally:
        await form.close()


Handed = Annotated[HandedIn, Depends(handed_in)]
