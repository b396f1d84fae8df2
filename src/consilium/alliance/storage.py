"""Studies at rest: encrypted under their hospital's keys, whole or absent, and opened by nobody else.

    studies/hospital_a/3f/3f0c...  one file of a study

A file is a line of what may be known (format, number of the key), then Tink's AES-256-GCM-HKDF stream: segments of 1
MiB, each bound to its place and the last one to being the last, so that what was changed, cut off, put in another
order or in another file's place is seen (online authenticated encryption; Hoang, Reyhanitabar, Rogaway and Vizár
2015). The names of study and file are inside, and the name on the disk is made from them with a key. Anything that is
read has been verified up to there; only `copy_out` promises that all of it was.

age was looked at too: whoever knows its public key can put another file in a study's place.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from consilium.alliance.hospital_keys import HospitalKeys, KeyFolder
from consilium.errors import InputError, OutputError, StorageBroken

_FORMAT = "consilium study 1"
_PIECE = 1 << 20
_LONGEST_HEAD = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file that is stored.

    Attributes:
        hospital, study, name: whose, of which study, which file of it.
        path: where it lies.
        key: number of the key that opens it.
    """

    hospital: str
    study: str
    name: str
    path: Path
    key: int


class StudyStore:
    """Where studies are kept.

    Args:
        folder: of all hospitals.
        keys: the hospitals' keys.
    """

    def __init__(self, folder: Path, keys: KeyFolder) -> None:
        self._folder, self._keys = folder, keys

    def put(self, hospital: str, study: str, name: str, source: BinaryIO) -> Stored:
        """Store a file, in the place of one of the same name; when this returns it is on the disk.

        Args:
            hospital: whose.
            study: an identifier, any text.
            name: of the file in the study, any text.
            source: read to its end, in constant memory.

        Raises:
            StorageLocked: the hospital's keys do not open.
            OutputError: it cannot be written; what was there is as it was.
        """
        with self._lock(hospital, fcntl.LOCK_SH):
            return self._put(self._keys.opened(hospital, make=True), study, name, source)

    @contextmanager
    def opened(self, hospital: str, study: str, name: str) -> Iterator[BinaryIO]:
        """A stored file to read from.

        Raises:
            InputError: there is none.
            StorageLocked: the hospital's keys do not open.
            StorageBroken: on opening, reading or closing: it was changed, cut off or moved.
        """
        keys = self._keys.opened(hospital)
        path = self._path(keys, study, name)
        if not path.is_file():
            raise InputError(f"{hospital} has no such file in this study", way_out="List what it has.")
        with _decrypting(keys, path) as (told, stream):
            if told != (study, name):
                raise _broken(path)
            yield stream

    def copy_out(self, hospital: str, study: str, name: str, out: Path) -> None:
        """Write a stored file in plain to a place, whole or not at all.

        Raises:
            InputError, StorageLocked, StorageBroken: see `opened`.
            OutputError: it cannot be written there.
        """
        with self.opened(hospital, study, name) as stream, _whole(out) as half:
            while piece := stream.read(_PIECE):
                half.write(piece)

    def place(self, hospital: str, study: str, name: str) -> str:
        """The name on the disk of what is, or would be, stored; it tells nobody what it is.

        Raises:
            StorageLocked: the hospital's keys do not open.
        """
        return self._keys.opened(hospital).place(study, name)

    def stored(self, hospital: str) -> Iterator[Stored]:
        """All files of a hospital.

        Raises:
            StorageLocked, StorageBroken: see `opened`.
        """
        keys = self._keys.opened(hospital)
        for path in self._files(hospital):
            with _decrypting(keys, path) as (told, _):
                study, name = told
            if path != self._path(keys, study, name):
                raise _broken(path)
            yield Stored(hospital=hospital, study=study, name=name, path=path, key=_key_of(path))

    def delete(self, hospital: str, study: str, name: str) -> None:
        """Delete a file.

        Raises:
            InputError: there is none.
        """
        path = self._path(self._keys.opened(hospital), study, name)
        try:
            path.unlink()
        except FileNotFoundError as missing:
            raise InputError(f"{hospital} has no such file in this study", way_out="List what it has.") from missing

    def rotate(self, hospital: str) -> int:
        """Put all files of a hospital under a new key, and give up the old ones; how many files were moved.

        A call that was cut short loses nothing, and the next one goes on with it.

        Raises:
            StorageLocked, StorageBroken, OutputError: see `opened` and `put`; old keys are kept then.
        """
        moved = 0
        with self._lock(hospital, fcntl.LOCK_EX):
            keys = self._keys.opened(hospital)
            if len(keys.streams) == 1:
                keys = self._keys.add_newer(hospital)
            for path in self._files(hospital):
                if _key_of(path) == keys.newest:
                    continue
                with _decrypting(keys, path) as (told, stream):
                    if path != self._path(keys, *told):
                        raise _broken(path)
                    self._put(keys, *told, stream)
                moved += 1
            self._keys.keep_newest(hospital)
        return moved

    def shred(self, hospital: str) -> None:
        """Destroy a hospital's keys, after which nobody can read what it stored; its files are then deleted.

        Raises:
            StorageLocked: it has no keys.
            OutputError: they cannot be destroyed.
        """
        with self._lock(hospital, fcntl.LOCK_EX):
            self._keys.shred(hospital)
            for path in self._files(hospital):
                path.unlink(missing_ok=True)

    def _put(self, keys: HospitalKeys, study: str, name: str, source: BinaryIO) -> Stored:
        path = self._path(keys, study, name)
        head = json.dumps([study, name]).encode()
        if len(head) > _LONGEST_HEAD:
            raise InputError("the name of the study or file is too long", way_out="Give it a shorter one.")
        number = keys.newest
        with _whole(path) as half:
            half.write(_line(number))
            sink = _Sink(half)
            stream = keys.stream(number).new_encrypting_stream(sink, _bound(keys.hospital, path, number))
            try:
                stream.write(struct.pack(">I", len(head)) + head)
                while piece := source.read(_PIECE):
                    stream.write(piece)
                stream.close()
            except BaseException:
                sink.abandoned = True
                stream.close()
                raise
        return Stored(hospital=keys.hospital, study=study, name=name, path=path, key=number)

    @contextmanager
    def _lock(self, hospital: str, how: int) -> Iterator[None]:
        """Keep keys from being given up while somebody writes under them."""
        self._keys.check(hospital)
        folder = self._folder / hospital
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            stream = (folder / ".lock").open("ab")
        except OSError as problem:
            raise _unwritable(folder, problem) from problem
        with stream:
            fcntl.flock(stream, how)
            yield

    def _path(self, keys: HospitalKeys, study: str, name: str) -> Path:
        place = keys.place(study, name)
        return self._folder / keys.hospital / place[:2] / place

    def _files(self, hospital: str) -> list[Path]:
        """Of what is whole; what a killed writer left begins with a dot."""
        return sorted(one for one in (self._folder / hospital).glob("??/*") if not one.name.startswith("."))


class _Sink(io.RawIOBase):
    """A file that stays open when the stream over it is closed.

    Closing the stream writes its last segment, which makes a whole of what may be half: `abandoned` keeps that off.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.abandoned = file, False

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        return len(content) if self.abandoned else self._file.write(content)


@contextmanager
def _decrypting(keys: HospitalKeys, path: Path) -> Iterator[tuple[tuple[str, str], BinaryIO]]:
    """The names in a file and the stream of its content; Tink's errors become ours."""
    with path.open("rb") as file:
        number = _number_in(file.readline(200), path)
        stream = keys.stream(number).new_decrypting_stream(file, _bound(keys.hospital, path, number))
        with _as_broken(path):
            (length,) = struct.unpack(">I", _exactly(stream, 4))
            if length > _LONGEST_HEAD:
                raise ValueError
            study, name = json.loads(_exactly(stream, length))
        yield (study, name), cast(BinaryIO, _Verified(stream, path))


class _Verified(io.RawIOBase):
    """A stream whose errors say which file was changed."""

    def __init__(self, stream: Any, path: Path) -> None:
        self._stream, self._path = stream, path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def read(self, size: int = -1) -> bytes:
        with _as_broken(self._path):
            return bytes(self._stream.read(size))


@contextmanager
def _as_broken(path: Path) -> Iterator[None]:
    try:
        yield
    except StorageBroken:
        raise
    except OSError:
        raise
    except Exception as problem:  # TinkError and whatever a changed file makes of it
        raise _broken(path) from problem


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that appears when the block ends well, and not at all else."""
    half = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(path)
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as problem:
        raise _unwritable(path, problem) from problem
    finally:
        half.unlink(missing_ok=True)


def _exactly(stream: Any, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = stream.read(size - len(found))
        if not piece:
            raise ValueError("it ends too early")
        found += piece
    return found


def _line(number: int) -> bytes:
    return f"{_FORMAT} key {number}\n".encode()


def _number_in(line: bytes, path: Path) -> int:
    text = line.decode("ascii", "replace")
    number = text.removeprefix(f"{_FORMAT} key ").removesuffix("\n")
    if not number.isdecimal() or len(number) > 9 or _line(int(number)) != line:
        raise _broken(path)
    return int(number)


def _key_of(path: Path) -> int:
    with path.open("rb") as file:
        return _number_in(file.readline(200), path)


def _bound(hospital: str, path: Path, number: int) -> bytes:
    """What a stream is bound to: it opens in no other hospital, place or key."""
    return f"{_FORMAT}\n{hospital}\n{path.name}\n{number}".encode()


def _broken(path: Path) -> StorageBroken:
    return StorageBroken(
        "the stored study was changed, cut off or moved, and is not used",
        where=str(path),
        way_out="Keep it as evidence and bring the study back from a copy or from its source.",
    )


def _unwritable(path: Path, problem: OSError) -> OutputError:
    return OutputError(
        f"it cannot be written ({problem.strerror or problem})", where=str(path),
        way_out="What was there is as it was: make room or ask for permission, then call again.",
    )  # fmt: skip
