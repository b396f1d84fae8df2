from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.coverage import CELLS, RESULTS, Cell, coverage, draw, measure, world, write
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.head import Head

SMALL = Cell(patients=40, prevalence=0.5, oracle=0.97, draws=2)


def _interval(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, method="x")


def test_knowing_the_world_gives_the_auc_that_was_asked_for() -> None:
    known = world(0.9)
    rng = np.random.default_rng(0)
    truth = np.arange(20_000) % 2
    features = rng.normal(size=(20_000, len(known.variance))) * np.sqrt(known.variance) + truth[:, None] * known.apart
    assert roc_auc_score(truth, features @ (known.apart / known.variance)) == pytest.approx(0.9, abs=0.01)


def test_the_calculated_truth_is_what_new_cases_show() -> None:
    from benchmarks.coverage import _score_law

    known = world(0.97)
    rng = np.random.default_rng(1)
    width = len(known.variance)
    head = Head(
        mean=rng.normal(size=width).astype(np.float32),
        scale=np.full(width, 3.0, np.float32),
        weights=rng.normal(size=(width, 1)).astype(np.float32),
        intercepts=np.array([0.7], np.float32),
        strengths=(1.0,),
        loss="logistic",
    )
    low, high, spread = _score_law(head, known)
    for truth, middle in ((0, low), (1, high)):
        features = rng.normal(size=(20_000, width)) * np.sqrt(known.variance) + truth * known.apart
        logits = head.logits(features)[:, 0]
        assert logits.mean() == pytest.approx(middle, abs=4 * spread / np.sqrt(20_000))
        assert logits.std() == pytest.approx(spread, rel=0.03)


def test_misses_are_counted_on_their_side() -> None:
    found = [_interval(0.5, 0.4, 0.6), _interval(0.7, 0.65, 0.8), _interval(0.3, 0.2, 0.4), _interval(0.6, 0.5, 0.7)]
    row = coverage("AUC", found, [0.5, 0.5, 0.5, 0.58])
    assert row.truth == pytest.approx(0.52)
    assert (row.covers.value, row.own.value) == (0.5, 0.5)
    assert (row.too_high, row.too_low) == (0.25, 0.25)
    assert row.bias == pytest.approx(0.525 - 0.52)


def test_slopes_are_judged_by_their_median() -> None:
    row = coverage("calibration slope", [_interval(1.0, 0.5, 1.5)] * 3, [0.9, 1.1, 60.0])
    assert row.truth == 1.1
    assert row.covers.value == 1.0


def test_a_draw_repeats_and_clustered_patients_work() -> None:
    known = world(0.97)
    assert draw(SMALL, known, 3) == draw(SMALL, known, 3)
    found = draw(replace(SMALL, images=2, alike=0.5), known, 0)
    assert 0.5 < found.true_auc < 1 and found.auc.low < found.auc.value < found.auc.high


def test_results_are_written_as_json_and_as_a_table(tmp_path: Path) -> None:
    write(tmp_path / "coverage.json", [measure(SMALL)])
    document = json.loads((tmp_path / "coverage.json").read_text())
    assert document["cells"][0]["cell"] == asdict(SMALL)
    assert "| 40 | 1 | 0.5 | AUC |" in (tmp_path / "coverage.md").read_text()


def test_the_published_intervals_hold_as_often_as_is_said() -> None:
    # Asked are 93 to 97 %; the interval of the simulation itself must reach into that. With several images of a
    # patient it does not quite: about 90 %, which the documents say.
    document = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert [measured["cell"] for measured in document["cells"]] == [asdict(cell) for cell in CELLS]
    for measured in document["cells"]:
        row, pooled = measured["intervals"][:2]
        assert (row["figure"], pooled["figure"]) == ("AUC", "AUC, pooled DeLong")
        assert row["covers"]["high"] >= (0.93 if measured["cell"]["images"] == 1 else 0.9), measured["cell"]
        assert row["covers"]["value"] >= pooled["covers"]["value"], measured["cell"]
