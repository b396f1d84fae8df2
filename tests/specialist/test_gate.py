from __future__ import annotations

import numpy as np

from consilium.specialist.evidence.gate import fit_gate
from consilium.specialist.splits import Folds, grouped_folds


def _fitted(seed: int = 0):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(150, 30)).astype(np.float32)
    folds = grouped_folds(np.arange(150) % 2, np.arange(150))
    assert isinstance(folds, Folds)
    return features, *fit_gate(features, np.arange(150), folds.assigned)


def test_one_in_twenty_of_ordinary_cases_is_turned_away() -> None:
    _, gate, report = _fitted()
    new = np.random.default_rng(9).normal(size=(2000, 30)).astype(np.float32)
    assert 0.02 < gate.turned_away(new).mean() < 0.1
    assert report.turned_away.low < 0.05 < report.turned_away.high
    assert len(report.distances) == 150


def test_what_is_far_or_no_number_is_turned_away() -> None:
    features, gate, _ = _fitted()
    far = features[:5] + 5
    missing = features[:1].copy()
    missing[0, 3] = np.nan
    assert gate.turned_away(far).all()
    assert gate.turned_away(missing).all()


def test_distances_are_those_taken_one_by_one() -> None:
    features, gate, _ = _fitted()
    new = features[:4] + 0.3
    standardised = (new - gate.mean) / gate.scale
    for row, found in zip(standardised, gate.distance(new), strict=True):
        nearest = np.sort(np.linalg.norm(gate.known - row, axis=1))[:5]
        assert np.isclose(nearest.mean(), found, atol=1e-3)
