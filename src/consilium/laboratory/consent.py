"""What may be done with what came from a patient, until when, and what is to be disposed of: a biobank's minimum.

A specimen is kept until its case was reported and for as long as the laboratory keeps specimens after that; a consent
to storage extends that and never shortens it. Nothing is disposed of by itself: there is a list, and the director acts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, get_args

from consilium.errors import InputError
from consilium.laboratory.entry import day_entry, entry, one_of
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.tables import ConsentRow, PatientRow, SpecimenRow

Purpose = Literal["diagnosis", "storage", "quality control", "teaching", "research", "model training"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What a patient agreed to.

    Attributes:
        number: of the record.
        purposes: for what.
        given: first day.
        until: last day; None where no end was said.
        withdrawn: day from which it holds no longer; None while it does.
    """

    number: int
    purposes: frozenset[str]
    given: date
    until: date | None = None
    withdrawn: date | None = None

    def covers(self, purpose: Purpose, day: date) -> bool:
        """Whether it lets something be done on a day."""
        if purpose not in self.purposes or day < self.given:
            return False
        return (self.until is None or day <= self.until) and (self.withdrawn is None or day < self.withdrawn)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Yes or no, and why."""

    yes: bool
    reason: str


def may_be_used(consents: Iterable[Consent], purpose: Purpose, day: date) -> Answer:
    """Whether what came from a patient may be used for something on a day."""
    about = [one for one in consents if purpose in one.purposes]
    for one in about:
        if one.covers(purpose, day):
            end = "no end was said" if one.until is None else f"until {one.until}"
            return Answer(yes=True, reason=f"consent {one.number} of {one.given}, {end}")
    if not about:
        return Answer(yes=False, reason=f"no consent speaks of {purpose}")
    last = max(about, key=lambda one: (one.given, one.number))
    if last.withdrawn is not None and day >= last.withdrawn:
        return Answer(yes=False, reason=f"consent {last.number} was withdrawn on {last.withdrawn}")
    if day < last.given:
        return Answer(yes=False, reason=f"consent {last.number} begins on {last.given}")
    return Answer(yes=False, reason=f"consent {last.number} ended on {last.until}")


def disposal(closed: date | None, keep_days: int, consents: Iterable[Consent], today: date) -> Answer:
    """Whether a specimen is due for disposal.

    Args:
        closed: day on which its case was reported or withdrawn; None while it goes on.
        keep_days: how long the laboratory keeps specimens after that.
        consents: of the patient.
        today: in the laboratory's zone.
    """
    if closed is None:
        return Answer(yes=False, reason="its case is not reported")
    end = closed + timedelta(days=keep_days)
    if today <= end:
        return Answer(yes=False, reason=f"it is kept until {end}")
    stored = may_be_used(consents, "storage", today)
    if stored.yes:
        return Answer(yes=False, reason=f"storage is agreed to: {stored.reason}")
    return Answer(yes=True, reason=f"it was to be kept until {end}; {stored.reason}")


def record_consent(
    change: Change, patient: PatientRow, purposes: Iterable[str], *, given: str, until: str = "", document: str = ""
) -> ConsentRow:
    """Record what a patient agreed to.

    Args:
        change: the transaction.
        patient: who.
        purposes: of `PURPOSES`.
        given: first day.
        until: last day; empty where no end was said.
        document: where the signed paper is kept.

    Raises:
        NotAllowed: the person may not.
        InputError: something is no such entry, or the patient was withdrawn.
    """
    from consilium.laboratory.tables import ConsentRow

    change.require("consent.record")
    if patient.withdrawn is not None:
        raise InputError(f"{patient.number} was withdrawn", way_out="Its history tells why.")
    wanted = sorted({one_of("a purpose", one, PURPOSES) for one in purposes})
    first, last = day_entry("the first day", given), day_entry("the last day", until)
    if not wanted or not first:
        raise InputError("a consent is for something, from some day on")
    if last and last < first:
        raise InputError("a consent cannot end before it begins")
    row = ConsentRow(
        patient_id=patient.id, purposes=wanted, given=first, until=last or None,
        document=entry("the document", document, longest=300),
    )  # fmt: skip
    return change.add(row, "consent.record")


def withdraw_consent(change: Change, consent: ConsentRow, *, reason: str, seen: int | None = None) -> None:
    """Record that a patient agrees no longer; it holds from today.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: no reason was told, or it was withdrawn before.
    """
    change.withdraw(consent, "consent.withdraw", reason=reason, seen=seen)


def consents_of(change: Change, patient_id: int) -> tuple[Consent, ...]:
    """The consents of a patient, those that were withdrawn too, oldest first."""
    from sqlalchemy import select

    from consilium.laboratory.tables import ConsentRow

    asked = select(ConsentRow).where(ConsentRow.patient_id == patient_id).order_by(ConsentRow.id)
    return tuple(
        Consent(
            number=row.id,
            purposes=frozenset(row.purposes),
            given=date.fromisoformat(row.given),
            until=None if row.until is None else date.fromisoformat(row.until),
            withdrawn=None if row.withdrawn is None else change.profile.day(row.withdrawn),
        )
        for row in change.session.scalars(asked)
    )


def retention(change: Change, patient: PatientRow) -> tuple[tuple[SpecimenRow, Answer], ...]:
    """The specimens of a patient that are there, and whether and why each is kept, by label.

    Raises:
        NotAllowed: the person may not see records.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import CaseRow, SpecimenRow

    change.require("record.see")
    there = select(SpecimenRow).join(CaseRow).where(CaseRow.patient_id == patient.id)
    kept = there.where(SpecimenRow.disposed.is_(None), SpecimenRow.withdrawn.is_(None)).order_by(SpecimenRow.label)
    return tuple((row, _disposal_of(change, row)) for row in change.session.scalars(kept))


def due_for_disposal(change: Change) -> tuple[tuple[SpecimenRow, Answer], ...]:
    """Specimens that are due, with why, by label.

    Raises:
        NotAllowed: the person may not see records.
    """
    change.require("record.see")
    found = []
    for specimen in _kept(change.session):
        answer = _disposal_of(change, specimen)
        if answer.yes:
            found.append((specimen, answer))
    return tuple(found)


def dispose(change: Change, specimen: SpecimenRow, *, reason: str, seen: int | None = None) -> None:
    """Record that a specimen was disposed of. Its record stays, its place is free.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: it is not due, was disposed of before, or no reason was told.
    """
    from consilium.laboratory.storage import leave_place

    why = entry("a reason", reason, needed=True)
    change.require("specimen.dispose")
    if specimen.disposed is not None:
        raise InputError(f"{specimen.label} was disposed of before")
    answer = _disposal_of(change, specimen)
    if not answer.yes:
        raise InputError(f"{specimen.label} is not due for disposal: {answer.reason}")
    change.edit(specimen, "specimen.dispose", seen=seen, reason=why, disposed=change.at)
    leave_place(change, specimen)


def _kept(session: Session) -> Iterable[SpecimenRow]:
    from sqlalchemy import or_, select

    from consilium.laboratory.tables import CaseRow, SpecimenRow

    over = or_(CaseRow.reported.is_not(None), CaseRow.withdrawn.is_not(None))
    asked = (
        select(SpecimenRow).join(CaseRow).where(over, SpecimenRow.disposed.is_(None), SpecimenRow.withdrawn.is_(None))
    )
    return session.scalars(asked.order_by(SpecimenRow.label))


def _disposal_of(change: Change, specimen: SpecimenRow) -> Answer:
    case = specimen.case
    closed = case.reported or case.withdrawn
    return disposal(
        None if closed is None else change.profile.day(closed),
        change.profile.keep_days,
        consents_of(change, case.patient_id),
        change.profile.day(change.at),
    )
