"""A trained model as a folder: the layout of a MONAI bundle, every file under a checksum.

    configs/metadata.json, configs/inference.json   what MONAI reads
    docs/README.md, LICENSE                         what a person reads
    models/model.onnx, models/model.json            the network and its card
    manifest.json                                   SHA-256 of every file but itself and its signature

Layout: MONAI Bundle Specification, https://docs.monai.io/en/stable/mb_specification.html. A bundle appears all at once
or not at all: it is written beside its place and moved there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from consilium.errors import ModelError, OutputError

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
METADATA = "configs/metadata.json"
CARD = "models/model.json"
NETWORK = "models/model.onnx"
_FORMAT = "consilium bundle 1"
_WAY_OUT = "Take the model again from where it was made; do not use this copy."


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle whose files were held against its manifest when it was opened.

    Attributes:
        folder: where it lies.
        files: names of its files, as in the manifest.
    """

    folder: Path
    files: tuple[str, ...]

    def path(self, name: str) -> Path:
        """Where a file of the bundle lies.

        Raises:
            ModelError: the manifest names no such file.
        """
        if name not in self.files:
            raise ModelError(f"the bundle has no {name}", where=str(self.folder), way_out=_WAY_OUT)
        return self.folder / name

    def document(self, name: str) -> dict[str, Any]:
        """A JSON file of the bundle.

        Raises:
            ModelError: there is none, or it holds no JSON object.
        """
        path = self.path(name)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as problem:
            raise ModelError(f"it cannot be read ({problem})", where=str(path), way_out=_WAY_OUT) from problem
        if not isinstance(found, dict):
            raise ModelError("it holds no JSON object", where=str(path), way_out=_WAY_OUT)
        return found


def refuse_place(out: Path, *, overwrite: bool) -> None:
    """Holds the place of a new bundle against what is there; called before the long work.

    Raises:
        OutputError: a file is there, or a folder that is not empty and not a bundle that may be replaced.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise OutputError("there is a file or link already", where=str(out), way_out="Choose another --out.")
    if not out.exists() or not any(out.iterdir()):
        return
    if not is_bundle(out):
        raise OutputError("the folder is not empty", where=str(out), way_out="Choose a new or empty folder.")
    if not overwrite:
        raise OutputError(
            "there is a model already", where=str(out), way_out="Choose another --out, or replace it with --overwrite."
        )


def is_bundle(folder: Path) -> bool:
    """Whether a folder has the manifest of a bundle of ours; says nothing about whether it is intact."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("format") == _FORMAT


def write_bundle(
    files: Mapping[str, bytes],
    out: Path,
    *,
    overwrite: bool = False,
    seal: Callable[[Path], None] = lambda _folder: None,
) -> None:
    """Writes a bundle, whole or not at all.

    Args:
        files: content by name, with forward slashes.
        out: the folder it becomes.
        overwrite: whether a bundle that is there may be replaced; it stays until the new one is whole.
        seal: called with the folder of the whole bundle before it is moved to its place; what signs it.

    Raises:
        OutputError: the place is taken, or cannot be written to.
    """
    refuse_place(out, overwrite=overwrite)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    manifest = json.dumps({"format": _FORMAT, "sha256": digests}, indent=2) + "\n"
    beside = out.parent / f".{out.name}.{os.getpid()}.{secrets.token_hex(4)}.partial"
    former = beside.with_suffix(".former")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for name, content in {**files, MANIFEST: manifest.encode()}.items():
            path = beside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        seal(beside)
        if out.exists():
            out.rename(former)
        try:
            beside.rename(out)
        except OSError:
            if former.exists():
                former.rename(out)
            raise
    except OSError as problem:
        raise OutputError(
            f"the model cannot be written ({problem.strerror or problem})",
            where=str(out),
            way_out="Check the rights and the room on the disk, or choose another --out.",
        ) from problem
    finally:
        for leftover in (beside, former):
            with contextlib.suppress(OSError):
                shutil.rmtree(leftover)


def open_bundle(folder: Path) -> Bundle:
    """Opens a bundle and holds every file against the manifest.

    Raises:
        ModelError: no bundle, or a file is missing, altered or not named in the manifest.
    """
    if not folder.is_dir():
        raise ModelError(
            "there is no such model folder", where=str(folder), way_out="Make one with `consilium specialist fit`."
        )
    if not is_bundle(folder):
        raise ModelError(
            "it is not a model of Consilium, its manifest.json is missing or damaged",
            where=str(folder),
            way_out="Name the folder that `consilium specialist fit` wrote.",
        )
    digests = json.loads((folder / MANIFEST).read_text(encoding="utf-8")).get("sha256")
    if not isinstance(digests, dict) or not all(_is_plain(name) for name in digests):
        raise ModelError("its manifest names no files", where=str(folder), way_out=_WAY_OUT)
    for name, digest in digests.items():
        try:
            content = (folder / name).read_bytes()
        except OSError as problem:
            raise ModelError(f"its file {name} is missing", where=str(folder), way_out=_WAY_OUT) from problem
        if hashlib.sha256(content).hexdigest() != digest:
            raise ModelError(f"its file {name} was altered", where=str(folder), way_out=_WAY_OUT)
    return Bundle(folder=folder, files=tuple(digests))


def _is_plain(name: object) -> bool:
    """Whether a name stays within the folder."""
    if not isinstance(name, str) or not name or "\\" in name or "\0" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts
