"""A signed report by HL7 v2: what the message says, and that it gets there."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from hypothesis import given
from hypothesis import strategies as st

from consilium.errors import InputError, NotAllowed
from consilium.laboratory.exchange.hl7v2.message import Message, Segment, message_of
from consilium.laboratory.exchange.hl7v2.result import control_of, result
from consilium.laboratory.exchange.hl7v2.text import escaped, unescaped
from consilium.laboratory.exchange.partners import Partners, Receiver
from consilium.laboratory.exchange.report import OutgoingReport, normal
from tests.laboratory.exchange.reports import PDF, PERSON, SECRETS, amended, signed

RECEIVER = Receiver(host="127.0.0.1", port=2575, application="HIS", facility="HOSP")
AT = "2026-03-20T09:00:00.000Z"


def written(report: OutgoingReport, receiver: Receiver = RECEIVER, partners: Partners | None = None) -> bytes:
    return result(report, receiver, name="his", partners=partners or Partners(facility="CYTO"), at=AT)


def observations(message: Message) -> dict[str, Segment]:
    return {one.value(3): one for one in message.segments if one.name == "OBX" and one.value(4) in ("", "1")}


def test_what_the_message_says() -> None:
    report = signed(pdf=PDF)
    message = message_of(written(report))
    assert message.kind == "ORU^R01" and message.control == control_of(report, "his") and len(message.control) <= 20
    order, request = message.first("ORC"), message.first("OBR")
    assert order is not None and request is not None
    assert (order.value(1), order.value(2), order.value(2, 2), order.value(3)) == ("RE", "ORD-1", "HIS", "K26-00001")
    assert (request.value(4), request.value(25), request.value(32), request.value(22)) == (
        "62355-3", "F", "dai", "20260320080000+0000",
    )  # fmt: skip
    assert request.value(13) == "反复流产"
    told = observations(message)
    iscn = told["62356-1"]
    assert [iscn.value(at) for at in (2, 8, 11)] == ["CWE", "N", "F"]
    assert [iscn.value(5, part) for part in (1, 2, 3, 7)] == ["46,XX", "46,XX", "ISCN", "2024"]
    values = {"CELLS-COUNTED": "20", "CELLS-ANALYSED": "5", "CELLS-KARYOTYPED": "2", "62358-7": "550",
              "MOSAICISM-95": "13.91", "CONTENT-SHA256": report.sha256, "REVISION": "1",
              "INTERPRETATION-ZH": "未发现异常。", "LIMITATIONS-EN": "Small changes are not seen."}  # fmt: skip
    assert {code: told[code].value(5) for code in values} == values
    pdf = told["REPORT-PDF"]
    assert pdf.value(2) == "ED" and base64.b64decode(pdf.value(5, 5)) == PDF
    specimen = message.first("SPM")
    assert specimen is not None and specimen.value(2, 2) == "S26-0000001-5"
    assert any(one.name == "NTE" and "drawn by a program" in one.value(3) for one in message.segments)


def test_an_amended_report_is_a_correction_with_its_reason() -> None:
    first = signed()
    report = amended(first, iscn="47,XX,+21")
    message = message_of(written(report))
    assert {one.value(11) for one in message.segments if one.name == "OBX"} == {"C"}
    request = message.first("OBR")
    assert request is not None and request.value(25) == "C"
    assert observations(message)["62356-1"].value(8) == "A"
    assert any(one.name == "NTE" and "a band was misnamed" in one.value(3) for one in message.segments)
    assert control_of(first, "his") != control_of(report, "his") != control_of(report, "other")


def test_who_the_patient_is_leaves_only_where_it_was_joined() -> None:
    without = written(signed()).decode()
    assert not any(secret in without for secret in SECRETS)
    assert "P0000017^^^CONSILIUM^PI" in without
    patient = message_of(written(signed(person=PERSON))).first("PID")
    assert patient is not None
    assert [patient.value(at) for at in (3, 5, 7, 8)] == ["HN-77077", "欧阳娜娜Zzyzx", "19990909", "F"]


def test_a_sex_that_is_withheld_does_not_leave_beside_the_karyotype() -> None:
    patient = message_of(written(signed(person=PERSON, sex="withheld", iscn="46,U"))).first("PID")
    assert patient is not None and patient.value(8) == ""


def test_the_message_is_in_the_character_set_of_its_receiver() -> None:
    data = written(signed(person=PERSON), replace(RECEIVER, charset="GB 18030-2000"))
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")
    patient = message_of(data).first("PID")
    assert patient is not None and patient.value(5) == "欧阳娜娜Zzyzx"
    with pytest.raises(InputError, match=r"no letter U\+53CD"):
        written(signed(), replace(RECEIVER, charset="8859/1"))
    narrow = message_of(written(signed(indication="abortions"), replace(RECEIVER, charset="8859/1")))
    assert "INTERPRETATION-ZH" not in observations(narrow)


def test_a_content_or_a_picture_that_was_not_signed_is_not_sent() -> None:
    report = signed(pictures=True)
    with pytest.raises(InputError, match="not the one that was signed"):
        replace(report, sha256="0" * 64)
    with pytest.raises(InputError, match="karyogram"):
        replace(report, pictures={"01.png": b"x"})


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=60))
def test_a_value_comes_back_as_it_went(text: str) -> None:
    assert unescaped(escaped(text)) == text
    value = Message(f"MSH|^~\\&|{escaped(text)}|").header.value(3)
    assert value == ("" if text == '""' else text.strip())


@pytest.mark.parametrize(
    ("iscn", "expected"),
    [("46,XX", True), ("46,U", True), ("46,XY[20]", True), ("47,XX,+21", False), ("45,X[5]/46,XX[15]", False),
     ("46,XX or 46,XY", None), ("what", None)],
)  # fmt: skip
def test_whether_a_karyotype_is_normal(iscn: str, expected: bool | None) -> None:
    assert normal(iscn) is expected


def test_queueing_needs_the_rights(partnered: object) -> None:
    from consilium.laboratory.exchange.send import queue_result
    from consilium.laboratory.found import case_called
    from consilium.laboratory.laboratory import Laboratory
    from tests.laboratory.conftest import received

    assert isinstance(partnered, Laboratory)
    _, number, _ = received(partnered)
    for who, report in (("ada", signed()), ("ada", signed(person=PERSON))):
        with pytest.raises(NotAllowed), partnered.changing(who) as change:
            queue_result(change, case_called(change.session, number), report, "his")
    with pytest.raises(InputError, match="receiver"), partnered.changing("dai") as change:
        queue_result(change, case_called(change.session, number), signed(), "his")
