"""How good a detector is that is made in this way from these pictures: each is judged by one that had not seen it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.errors import UnusableDataset
from consilium.generalist.encoder import Encoder
from consilium.specialist.detection.average_precision import DetectionFigures, detection_figures
from consilium.specialist.detection.boxes import Boxes, no_boxes
from consilium.specialist.detection.detector import Detector, detect_all, fit_detector
from consilium.specialist.detection.pyramid import PyramidFeatures

FOLDS = 5

Codes = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class ValidatedDetector:
    """A detector of all pictures, and what detectors made in the same way are worth.

    Attributes:
        detector: learnt from all pictures.
        figures: from the folds.
        found: boxes of each picture, also those below the threshold, by a detector that had not seen its patient.
        thresholds: (pictures, classes) of that detector.
        fold: (pictures,) in which each was judged.
    """

    detector: Detector
    figures: DetectionFigures
    found: tuple[Boxes, ...]
    thresholds: NDArray[np.float64]
    fold: Codes

    @property
    def reported(self) -> tuple[Boxes, ...]:
        """Of `found`, the boxes that reach their threshold."""
        return tuple(
            one.chosen(one.scores >= least[one.classes]) for one, least in zip(self.found, self.thresholds, strict=True)
        )


def validate_detector(
    encoder: Encoder,
    features: Sequence[PyramidFeatures],
    boxes: Sequence[Boxes],
    groups: Codes,
    *,
    side: int,
    labels: Sequence[str],
    modality: str | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> ValidatedDetector:
    """Fit a detector, and judge the way it is made on folds that no patient crosses, its choices included.

    Args:
        encoder: that made the features.
        features: of each picture.
        boxes: true ones.
        groups: (n,) patients.
        side: at which the features were made.
        labels: of the classes.
        modality: with which the features were made.
        seed: of folds, lots and first weights.
        progress: told how many of how many detectors are fitted.

    Raises:
        UnusableDataset: too few patients for folds, or what `fit_detector` refuses.
    """
    fold = folds_of(boxes, groups, classes=len(labels), seed=seed)
    found = [no_boxes()] * len(boxes)
    thresholds = np.zeros((len(boxes), len(labels)))
    for part in range(FOLDS):
        taught, asked = np.flatnonzero(fold != part).tolist(), np.flatnonzero(fold == part).tolist()
        one = fit_detector(
            encoder, [features[row] for row in taught], [boxes[row] for row in taught], groups[taught],
            side=side, labels=labels, modality=modality, seed=seed,
        )  # fmt: skip
        for row in asked:
            found[row], thresholds[row] = detect_all(one, features[row]), one.thresholds
        if progress is not None:
            progress(part + 1, FOLDS + 1)
    detector = fit_detector(encoder, features, boxes, groups, side=side, labels=labels, modality=modality, seed=seed)
    if progress is not None:
        progress(FOLDS + 1, FOLDS + 1)
    return ValidatedDetector(
        detector=detector,
        figures=detection_figures(found, boxes, groups, labels=labels, thresholds=thresholds),
        found=tuple(found),
        thresholds=thresholds,
        fold=fold,
    )


def folds_of(boxes: Sequence[Boxes], groups: Codes, *, classes: int, seed: int) -> Codes:
    """The fold (n,) of each picture: patients stay together, and those with rare classes are dealt out evenly.

    Raises:
        UnusableDataset: a class has boxes of fewer patients than there are folds.
    """
    names = np.unique(groups, return_inverse=True)[1]
    has = np.zeros((int(names.max(initial=-1)) + 1, classes), np.bool_)
    for one, name in zip(boxes, names.tolist(), strict=True):
        has[name, one.classes] = True
    patients = has.sum(0)
    if not len(has) or patients.min() < FOLDS:
        raise UnusableDataset(
            f"a class has boxes of {int(patients.min(initial=0))} patient(s); judging by folds needs {FOLDS}",
            way_out="Draw boxes in more pictures, or leave the class out.",
        )
    # Dealt out like cards, in the order of what they hold, the rarest class first; within equals by lot.
    lots = np.random.default_rng(seed).permutation(len(has))
    order = np.lexsort([lots, *(~has[:, number] for number in np.argsort(-patients))])
    dealt = np.empty(len(has), np.intp)
    dealt[order] = np.arange(len(has)) % FOLDS
    return dealt[names]
