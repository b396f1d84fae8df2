"""The shipped encoder on real pictures: two draws of one set keep what the benchmark measured on it.

The floor is not typed: it is the figure of `benchmarks/results/generalist.json` less a margin for the draws being few.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.generalist import read_set
from benchmarks.probe import probe_auc
from consilium.generalist.shipped import shipped_encoder

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "generalist.json"
SHIPS = "multi"
"""The way of training that ships; it is on the card."""
NAME = "es_capsule_bleeding"
MARGIN = 0.02
"""Twice the range of the ten draws of that set."""


@pytest.mark.real_data
def test_a_few_cases_are_enough_on_a_set_it_never_saw(real_data: Path) -> None:
    measured = np.mean(json.loads(RESULTS.read_text(encoding="utf-8"))["aucs"][SHIPS][NAME])
    judged = read_set(real_data / "medical" / f"{NAME}.zip", "never")
    features = shipped_encoder(threads=1).embed(judged.pictures, levels=False).image
    got = [probe_auc(features, judged.labels, judged.groups, draw) for draw in judged.draws(2)]
    assert np.mean(got) >= measured - MARGIN
