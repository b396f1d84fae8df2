"""Keys: whose signature a model carries, and whom this hospital takes models from.

Two records have to agree before a model is used. The catalogue says which hospital a key belongs to and whether it
was revoked; the operator keeps it. The hospital's own folder of trust holds the keys that it has met: the first of a
publisher is noted when it is met first, as SSH does with machines, and a later one has to be let in by a person. So
nobody who gets hold of the shared catalogue can slip in a key of his own under a name that is known already.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from consilium.errors import InputError, MissingExtra, NotTrusted, OutputError

_MODELS = ".models"
"""Folder of notes on whose a model is, beside the folders of publishers."""

PRIVATE_KEY = "library.key.pem"
"""Name of this installation's own key in `CONSILIUM_HOME/keys`."""


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """The key that signatures of a publisher are held against.

    Attributes:
        pem: elliptic curve, as OpenSSL writes it.
        fingerprint: SHA-256 of the key itself (SubjectPublicKeyInfo), 64 hexadecimal digits.
    """

    pem: str
    fingerprint: str


def public_key_of(content: bytes, *, where: str = "") -> PublicKey:
    """The public key in a PEM file, of a private key the one that belongs to it.

    Raises:
        InputError: it holds no key of an elliptic curve that signs models.
        MissingExtra: cryptography is not installed.
    """
    _need_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        if b"PRIVATE KEY" in content:
            private = serialization.load_pem_private_key(content, password=None)
            found: object = private.public_key()
        else:
            found = serialization.load_pem_public_key(content)
    except Exception as problem:
        # Readers of keys raise whatever they like on what is none.
        raise _no_key(where, "it holds no key in PEM") from problem
    if not isinstance(found, ec.EllipticCurvePublicKey) or found.curve.name not in _CURVES:
        raise _no_key(where, "it is no key of the curve P-256, P-384 or P-521")
    der = found.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem = found.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(pem=pem.decode(), fingerprint=hashlib.sha256(der).hexdigest())


_CURVES = ("secp256r1", "secp384r1", "secp521r1")


def make_key(path: Path) -> PublicKey:
    """Make a private key that only its owner can read, and give the public one.

    Raises:
        OutputError: there is a file already, or it cannot be written.
        MissingExtra: cryptography is not installed.
    """
    _need_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
        # A link is made only where nothing is: two calls at once do not replace each other's key.
        os.link(half, path)
    except FileExistsError as problem:
        raise OutputError(
            "there is a key already",
            where=str(path),
            way_out="Models that it signed need it: keep it, or move it away.",
        ) from problem
    except OSError as problem:
        raise OutputError(f"the key cannot be written ({problem.strerror})", where=str(path)) from problem
    finally:
        half.unlink(missing_ok=True)
    return public_key_of(pem)


def own_key_file(home: Path) -> Path:
    """Where the private key of a hospital lies.

    Args:
        home: `CONSILIUM_HOME`.
    """
    return home / "keys" / PRIVATE_KEY


def private_key(path: Path) -> Path:
    """A private key that nobody else can read.

    Raises:
        InputError: there is none, or others can read it.
    """
    try:
        mode = path.stat().st_mode
    except OSError as problem:
        raise InputError(
            "there is no key to sign with", where=str(path), way_out="Make one: consilium library key make."
        ) from problem
    if mode & 0o077:
        raise InputError(
            f"others on this machine can read the private key (mode {mode & 0o777:o})", where=str(path),
            way_out=f"Make a new one if somebody did; else: chmod 600 {path}.",
        )  # fmt: skip
    return path


class Pins:
    """The keys of publishers that this hospital has met.

    Args:
        folder: one folder a publisher in it, one PEM file a key.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def known(self, hospital: str) -> tuple[str, ...]:
        """Fingerprints of a publisher's keys."""
        place = self._folder / hospital
        return tuple(sorted(one.stem for one in place.glob("*.pem"))) if place.is_dir() else ()

    def add(self, hospital: str, key: PublicKey) -> bool:
        """Note a key; tells whether it was new.

        Raises:
            OutputError: it cannot be written.
        """
        target = self._folder / hospital / f"{key.fingerprint}.pem"
        if target.exists():
            return False
        half = target.with_suffix(f".{os.getpid()}.half")
        try:
            # Each by itself: parents that are made on the way do not get the mode.
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.parent.mkdir(exist_ok=True, mode=0o700)
            half.write_text(key.pem, encoding="ascii")
            half.replace(target)
        except OSError as problem:
            raise OutputError(f"the key cannot be noted ({problem.strerror})", where=str(target)) from problem
        return True

    def add_model(self, name: str, hospital: str) -> None:
        """Note whose a model is.

        Raises:
            OutputError: it cannot be written.
        """
        target = self._folder / _MODELS / name
        if target.exists():
            return
        half = target.with_name(f".{name}.{os.getpid()}.half")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.parent.mkdir(exist_ok=True, mode=0o700)
            half.write_text(hospital, encoding="utf-8")
            half.replace(target)
        except OSError as problem:
            raise OutputError(f"the publisher cannot be noted ({problem.strerror})", where=str(target)) from problem

    def require_model(self, name: str, hospital: str) -> None:
        """See that a model is of the hospital that it was of when it was met.

        Raises:
            NotTrusted: it is said to be another's.
        """
        try:
            known = (self._folder / _MODELS / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        if known != hospital:
            raise NotTrusted(
                f"{name} is of {known} as this hospital knows it, and the catalogue says of {hospital}",
                way_out="Somebody may have changed the catalogue: ask the operator by telephone.",
            )

    def require(self, hospital: str, key: PublicKey) -> bool:
        """See that a key is one that was met before, or the first of its publisher; tells whether it is the first.

        Raises:
            NotTrusted: other keys of this publisher are known, and not this one.
        """
        known = self.known(hospital)
        if known and key.fingerprint not in known:
            raise NotTrusted(
                f"it is signed with a key of {hospital} that this hospital has not met ({key.fingerprint[:16]}...)",
                way_out="Ask the publisher by telephone whether the key is his, then: "
                f"consilium library key accept {key.fingerprint[:16]}",
            )
        return not known


def _need_cryptography() -> None:
    if find_spec("cryptography") is None:
        raise MissingExtra("cryptography is needed for keys", way_out="Install it: pip install 'consilium[library]'.")


def _no_key(where: str, what: str) -> InputError:
    return InputError(
        what, where=where, way_out="Make one: openssl ecparam -name prime256v1 -genkey -noout -out key.pem"
    )
