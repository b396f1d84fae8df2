"""`consilium laboratory order|result|listen|send|messages|partners|pacs`, as one types it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from consilium.cli.exit_codes import ExitCode
from tests.cli.test_laboratory import Bench, bench
from tests.laboratory.exchange.bundles import bundle
from tests.laboratory.exchange.conftest import CODES, SPECIMENS, oml
from tests.laboratory.exchange.orthanc import Orthanc, orthanc, running_orthanc

__all__ = ["bench", "orthanc", "running_orthanc"]


@pytest.fixture(autouse=True)
def packages() -> None:
    """What the exchange needs."""
    for module in ("hl7", "fhir.resources", "pynetdicom", "highdicom", "dicomweb_client"):
        pytest.importorskip(module, reason=f"the exchange needs {module} (extra exchange)")


def settled(bench: Bench, **more: object) -> None:
    path = bench.home.parent / "partners.json"
    path.write_text(json.dumps({"services": CODES, "specimens": SPECIMENS, **more}))
    bench.types("ada", "partners", "--set", str(path), "--reason", "the hospital is connected")


@pytest.fixture
def report(bench: Bench) -> str:
    """A case whose report is signed."""
    from consilium.laboratory.analysis.cells import OpenCells
    from consilium.laboratory.analysis.files import Files
    from consilium.laboratory.laboratory import Laboratory
    from tests.laboratory.review.conftest import ready_case, signed_case

    records = Laboratory(f"sqlite:///{bench.home / 'laboratory' / 'records.db'}")
    opened = OpenCells(Files(bench.home / "laboratory" / "files"))
    number, _ = ready_case(records, opened)
    signed_case(records, opened, number)
    records.close()
    return number


def test_an_order_from_a_file(bench: Bench, tmp_path: Path) -> None:
    settled(bench)
    (tmp_path / "order.hl7").write_text(oml(), newline="")
    (tmp_path / "order.json").write_text(json.dumps(bundle("ORD-2")))
    assert bench.types("tang", "order", str(tmp_path / "order.hl7")).split() == ["K26-00001", "recorded", "S26-00001"]
    assert bench.types("tang", "order", str(tmp_path / "order.hl7")).split() == ["K26-00001", "known"]
    assert bench.types("tang", "order", str(tmp_path / "order.json")).split()[:2] == ["K26-00002", "recorded"]
    (tmp_path / "bad.hl7").write_text(oml("ORD-3", service="QQ", specimen=""), newline="")
    told = bench.types("tang", "order", str(tmp_path / "bad.hl7"), ends=ExitCode.UNUSABLE_INPUT)
    assert "refused: AE" in told and "partners --set" in told
    lines = bench.types("tang", "messages").splitlines()
    assert [line.split("\t")[7] for line in lines] == ["refused", "taken", "taken", "taken"]
    assert "欧阳" not in "".join(lines)
    assert len(bench.types("tang", "messages", "--case", "K26-00001").splitlines()) == 2
    bench.types("ada", "messages", "--body", "1", ends=ExitCode.NOT_ALLOWED)


def test_partners_are_settled_by_an_administrator(bench: Bench, tmp_path: Path) -> None:
    settled(bench, receivers={"his": {"host": "127.0.0.1", "port": 2575}})
    told = json.loads(bench.types("tang", "partners"))
    assert told["services"] == CODES and told["receivers"]["his"]["identity"] is False
    path = tmp_path / "partners.json"
    bench.types("tang", "partners", "--set", str(path), "--reason", "x", ends=ExitCode.NOT_ALLOWED)
    for wrong in ('{"receivers": {"a": {"host": "h", "port": "x"}}}', '{"qq": 1}', "[]", "{",
                  '{"services": {"a": "qq"}}', '{"services": []}', '{"archives": {"a": {"title": ""}}}',
                  '{"receivers": {"a": 1}}',
                  '{"receivers": {"a": {"host": "h", "port": 1, "charset": "qq"}}}'):  # fmt: skip
        path.write_text(wrong)
        bench.types("ada", "partners", "--set", str(path), "--reason", "x", ends=ExitCode.UNUSABLE_INPUT)


def test_a_signed_report_is_written(bench: Bench, report: str, tmp_path: Path) -> None:
    message = bench.types("dai", "result", report)
    assert message.startswith("MSH|") and "62356-1" in message and "46,XX" in message
    told = json.loads(bench.types("dai", "result", report, "--fhir"))
    assert told["entry"][0]["resource"]["status"] == "final"
    bench.types("dai", "result", report, "--fhir", "--pdf", "en", "--out", str(tmp_path / "report.json"))
    form = json.loads((tmp_path / "report.json").read_text())["entry"][0]["resource"]["presentedForm"][0]
    assert form["size"] > 10_000
    bench.types("dai", "result", report, "--sr", "--out", str(tmp_path / "dicom"))
    assert len(list((tmp_path / "dicom").glob("*.dcm"))) >= 2
    bench.types("dai", "result", report, "--sr", ends=ExitCode.USAGE)
    bench.types("ada", "result", report, ends=ExitCode.NOT_ALLOWED)
    bench.types("dai", "result", report, "--revision", "2", ends=ExitCode.UNUSABLE_INPUT)


def test_a_report_waits_for_a_receiver_that_is_down(bench: Bench, report: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settled(bench, receivers={"his": {"host": "127.0.0.1", "port": port}})
    assert "message 1 waits for his" in bench.types("dai", "result", report, "--to", "his")
    told = bench.types("dai", "send", ends=ExitCode.PARTLY_DONE)
    assert "waiting" in told and "nobody answers" in told
    assert bench.types("dai", "send") == ""
    assert "waiting" in bench.types("dai", "send", "--again", "1", ends=ExitCode.PARTLY_DONE)
    assert len(bench.types("dai", "messages", "--state", "waiting").splitlines()) == 1


def test_listening_until_it_is_ended(bench: Bench) -> None:
    import asyncio

    from consilium.laboratory.exchange.hl7v2.acknowledge import heard
    from consilium.laboratory.exchange.hl7v2.mllp import ask

    settled(bench)
    process = subprocess.Popen(
        [sys.executable, "-c", "from consilium.cli.main import main; main()", "laboratory", "listen", "--port", "0"],
        stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "CONSILIUM_HOME": str(bench.home),
                          "CONSILIUM_PERSON": "tang", "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = re.match(r"listening on 127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None
        answer = heard(asyncio.run(ask(oml().encode(), host="127.0.0.1", port=int(found[1]))))
        assert answer.answer == "AA" and "K26-00001" in answer.told
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == ExitCode.INTERRUPTED
    finally:
        process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def test_an_archive(bench: Bench, report: str, orthanc: Orthanc) -> None:
    from consilium.laboratory.exchange.dicom.archive import spoken
    from tests.laboratory.exchange.test_dicom import STUDY, metaphase

    settled(bench, archives={"pacs": {"port": orthanc.dimse, "title": "ORTHANC"}})
    assert bench.types("tang", "pacs", "echo", "--archive", "pacs") == "pacs answers\n"
    assert "objects stored" in bench.types("dai", "pacs", "store", report, "--archive", "pacs")
    told = bench.types("tang", "pacs", "find", "--archive", "pacs", "--accession", report).split("\t")
    assert told[2] == report
    spoken(orthanc.by_dimse).store([metaphase(at, patient="", AccessionNumber="ORD-1") for at in range(2)])
    path = bench.home.parent / "order.hl7"
    path.write_text(oml(), newline="")
    case = bench.types("tang", "order", str(path)).split()[0]
    assert "2 pictures taken in" in bench.types("tang", "pacs", "fetch", case, "--archive", "pacs", "--study", STUDY)
    assert "0 pictures taken in, 2 were there" in bench.types(
        "tang", "pacs", "fetch", case, "--archive", "pacs", "--study", STUDY
    )
    bench.types("tang", "pacs", "fetch", report, "--archive", "pacs", "--study", STUDY, ends=ExitCode.UNUSABLE_INPUT)
    bench.types("ada", "pacs", "find", "--archive", "pacs", "--day", "20260301", ends=ExitCode.NOT_ALLOWED)
    bench.types("tang", "pacs", "echo", "--archive", "qq", ends=ExitCode.UNUSABLE_INPUT)
