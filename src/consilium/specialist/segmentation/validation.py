"""What a validation of outlines says: values that become JSON as they are. `cross_validation.py` fills them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from consilium.specialist.evidence.enough import NotEnough
from consilium.specialist.evidence.gate import GateReport
from consilium.specialist.evidence.intervals import Difference, Estimate
from consilium.specialist.evidence.validation import Counts, Ledger
from consilium.specialist.segmentation.segmenter import Kind

MoreCases = Literal["more cases would help", "more cases would not help", "cannot be said"]


@dataclass(frozen=True, kw_only=True)
class CaseScore:
    """How well one case was outlined by a model that had not seen its patient.

    Attributes:
        case: its number among those that were given.
        dice, surface: of each label, 0 to 1; None where neither the truth nor the model outlines it.
        true_size, found_size: of each label, in the unit of the validation.
        objects: hits, surplus and missed ones, where objects are told apart.
    """

    case: int
    dice: tuple[float | None, ...]
    surface: tuple[float | None, ...]
    true_size: tuple[float, ...]
    found_size: tuple[float, ...]
    objects: tuple[int, int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class SizeAgreement:
    """Size found less true size, over the cases that have the label (Bland and Altman 1986, Lancet 327:307).

    Attributes:
        bias: mean difference.
        low, high: limits of agreement, bias less and plus 1.96 deviations.
    """

    bias: Estimate
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class OutlineFigures:
    """How well one label is outlined.

    Attributes:
        label: its name.
        cases, patients: that have it.
        dice, surface: means over those cases; the surface figure is the normalised surface distance.
        missed: share of those cases in which nothing of it was hit.
        without: cases that do not have it.
        invented: share of those in which some is outlined all the same; None where there are none.
        size: how well its area or volume is told.
    """

    label: str
    cases: int
    patients: int
    dice: Estimate
    surface: Estimate
    missed: Estimate
    without: int
    invented: Estimate | None
    size: SizeAgreement


@dataclass(frozen=True, kw_only=True)
class ObjectFigures:
    """How many single objects are found.

    Attributes:
        precision: mean over cases of hits over hits, surplus and missed, at an overlap of one half (AP@0.5).
        true, hits, surplus: objects in all.
    """

    precision: Estimate
    true: int
    hits: int
    surplus: int


@dataclass(frozen=True, kw_only=True)
class OutlineBaseline:
    """A way that needs no learning from pictures.

    Attributes:
        name: "mean shape" or "threshold".
        dice: mean over the same cases.
        gain: Dice of the model less that, paired.
    """

    name: str
    dice: Estimate
    gain: Difference


@dataclass(frozen=True, kw_only=True)
class OutlineSubgroup:
    """One part of the patients.

    Attributes:
        column, value: e.g. "sex", "f".
        cases, patients: that have something outlined.
        dice: mean over them; or that there are not enough.
    """

    column: str
    value: str
    cases: int
    patients: int
    dice: Estimate | NotEnough


@dataclass(frozen=True, kw_only=True)
class OutlineCurve:
    """Half the training patients against all of them, on the same cases.

    Attributes:
        patients: in training, half and all, in the mean over the folds.
        half, whole: Dice.
        gain: of all over half, paired.
        verdict: whether more cases would help.
    """

    patients: tuple[float, float]
    half: Estimate
    whole: Estimate
    gain: Difference
    verdict: MoreCases


@dataclass(frozen=True, kw_only=True)
class OutlineExternal:
    """The cases that were set aside, outlined once by the final model.

    Attributes:
        cases, patients: numbers.
        dice, surface: means over those that have something outlined; or that there are not enough.
        turned_away: share that the gate turns away.
        scores: one a case.
    """

    cases: int
    patients: int
    dice: Estimate | NotEnough
    surface: Estimate | NotEnough
    turned_away: Estimate
    scores: tuple[CaseScore, ...]


@dataclass(frozen=True, kw_only=True)
class OutlineValidation:
    """Everything that is said about a model of outlines. A part is None where there are not enough cases for it.

    Attributes:
        task: "segment".
        labels: what is outlined.
        kind: one object, regions, or objects.
        volumes: whether the cases are volumes.
        unit: of sizes: "px", "mm2", "mm3".
        tolerance: distance of outlines that does not count, pixels or (volumes) millimetres; None: by the size of each
            case, see `judge.tolerance_of`.
        counts: how much there is; `cases_of_label` are those that have it.
        ledger: how it was dealt out; its contradictions are copies with different outlines.
        not_enough: what is not given for want of cases.
        figures: one a label.
        dice, surface: mean over the labels of a case, then over the cases.
        missed: share of cases with something outlined of which nothing was hit.
        objects: where objects are told apart.
        baselines, gate, subgroups, learning_curve, external: as their classes say.
        scores: one a cross-validated case.
        taken: way of making the classifier in each fold, and last in the final model.
        seed: of everything.
    """

    task: Literal["segment"]
    labels: tuple[str, ...]
    kind: Kind
    volumes: bool
    unit: str
    tolerance: float | None
    counts: Counts
    ledger: Ledger | None
    not_enough: tuple[NotEnough, ...]
    figures: tuple[OutlineFigures, ...] = ()
    dice: Estimate | None = None
    surface: Estimate | None = None
    missed: Estimate | None = None
    objects: ObjectFigures | None = None
    baselines: tuple[OutlineBaseline, ...] = ()
    gate: GateReport | None = None
    subgroups: tuple[OutlineSubgroup, ...] = ()
    learning_curve: OutlineCurve | None = None
    external: OutlineExternal | None = None
    scores: tuple[CaseScore, ...] = ()
    taken: tuple[str, ...] = ()
    seed: int = 0
