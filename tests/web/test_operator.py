"""The alliance's page and interface: what the operator sees, what a member does not."""

from __future__ import annotations

import csv
import io
import sys
import time
from pathlib import Path

import pytest

from consilium.alliance.compute.engines import engine_in
from consilium.alliance.compute.job import LIVE, Request
from consilium.alliance.ledger import entries
from consilium.errors import EngineError
from consilium.web.pages import operator
from tests.web.an_alliance import alliance, history, home, put_job, put_people, put_rates
from tests.web.conftest import Client

__all__ = ["alliance", "history", "home"]
API = "/api/v1/compute"


def test_the_operator_sees_figures_of_all_and_the_work_of_none(alliance: Path, client: Client) -> None:
    shown = client("ada").get("/alliance")
    assert shown.status_code == 200
    for hospital in ("hospital_a", "hospital_b", "hospital_c"):
        assert shown.text.count(hospital) > 3
    assert "secret of hospital_a" not in shown.text and "secret of hospital_b" not in shown.text
    assert "86% of its storage is filled" in shown.text and "Storage is nearly full." in shown.text
    for key in ("capacity", "week", "usage", "cost"):
        assert f'aria-labelledby="{key}-title {key}-desc"' in shown.text
    assert "Failed in the last seven days" in shown.text and "(its hospital&#39;s alone)" in shown.text
    assert "shade-7" in shown.text and "CNY" in shown.text
    told = client("ada").get(f"{API}/jobs?live=false&newest=2000").json()
    assert {one["hospital"] for one in told} == {"hospital_a", "hospital_b", "hospital_c"}
    assert {one["name"] for one in told} == {"(hidden)"} and {one["person"] for one in told} == {"(hidden)"}
    assert client("ada").get(f"{API}/health").json()[0]["rule"] == "storage.filling"


def test_a_member_sees_its_own_hospital_and_nobody_elses(alliance: Path, client: Client) -> None:
    asked = client("dai")
    shown = asked.get("/alliance").text
    assert "hospital_b" in shown
    for other in ("hospital_a", "hospital_c", "storage is filled"):
        assert other not in shown
    assert {one["hospital"] for one in asked.get(f"{API}/jobs?live=false&newest=2000").json()} == {"hospital_b"}
    assert {one["hospital"] for one in asked.get(f"{API}/usage").json()} == {"hospital_b"}
    assert {one["hospital"] for one in asked.get(f"{API}/leases").json()} == {"hospital_b"}
    table = list(csv.DictReader(io.StringIO(asked.get(f"{API}/cost.csv").text)))
    assert table and {one["hospital"] for one in table} == {"hospital_b"}
    assert {one["hospital"] for one in csv.DictReader(io.StringIO(asked.get(f"{API}/usage.csv").text))} == {
        "hospital_b"
    }
    refused = asked.get(f"{API}/health")
    assert refused.status_code == 403 and "operator" in refused.json()["error"]["way_out"]
    other = client("ada").get(f"{API}/jobs?live=false&newest=2000").json()
    number = next(one["number"] for one in other if one["hospital"] == "hospital_a")
    for answer in (asked.get(f"{API}/jobs/{number}"), asked.post(f"{API}/jobs/{number}/cancel")):
        assert answer.status_code == 422 and "there is no job" in answer.json()["error"]["what"]


def test_the_page_and_the_tables_agree_with_the_engine(alliance: Path, client: Client) -> None:
    asked = client("ada")
    used = engine_in(alliance).usage()
    table = list(csv.DictReader(io.StringIO(asked.get(f"{API}/usage.csv").text)))
    assert [(one["hospital"], one["month"], float(one["core_hours"])) for one in table] == [
        (one.hospital, one.month, pytest.approx(one.core_hours, abs=1e-4)) for one in used
    ]
    cost = list(csv.DictReader(io.StringIO(asked.get(f"{API}/cost.csv").text)))
    for one in cost:
        hours = next(row.core_hours for row in used if (row.hospital, row.month) == (one["hospital"], one["month"]))
        # Months of the bill are those of the alliance's clock, of the usage UTC: few hours lie between.
        assert float(one["cost"]) == pytest.approx(0.1 * hours, abs=3)
    month = max(one["month"] for one in cost)
    only = list(csv.DictReader(io.StringIO(asked.get(f"{API}/cost.csv?month={month}").text)))
    assert {one["month"] for one in only} == {month}


def test_the_bill_of_a_month_is_a_pdf_in_the_readers_language(alliance: Path, client: Client) -> None:
    pypdf = pytest.importorskip("pypdf", reason="reads the PDF")
    pytest.importorskip("typst", reason="a PDF is set by Typst (extra pdf)")
    asked = client("ada")
    month = asked.get(f"{API}/usage").json()[0]["month"]
    made = asked.get(f"/alliance/cost/{month}.pdf")
    assert made.status_code == 200 and made.headers["content-type"] == "application/pdf"
    text = "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(made.content)).pages)
    assert f"Usage and cost, {month}" in text and "hospital_a" in text
    own = client("dai").get(f"/alliance/cost/{month}.pdf")
    text = "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(own.content)).pages)
    assert "hospital_b" in text and "hospital_a" not in text
    assert asked.get("/alliance/cost/1999-01.pdf").status_code == 422
    assert asked.get("/alliance/cost/%0d%0ax.pdf").status_code == 422


def test_alone_everything_is_there_and_says_what_to_do_first(home: Path, client: Client) -> None:
    asked = client("tang")
    shown = asked.get("/alliance")
    assert shown.status_code == 200
    for sentence in ("one hospital on its own", "Nothing waits or runs", "All is well", "No job has ended yet",
                     "What hours cost is not settled", "No quota is set"):  # fmt: skip
        assert sentence in shown.text, sentence
    assert "this hospital" in shown.text, "the week of the machine itself"
    asked.cookies.set("consilium_lang", "zh")
    zh = asked.get("/alliance").text
    for sentence in ("本机为单家医院独立使用", "一切正常", "尚未约定单价", "未设置配额"):
        assert sentence in zh, sentence
    assert asked.get(f"{API}/cost.csv").status_code == 422
    put_rates(home)
    assert asked.get(f"{API}/cost.csv").text.count("\n") == 1


def test_a_job_that_runs_is_seen_and_ended(home: Path, client: Client) -> None:
    pytest.importorskip("hyperqueue", reason="jobs are run by HyperQueue (extra compute)")
    put_people(home)
    engine = engine_in(home)
    request = Request(
        command=(sys.executable, "-c", "import time; time.sleep(100)"), folder="/", hospital="hospital_a",
        person="tang", name="long <b>one</b>", urgency="clinical", memory_mb=64,
    )  # fmt: skip
    number = engine.submit(request).number
    until = time.monotonic() + 60
    while engine.job(number).state != "running":
        assert time.monotonic() < until
        time.sleep(0.1)
    asked = client("ren")
    shown = asked.get("/alliance").text
    assert "long &lt;b&gt;one&lt;/b&gt;" in shown and "clinical · hospital_a" in shown
    assert f'action="/alliance/jobs/{number}/cancel"' in shown
    capacity = asked.get(f"{API}/capacity").json()
    assert (capacity["running"], capacity["cores_held"]) == (1, 1)
    seen = client("ada").get("/alliance").text
    assert "long" not in seen.replace("longest", "") and f'action="/alliance/jobs/{number}/cancel"' in seen
    assert client("dai").post(f"/alliance/jobs/{number}/cancel").status_code == 422
    assert asked.post(f"/alliance/jobs/{number}/cancel").headers["location"] == "/alliance#jobs"
    while engine.job(number).state in LIVE:
        assert time.monotonic() < until + 60
        time.sleep(0.1)
    assert engine.job(number).state == "cancelled"
    assert asked.post(f"{API}/jobs/{number}/cancel").json()["state"] == "cancelled"
    assert [(one.who, one.what) for one in entries(home / "ledger.jsonl")] == [("ren", "job.cancel")]


def test_parts_that_cannot_be_looked_at_do_not_take_the_page_with_them(
    alliance: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = client("ada")
    (alliance / "compute" / "leases.json").write_text("{", encoding="utf-8")
    (alliance / "compute" / "rates.json").write_text("[]", encoding="utf-8")
    (alliance / "compute" / "quotas.json").write_text("3", encoding="utf-8")
    shown = asked.get("/alliance")
    assert shown.status_code == 200
    for words in ("the file of leases is damaged", "the rates cannot be read", "the quotas cannot be read"):
        assert words in shown.text, words
    assert "Usage by month" in shown.text

    class Unreached:
        def capacity(self) -> object:
            raise EngineError("the cluster does not answer", way_out="Start it.")

        jobs = usage = capacity

    monkeypatch.setattr(operator, "engine", Unreached)
    away = asked.get("/alliance")
    assert away.status_code == 200 and "the cluster does not answer" in away.text and "Start it." in away.text
    real = operator.find_spec
    monkeypatch.setattr(operator, "find_spec", lambda name: None if name == "hyperqueue" else real(name))
    assert "consilium[compute]" in asked.get("/alliance").text


def test_stuck_and_failing_jobs_of_ones_own_hospital_are_told_to_its_members(home: Path, client: Client) -> None:
    put_people(home)
    for number in range(3):
        request = Request(command=("consilium", "embed", "x"), folder="/", hospital="hospital_b", person="dai")
        put_job(home, request, submitted=time.time() - 9000 + number, seconds=30, state="failed")
    assert "Jobs of one kind fail" in client("dai").get("/alliance").text
    assert "Jobs of one kind fail" not in client("tang").get("/alliance").text
    assert "Jobs of one kind fail" in client("ada").get("/alliance").text
