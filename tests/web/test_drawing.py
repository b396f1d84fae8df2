"""Drawings say what they show, hold nothing that runs, and have their values as a table."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.web.drawing.bars import bars
from consilium.web.drawing.intervals import Measured, intervals
from consilium.web.drawing.svg import Figure, number, ticks, width_of
from consilium.web.drawing.week import STEPS, shade, week

HOSTILE = '"><script>alert(1)</script>\' onload="x" 病'


def read(figure: Figure) -> ElementTree.Element:
    root = ElementTree.fromstring(str(figure.svg))
    assert root.get("role") == "img"
    ids = {one.get("id") for one in root.iter()}
    assert set(str(root.get("aria-labelledby")).split()) <= ids
    for one in root.iter():
        assert one.tag in {"svg", "title", "desc", "line", "rect", "circle", "text"}
        assert "style" not in one.attrib and not any(name.startswith("on") for name in one.attrib)
    return root


def of(root: ElementTree.Element, tag: str, name: str) -> list[ElementTree.Element]:
    return [one for one in root.iter(tag) if name in str(one.get("class")).split()]


def test_intervals_lie_where_their_values_are() -> None:
    measured = [
        Measured(name="AUC", value=0.9, low=0.8, high=0.95, beside="n = 20"),
        Measured(name=HOSTILE, value=0.5, low=0.5, high=0.5),
    ]
    figure = intervals("x", measured, title=HOSTILE, columns=("a", "b", "c", "d"))
    root = read(figure)
    points = [float(str(one.get("cx"))) for one in of(root, "circle", "value")]
    spans = [one for one in of(root, "line", "interval") if one.get("y1") == one.get("y2")]
    low, high = (float(str(spans[0].get(name))) for name in ("x1", "x2"))
    scale = (high - low) / 0.15
    assert points[0] - low == pytest.approx(0.1 * scale, abs=0.05)
    assert points[0] - points[1] == pytest.approx(0.4 * scale, abs=0.05)
    assert figure.rows[0] == ("AUC", "0.900", "0.800 - 0.950", "n = 20")
    assert "0.900 (0.800 - 0.950), n = 20" in "".join(root.itertext())


def test_bars_are_as_long_as_their_amounts_and_parts_lie_beside_each_other() -> None:
    figure = bars("x", {"2026-11": (30, 10), "2026-10": (0, 20)}, ("a", HOSTILE), title="t", unit="h", what="Month")
    root = read(figure)
    drawn = [one for one in root.iter("rect") if float(str(one.get("height"))) > 12]
    x, width = ([float(str(one.get(name))) for one in drawn] for name in ("x", "width"))
    assert len(drawn) == 3
    assert width[0] / width[1] == pytest.approx(3, rel=0.01) and width[2] / width[1] == pytest.approx(2, rel=0.01)
    assert x[1] == pytest.approx(x[0] + width[0], abs=0.05)
    assert figure.columns == ("Month", "a (h)", f"{HOSTILE} (h)")
    assert figure.rows == (("2026-11", "30", "10"), ("2026-10", "0", "20"))


def test_a_week_is_darker_where_there_is_more() -> None:
    planned, used = [0.0] * 168, [0.0] * 168
    planned[32:42] = [24.0] * 10
    used[33] = 2.0
    figure = week(
        "x", {"hospital_a": (planned, used)}, ("sure of", "used"), title="t",
        days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        unit="cores", what=("Hospital", ""),
    )  # fmt: skip
    root = read(figure)
    told = {"".join(one.itertext()): one for one in root.iter("rect") if one.find("title") is not None}
    assert told["Tue 08-18: 24 cores"].get("class") == f"shade-{STEPS - 1}"
    assert told["Tue 09-10: 2 cores"].get("class") == "shade-1"
    assert told["Mon 00-24: 0 cores"].get("class") == "shade-0"
    assert figure.rows[0][:4] == ("hospital_a", "sure of", "0", "10")
    assert (shade(0, 5), shade(5, 5), shade(0.001, 5), shade(1, 0)) == (0, STEPS - 1, 1, 0)


@settings(max_examples=200)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_and_lie_within(low: float, span: float) -> None:
    found = ticks(low, low + span)
    assert 1 <= len(found) <= 7
    assert all(low - 1e-6 * span <= one <= low + span * (1 + 1e-6) for one in found)


def test_words_and_numbers() -> None:
    assert width_of("病例") > width_of("ab") * 1.5
    assert [number(one) for one in (0, 12345, 0.1234, 1234.5)] == ["0", "12,345", "0.123", "1,234"]
