"""Orders in a Bundle: ServiceRequest with its Patient and Specimens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from consilium.errors import InputError
from consilium.laboratory.due_date import Urgency
from consilium.laboratory.exchange.fhir.bundle import Bundle, Resource
from consilium.laboratory.exchange.order import Action, Code, IncomingOrder, OrderedPatient, OrderedSpecimen, numbered
from consilium.laboratory.exchange.partners import Partners
from consilium.laboratory.exchange.person import person_name

MOST_ORDERS = 50

_ACTIONS: dict[str, Action] = {"active": "new", "revoked": "cancel"}
"""ServiceRequest.status: drafts are not yet orders, and what is entered-in-error or revoked is one no more."""

_URGENCIES: dict[str, Urgency] = {"routine": "routine", "urgent": "urgent", "asap": "urgent", "stat": "urgent"}


def orders_of(bundle: Bundle, partners: Partners) -> tuple[IncomingOrder, ...]:
    """The orders of a Bundle.

    Args:
        bundle: that came.
        partners: whose numbers are the laboratory's own hospital's.

    Raises:
        InputError: something that is needed is missing; `where` is the element.
    """
    requests = bundle.of("ServiceRequest")
    if not requests:
        raise InputError("the Bundle has no order", where="ServiceRequest")
    if len(requests) > MOST_ORDERS:
        raise InputError(f"{len(requests)} orders are in one Bundle", way_out=f"{MOST_ORDERS} at most.")
    return tuple(_order(bundle, one, partners) for one in requests)


def _order(bundle: Bundle, request: Resource, partners: Partners) -> IncomingOrder:
    status = request.get("status", "")
    action = "cancel" if status == "entered-in-error" else _ACTIONS.get(status)
    if action is None:
        raise InputError(
            "an order of this status is not taken", where="ServiceRequest.status", way_out="active, revoked."
        )
    number = _identifier(request, "PLAC", partners)
    if not number:
        raise InputError("the order has no number", where="ServiceRequest.identifier")
    patient = bundle.followed(request.get("subject"), "Patient")
    if patient is None:
        raise InputError("the order is about nobody", where="ServiceRequest.subject")
    priority = request.get("priority")
    return IncomingOrder(
        action=action,
        number=number,
        patient=_patient(patient, partners),
        services=tuple(_codes(request.get("code"))),
        specimens=tuple(_specimens(bundle, request)),
        indication=_joined(map(_said, request.get("reasonCode", ()))),
        referrer=_referrer(bundle, request.get("requester")),
        urgency=_URGENCIES.get(str(priority)),
        reason=_joined(one.get("text", "") for one in request.get("note", ())) if action == "cancel" else "",
    )


def _patient(patient: Resource, partners: Partners) -> OrderedPatient:
    number = _identifier(patient, "MR", partners)
    if not number:
        raise InputError("the patient has no number", where="Patient.identifier")
    names = patient.get("name", [])
    best = next((one for one in names if one.get("use") in ("official", "usual")), names[0] if names else {})
    born = patient.get("birthDate", "")
    if born and len(born) != 10:
        raise InputError("a birth date that is not exact to the day", where="Patient.birthDate")
    name = best.get("text") or person_name(best.get("family", ""), *best.get("given", ()))
    gender = patient.get("gender", "")
    return OrderedPatient(number=number, name=name, birth_date=born, sex=gender if gender in ("female", "male") else "")


def _specimens(bundle: Bundle, request: Resource) -> Iterator[OrderedSpecimen]:
    for reference in request.get("specimen", ()):
        found = bundle.followed(reference, "Specimen")
        if found is None:
            raise InputError("a specimen without a reference", where="ServiceRequest.specimen")
        collection = found.get("collection", {})
        collected = collection.get("collectedDateTime") or collection.get("collectedPeriod", {}).get("end") or ""
        yield OrderedSpecimen(
            kinds=tuple(_codes(found.get("type"))),
            collected=collected,
            received=found.get("receivedTime") or "",
            note=_joined(one.get("text", "") for one in found.get("note", ())),
        )


def _identifier(resource: Resource, kind: str, partners: Partners) -> str:
    told = [one for one in resource.get("identifier", ()) if one.get("value")]
    typed = [one for one in told if any(code.code == kind for code in _codes(one.get("type")))]
    best = (typed or told or [{}])[0]
    return numbered(best.get("value", ""), best.get("system", ""), partners)


def _referrer(bundle: Bundle, reference: Any) -> str:
    if not isinstance(reference, dict):
        return ""
    if reference.get("display"):
        return str(reference["display"])
    try:
        found = bundle.followed(reference, "Practitioner")
    except InputError:
        return ""
    names = (found or {}).get("name", [])
    return names[0].get("text") or person_name(names[0].get("family", ""), *names[0].get("given", ())) if names else ""


def _codes(concept: Any) -> Iterator[Code]:
    for one in (concept or {}).get("coding", ()):
        if one.get("code"):
            yield Code(code=one["code"], system=one.get("system", ""))


def _said(concept: Resource) -> str:
    coded = (one.get("display") or one.get("code", "") for one in concept.get("coding", ()))
    return concept.get("text") or next(iter(coded), "")


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(one for one in parts if one))
