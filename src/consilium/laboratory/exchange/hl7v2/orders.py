"""Orders in messages ORM^O01 and OML^O21 of HL7 2.5.1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from consilium.errors import InputError
from consilium.laboratory.due_date import Urgency
from consilium.laboratory.exchange.hl7v2.message import Message, Segment, day, moment
from consilium.laboratory.exchange.order import Action, Code, IncomingOrder, OrderedPatient, OrderedSpecimen, numbered
from consilium.laboratory.exchange.partners import Partners
from consilium.laboratory.exchange.person import person_name
from consilium.laboratory.profile import Profile

KINDS = ("ORM^O01", "OML^O21")
MOST_ORDERS = 50
"""In one message."""

_ACTIONS: dict[str, Action] = {"NW": "new", "XO": "change", "CA": "cancel", "OC": "cancel"}
"""ORC-1 (table 0119)."""

_URGENT = frozenset({"S", "A", "ASAP", "STAT", "T", "P"})
_ROUTINE = frozenset({"R", "ROUTINE", "C"})
"""Priorities (tables 0027, 0485): what is stat, as soon as possible, time critical or before an operation is urgent."""

_SEXES = {"F": "female", "M": "male"}


@dataclass
class _Group:
    """ORC with what follows it until the next one."""

    control: Segment
    request: Segment | None = None
    specimens: list[Segment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    priorities: list[str] = field(default_factory=list)


def orders_of(message: Message, profile: Profile, partners: Partners) -> tuple[IncomingOrder, ...]:
    """The orders of a message.

    Args:
        message: an ORM^O01 or OML^O21.
        profile: for times without an offset.
        partners: whose numbers are the laboratory's own hospital's.

    Raises:
        InputError: something that is needed is missing or is no such entry; `where` is the field.
    """
    patient_segment = message.first("PID")
    if patient_segment is None:
        raise InputError("the segment is missing", where="PID")
    patient = _patient(patient_segment, partners)
    groups = tuple(_groups(message))
    if not groups:
        raise InputError("the segment is missing", where="ORC")
    if len(groups) > MOST_ORDERS:
        raise InputError(f"{len(groups)} orders are in one message", way_out=f"{MOST_ORDERS} at most.")
    return tuple(_order(one, patient, profile, partners) for one in groups)


def _groups(message: Message) -> Iterator[_Group]:
    group: _Group | None = None
    for one in message.segments:
        if one.name == "ORC":
            if group is not None:
                yield group
            group = _Group(control=one)
        elif group is None:
            continue
        elif one.name == "OBR":
            if group.request is not None:
                raise InputError("a second request in one order", where="OBR", way_out="Give each its own ORC.")
            group.request = one
        elif one.name == "SPM":
            group.specimens.append(one)
        elif one.name == "TQ1":
            group.priorities.append(one.value(9))
        elif one.name == "NTE":
            group.notes += [one.value(3, repetition=at) for at in range(one.repetitions(3))]
        elif one.name == "DG1":
            group.reasons.append(one.value(4) or one.value(3, 2) or one.value(3))
    if group is not None:
        yield group


def _order(group: _Group, patient: OrderedPatient, profile: Profile, partners: Partners) -> IncomingOrder:
    control = group.control
    action = _ACTIONS.get(control.value(1))
    if action is None:
        raise InputError("there is no such order control here", where="ORC-1", way_out=f"One of {', '.join(_ACTIONS)}.")
    request = group.request
    placer = control if control.value(2) or request is None else request
    number = numbered(placer.value(2), placer.value(2, 2) or placer.value(2, 3), partners)
    if not number:
        raise InputError("the placer's order number is missing", where="ORC-2")
    if request is None:
        if action != "cancel":
            raise InputError("the segment is missing", where="OBR")
        return IncomingOrder(action=action, number=number, patient=patient, reason=_reason(control))
    if request.value(2) and request.value(2) != placer.value(2):
        raise InputError("two numbers of one order", where="OBR-2")
    return IncomingOrder(
        action=action,
        number=number,
        patient=patient,
        services=_codes(request, 4),
        specimens=_specimens(group, request, profile),
        indication=_joined(
            [request.value(13), *(_text_of(request, 31, at) for at in range(request.repetitions(31))), *group.reasons]
        ),
        referrer=_referrer(control, request),
        urgency=_urgency([*group.priorities, request.value(5), request.value(27, 6), control.value(7, 6)]),
        reason=_reason(control),
    )


def _specimens(group: _Group, request: Segment, profile: Profile) -> tuple[OrderedSpecimen, ...]:
    notes = _joined(group.notes)
    if group.specimens:
        return tuple(
            OrderedSpecimen(
                kinds=_codes(one, 4), collected=_time(one, 17, profile), received=_time(one, 18, profile),
                note=_joined([*(one.value(14, repetition=at) for at in range(one.repetitions(14))), notes]),
            )
            for one in group.specimens
        )  # fmt: skip
    if request.repetitions(15) == 0:
        return ()
    # OBR-15 (data type SPS) has the code of the specimen in the subcomponents of its first component.
    kinds = (
        Code(code=request.value(15, 1), system=request.value(15, 1, subcomponent=3)),
        Code(code=request.value(15, 1, subcomponent=2)),
    )
    return (
        OrderedSpecimen(
            kinds=kinds, collected=_time(request, 7, profile), received=_time(request, 14, profile), note=notes
        ),
    )


def _patient(segment: Segment, partners: Partners) -> OrderedPatient:
    count = segment.repetitions(3)
    # A medical record number is meant where several are told.
    at = next((one for one in range(count) if segment.value(3, 5, repetition=one) == "MR"), 0)
    number = numbered(segment.value(3, 1, repetition=at), segment.value(3, 4, repetition=at), partners)
    if not number:
        raise InputError("the number of the patient is missing", where="PID-3")
    given = [segment.value(5, one) for one in (2, 3)]
    family = segment.value(5, 1, subcomponent=1)
    try:
        born = day(segment.value(7))
    except InputError as problem:
        raise InputError(problem.what, where="PID-7", way_out=problem.way_out) from problem
    return OrderedPatient(
        number=number, name=person_name(family, *given), birth_date=born, sex=_SEXES.get(segment.value(8), "")
    )


def _codes(segment: Segment, at: int) -> tuple[Code, ...]:
    """The codes of a field of type CE or CWE: the code, its alternative."""
    found = (
        Code(code=segment.value(at, 1), system=segment.value(at, 3)),
        Code(code=segment.value(at, 4), system=segment.value(at, 6)),
    )
    return tuple(one for one in found if one.code)


def _urgency(told: list[str]) -> Urgency | None:
    """Priority, which is TQ1-9 since version 2.5, and was OBR-27, ORC-7 and OBR-5 before, where many still write it."""
    for one in filter(None, told):
        if one.upper() in _URGENT:
            return "urgent"
        if one.upper() in _ROUTINE:
            return "routine"
        raise InputError("there is no such priority", where="TQ1-9", way_out="As in R or S.")
    return None


def _referrer(control: Segment, request: Segment) -> str:
    for segment, at in ((request, 16), (control, 12)):
        if segment.repetitions(at):
            name = person_name(segment.value(at, 2), segment.value(at, 3), segment.value(at, 4))
            return name or segment.value(at, 1)
    return ""


def _reason(control: Segment) -> str:
    return _text_of(control, 16, 0)


def _text_of(segment: Segment, at: int, repetition: int) -> str:
    """What a coded field says in words, or its code."""
    return segment.value(at, 2, repetition=repetition) or segment.value(at, 1, repetition=repetition)


def _time(segment: Segment, at: int, profile: Profile) -> str:
    try:
        return moment(segment.value(at), profile)
    except InputError as problem:
        raise InputError(problem.what, where=f"{segment.name}-{at}", way_out=problem.way_out) from problem


def _joined(parts: list[str]) -> str:
    return "; ".join(dict.fromkeys(one for one in parts if one))
