"""Patients, cases and specimens as they come in; who somebody is stands in one place."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from sqlalchemy import text

from consilium.errors import ConsiliumError, InputError, NotAllowed, RecordChanged
from consilium.laboratory import tables
from consilium.laboratory.casework import move, withdraw_case
from consilium.laboratory.found import case_called, patient_called
from consilium.laboratory.journal import history
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.reception import (
    Order,
    correct_identity,
    identity_of,
    open_case,
    patient_of_hospital_number,
    receive_specimen,
    register,
)
from tests.laboratory.conftest import ORDER, received

WHO = {"name": "欧阳娜娜Zzyzx", "birth_date": "1999-09-09", "hospital_number": "HN-77077"}


def test_a_specimen_of_a_new_patient(laboratory: Laboratory) -> None:
    label, number, patient = received(laboratory, sex="female", **WHO)
    assert (label, number, patient) == ("S26-00001", "K26-00001", "P0000001")
    with laboratory.looking("tang") as look:
        case = case_called(look.session, number)
        assert (case.state, case.due, case.received) == ("received", "2026-03-30", "2026-03-02T01:00:00.000Z")
        assert identity_of(look, case.patient).name == WHO["name"]
        found = patient_of_hospital_number(look, "HN-77077")
        assert found is not None and found.number == patient


def test_names_stand_in_one_table_and_in_no_message(laboratory: Laboratory) -> None:
    _, _, number = received(laboratory, **WHO)
    with laboratory.changing("tang") as change:
        patient = patient_called(change.session, number)
        correct_identity(change, patient, seen=1, reason="misspelt", **WHO | {"name": "Zzyzx 欧阳"})
    messages = []
    for who, told in (("tang", WHO), ("tang", {**WHO, "birth_date": "Zzyzx"}), ("ada", WHO)):
        with pytest.raises(ConsiliumError) as refused:
            received(laboratory, **told) if who == "tang" else _registered(laboratory, who)
        messages.append(str(refused.value))
    with laboratory.reading() as session:
        for table in sorted(tables.Table.metadata.tables):
            rows = " ".join(map(str, session.execute(text(f"SELECT * FROM {table}")).all()))
            for secret in ("Zzyzx", "欧阳", "1999-09-09", "HN-77077"):
                assert (secret in rows) == (table == "laboratory_identity"), (table, secret)
    assert not any(secret in message for message in messages for secret in ("Zzyzx", "欧阳", "1999-09-09", "HN-77077"))


def _registered(laboratory: Laboratory, who: str) -> None:
    with laboratory.changing(who) as change:
        register(change, **WHO)


def test_a_corrected_identity_keeps_the_one_before(laboratory: Laboratory) -> None:
    _, _, number = received(laboratory, **WHO)
    with laboratory.changing("tang") as change:
        patient = patient_called(change.session, number)
        correct_identity(change, patient, seen=1, reason="married", **WHO | {"name": "Li"})
    with pytest.raises(RecordChanged), laboratory.changing("ren") as change:
        correct_identity(change, patient_called(change.session, number), seen=1, reason="typing", **WHO)
    with laboratory.looking("tang") as look:
        patient = patient_called(look.session, number)
        assert identity_of(look, patient).name == "Li"
        first = look.session.get_one(tables.IdentityRow, (patient.id, 1))
        assert first.name == WHO["name"]
        assert history(look.session, patient)[-1].after == {"identity": 2}
    with pytest.raises(NotAllowed), laboratory.looking("ada") as look:
        identity_of(look, patient_called(look.session, number))


def test_an_order_is_recorded_once(laboratory: Laboratory) -> None:
    order = replace(ORDER, order_number="HIS-1")
    received(laboratory, order)
    with pytest.raises(InputError, match="K26-00001"):
        received(laboratory, order)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"specimen": "moon dust"}, "the specimen is none"),
        ({"condition": "frozen solid"}, "the condition is none"),
        ({"condition": "other"}, "needs a note"),
        ({"urgency": "now!"}, "the urgency is none"),
        ({"received": "2999-01-01"}, "future"),
        ({"received": "yesterday"}, "no time"),
        ({"received": "1999-12-31"}, "no year"),
        ({"collected": "2026-03-09T08:00"}, "after it was received"),
        ({"indication": "a" * 2001}, "too long"),
        ({"indication": "a\x00b"}, "cannot be kept"),
        ({"referrer": "\ud800"}, "cannot be kept"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(small: Laboratory, entries: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        received(small, replace(ORDER, **entries))  # type: ignore[arg-type]
    assert received(small) == ("S26-00001", "K26-00001", "P0000001")


def test_a_further_specimen_comes_to_a_case_that_is_open(small: Laboratory) -> None:
    _, number, _ = received(small)
    with small.changing("tang") as change:
        case = case_called(change.session, number)
        second = receive_specimen(change, case, Order(specimen="skin_fibroblasts", received="2026-03-05"))
    assert (second.label, second.kind) == ("S26-00002", "skin_fibroblasts")
    with small.changing("dai") as change:
        withdraw_case(change, case_called(change.session, number), reason="ordered twice")
    with pytest.raises(InputError, match="no specimen any more"), small.changing("tang") as change:
        receive_specimen(change, case_called(change.session, number), ORDER)
    with pytest.raises(InputError, match="was withdrawn"), small.changing("tang") as change:
        move(change, case_called(change.session, number), "in culture")


def test_a_patient_has_further_cases(small: Laboratory) -> None:
    _, _, number = received(small)
    with small.changing("tang") as change:
        again = open_case(change, patient_called(change.session, number), replace(ORDER, received="2026-05-04"))
    assert again.number == "K26-00002"
