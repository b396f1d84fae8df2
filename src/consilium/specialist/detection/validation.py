"""What a validation of boxes says: values that become JSON as they are. `fit.py` fills them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from consilium.specialist.detection.average_precision import ClassFigures
from consilium.specialist.detection.doubtful import Doubt
from consilium.specialist.evidence.enough import NotEnough
from consilium.specialist.evidence.gate import GateReport
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.evidence.validation import Counts, Ledger


@dataclass(frozen=True, kw_only=True)
class CaseFinds:
    """What a detector that had not seen the patient found in one case, at its thresholds.

    Attributes:
        case: its number among those that were given.
        true, hits, missed, surplus: boxes: drawn by people, of those found, of those not found, found beside them.
    """

    case: int
    true: int
    hits: int
    missed: int
    surplus: int


@dataclass(frozen=True, kw_only=True)
class ListedDoubt:
    """A box that a person should look at again; see `doubtful.DoubtfulBox`.

    Attributes:
        case: its number among those that were given.
        doubt: what is odd.
        label: that was found, or of the true box that was not seen.
        corners: left, top, right, bottom, pixels.
        score: of what was found; 0 of what was not seen.
    """

    case: int
    doubt: Doubt
    label: str
    corners: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True, kw_only=True)
class BoxExternal:
    """The cases that were set aside, looked at once by the final model.

    Attributes:
        cases, patients: numbers.
        ap50: mean over the labels; or that there are not enough patients.
        turned_away: share that the gate turns away.
        finds: one a case.
    """

    cases: int
    patients: int
    ap50: Estimate | NotEnough
    turned_away: Estimate
    finds: tuple[CaseFinds, ...]


@dataclass(frozen=True, kw_only=True)
class BoxValidation:
    """Everything that is said about a model of boxes. A part is None or empty where there are not enough cases for it.

    Attributes:
        task: "detect".
        labels: what is found.
        counts: how much there is; `cases_of_label` are those that have it.
        objects: boxes of each label.
        ledger: how it was dealt out; its contradictions are copies with other boxes.
        not_enough: what is not given for want of cases.
        figures: of each label that has enough patients.
        ap50, ap75, ap: average precision, the mean over all labels.
        false_alarms, froc: false finds a picture, and the sensitivity at each, all labels together.
        froc_mean: mean of those.
        finds: one a cross-validated case.
        doubtful: the surest doubt first.
        doubts: how many there are in all.
        gate, external: as their classes say.
        taken: how the final model looks, "one look" or "two looks".
        seed: of everything.
    """

    task: Literal["detect"]
    labels: tuple[str, ...]
    counts: Counts
    objects: dict[str, int]
    ledger: Ledger | None
    not_enough: tuple[NotEnough, ...]
    figures: tuple[ClassFigures, ...] = ()
    ap50: Estimate | None = None
    ap75: Estimate | None = None
    ap: Estimate | None = None
    false_alarms: tuple[float, ...] = ()
    froc: tuple[Estimate, ...] = ()
    froc_mean: Estimate | None = None
    finds: tuple[CaseFinds, ...] = ()
    doubtful: tuple[ListedDoubt, ...] = ()
    doubts: int = 0
    gate: GateReport | None = None
    external: BoxExternal | None = None
    taken: str = ""
    seed: int = 0
