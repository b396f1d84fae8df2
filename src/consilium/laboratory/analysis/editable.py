"""Whether anything of a case's analysis may still be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.errors import InputError
from consilium.laboratory.case_states import REPORTED

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow


def editable(case: CaseRow) -> bool:
    """Whether pictures, cells and acts of a case may be changed: its report is not out, and it counts."""
    return case.withdrawn is None and case.state not in REPORTED


def check_editable(case: CaseRow) -> None:
    """See that a case may be changed.

    Raises:
        InputError: it may not.
    """
    if case.withdrawn is not None:
        raise InputError(f"{case.number} was withdrawn", way_out="Its history tells why.")
    if not editable(case):
        raise InputError(
            f"the report of {case.number} is out, and what it rests on stays as it is",
            way_out="Reopen the case for an amended report.",
        )
