"""The interface for other systems: orders in, reports out, messages, an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("hl7", reason="the exchange needs hl7 (extra exchange)")
pytest.importorskip("fhir.resources", reason="the exchange needs fhir.resources (extra exchange)")

from fastapi import FastAPI

from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.exchange.partners import Partners, Receiver, settle
from consilium.web.settings import Settings
from tests.laboratory.exchange.bundles import bundle
from tests.laboratory.exchange.conftest import CODES, SPECIMENS, oml
from tests.laboratory.exchange.orthanc import Orthanc, orthanc, running_orthanc
from tests.laboratory.review.conftest import ready_case, signed_case

__all__ = ["orthanc", "running_orthanc"]

HEADERS = {"X-CSRF-Token": "csrf", "Origin": "http://testserver"}


def settled(app: FastAPI, **more: Any) -> None:
    told = Partners(services=CODES, specimens=SPECIMENS, receivers={"his": Receiver(host="127.0.0.1", port=9)}, **more)
    with app.state.records.changing("ada") as change:
        settle(change, told, reason="test")


@pytest.fixture
def report(app: FastAPI, settings: Settings) -> str:
    """A case whose report is signed."""
    settled(app)
    opened = OpenCells(Files(settings.files))
    number, _ = ready_case(app.state.records, opened)
    signed_case(app.state.records, opened, number)
    return number


PATHS = [
    ("POST", "/fhir/Bundle"), ("GET", "/fhir/DiagnosticReport/K26-00001"), ("POST", "/hl7"), ("GET", "/messages"),
    ("GET", "/messages/1/body"), ("POST", "/messages/1/again"), ("POST", "/results"), ("GET", "/archives/a/echo"),
    ("GET", "/archives/a/studies"), ("POST", "/archives/a/fetch"), ("POST", "/archives/a/store"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_nobody_gets_in_without_a_login(client: Any, method: str, path: str) -> None:
    assert client().request(method, f"/api/v1{path}", json={}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/results", {"case": "K26-00001", "receiver": "his"}), ("GET", "/messages/1/body", None),
     ("POST", "/messages/1/again", None), ("GET", "/fhir/DiagnosticReport/K26-00001", None),
     ("GET", "/archives/a/echo", None), ("GET", "/archives/a/studies?patient=x", None),
     ("POST", "/archives/a/fetch", {"case": "K26-00001", "study": "1.2"}),
     ("POST", "/archives/a/store", {"case": "K26-00001"})],
)  # fmt: skip
def test_whoever_only_administers_may_not(
    client: Any, report: str, method: str, path: str, body: Any, app: FastAPI
) -> None:
    with app.state.records.changing("ada") as change:
        from consilium.laboratory.laboratory import put_staff

        put_staff(change, "eva", ("administrator",))
    answer = client("eva").request(method, f"/api/v1{path}", json=body, headers=HEADERS)
    assert answer.status_code == 403, answer.text


def test_an_order_by_hl7(client: Any, app: FastAPI) -> None:
    settled(app)
    tang = client("tang")
    answer = tang.post("/api/v1/hl7", content=oml().encode(), headers=HEADERS)
    assert answer.status_code == 200 and "MSA|AA|M1" in answer.text
    assert answer.headers["content-type"].startswith("application/hl7-v2")
    assert "MSA|AR" in tang.post("/api/v1/hl7", content=b"\xff\x00", headers=HEADERS).text
    told = tang.get("/api/v1/messages").json()
    assert [(one["state"], one["case"]) for one in told] == [("refused", ""), ("taken", "K26-00001")]
    assert tang.get("/api/v1/messages?state=taken&case=K26-00001").json()[0]["steps"][0]["state"] == "taken"
    body = tang.get(f"/api/v1/messages/{told[1]['id']}/body")
    assert body.content == oml().encode() and body.headers["content-type"] == "application/octet-stream"
    assert tang.get("/api/v1/messages/99/body").status_code == 404
    assert tang.post(f"/api/v1/messages/{told[1]['id']}/again", headers=HEADERS).status_code == 404


def test_an_order_by_fhir(client: Any, app: FastAPI) -> None:
    settled(app)
    tang = client("tang")
    answer = tang.post("/api/v1/fhir/Bundle", json=bundle(), headers=HEADERS)
    assert answer.status_code == 200 and answer.json()["type"] == "transaction-response"
    assert answer.headers["content-type"].startswith("application/fhir+json")
    for told, status in ((bundle(reason="x"), 409), (bundle(service="QQ", specimens=0, number="N"), 422), ({}, 400)):
        answer = tang.post("/api/v1/fhir/Bundle", json=told, headers=HEADERS)
        assert answer.status_code == status and answer.json()["resourceType"] == "OperationOutcome"


def test_a_signed_report_by_fhir(client: Any, report: str) -> None:
    dai = client("dai")
    told = dai.get(f"/api/v1/fhir/DiagnosticReport/{report}").json()
    assert told["entry"][0]["resource"]["resourceType"] == "DiagnosticReport"
    assert told["entry"][0]["resource"]["status"] == "final"
    with_pdf = dai.get(f"/api/v1/fhir/DiagnosticReport/{report}?pdf=en&identity=true").json()
    assert with_pdf["entry"][0]["resource"]["presentedForm"][0]["size"] > 10_000
    assert dai.get(f"/api/v1/fhir/DiagnosticReport/{report}?revision=2").status_code == 404
    assert dai.get("/api/v1/fhir/DiagnosticReport/K26-99999").status_code == 404


def test_a_signed_report_is_queued_once(client: Any, report: str) -> None:
    dai = client("dai")
    first = dai.post("/api/v1/results", json={"case": report, "receiver": "his"}, headers=HEADERS)
    assert first.status_code == 202 and first.json()["state"] == "waiting" and first.json()["kind"] == "ORU^R01"
    again = dai.post("/api/v1/results", json={"case": report, "receiver": "his"}, headers=HEADERS)
    assert again.json()["id"] == first.json()["id"]
    assert dai.post("/api/v1/results", json={"case": report, "receiver": "qq"}, headers=HEADERS).status_code == 404
    assert dai.post(f"/api/v1/messages/{first.json()['id']}/again", headers=HEADERS).status_code == 202


def test_an_archive(client: Any, app: FastAPI, report: str, orthanc: Orthanc, tmp_path: Path) -> None:
    from consilium.laboratory.exchange.dicom.archive import spoken
    from consilium.laboratory.found import case_called
    from tests.laboratory.exchange.test_dicom import STUDY, metaphase

    settled(app, archives={"pacs": orthanc.by_dimse, "web": orthanc.by_web})
    tang = client("tang")
    with app.state.records.looking("tang") as look:
        patient = case_called(look.session, report).patient.number
    for name in ("pacs", "web"):
        assert tang.get(f"/api/v1/archives/{name}/echo").json()["status"] == "ok"
        stored = tang.post(f"/api/v1/archives/{name}/store", json={"case": report}, headers=HEADERS)
        assert stored.status_code == 200 and len(stored.json()["objects"]) >= 2
        (study,) = tang.get(f"/api/v1/archives/{name}/studies?patient={patient}").json()
        assert study["accession"] == report and study["instances"] == len(stored.json()["objects"])
        assert tang.get(f"/api/v1/archives/{name}/studies").status_code == 422
    other = tang.post("/api/v1/hl7", content=oml(patient="HN-77077").encode(), headers=HEADERS)
    assert "K26-00002" in other.text
    spoken(orthanc.by_dimse).store([metaphase(at) for at in range(3)])
    wrong = tang.post("/api/v1/archives/web/fetch", json={"case": report, "study": STUDY}, headers=HEADERS)
    assert wrong.status_code == 422 and "not of the patient" in wrong.text
    came = tang.post("/api/v1/archives/web/fetch", json={"case": "K26-00002", "study": STUDY}, headers=HEADERS)
    assert came.json() == {"case": "K26-00002", "taken_in": 3, "were_there": 0, "left_out": 0}
    again = tang.post("/api/v1/archives/pacs/fetch", json={"case": "K26-00002", "study": STUDY}, headers=HEADERS)
    assert again.json()["were_there"] == 3 and again.json()["taken_in"] == 0
    assert tang.get("/api/v1/archives/none/echo").status_code == 404
    sent = [one for one in tang.get("/api/v1/messages").json() if one["protocol"] == "dicom"]
    assert [one["state"] for one in sent] == ["sent", "sent"]


@pytest.mark.parametrize("path", sorted({path for _, path in PATHS}))
def test_nothing_that_its_document_allows_is_answered_by_a_defect(app: FastAPI, path: str) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: nothing is fuzzed")
    from hypothesis import HealthCheck, Phase, given, settings

    settled(app)
    generic = path.replace("K26-00001", "{case}").replace("/1/", "/{number}/").replace("/a/", "/{archive}/")
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app).include(path=f"/api/v1{generic}")
    found = [one.ok() for one in schema.get_all_operations()]
    assert found, generic
    for operation in found:

        @settings(
            max_examples=25, suppress_health_check=list(HealthCheck), phases=[Phase.generate],
            database=None,
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def fuzz(case: Any) -> None:
            answer = case.call(headers={"x-person": "both", **HEADERS})
            assert answer.status_code < 500 or answer.status_code == 503, answer.text

        fuzz()
