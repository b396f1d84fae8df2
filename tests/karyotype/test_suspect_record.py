"""Suspects in case.json: the chromosome, its break with an interval, the cells that show it, as the schema has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consilium.errors import OutputError
from consilium.karyotype.flags import case_flags
from consilium.karyotype.metaphase import Case, Metaphase
from consilium.karyotype.record import Record, case_record, check_record
from consilium.karyotype.structure import suspects, threshold_for
from consilium.karyotype.suspect_record import in_variable_region
from tests.karyotype.test_structure import looking

Cell = Callable[..., Metaphase]
Labels = Callable[..., tuple[str, ...]]


def suspected_case(
    cell: Cell, labels: Labels, strange: str = "5", *, cells: int = 3, place: float = 0.7, sex: str = "XX"
) -> Case:
    """A case whose chromosome `strange` looks rearranged in every cell."""
    shown = tuple(
        looking(cell(labels(sex), image=f"{number}.png", karyotype=f"46,{sex}"), {strange: 7.0}, place=place)
        for number in range(cells)
    )
    found = suspects(shown)
    return Case(
        name="del", cells=shown, failures=(), modal_karyotype=f"46,{sex}", disagreeing=(),
        flags=case_flags(shown, found), suspects=found,
    )  # fmt: skip


def _record(case: Case) -> Record:
    return case_record(case, lang="en", created=datetime(2026, 1, 2, tzinfo=UTC), version="1", models=[])


def test_a_suspect_is_written_as_the_schema_has_it(cell: Cell, labels: Labels) -> None:
    record = json.loads(json.dumps(_record(suspected_case(cell, labels)), allow_nan=False))
    check_record(record)
    (one,) = record["suspects"]
    assert (one["chromosome"], one["arm"], one["kind"], one["of"]) == ("5", "q", "loss", 3)
    assert one["score"] >= one["threshold"] == threshold_for(3)
    place = one["breakpoint"]
    assert place["low"] < place["fraction"] < place["high"]
    assert [band[:2] for band in place["bands"]] == ["5q", "5q"]
    start, stop = place["grch38"]
    assert 48_800_000 < start < stop <= 181_538_259, "on the long arm of 5, GRCh38"
    assert [told["image"] for told in one["cells"]] == ["0.png", "1.png", "2.png"]
    for told in one["cells"]:
        names = [record["cells"][0]["chromosomes"][told[key]]["label"] for key in ("chromosome", "homologue")]
        assert names == ["5", "5"] and told["chromosome"] != told["homologue"]
        assert told["kinds"] == {"loss": 0.7, "gain": 0.1, "inversion": 0.1, "exchange": 0.1}


def test_a_usual_case_has_none_and_a_wrong_one_is_refused(case: Case, cell: Cell, labels: Labels) -> None:
    assert _record(case)["suspects"] == []
    record = _record(suspected_case(cell, labels))
    record["suspects"][0]["breakpoint"]["bands"] = ["q13", "q21"]
    with pytest.raises(OutputError, match="suspects"):
        check_record(record)


def test_a_lone_homologue_is_shown_alone(cell: Cell, labels: Labels) -> None:
    whole = suspected_case(cell, labels)
    second = [index for index, one in enumerate(whole.cells[0].chromosomes) if one.label == "5"][1]
    cells = tuple(
        replace(one, chromosomes=one.chromosomes[:second] + one.chromosomes[second + 1 :]) for one in whole.cells
    )
    record = _record(replace(whole, cells=cells))
    assert [told["homologue"] for told in record["suspects"][0]["cells"]] == [None] * 3


@pytest.mark.parametrize(
    ("chromosome", "place", "variable"),
    [("9", 0.40, True), ("1", 0.5, True), ("14", 0.05, True), ("9", 0.9, False), ("5", 0.7, False), ("13", 0.7, False)],
)
def test_where_healthy_people_differ_is_said(
    cell: Cell, labels: Labels, chromosome: str, place: float, variable: bool
) -> None:
    (one,) = suspected_case(cell, labels, chromosome, place=place).suspects
    assert in_variable_region(one) is variable
