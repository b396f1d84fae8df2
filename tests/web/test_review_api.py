"""Review, report, signature and amendment by the interface, as programs and pages use it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the workstation needs fastapi (extra web)")

from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from consilium.laboratory.laboratory import Laboratory
from consilium.web.settings import Settings
from tests.laboratory.conftest import received
from tests.laboratory.review.conftest import FEMALE, OpenCells, act, add_cells, confirm_all, step
from tests.web.security.conftest import PASSWORD, Seat, app, quick, seat, settings

__all__ = ["app", "quick", "seat", "settings"]


@pytest.fixture
def number(app: FastAPI) -> str:
    """A case that Tang analysed."""
    records: Laboratory = app.state.records
    opened: OpenCells = app.state.analysis.cells
    _, made, _ = received(records, name="Zhang San", hospital_number="H-1")
    step(records, "tang", made, "harvested")
    ids = add_cells(records, opened, made, (FEMALE,) * 3)
    confirm_all(records, opened, ids)
    act(records, "tang", ids, "counted", "analysed", "karyotyped")
    step(records, "tang", made, "analysed")
    return made


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def refused(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()["error"]
    return told


def at(number: str, rest: str = "") -> str:
    return f"/api/v1/cases/{number}/{rest}"


def made_ready(seat: Seat, number: str) -> dict[str, Any]:
    """Read again by Ren, settled by Dai, reviewed; the report as it is shown then."""
    ren, dai = seat("ren"), seat("dai")
    for cell in ok(ren.get(at(number, "review")))["cells"][:2]:
        ok(ren.post(at(number, "review/readings"), json={"cell": cell["cell"], "count": 46, "karyotype": "46,XX"}), 201)
    ok(ren.post(at(number, "review/readings"), json={"karyotype": "46,XX"}), 201)
    shown = ok(dai.get(at(number, "report")))
    reasons = {one["what"]: "few cells" for one in shown["content"]["checks"] if one["met"] is False}
    text = {
        "seen": shown["text_version"], "iscn": shown["drafted_iscn"], "reasons": reasons,
        "interpretation": shown["drafted_interpretation"],
    }  # fmt: skip
    ok(dai.patch(at(number, "report"), json=text))
    assert ok(ren.post(at(number, "review/done"), json={}))["state"] == "reviewed"
    return ok(dai.get(at(number, "report")))  # type: ignore[no-any-return]


def signed(seat: Seat, number: str) -> dict[str, Any]:
    shown = made_ready(seat, number)
    assert shown["blockers"] == []
    body = {"shown": shown["content_sha256"], "password": PASSWORD}
    return ok(seat("dai").post(at(number, "report/signature"), json=body), 201)  # type: ignore[no-any-return]


def test_a_karyotype_is_judged_as_one_types(seat: Seat) -> None:
    tang = seat("tang")
    told = ok(tang.post("/api/v1/iscn/check", json={"iscn": "46,XX,+21"}))
    assert not told["valid"] and told["faults"][0]["section"] and told["faults"][0]["end"] >= 1
    assert ok(tang.post("/api/v1/iscn/check", json={"iscn": "47,XX,+21", "lang": "zh"}))["sentences"]
    refused(tang.post("/api/v1/iscn/check", json={"iscn": "x" * 2001}), 422)
    assert seat().post("/api/v1/iscn/check", json={"iscn": "46,XX"}).status_code == 401


def test_the_second_reader_is_shown_nothing_of_the_first_before_she_said_hers(seat: Seat, number: str) -> None:
    ren, tang = seat("ren"), seat("tang")
    told = ok(ren.get(at(number, "review")))
    assert told["may_read"] and told["hidden"] and told["karyotype"] is None and told["differences"] == []
    assert all(one["hidden"] and one["count"] is None and one["karyotype"] is None for one in told["cells"])
    assert "46,XX" not in ren.get(at(number, "review")).text
    refused(ren.get(at(number, "report")), 422)
    assert ren.get(at(number, "report/file.html")).status_code == 422
    mine = ok(tang.get(at(number, "review")))
    assert not mine["may_read"] and mine["karyotype"] == "46,XX"
    first = told["cells"][0]["cell"]
    ok(ren.post(at(number, "review/readings"), json={"cell": first, "count": 47}), 201)
    told = ok(ren.get(at(number, "review")))
    assert told["cells"][0]["count"] == 46 and told["cells"][1]["hidden"] and told["hidden"]
    (one,) = told["differences"]
    assert (one["cell"], one["what"], one["first"], one["second"], one["standing"]) == (
        first,
        "count",
        "46",
        "47",
        "open",
    )


def test_a_difference_is_decided_as_it_was_shown(seat: Seat, number: str) -> None:
    ren = seat("ren")
    first = ok(ren.get(at(number, "review")))["cells"][0]["cell"]
    ok(ren.post(at(number, "review/readings"), json={"cell": first, "count": 47}), 201)
    ok(ren.post(at(number, "review/readings"), json={"karyotype": "46,XX"}), 201)
    asked = {"cell": first, "what": "count", "first": "46", "second": "47", "kept": "first", "reason": "debris"}
    told = ok(ren.post(at(number, "review/decisions"), json=asked), 201)
    assert told["differences"][0]["standing"] == "settled" and told["differences"][0]["decision"]["by"] == "ren"
    refused(ren.post(at(number, "review/decisions"), json=asked | {"second": "48"}), 409)
    refused(ren.post(at(number, "review/decisions"), json=asked | {"kept": "third"}), 422)
    refused(seat("tang").post(at(number, "review/decisions"), json=asked), 403)
    refused(ren.post(at(number, "review/readings"), json={"cell": 99999, "count": 46}), 404)


def test_a_report_is_signed_as_it_was_shown_and_amended(seat: Seat, number: str) -> None:
    shown = made_ready(seat, number)
    assert shown["blockers"] == [] and shown["content"]["iscn"] == "46,XX"
    dai = seat("dai")
    body = {"shown": shown["content_sha256"], "password": PASSWORD}
    assert refused(dai.post(at(number, "report/signature"), json=body | {"password": "wrong"}), 403)
    assert refused(dai.post(at(number, "report/signature"), json=body | {"shown": "0" * 64}), 409)
    refused(seat("ren").post(at(number, "report/signature"), json=body), 403)
    assert ok(dai.get(at(number, "reports"))) == []
    first = ok(dai.post(at(number, "report/signature"), json=body), 201)
    assert first["revision"] == 1 and first["signer"] == "dai" and first["seal"] and first["method"] == "password"
    told = refused(dai.post(at(number, "report/signature"), json=body), 422)
    assert "signed" in told["what"]
    assert ok(dai.get(at(number, "report")))["content"] == first["content"]
    told = dai.get(at(number, "reports/1/document"))
    assert hashlib.sha256(told.content).hexdigest() == first["content_sha256"] == shown["content_sha256"]
    assert ok(dai.get(at(number, "reports/verification"))) == [
        {"revision": 1, "content_sha256": first["content_sha256"], "signer": "dai", "at": first["at"], "problems": []}
    ]
    refused(dai.patch(at(number, "report"), json={"seen": 1, "interpretation": {"en": "x"}}), 422)
    refused(seat("ren").post(at(number, "report/reopening"), json={"reason": "x"}), 403)
    refused(dai.post(at(number, "report/reopening"), json={"reason": " "}), 422)
    again = ok(dai.post(at(number, "report/reopening"), json={"reason": "a line was missed"}), 201)
    assert again["state"] == "reopened" and again["content"]["revision"] == 2
    assert again["content"]["supersedes"] == first["content_sha256"]
    assert ok(dai.get(at(number, "reports/1")))["superseded_by"] is None
    refused(dai.get(at(number, "reports/2")), 404)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_reports_are_files_in_both_languages(seat: Seat, number: str, lang: str) -> None:
    pytest.importorskip("typst", reason="the PDF needs typst (extra pdf)")
    first = signed(seat, number)
    tang = seat("tang")
    html = tang.get(at(number, "reports/1/file.html"), params={"lang": lang})
    assert html.status_code == 200 and first["content_sha256"] in html.text and "Zhang San" not in html.text
    assert html.headers["content-disposition"].startswith("attachment")
    pdf = tang.get(at(number, "reports/1/file.pdf"), params={"lang": lang})
    assert pdf.status_code == 200 and pdf.content.startswith(b"%PDF") and pdf.headers["cache-control"] == "no-store"
    assert pdf.content == tang.get(at(number, "reports/1/file.pdf"), params={"lang": lang}).content
    named = tang.get(at(number, "reports/1/file.html"), params={"lang": lang, "named": True})
    assert "Zhang San" in named.text
    refused(seat("ada").get(at(number, "reports/1/file.html"), params={"named": True}), 403)
    refused(tang.get(at(number, "reports/1/file.exe")), 422)
    refused(tang.get(at(number, "reports/2/file.pdf")), 404)


def test_whoever_asks_for_a_named_report_leaves_a_line(seat: Seat, number: str, app: FastAPI) -> None:
    from consilium.laboratory.disclosure import looks
    from consilium.laboratory.found import case_called

    signed(seat, number)
    seat("tang").get(at(number, "reports/1/file.html"), params={"named": True})
    with app.state.records.looking("ada") as look:
        found = looks(look, case_called(look.session, number).patient)
    assert [(one.who, one.why) for one in found] == [("tang", f"report 1 of {number}")]


def test_a_preliminary_report_says_so(seat: Seat, number: str) -> None:
    made_ready(seat, number)
    told = seat("dai").get(at(number, "report/file.html"))
    assert told.status_code == 200 and "PRELIMINARY" in told.text
    shown = ok(seat("dai").get(at(number, "report")))["content"]["karyograms"][0]["sha256"]
    picture = seat("dai").get(at(number, f"report/pictures/{shown}.png"))
    assert hashlib.sha256(picture.content).hexdigest() == shown
    refused(seat("dai").get(at(number, f"report/pictures/{'0' * 64}.png")), 404)
    refused(seat("dai").get(at(number, "report/pictures/../x.png")), 404)


def test_no_program_signs(seat: Seat, number: str, settings: Settings, app: FastAPI) -> None:
    shown = made_ready(seat, number)
    ada = seat("ada")
    made = ada.post("/api/v1/tokens", json={"person": "dai", "name": "lis", "roles": ["director"], "days": 1})
    if made.status_code == 404:
        pytest.skip("tokens are made elsewhere")
    token = made.json().get("token", "")
    program = TestClient(app, headers={"Authorization": f"Bearer {token}"})
    answer = program.post(
        at(number, "report/signature"), json={"shown": shown["content_sha256"], "password": PASSWORD}
    )  # fmt: skip
    assert answer.status_code in (401, 403)
    assert ok(seat("dai").get(at(number, "reports"))) == []


def test_a_case_that_is_not_there_is_not_found(seat: Seat) -> None:
    dai = seat("dai")
    for rest in ("review", "report", "reports", "reports/1", "reports/verification", "report/file.html"):
        refused(dai.get(at("K99-99999", rest)), 404)
    for rest in ("reports/0", "reports/x", "reports/99999999999999999999"):
        assert dai.get(at("K99-99999", rest)).status_code == 422


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("get", "review"), ("post", "review/readings"), ("post", "review/decisions"), ("post", "review/done"),
        ("get", "report"), ("patch", "report"), ("post", "report/signature"), ("post", "report/reopening"),
        ("get", "report/file.pdf"), ("get", "reports"), ("get", "reports/1"), ("get", "reports/1/document"),
        ("get", "reports/1/file.html"), ("get", "reports/verification"),
    ],
)  # fmt: skip
def test_nobody_gets_nothing(seat: Seat, method: str, rest: str) -> None:
    assert getattr(seat(), method)(at("K26-00001", rest)).status_code == 401


TEXTS = st.text(max_size=8) | st.sampled_from(["46,XX", "first", "count", "en", "\x00", "\ud800", "x" * 2001])
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = {
    "review/readings": ("cell", "count", "karyotype", "labels", "note"),
    "review/decisions": ("cell", "what", "of", "first", "second", "kept", "reason"),
    "report": ("seen", "iscn", "iscn_override", "withhold_sex", "interpretation", "reasons", "karyograms"),
    "report/reopening": ("reason", "seen"),
}


@pytest.fixture
def both(seat: Seat) -> TestClient:
    """Somebody who may do all of it."""
    return seat("both")


@settings_of(max_examples=120, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_is_sent_is_refused_in_words_and_never_breaks(
    both: TestClient, number: str, data: st.DataObject
) -> None:
    rest = data.draw(st.sampled_from(sorted(FIELDS)))
    asked = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[rest], ANY)))
    body = json.dumps(asked).encode()
    answer = both.request(
        "PATCH" if rest == "report" else "POST", at(number, rest), content=body,
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code in (200, 201, 403, 404, 409, 422), answer.text
    if answer.status_code >= 400:
        assert answer.json()["error"]["what"]
