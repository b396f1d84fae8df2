"""Which hospitals are in the alliance, what each brings in, and who works there.

One JSON file, written whole or not at all; the operator may read it as it is. Where there is none, this is one hospital
on its own, and whoever asks may do everything in it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from consilium.alliance.permissions import ROLES, Person
from consilium.errors import InputError, NotAllowed, OutputError

ALONE = "own"
"""The hospital of a machine that is in no alliance."""

_ID = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(frozen=True, kw_only=True)
class Hospital:
    """A member of the alliance.

    Attributes:
        id: lower-case letters, digits and underscores; its account on a cluster.
        name: what people call it.
        cores, memory_mb, gpus: what it brings in, and so what it is sure of at any hour.
    """

    id: str
    name: str = ""
    cores: int = 0
    memory_mb: int = 0
    gpus: int = 0

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise InputError(
                f"{self.id!r} cannot be the id of a hospital",
                way_out="Lower-case letters, digits and underscores, a letter first, 31 at most.",
            )
        if min(self.cores, self.memory_mb, self.gpus) < 0:
            raise InputError(f"{self.id} cannot bring in less than nothing")


class Roster:
    """The hospitals and their people.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def hospitals(self) -> tuple[Hospital, ...]:
        """All members, by id."""
        return tuple(Hospital(**one) for one in self._read()["hospitals"])

    def hospital(self, id_: str) -> Hospital:
        """One member.

        Raises:
            InputError: there is none of that id.
        """
        for one in self.hospitals():
            if one.id == id_:
                return one
        raise InputError(f"there is no hospital {id_!r}", way_out="`consilium alliance members` names them.")

    def people(self, hospital: str | None = None) -> tuple[Person, ...]:
        """The people of a hospital, or of all, by name."""
        every = (_person(one) for one in self._read()["people"])
        return tuple(one for one in every if hospital is None or one.hospital == hospital)

    def person(self, name: str) -> Person:
        """Who somebody is.

        Raises:
            NotAllowed: the alliance does not know this person.
        """
        document = self._read()
        if not document["hospitals"]:
            return Person(name=name, hospital=ALONE, roles=frozenset(ROLES))
        for one in document["people"]:
            if one["name"] == name:
                return _person(one)
        raise NotAllowed(
            f"nobody called {name!r} works at a hospital of this alliance",
            way_out="Its operator adds people: consilium alliance person NAME --hospital ID --role member.",
        )

    def put_hospital(self, hospital: Hospital) -> None:
        """Take a hospital in, or change what is known of it."""
        with self._changing() as document:
            others = [one for one in document["hospitals"] if one["id"] != hospital.id]
            document["hospitals"] = sorted([*others, asdict(hospital)], key=lambda one: str(one["id"]))

    def put_person(self, person: Person) -> None:
        """Add a person, or change hospital and roles of one; without a role, nothing is allowed any more.

        Raises:
            InputError: there is no such hospital or role.
        """
        self.hospital(person.hospital)
        if unknown := person.roles - set(ROLES):
            raise InputError(f"there is no role {sorted(unknown)[0]!r}", way_out=f"One of {', '.join(ROLES)}.")
        if not person.name.strip():
            raise InputError("a person needs a name")
        with self._changing() as document:
            others = [one for one in document["people"] if one["name"] != person.name]
            row = {"name": person.name, "hospital": person.hospital, "roles": sorted(person.roles)}
            document["people"] = sorted([*others, row], key=lambda one: str(one["name"]))

    def _read(self) -> dict[str, Any]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {"hospitals": [], "people": []}
        try:
            document = json.loads(text)
            tuple(Hospital(**one) for one in document["hospitals"])
            tuple(_person(one) for one in document["people"])
        except (ValueError, TypeError, KeyError, InputError) as problem:
            # Nobody may be let in because the list of who may is damaged.
            raise InputError(
                f"the list of hospitals and people is damaged ({problem})",
                where=str(self._path),
                way_out="Bring back a copy of it.",
            ) from problem
        return dict(document)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            raise _unwritable(self._path, problem) from problem
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            document = self._read()
            yield document
            half = self._path.with_name(f".{self._path.name}.half")
            try:
                with open(half, "w", encoding="utf-8", opener=_private) as stream:
                    json.dump(document, stream, ensure_ascii=False, indent=1)
                    stream.flush()
                    os.fsync(stream.fileno())
                half.replace(self._path)
            except OSError as problem:
                raise _unwritable(self._path, problem) from problem
        finally:
            os.close(lock)


def _person(row: dict[str, Any]) -> Person:
    return Person(name=row["name"], hospital=row["hospital"], roles=frozenset(row["roles"]))


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _unwritable(path: Path, problem: OSError) -> OutputError:
    return OutputError(
        f"the list of hospitals and people cannot be written ({problem.strerror})",
        where=str(path),
        way_out="It is as it was. Make room or ask for permission, then call again.",
    )
