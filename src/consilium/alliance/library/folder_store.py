"""Files of packages in a folder: `sha256/ab/abcdef...`, each written beside its place and moved there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from consilium.alliance.library.half import half_folder
from consilium.alliance.library.store import pieces_of, sync_folder, unwritable, write_checked
from consilium.artefact.runtime import sha256_of
from consilium.errors import OutputError


class FolderStore:
    """A store in a folder, of this machine or shared by several.

    Args:
        folder: made when the first file is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._folder)

    def put(self, name: str, package: str, files: Mapping[str, Path], digests: Mapping[str, str]) -> None:
        """See `Store.put`; the folder does not need to know which package they are of."""
        with half_folder(self._folder / "half") as half:
            for title, source in files.items():
                self._keep(source, digests[title], half)

    def fetch(self, name: str, digest: str, target: Path) -> None:
        """See `Store.fetch`."""
        source = self._path(digest)
        if not source.is_file():
            raise OutputError(
                f"the file {digest[:12]}... is not in the store", where=self.place,
                way_out="Bring it back from a copy of the store, or publish the model again.",
            )  # fmt: skip
        write_checked(pieces_of(source), digest, target, where=str(source))

    def has(self, name: str, digest: str) -> bool:
        """See `Store.has`."""
        return self._path(digest).is_file()

    def _keep(self, source: Path, digest: str, half: Path) -> None:
        target = self._path(digest)
        # One that was damaged is replaced by a whole one.
        if target.is_file() and sha256_of(target) == digest:
            return
        beside = half / digest
        write_checked(pieces_of(source), digest, beside, where=str(source))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside.chmod(0o444)
            beside.replace(target)
            sync_folder(target.parent)
        except OSError as problem:
            raise unwritable(target, problem) from problem

    def _path(self, digest: str) -> Path:
        return self._folder / "sha256" / digest[:2] / digest
