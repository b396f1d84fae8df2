"""Who looked who a patient is: the name is shown on demand alone, and every look leaves a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consilium.laboratory.entry import entry
from consilium.laboratory.journal import Change
from consilium.laboratory.reception import identity_of

if TYPE_CHECKING:
    from consilium.laboratory.tables import PatientRow


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a patient is, by the revision that holds."""

    name: str
    birth_date: str
    hospital_number: str
    revision: int


@dataclass(frozen=True, kw_only=True)
class Look:
    """A look: when, whose, and on which occasion."""

    at: str
    who: str
    why: str


def disclose(change: Change, patient: PatientRow, *, why: str) -> Identity:
    """Say who a patient is, and note that it was said.

    Args:
        change: the transaction; the line is written with it, before anybody sees the name.
        patient: who.
        why: on which occasion, e.g. the number of the case.

    Raises:
        NotAllowed: the person may not see it.
    """
    from consilium.laboratory.tables import DisclosureRow

    known = identity_of(change, patient)
    row = DisclosureRow(
        at=change.at, who=change.worker.name, patient_id=patient.id, revision=known.revision,
        why=entry("the occasion", why, longest=300),
    )  # fmt: skip
    change.session.add(row)
    change.session.flush()
    return Identity(
        name=known.name, birth_date=known.birth_date, hospital_number=known.hospital_number, revision=known.revision
    )


def looks(change: Change, patient: PatientRow, *, newest: int = 100) -> tuple[Look, ...]:
    """Who looked who a patient is, newest first.

    Raises:
        NotAllowed: the person may not see histories.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import DisclosureRow

    change.require("history.see")
    asked = select(DisclosureRow).where(DisclosureRow.patient_id == patient.id).order_by(DisclosureRow.id.desc())
    return tuple(Look(at=row.at, who=row.who, why=row.why) for row in change.session.scalars(asked.limit(newest)))
