"""Steps of a case: from its reception to the signed report, and its amendments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consilium.errors import InputError
from consilium.laboratory.case_states import REPORTED, State, check_second_reader, step
from consilium.laboratory.entry import entry, one_of
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow, Labelled


def move(
    change: Change, case: CaseRow, to: State, *, reason: str = "", seen: int | None = None, by_report: bool = False
) -> None:
    """Bring a case to another state.

    Args:
        change: the transaction.
        case: as its session has it.
        to: where it is to go.
        reason: why; needed where the table of steps asks for one.
        seen: the version that the person looked at.
        by_report: review, signature or amendment of a report written here does it (`review.signing`), and saw to what
            has to be there.

    Raises:
        NotAllowed: the person may not, or a second reader is wanted.
        RecordChanged: somebody changed it since.
        InputError: there is no such step from where it is, it was withdrawn, or its report does that.
    """
    found = step(case.state, to, reason=reason)
    change.require(found.act)
    check_second_reader(to, who=change.worker.name, analysed_by=case.analysed_by, wanted=change.profile.second_reader)
    _check_report(change, case, to, by_report=by_report)
    entries: dict[str, Any] = {"state": to, "assigned": ""}
    if to == "analysed" and case.state in ("harvested", "reopened"):
        entries["analysed_by"] = change.worker.name
    if to in REPORTED:
        entries["reported"] = change.at
    # Counted when the case is reopened, or, where the report is written elsewhere, when it is amended.
    if to == "reopened" or (to == "amended" and case.state in REPORTED):
        entries["amendments"] = case.amendments + 1
    change.edit(case, found.act, seen=seen, reason=reason, **entries)


def _check_report(change: Change, case: CaseRow, to: State, *, by_report: bool) -> None:
    """See that a case whose cells are read here is reviewed, signed and amended by its report, and not by a word."""
    from consilium.laboratory.review.signed import reported_here

    if case.state == "reviewed" and to in REPORTED and (to == "amended") != (case.amendments > 0):
        right = "amended" if case.amendments else "signed"
        raise InputError(f"{case.number} was amended {case.amendments} times and becomes {right} next")
    if (to in REPORTED or to in ("reviewed", "reopened")) and not by_report and reported_here(change.session, case):
        pages = "its second reading" if to == "reviewed" else "its report"
        raise InputError(f"the report of {case.number} is written here", way_out=f"Do it on the page of {pages}.")


def assign(change: Change, case: CaseRow, worker: str, *, seen: int | None = None) -> None:
    """Say who works on a case; an empty name: whoever comes first.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: nobody of that name works here, or the case was withdrawn.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import StaffRow

    name = entry("a name", worker, longest=255)
    there = select(StaffRow).where(StaffRow.name == name, StaffRow.withdrawn.is_(None))
    if name and change.session.scalar(there) is None:
        raise InputError("nobody of that name works in this laboratory")
    change.edit(case, "case.change", seen=seen, assigned=name)


def withdraw_case(change: Change, case: CaseRow, *, reason: str, seen: int | None = None) -> None:
    """Let a case count no longer. Its specimens stay where they are, and are not worked with any more.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: its report is out, no reason was told, or it was withdrawn before.
    """
    if case.reported is not None:
        raise InputError(f"the report of {case.number} is out, and such a one is amended", way_out="Amend it.")
    change.withdraw(case, "case.withdraw", reason=reason, seen=seen)


def withdraw_thing(change: Change, thing: Labelled, *, reason: str, seen: int | None = None) -> None:
    """Let a specimen, culture, harvest or slide count no longer, and free its place.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: no reason was told, or it was withdrawn before.
    """
    from consilium.laboratory.storage import leave_place
    from consilium.laboratory.tables import SpecimenRow

    specimen = isinstance(thing, SpecimenRow)
    change.withdraw(thing, "specimen.withdraw" if specimen else "preparation.withdraw", reason=reason, seen=seen)
    leave_place(change, thing)


def change_condition(
    change: Change, thing: Labelled, *, note: str, condition: str = "", seen: int, reason: str = ""
) -> None:
    """Change the note on a thing, and how a specimen is.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: something is no such entry, or the thing was withdrawn.
    """
    from consilium.laboratory.reception import CONDITIONS
    from consilium.laboratory.tables import SpecimenRow

    entries: dict[str, Any] = {"note": entry("the note", note)}
    if condition:
        if not isinstance(thing, SpecimenRow):
            raise InputError(f"{thing.title} has no condition", way_out="A specimen has.")
        entries["condition"] = one_of("the condition", condition, CONDITIONS)
    act = "specimen.change" if isinstance(thing, SpecimenRow) else "preparation.change"
    change.edit(thing, act, seen=seen, reason=reason, **entries)  # type: ignore[arg-type]
