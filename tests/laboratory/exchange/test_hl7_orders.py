"""Orders by HL7 v2: taken once, refused with the reason, and nothing half."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from consilium.laboratory import tables
from consilium.laboratory.case_states import STATES
from consilium.laboratory.exchange import messages
from consilium.laboratory.exchange.hl7v2.acknowledge import heard
from consilium.laboratory.exchange.hl7v2.inbox import Reply, receive
from consilium.laboratory.exchange.hl7v2.message import message_of
from consilium.laboratory.exchange.tables import MessageRow
from consilium.laboratory.found import case_called
from consilium.laboratory.journal import history
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.reception import identity_of
from tests.laboratory.exchange.conftest import oml


def sent(laboratory: Laboratory, text: str | bytes, who: str = "tang", codec: str = "utf-8") -> Reply:
    reply = receive(laboratory, who, text.encode(codec) if isinstance(text, str) else text, peer="test")
    answer = heard(reply.data)
    assert answer.answer == reply.answer
    return reply


def counts(laboratory: Laboratory) -> dict[str, int]:
    with laboratory.reading() as session:
        kinds = (tables.PatientRow, tables.CaseRow, tables.SpecimenRow, tables.IdentityRow)
        return {one.__tablename__: session.scalar(select(func.count()).select_from(one)) or 0 for one in kinds}


def test_an_order_becomes_a_case_with_its_specimen_and_patient(both: Laboratory) -> None:
    reply = sent(both, oml(priority="S"))
    assert reply.answer == "AA" and heard(reply.data).control == "M1"
    assert "recorded as K26-00001" in heard(reply.data).told
    with both.looking("tang") as look:
        case = case_called(look.session, "K26-00001")
        assert (case.specimen, case.order_number, case.urgency) == ("constitutional_blood", "ORD-1", "urgent")
        assert (case.indication, case.referrer) == ("short stature", "Wei Li")
        who = identity_of(look, case.patient)
        assert (who.name, who.birth_date, who.hospital_number) == ("欧阳娜娜", "1999-09-09", "HN-1")
        assert case.patient.sex == "female"
        specimen = look.session.scalar(select(tables.SpecimenRow))
        assert specimen is not None and specimen.collected == "2026-03-01T00:30:00.000Z"
        (kept,) = messages.listed(look)
        assert (kept.state, kept.case, kept.kind, kept.control) == ("taken", "K26-00001", "OML^O21", "M1")
        assert messages.body_of(look, kept.id) == oml(priority="S").encode()


def test_the_same_order_twice_is_recorded_once_and_answered_each_time(both: Laboratory) -> None:
    first = sent(both, oml())
    before = counts(both)
    for text in (oml(), oml(message="M2")):
        again = sent(both, text)
        assert again.answer == "AA" and again.taken[0].what == "known" and again.taken[0].case == first.taken[0].case
    assert counts(both) == before
    with both.looking("tang") as look:
        assert [one.state for one in messages.listed(look)] == ["taken"] * 3


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"service": "KARYO-M"}, "another specimen"),
        ({"indication": "infertility"}, "another indication"),
        ({"priority": "S"}, "another urgency"),
        ({"patient": "HN-2"}, "another patient"),
        ({"name": "Zzyzx^Q"}, None),
    ],
)
def test_a_known_number_that_says_something_else_is_refused(
    partnered: Laboratory, changed: dict[str, str], told: str | None
) -> None:
    sent(partnered, oml())
    before = counts(partnered)
    reply = sent(partnered, oml(message="M2", **changed))
    if told is None:
        # The name of a patient is not part of an order: it is held against the patient where one is recorded anew.
        assert reply.answer == "AA"
    else:
        assert reply.answer == "AE" and told in reply.why and b"|205^" in reply.data
    assert counts(partnered) == before
    with partnered.looking("tang") as look:
        assert case_called(look.session, "K26-00001").version == 1


def test_a_number_of_a_patient_with_another_name_is_refused(partnered: Laboratory) -> None:
    sent(partnered, oml())
    before = counts(partnered)
    reply = sent(partnered, oml("ORD-2", message="M2", name="Zzyzx^Q"))
    assert reply.answer == "AE" and "another name" in reply.why and "Zzyzx" not in reply.why
    assert counts(partnered) == before


def test_a_cancelled_order_is_withdrawn_with_its_reason(partnered: Laboratory) -> None:
    sent(partnered, oml())
    cancelled = sent(partnered, oml(control="CA", message="M2", reason="^ordered twice"))
    assert cancelled.answer == "AA" and cancelled.taken[0].what == "cancelled"
    with partnered.looking("tang") as look:
        case = case_called(look.session, "K26-00001")
        assert case.withdrawn is not None and "ordered twice" in (case.withdrawn_reason or "")
        assert history(look.session, case)[-1].what == "exchange.cancel"
    assert sent(partnered, oml(control="CA", message="M3")).answer == "AA"
    assert sent(partnered, oml(message="M4")).answer == "AE"
    assert sent(partnered, oml("ORD-9", control="CA", message="M5")).answer == "AE"


@pytest.mark.parametrize("state", [one for one in STATES if one in ("signed", "amended")])
def test_a_report_that_is_out_is_not_cancelled(partnered: Laboratory, state: str) -> None:
    sent(partnered, oml())
    with partnered.writing() as session:
        case_called(session, "K26-00001").state = state  # type: ignore[assignment]
    for text in (oml(control="CA", message="M2"), oml(control="XO", message="M3", priority="S")):
        reply = sent(partnered, text)
        assert reply.answer == "AE" and "is out" in reply.why
    with partnered.looking("tang") as look:
        assert case_called(look.session, "K26-00001").withdrawn is None


def test_a_change_of_urgency_is_done_and_other_changes_are_refused(partnered: Laboratory) -> None:
    sent(partnered, oml())
    assert sent(partnered, oml(control="XO", message="M2", priority="S")).taken[0].what == "changed"
    with partnered.looking("tang") as look:
        assert case_called(look.session, "K26-00001").urgency == "urgent"
    # The first order, sent again by somebody who heard no answer, is still the one that was recorded.
    assert sent(partnered, oml(message="M3")).answer == "AA"
    assert sent(partnered, oml(control="XO", message="M4", indication="other")).answer == "AE"
    assert sent(partnered, oml("ORD-9", control="XO", message="M5")).answer == "AE"


def test_several_orders_of_a_message_come_in_together_or_not_at_all(partnered: Laboratory) -> None:
    more = "ORC|NW|ORD-2\rOBR|2|ORD-2||{}^Karyotype^L\rSPM|1|||BMAR^marrow^HL70487\rSPM|2|||BMAR^marrow^HL70487\r"
    assert sent(partnered, oml() + more.format("KARYO-Q").replace("BMAR", "QQ")).answer == "AE"
    assert set(counts(partnered).values()) == {0}
    reply = sent(partnered, oml(message="M2") + more.format("KARYO-Q"))
    assert [one.case for one in reply.taken] == ["K26-00001", "K26-00002"] and len(reply.taken[1].labels) == 2
    assert counts(partnered) == {
        "laboratory_patient": 1, "laboratory_case": 2, "laboratory_specimen": 3, "laboratory_identity": 1,
    }  # fmt: skip


def test_an_orm_with_the_specimen_in_the_request(partnered: Laboratory) -> None:
    text = (
        oml(kind="ORM^O01", specimen="", service="KARYO-Q")
        .rstrip("\r")
        .replace("|||D1^Li^Wei", "||BMAR&marrow&HL70487|D1^Li^Wei")
    )
    reply = sent(partnered, text)
    assert reply.answer == "AA" and len(reply.taken[0].labels) == 1
    with partnered.looking("tang") as look:
        assert case_called(look.session, reply.taken[0].case).specimen == "bone_marrow"


def test_an_order_whose_specimen_comes_later_is_a_case_without_one(partnered: Laboratory) -> None:
    reply = sent(partnered, oml(specimen=""))
    assert reply.answer == "AA" and reply.taken[0].labels == ()
    came = sent(partnered, oml(message="M2"))
    assert came.answer == "AA" and came.taken[0].labels == ("S26-00001",) and came.taken[0].what == "changed"
    assert sent(partnered, oml(message="M3")).taken[0].what == "known"
    assert sent(partnered, oml(message="M4", specimen="")).taken[0].what == "known"


@pytest.mark.parametrize(
    "specimen",
    ["SPM|1|||BLD|||||||||||||202603010831", "SPM|1|||BLD||||||||||hasty|||202603010830",
     "SPM|1|||BLD|||||||||||||202603010830\rSPM|2|||BLD|||||||||||||202603010830"],
)  # fmt: skip
def test_specimens_that_were_not_recorded_are_never_acknowledged(partnered: Laboratory, specimen: str) -> None:
    sent(partnered, oml())
    before = counts(partnered)
    reply = sent(partnered, oml(message="M2", specimen=specimen))
    assert reply.answer == "AE" and "other specimens" in reply.why and counts(partnered) == before


def test_a_message_that_is_large_is_refused_soon(partnered: Laboratory) -> None:
    began = time.monotonic()
    for letter in "&~^|":
        assert sent(partnered, oml(indication=letter * 900_000)).answer == "AR"
        assert sent(partnered, oml(indication=letter * 18_000)).answer in ("AA", "AE")
    assert sent(partnered, oml() + "NTE|1||" + "x" * 2**20).answer == "AR"
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("text", "answer", "told"),
    [
        (oml(kind="ADT^A01"), "AR", "|200^"),
        (oml(kind="ORM^O02"), "AR", "|201^"),
        (oml(processing="T"), "AR", "|202^"),
        (oml(version="3"), "AR", "|203^"),
        (oml(message=""), "AR", "|101^"),
        (oml(service="QQ", specimen="SPM|1|||QQ^what^L"), "AE", "cannot be told"),
        (oml(birth="1999"), "AE", "PID^1^7"),
        (oml(birth="19991399"), "AE", "birth date"),
        (oml(control="ZZ"), "AE", "ORC^1^1"),
        (oml(patient=""), "AE", "PID^1^3"),
        (oml(number=""), "AE", "ORC^1^2"),
        (oml(priority="QQ"), "AE", "TQ1^1^9"),
        (oml(indication="a\\Q\\b"), "AE", "OBR^1^13"),
        (oml(indication="a\\b"), "AE", "OBR^1^13"),
        ("MSH|^~\\&|\rMSH|^~\\&|", "AR", "|100^"),
        ("Hello", "AR", "|100^"),
        ("", "AR", "|100^"),
        ("MSH", "AR", "|100^"),
        ("MSH||||", "AR", "|100^"),
        ("MSH|^~\\&", "AR", ""),
        (oml().replace("PID|", "pid|"), "AR", "|100^"),
        (oml().replace("ORC|NW", "ZRC|NW"), "AE", "ORC"),
    ],
)
def test_what_is_wrong_is_answered_with_the_reason(partnered: Laboratory, text: str, answer: str, told: str) -> None:
    reply = sent(partnered, text)
    assert reply.answer == answer and told in reply.data.decode()
    assert set(counts(partnered).values()) == {0}
    with partnered.looking("tang") as look:
        (kept,) = messages.listed(look)
        assert kept.state == "refused" and messages.body_of(look, kept.id) == text.encode()


def test_whoever_may_not_receive_is_told_so(partnered: Laboratory) -> None:
    for who in ("ada", "nobody"):
        reply = sent(partnered, oml(), who)
        assert reply.answer == "AR" and set(counts(partnered).values()) == {0}


def test_letters_of_gb_18030_whose_bytes_are_separators(partnered: Laboratory) -> None:
    # 詜 is B8 7C in GB 18030, and 7C is the separator of fields; 宆 ends in 5C, the escape; 孿 in 5C too.
    text = oml(charset="GB 18030-2000", name="詜^孿", indication="宆")
    assert b"|" in "詜".encode("gb18030") or b"\\" in "宆孿".encode("gb18030")
    reply = sent(partnered, text, codec="gb18030")
    assert reply.answer == "AA"
    with partnered.looking("tang") as look:
        case = case_called(look.session, reply.taken[0].case)
        assert identity_of(look, case.patient).name == "詜孿" and case.indication == "宆"


@pytest.mark.parametrize(
    ("charset", "codec", "right"),
    [
        ("", "utf-8", True),
        ("UNICODE UTF-8", "utf-8", True),
        ("GB18030", "gb18030", True),
        ("8859/1", "iso8859-1", True),
        ("UNICODE UTF-8", "gb18030", False),
        ("GB18030", "utf-8", False),
        ("ASCII", "utf-8", False),
        ("UNICODE UTF-16", "utf-16", False),
        ("ISO IR87", "utf-8", False),
    ],
)
def test_a_message_is_read_in_the_set_that_it_names_or_not_at_all(
    partnered: Laboratory, charset: str, codec: str, right: bool
) -> None:
    name = "Müller^Zoë" if charset == "8859/1" else "欧阳^娜"
    reply = sent(partnered, oml(charset=charset, name=name), codec=codec)
    assert (reply.answer == "AA") == right, reply.why


def test_bytes_in_escape_sequences_are_of_the_set_of_the_message() -> None:
    told = "".join(f"\\X{one:02X}\\" for one in "欧".encode("gb18030"))
    for codec, charset in (("gb18030", "GB18030"), ("utf-8", "UNICODE UTF-8")):
        told = "".join(f"\\X{one:02X}\\" for one in "欧".encode(codec))
        message = message_of(oml(charset=charset, indication=f"a{told}b\\.br\\c\\T\\\\E\\").encode(codec))
        request = message.first("OBR")
        assert request is not None and request.value(13) == "a欧b\nc&\\"


_VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40)
_WORDS = ["NW", "CA", "ORD-1", "KARYO-B^x^L", "HN-1^^^^MR", "^~\\&", "\\", "~~~"]
_LINES = st.lists(
    st.builds(
        lambda name, fields: "|".join([name, *fields]),
        st.sampled_from(["PID", "ORC", "OBR", "SPM", "NTE", "TQ1", "DG1", "ZZZ", "PV1"]) | st.text(max_size=5),
        st.lists(_VALUES | st.sampled_from(_WORDS), max_size=20),
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=_LINES)
@example(lines=["PID|1||" + "&" * 5000, "ORC|NW|1", "OBR|1|1"])
@example(lines=["PID|1||1||\\X\\"])
def test_no_message_is_answered_by_a_crash(partnered: Laboratory, lines: list[str]) -> None:
    text = oml().split("\r")[0] + "\r" + "\r".join(lines)
    assert sent(partnered, text.encode("utf-8", "surrogatepass")).answer in ("AA", "AE", "AR")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), at=st.integers(0, 400), cut=st.integers(0, 60))
def test_no_bytes_are_answered_by_a_crash(partnered: Laboratory, data: bytes, at: int, cut: int) -> None:
    whole = oml().encode()
    assert sent(partnered, data).answer == "AR"
    assert sent(partnered, whole[:at] + data + whole[at + cut :]).answer in ("AA", "AE", "AR")


def test_every_message_is_kept_whole_and_never_changed(both: Laboratory) -> None:
    from consilium.errors import EngineError

    sent(both, oml())
    for statement in ("UPDATE laboratory_message SET kind = 'x'", "UPDATE laboratory_message_step SET state = 'sent'",
                      "DELETE FROM laboratory_message", "DELETE FROM laboratory_message_step"):  # fmt: skip
        from sqlalchemy import text

        with pytest.raises(EngineError, match=r"not (changed|deleted)"), both.writing() as session:
            session.execute(text(statement))
    with both.reading() as session:
        assert session.scalar(select(func.count()).select_from(MessageRow)) == 1
