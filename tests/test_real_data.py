"""The shipped models on real metaphases: a fixed sample of the test part keeps what the benchmark measured.

The floors are not typed: they are the figures of `benchmarks/results/karyotype.json` less the margins below, which
leave room for the sample being small. They cannot be met by moving them; they move when the benchmark is run again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from benchmarks.annotated import decode, tseng2023
from benchmarks.cost import evenly
from benchmarks.detection import figures
from benchmarks.judged import Judged, judge
from benchmarks.reading import read_cell
from consilium.karyotype.metaphase import Metaphase
from consilium.karyotype.numerical import SUSPECTED, numerical_evidence

SAMPLE = 24
"""Images, evenly taken from the test part."""

MARGINS = {
    "detection_recall": 0.015,
    "detection_precision": 0.015,
    "class_accuracy": 0.02,
    "map50": 0.04,
    "cells_counted_exactly": 0.25,
    "cells_wholly_right": 0.25,
}
"""About three standard errors of the sample: a chromosome of 24 cells weighs 0.001, a cell 0.04."""

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results" / "karyotype.json"

pytestmark = [pytest.mark.real_data, pytest.mark.timeout(300)]


def measured(name: str) -> float:
    document = json.loads(RESULTS.read_text(encoding="utf-8"))
    for figure in document["figures"]:
        if figure["name"] == name:
            return float(figure["value"])
    pytest.fail(f"{RESULTS.name} has no figure {name}: run `make bench`")


@pytest.fixture(scope="module")
def sample(real_data: Path) -> list[Judged]:
    return [judge(cell, read_cell(cell, "consilium")) for cell in evenly(tseng2023("test"), SAMPLE)]


@pytest.mark.parametrize("name", MARGINS)
def test_the_sample_keeps_what_the_benchmark_measured(sample: list[Judged], name: str) -> None:
    got = {f.name: f.estimate.value for f in figures(sample, data="sample", method="consilium", subset="all")}
    assert got[name] >= measured(name) - MARGINS[name]


def test_real_cases_with_one_chromosome_too_many_are_told_and_the_chromosome_is_named(real_data: Path) -> None:
    cases: dict[str, list[Metaphase]] = defaultdict(list)
    truth = {}
    for cell in tseng2023("test"):
        if cell.status == "numerical":
            metaphase = read_cell(cell, "consilium").metaphase
            cases[cell.case] += [metaphase] if metaphase else []
            truth[cell.case] = cell.abnormality
    assert sorted(truth.values()) == ["18", "21", "21"]
    for case, cells in cases.items():
        strongest = numerical_evidence(cells)[0]
        assert strongest.change == f"+{truth[case]}" and strongest.nats >= SUSPECTED


def test_every_chromosome_is_complete(sample: list[Judged]) -> None:
    assert sum(len(one.found) for one in sample) > 0
    for one in sample:
        height, width = decode(one.cell.image).shape
        for chromosome in one.found:
            xmin, ymin, xmax, ymax = chromosome.instance.box
            assert 0 <= xmin < xmax <= width and 0 <= ymin < ymax <= height
            assert chromosome.instance.mask.any()
            assert chromosome.probabilities.sum() == pytest.approx(1, abs=1e-3)
            assert 0 <= chromosome.confidence <= 1
            assert 0 <= chromosome.angle_deg < 360
