"""A workstation with something of everything, and a request for every operation of its interface.

Bodies are made from the interface's own document: what an entry is called says what belongs in it here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from consilium.laboratory.consent import record_consent
from consilium.laboratory.exchange.partners import Partners, Receiver, settle
from consilium.laboratory.found import patient_called
from consilium.laboratory.laboratory import Laboratory, put_staff
from consilium.laboratory.storage import make_place
from tests.laboratory.conftest import received
from tests.laboratory.exchange.bundles import bundle
from tests.laboratory.exchange.conftest import CODES, SPECIMENS, oml
from tests.laboratory.review.conftest import FEMALE, OpenCells, act, add_cells, confirm_all, step
from tests.web.security.conftest import PASSWORD, Seat

PARTNERS = Partners(services=CODES, specimens=SPECIMENS, receivers={"his": Receiver(host="127.0.0.1", port=9)})
METHODS = ("get", "put", "post", "delete", "patch")


@dataclass(kw_only=True)
class World:
    """What is there, by the names that parameters and entries have."""

    names: dict[str, Any] = field(default_factory=dict)


def build(app: FastAPI, seat: Seat) -> World:
    """Two cases: one that is analysed, one that is signed."""
    records: Laboratory = app.state.records
    opened: OpenCells = app.state.analysis.cells
    made = [_analysed(records, opened, name) for name in ("Zhang San", "Li Si")]
    (label, number, patient, cells), (_, signed, _, _) = made
    _sign(seat, signed)
    with records.changing("ada") as change:
        make_place(change, "F1/B1/A1")
        make_place(change, "F1/B1/A2")
        settle(change, PARTNERS, reason="test")
        put_staff(change, "newcomer", ["technologist"])
    with records.changing("tang") as change:
        consent = record_consent(change, patient_called(change.session, patient), ["storage"], given="2026-03-01")
    fresh = received(records)[1]
    ada = seat("ada")
    ada.post("/api/v1/tokens", json={"name": "spare", "roles": ["administrator"], "days": 9})
    return World(names={
        "case": number, "number": number, "signed": signed, "label": label, "of": label, "patient": patient,
        "cell": cells[0], "image": 1, "run": 1, "consent_number": consent.id, "freezer": "F1", "box": "B1",
        "place": "F1/B1/A1", "fresh": fresh, "session": 999_999, "name": "spare",
    })  # fmt: skip


def _analysed(records: Laboratory, opened: OpenCells, name: str) -> tuple[str, str, str, list[int]]:
    label, number, patient = received(records, name=name, hospital_number=f"H-{name}")
    step(records, "tang", number, "harvested")
    ids = add_cells(records, opened, number, (FEMALE,) * 3)
    confirm_all(records, opened, ids)
    act(records, "tang", ids, "counted", "analysed", "karyotyped")
    step(records, "tang", number, "analysed")
    return label, number, patient, ids


def _sign(seat: Seat, number: str) -> None:
    ren, dai, at = seat("ren"), seat("dai"), f"/api/v1/cases/{number}"
    for cell in ren.get(f"{at}/review").json()["cells"][:2]:
        ren.post(f"{at}/review/readings", json={"cell": cell["cell"], "count": 46, "karyotype": "46,XX"})
    ren.post(f"{at}/review/readings", json={"karyotype": "46,XX"})
    shown = dai.get(f"{at}/report").json()
    text = {
        "seen": shown["text_version"], "iscn": shown["drafted_iscn"],
        "reasons": {one["what"]: "few cells" for one in shown["content"]["checks"] if one["met"] is False},
        "interpretation": shown["drafted_interpretation"],
    }  # fmt: skip
    dai.patch(f"{at}/report", json=text)
    ren.post(f"{at}/review/done", json={})
    shown = dai.get(f"{at}/report").json()
    answer = dai.post(f"{at}/report/signature", json={"shown": shown["content_sha256"], "password": PASSWORD})
    assert answer.status_code == 201, answer.text


OF_SIGNED = ("/reports", "/report/", "DiagnosticReport", "/results", "/store")
"""Operations that are about a signed report."""

PARAMETERS: dict[str, Any] = {
    "revision": 1, "kind": "html", "act": "counted", "archive": "pacs", "sha256": "0" * 64, "key": "0" * 40, "q": "K26",
    "name": "spare", "version": "1.0.0",
}  # fmt: skip

ENTRIES: dict[str, Any] = {
    "reason": "because", "why": "because", "seen": 1, "given": "2026-03-01", "purposes": ["storage"], "to": "harvested",
    "worker": "tang", "urgency": "urgent", "made": "culture", "receiver": "courier", "hospital_number": "H-9",
    "birth_date": "1980-01-01", "name": "x", "act": "counted", "what": "karyotype", "kept": "first", "iscn": "46,XX",
    "shown": "0" * 64, "password": PASSWORD, "old": PASSWORD, "new": PASSWORD, "specimen": "constitutional_blood",
    "command": {"kind": "undo"}, "key": "k" * 36, "study": "1.2.3", "roles": ["technologist"], "days": 3,
    "disabled": False, "rows": 1, "columns": 1, "person": "newcomer", "lines": [],
}  # fmt: skip

BODIES: dict[str, tuple[str, bytes]] = {
    "text/csv": ("text/csv", b"specimen\nconstitutional_blood\n"),
    "application/octet-stream": ("application/octet-stream", b"no picture"),
    "application/hl7-v2": ("application/hl7-v2", oml("ORD-8").encode()),
    "application/fhir+json": ("application/fhir+json", json.dumps(bundle("ORD-9")).encode()),
}


LATE = ("withdrawal", "disposal", "acts/{act}", "reopening", "/disabled", "/staff/password", "DELETE", "/places/")
"""Parts of what takes something away that another operation needs."""


def operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation, `LATE` ones last: method, path with its parameters, its part of the document."""
    found = [*_operations(app)]
    yield from sorted(found, key=lambda one: any(part in f"{one[0]} {one[1]}" for part in LATE))


def _operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in app.openapi()["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def request_for(app: FastAPI, world: World, path: str, operation: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A path and what comes with it, as a client of the interface would send them."""
    names = PARAMETERS | world.names | {"number": 999_999 if "/sessions/" in path else world.names["number"]}
    if any(part in path for part in OF_SIGNED):
        names |= {"number": world.names["signed"], "case": world.names["signed"]}
    if "/studies/" in path:
        names["act"] = "start"
    if path.endswith("/places/withdrawals"):
        names["place"] = "F1/B1/A2"
    if path.endswith("/steps"):
        names["number"] = world.names["fresh"]
    if "/messages/" in path:
        names["number"] = 1
    if "/patients/" in path:
        names["number"] = world.names["patient"]
    filled = re.sub(r"\{(\w+)\}", lambda found: str(names[found[1]]), path)
    query = {
        one["name"]: names.get(one["name"], ENTRIES.get(one["name"], "x"))
        for one in operation.get("parameters", ()) if one["in"] == "query" and one.get("required")
    }  # fmt: skip
    more: dict[str, Any] = {"params": query}
    for kind, described in operation.get("requestBody", {}).get("content", {}).items():
        if kind in BODIES:
            more |= {"content": BODIES[kind][1], "headers": {"Content-Type": kind}}
        elif kind == "multipart/form-data":
            more["files"] = {"files": ("a.png", b"no picture")}
        elif kind == "application/json":
            more["json"] = _example(app.openapi(), described["schema"], ENTRIES | _entries(names, path))
        break
    return filled, more


def _entries(names: dict[str, Any], path: str) -> dict[str, Any]:
    given = {name: names[name] for name in ("case", "patient", "of", "place", "freezer", "box") if name in names}
    given |= {"name": "fresh"} if path.endswith("/tokens") else {}
    given |= {"new_patient": {"name": "Wang Wu"}} if path.endswith("/receptions") else {}
    return given | ({"receiver": "his"} if path.endswith("/results") else {})


def _example(document: dict[str, Any], schema: dict[str, Any], entries: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], entries)
    if "anyOf" in schema:
        return _example(document, schema["anyOf"][0], entries)
    if schema.get("type") != "object" or "properties" not in schema:
        return {"array": [], "object": {}, "integer": 1, "boolean": False, "number": 1.0}.get(
            schema.get("type", ""), "x"
        )
    told = [*schema.get("required", ()), *(one for one in ("new_patient", "password") if one in schema["properties"])]
    return {
        name: entries[name] if name in entries else _example(document, schema["properties"][name], entries)
        for name in told
    }
