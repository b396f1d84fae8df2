"""Orders of other systems into the records: recorded once, cancelled or changed, or refused with the reason.

The same order may come any number of times, since a sender that heard no answer sends again: it is recorded once, and
answered each time. An order whose number is known and that says something else is refused, and nothing changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from consilium.errors import InputError, NotFound
from consilium.laboratory.case_states import REPORTED
from consilium.laboratory.entry import entry
from consilium.laboratory.exchange.order import IncomingOrder, OrderedSpecimen, kind_of
from consilium.laboratory.exchange.partners import Partners
from consilium.laboratory.journal import Change, history
from consilium.laboratory.reception import (
    Order,
    change_urgency,
    check_same_person,
    open_case,
    patient_of_hospital_number,
    receive_specimen,
    register,
)
from consilium.laboratory.review.signed import newest_revision

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow, PatientRow

MOST_SPECIMENS = 20
"""Of one order; more is a mistake of the sender."""


class OrderConflict(InputError):
    """An order is known, and what comes now says something else."""


class UnknownOrder(NotFound):
    """An order is to be changed or cancelled that was never recorded."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of an order: its case, the specimens that were recorded, and in which way."""

    case: str
    case_id: int
    labels: tuple[str, ...]
    what: Literal["recorded", "known", "changed", "cancelled"]


def take(change: Change, order: IncomingOrder, partners: Partners) -> Taken:
    """Take an order in.

    Args:
        change: the transaction; all of it or nothing.
        order: what came.
        partners: what codes mean.

    Raises:
        NotAllowed: whoever receives may not.
        InputError: the order cannot be recorded.
        OrderConflict: it is known as something else, or its report is out.
        UnknownOrder: there is nothing to cancel or to change.
    """
    change.require("exchange.receive")
    if not order.number:
        raise InputError("an order needs a number")
    known = _case_of(change, order.number)
    if order.action == "cancel":
        return _cancel(change, order, known)
    if known is None and order.action == "change":
        raise UnknownOrder("this order is not known, and cannot be changed", way_out="Send it as a new one.")
    if known is not None:
        return _again(change, order, known, partners)
    return _record(change, order, partners)


def _record(change: Change, order: IncomingOrder, partners: Partners) -> Taken:
    if len(order.specimens) > MOST_SPECIMENS:
        raise InputError(f"an order of {len(order.specimens)} specimens", way_out=f"{MOST_SPECIMENS} at most.")
    kinds = _kinds(order, partners)
    case = open_case(change, _patient(change, order), _as_order(order, kinds[0], order.specimens[:1]))
    labels = [
        receive_specimen(change, case, _as_order(order, kind, (one,))).label
        for kind, one in zip(kinds, order.specimens, strict=False)
    ]
    return Taken(case=case.number, case_id=case.id, labels=tuple(labels), what="recorded")


def _kinds(order: IncomingOrder, partners: Partners) -> tuple[str, ...]:
    if not order.specimens:
        return (kind_of(order.services, (), partners),)
    return tuple(kind_of(order.services, one.kinds, partners) for one in order.specimens)


def _as_order(order: IncomingOrder, kind: str, specimens: tuple[OrderedSpecimen, ...]) -> Order:
    made = Order(
        specimen=kind, indication=order.indication, referrer=order.referrer, urgency=order.urgency or "routine",
        order_number=order.number,
    )  # fmt: skip
    if specimens:
        one = specimens[0]
        made = replace(made, collected=one.collected, received=one.received, note=one.note)
    return made


def _patient(change: Change, order: IncomingOrder) -> PatientRow:
    told = order.patient
    if not told.number:
        raise InputError("the order tells no number of the patient")
    identity = {"name": told.name, "birth_date": told.birth_date, "hospital_number": told.number}
    known = patient_of_hospital_number(change, told.number)
    if known is None:
        return register(change, sex=told.sex, **identity)
    check_same_person(change, known, {name: entry(name, text) for name, text in identity.items()} | {"sex": told.sex})
    return known


def _again(change: Change, order: IncomingOrder, case: CaseRow, partners: Partners) -> Taken:
    if case.withdrawn is not None:
        raise OrderConflict(
            f"this order was cancelled, or its case withdrawn ({case.number})", way_out="Send it under a new number."
        )
    _check_patient(change, order, case)
    # Held against what was ordered: the laboratory may have changed its own record since.
    first = history(change.session, case)[0].after
    told = {
        "specimen": _kinds(order, partners)[0],
        "indication": entry("the indication", order.indication),
        "referrer": entry("who asks", order.referrer, longest=300),
    }
    if order.action == "new":
        told["urgency"] = order.urgency or "routine"
    differs = sorted(name for name, value in told.items() if first.get(name, "") != value)
    if differs:
        raise OrderConflict(
            f"this order is recorded as case {case.number} with another {' and another '.join(differs)}",
            way_out="Nothing was changed. Cancel it and order anew, or speak with the laboratory.",
        )
    late = _late_specimens(change, order, case, partners)
    if order.action == "change" and order.urgency is not None and order.urgency != case.urgency:
        if _is_out(change, case):
            raise OrderConflict(f"the report of {case.number} is out", way_out="Nothing was changed.")
        change_urgency(change, case, order.urgency, seen=case.version, reason="the order was changed by its sender")
        return Taken(case=case.number, case_id=case.id, labels=late, what="changed")
    return Taken(case=case.number, case_id=case.id, labels=late, what="changed" if late else "known")


def _late_specimens(change: Change, order: IncomingOrder, case: CaseRow, partners: Partners) -> tuple[str, ...]:
    """Receive the specimens of an order that was recorded without one; any other that is not known is a conflict."""
    from sqlalchemy import select

    from consilium.laboratory.tables import SpecimenRow

    kinds = _kinds(order, partners) if order.specimens else ()
    there = change.session.scalars(select(SpecimenRow).where(SpecimenRow.case_id == case.id)).all()
    if not there:
        return tuple(
            receive_specimen(change, case, _as_order(order, kind, (one,))).label
            for kind, one in zip(kinds, order.specimens, strict=True)
        )
    # As they were received: the laboratory may have changed a note since.
    known = Counter(_as_received(history(change.session, row)[0].after) for row in there)
    for kind, one in zip(kinds, order.specimens, strict=True):
        told = {"kind": kind, "collected": one.collected and change.profile.moment(one.collected), "note": one.note}
        if known[_as_received(told)] < 1:
            raise OrderConflict(
                f"this order is recorded as case {case.number} with other specimens",
                way_out="Nothing was changed. Order anew, or speak with the laboratory.",
            )
        known[_as_received(told)] -= 1
    return ()


def _as_received(told: Mapping[str, str | None]) -> tuple[str, str, str]:
    return (told.get("kind") or "", told.get("collected") or "", entry("the note", told.get("note") or ""))


def _check_patient(change: Change, order: IncomingOrder, case: CaseRow) -> None:
    holder = patient_of_hospital_number(change, order.patient.number) if order.patient.number else None
    if holder is None or holder.id != case.patient_id:
        raise OrderConflict(f"this order is recorded as case {case.number} of another patient")


def _cancel(change: Change, order: IncomingOrder, case: CaseRow | None) -> Taken:
    if case is None:
        raise UnknownOrder("this order is not known, and cannot be cancelled")
    if order.patient.number:
        _check_patient(change, order, case)
    if case.withdrawn is None:
        if _is_out(change, case):
            raise OrderConflict(
                f"the report of {case.number} is out, and is not taken back by a cancellation",
                way_out="Speak with the laboratory: a report that is out is amended.",
            )
        told = entry("the reason", order.reason, longest=1000)
        why = f"cancelled by whoever ordered it{': ' + told if told else ''}"
        change.withdraw(case, "exchange.cancel", reason=why)
    return Taken(case=case.number, case_id=case.id, labels=(), what="cancelled")


def _is_out(change: Change, case: CaseRow) -> bool:
    """Whether a report of the case is out; one that was reopened has one too."""
    return case.state in REPORTED or bool(newest_revision(change.session, case))


def _case_of(change: Change, number: str) -> CaseRow | None:
    from sqlalchemy import select

    from consilium.laboratory.tables import CaseRow

    found = entry("the order number", number, longest=100)
    return change.session.scalar(select(CaseRow).where(CaseRow.order_number == found))
