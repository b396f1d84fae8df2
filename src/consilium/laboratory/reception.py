"""A specimen comes in: who it is from, what is asked, what it is; one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consilium.cytogenetics.guidelines import load
from consilium.errors import InputError
from consilium.laboratory.due_date import URGENCIES, Urgency, due
from consilium.laboratory.entry import day_entry, entry, one_of
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow, IdentityRow, PatientRow, SpecimenRow

SEXES = ("", "female", "male")
CONDITIONS = (
    "good", "small volume", "clotted", "haemolysed", "leaking", "contaminated", "delayed", "wrong container", "other",
)  # fmt: skip
"""How a specimen came; "other" needs a note."""

_PATIENTS = "P"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What came with a specimen.

    Attributes:
        specimen: a key of the guidelines, e.g. "bone_marrow".
        collected, received: times as a person gives them; nothing received is now.
        condition: one of `CONDITIONS`.
        note: on the specimen.
        indication: why it is asked for.
        referrer: who asks.
        urgency: how urgent it is.
        order_number: of whoever asks; empty, or one that no case has.
    """

    specimen: str
    collected: str = ""
    received: str = ""
    condition: str = "good"
    note: str = ""
    indication: str = ""
    referrer: str = ""
    urgency: str = "routine"
    order_number: str = ""


def number_from(change: Change, name: str, year: int) -> int:
    """The next number of a series, taken in this transaction."""
    from consilium.laboratory.tables import SeriesRow

    row = change.session.get(SeriesRow, (name, year))
    if row is None:
        row = SeriesRow(name=name, year=year, newest=0)
        change.session.add(row)
    row.newest += 1
    change.session.flush()
    return row.newest


def register(
    change: Change, *, name: str = "", birth_date: str = "", hospital_number: str = "", sex: str = ""
) -> PatientRow:
    """Record a patient under a number of the laboratory's own.

    Raises:
        NotAllowed: the person may not.
        InputError: something is no such entry, or a patient of that hospital number is there.
    """
    from consilium.laboratory.tables import PatientRow

    change.require("patient.register")
    told = _identity(name, birth_date, hospital_number)
    if told["hospital_number"]:
        _check_new(change, told["hospital_number"], besides=None)
    number = f"{_PATIENTS}{number_from(change, 'patient', 0):07d}"
    patient = change.add(PatientRow(number=number, sex=one_of("the sex", sex, SEXES), identity=1), "patient.register")
    _add_revision(change, patient, told)
    return patient


def correct_identity(
    change: Change, patient: PatientRow, *, seen: int, reason: str, name: str, birth_date: str, hospital_number: str
) -> None:
    """Record who a patient is anew; what was recorded before stays as an earlier revision.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: something is no such entry, or no reason was told.
    """
    change.require("patient.identify")
    told = _identity(name, birth_date, hospital_number)
    if told["hospital_number"]:
        _check_new(change, told["hospital_number"], besides=patient.id)
    why = entry("a reason", reason, needed=True)
    change.edit(patient, "patient.register", seen=seen, reason=why, identity=patient.identity + 1)
    _add_revision(change, patient, told)


def identity_of(change: Change, patient: PatientRow) -> IdentityRow:
    """Who a patient is.

    Raises:
        NotAllowed: the person may not see it.
    """
    from consilium.laboratory.tables import IdentityRow

    change.require("patient.identify")
    return change.session.get_one(IdentityRow, (patient.id, patient.identity))


def patient_of_hospital_number(change: Change, hospital_number: str) -> PatientRow | None:
    """The patient who has a number of the hospital now, if anybody has.

    Raises:
        NotAllowed: the person may not see who is who.
    """
    change.require("patient.identify")
    return _holder(change, entry("the hospital number", hospital_number, longest=100, needed=True))


def check_same_person(change: Change, patient: PatientRow, told: Mapping[str, str]) -> None:
    """See that a hospital's number comes with the person who has it here.

    A number that comes with another name, birth date or sex is a mix-up until somebody looked at it.

    Args:
        change: the transaction.
        patient: who has the number.
        told: `name`, `birth_date` and `sex` as they came; what is empty on either side is not compared.

    Raises:
        NotAllowed: the person may not see who is who.
        InputError: something differs; the message names what, and repeats none of it.
    """
    known = identity_of(change, patient)
    differs = [
        name.replace("_", " ")
        for name, there in (("name", known.name), ("birth_date", known.birth_date), ("sex", patient.sex))
        if told[name] and there and told[name] != there
    ]
    if differs:
        raise InputError(
            f"the patient of this hospital number, {patient.number}, has another {' and another '.join(differs)}",
            way_out="Look who it is; correct the identity, or what was sent.",
        )


def open_case(change: Change, patient: PatientRow, order: Order) -> CaseRow:
    """Open a case of a patient; no specimen is recorded yet.

    Raises:
        NotAllowed: the person may not.
        InputError: something is no such entry, or the order was recorded before.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import CaseRow

    change.require("case.open")
    if patient.withdrawn is not None:
        raise InputError(f"{patient.number} was withdrawn", way_out="Its history tells why.")
    known = tuple(load().specimens)
    specimen = one_of("the specimen", order.specimen, known)
    urgency: Urgency = one_of("the urgency", order.urgency, URGENCIES)  # type: ignore[assignment]
    order_number = entry("the order number", order.order_number, longest=100)
    if order_number:
        there = change.session.scalar(select(CaseRow).where(CaseRow.order_number == order_number))
        if there is not None:
            raise InputError(f"this order is recorded as case {there.number}", way_out="Nothing was recorded twice.")
    received = _received(change, order.received)
    day = change.profile.day(received)
    when = due(day, specimen, urgency, change.profile.days)
    number = change.profile.cases.write(day.year, number_from(change, "case", day.year))
    row = CaseRow(
        number=number, patient_id=patient.id, patient=patient, order_number=order_number or None, specimen=specimen,
        indication=entry("the indication", order.indication),
        referrer=entry("who asks", order.referrer, longest=300),
        urgency=urgency, received=received, due=None if when.day is None else str(when.day), due_reason=when.reason,
        state="received", assigned="", analysed_by="", reported=None, amendments=0,
    )  # fmt: skip
    return change.add(row, "case.open")


def receive_specimen(change: Change, case: CaseRow, order: Order) -> SpecimenRow:
    """Record a specimen of a case under the next accession number.

    Raises:
        NotAllowed: the person may not.
        InputError: something is no such entry, or the case was withdrawn or reported.
    """
    from consilium.laboratory.case_states import REPORTED
    from consilium.laboratory.tables import SpecimenRow

    change.require("specimen.receive")
    if case.withdrawn is not None or case.state in REPORTED:
        raise InputError(f"{case.number} takes no specimen any more", way_out="Open another case.")
    received = _received(change, order.received)
    collected = change.profile.moment(order.collected) if order.collected.strip() else None
    if collected is not None and collected > received and change.profile.day(collected) != change.profile.day(received):
        raise InputError("it cannot have been collected after it was received")
    condition, note = one_of("the condition", order.condition, CONDITIONS), entry("the note", order.note)
    if condition == "other" and not note:
        raise InputError("the condition other needs a note")
    year = change.profile.day(received).year
    label = change.profile.specimens.write(year, number_from(change, "specimen", year))
    row = SpecimenRow(
        label=label, case_id=case.id, case=case, kind=one_of("the specimen", order.specimen, tuple(load().specimens)),
        collected=collected, received=received, condition=condition, note=note, disposed=None,
    )  # fmt: skip
    return change.add(row, "specimen.receive")


def take_in(
    change: Change, order: Order, *, case: str = "", patient: str = "", identity: Mapping[str, str] | None = None
) -> SpecimenRow:
    """Record a specimen with its case and its patient, as far as these are new.

    Args:
        change: the transaction.
        order: what came.
        case: number of the case that it is a further specimen of.
        patient: number of a patient who is known.
        identity: of a new patient: name, birth_date, hospital_number, sex. One of the three is told.

    Raises:
        NotAllowed: the person may not.
        InputError: something is no such entry, or it is told in two ways at once, or not at all.
    """
    from consilium.laboratory.found import case_called, patient_called

    if sum((bool(case.strip()), bool(patient.strip()), identity is not None)) != 1:
        raise InputError("a specimen is of one case, of one known patient or of one new patient", way_out="Tell one.")
    if case.strip():
        return receive_specimen(change, case_called(change.session, case), order)
    if identity is not None:
        told = (identity.get("name", ""), identity.get("hospital_number", ""), order.order_number)
        if not any(one.strip() for one in told):
            raise InputError("it tells no patient", way_out="Give a name, a number of the hospital or of the order.")
    known = patient_called(change.session, patient) if identity is None else register(change, **identity)
    return receive_specimen(change, open_case(change, known, order), order)


def change_urgency(change: Change, case: CaseRow, urgency: str, *, seen: int, reason: str) -> None:
    """Make a case more or less urgent; when it is due is computed anew.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: it is no urgency, or no reason was told.
    """
    wanted: Urgency = one_of("the urgency", urgency, URGENCIES)  # type: ignore[assignment]
    when = due(change.profile.day(case.received), case.specimen, wanted, change.profile.days)
    entries: dict[str, Any] = {
        "urgency": wanted,
        "due": None if when.day is None else str(when.day),
        "due_reason": when.reason,
    }
    change.edit(case, "case.change", seen=seen, reason=entry("a reason", reason, needed=True), **entries)


def _received(change: Change, text: str) -> str:
    if not text.strip():
        return change.at
    received = change.profile.moment(text)
    if received > change.at:
        raise InputError("it cannot have been received in the future")
    return received


def _identity(name: str, birth_date: str, hospital_number: str) -> dict[str, str]:
    return {
        "name": entry("the name", name, longest=300),
        "birth_date": day_entry("the birth date", birth_date),
        "hospital_number": entry("the hospital number", hospital_number, longest=100),
    }


def _add_revision(change: Change, patient: PatientRow, told: dict[str, str]) -> None:
    from consilium.laboratory.tables import IdentityRow

    change.session.add(IdentityRow(patient_id=patient.id, revision=patient.identity, at=change.at, **told))
    change.session.flush()


def _holder(change: Change, hospital_number: str) -> PatientRow | None:
    from sqlalchemy import and_, select

    from consilium.laboratory.tables import IdentityRow, PatientRow

    now_holds = and_(PatientRow.id == IdentityRow.patient_id, PatientRow.identity == IdentityRow.revision)
    asked = (
        select(PatientRow)
        .join(IdentityRow, now_holds)
        .where(IdentityRow.hospital_number == hospital_number, PatientRow.withdrawn.is_(None))
    )
    return change.session.scalar(asked)


def _check_new(change: Change, hospital_number: str, *, besides: int | None) -> None:
    there = _holder(change, hospital_number)
    if there is not None and there.id != besides:
        raise InputError(f"a patient of this hospital number is {there.number}", way_out="Use that number.")
