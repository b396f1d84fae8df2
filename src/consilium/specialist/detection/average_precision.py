"""How good found boxes are: average precision as COCO has it, FROC, and figures for each object and each patient.

Which found box is of which true one does not depend on the cases that are drawn: it is settled once a picture, and an
interval only weighs the outcome again. Average precision is that of Lin et al. 2014 (101 points of recall; a test holds
it against pycocotools); FROC is sensitivity by false alarms a picture (Bunch et al. 1977), its mean over 1/8 to 8 the
score of LUNA16 (Setio et al. 2017, Medical Image Analysis 42:1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.detection.boxes import Boxes, overlaps
from consilium.specialist.evidence.intervals import Estimate, bootstrap, logit_interval, proportion

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

THRESHOLDS = tuple(0.5 + 0.05 * step for step in range(10))
"""Overlaps from which a box counts as right; their mean is "AP@[.5:.95]"."""

FALSE_ALARMS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False alarms a picture at which sensitivity is told."""

_RECALLS = np.linspace(0, 1, 101)
_MOST = 100
_DRAWS = 1000
_EXACT = 1e-9


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What became of the found boxes of one class, the surest first.

    Attributes:
        scores: (d,) of all found boxes.
        right: (thresholds, d) whether each is of a true box that no surer one took.
        pictures: (d,) number of the picture that each is in.
        truths: (pictures,) number of true boxes.
    """

    scores: Array
    right: NDArray[np.bool_]
    pictures: Codes
    truths: Array


def outcomes_of(found: Sequence[Boxes], true: Sequence[Boxes], number: int) -> Outcomes:
    """Compare found and true boxes of a class, picture by picture."""
    scores, right, pictures = [np.empty(0)], [np.empty((len(THRESHOLDS), 0), np.bool_)], [np.empty(0, np.intp)]
    truths = np.array([float((one.classes == number).sum()) for one in true])
    for picture, (ours, theirs) in enumerate(zip(found, true, strict=True)):
        own = ours.chosen(ours.classes == number)
        own = own.chosen(np.argsort(-own.scores, kind="stable")[:_MOST])
        shared = overlaps(own.corners, theirs.corners[theirs.classes == number])
        scores.append(own.scores)
        right.append(np.stack([_taken(shared, least) for least in THRESHOLDS]))
        pictures.append(np.full(len(own), picture, np.intp))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return Outcomes(
        scores=np.concatenate(scores)[order],
        right=np.concatenate(right, axis=1)[:, order],
        pictures=np.concatenate(pictures)[order],
        truths=truths,
    )


def _taken(shared: Array, least: float) -> NDArray[np.bool_]:
    """Which of the found boxes (rows, the surest first) are right; each true one is used once."""
    right = np.zeros(len(shared), np.bool_)
    free = np.ones(shared.shape[1], np.bool_)
    for row, values in enumerate(shared):
        left = np.where(free, values, -1.0)
        if left.size and left.max() >= least:
            # Of equally good ones COCO takes the last.
            taken = len(left) - 1 - int(left[::-1].argmax())
            free[taken], right[row] = False, True
    return right


def average_precision(outcomes: Outcomes, level: int, weights: Array | None = None) -> float:
    """Average precision, 0 to 1; NaN where there is no true box.

    Args:
        outcomes: of one class.
        level: place in `THRESHOLDS`.
        weights: (pictures,), 1 each where left out.
    """
    weights = np.ones(len(outcomes.truths)) if weights is None else weights
    total = float(weights @ outcomes.truths)
    if total <= 0:
        return float("nan")
    weight = weights[outcomes.pictures]
    hits = np.cumsum(weight * outcomes.right[level])
    precision = hits / np.maximum(np.cumsum(weight), 1e-12)
    # The precision that one can have at this recall or at any beyond it.
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(envelope[np.searchsorted(hits / total, _RECALLS - 1e-12, side="left")].mean())


def sensitivities(classes: Sequence[Outcomes], weights: Array | None = None) -> Array:
    """Share of true boxes found (overlap .5) at each of `FALSE_ALARMS` a picture, all classes together, (7,)."""
    weights = np.ones(len(classes[0].truths)) if weights is None else weights
    total = sum(float(weights @ one.truths) for one in classes)
    if total <= 0:
        return np.full(len(FALSE_ALARMS), np.nan)
    order = np.argsort(-np.concatenate([one.scores for one in classes]), kind="stable")
    weight = np.concatenate([weights[one.pictures] for one in classes])[order]
    right = np.concatenate([one.right[0] for one in classes])[order]
    hits = np.append(0.0, np.cumsum(weight * right))
    alarms = np.append(0.0, np.cumsum(weight * ~right)) / weights.sum()
    return np.asarray(hits[np.searchsorted(alarms, FALSE_ALARMS, side="right") - 1] / total, np.float64)


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """What is told of one class.

    Attributes:
        label: its name.
        objects, pictures: true boxes, and pictures that have one.
        ap50, ap75, ap: average precision at an overlap of .5 and of .75, and its mean over .5 to .95.
        sensitivity: share of true boxes found at the threshold (per lesion).
        precision: share of found boxes at the threshold that are right.
        patients_found: share of patients with such an object of whom one at least was found (per patient).
        patients_clear: share of patients without such an object in whom none was reported.
        threshold: score from which a box is reported, a mean where each fold has its own.
    """

    label: str
    objects: int
    pictures: int
    ap50: Estimate
    ap75: Estimate
    ap: Estimate
    sensitivity: Estimate
    precision: Estimate
    patients_found: Estimate
    patients_clear: Estimate
    threshold: float


@dataclass(frozen=True, kw_only=True)
class DetectionFigures:
    """How good found boxes are.

    Attributes:
        pictures, patients: how many.
        map50, map75, map: means over the classes.
        classes: each class.
        false_alarms: a picture, 1/8 to 8.
        froc: sensitivity at each of them, all classes together.
        froc_mean: mean of those.
    """

    pictures: int
    patients: int
    map50: Estimate
    map75: Estimate
    map: Estimate
    classes: tuple[ClassFigures, ...]
    false_alarms: tuple[float, ...]
    froc: tuple[Estimate, ...]
    froc_mean: Estimate


def detection_figures(
    found: Sequence[Boxes],
    true: Sequence[Boxes],
    groups: Codes,
    *,
    labels: Sequence[str],
    thresholds: Array,
    draws: int = _DRAWS,
) -> DetectionFigures:
    """Hold found boxes against true ones.

    Args:
        found: of each picture, with scores; also those below the thresholds.
        true: of each picture.
        groups: (pictures,) patients.
        labels: of the classes.
        thresholds: (classes,) or (pictures, classes), score of each class from which a box is reported.
        draws: of the bootstrap over patients.
    """
    outcomes = [outcomes_of(found, true, number) for number in range(len(labels))]
    levels = np.broadcast_to(np.asarray(thresholds, np.float64), (len(true), len(labels)))

    def patients_with(chosen: Sequence[Outcomes]) -> int:
        """Of the rarest of some classes."""
        return min(len(np.unique(groups[one.truths > 0])) for one in chosen)

    def estimated(statistic: Callable[[Array], float], chosen: Sequence[Outcomes] = outcomes) -> Estimate:
        return estimated_share(statistic, groups, patients_with(chosen), draws=draws)

    def precision_of(chosen: Sequence[Outcomes], levels: Sequence[int]) -> Estimate:
        def mean(weights: Array) -> float:
            values = np.array([[average_precision(one, level, weights) for level in levels] for one in chosen]).mean(1)
            return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")

        return estimated(mean, chosen)

    every = range(len(THRESHOLDS))
    classes = []
    for number, (label, one, threshold) in enumerate(zip(labels, outcomes, levels.T, strict=True)):
        hits, told = _at_threshold(one, threshold)
        found_in, clear = _of_patients(found, true, groups, number, threshold)
        classes.append(
            ClassFigures(
                label=label,
                objects=int(one.truths.sum()),
                pictures=int((one.truths > 0).sum()),
                ap50=precision_of([one], [0]),
                ap75=precision_of([one], [5]),
                ap=precision_of([one], every),
                sensitivity=estimated(_ratio(hits, one.truths), [one]),
                precision=estimated(_ratio(hits, told), [one]),
                patients_found=found_in,
                patients_clear=clear,
                threshold=float(threshold.mean()),
            )
        )
    return DetectionFigures(
        pictures=len(true),
        patients=len(np.unique(groups)),
        map50=precision_of(outcomes, [0]),
        map75=precision_of(outcomes, [5]),
        map=precision_of(outcomes, every),
        classes=tuple(classes),
        false_alarms=FALSE_ALARMS,
        froc=tuple(estimated(partial(_sensitivity, outcomes, place)) for place in range(len(FALSE_ALARMS))),
        froc_mean=estimated(lambda weights: float(sensitivities(outcomes, weights).mean())),
    )


def estimated_share(
    statistic: Callable[[Array], float], groups: Codes, patients: int, *, draws: int = _DRAWS
) -> Estimate:
    """A figure of 0 to 1 with its interval over patients.

    Args:
        statistic: the figure, of one weight a picture, (n,).
        groups: (n,) patients.
        patients: that have what is counted, of the rarest class. Where all is found, or nothing, every draw says the
            same, which is no certainty; the other end of the interval is then that of Clopper and Pearson.
        draws: of the bootstrap.
    """
    found = bootstrap(statistic, groups, draws=draws)
    ends = [end for end in (0.0, 1.0) if abs(found.value - end) < _EXACT]
    return logit_interval(ends[0], 0.0, patients, "") if ends else found


def _sensitivity(outcomes: Sequence[Outcomes], place: int, weights: Array) -> float:
    return float(sensitivities(outcomes, weights)[place])


def _ratio(part: Array, whole: Array) -> Callable[[Array], float]:
    """A share of sums over weighted pictures; NaN of nothing."""

    def share(weights: Array) -> float:
        total = float(weights @ whole)
        return float(weights @ part) / total if total > 0 else float("nan")

    return share


def _at_threshold(outcomes: Outcomes, threshold: Array) -> tuple[Array, Array]:
    """Hits and reported boxes of each picture, (pictures,) each."""
    count = len(outcomes.truths)
    reported = outcomes.scores >= threshold[outcomes.pictures]
    hits, told = (
        np.bincount(outcomes.pictures[rows], minlength=count).astype(np.float64)
        for rows in (reported & outcomes.right[0], reported)
    )
    return hits, told


def _of_patients(
    found: Sequence[Boxes], true: Sequence[Boxes], groups: Codes, number: int, threshold: Array
) -> tuple[Estimate, Estimate]:
    """Share of patients with the object of whom one was rightly found, and of those without in whom none was seen."""
    has: dict[int, bool] = {}
    seen: dict[int, bool] = {}
    alarmed: dict[int, bool] = {}
    for ours, theirs, group, least in zip(found, true, groups.tolist(), threshold, strict=True):
        own = ours.chosen((ours.classes == number) & (ours.scores >= least))
        there = theirs.corners[theirs.classes == number]
        hit = bool(len(there) and len(own) and (overlaps(own.corners, there) >= THRESHOLDS[0]).any())
        has[group] = has.get(group, False) or len(there) > 0
        seen[group] = seen.get(group, False) or hit
        alarmed[group] = alarmed.get(group, False) or len(own) > 0
    with_it, without = [one for one in has if has[one]], [one for one in has if not has[one]]
    return (
        proportion(np.array([float(seen[one]) for one in with_it]), np.arange(len(with_it))),
        proportion(np.array([float(not alarmed[one]) for one in without]), np.arange(len(without))),
    )


def best_thresholds(found: Sequence[Boxes], true: Sequence[Boxes], count: int) -> tuple[float, ...]:
    """For each of `count` classes, the score at which sensitivity and precision are best together (largest F1)."""
    chosen = []
    for number in range(count):
        one = outcomes_of(found, true, number)
        if not len(one.scores):
            chosen.append(0.5)
            continue
        hits = np.cumsum(one.right[0])
        agreement = 2 * hits / (np.arange(1, len(hits) + 1) + max(one.truths.sum(), 1))
        best = int(np.argmax(agreement))
        below = one.scores[best + 1] if best + 1 < len(hits) else 0.0
        chosen.append(float((one.scores[best] + below) / 2))
    return tuple(chosen)
