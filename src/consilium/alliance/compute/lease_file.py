"""The leases that are agreed on: one JSON file, written whole or not at all, which an operator may read as it is."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from consilium.alliance.compute.engine import Lease
from consilium.alliance.compute.lease_hours import HOURS, hours_in_words, hours_of
from consilium.errors import InputError, OutputError

NAME = "leases.json"
DEFAULT_ZONE = "Asia/Shanghai"


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """What is agreed on.

    Attributes:
        zone: whose clock the hours are of, a name of the IANA data base.
        leases: by hospital and first hour.
    """

    zone: str = DEFAULT_ZONE
    leases: tuple[Lease, ...] = ()

    def clock(self) -> ZoneInfo:
        """The clock itself.

        Raises:
            InputError: there is no zone of that name.
        """
        return zone_named(self.zone)


def zone_named(name: str) -> ZoneInfo:
    """A time zone.

    Raises:
        InputError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise InputError(f"there is no time zone {name!r}", way_out="Name it as in Asia/Shanghai.") from problem


class LeaseFile:
    """The file of leases.

    Args:
        path: it need not exist; then nothing is agreed on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def agreed(self) -> Agreed:
        """What is agreed on now.

        Raises:
            InputError: the file is damaged.
        """
        try:
            return _agreed_of(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Agreed()
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
            raise self._damaged(str(problem)) from problem
        except InputError as problem:
            raise self._damaged(problem.what) from problem

    def replace(self, agreed: Agreed) -> Agreed:
        """Agree on something else; what was agreed on before.

        Raises:
            InputError: the leases are none, or the file is damaged.
            OutputError: it cannot be written; it is as it was.
        """
        agreed.clock()
        _agreed_of(_document(agreed))
        with self._alone():
            before = self.agreed()
            self._write(agreed)
        return before

    def set(self, lease: Lease) -> Agreed:
        """Give a hospital a lease: in its hours it takes the place of whatever the hospital had there.

        Raises:
            InputError, OutputError: see `replace`.
        """
        return self._changed(
            lease.hospital, lease.hours, lease if lease.cores or lease.gpus or lease.memory_mb else None
        )

    def remove(self, hospital: str, hours: Sequence[int] = tuple(range(HOURS))) -> Agreed:
        """Take a hospital's leases away, in all hours or some.

        Raises:
            InputError: it has none there, or the file is damaged.
            OutputError: see `replace`.
        """
        if not any(one.hospital == hospital and set(one.hours) & set(hours) for one in self.agreed().leases):
            raise InputError(
                f"{hospital} has no lease in these hours", way_out="`consilium compute leases list` shows them all."
            )
        return self._changed(hospital, hours, None)

    def _changed(self, hospital: str, hours: Sequence[int], new: Lease | None) -> Agreed:
        taken = set(hours)
        with self._alone():
            before = self.agreed()
            kept = [
                replace(one, hours=tuple(hour for hour in one.hours if hour not in taken))
                if one.hospital == hospital
                else one
                for one in before.leases
            ]
            changed = replace(before, leases=_sorted([one for one in kept if one.hours] + ([new] if new else [])))
            _agreed_of(_document(changed))
            self._write(changed)
        return changed

    def _write(self, agreed: Agreed) -> None:
        half = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            with open(half, "w", encoding="utf-8", opener=_private) as stream:
                json.dump(_document(agreed), stream, ensure_ascii=False, indent=1)
                stream.write("\n")
                stream.flush()
                os.fsync(stream.fileno())
            half.replace(self._path)
        except OSError as problem:
            with contextlib.suppress(OSError):
                half.unlink()
            raise OutputError(
                f"the leases cannot be written ({problem.strerror})",
                where=str(self._path),
                way_out="They are as they were: make room or ask for permission, then call again.",
            ) from problem

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others from changing it between reading and writing."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            stream = self._path.with_name(f".{self._path.name}.lock").open("ab")
        except OSError as problem:
            raise OutputError(f"the leases cannot be written ({problem.strerror})", where=str(self._path)) from problem
        with stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def _damaged(self, how: str) -> InputError:
        return InputError(
            f"the file of leases is damaged ({how})",
            where=str(self._path),
            way_out="Bring back a copy, or move it away and set the leases anew.",
        )


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _document(agreed: Agreed) -> dict[str, Any]:
    return {
        "zone": agreed.zone,
        "leases": [
            {
                "hospital": one.hospital, "cores": one.cores, "memory_mb": one.memory_mb, "gpus": one.gpus,
                "hours": hours_in_words(one.hours),
            }
            for one in _sorted(agreed.leases)
        ],
    }  # fmt: skip


def _agreed_of(document: Any) -> Agreed:
    leases = []
    for told in document["leases"]:
        amounts = {name: told.get(name, 0) for name in ("cores", "memory_mb", "gpus")}
        if not isinstance(told["hospital"], str) or not told["hospital"]:
            raise InputError("a lease names no hospital")
        if any(not isinstance(one, int) or isinstance(one, bool) or one < 0 for one in amounts.values()):
            raise InputError(f"a lease of {told['hospital']} is no whole number of cores", way_out="Give 0 or more.")
        leases.append(Lease(hospital=told["hospital"], hours=hours_of(told["hours"]), **amounts))
    agreed = Agreed(zone=document["zone"], leases=_sorted(leases))
    agreed.clock()
    return agreed


def _sorted(leases: Sequence[Lease]) -> tuple[Lease, ...]:
    return tuple(sorted(leases, key=lambda one: (one.hospital, one.hours[:1], one.cores)))
