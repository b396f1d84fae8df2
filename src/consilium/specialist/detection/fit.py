"""From cases with boxes to a model that finds, and to what can honestly be said about it.

Every case is searched by a detector that has not seen its patient; then one learns from all of them. Where there are
not enough cases, a model is still made and marked: it never answers without saying that it was not validated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilium.errors import UnusableDataset
from consilium.generalist.encoder import Encoder
from consilium.specialist.detection.average_precision import average_precision, estimated_share, outcomes_of
from consilium.specialist.detection.boxed_cases import BoxedCases
from consilium.specialist.detection.boxes import Boxes
from consilium.specialist.detection.cross_validate import FOLDS, ValidatedDetector, validate_detector
from consilium.specialist.detection.detector import Detector, detect_all, fit_detector, reported
from consilium.specialist.detection.doubtful import doubtful_boxes
from consilium.specialist.detection.validation import BoxExternal, BoxValidation, CaseFinds, ListedDoubt
from consilium.specialist.duplicates import Duplicate, merged, same_features
from consilium.specialist.evidence.enough import FEWEST, NotEnough
from consilium.specialist.evidence.gate import Gate, fit_gate
from consilium.specialist.evidence.intervals import Estimate, proportion
from consilium.specialist.evidence.validation import Counts, Ledger
from consilium.specialist.splits import codes_of

Codes = NDArray[np.intp]
FITS = FOLDS + 1
"""Detectors that a validated fit makes."""
_MOST_DOUBTS = 100


@dataclass(frozen=True, kw_only=True)
class BoxResult:
    """A fitted detector and what is known of it.

    Attributes:
        detector: the model.
        gate: on image vectors.
        validation: how good it is.
        cases: what it was fitted on.
        used: (n,) cases that it learnt from.
        found: of each case, the boxes that were reported out of fold, or by the final model where the case was set
            aside; None where there are none to show.
    """

    detector: Detector
    gate: Gate
    validation: BoxValidation
    cases: BoxedCases
    used: NDArray[np.bool_]
    found: tuple[Boxes | None, ...]


def fit_boxes(
    cases: BoxedCases,
    encoder: Encoder,
    *,
    modality: str | None = None,
    seed: int = 0,
    on_fit: Callable[[], None] = lambda: None,
) -> BoxResult:
    """Fit and validate a model of boxes.

    Args:
        cases: read, with their features.
        encoder: that made them.
        modality: with which they were made.
        seed: of folds, lots and first weights.
        on_fit: called after each of `FITS` detectors; once only where there is nothing to validate.

    Raises:
        UnusableDataset: nothing is boxed, or there are too few patients to choose anything on.
    """
    looked_at = cases.looked_at
    duplicates = (*looked_at.duplicates, *same_features(looked_at.features))
    told = codes_of(looked_at.dataset.groups)
    groups = merged(told, duplicates)
    aside = np.asarray(looked_at.dataset.set_aside, np.bool_)
    # A copy of a case that is set aside would have been learnt from.
    used = np.asarray(~aside & ~np.isin(groups, np.unique(groups[aside])), np.bool_)
    rows = np.flatnonzero(used)
    if not any(len(cases.boxes[row]) for row in rows):
        raise UnusableDataset(
            "there is no box in the cases that are not set aside",
            where=str(looked_at.dataset.origin),
            way_out="Draw some in them.",
        )
    boxes, features = [cases.boxes[row] for row in rows], [cases.features[row] for row in rows]
    own = codes_of(groups[rows])
    validation = _described(cases, boxes, own, seed)
    found: list[Boxes | None] = [None] * len(cases.boxes)
    vectors = looked_at.features[rows]
    if validation.not_enough and not _enough(validation):
        detector = fit_detector(
            encoder, features, boxes, own, side=cases.side, labels=cases.labels, modality=modality, seed=seed
        )
        on_fit()
        apart = own if len(np.unique(own)) > 1 else np.arange(len(own))
        gate, _ = fit_gate(vectors, own, apart[None])
        return BoxResult(
            detector=detector, gate=gate, validation=validation, cases=cases, used=used, found=tuple(found)
        )
    validated = validate_detector(
        encoder, features, boxes, own, side=cases.side, labels=cases.labels, modality=modality, seed=seed,
        progress=lambda _done, _of: on_fit(),
    )  # fmt: skip
    detector = validated.detector
    gate, report = fit_gate(vectors, own, validated.fold[None])
    for row, one in zip(rows.tolist(), validated.reported, strict=True):
        found[row] = one
    validation = _judged(validation, validated, boxes, rows, cases.labels)
    ledger = Ledger(
        folds=FOLDS,
        repeats=1,
        cases=tuple(rows.tolist()),
        assigned=(tuple(validated.fold.tolist()),),
        duplicates=duplicates,
        contradictions=_disagreeing(cases),
        patients_told=len(np.unique(told)),
        seed=seed,
    )
    validation = replace(
        validation,
        ledger=ledger,
        gate=report,
        taken="" if detector.choice is None else detector.choice.taken,
        external=_external(cases, detector, gate, np.flatnonzero(aside), groups, found),
    )
    return BoxResult(detector=detector, gate=gate, validation=validation, cases=cases, used=used, found=tuple(found))


def _described(cases: BoxedCases, boxes: Sequence[Boxes], groups: Codes, seed: int) -> BoxValidation:
    """What is to be said before anything is fitted."""
    has = present(boxes, len(cases.labels))
    patients = {label: len(np.unique(groups[has[:, place]])) for place, label in enumerate(cases.labels)}
    numbers = np.concatenate([one.classes for one in boxes])
    return BoxValidation(
        task="detect",
        labels=cases.labels,
        counts=Counts(
            cases=len(boxes),
            patients=len(np.unique(groups)),
            cases_of_label={label: int(has[:, place].sum()) for place, label in enumerate(cases.labels)},
            patients_of_label=patients,
        ),
        objects={label: int((numbers == place).sum()) for place, label in enumerate(cases.labels)},
        ledger=None,
        not_enough=tuple(
            NotEnough(figure=f"any figure of {label}", counted=f"patients with {label}", found=count, needed=FEWEST)
            for label, count in patients.items()
            if count < FEWEST
        ),
        seed=seed,
    )


def present(boxes: Sequence[Boxes], count: int) -> NDArray[np.bool_]:
    """(n, count) whether each picture has a box of each label."""
    return np.array([np.isin(np.arange(count), one.classes) for one in boxes], np.bool_)


def _enough(validation: BoxValidation) -> bool:
    """Whether folds can be dealt, and at least one label has enough patients for figures."""
    patients = validation.counts.patients_of_label.values()
    return min(patients) >= FOLDS and max(patients) >= FEWEST


def _judged(
    before: BoxValidation, validated: ValidatedDetector, boxes: Sequence[Boxes], rows: Codes, labels: Sequence[str]
) -> BoxValidation:
    figures = validated.figures
    short = {label for label, count in before.counts.patients_of_label.items() if count < FEWEST}
    doubts = doubtful_boxes(validated.found, boxes)
    return replace(
        before,
        figures=tuple(one for one in figures.classes if one.label not in short),
        ap50=figures.map50,
        ap75=figures.map75,
        ap=figures.map,
        false_alarms=figures.false_alarms,
        froc=figures.froc,
        froc_mean=figures.froc_mean,
        finds=tuple(
            finds_of(ours, true, int(row), len(labels))
            for ours, true, row in zip(validated.reported, boxes, rows, strict=True)
        ),
        doubtful=tuple(
            ListedDoubt(
                case=int(rows[one.picture]), doubt=one.doubt, label=labels[one.number], corners=one.corners,
                score=one.score,
            )
            for one in doubts[:_MOST_DOUBTS]
        ),
        doubts=len(doubts),
    )  # fmt: skip


def finds_of(found: Boxes, true: Boxes, case: int, count: int) -> CaseFinds:
    """Count what was found in a picture, at an overlap of one half."""
    hits = sum(int(outcomes_of([found], [true], number).right[0].sum()) for number in range(count))
    return CaseFinds(case=case, true=len(true), hits=hits, missed=len(true) - hits, surplus=len(found) - hits)


def ap50_of(found: Sequence[Boxes], true: Sequence[Boxes], count: int) -> Callable[[NDArray[np.float64]], float]:
    """Average precision at an overlap of .5, the mean over the labels that are there, as a function of weights (n,)."""
    outcomes = [outcomes_of(found, true, number) for number in range(count)]

    def mean(weights: NDArray[np.float64]) -> float:
        values = np.array([average_precision(one, 0, weights) for one in outcomes])
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")

    return mean


def _external(
    cases: BoxedCases, detector: Detector, gate: Gate, aside: Codes, groups: Codes, found: list[Boxes | None]
) -> BoxExternal | None:
    """The cases that were set aside, looked at once."""
    if not len(aside):
        return None
    true = [cases.boxes[row] for row in aside]
    every = [detect_all(detector, cases.features[row]) for row in aside]
    told = [reported(detector, one) for one in every]
    for row, one in zip(aside.tolist(), told, strict=True):
        found[row] = one
    own = codes_of(groups[aside])
    patients = len(np.unique(own[[len(one) > 0 for one in true]]))
    ap50: Estimate | NotEnough
    if patients < FEWEST:
        ap50 = NotEnough(figure="AP50", counted="patients with a box, set aside", found=patients, needed=FEWEST)
    else:
        ap50 = estimated_share(ap50_of(every, true, len(cases.labels)), own, patients)
    away = gate.turned_away(cases.looked_at.features[aside])
    return BoxExternal(
        cases=len(aside),
        patients=len(np.unique(own)),
        ap50=ap50,
        turned_away=proportion(away.astype(np.float64), own),
        finds=tuple(
            finds_of(ours, theirs, int(row), len(cases.labels))
            for ours, theirs, row in zip(told, true, aside, strict=True)
        ),
    )


def _disagreeing(cases: BoxedCases) -> tuple[Duplicate, ...]:
    """Copies with another number of boxes of some label."""
    count = len(cases.labels)

    def counts(row: int) -> list[int]:
        counted: list[int] = np.bincount(cases.boxes[row].classes, minlength=count).tolist()
        return counted

    return tuple(pair for pair in cases.looked_at.duplicates if counts(pair.first) != counts(pair.second))
