"""How often the 95 % intervals of a specialist hold the truth: `python -m benchmarks.coverage` (an hour, one core).

Cases are drawn from a known world, a specialist is made and validated as `consilium.specialist` does it (folds, nested
choice of the penalty, repetitions, final model), and the truth is calculated, not sampled: features of a class are
normal with a common covariance, so every linear head has an AUC, a sensitivity and a calibration slope in closed form.

Two truths can be meant by "the AUC of this model". *Expected*: the mean AUC of final models that the procedure makes
from so many cases; the interval is for this one. *Own*: the AUC of the very model that was made. Both are counted.
Cross-validated models see a fifth fewer cases than the final one; what that costs is in the column of the bias.

The figures go to `benchmarks/results/coverage.json` and, as a table, to `coverage.md` beside it, after every cell.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from benchmarks.results import machine
from consilium.specialist.evidence.calibration import calibration_slope
from consilium.specialist.evidence.conformal import MISSED, realised_coverage, threshold_of
from consilium.specialist.evidence.discrimination import cross_validated_auc, interval_of
from consilium.specialist.evidence.enough import NotEnough
from consilium.specialist.evidence.intervals import Estimate, auc_interval, wilson
from consilium.specialist.evidence.operating_point import Rule, operating_point
from consilium.specialist.head import Head, fit_head, out_of_fold
from consilium.specialist.splits import grouped_folds

RESULTS = Path(__file__).parent / "results" / "coverage.json"
SEED = 20261126
FEATURES = 256

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One setting.

    Attributes:
        patients: how many.
        images: of each.
        alike: correlation of features within a patient and class.
        prevalence: share of positive patients.
        oracle: AUC that knowing the world would give; 0.5: features tell nothing.
        draws: data sets.
    """

    patients: int
    images: int = 1
    alike: float = 0.0
    prevalence: float
    oracle: float
    draws: int


CELLS: tuple[Cell, ...] = (
    Cell(patients=40, prevalence=0.25, oracle=0.97, draws=300),
    Cell(patients=40, prevalence=0.5, oracle=0.97, draws=300),
    Cell(patients=100, prevalence=0.2, oracle=0.97, draws=200),
    Cell(patients=100, prevalence=0.5, oracle=0.97, draws=200),
    Cell(patients=67, images=3, alike=0.5, prevalence=0.5, oracle=0.97, draws=400),
    Cell(patients=200, prevalence=0.2, oracle=0.97, draws=150),
    Cell(patients=100, prevalence=0.5, oracle=0.999, draws=100),
    Cell(patients=100, prevalence=0.5, oracle=0.5, draws=100),
    Cell(patients=400, prevalence=0.5, oracle=0.97, draws=40),
)
"""With 40 cases the rarer class has 10: fewer are not judged at all (`NotEnough`)."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Normal features with independent components of falling variance, and how far the classes are apart in each."""

    variance: Array
    apart: Array


def world(oracle: float) -> World:
    """Draw the world once: variance falls as 1/k, as that of encoders roughly does; the leading tenth tells most."""
    rank = np.arange(1, FEATURES + 1)
    variance = 1 / rank
    variance = variance / variance.mean()
    direction = np.random.default_rng(SEED).normal(size=FEATURES) * np.sqrt(variance) * np.exp(-rank / (FEATURES / 10))
    reach = float(np.sqrt((direction**2 / variance).sum() / 2))
    return World(variance=variance, apart=direction * ndtri(oracle) / reach)


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What one data set gave.

    Attributes:
        auc, naive: the interval, and DeLong's of pooled scores, which takes the models as given.
        sensitivity, specificity, slope: intervals.
        true_*: of the final model.
        covered: share of new positive cases whose conformal set holds the right label.
    """

    auc: Estimate
    naive: Estimate
    sensitivity: Estimate
    specificity: Estimate
    slope: Estimate
    true_auc: float
    true_sensitivity: float
    true_specificity: float
    true_slope: float
    covered: float


def draw(cell: Cell, known: World, number: int) -> Draw:
    """Draw a data set, make and validate a specialist, and calculate the truth about it."""
    rng = np.random.default_rng([SEED, number])
    sick = np.zeros(cell.patients, np.intp)
    sick[rng.permutation(cell.patients)[: round(cell.prevalence * cell.patients)]] = 1
    groups = np.repeat(np.arange(cell.patients), cell.images)
    truth = sick[groups]
    common = rng.normal(size=(cell.patients, FEATURES))[groups] * np.sqrt(cell.alike)
    noise = common + rng.normal(size=(len(groups), FEATURES)) * np.sqrt(1 - cell.alike)
    features = (noise * np.sqrt(known.variance) + truth[:, None] * known.apart).astype(np.float32)
    folds = grouped_folds(truth, groups, seed=number)
    assert not isinstance(folds, NotEnough)
    targets = truth[:, None, None].astype(np.float64)
    repeated = [out_of_fold(features, targets, fold, "logistic", roles=groups) for fold in folds.assigned]
    chosen = np.asarray(np.sum([out.loss_of_strength for out in repeated], axis=0).argmin(0), np.intp)
    head = fit_head(features, targets, "logistic", chosen)
    positive = truth == 1
    pooled = np.mean([out.logits[:, 0, 0] for out in repeated], axis=0)
    point = operating_point(repeated, folds, positive, groups, Rule())
    cut = float(np.log(point.threshold / (1 - point.threshold)))
    low, high, spread = _score_law(head, known)
    predicted = 1 / (1 + np.exp(-pooled))
    own = threshold_of(predicted[positive])
    least = -np.inf if own <= 0 else float(np.log(own / (1 - own)))
    return Draw(
        auc=interval_of(cross_validated_auc(repeated, folds, positive, groups, problem=0, column=0), positive, groups),
        naive=auc_interval(pooled, positive, groups),
        sensitivity=point.sensitivity,
        specificity=point.specificity,
        slope=calibration_slope(pooled, positive, groups),
        true_auc=float(ndtr((high - low) / (spread * np.sqrt(2)))),
        true_sensitivity=float(ndtr((high - cut) / spread)),
        true_specificity=float(ndtr((cut - low) / spread)),
        true_slope=float((high - low) / spread**2),
        covered=float(ndtr((high - least) / spread)),
    )


def _score_law(head: Head, known: World) -> tuple[float, float, float]:
    """Means of the logits of both classes on new cases, and their common standard deviation."""
    weights = np.asarray(head.weights[:, 0], np.float64) / np.asarray(head.scale, np.float64)
    low = float(head.intercepts[0] - weights @ np.asarray(head.mean, np.float64))
    spread = float(np.sqrt((weights**2 * known.variance).sum()))
    return low, low + float(weights @ known.apart), max(spread, 1e-12)


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How one interval did in one cell.

    Attributes:
        figure: which interval.
        covers: share of data sets whose interval holds the truth, with the interval of that share (Monte Carlo).
        own: the same for the truth about the very model; NaN where that makes no sense.
        too_high, too_low: share of intervals that lie above, below the truth.
        truth: mean (median of slopes) over final models.
        bias: mean of the figure less the truth.
        width: median width of the interval.
    """

    figure: str
    covers: Estimate
    own: Estimate
    too_high: float
    too_low: float
    truth: float
    bias: float
    width: float


def coverage(figure: str, found: Sequence[Estimate], true: Sequence[float]) -> Coverage:
    """Count how often intervals hold the middle truth, and each its own.

    The middle is the mean; of slopes, which grow without bound as a model says less and less, the median.
    """
    low, high = np.array([one.low for one in found]), np.array([one.high for one in found])
    values, own = np.array([one.value for one in found]), np.array(true)
    middle = np.median if figure == "calibration slope" else np.mean
    truth = float(middle(own))
    held = (low <= truth) & (truth <= high)
    held_own = (low <= own) & (own <= high)
    return Coverage(
        figure=figure,
        covers=wilson(float(held.sum()), len(held)),
        own=wilson(float(held_own.sum()), len(held_own)),
        too_high=float((low > truth).mean()),
        too_low=float((high < truth).mean()),
        truth=truth,
        bias=float(middle(values[np.isfinite(values)]) - truth),
        width=float(np.median(high - low)),
    )


def measure(cell: Cell) -> dict[str, Any]:
    """Run one cell."""
    known, start = world(cell.oracle), time.perf_counter()
    draws = [draw(cell, known, number) for number in range(cell.draws)]
    aucs = [one.true_auc for one in draws]
    rows = [
        coverage("AUC", [one.auc for one in draws], aucs),
        coverage("AUC, pooled DeLong", [one.naive for one in draws], aucs),
        coverage("sensitivity", [one.sensitivity for one in draws], [one.true_sensitivity for one in draws]),
        coverage("specificity", [one.specificity for one in draws], [one.true_specificity for one in draws]),
    ]
    if cell.oracle > 0.5:
        rows.append(coverage("calibration slope", [one.slope for one in draws], [one.true_slope for one in draws]))
    covered = np.array([one.covered for one in draws])
    promised = realised_coverage(round(cell.prevalence * cell.patients))
    return {
        "cell": asdict(cell),
        "seconds": time.perf_counter() - start,
        "intervals": [asdict(row) for row in rows],
        "conformal": {
            "promised": 1 - MISSED,
            "mean": float(covered.mean()),
            "range": [float(value) for value in np.quantile(covered, [0.05, 0.95])],
            "promised_range": list(promised),
        },
    }


def _table(document: dict[str, Any]) -> str:
    lines = [
        "# How often the 95 % intervals of a specialist hold the truth",
        "",
        "Written by `python -m benchmarks.coverage`; do not edit. *Expected*: the mean of final models that the",
        "procedure makes from so many cases, which the interval is for; *own*: the truth about the very model. In",
        "brackets the 95 % interval of the simulation itself. *Above*, *below*: intervals that miss on that side.",
        "",
        "| patients | images | prevalence | figure | truth | expected | own | above | below | bias | width |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for measured in document["cells"]:
        cell = measured["cell"]
        for row in measured["intervals"]:
            covers, own = row["covers"], row["own"]
            lines.append(
                f"| {cell['patients']} | {cell['images']} | {cell['prevalence']} | {row['figure']} "
                f"| {row['truth']:.3f} | {covers['value']:.3f} ({covers['low']:.3f} to {covers['high']:.3f}) "
                f"| {own['value']:.3f} | {row['too_high']:.3f} | {row['too_low']:.3f} "
                f"| {row['bias']:+.3f} | {row['width']:.3f} |"
            )
    lines += [
        "",
        "## Conformal sets: coverage of the positive class on new cases, promised 90 %",
        "",
        "| patients | images | prevalence | mean | 5 to 95 % of data sets | told beforehand |",
        "|---|---|---|---|---|---|",
    ]
    for measured in document["cells"]:
        cell, sets = measured["cell"], measured["conformal"]
        low, high = sets["range"]
        least, most = sets["promised_range"]
        lines.append(
            f"| {cell['patients']} | {cell['images']} | {cell['prevalence']} | {sets['mean']:.3f} "
            f"| {low:.3f} to {high:.3f} | {least:.3f} to {most:.3f} |"
        )
    draws = ", ".join(str(measured["cell"]["draws"]) for measured in document["cells"])
    lines += ["", f"Data sets a cell: {draws}. Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


def write(path: Path, cells: list[dict[str, Any]]) -> None:
    """Write the JSON file and the table beside it."""
    document = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("consilium", "numpy")}},
        "seed": SEED,
        "features": FEATURES,
        "cells": cells,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(_table(document), encoding="utf-8")


@click.command()
@click.option("--draws", type=int, help="Data sets a cell, instead of its own number.")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="The JSON file.")
@click.option("--resume", is_flag=True, help="Keep the cells that the file already has.")
def main(draws: int | None, out: Path, resume: bool) -> None:
    """Measure all cells."""
    before = json.loads(out.read_text(encoding="utf-8"))["cells"] if resume and out.exists() else []
    cells: list[dict[str, Any]] = []
    for cell in CELLS:
        chosen = cell if draws is None else replace(cell, draws=draws)
        known = [measured for measured in before if measured["cell"] == asdict(chosen)]
        cells.append(known[0] if known else measure(chosen))
        write(out, cells)
        row = cells[-1]["intervals"][0]
        click.echo(f"{chosen}: {row['covers']['value']:.3f} of {row['truth']:.3f}, {cells[-1]['seconds']:.0f} s")


if __name__ == "__main__":
    main()
