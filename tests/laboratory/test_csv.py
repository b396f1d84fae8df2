"""Specimens and cases from a table and to one, on both databases."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from sqlalchemy import func, select

from consilium.errors import InputError, NotAllowed
from consilium.laboratory.csv_export import export_table
from consilium.laboratory.csv_import import COLUMNS, import_table
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.spreadsheet import written
from consilium.laboratory.tables import CaseRow, EventRow, IdentityRow, PatientRow, SpecimenRow
from tests.laboratory.conftest import founded

TABLE = """order_number,hospital_number,name,birth_date,sex,specimen,received,indication,urgency
A-1,H1,Zzyzx 一,1990-01-02,female,constitutional_blood,2026-03-02,"infertility, =1+1",routine
A-2,H2,Zzyzx 二,1990-13-02,male,bone_marrow,2026-03-02,leukaemia,
A-3,H1,Zzyzx 三,1990-01-02,female,skin_fibroblasts,2026-03-03,mosaicism,
A-4,H1,Zzyzx 一,,,skin_fibroblasts,2026-03-03,mosaicism,urgent
A-1,H9,Zzyzx 九,,,bone_marrow,2026-03-03,again,
,,,,,bone_marrow,2026-03-03,nobody,
A-7,H7,Zzyzx 七,,,moon_dust,2026-03-03,,
A-8,H8,"Zzyzx\x00",,,bone_marrow,2026-03-03,,
"""


def test_good_lines_are_taken_and_each_other_is_told_with_why(laboratory: Laboratory) -> None:
    report = import_table(laboratory, "tang", TABLE.encode())
    assert report.taken == ((2, "S26-00001"), (5, "S26-00002"))
    told = {one.line: one.why for one in report.refused}
    assert sorted(told) == [3, 4, 6, 7, 8, 9]
    for line, why in ((3, "birth date"), (4, "another name"), (6, "K26-00001"), (7, "no patient"), (8, "specimen"),
                      (9, "cannot be kept")):  # fmt: skip
        assert why in told[line]
    assert "Zzyzx" not in str(report) and "1990" not in str(report)
    with laboratory.reading() as session:
        assert session.scalar(select(func.count()).select_from(PatientRow)) == 1
        assert session.scalars(select(CaseRow.urgency).order_by(CaseRow.number)).all() == ["routine", "urgent"]


def test_importing_again_records_nothing_twice(laboratory: Laboratory) -> None:
    import_table(laboratory, "tang", TABLE.encode())
    again = import_table(laboratory, "tang", TABLE.encode())
    assert again.taken == () and len(again.refused) == 8


def test_further_specimens_of_a_case(laboratory: Laboratory) -> None:
    import_table(laboratory, "tang", TABLE.encode())
    table = "case,patient,specimen,received\nK26-00001,,bone_marrow,2026-03-04\n,P0000001,bone_marrow,2026-03-04\n"
    report = import_table(
        laboratory, "tang", (table + "K26-00001,P0000001,bone_marrow,\nK26-9,,bone_marrow,\n").encode()
    )
    assert [label for _, label in report.taken] == ["S26-00003", "S26-00004"]
    assert [one.line for one in report.refused] == [4, 5]
    with laboratory.reading() as session:
        assert session.scalar(select(func.count()).select_from(CaseRow)) == 3


def test_who_may(laboratory: Laboratory) -> None:
    for who in ("ren", "ada"):
        with pytest.raises(NotAllowed):
            import_table(laboratory, who, TABLE.encode())
    with pytest.raises(NotAllowed), laboratory.looking("tang") as look:
        export_table(look)
    with pytest.raises(InputError, match="not known"):
        import_table(laboratory, "tang", b"specimen,password\nbone_marrow,x\n")


def test_an_export_has_no_formula_and_no_name_unless_it_is_asked_for(laboratory: Laboratory) -> None:
    table = "order_number,name,specimen,received,indication\n=A1,Zzyzx,bone_marrow,2026-03-02,@SUM(1)\n"
    import_table(laboratory, "tang", table.encode())
    with laboratory.looking("ren") as look:
        plain, told = export_table(look), export_table(look, with_identity=True)
    assert "Zzyzx" not in plain
    (row,) = csv.DictReader(io.StringIO(told))
    assert (row["name"], row["order_number"], row["indication"]) == ("Zzyzx", "'=A1", "'@SUM(1)")
    assert (row["accession"], row["case"], row["state"], row["due"]) == (
        "S26-00001",
        "K26-00001",
        "received",
        "2026-03-31",
    )


CELLS = st.sampled_from(
    [
        "",
        "bone_marrow",
        "P0000001",
        "K26-00001",
        "2026-03-02",
        "urgent",
        "good",
        "other",
        "female",
        "=1",
        "x" * 400,
        "一",
    ]
) | st.text(max_size=12)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, CELLS)), min_size=1, max_size=5))
def test_whatever_stands_in_a_table_each_line_is_taken_or_refused(rows: list[dict[str, str]]) -> None:
    rows = [{name: cell.encode("utf-8", "ignore").decode() for name, cell in row.items()} for row in rows]
    rows = [row for row in rows if any(cell.strip() for cell in row.values())]
    with tempfile.TemporaryDirectory() as folder:
        laboratory = founded(f"sqlite:///{Path(folder) / 'records.db'}")
        try:
            report = import_table(laboratory, "tang", written(COLUMNS, rows).encode())
            assert len(report.taken) + len(report.refused) == len(rows)
            with laboratory.reading() as session:
                labels = session.scalars(select(SpecimenRow.label).order_by(SpecimenRow.label)).all()
                assert sorted(label for _, label in report.taken) == labels
                # Nothing of a refused line stayed: each patient has a case, each case a specimen.
                assert session.scalar(select(func.count()).select_from(PatientRow)) == session.scalar(
                    select(func.count(func.distinct(CaseRow.patient_id)))
                )
                assert session.scalar(select(func.count()).select_from(CaseRow)) == session.scalar(
                    select(func.count(func.distinct(SpecimenRow.case_id)))
                )
                assert session.scalar(select(func.count()).select_from(IdentityRow)) == session.scalar(
                    select(func.count()).select_from(PatientRow)
                )
                assert session.scalar(select(func.count()).select_from(EventRow).where(EventRow.who == "tang")) == sum(
                    session.scalar(select(func.count()).select_from(kind)) or 0
                    for kind in (PatientRow, CaseRow, SpecimenRow)
                )
        finally:
            laboratory.close()
