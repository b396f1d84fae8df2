"""The keys under which a hospital's studies are kept: made, used, changed, destroyed.

    keys/hospital_a.json      the hospital's keys, encrypted under the master key, readable by the owner alone
    keys/hospital_a.shredded  when they were destroyed

Keys are Tink's keysets (extra `storage`; Apache-2.0), encrypted with AES-256-GCM under the master key, which never lies
beside them: it is a file that `CONSILIUM_MASTER_KEY` names, or comes of a passphrase in `CONSILIUM_PASSPHRASE` (scrypt,
RFC 7914). A hospital has several stream keys while its studies move from an old one to a new one.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consilium.errors import InputError, MissingExtra, OutputError, StorageLocked

MASTER_VARIABLE = "CONSILIUM_MASTER_KEY"
PASSPHRASE_VARIABLE = "CONSILIUM_PASSPHRASE"

_SCRYPT = {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 64 << 20}
"""32 MiB and a tenth of a second a try (OWASP Password Storage Cheat Sheet)."""

_LEAST_PASSPHRASE = 12
_FORMAT = "consilium keys 1"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class HospitalKeys:
    """A hospital's keys, open; nothing of them is shown when it is printed.

    Attributes:
        hospital: whose.
        streams: keysets for content by number, as Tink writes them; the highest number is for new studies.
        names: 32 bytes, from which names of files are made.
    """

    hospital: str
    streams: Mapping[int, bytes] = field(repr=False)
    names: bytes = field(repr=False)

    @property
    def newest(self) -> int:
        """The number of the key for new studies."""
        return max(self.streams)

    def stream(self, number: int) -> Any:
        """Tink's streaming encryption under one of the keys.

        Raises:
            StorageLocked: there is no key of that number any more.
        """
        if number not in self.streams:
            raise StorageLocked(
                f"{self.hospital} has no key {number} any more",
                way_out="The study was stored under a key that was given up: bring back the key file from a copy.",
            )
        tink = tink_module()
        from tink import secret_key_access, streaming_aead

        handle = tink.proto_keyset_format.parse(self.streams[number], secret_key_access.TOKEN)
        return handle.primitive(streaming_aead.StreamingAead)

    def place(self, study: str, name: str) -> str:
        """The name of a file on the disk: it says nothing of the study without the keys."""
        told = json.dumps([study, name]).encode()
        return hmac.new(self.names, told, hashlib.sha256).hexdigest()[:40]


class KeyFolder:
    """The folder of all hospitals' keys.

    Args:
        folder: where they lie.
        master: 32 bytes.
    """

    def __init__(self, folder: Path, master: bytes) -> None:
        if len(master) != 32:
            raise InputError("a master key has 32 bytes", way_out="Make one with `new_master_key`.")
        self._folder, self._master = folder, master

    def opened(self, hospital: str, *, make: bool = False) -> HospitalKeys:
        """A hospital's keys.

        Args:
            hospital: its id.
            make: whether it gets keys if it has none yet.

        Raises:
            StorageLocked: there are none, they were destroyed, were changed, or the master key is another.
            OutputError: new ones cannot be written.
        """
        path = self._path(hospital)
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._refuse_shredded(hospital)
            if not make:
                raise StorageLocked(
                    f"{hospital} has no keys here", where=str(path), way_out="Nothing of it was stored yet."
                ) from None
            new = HospitalKeys(hospital=hospital, streams={1: _new_stream()}, names=secrets.token_bytes(32))
            self._write(new, keep=True)  # of two who make keys at once, one has made them
            return self.opened(hospital)
        except (OSError, ValueError) as problem:
            raise _locked(path, "cannot be read") from problem
        try:
            if told["format"] != _FORMAT or told["hospital"] != hospital:
                raise ValueError
            plain = json.loads(_aead(self._master).decrypt(base64.b64decode(told["keys"]), _bound(hospital)))
            streams = {int(number): base64.b64decode(one) for number, one in plain["streams"].items()}
            return HospitalKeys(hospital=hospital, streams=streams, names=base64.b64decode(plain["names"]))
        except MissingExtra:
            raise
        except Exception as problem:  # Tink has errors of its own
            raise _locked(path, "do not open with this master key, or were changed") from problem

    def add_newer(self, hospital: str) -> HospitalKeys:
        """Give a hospital a new key for what is stored from now on; older ones still open what they closed.

        Raises:
            StorageLocked, OutputError: see `opened`.
        """
        keys = self.opened(hospital)
        return self._write(
            HospitalKeys(
                hospital=hospital, streams={**keys.streams, keys.newest + 1: _new_stream()}, names=keys.names
            )
        )  # fmt: skip

    def keep_newest(self, hospital: str) -> HospitalKeys:
        """Give up all keys of a hospital but the newest, once nothing needs them.

        Raises:
            StorageLocked, OutputError: see `opened`.
        """
        keys = self.opened(hospital)
        only = {keys.newest: keys.streams[keys.newest]}
        return self._write(HospitalKeys(hospital=hospital, streams=only, names=keys.names))

    def under(self, master: bytes) -> KeyFolder:
        """Put all keys under another master key; studies stay as they are. Can be called again after a crash.

        Raises:
            StorageLocked, OutputError: see `opened`.
        """
        new = KeyFolder(self._folder, master)
        for path in sorted(self._folder.glob("*.json")):
            try:
                new.opened(path.stem)
            except StorageLocked:
                new._write(self.opened(path.stem))
        return new

    def shred(self, hospital: str) -> None:
        """Destroy a hospital's keys: what was stored under them is noise from then on.

        Copies of the key file elsewhere have to be destroyed too.

        Raises:
            StorageLocked: there are none.
            OutputError: the file cannot be destroyed.
        """
        path = self._path(hospital)
        if not path.exists():
            self._refuse_shredded(hospital)
            raise StorageLocked(f"{hospital} has no keys here", where=str(path), way_out="There is nothing to destroy.")
        try:
            _write_whole(path.with_suffix(".shredded"), datetime.now(UTC).isoformat(timespec="seconds") + "\n")
            with path.open("r+b") as stream:
                stream.write(secrets.token_bytes(path.stat().st_size))
                stream.flush()
                os.fsync(stream.fileno())
            path.unlink()
            _settle(path.parent)
        except OSError as problem:
            raise _unwritable(path, problem) from problem

    def _write(self, keys: HospitalKeys, *, keep: bool = False) -> HospitalKeys:
        plain = {
            "streams": {str(number): base64.b64encode(one).decode() for number, one in keys.streams.items()},
            "names": base64.b64encode(keys.names).decode(),
        }
        closed = _aead(self._master).encrypt(json.dumps(plain).encode(), _bound(keys.hospital))
        told = {"format": _FORMAT, "hospital": keys.hospital, "keys": base64.b64encode(closed).decode()}
        path = self._path(keys.hospital)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_whole(path, json.dumps(told) + "\n", keep=keep)
        except OSError as problem:
            raise _unwritable(path, problem) from problem
        return keys

    def check(self, hospital: str) -> None:
        """See that an id can be one.

        Raises:
            InputError: it cannot.
        """
        self._path(hospital)

    def _path(self, hospital: str) -> Path:
        if not _NAME.fullmatch(hospital):
            raise InputError(
                f"{hospital!r} cannot be the id of a hospital", way_out="Lower-case letters, digits, _ and -."
            )
        return self._folder / f"{hospital}.json"

    def _refuse_shredded(self, hospital: str) -> None:
        mark = self._path(hospital).with_suffix(".shredded")
        if mark.exists():
            raise StorageLocked(
                f"the keys of {hospital} were destroyed on {mark.read_text(encoding='utf-8').strip()}",
                where=str(mark),
                way_out="What it stored cannot be read by anybody. Delete this mark to let it begin anew.",
            )


def new_master_key(path: Path) -> bytes:
    """Make a master key in a new file that its owner alone may read.

    Raises:
        OutputError: there is one already, or it cannot be written.
    """
    key = secrets.token_bytes(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(base64.b64encode(key) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as problem:
        raise _unwritable(path, problem) from problem
    return key


def master_key(environ: Mapping[str, str], salt: Path) -> bytes:
    """The master key that the environment tells of.

    Args:
        environ: with `CONSILIUM_MASTER_KEY`, the path of a file, or `CONSILIUM_PASSPHRASE`.
        salt: a file for the salt of the passphrase; made where there is none.

    Raises:
        StorageLocked: none is told, the file is no key, or everybody may read it.
        OutputError: the salt cannot be written.
    """
    if named := environ.get(MASTER_VARIABLE, "").strip():
        return _key_in(Path(named).expanduser())
    passphrase = environ.get(PASSPHRASE_VARIABLE, "")
    if not passphrase:
        raise StorageLocked(
            "there is no master key",
            way_out=f"Name its file in {MASTER_VARIABLE}, or set {PASSPHRASE_VARIABLE}.",
        )
    if len(passphrase) < _LEAST_PASSPHRASE:
        raise StorageLocked(
            "the passphrase is too short to keep anything safe", way_out=f"At least {_LEAST_PASSPHRASE} characters."
        )
    try:
        if not salt.exists():
            salt.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_whole(salt, secrets.token_hex(16) + "\n", keep=True)
        seed = bytes.fromhex(salt.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as problem:
        raise OutputError(
            "the salt of the passphrase cannot be read or written",
            where=str(salt),
            way_out="Bring it back from a copy.",
        ) from problem
    return hashlib.scrypt(passphrase.encode(), salt=seed, dklen=32, **_SCRYPT)


def tink_module() -> Any:
    """Tink, with what is used of it ready.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import tink
        from tink import aead, streaming_aead
    except ImportError as missing:
        raise MissingExtra(
            "studies are encrypted by Tink, which is not installed",
            way_out="Install it: pip install 'consilium[storage]'.",
        ) from missing
    aead.register()
    streaming_aead.register()
    return tink


def _key_in(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise StorageLocked(
                "others may read the master key", where=str(path), way_out=f"chmod 600 {path}, and make a new one."
            )
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except (OSError, ValueError) as problem:
        raise StorageLocked(
            "it cannot be read as a master key", where=str(path), way_out="Name another file."
        ) from problem
    if len(key) != 32:
        raise StorageLocked("it is no master key: it has not 32 bytes", where=str(path), way_out="Name another file.")
    return key


def _new_stream() -> bytes:
    """A new keyset: AES-256-GCM in segments of 1 MiB, each study under a key of its own by HKDF."""
    tink = tink_module()
    from tink import secret_key_access, streaming_aead

    handle = tink.new_keyset_handle(streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB)
    return bytes(tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def _aead(master: bytes) -> Any:
    """Tink's AES-256-GCM under the master key."""
    tink = tink_module()
    from tink import aead, secret_key_access
    from tink.proto import aes_gcm_pb2, tink_pb2

    data = tink_pb2.KeyData(
        type_url="type.googleapis.com/google.crypto.tink.AesGcmKey",
        value=aes_gcm_pb2.AesGcmKey(version=0, key_value=master).SerializeToString(),
        key_material_type=tink_pb2.KeyData.SYMMETRIC,
    )
    key = tink_pb2.Keyset.Key(key_data=data, status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW)
    keyset = tink_pb2.Keyset(primary_key_id=1, key=[key])
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(aead.Aead)


def _bound(hospital: str) -> bytes:
    return f"{_FORMAT} {hospital}".encode()


def _write_whole(path: Path, text: str, *, keep: bool = False) -> None:
    """Write a private file whole or not at all; with `keep`, one that is there stays."""
    half = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if keep:
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(half)
        else:
            half.replace(path)
        _settle(path.parent)
    finally:
        half.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """See that a folder's list of names is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked(path: Path, what: str) -> StorageLocked:
    return StorageLocked(
        f"the keys {what}", where=str(path), way_out="Give the right master key, or bring the file back from a copy."
    )


def _unwritable(path: Path, problem: OSError) -> OutputError:
    return OutputError(
        f"keys cannot be written or destroyed ({problem.strerror})", where=str(path),
        way_out="Make room or ask for permission, then call again.",
    )  # fmt: skip
