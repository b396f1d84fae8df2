"""Numbers and labels: how they look, and that none is missing or double whatever happens."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from sqlalchemy import select

from consilium.errors import InputError
from consilium.laboratory.accession import Series
from consilium.laboratory.barcode import LETTERS, kind_of, label, scanned
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.reception import Order
from consilium.laboratory.tables import CaseRow, SpecimenRow
from tests.laboratory.conftest import ORDER, received

PREFIXES = st.from_regex(r"[A-Z][A-Z0-9]{0,7}", fullmatch=True)


@given(prefix=PREFIXES, digits=st.integers(3, 9), year=st.integers(2000, 2099), data=st.data())
def test_a_number_is_read_as_it_was_written_and_is_a_label(
    prefix: str, digits: int, year: int, data: st.DataObject
) -> None:
    series, number = Series(prefix=prefix, digits=digits), data.draw(st.integers(1, 10**digits - 1))
    text = series.write(year, number)
    assert series.read(text) == (year, number)
    assert scanned(f" {text.lower()}\r\n") == text and kind_of(text) == "specimen"


@given(st.lists(st.tuples(st.sampled_from(sorted(LETTERS)), st.integers(1, 999)), min_size=1, max_size=3))
def test_labels_tell_what_they_stand_on_and_go_into_code_128_and_qr(made: list[tuple[str, int]]) -> None:
    text = "S26-00017"
    for kind, number in made:
        text = label(text, kind, number)  # type: ignore[arg-type]
    assert kind_of(text) == made[-1][0] and scanned(text) == text
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") and len(text) <= 40


@pytest.mark.parametrize("prefix", ["", "s", "1A", "Ä", "S-", "TOOLONGXX", "S\n"])
def test_what_cannot_begin_a_number_is_refused(prefix: str) -> None:
    with pytest.raises(InputError):
        Series(prefix=prefix)


@pytest.mark.parametrize(
    "text", ["", "S26", "S26-0001", "S26-00000", "S26-000017", "K26-00017", "S26-0001７", "S26-00017\n"]
)
def test_what_is_no_number_of_the_series_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        Series(prefix="S").read(text)


@given(st.text(max_size=60))
def test_any_scan_is_a_label_or_refused(text: str) -> None:
    try:
        assert kind_of(scanned(text)) in (*LETTERS, "specimen")
    except InputError as refused:
        assert refused.way_out


def test_a_series_that_is_used_up_is_said() -> None:
    with pytest.raises(InputError, match="no number"):
        Series(prefix="S", digits=3).write(2026, 1000)
    with pytest.raises(InputError, match="no room"):
        label("S26-00017", "slide", 1000)


def labels_in(laboratory: Laboratory) -> list[str]:
    with laboratory.reading() as session:
        return sorted(session.scalars(select(SpecimenRow.label)))


def test_each_year_of_the_laboratorys_clocks_has_its_series(laboratory: Laboratory) -> None:
    # 2025-12-31T17:00 in UTC is New Year's Day in Shanghai.
    for time in ("2025-12-31T23:59", "2025-12-31T17:00+00:00", "2026-01-02T08:00"):
        received(laboratory, Order(specimen="bone_marrow", received=time))
    assert labels_in(laboratory) == ["S25-00001", "S26-00001", "S26-00002"]


def test_what_is_rolled_back_takes_no_number(laboratory: Laboratory) -> None:
    received(laboratory)
    with pytest.raises(InputError, match="condition"):
        received(laboratory, Order(specimen="bone_marrow", condition="frozen solid"))
    received(laboratory)
    assert labels_in(laboratory) == ["S26-00001", "S26-00002"]
    with laboratory.reading() as session:
        assert sorted(session.scalars(select(CaseRow.number))) == ["K26-00001", "K26-00002"]


WRITER = """
import sys
from consilium.laboratory.laboratory import Laboratory  # noqa: E402
from tests.laboratory.conftest import received  # noqa: E402
laboratory = Laboratory(sys.argv[1])
sys.stdin.readline()
for _ in range(100):
    print(received(laboratory)[0], flush=True)
"""


def test_two_processes_take_two_hundred_numbers_without_gap_or_double(laboratory: Laboratory, url: str) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in writers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [one.communicate(timeout=100)[0].split() for one in writers]
    assert [one.returncode for one in writers] == [0, 0]
    assert [len(one) for one in told] == [100, 100]
    every = [f"S26-{number:05d}" for number in range(1, 201)]
    assert sorted(told[0] + told[1]) == every == labels_in(laboratory)
    assert ORDER.received.startswith("2026")
