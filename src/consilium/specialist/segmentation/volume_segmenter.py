"""Outlines in volumes: three segmenters of sections, one across each axis, whose probabilities are averaged.

A section is shown with its two neighbours as the three colours, so that a pixel knows what lies before and behind it.
Along each axis the segmenter is chosen as that of pictures is; the volume counts as the patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consilium.errors import ModelError
from consilium.generalist.encoder import Encoder
from consilium.specialist.segmentation.overlap import Labels
from consilium.specialist.segmentation.pixel_features import PixelFeatures, pixel_features
from consilium.specialist.segmentation.segmenter import (
    SHARE_OF_ONE,
    WAYS,
    Codes,
    Kind,
    Rule,
    Segmenter,
    apply_rule,
    fit_segmenter,
    segment_probabilities,
    segmenter_of,
    segmenter_state,
)
from consilium.specialist.two_sides import Picture

Sections = tuple[list[PixelFeatures], list[PixelFeatures], list[PixelFeatures]]
"""Features of all sections of a volume, across each of its axes."""

STEP = 3
"""Every how many sections one is learnt from: neighbours tell nearly the same."""
_SMOOTHING = 0.7


@dataclass(frozen=True, kw_only=True)
class VolumeSegmenter:
    """A fitted segmenter of volumes.

    Attributes:
        axes: one across each axis (planes, rows, columns).
        kind: "one object" where the largest part of each class stays, else "regions".
    """

    axes: tuple[Segmenter, Segmenter, Segmenter]
    kind: Kind = "one object"

    @property
    def rule(self) -> Rule:
        """What is done with the mean probabilities."""
        threshold = float(np.mean([one.rule.threshold for one in self.axes]))
        return Rule(kind=self.kind, threshold=threshold, smoothing=_SMOOTHING)

    def check(self, encoder: Encoder) -> None:
        """Refuse an encoder that it was not fitted with; see `Segmenter.check`."""
        for one in self.axes:
            one.check(encoder)


def sections(volume: NDArray[np.float32], axis: int) -> list[Picture]:
    """Sections (H, W, 3) across an axis of a volume of values 0..1, each between its neighbours."""
    turned = np.moveaxis(volume, axis, 0)
    padded = np.concatenate([turned[:1], turned, turned[-1:]])
    return [np.ascontiguousarray(np.moveaxis(padded[at : at + 3], 0, 2)) for at in range(len(turned))]


def section_features(encoder: Encoder, volume: NDArray[np.float32], *, side: int, modality: str | None) -> Sections:
    """Features of all sections of a volume (planes, rows, columns) of values 0..1; see `pixel_features`."""
    first, second, third = (
        pixel_features(encoder, sections(volume, axis), side=side, modality=modality) for axis in range(3)
    )
    return first, second, third


def taught_sections(encoder: Encoder, volume: NDArray[np.float32], *, side: int, modality: str | None) -> Sections:
    """Features of the sections that are learnt from, every `STEP`-th across each axis; see `section_features`."""
    first, second, third = (
        pixel_features(encoder, sections(volume, axis)[::STEP], side=side, modality=modality) for axis in range(3)
    )
    return first, second, third


def kind_of_volumes(masks: Sequence[Labels]) -> Kind:
    """One object where in nearly all volumes nearly all of each class hangs together; a stray voxel is no object."""
    single = []
    for mask in masks:
        for number in np.unique(mask[mask > 0]):
            sizes = np.bincount(ndimage.label(mask == number)[0].ravel())[1:]
            single.append(sizes.max() >= SHARE_OF_ONE * sizes.sum())
    return "one object" if single and np.mean(single) >= SHARE_OF_ONE else "regions"


def fit_volume_segmenter(
    encoder: Encoder,
    features: Sequence[Sections],
    masks: Sequence[Labels],
    groups: Codes,
    *,
    side: int,
    modality: str | None = None,
    labels: tuple[str, ...] = ("object",),
    kind: Kind = "one object",
    thinned: bool = False,
    ways: Mapping[str, int] = WAYS,
    seed: int = 0,
) -> VolumeSegmenter:
    """Choose and fit a segmenter of volumes.

    Args:
        encoder: that made the features.
        features: of each volume.
        masks: (planes, rows, columns) each, classes.
        groups: (n,) patients.
        side: at which the features were made.
        modality: with which they were made.
        labels: names of the classes.
        kind: "one object" or "regions".
        thinned: whether features are of `taught_sections`, which need a third of the memory; else of all sections.
        ways: to choose among, the simplest first.
        seed: of everything that is drawn.

    Raises:
        UnusableDataset: nothing is outlined, or there are too few patients.
    """
    fitted = []
    for axis in range(3):
        shown: list[PixelFeatures] = []
        truth: list[Labels] = []
        patients: list[int] = []
        for volume, mask, patient in zip(features, masks, groups.tolist(), strict=True):
            turned = np.moveaxis(mask, axis, 0)
            taught = range(0 if thinned else patient % STEP, len(turned), STEP)
            shown += volume[axis] if thinned else [volume[axis][number] for number in taught]
            truth += [turned[number] for number in taught]
            patients += [patient] * len(taught)
        fitted.append(
            fit_segmenter(
                encoder,
                shown,
                truth,
                np.array(patients, np.intp),
                side=side,
                modality=modality,
                labels=labels,
                kind="regions",
                ways=ways,
                seed=seed,
            )
        )
    return VolumeSegmenter(axes=(fitted[0], fitted[1], fitted[2]), kind=kind)


def segment_volume(segmenter: VolumeSegmenter, features: Sections) -> Labels:
    """Outline what is in a volume whose features are at hand; the mask has its (planes, rows, columns)."""
    return apply_rule(volume_probabilities(segmenter, features), segmenter.rule)


def volume_probabilities(segmenter: VolumeSegmenter, features: Sections) -> NDArray[np.float32]:
    """Probability of each class at each voxel (classes, planes, rows, columns): the mean of the three axes."""
    by_axis = [
        np.moveaxis(np.stack([segment_probabilities(one, section) for section in across], axis=1), 1, axis + 1)
        for axis, (one, across) in enumerate(zip(segmenter.axes, features, strict=True))
    ]
    return np.asarray(np.mean(by_axis, axis=0), np.float32)


def volume_segmenter_state(segmenter: VolumeSegmenter) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """What has to be kept: values that JSON can hold, and named arrays."""
    states = [segmenter_state(one) for one in segmenter.axes]
    arrays = {f"axis{axis}_{name}": array for axis, (_, own) in enumerate(states) for name, array in own.items()}
    return {"task": "segment volumes", "kind": segmenter.kind, "axes": [document for document, _ in states]}, arrays


def volume_segmenter_of(document: Mapping[str, Any], arrays: Mapping[str, NDArray[np.float32]]) -> VolumeSegmenter:
    """A segmenter from what `volume_segmenter_state` kept.

    Raises:
        ModelError: the state is incomplete.
    """
    axes = document.get("axes", ())
    if document.get("task") != "segment volumes" or len(axes) != 3:
        raise ModelError("this is not the state of a segmenter of volumes", way_out="Fit it again with this version.")
    first, second, third = (
        segmenter_of(
            one,
            {name.split("_", 1)[1]: array for name, array in arrays.items() if name.startswith(f"axis{axis}_")},
        )
        for axis, one in enumerate(axes)
    )
    return VolumeSegmenter(axes=(first, second, third), kind=document.get("kind", "one object"))
