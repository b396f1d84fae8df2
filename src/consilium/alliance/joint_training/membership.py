"""A hospital's side of a study on the disk: what it joined, with which cases, and who let them be used.

It lies at the hospital, readable by its owner alone:

    membership.json   the study as it was joined, pseudonym, counts, the approval
    cases.npz         features and labels of the cases; they stay here
    kit/              start-up kit of NVIDIA FLARE: certificate, key, the hospital's own FLARE policies
    course/           the sums so far
    ledger.jsonl      what this hospital answered
    result.npz        the model and its figures, as this hospital computed them
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consilium.errors import InputError, OutputError

MEMBERSHIP, KIT = "membership.json", "kit"


@dataclass(frozen=True, kw_only=True)
class Approval:
    """That a hospital's data may be used for a study.

    Attributes:
        study: digest of the study that was approved.
        cases: SHA-256 of the cases that may be used.
        who: data officer.
        when: ISO 8601.
    """

    study: str
    cases: str
    who: str
    when: str


@dataclass(frozen=True, kw_only=True)
class Membership:
    """What a hospital joined.

    Attributes:
        study: the document.
        site: the hospital's pseudonym in it.
        hospital: its id.
        counts: of its cases.
        cases: SHA-256 of its cases.
        policy: path of the hospital's policy.
        kit: path of its start-up kit.
        approved: by the data officer; None until then.
    """

    study: Mapping[str, Any]
    site: str
    hospital: str
    counts: Mapping[str, Any]
    cases: str
    policy: str
    kit: str
    approved: Approval | None = None


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are not there, for its owner alone."""
    for one in reversed((path, *path.parents)):
        if not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for its owner alone.

    Raises:
        OutputError: it cannot be written.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    try:
        private_folder(path.parent)
        with open(half, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(path)
    except OSError as problem:
        raise OutputError(
            f"it cannot be written ({problem.strerror})", where=str(path), way_out="Check rights and room on the disk."
        ) from problem


def write_membership(membership: Membership, folder: Path) -> None:
    """Keep a membership."""
    private_folder(folder)
    folder.chmod(0o700)
    write_private(folder / MEMBERSHIP, json.dumps(asdict(membership), indent=1, ensure_ascii=False).encode())


def read_membership(folder: Path) -> Membership:
    """The membership in a folder.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = folder / MEMBERSHIP
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        approval = told.pop("approved")
        return Membership(**told, approved=None if approval is None else Approval(**approval))
    except FileNotFoundError as problem:
        raise InputError(
            "this hospital has not joined the study", where=str(folder), way_out="`consilium study join` does that."
        ) from problem
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise InputError(
            f"what was joined is damaged ({problem})", where=str(path), way_out="Join and approve again."
        ) from problem


def approved(membership: Membership, *, study: str, who: str) -> Membership:
    """The membership with the approval of its study and cases as they are now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(membership, approved=Approval(study=study, cases=membership.cases, who=who, when=now))
