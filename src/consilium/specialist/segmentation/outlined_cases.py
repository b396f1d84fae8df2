"""Outlined cases, from a table to what a segmenter learns from: masks, features of pixels, and who is whose copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError, MissingExtra, UnusableDataset
from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import Outcome
from consilium.generalist.encoder import Encoder
from consilium.imaging.open_study import open_study
from consilium.specialist.case import Case
from consilium.specialist.case_features import CaseFeatures, case_features
from consilium.specialist.dataset import Dataset
from consilium.specialist.segmentation.mask_file import is_volume_file, read_volume, spread_volume
from consilium.specialist.segmentation.mask_scheme import MaskScheme, joined_masks, scheme_of
from consilium.specialist.segmentation.overlap import Labels
from consilium.specialist.segmentation.pixel_features import FINE, PixelFeatures, pixel_features
from consilium.specialist.segmentation.segment_file import read_picture
from consilium.specialist.segmentation.segmenter import pixels_drawn
from consilium.specialist.segmentation.volume_segmenter import STEP, Sections, taught_sections
from consilium.specialist.segmentation.working_grid import (
    SIDE,
    SIDE_OF_VOLUMES,
    nearest,
    reduced_picture,
    reduced_volume,
    working_shape,
)

_BASE = 450 << 20
"""Bytes of the interpreter, the libraries and the encoder at work on 32 pictures, as Linux tells, and a quarter."""


@dataclass(frozen=True, kw_only=True)
class OutlinedCases:
    """Cases whose masks and pictures fit each other.

    Attributes:
        looked_at: files, image vectors, copies and what could not be used; row by row as below.
        scheme: what the numbers in masks mean.
        features: of pixels, on the working grid; of a volume those of the sections that are learnt from.
        masks: on the working grid, 0 is background, then classes or objects.
        present: (n, labels) whether a case has a label in its full mask; on the working grid small things may be gone.
        side: pixels at which the encoder saw them.
    """

    looked_at: CaseFeatures
    scheme: MaskScheme
    features: tuple[PixelFeatures | Sections, ...]
    masks: tuple[Labels, ...]
    present: NDArray[np.bool_]
    side: int

    @property
    def cases(self) -> tuple[Case, ...]:
        """As the table has them."""
        return self.looked_at.dataset.cases

    def true_mask(self, row: int) -> Labels:
        """The mask of a case in full size, read again: all of them would not fit into memory."""
        return self.scheme.read(self.cases[row].masks)


def memory_of_outlines(dataset: Dataset, encoder: Encoder) -> int:
    """Bytes at the peak of a fit, roughly: features of all pixels, and those drawn to learn from, twice and a half.

    Args:
        dataset: whose first files tell the sizes.
        encoder: whose maps are held.
    """
    channels = sum(level.channels for level in encoder.levels)
    sizes, counts = [], []
    for case in dataset.cases[:20]:
        try:
            shape = open_study(case.file).shape
        except (InputError, MissingExtra, OSError):
            continue
        volume = is_volume_file(case.file)
        side = SIDE_OF_VOLUMES if volume else SIDE
        grid = working_shape(shape if volume else shape[1:], side)
        sections = sum(grid) // STEP if volume else 1
        maps = sum(2 * level.channels * (side // level.stride) ** 2 for level in encoder.levels) * 5 // 4
        # Features in half precision, the mask, and probabilities of three classes by two ways while one is chosen.
        sizes.append(int(np.prod(grid)) * (FINE * 2 + 8 + 24) + sections * maps)
        counts.append(sections // 3 if volume else 1)
    if not sizes:
        return _BASE
    cases = len(dataset.cases)
    drawn = pixels_drawn(int(np.mean(counts) * cases)) * (2 * channels + FINE) * 4 * 5 // 2
    return _BASE + int(np.mean(sizes)) * cases + drawn


def outlined_cases(
    dataset: Dataset,
    encoder: Encoder,
    *,
    modality: str | None = None,
    labels: tuple[str, ...] = (),
    instances: bool = False,
    cache: FeatureCache | None = None,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
    on_features: Callable[[], None] = lambda: None,
) -> OutlinedCases:
    """Read outlined cases.

    Args:
        dataset: as read, every case with a mask.
        encoder: that has a pyramid.
        modality: how the pictures were made.
        labels: names of the numbers in the masks, in their order; none: they are made up.
        instances: whether the numbers tell objects apart.
        cache: of image vectors.
        on_outcome: called for each file when its image vector is there.
        on_features: called for each case when its features are there.

    Raises:
        UnusableDataset: pictures and volumes mixed, no case can be used, or what `scheme_of` refuses.
        InputError: there is no such modality.
        ModelError: the encoder fails, or has no pyramid.
    """
    volumes = _all_volumes(dataset)
    fitting, skipped, values = _fitting(dataset.cases, instances)
    if not fitting:
        raise UnusableDataset(
            "no case has a mask that fits it", where=str(dataset.origin), way_out=skipped[0][1] if skipped else ""
        )
    scheme = scheme_of(values, labels=labels, instances=instances, volumes=volumes, where=dataset.origin)
    chosen = replace(dataset, labels=scheme.labels, cases=fitting)
    looked_at = case_features(chosen, encoder, modality=modality, cache=cache, on_outcome=on_outcome)
    side = SIDE_OF_VOLUMES if volumes else SIDE
    features: list[PixelFeatures | Sections] = []
    masks, present = [], []
    for case in looked_at.dataset.cases:
        mask = scheme.read(case.masks)
        present.append([bool(scheme.of_label(mask, number).any()) for number in scheme.numbers])
        if volumes:
            volume = reduced_volume(spread_volume(read_volume(case.file)[0]))
            features.append(taught_sections(encoder, volume, side=side, modality=modality))
            masks.append(nearest(mask, volume.shape))
        else:
            picture = reduced_picture(read_picture(case.file))
            features += pixel_features(encoder, [picture], side=side, modality=modality)
            masks.append(nearest(mask, picture.shape[:2]))
        on_features()
    return OutlinedCases(
        looked_at=replace(looked_at, skipped=(*skipped, *looked_at.skipped)),
        scheme=scheme,
        features=tuple(features),
        masks=tuple(masks),
        present=np.array(present, np.bool_),
        side=side,
    )


def _all_volumes(dataset: Dataset) -> bool:
    kinds = [is_volume_file(case.file) for case in dataset.cases]
    if any(kinds) and not all(kinds):
        raise UnusableDataset(
            f"{sum(kinds)} cases are volumes and {len(kinds) - sum(kinds)} are pictures",
            where=str(dataset.origin),
            way_out="Fit a model for each.",
        )
    return all(kinds)


def _fitting(cases: Sequence[Case], instances: bool) -> tuple[tuple[Case, ...], list[tuple[Path, str]], set[int]]:
    """Cases whose masks have their size, those that have not with the reason, and all numbers in the masks."""
    fitting, skipped = [], []
    values: set[int] = set()
    for case in cases:
        try:
            mask = joined_masks(case.masks, instances=instances)
            shape = _shape(case.file)
        except (InputError, MissingExtra, OSError) as problem:
            skipped.append((case.file, str(problem)))
            continue
        if mask.shape != shape:
            sizes = " and ".join(" x ".join(map(str, one)) for one in (mask.shape, shape))
            skipped.append((case.file, f"its mask and it itself have {sizes} pixels"))
            continue
        fitting.append(case)
        values |= set(np.unique(mask[mask != 0]).tolist())
    return tuple(fitting), skipped, values


def _shape(file: Path) -> tuple[int, ...]:
    study = open_study(file)
    if is_volume_file(file):
        return study.shape
    if len(study) != 1:
        raise InputError(
            f"{len(study)} pictures are in one file", where=str(file), way_out="Save the one that is meant by itself."
        )
    return study.shape[1:]
