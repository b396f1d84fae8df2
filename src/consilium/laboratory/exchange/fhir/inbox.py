"""A Bundle of orders comes in: taken, kept and committed, and only then answered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from consilium.database.database import now
from consilium.errors import ConsiliumError, InputError, MissingExtra, NotAllowed
from consilium.laboratory.exchange import messages
from consilium.laboratory.exchange.fhir.bundle import Bundle, bundle_of
from consilium.laboratory.exchange.fhir.orders import orders_of
from consilium.laboratory.exchange.partners import partners_in
from consilium.laboratory.exchange.reception import OrderConflict, Taken, UnknownOrder, take
from consilium.laboratory.laboratory import Laboratory

_ISSUES = {400: "invalid", 403: "forbidden", 404: "not-found", 409: "conflict", 422: "processing", 503: "transient"}
"""OperationOutcome.issue.code by status."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered.

    Attributes:
        status: of HTTP.
        document: a Bundle of what was done, or an OperationOutcome.
        taken: what became of each order.
    """

    status: int
    document: dict[str, Any]
    taken: tuple[Taken, ...] = ()


def receive(laboratory: Laboratory, who: str, data: bytes, *, peer: str) -> Reply:
    """Take a Bundle in, and answer it. Whatever is in it, nothing is raised but what is no fault of it.

    Args:
        laboratory: where to.
        who: receives.
        data: the Bundle as JSON.
        peer: where it came from, for the record.

    Raises:
        MissingExtra: fhir.resources is not installed.
    """
    bundle = None
    try:
        bundle = bundle_of(data)
        with laboratory.changing(who) as change:
            partners = partners_in(change)
            taken = tuple(take(change, one, partners) for one in orders_of(bundle, partners))
            messages.keep(
                change.session, at=change.at, direction="in", protocol="fhir", kind=f"Bundle {bundle.kind}",
                control=bundle.identifier, peer=peer, who=who, body=data, state="taken",
                told="; ".join(f"{one.what} as {one.case}" for one in taken), case_id=taken[0].case_id,
            )  # fmt: skip
        return Reply(status=200, document=_done(bundle, taken), taken=taken)
    except MissingExtra:
        raise
    except ConsiliumError as problem:
        reply = _refusal(bundle, problem)
    _keep_refused(laboratory, who, data, bundle, peer, reply)
    return reply


def outcome(status: int, told: str, where: str = "") -> dict[str, Any]:
    """An OperationOutcome of one issue."""
    issue: dict[str, Any] = {"severity": "error", "code": _ISSUES.get(status, "exception"), "diagnostics": told}
    if where:
        issue["expression"] = [where]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _refusal(bundle: Bundle | None, problem: ConsiliumError) -> Reply:
    kinds: tuple[tuple[type[ConsiliumError], int], ...] = (
        (OrderConflict, 409), (UnknownOrder, 404), (NotAllowed, 403), (InputError, 400 if bundle is None else 422),
    )  # fmt: skip
    status = next((number for kind, number in kinds if isinstance(problem, kind)), 503)
    told = f"{problem.what}. {problem.way_out}" if problem.way_out else problem.what
    if status == 503:
        told = "the records do not answer; nothing was recorded, send it again"
    return Reply(status=status, document=outcome(status, told, problem.where if status != 503 else ""))


def _done(bundle: Bundle, taken: tuple[Taken, ...]) -> dict[str, Any]:
    cases = iter(taken)
    entries: list[dict[str, Any]] = []
    if bundle.kind == "message":
        header = bundle.of("MessageHeader")
        answered: dict[str, Any] = {"identifier": _id(header[0].get("id") if header else None), "code": "ok"}
        event = {"system": "https://consilium.invalid/codes", "code": "order-response"}
        entries.append(
            {
                "fullUrl": f"urn:uuid:{uuid.uuid4()}",
                "resource": {
                    "resourceType": "MessageHeader", "eventCoding": event,
                    "source": {"name": "Consilium", "endpoint": "urn:consilium:laboratory"}, "response": answered,
                },
            }
        )  # fmt: skip
        entries += [{"resource": _said(one)} for one in taken]
        return {"resourceType": "Bundle", "type": "message", "timestamp": now(), "entry": entries}
    for one in bundle.entries:
        response: dict[str, Any] = {"status": "200 OK"}
        if one["resourceType"] == "ServiceRequest":
            case = next(cases)
            response = {
                "status": "201 Created" if case.what == "recorded" else "200 OK",
                "location": f"ServiceRequest/{case.case}",
                "outcome": _said(case),
            }
        entries.append({"response": response})
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


def _said(taken: Taken) -> dict[str, Any]:
    told = f"{taken.what} as {taken.case}" + (f", specimens {', '.join(taken.labels)}" if taken.labels else "")
    issue = {"severity": "information", "code": "informational", "diagnostics": told}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _id(told: Any) -> str:
    return told if isinstance(told, str) and told else "unknown"


def _keep_refused(
    laboratory: Laboratory, who: str, data: bytes, bundle: Bundle | None, peer: str, reply: Reply
) -> None:
    told = reply.document["issue"][0]["diagnostics"]
    try:
        with laboratory.writing() as session:
            messages.keep(
                session, at=now(), direction="in", protocol="fhir",
                kind="Bundle" if bundle is None else f"Bundle {bundle.kind}",
                control="" if bundle is None else bundle.identifier, peer=peer, who=who[:255], body=data,
                state="refused", told=f"{reply.status}: {told}",
            )  # fmt: skip
    except ConsiliumError:
        # It is refused either way, and whoever sent it has it still.
        return
