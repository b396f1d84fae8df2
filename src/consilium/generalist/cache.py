"""Features that were computed before: files below `CONSILIUM_HOME/features`, named by what they are features of.

An entry appears all at once or not at all, so several processes may share the folder. An entry that does not bear
its own checksum counts as absent and is computed again. When the folder outgrows its limit, what was not used for
longest goes.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consilium.generalist.encoder import Encoder
from consilium.settings import home_folder

LIMIT = 2 << 30
"""Bytes; about 280,000 pictures of the shipped encoder."""

LOOK_AFTER = 256
"""Entries written by one process before it looks again how large the folder is."""

_DIGEST = 32


def content_hash(path: Path) -> str:
    """The SHA-256 of a file's content: the same picture is known again under any name.

    Of a folder, which stands for a study, that of the digests of its files in the order of their names.

    Raises:
        OSError: it cannot be read.
    """
    if path.is_dir():
        digests = [content_hash(file) for file in sorted(path.rglob("*")) if file.is_file()]
        return hashlib.sha256("".join(digests).encode("ascii")).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def feature_key(content: str, encoder: Encoder, modality: str | None, side: int) -> str:
    """The name of the entry for one content.

    Args:
        content: hash of the file.
        encoder: what made the features.
        modality: what it was told.
        side: pixels of a side at which it saw the pictures.
    """
    return hashlib.sha256("\n".join([content, encoder.fingerprint, modality or "", str(side)]).encode()).hexdigest()


class FeatureCache:
    """Image vectors on disk.

    Args:
        folder: where; below `CONSILIUM_HOME` when left out.
        limit: bytes that it may take up.
    """

    def __init__(self, folder: Path | None = None, *, limit: int = LIMIT) -> None:
        self.folder = home_folder() / "features" if folder is None else folder
        self.limit = limit
        self._written = 0

    def get(self, key: str) -> NDArray[np.float32] | None:
        """The features kept under a key, (N, D) float32; None when there are none or they are damaged."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if len(data) <= _DIGEST or hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            _remove(path)
            return None
        try:
            found = np.load(io.BytesIO(data[_DIGEST:]), allow_pickle=False)
        except ValueError:
            _remove(path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # used now, so it goes last
        return np.asarray(found, np.float32)

    def put(self, key: str, image: NDArray[np.float32]) -> bool:
        """Keep features.

        Returns:
            Whether they could be kept: a full or read-only disk costs time, not the result.
        """
        buffer = io.BytesIO()
        np.save(buffer, np.asarray(image, np.float32), allow_pickle=False)
        data = buffer.getvalue()
        path = self._path(key)
        partial = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(hashlib.sha256(data).digest() + data)
            partial.replace(path)
        except OSError:
            _remove(partial)
            return False
        self._written += 1
        if self._written % LOOK_AFTER == 1:
            self.prune()
        return True

    def prune(self) -> int:
        """Remove what was not used for longest until nine tenths of the limit are left.

        Returns:
            How many entries went.
        """
        entries = []
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                entries.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in entries)
        if total <= self.limit:
            return 0
        gone = 0
        for _, size, path in sorted(entries):
            if total <= 0.9 * self.limit:
                break
            _remove(path)
            total -= size
            gone += 1
        return gone

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.features"


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
