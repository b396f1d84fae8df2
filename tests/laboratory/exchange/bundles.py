"""Bundles with an order, as another system sends them."""

from __future__ import annotations

from typing import Any


def bundle(
    number: str = "ORD-1", *, kind: str = "transaction", status: str = "active", service: str = "KARYO-B",
    patient: str = "HN-1", birth: str = "1999-09-09", priority: str = "routine", reason: str = "short stature",
    specimens: int = 1,
) -> dict[str, Any]:  # fmt: skip
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": birth,
            "identifier": [{"value": "other"}, {"type": {"coding": [{"code": "MR"}]}, "value": patient}],
            "name": [{"use": "official", "family": "欧阳", "given": ["娜娜"]}],
        },
        *(
            {
                "resourceType": "Specimen", "id": f"s{at}", "subject": {"reference": "Patient/p1"},
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0487", "code": "BMAR"}]},
                "collection": {"collectedDateTime": "2026-03-01T08:30:00+08:00"},
            }
            for at in range(specimens)
        ),
        {
            "resourceType": "ServiceRequest", "id": "r1", "status": status, "intent": "order", "priority": priority,
            "identifier": [{"value": number}], "subject": {"reference": "Patient/p1"},
            "code": {"coding": [{"code": service}]}, "requester": {"display": "Wei Li"},
            "specimen": [{"reference": f"Specimen/s{at}"} for at in range(specimens)],
            "reasonCode": [{"text": reason}], "note": [{"text": "ordered twice"}],
        },
    ]  # fmt: skip
    entries: list[dict[str, Any]] = [{"resource": one} for one in resources]
    if kind == "transaction":
        for one in entries:
            one["request"] = {"method": "POST", "url": one["resource"]["resourceType"]}
    if kind == "message":
        header = {"resourceType": "MessageHeader", "id": "m1", "eventCoding": {"system": "urn:x", "code": "order"},
                  "source": {"endpoint": "urn:his"}}  # fmt: skip
        entries.insert(0, {"resource": header})
    return {"resourceType": "Bundle", "type": kind, "id": "b1", "entry": entries}
