"""Bills add up to the list of jobs, and shares to their sum, to the last cent."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.alliance.compute.billing import parted, shared_bill, shares
from consilium.alliance.compute.billing_report import bill_csv, bill_pdf
from consilium.alliance.compute.job import Job
from consilium.alliance.compute.rates import Rates, read_rates
from consilium.alliance.compute.usage import usage_of
from consilium.errors import InputError, NothingToDo
from consilium.typesetting.fonts import find_chinese_font, usual_font_folders
from tests.alliance.compute.histories import job

RATES = Rates(core_hour=Decimal("0.1"), gpu_hour=Decimal("4"))
MONEY = st.decimals(min_value=0, max_value=10**6, places=2)


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]


def borrowing(number: int, core_seconds: float, borrowed: float, lost: float, **told: object) -> Job:
    """A job of which some core-seconds were borrowed, and of those some given back."""
    kept = borrowed - lost
    return job(number, core_seconds=core_seconds, borrowed_core_seconds=kept, lost_core_seconds=lost, **told)


def test_what_is_own_borrowed_and_lost_has_its_price() -> None:
    one = borrowing(1, 36_000.0, 10_800.0, 3_600.0, cores=2, gpus=1, ended=at(2026, 11, 5), started=at(2026, 11, 4))
    (found,) = shares([one], RATES, zone=UTC)
    assert (found.own_core_hours, found.borrowed_core_hours, found.lost_core_hours) == (7, 2, 1)
    assert found.gpu_hours == Decimal("4.5")
    # 7 own and 2 borrowed core-hours at a quarter, the same of half a card each; nothing for what was lost.
    assert found.cost == Decimal("0.1") * Decimal("7.5") + Decimal("4") * (Decimal("3.5") + Decimal("0.25"))


def test_an_engine_that_knows_of_no_borrowing_bills_everything_as_own() -> None:
    (found,) = shares([job(1, cores=4)], RATES, zone=UTC)
    assert (found.own_core_hours, found.borrowed_core_hours, found.lost_core_hours) == (4, 0, 0)
    assert found.cost == Decimal("0.40")
    # More borrowed or lost than there was is no negative bill.
    (odd,) = shares([borrowing(1, 3600.0, 9999.0, 9999.0)], RATES, zone=UTC)
    assert (odd.own_core_hours, odd.borrowed_core_hours, odd.cost) == (0, 0, 0)


def test_a_month_is_that_of_the_clock_on_the_wall() -> None:
    evening = at(2026, 11, 30, 20)
    told = [job(1, started=evening - 60, ended=evening), job(2, state="running", started=1.0, ended=None)]
    assert [one.month for one in shares(told, RATES, zone=UTC)] == ["2026-11"]
    assert [one.month for one in shares(told, RATES, zone=ZoneInfo("Asia/Shanghai"))] == ["2026-12"]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]), st.integers(0, 150), st.integers(1, 64), st.integers(0, 4),
            st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["done", "failed", "cancelled"]),
        ),
        max_size=25,
    )
)  # fmt: skip
def test_figures_are_those_of_the_list_of_jobs(told: list[tuple[str, int, int, int, float, float, float, str]]) -> None:
    jobs = []
    for number, (hospital, day, cores, gpus, seconds, lost, borrowed, state) in enumerate(told, 1):
        spent = seconds * cores
        jobs.append(
            borrowing(
                number, spent, spent * borrowed, spent * borrowed * lost, hospital=hospital, cores=cores, gpus=gpus,
                state=state, started=at(2026, 1, 1), ended=at(2026, 1, 1) + day * 86400.0,
            )
        )  # fmt: skip
    found = shares(jobs, RATES, zone=UTC)
    assert sum(one.jobs for one in found) == len(jobs)
    assert sum(one.failed for one in found) == sum(one.state == "failed" for one in jobs)
    hours = sum((one.own_core_hours + one.borrowed_core_hours + one.lost_core_hours for one in found), Decimal(0))
    exact = sum((Decimal(repr(one.core_seconds)) for one in jobs), Decimal(0)) / 3600
    assert abs(hours - exact) <= Decimal("1e-9") * (1 + exact)
    by_row = {(one.hospital, one.month): one for one in usage_of(jobs)}
    assert set(by_row) == {(one.hospital, one.month) for one in found}
    for one in found:
        mine = [each for each in jobs if each.request.hospital == one.hospital and month(each) == one.month]
        price = sum(
            float(RATES.core_hour) * (own + 0.25 * lent) / 3600
            + float(RATES.gpu_hour) * (own + 0.25 * lent) / 3600 / each.request.cores * each.request.gpus
            for each in mine
            for lent in [each.borrowed_core_seconds]
            for own in [each.core_seconds - each.borrowed_core_seconds - each.lost_core_seconds]
        )
        assert float(one.cost) == pytest.approx(price, abs=0.0051, rel=1e-9)
    rows = list(csv.DictReader(io.StringIO(bill_csv(found, RATES))))
    assert [(row["hospital"], row["month"], Decimal(row["cost"])) for row in rows] == [
        (one.hospital, one.month, one.cost) for one in found
    ]


def month(one: Job) -> str:
    assert one.ended is not None
    return datetime.fromtimestamp(one.ended, UTC).strftime("%Y-%m")


@given(MONEY, st.lists(st.decimals(min_value=0, max_value=10**6, places=4), min_size=1, max_size=12))
def test_parts_add_up_exactly_and_are_within_a_cent(total: Decimal, weights: list[Decimal]) -> None:
    parts = parted(total, weights)
    assert sum(parts) == total and len(parts) == len(weights)
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        exact = total * weight / whole if whole else total / len(weights)
        assert abs(part - exact) < Decimal("0.01") + Decimal("1e-12")


def test_a_third_each_and_what_cannot_be_shared() -> None:
    assert parted(Decimal("100.00"), [Decimal(1)] * 3) == (Decimal("33.34"), Decimal("33.33"), Decimal("33.33"))
    for total, weights in (
        (Decimal("-1"), [Decimal(1)]),
        (Decimal(1), []),
        (Decimal(1), [Decimal(-1)]),
        (Decimal("0.001"), [Decimal(1)]),
    ):
        with pytest.raises(InputError):
            parted(total, weights)


def test_a_common_bill_is_shared_by_cost() -> None:
    jobs = [
        job(1, hospital="a", cores=3),
        job(2, hospital="b"),
        job(3, hospital="b", ended=at(2026, 2, 1), started=at(2026, 1, 31, 23)),
    ]
    paid = shared_bill(Decimal("10.00"), shares(jobs, RATES, zone=UTC), RATES)
    assert paid == {"a": Decimal("6.00"), "b": Decimal("4.00")}


def test_a_name_is_no_formula_in_a_spreadsheet() -> None:
    (row,) = csv.DictReader(io.StringIO(bill_csv(shares([job(1, hospital="=1+1")], RATES, zone=UTC), RATES)))
    assert row["hospital"] == "'=1+1"


@pytest.mark.skipif(importlib.util.find_spec("typst") is None, reason="Typst (extra `pdf`) is not installed")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pdf_has_the_figures(lang: str) -> None:
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    chinese = find_chinese_font(usual_font_folders())
    if lang == "zh" and chinese is None:
        pytest.skip("no Chinese font is installed")
    jobs = [
        job(n, hospital=f"hospital_{n % 3}", cores=n, gpus=n % 2, ended=at(2026, 11, 2), started=at(2026, 11, 1))
        for n in range(1, 30)
    ]
    used = shares(jobs, RATES, zone=UTC)
    created = "2026-12-01T00:00:00+00:00"
    page = bill_pdf(used, RATES, month="2026-11", lang=lang, chinese=chinese, total=Decimal("1000"), created=created)  # type: ignore[arg-type]
    text = "\n".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(page)).pages)
    for one in used:
        assert one.hospital in text and f"{one.cost:,}" in text and f"{one.own_core_hours:,.2f}" in text
    assert f"{sum(one.cost for one in used):,}" in text and "1,000.00" in text and "100.00%" in text
    again = bill_pdf(used, RATES, month="2026-11", lang=lang, chinese=chinese, total=Decimal("1000"), created=created)  # type: ignore[arg-type]
    assert again == page
    with pytest.raises(NothingToDo, match="2025-01"):
        bill_pdf(used, RATES, month="2025-01", lang=lang, chinese=chinese)  # type: ignore[arg-type]


def test_rates_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    path.write_text('{"core_hour": 0.1, "gpu_hour": "4", "borrowed": 0.5, "currency": "EUR", "digits": 3}')
    assert read_rates(path) == Rates(
        core_hour=Decimal("0.1"), gpu_hour=Decimal(4), borrowed=Decimal("0.5"), currency="EUR", digits=3
    )
    good = {"core_hour": 1, "gpu_hour": 1}
    bad: list[object] = [
        [],
        {"core_hour": 1},
        good | {"price": 1},
        good | {"core_hour": -1},
        good | {"gpu_hour": "much"},
    ]
    bad += [
        good | {"borrowed": 2},
        good | {"currency": "Yuan"},
        good | {"currency": 3},
        good | {"digits": 9},
        good | {"digits": "2"},
    ]
    bad += [good | {"core_hour": "NaN"}, good | {"gpu_hour": None}]
    for document in bad:
        path.write_text(json.dumps(document))
        with pytest.raises(InputError):
            read_rates(path)
    with pytest.raises(InputError, match="no prices yet"):
        read_rates(tmp_path / "none.json")
