"""FHIR R4B: orders in, the report out."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")
pytest.importorskip("fhir.resources", reason="the exchange needs fhir.resources (extra exchange)")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.laboratory.exchange import messages
from consilium.laboratory.exchange.fhir.inbox import Reply, receive
from consilium.laboratory.exchange.fhir.report import report_bundle
from consilium.laboratory.exchange.partners import Partners
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.reception import identity_of
from consilium.laboratory.review.content import CellLine
from tests.laboratory.exchange.bundles import bundle
from tests.laboratory.exchange.conftest import oml
from tests.laboratory.exchange.reports import PDF, PERSON, SECRETS, amended, signed
from tests.laboratory.exchange.test_hl7_orders import counts
from tests.laboratory.exchange.test_hl7_orders import sent as sent_by_hl7


def sent(laboratory: Laboratory, told: Any, who: str = "tang") -> Reply:
    from fhir.resources.R4B import get_fhir_model_class

    data = told if isinstance(told, bytes) else json.dumps(told, ensure_ascii=False).encode()
    reply = receive(laboratory, who, data, peer="test")
    get_fhir_model_class(reply.document["resourceType"]).model_validate(reply.document)
    return reply


@pytest.mark.parametrize("kind", ["transaction", "message"])
def test_an_order_becomes_a_case_with_its_specimens_and_patient(both: Laboratory, kind: str) -> None:
    reply = sent(both, bundle(kind=kind, priority="stat", service="KARYO-Q", specimens=2))
    assert reply.status == 200 and reply.taken[0].what == "recorded" and len(reply.taken[0].labels) == 2
    assert "recorded as K26-00001" in json.dumps(reply.document)
    with both.looking("tang") as look:
        case = case_called(look.session, "K26-00001")
        assert (case.specimen, case.order_number, case.urgency) == ("bone_marrow", "ORD-1", "urgent")
        assert (case.indication, case.referrer, case.patient.sex) == ("short stature", "Wei Li", "female")
        who = identity_of(look, case.patient)
        assert (who.name, who.birth_date, who.hospital_number) == ("欧阳娜娜", "1999-09-09", "HN-1")
        (kept,) = messages.listed(look)
        assert (kept.state, kept.protocol, kept.kind, kept.control) == ("taken", "fhir", f"Bundle {kind}", "b1")


def test_an_order_that_came_by_hl7_is_the_same_by_fhir(partnered: Laboratory) -> None:
    sent_by_hl7(partnered, oml())
    before = counts(partnered)
    reply = sent(partnered, bundle())
    assert reply.taken[0].what == "known" and counts(partnered) == before


def test_cancelled_and_conflicting(partnered: Laboratory) -> None:
    sent(partnered, bundle())
    before = counts(partnered)
    assert sent(partnered, bundle(reason="infertility")).status == 409
    assert sent(partnered, bundle(patient="HN-2")).status == 409
    assert sent(partnered, bundle("ORD-9", status="revoked")).status == 404
    assert counts(partnered) == before
    assert sent(partnered, bundle(status="revoked")).taken[0].what == "cancelled"
    with partnered.looking("tang") as look:
        assert "ordered twice" in (case_called(look.session, "K26-00001").withdrawn_reason or "")


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        ({"resourceType": "Patient"}, 400),
        ({"resourceType": "Bundle"}, 400),
        ({"resourceType": "Bundle", "type": "transaction"}, 422),
        ({"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": "{}"}]}, 400),
        ({"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": {"resourceType": "Foo"}}]}, 400),
        ({"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": {"resourceType": ["x"]}}]}, 400),
        ({"resourceType": "Bundle", "type": "transaction", "entry": {}}, 400),
        (bundle(kind="searchset"), 400),
        (bundle(status="draft"), 422),
        (bundle(service="QQ", specimens=0), 422),
        (bundle(birth="1999"), 422),
        (bundle(birth="not a day"), 400),
        (bundle(patient=""), 400),
        (b'{"resourceType": "Bundle", "type": "transaction", "total": NaN}', 400),
    ],
)
def test_what_is_wrong_is_answered_with_the_reason(partnered: Laboratory, told: Any, status: int) -> None:
    reply = sent(partnered, told)
    assert reply.status == status and reply.document["resourceType"] == "OperationOutcome"
    assert set(counts(partnered).values()) == {0}
    with partnered.looking("tang") as look:
        assert [one.state for one in messages.listed(look)] == ["refused"]


def test_a_refusal_repeats_nothing_of_a_patient(partnered: Laboratory) -> None:
    told = bundle()
    told["entry"][0]["resource"] |= {"birthDate": "Zzyzx", "gender": "Zzyzx", "name": "Zzyzx"}
    assert "Zzyzx" not in json.dumps(sent(partnered, told).document)


def test_references_that_lead_nowhere_are_refused(partnered: Laboratory) -> None:
    for change in ({"subject": {"reference": "Patient/p2"}}, {"subject": {"display": "somebody"}},
                   {"specimen": [{"reference": "Patient/p1"}]}):  # fmt: skip
        told = bundle()
        told["entry"][-1]["resource"] |= change
        assert sent(partnered, told).status == 422
    assert set(counts(partnered).values()) == {0}


def test_whoever_may_not_receive_is_told_so(partnered: Laboratory) -> None:
    assert sent(partnered, bundle(), "ada").status == 403


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["resourceType", "id", "identifier", "value", "coding", "code", "reference", "text", "entry", "resource"]
    ), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_bundle_is_answered_by_a_crash(partnered: Laboratory, data: st.DataObject) -> None:
    told = copy.deepcopy(bundle())
    for _ in range(data.draw(st.integers(1, 3))):
        here: Any = told
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(here[key], dict | list) or not here[key] or data.draw(st.integers(0, 3)) == 0:
                break
            here = here[key]
        if data.draw(st.booleans()):
            here[key] = data.draw(_JSON)
        elif isinstance(here, dict):
            del here[key]
        if not told:
            break
    reply = sent(partnered, json.dumps(told).encode())
    assert reply.status in (200, 400, 404, 409, 422)


def written(**entries: Any) -> dict[str, Any]:
    told = report_bundle(signed(**entries), Partners())
    return json.loads(json.dumps(told))  # type: ignore[no-any-return]


def only(told: dict[str, Any], kind: str, code: str = "") -> dict[str, Any]:
    found = [
        one["resource"]
        for one in told["entry"]
        if one["resource"]["resourceType"] == kind
        and (not code or one["resource"]["code"]["coding"][0]["code"] == code)
    ]
    assert len(found) == 1, (kind, code, len(found))
    return found[0]  # type: ignore[no-any-return]


def test_what_the_report_says() -> None:
    told = written(
        pdf=PDF, iscn="46,XX,t(9;22)(q34;q11.2)[15]/46,XX[5]",
        lines=(
            CellLine(iscn="46,XX,t(9;22)(q34;q11.2)", cells=tuple(f"{at:02d}.png" for at in range(1, 16))),
            CellLine(iscn="46,XX", cells=tuple(f"{at:02d}.png" for at in range(16, 21))),
        ),
    )  # fmt: skip
    report = only(told, "DiagnosticReport")
    assert report["status"] == "final" and report["issued"] == "2026-03-20T08:00:00.000Z"
    assert base64.b64decode(report["presentedForm"][0]["data"]) == PDF
    urls = {one["fullUrl"] for one in told["entry"]}
    assert {one["reference"] for one in report["result"]} <= urls and len(report["result"]) == 5
    iscn = only(told, "Observation", "62356-1")["valueCodeableConcept"]
    assert iscn["coding"][0]["system"] == "https://iscn.karger.com" and iscn["coding"][0]["version"] == "2024"
    assert iscn["text"] == iscn["coding"][0]["code"] == "46,XX,t(9;22)(q34;q11.2)[15]/46,XX[5]"
    assert only(told, "Observation", "51968-6")["valueCodeableConcept"]["coding"][0]["display"] == "Positive"
    first, second = (
        one["resource"]
        for one in told["entry"]
        if one["resource"].get("code", {}).get("coding", [{}])[0].get("code") == "69548-6"
    )
    assert first["valueCodeableConcept"]["coding"][0]["display"] == "Present"
    assert second["valueCodeableConcept"]["coding"][0]["display"] == "Absent"
    parts = {one["code"]["coding"][0]["code"]: one for one in first["component"]}
    assert parts["81291-7"]["valueCodeableConcept"]["text"] == "46,XX,t(9;22)(q34;q11.2)"
    assert parts["48001-2"]["valueCodeableConcept"]["text"] == "9q34, 22q11.2"
    assert parts["cell-line-cells"]["valueInteger"] == 15
    counted = {one["code"]["coding"][0]["code"]: one for one in only(told, "Observation", "62355-3")["component"]}
    assert counted["cells-counted"]["valueInteger"] == 20 and counted["62358-7"]["valueInteger"] == 550
    assert counted["mosaicism-95"]["valueQuantity"]["value"] == 13.91
    assert only(told, "ServiceRequest")["identifier"][0]["value"] == "ORD-1"
    assert only(told, "Specimen")["identifier"][0]["value"] == "S26-0000001-5"


def test_the_provenance_names_what_was_signed() -> None:
    report = signed()
    found = only(report_bundle(report, Partners()), "Provenance")
    signature = found["signature"][0]
    assert base64.b64decode(signature["data"]).hex() == report.sha256 and signature["when"] == report.at
    name = found["entity"][0]["what"]["identifier"]["value"].removeprefix("ni:///sha-256;")
    assert base64.urlsafe_b64decode(name + "=").hex() == report.sha256


def test_the_same_report_is_the_same_bundle_and_an_amendment_another() -> None:
    first = signed()
    assert report_bundle(first, Partners()) == report_bundle(signed(), Partners())
    report = amended(first, iscn="47,XX,+21")
    told = report_bundle(report, Partners())
    assert only(told, "DiagnosticReport")["status"] == "amended"
    assert only(told, "Provenance")["reason"][0]["text"] == "a band was misnamed"
    urls = [{one["fullUrl"] for one in report_bundle(one, Partners())["entry"]} for one in (first, report)]
    assert urls[0].isdisjoint(urls[1])


def test_who_the_patient_is_leaves_only_where_it_was_joined() -> None:
    assert not any(secret in json.dumps(written(), ensure_ascii=False) for secret in SECRETS)
    patient = only(written(person=PERSON), "Patient")
    assert (patient["name"], patient["birthDate"], patient["gender"]) == (
        [{"text": PERSON.name}],
        "1999-09-09",
        "female",
    )
    assert [one["value"] for one in patient["identifier"]] == ["P0000017", "HN-77077"]
    assert "gender" not in only(written(person=PERSON, sex="withheld", iscn="46,U"), "Patient")


def test_a_drawn_case_is_marked_as_test_data() -> None:
    assert all(one["resource"]["meta"]["security"][0]["code"] == "HTEST" for one in written()["entry"])
