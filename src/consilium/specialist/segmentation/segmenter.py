"""Outlines learnt from a few hundred pictures: frozen features of pixels, a small classifier, and a rule that ends it.

How the classifier is made (linear, or with a hidden layer) and from which probability a pixel belongs to the object are
chosen on folds of the training cases that no patient crosses, toward the simpler by the rule of one standard error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consilium.errors import ModelError, UnusableDataset
from consilium.generalist.encoder import Encoder
from consilium.specialist.ladder import Choice, Rung, choose_rung
from consilium.specialist.segmentation.objects import edges_of, objects_of
from consilium.specialist.segmentation.overlap import Labels, dice, objects_found
from consilium.specialist.segmentation.pixel_classifier import PixelClassifier, draw_pixels, fit_pixel_classifier
from consilium.specialist.segmentation.pixel_features import PixelFeatures, pixel_features
from consilium.specialist.two_sides import Picture

Kind = Literal["one object", "regions", "objects"]
Codes = NDArray[np.intp]

WAYS: Mapping[str, int] = {"linear": 0, "hidden layer": 48}
"""Ways of making the classifier and the units of their hidden layer, the simplest first."""

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9)
SMOOTHING: Mapping[Kind, float] = {"one object": 2.0, "regions": 1.0, "objects": 0.5}
"""Deviation, in pixels, of the Gaussian by which probabilities are smoothed; small objects bear little."""
_PIXELS, _PIXELS_IN_ALL = 450, 80_000
_INNER_FOLDS = 2
SHARE_OF_ONE = 0.95
"""Share of masks with a single part from which a task is one of a single object."""
_STATE = 1


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is done with the probabilities.

    Attributes:
        kind: "one object": the largest part stays, its holes are filled; "regions": every pixel for itself, several
            classes allowed; "objects": many of one class, told apart.
        threshold: probability from which a pixel is not background.
        smoothing: deviation, in pixels, of the Gaussian by which probabilities are smoothed.
        smallest: pixels of the smallest object ("objects").
    """

    kind: Kind
    threshold: float = 0.5
    smoothing: float = 1.0
    smallest: int = 1


@dataclass(frozen=True, kw_only=True)
class Segmenter:
    """A fitted segmentation specialist.

    Attributes:
        classifier: of pixels; of "objects" its classes are background, inner part and edge.
        rule: what is done with its probabilities.
        side: pixels to which a picture is resized for the encoder.
        modality: told to the encoder.
        encoder: fingerprint of the encoder whose features it reads.
        labels: names of what is outlined, without the background.
        choice: how the classifier was chosen; None where it was given.
    """

    classifier: PixelClassifier
    rule: Rule
    side: int
    modality: str | None
    encoder: str
    labels: tuple[str, ...]
    choice: Choice | None = None

    def check(self, encoder: Encoder) -> None:
        """Refuse an encoder whose features mean something else.

        Raises:
            ModelError: the segmenter was fitted on the features of another one.
        """
        if encoder.fingerprint != self.encoder:
            raise ModelError(
                f"the segmenter was fitted on the features of another encoder than {encoder.name}",
                way_out="Use the encoder it was fitted with, or fit it again.",
            )


def apply_rule(probabilities: NDArray[np.float32], rule: Rule) -> Labels:
    """Mask (...) of probabilities (classes, ...): numbers of classes, or of objects; 0 is background."""
    probabilities = _smoothed(probabilities, rule.smoothing)
    if rule.kind == "objects":
        return objects_of(probabilities, threshold=rule.threshold, smallest=rule.smallest)
    found = np.where(1 - probabilities[0] >= rule.threshold, 1 + probabilities[1:].argmax(0), 0)
    if rule.kind == "regions":
        return np.asarray(found, np.intp)
    kept = np.zeros(found.shape, np.intp)
    for number in range(1, len(probabilities)):
        parts, count = ndimage.label(found == number)
        if count:
            # The part with the most probability, not the widest: a faint shadow may be wider than a lesion.
            largest = 1 + int(np.argmax(np.bincount(parts.ravel(), (probabilities[number] ** 2).ravel())[1:]))
            kept[ndimage.binary_fill_holes(parts == largest)] = number
    return kept


def _smoothed(probabilities: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    if not deviation:
        return probabilities
    spread = (0.0, *(deviation,) * (probabilities.ndim - 1))
    return np.asarray(ndimage.gaussian_filter(probabilities, spread, truncate=3), np.float32)


def agreement(predicted: Labels, true: Labels, kind: Kind) -> float:
    """What the choice is made by: mean Dice over the classes; for objects the mean of Dice and precision at .5."""
    if kind == "objects":
        return (dice(predicted > 0, true > 0) + objects_found(predicted, true).precision) / 2
    numbers = range(1, max(int(true.max()), int(predicted.max()), 1) + 1)
    return float(np.mean([dice(predicted == number, true == number) for number in numbers]))


def kind_of(masks: Sequence[Labels], *, instances: bool = False) -> Kind:
    """What kind of task masks are of: one object where nearly all have a single part for each class."""
    if instances:
        return "objects"
    single = [
        all(ndimage.label(mask == number)[1] == 1 for number in np.unique(mask) if number)
        for mask in masks
        if mask.any()
    ]
    return "one object" if single and np.mean(single) >= SHARE_OF_ONE else "regions"


def pixels_drawn(pictures: int) -> int:
    """How many pixels are learnt from, at most, where there are so many pictures."""
    return min(_PIXELS * pictures, _PIXELS_IN_ALL)


def fit_segmenter(
    encoder: Encoder,
    features: Sequence[PixelFeatures],
    masks: Sequence[Labels],
    groups: Codes,
    *,
    side: int,
    modality: str | None = None,
    labels: tuple[str, ...] = ("object",),
    instances: bool = False,
    kind: Kind | None = None,
    ways: Mapping[str, int] = WAYS,
    seed: int = 0,
) -> Segmenter:
    """Choose and fit a segmenter on training cases.

    Args:
        encoder: that made the features.
        features: of the pixels of each picture.
        masks: (H, W) each: 0 is background, then the class of each pixel, or with `instances` the number of its object.
        groups: (n,) patients; none is in two inner folds.
        side: at which the features were made.
        modality: with which they were made.
        labels: names of the classes.
        instances: whether masks tell objects apart.
        kind: of the task; None: as the masks look.
        ways: to choose among, the simplest first.
        seed: of folds, lots and first weights.

    Raises:
        UnusableDataset: nothing is outlined, sizes do not agree, or there are too few patients for folds.
    """
    _check(features, masks, groups)
    kind = kind or kind_of(masks, instances=instances)
    targets = [edges_of(mask) if instances else mask for mask in masks]
    classes = 3 if instances else len(labels) + 1
    if max(int(target.max()) for target in targets) >= classes:
        raise UnusableDataset("a mask has more classes than there are labels", way_out="Name a label for each class.")
    smallest = _smallest(masks) if instances else 1
    most = max(min(_PIXELS, _PIXELS_IN_ALL // len(masks)), classes)
    rng = np.random.default_rng(seed)
    fold = rng.permutation(int(groups.max()) + 1)[groups] % _INNER_FOLDS
    apart = _apart(features, targets, fold, classes, ways, most, rng, seed)
    losses = {name: np.ones((len(THRESHOLDS), len(masks))) for name in ways}
    for name, found in apart.items():
        for case, probabilities in enumerate(found):
            smooth = _smoothed(probabilities, SMOOTHING[kind])
            for row, threshold in enumerate(THRESHOLDS):
                rule = Rule(kind=kind, threshold=threshold, smoothing=0, smallest=smallest)
                losses[name][row, case] = 1 - agreement(apply_rule(smooth, rule), masks[case], kind)
    best = {name: int(np.argmin(loss.mean(1))) for name, loss in losses.items()}
    choice = choose_rung([Rung(name=name, losses=losses[name][row]) for name, row in best.items()], groups)
    drawn, truth = draw_pixels(features, targets, most=most, rng=rng)
    return Segmenter(
        classifier=fit_pixel_classifier(drawn, truth, classes=classes, hidden=ways[choice.taken], seed=seed),
        rule=Rule(kind=kind, threshold=THRESHOLDS[best[choice.taken]], smoothing=SMOOTHING[kind], smallest=smallest),
        side=side,
        modality=modality,
        encoder=encoder.fingerprint,
        labels=labels,
        choice=choice,
    )


def _apart(
    features: Sequence[PixelFeatures],
    targets: Sequence[Labels],
    fold: Codes,
    classes: int,
    ways: Mapping[str, int],
    most: int,
    rng: np.random.Generator,
    seed: int,
) -> dict[str, list[NDArray[np.float32]]]:
    """Probabilities (classes, H, W) of each case by each way, from models that were not fitted on that case."""
    found: dict[str, list[NDArray[np.float32]]] = {name: [np.empty(0, np.float32)] * len(features) for name in ways}
    for part in range(_INNER_FOLDS):
        taught, asked = np.flatnonzero(fold != part).tolist(), np.flatnonzero(fold == part).tolist()
        drawn, truth = draw_pixels([features[i] for i in taught], [targets[i] for i in taught], most=most, rng=rng)
        for name, hidden in ways.items():
            classifier = fit_pixel_classifier(drawn, truth, classes=classes, hidden=hidden, seed=seed)
            for case in asked:
                found[name][case] = classifier.probabilities(features[case])
    return found


def _check(features: Sequence[PixelFeatures], masks: Sequence[Labels], groups: Codes) -> None:
    for number, (one, mask) in enumerate(zip(features, masks, strict=True)):
        if one.shape != mask.shape:
            raise UnusableDataset(
                f"case {number} has a picture of {one.shape} and a mask of {mask.shape} pixels",
                way_out="Give each mask the size of its picture.",
            )
    if not any(mask.any() for mask in masks):
        raise UnusableDataset("nothing is outlined in any mask", way_out="Give masks whose objects are not 0.")
    if len(np.unique(groups)) < 2 * _INNER_FOLDS:
        raise UnusableDataset(
            f"{len(np.unique(groups))} patients are too few to choose anything on", way_out="Outline more cases."
        )


def _smallest(masks: Sequence[Labels]) -> int:
    """Half the size of the second smallest in a hundred objects: what is smaller is debris."""
    sizes = np.concatenate([np.bincount(mask.ravel())[1:] for mask in masks])
    return max(int(np.percentile(sizes[sizes > 0], 2) / 2), 1)


def segment(segmenter: Segmenter, encoder: Encoder, picture: Picture) -> Labels:
    """Outline what is in a picture (H, W, 3) float32 0..1; the mask (H, W) has its size.

    Raises:
        ModelError: the segmenter was fitted on the features of another encoder.
    """
    segmenter.check(encoder)
    (features,) = pixel_features(encoder, [picture], side=segmenter.side, modality=segmenter.modality)
    return segment_features(segmenter, features)


def segment_features(segmenter: Segmenter, features: PixelFeatures) -> Labels:
    """Outline what is in a picture whose features are at hand."""
    return apply_rule(segment_probabilities(segmenter, features), segmenter.rule)


def segment_probabilities(segmenter: Segmenter, features: PixelFeatures) -> NDArray[np.float32]:
    """Probability of each class at each pixel (classes, H, W)."""
    return segmenter.classifier.probabilities(features)


def segmenter_state(segmenter: Segmenter) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """What has to be kept of a segmenter: values that JSON can hold, and named arrays."""
    arrays = {}
    for number, (weights, offset) in enumerate(segmenter.classifier.layers):
        arrays[f"weights{number}"], arrays[f"offset{number}"] = weights, offset
    document = {
        "version": _STATE,
        "task": "segment",
        "rule": asdict(segmenter.rule),
        "side": segmenter.side,
        "modality": segmenter.modality,
        "encoder": segmenter.encoder,
        "labels": list(segmenter.labels),
        "choice": None if segmenter.choice is None else asdict(segmenter.choice),
    }
    return document, arrays


def segmenter_of(document: Mapping[str, Any], arrays: Mapping[str, NDArray[np.float32]]) -> Segmenter:
    """A segmenter from what `segmenter_state` kept; how it was chosen is not restored.

    Raises:
        ModelError: the state is incomplete, or of another version.
    """
    try:
        if document["version"] != _STATE or document["task"] != "segment":
            raise ValueError(f"version {document['version']!r}, task {document['task']!r}")
        return Segmenter(
            classifier=_classifier_of(arrays),
            rule=replace(Rule(kind="regions"), **document["rule"]),
            side=int(document["side"]),
            modality=document["modality"],
            encoder=str(document["encoder"]),
            labels=tuple(document["labels"]),
        )
    except (KeyError, TypeError, ValueError, IndexError) as problem:
        raise ModelError(
            f"this is not the state of a segmenter ({problem})", way_out="Fit it again with this version."
        ) from problem


def _classifier_of(arrays: Mapping[str, NDArray[np.float32]]) -> PixelClassifier:
    layers = [
        (np.asarray(arrays[f"weights{number}"], np.float32), np.asarray(arrays[f"offset{number}"], np.float32))
        for number in range(sum(name.startswith("weights") for name in arrays))
    ]
    shapes = [weights.shape for weights, _ in layers]
    if not layers or any(one[1] != other[0] for one, other in pairwise(shapes)):
        raise ValueError(f"layers of shapes {shapes}")
    return PixelClassifier(layers=tuple(layers))
