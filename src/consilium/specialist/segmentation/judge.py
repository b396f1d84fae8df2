"""From masks to figures: each case first, then means over cases with intervals over patients.

Overlap and distance of outlines stand side by side, and cases without the object apart from those with it, as Metrics
Reloaded has it (Maier-Hein et al. 2024, Nature Methods 21:195). All functions are of arrays; nothing is fitted here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.enough import FEWEST, NotEnough
from consilium.specialist.evidence.intervals import (
    Difference,
    Estimate,
    Influence,
    bootstrap,
    paired_difference,
    proportion,
)
from consilium.specialist.evidence.subgroups import bands_of
from consilium.specialist.segmentation.mask_scheme import MaskScheme
from consilium.specialist.segmentation.overlap import Labels, dice, objects_found, surface_agreement
from consilium.specialist.segmentation.validation import (
    CaseScore,
    ObjectFigures,
    OutlineFigures,
    OutlineSubgroup,
    SizeAgreement,
)

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

FINEST_PIXELS, SHARE_OF_SIDE, FINEST_MM = 2.0, 1 / 128, 1.0


def tolerance_of(shape: tuple[int, ...], spacing: tuple[float, ...] | None, asked: float | None) -> float:
    """Distance of outlines that does not count.

    Args:
        shape: of the mask.
        spacing: of a volume, millimetres; not looked at for a picture.
        asked: by the person, in the same unit; None: a picture gets 2 pixels, or 1/128 of its longer side where that is
            more (a step of the working grid); a volume 1 mm, or its largest spacing where that is more.
    """
    if asked is not None:
        return asked
    if len(shape) == 2:
        return max(FINEST_PIXELS, max(shape) * SHARE_OF_SIDE)
    return max(FINEST_MM, *(spacing or (1.0,)))


def score_of(
    found: Labels,
    true: Labels,
    scheme: MaskScheme,
    *,
    case: int,
    spacing: tuple[float, ...] | None,
    size_of_pixel: float,
    tolerance: float | None,
) -> CaseScore:
    """Hold a mask against the true one.

    Args:
        found: 0 is background, then classes or objects; of the size of the file.
        true: the same.
        scheme: what the numbers mean.
        case: its number.
        spacing: of a volume, in millimetres; pictures are measured in pixels.
        size_of_pixel: area or volume of one, in the unit of the validation.
        tolerance: as of `tolerance_of`.
    """
    overlap: list[float | None] = []
    surface: list[float | None] = []
    sizes: tuple[list[float], list[float]] = ([], [])
    within = tolerance_of(true.shape, spacing, tolerance)
    for number in scheme.numbers:
        ours, theirs = scheme.of_label(found, number), scheme.of_label(true, number)
        sizes[0].append(float(theirs.sum()) * size_of_pixel)
        sizes[1].append(float(ours.sum()) * size_of_pixel)
        if not ours.any() and not theirs.any():
            overlap.append(None)
            surface.append(None)
            continue
        overlap.append(dice(ours, theirs))
        where = _box(ours | theirs)
        agreement = surface_agreement(ours[where], theirs[where], tolerance=within, spacing=spacing)
        surface.append(agreement.normalised)
    pairs = objects_found(found, true) if scheme.instances else None
    return CaseScore(
        case=case,
        dice=tuple(overlap),
        surface=tuple(surface),
        true_size=tuple(sizes[0]),
        found_size=tuple(sizes[1]),
        objects=None if pairs is None else (pairs.hits, pairs.surplus, pairs.missed),
    )


def _box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Where a mask lies, with a rim of one: distances of outlines need no more, and large pictures are mostly empty."""
    found = []
    for axis in range(mask.ndim):
        along = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        found.append(slice(max(int(along[0]) - 1, 0), int(along[-1]) + 2))
    return tuple(found)


def case_means(scores: Sequence[CaseScore], of: str = "dice") -> Array:
    """(n,) mean over the labels that a case has; NaN where it has none. `of` is "dice" or "surface"."""
    found = np.full(len(scores), np.nan)
    for row, score in enumerate(scores):
        values = [one for one, size in zip(getattr(score, of), score.true_size, strict=True) if size > 0]
        if values:
            found[row] = np.mean([0.0 if one is None else one for one in values])
    return found


def mean_of(values: Array, groups: Codes, *, seed: int) -> Estimate:
    """Mean over the cases (n,) that have a value, with its interval over patients (BCa bootstrap)."""
    known = np.isfinite(values)
    kept = values[known]
    if not len(kept):
        return Estimate(value=float("nan"), low=float("nan"), high=float("nan"), method="no case")

    def mean(weights: Array) -> float:
        total = float(weights.sum())
        return float(weights @ kept / total) if total else float("nan")

    if np.ptp(kept) == 0:
        return Estimate(value=float(kept[0]), low=float(kept[0]), high=float(kept[0]), method="all the same")
    return bootstrap(mean, groups[known], seed=seed)


def paired_gain(first: Array, second: Array, groups: Codes) -> Difference:
    """Mean of the first less mean of the second over the cases that have both, with the patients as units."""
    known = np.isfinite(first) & np.isfinite(second)
    return paired_difference(
        _mean_influence(first[known], groups[known]), _mean_influence(second[known], groups[known]), groups[known]
    )


def _mean_influence(values: Array, groups: Codes) -> Influence:
    patients = len(np.unique(groups))
    factor = np.sqrt(patients / (patients - 1)) if patients > 1 else np.nan
    return Influence(value=float(values.mean()), cases=(values - values.mean()) / len(values) * factor)


def figures_of(
    scores: Sequence[CaseScore], groups: Codes, labels: Sequence[str], *, seed: int
) -> tuple[OutlineFigures, ...]:
    """The figures of each label that has `FEWEST` patients.

    Args:
        scores: of the n cases.
        groups: (n,) patients.
        labels: of the scores.
        seed: of the bootstrap.
    """
    found = []
    for place, label in enumerate(labels):
        true = np.array([score.true_size[place] for score in scores])
        told = np.array([score.found_size[place] for score in scores])
        has = true > 0
        patients = len(np.unique(groups[has]))
        if patients < FEWEST:
            continue
        overlap, surface = (
            np.array([getattr(score, of)[place] or 0.0 for score in scores])[has] for of in ("dice", "surface")
        )
        gap = (told - true)[has]
        bias = mean_of(gap, groups[has], seed=seed)
        reach = 1.96 * float(gap.std(ddof=1))
        found.append(
            OutlineFigures(
                label=label,
                cases=int(has.sum()),
                patients=patients,
                dice=mean_of(overlap, groups[has], seed=seed),
                surface=mean_of(surface, groups[has], seed=seed),
                missed=proportion((overlap == 0).astype(np.float64), groups[has]),
                without=int((~has).sum()),
                invented=proportion((told > 0)[~has].astype(np.float64), groups[~has]) if (~has).any() else None,
                size=SizeAgreement(bias=bias, low=float(gap.mean()) - reach, high=float(gap.mean()) + reach),
            )
        )
    return tuple(found)


def objects_of_cases(scores: Sequence[CaseScore], groups: Codes, *, seed: int) -> ObjectFigures:
    """How many single objects were found in the n cases."""
    counts = np.array([score.objects for score in scores], np.float64)
    total = counts.sum(1)
    precision = np.divide(counts[:, 0], total, out=np.ones(len(counts)), where=total > 0)
    return ObjectFigures(
        precision=mean_of(precision, groups, seed=seed),
        true=int(counts[:, 0].sum() + counts[:, 2].sum()),
        hits=int(counts[:, 0].sum()),
        surplus=int(counts[:, 1].sum()),
    )


def subgroups_of(
    described: Mapping[str, Sequence[str]], overlap: Array, groups: Codes, *, seed: int
) -> tuple[OutlineSubgroup, ...]:
    """Mean Dice for every value of every column that makes subgroups.

    Args:
        described: columns of n values.
        overlap: (n,) Dice of the cases, NaN where nothing is to be outlined.
        groups: (n,) patients.
        seed: of the bootstrap.
    """
    found = []
    for column, values in described.items():
        names = np.array(bands_of(values) or (), np.str_)
        for value in (name for name in dict.fromkeys(sorted(names.tolist())) if name):
            own = (names == value) & np.isfinite(overlap)
            patients = len(np.unique(groups[own]))
            if not patients:
                continue
            mean: Estimate | NotEnough
            if patients < FEWEST:
                mean = NotEnough(
                    figure="Dice", counted=f"patients with something outlined, {column} {value}", found=patients,
                    needed=FEWEST,
                )  # fmt: skip
            else:
                mean = mean_of(overlap[own], groups[own], seed=seed)
            found.append(
                OutlineSubgroup(column=column, value=value, cases=int(own.sum()), patients=patients, dice=mean)
            )
    return tuple(found)
