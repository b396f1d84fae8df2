"""The site's secret: who has it can link pseudonyms to patients, so only the owner of its file may read it."""

from __future__ import annotations

import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from consilium.errors import InputError, OutputError
from consilium.settings import home_folder

KEY_BYTES = 32
"""As long as the digest of HMAC-SHA256 (RFC 2104, section 3)."""

_WRITTEN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SiteKey:
    """The secret itself; it never shows itself in a message."""

    secret: bytes = field(repr=False)


def usual_key_file() -> Path:
    """Where the key lies when nobody says."""
    return home_folder() / "deidentify.key"


def passing_key() -> SiteKey:
    """A key that nobody keeps, for a trial."""
    return SiteKey(secrets.token_bytes(KEY_BYTES))


def read_key(path: Path) -> SiteKey:
    """Reads a key that was made before.

    Raises:
        InputError: it is not a key, cannot be read, or others may read it too.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError("not a regular file", where=str(path), way_out="Name the file that holds the site key.")
        if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
            raise InputError(
                "other accounts may read the site key",
                where=str(path),
                way_out=f"chmod 600 {path}, and make a new key if others may have read it.",
            )
        written = path.read_bytes()[:256].decode("ascii", errors="replace").strip()
    except OSError as problem:
        raise InputError(
            f"the site key cannot be read ({problem.strerror})", where=str(path), way_out="Check its owner."
        ) from problem
    if not _WRITTEN.fullmatch(written):
        raise InputError(
            "this is not a site key", where=str(path), way_out="Name another file; a missing one is made anew."
        )
    return SiteKey(bytes.fromhex(written))


def create_key(path: Path) -> SiteKey:
    """Makes a key that only the owner of the file may read.

    Raises:
        OutputError: it cannot be written; an existing file is left alone.
    """
    key = passing_key()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(key.secret.hex() + "\n")
    except OSError as problem:
        raise OutputError(
            f"the site key cannot be written ({problem.strerror})",
            where=str(path),
            way_out="Name another file with --key.",
        ) from problem
    return key
