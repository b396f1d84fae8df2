"""Specimens with their cases as a table, for statistics or another program; names only on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.laboratory.journal import Change
from consilium.laboratory.reception import identity_of
from consilium.laboratory.spreadsheet import written

if TYPE_CHECKING:
    from consilium.laboratory.tables import SpecimenRow

COLUMNS = (
    "accession", "case", "order_number", "patient", "sex", "specimen", "condition", "collected", "received", "note",
    "disposed", "withdrawn", "withdrawn_reason", "indication", "referrer", "urgency", "state", "due", "due_reason",
    "reported", "case_withdrawn",
)  # fmt: skip
IDENTITY = ("name", "birth_date", "hospital_number")


def export_table(change: Change, *, with_identity: bool = False) -> str:
    """All specimens, by accession number, those that were withdrawn too. Times are in UTC.

    Args:
        change: a look.
        with_identity: with name, birth date and the hospital's number of the patient.

    Raises:
        NotAllowed: the person may not export, or not see who patients are.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import SpecimenRow

    change.require("record.export")
    if with_identity:
        change.require("patient.identify")
    rows = change.session.scalars(select(SpecimenRow).order_by(SpecimenRow.label))
    columns = (*COLUMNS, *IDENTITY) if with_identity else COLUMNS
    return written(columns, (_row(change, one, with_identity) for one in rows))


def _row(change: Change, specimen: SpecimenRow, with_identity: bool) -> dict[str, str]:
    case = specimen.case
    row = {
        "accession": specimen.label,
        "case": case.number,
        "order_number": case.order_number,
        "patient": case.patient.number,
        "sex": case.patient.sex,
        "specimen": specimen.kind,
        "condition": specimen.condition,
        "collected": specimen.collected,
        "received": specimen.received,
        "note": specimen.note,
        "disposed": specimen.disposed,
        "withdrawn": specimen.withdrawn,
        "withdrawn_reason": specimen.withdrawn_reason,
        "indication": case.indication,
        "referrer": case.referrer,
        "urgency": case.urgency,
        "state": case.state,
        "due": case.due,
        "due_reason": case.due_reason,
        "reported": case.reported,
        "case_withdrawn": case.withdrawn,
    }
    if with_identity:
        known = identity_of(change, case.patient)
        row |= {"name": known.name, "birth_date": known.birth_date, "hospital_number": known.hospital_number}
    return {name: value or "" for name, value in row.items()}
