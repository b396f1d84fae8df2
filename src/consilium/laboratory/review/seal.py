"""The laboratory's own seal: an Ed25519 signature over what was signed, so that it can be checked elsewhere.

A director's signature says who approved what; it stands in the database, and whoever rules the database could make
another one. The seal is made with a key that is not in it, a file beside it that only the program's user may read.
Whoever has the public key can check a printed report's hash with any tool that knows Ed25519 (RFC 8032).
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.errors import MissingExtra, OutputError, StorageLocked

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_NAME = "report-seal.pem"


class Seal:
    """The key of a laboratory's seal.

    Args:
        folder: where the key is kept; made there, mode 0600, when there is none.

    Raises:
        MissingExtra: cryptography is not installed.
        OutputError: the key cannot be written.
        StorageLocked: what lies there is no such key, or others may read it.
    """

    def __init__(self, folder: Path) -> None:
        self._key = _kept(folder / _NAME)

    @property
    def public(self) -> str:
        """The public key, 32 bytes in base64."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode("ascii")

    def sealed(self, sha256: str) -> str:
        """Seal a hash.

        Args:
            sha256: 64 hexadecimal digits; these letters are what is signed.

        Returns:
            The signature, 64 bytes in base64.
        """
        return base64.b64encode(self._key.sign(sha256.encode("ascii"))).decode("ascii")


def holds(seal: str, public: str, sha256: str) -> bool:
    """Whether a seal is of this hash and this key.

    Args:
        seal: as `Seal.sealed` gives it.
        public: as `Seal.public` gives it.
        sha256: of what was sealed.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(seal, validate=True), sha256.encode("ascii"))
    except (InvalidSignature, ValueError):
        return False
    return True


def _kept(path: Path) -> Ed25519PrivateKey:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as missing:
        raise MissingExtra(
            "cryptography is needed for the laboratory's seal",
            way_out="Install it: pip install 'consilium[laboratory]'.",
        ) from missing
    try:
        if not path.exists():
            made = Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            _write_once(path, made)
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise StorageLocked(
                "others may read the key of the laboratory's seal", where=str(path),
                way_out=f"chmod 600 {path.name}; who had it could have sealed reports.",
            )  # fmt: skip
        told = path.read_bytes()
    except OSError as problem:
        raise OutputError(
            f"the key of the laboratory's seal cannot be kept ({problem.strerror})", where=str(path)
        ) from problem
    try:
        key = serialization.load_pem_private_key(told, password=None)
    except ValueError as problem:
        raise StorageLocked(
            "this is no key of a seal", where=str(path), way_out="Bring it back from a backup."
        ) from problem
    if not isinstance(key, Ed25519PrivateKey):
        raise StorageLocked("this is no Ed25519 key", where=str(path), way_out="Bring it back from a backup.")
    return key


def _write_once(path: Path, made: bytes) -> None:
    """Whole or not at all, and never over another one that was made meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(half, path)
    except FileExistsError:
        pass
    finally:
        half.unlink()
