"""How much of the disk each hospital may fill: counted, told before it is full, and refused when it is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from consilium.errors import InputError

WARN, CRITICAL = 0.80, 0.95
"""Shares of a quota at which people are told."""

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}

Fill = Literal["free", "filling", "nearly full", "over"]


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What a hospital may fill.

    Attributes:
        hospital: its id.
        bytes: at most.
        folders: that count.
    """

    hospital: str
    bytes: int
    folders: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What a hospital has filled.

    Attributes:
        quota: what it may.
        used: bytes on the disk.
        unread: folders and files that could not be looked at; what is in them is not counted.
    """

    quota: Quota
    used: int
    unread: int = 0

    @property
    def share(self) -> float:
        """Of the quota, 1 where it is full."""
        return self.used / self.quota.bytes

    @property
    def told(self) -> str:
        """For people, e.g. "1.5 GiB of 2.0 GiB"."""
        return f"{in_words(self.used)} of {in_words(self.quota.bytes)}"

    @property
    def fill(self) -> Fill:
        """How full it is, in words."""
        if self.used > self.quota.bytes:
            return "over"
        return "nearly full" if self.share >= CRITICAL else "filling" if self.share >= WARN else "free"


def filled(quota: Quota) -> Filled:
    """Count what lies in the folders of a quota.

    A file with several names counts once, links are not followed, and what counts is the room on the disk. A folder
    that is not there is empty.
    """
    used, unread = 0, 0
    seen: set[tuple[int, int]] = set()
    stack = [one for one in quota.folders if one.exists()]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    try:
                        told = entry.stat(follow_symlinks=False)
                        if entry.is_dir(follow_symlinks=False):
                            stack.append(Path(entry.path))
                    except FileNotFoundError:
                        continue
                    except OSError:
                        unread += 1
                        continue
                    if (told.st_dev, told.st_ino) not in seen:
                        seen.add((told.st_dev, told.st_ino))
                        used += told.st_blocks * 512
        except FileNotFoundError:
            continue
        except OSError:
            unread += 1
    return Filled(quota=quota, used=used, unread=unread)


def refuse_over(hospital: str, found: Sequence[Filled]) -> None:
    """See that a hospital may hand in a job.

    Raises:
        InputError: it has filled more than its quota.
    """
    for one in found:
        if one.quota.hospital == hospital and one.fill == "over":
            raise InputError(
                f"{hospital} fills {one.share:.0%} of its storage ({one.told})",
                way_out="Delete or move results, or ask the operator for more; then submit again.",
            )


def refuse_without_room(hospital: str, quotas: Path) -> None:
    """See that a hospital may hand in a job, by the file of quotas; only its own folders are counted.

    Raises:
        InputError: it has filled more than its quota, or the file cannot be read.
    """
    refuse_over(hospital, [filled(one) for one in read_quotas(quotas) if one.hospital == hospital])


def read_quotas(path: Path) -> tuple[Quota, ...]:
    """Quotas from a file; none without one.

    Args:
        path: of JSON such as {"hospital_a": {"size": "500G", "folders": ["/data/hospital_a"]}}.

    Raises:
        InputError: it cannot be read, or is something else.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_quota(name, one, path) for name, one in sorted(told.items()))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
        raise InputError(
            f"the quotas cannot be read ({problem})",
            where=str(path),
            way_out="Write them as in docs/how-to/watch-the-alliance.md.",
        ) from problem


def _quota(hospital: str, told: Mapping[str, object], path: Path) -> Quota:
    folders = told["folders"]
    if not isinstance(folders, list) or not folders or not all(isinstance(one, str) for one in folders):
        raise InputError(f"the quota of {hospital} names no folders", where=str(path), way_out="Name one at least.")
    places = tuple(Path(one).expanduser() for one in folders)
    if not all(one.is_absolute() for one in places):
        raise InputError(
            f"a folder of {hospital} is not absolute", where=str(path), way_out="Write it from the root on."
        )
    return Quota(hospital=hospital, bytes=size_of(str(told["size"])), folders=places)


def size_of(text: str) -> int:
    """Bytes of "500G", "1.5T", "200 MiB".

    Raises:
        InputError: it is no size, or nothing.
    """
    plain = text.strip().lower().removesuffix("b").removesuffix("i")
    number, unit = (plain[:-1], plain[-1:]) if plain[-1:] in _UNITS else (plain, "")
    try:
        size = round(float(number) * _UNITS[unit])
    except (ValueError, OverflowError):
        size = 0
    if size < 1:
        raise InputError(f"{text!r} is no size", way_out="Write 500G or 1.5T; units are powers of 1024.")
    return size


def in_words(size: int) -> str:
    """A size for people, e.g. "1.5 GiB"."""
    value, units = float(size), ("bytes", "KiB", "MiB", "GiB", "TiB")
    for unit in units[:-1]:
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} {units[-1]}"
