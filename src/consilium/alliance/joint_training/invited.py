"""Hospitals that the lead invited to a study from installations of their own, and what each asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from consilium.alliance.joint_training.membership import write_private
from consilium.errors import InputError

_FILE = "invited.json"


@dataclass(frozen=True, kw_only=True)
class Invited:
    """A hospital that was invited.

    Attributes:
        token: that its request must know; a new invitation has a new one.
        expires: ISO 8601.
        request: digest of the request that was admitted; empty until then.
        counts: of the cases that it named.
        cases: their SHA-256.
        who, when: data officer, and when he approved.
    """

    token: str
    expires: str
    request: str = ""
    counts: Mapping[str, Any] | None = None
    cases: str = ""
    who: str = ""
    when: str = ""


def read_invited(folder: Path) -> dict[str, Invited]:
    """Who was invited to the study in a folder at the lead, by hospital.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / _FILE
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {hospital: Invited(**one) for hospital, one in told.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise InputError(
            "who was invited is damaged", where=str(path), way_out="Bring back a copy of the file."
        ) from problem


def write_invited(invited: Mapping[str, Invited], folder: Path) -> None:
    """Keep who was invited."""
    told = {hospital: asdict(one) for hospital, one in invited.items()}
    write_private(folder / _FILE, json.dumps(told, indent=1).encode())
