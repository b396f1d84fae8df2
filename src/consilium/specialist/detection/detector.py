"""Boxes learnt from a few hundred pictures: a first look proposes them, a second one names and moves them.

Whether the second look is worth it, what a score means and from which score a box is reported are settled on folds of
the training pictures that no patient crosses, toward the simpler by the rule of one standard error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ModelError, UnusableDataset
from consilium.generalist.encoder import Encoder
from consilium.specialist.detection.average_precision import average_precision, best_thresholds, outcomes_of
from consilium.specialist.detection.box_network import EDGES, BoxNetwork
from consilium.specialist.detection.boxes import Boxes, merged
from consilium.specialist.detection.first_look import FirstLook, fit_first_look
from consilium.specialist.detection.pyramid import PyramidFeatures, pyramid_features
from consilium.specialist.detection.score_calibration import calibrated, fit_calibration
from consilium.specialist.detection.second_look import SecondLook, fit_second_look
from consilium.specialist.ladder import Choice, Rung, choose_rung
from consilium.specialist.two_sides import Picture

Codes = NDArray[np.intp]

WAYS = ("one look", "two looks")
"""The simplest first."""

SIDE = 512
_FOLDS = 2
_FINE, _COARSE = 4, 8
_SMALL = 48.0
"""An object shorter than this many pixels of the resized picture needs the finer grid."""
_HIDDEN, _HIDDEN_OF_BOXES = 64, 64
_PROPOSED, _PROPOSED_APART, _PROPOSED_MOST = 0.05, 0.6, 50
_KEPT, _APART, _TOGETHER, _MOST = 0.02, 0.45, 0.6, 100
_LEVELS = (0, 5)
"""Overlaps of .5 and .75: the choice is made by the mean precision at both."""
_STATE = 1


@dataclass(frozen=True, kw_only=True)
class Detector:
    """A fitted detection specialist.

    Attributes:
        first: proposes boxes.
        second: names and moves them; None where one look is as good.
        lines: (classes, 2) slope and offset that turn scores into how often a box is right.
        thresholds: score of each class from which a box is reported.
        side: pixels to which a picture is resized for the encoder.
        modality: told to the encoder.
        encoder: fingerprint of the encoder whose features it reads.
        labels: of the classes.
        choice: how the way was chosen; None where it was given.
    """

    first: FirstLook
    second: SecondLook | None
    lines: NDArray[np.float64]
    thresholds: tuple[float, ...]
    side: int
    modality: str | None
    encoder: str
    labels: tuple[str, ...]
    choice: Choice | None = None

    def check(self, encoder: Encoder) -> None:
        """Refuse an encoder whose features mean something else.

        Raises:
            ModelError: the detector was fitted on the features of another one.
        """
        if encoder.fingerprint != self.encoder:
            raise ModelError(
                f"the detector was fitted on the features of another encoder than {encoder.name}",
                way_out="Use the encoder it was fitted with, or fit it again.",
            )


def fit_detector(
    encoder: Encoder,
    features: Sequence[PyramidFeatures],
    boxes: Sequence[Boxes],
    groups: Codes,
    *,
    side: int,
    labels: Sequence[str],
    modality: str | None = None,
    seed: int = 0,
) -> Detector:
    """Fit a detector.

    Args:
        encoder: that made the features.
        features: of each picture.
        boxes: true ones of each picture.
        groups: (n,) patients; none is in two inner folds.
        side: at which the features were made.
        labels: of the classes.
        modality: with which the features were made.
        seed: of folds, lots and first weights.

    Raises:
        UnusableDataset: there is no box, a class without a label, or there are too few patients for folds.
    """
    _check(boxes, groups, labels)
    rng = np.random.default_rng(seed)
    names = np.unique(groups, return_inverse=True)[1]
    fold = (rng.permutation(int(names.max()) + 1) % _FOLDS)[names]
    count = len(labels)
    size: dict[str, Any] = {"classes": count, "rng": rng, "seed": seed}
    fields = side // (_FINE if _shortest(features, boxes, side) < _SMALL else _COARSE)

    def first_of(rows: Codes) -> FirstLook:
        return fit_first_look(_of(features, rows), _of(boxes, rows), fields=fields, hidden=_HIDDEN, **size)

    def second_of(rows: Codes, proposed: Sequence[Boxes]) -> SecondLook:
        return fit_second_look(
            _of(features, rows), _of(boxes, rows), _of(proposed, rows), hidden=_HIDDEN_OF_BOXES, **size
        )

    apart = [first_of(np.flatnonzero(fold != part)) for part in range(_FOLDS)]
    proposed = [_proposed(apart[part], one) for part, one in zip(fold, features, strict=True)]
    again = [second_of(np.flatnonzero(fold != part), proposed) for part in range(_FOLDS)]
    found = {
        "one look": [_finished(one) for one in proposed],
        "two looks": [
            _finished(again[part].look(one, ours, least=_KEPT))
            for part, one, ours in zip(fold, features, proposed, strict=True)
        ],
    }
    losses = {way: np.array([_loss(*pair, count) for pair in zip(found[way], boxes, strict=True)]) for way in WAYS}
    choice = choose_rung([Rung(name=way, losses=losses[way]) for way in WAYS], groups)
    taken = found[choice.taken]
    lines = fit_calibration(taken, boxes, count)
    every = np.arange(len(features))
    return Detector(
        first=first_of(every),
        second=second_of(every, proposed) if choice.taken == "two looks" else None,
        lines=lines,
        thresholds=best_thresholds([calibrated(one, lines) for one in taken], boxes, count),
        side=side,
        modality=modality,
        encoder=encoder.fingerprint,
        labels=tuple(labels),
        choice=choice,
    )


def _of(values: Sequence[Any], rows: Codes) -> list[Any]:
    return [values[row] for row in rows.tolist()]


def _check(boxes: Sequence[Boxes], groups: Codes, labels: Sequence[str]) -> None:
    numbers = np.concatenate([one.classes for one in boxes]) if boxes else np.empty(0, np.intp)
    if not len(numbers):
        raise UnusableDataset("there is no box in any picture", way_out="Draw boxes round what is to be found.")
    if numbers.max() >= len(labels):
        raise UnusableDataset("a box has a class without a label", way_out="Name a label for each class.")
    for number, label in enumerate(labels):
        patients = np.unique(
            [group for one, group in zip(boxes, groups.tolist(), strict=True) if (one.classes == number).any()]
        )
        if len(patients) < 2 * _FOLDS:
            raise UnusableDataset(
                f"{label!r} has boxes of {len(patients)} patient(s), too few to choose anything on",
                way_out="Draw boxes in more pictures, or leave the class out.",
            )


def _shortest(features: Sequence[PyramidFeatures], boxes: Sequence[Boxes], side: int) -> float:
    """How short small objects (one in ten) are at their shorter side, in pixels of the resized picture."""
    short = [
        ((one.corners[:, 2:] - one.corners[:, :2]) * side / np.array(of.shape[::-1])).min(1)
        for one, of in zip(boxes, features, strict=True)
        if len(one)
    ]
    return float(np.percentile(np.concatenate(short), 10))


def _proposed(first: FirstLook, features: PyramidFeatures) -> Boxes:
    return first.propose(features, least=_PROPOSED, apart=_PROPOSED_APART, most=_PROPOSED_MOST)


def _finished(boxes: Boxes) -> Boxes:
    return merged(boxes, apart=_APART, together=_TOGETHER, most=_MOST)


def _loss(found: Boxes, true: Boxes, count: int) -> float:
    """What the choice is made by: 1 less the mean precision over the classes of a picture; of an empty one, alarms."""
    worth = [
        average_precision(outcomes, level)
        for number in range(count)
        for outcomes in (outcomes_of([found], [true], number),)
        for level in _LEVELS
    ]
    if not len(true):
        return float(found.scores.max(initial=0.0))
    return 1 - float(np.nanmean(worth))


def detect_all(detector: Detector, features: PyramidFeatures) -> Boxes:
    """Every box of a picture that is worth a score, also those that are not reported; the measure of a curve."""
    found = _proposed(detector.first, features)
    if detector.second is not None:
        found = detector.second.look(features, found, least=_KEPT)
    return calibrated(_finished(found), detector.lines)


def reported(detector: Detector, boxes: Boxes) -> Boxes:
    """Those boxes that reach the threshold of their class, the surest first."""
    kept = boxes.chosen(boxes.scores >= np.array(detector.thresholds)[boxes.classes])
    return kept.chosen(np.argsort(-kept.scores, kind="stable"))


@dataclass(frozen=True, kw_only=True)
class Detection:
    """One object that was found.

    Attributes:
        label: what it is.
        score: how often a box with such a score is right, 0 to 1.
        corners: left, top, right, bottom in pixels of the picture.
    """

    label: str
    score: float
    corners: tuple[float, float, float, float]


def detect(detector: Detector, encoder: Encoder, picture: Picture) -> tuple[Detection, ...]:
    """Find objects in a picture (H, W, 3) float32 0..1; the surest first.

    Raises:
        ModelError: the detector was fitted on the features of another encoder.
    """
    detector.check(encoder)
    (features,) = pyramid_features(encoder, [picture], side=detector.side, modality=detector.modality)
    return detections(detector, reported(detector, detect_all(detector, features)))


def detections(detector: Detector, boxes: Boxes) -> tuple[Detection, ...]:
    """Boxes with the names of their labels."""
    return tuple(
        Detection(label=detector.labels[number], score=float(score), corners=tuple(corners))
        for corners, number, score in zip(boxes.corners.tolist(), boxes.classes.tolist(), boxes.scores, strict=True)
    )


def detector_state(detector: Detector) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]]:
    """What has to be kept of a detector: values that JSON can hold, and named arrays."""
    networks = {"first": detector.first.network}
    if detector.second is not None:
        networks["second"] = detector.second.network
    arrays: dict[str, NDArray[np.generic]] = {"lines": detector.lines}
    for name, network in networks.items():
        for layer, (weights, offset) in (("1", network.first), ("2", network.second)):
            arrays[f"{name}_weights{layer}"], arrays[f"{name}_offset{layer}"] = weights, offset
    document = {
        "version": _STATE,
        "task": "detect",
        "fields": detector.first.fields,
        "thresholds": list(detector.thresholds),
        "side": detector.side,
        "modality": detector.modality,
        "encoder": detector.encoder,
        "labels": list(detector.labels),
        "choice": None if detector.choice is None else asdict(detector.choice),
    }
    return document, arrays


def detector_of(document: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]) -> Detector:
    """A detector from what `detector_state` kept; how it was chosen is not restored.

    Raises:
        ModelError: the state is incomplete, or of another version.
    """
    try:
        if document["version"] != _STATE or document["task"] != "detect":
            raise ValueError(f"version {document['version']!r}, task {document['task']!r}")
        labels = tuple(str(label) for label in document["labels"])
        thresholds = tuple(float(one) for one in document["thresholds"])
        lines = np.asarray(arrays["lines"], np.float64)
        if not len(labels) == len(thresholds) == len(lines) or lines.shape[1:] != (2,):
            raise ValueError(f"{len(labels)} labels, {len(thresholds)} thresholds, {len(lines)} lines")
        has_second = "second_weights1" in arrays
        return Detector(
            first=FirstLook(network=_network_of(arrays, "first", len(labels)), fields=int(document["fields"])),
            second=SecondLook(network=_network_of(arrays, "second", len(labels))) if has_second else None,
            lines=lines,
            thresholds=thresholds,
            side=int(document["side"]),
            modality=document["modality"],
            encoder=str(document["encoder"]),
            labels=labels,
        )
    except (KeyError, TypeError, ValueError, IndexError) as problem:
        raise ModelError(
            f"this is not the state of a detector ({problem})", way_out="Fit it again with this version."
        ) from problem


def _network_of(arrays: Mapping[str, NDArray[np.generic]], name: str, classes: int) -> BoxNetwork:
    first, second = (
        (
            np.asarray(arrays[f"{name}_weights{layer}"], np.float32),
            np.asarray(arrays[f"{name}_offset{layer}"], np.float32),
        )
        for layer in "12"
    )
    shapes = [first[0].shape, first[1].shape, second[0].shape, second[1].shape]
    hidden = first[1].shape[0]
    if shapes[0][1:] != (hidden,) or shapes[2] != (hidden, classes + 1 + EDGES) or shapes[3] != (classes + 1 + EDGES,):
        raise ValueError(f"layers of shapes {shapes}")
    return BoxNetwork(first=first, second=second)
