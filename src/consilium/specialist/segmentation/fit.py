"""From outlined cases to a model of outlines, and to what can honestly be said about it.

Every case is outlined by a model that has not seen its patient; then a model learns from all of them. Where there are
not enough cases, a model is still made and marked: it never answers without saying that it was not validated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilium.generalist.encoder import Encoder
from consilium.specialist.evidence.enough import NotEnough
from consilium.specialist.evidence.gate import Gate
from consilium.specialist.segmentation.cross_validation import HALF_WEIGHT, OutlinePlan, Trial, taken_by
from consilium.specialist.segmentation.outlined_cases import OutlinedCases
from consilium.specialist.segmentation.segmenter import Segmenter
from consilium.specialist.segmentation.validation import OutlineValidation
from consilium.specialist.segmentation.volume_segmenter import VolumeSegmenter
from consilium.specialist.splits import FOLDS


@dataclass(frozen=True, kw_only=True)
class OutlineResult:
    """A fitted segmenter and what is known of it.

    Attributes:
        segmenter: the model.
        gate: on image vectors.
        validation: how good it is.
        cases: what it was fitted on.
        used: (n,) cases that it learnt from.
        masks: of each case out of fold, or of the final model where the case was set aside, as a file; None where there
            is none.
    """

    segmenter: Segmenter | VolumeSegmenter
    gate: Gate
    validation: OutlineValidation
    cases: OutlinedCases
    used: NDArray[np.bool_]
    masks: tuple[bytes | None, ...]


def fits_of(cases: int, *, curve: bool = True) -> float:
    """How much work the fits are, in cases learnt from."""
    return cases * (FOLDS + 1 + (FOLDS * HALF_WEIGHT if curve else 0))


def fit_outlines(
    cases: OutlinedCases,
    encoder: Encoder,
    plan: OutlinePlan,
    *,
    modality: str | None = None,
    on_work: Callable[[float], None] = lambda _cases: None,
) -> OutlineResult:
    """Fit and validate a model of outlines.

    Args:
        cases: read, with their features.
        encoder: that made them.
        plan: of the validation.
        modality: with which they were made.
        on_work: called with the work done since the last call, in cases learnt from; see `fits_of`.

    Raises:
        UnusableDataset: nothing is outlined, or there are too few patients to choose anything on.
    """
    run = Trial(cases=cases, encoder=encoder, plan=plan, modality=modality, on_work=on_work)
    validation = run.described()
    folds = None if validation.not_enough else run.folds()
    if isinstance(folds, NotEnough):
        validation, folds = replace(validation, not_enough=(folds,)), None
    masks: list[bytes | None] = [None] * len(cases.cases)
    if folds is not None:
        validation = run.validated(validation, folds, masks)
    final = run.fitted(run.rows)
    on_work(len(run.rows))
    gate, report = run.gate(folds)
    if folds is not None:
        validation = replace(validation, gate=report, taken=(*validation.taken, taken_by(final)))
        validation = replace(validation, external=run.external(final, gate, masks))
    return OutlineResult(
        segmenter=final, gate=gate, validation=validation, cases=cases, used=run.used, masks=tuple(masks)
    )
