"""What a validation says: values that become JSON as they are. `validate.py` fills them in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from consilium.specialist.dataset import Task
from consilium.specialist.duplicates import Duplicate
from consilium.specialist.evidence.baselines import Baseline, Shortcut
from consilium.specialist.evidence.calibration import Calibration
from consilium.specialist.evidence.conformal import Abstention, Conformal
from consilium.specialist.evidence.enough import NotEnough
from consilium.specialist.evidence.gate import GateReport
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.evidence.label_issues import LabelIssue
from consilium.specialist.evidence.learning_curve import LearningCurve
from consilium.specialist.evidence.operating_point import OperatingPoint
from consilium.specialist.evidence.permutation import PermutationTest
from consilium.specialist.evidence.subgroups import Subgroup
from consilium.specialist.ladder import Choice

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much there is.

    Attributes:
        cases: images, or whatever a row of features stands for.
        patients: groups, duplicates merged.
        cases_of_label, patients_of_label: by label; empty for a regression.
    """

    cases: int
    patients: int
    cases_of_label: dict[str, int]
    patients_of_label: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """How the cases were dealt out.

    Attributes:
        folds, repeats: how many.
        cases: numbers of the cross-validated cases among those that were given, n of them; the others were set aside,
            or are copies of such.
        assigned: (repeats, n) fold in which each of them is tested.
        duplicates: cases that are the same, kept in the same fold.
        contradictions: those of them with different labels.
        patients_told: number of groups that were told, before duplicates were merged.
        seed: of the lots.
    """

    folds: int
    repeats: int
    cases: tuple[int, ...]
    assigned: tuple[tuple[int, ...], ...]
    duplicates: tuple[Duplicate, ...]
    contradictions: tuple[Duplicate, ...]
    patients_told: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class LabelFigures:
    """How well one label is told from the others.

    Attributes:
        label: its name.
        auc: cross-validated; of new patients and newly trained models.
        average_precision: of out-of-fold scores averaged over the repetitions; its value by chance is `prevalence`.
        prevalence: share of cases.
        calibration: of its probability.
        operating_point: of a label that is answered yes or no by itself (binary, multilabel).
    """

    label: str
    auc: Estimate
    average_precision: Estimate
    prevalence: float
    calibration: Calibration
    operating_point: OperatingPoint | None


@dataclass(frozen=True, kw_only=True)
class RegressionFigures:
    """How well a quantity is predicted; intervals take the models as given.

    Attributes:
        r_squared: 1 less squared error over that of the mean.
        mean_absolute_error: in the quantity's unit.
        correlation: Pearson's.
        absolute_error_of_mean: what always saying the median gives.
        half_width: of the interval around a prediction that holds the truth in 90 % of new cases (split conformal).
        realised: 5th and 95th percentile of that share over calibration sets of this size.
    """

    r_squared: Estimate
    mean_absolute_error: Estimate
    correlation: Estimate
    absolute_error_of_mean: float
    half_width: float
    realised: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class External:
    """The cases that were set aside, judged once by the final model.

    Attributes:
        cases, patients: numbers.
        auc: by label, the model as given; or that there are not enough cases.
        accuracy: share of right answers (binary, multiclass).
        turned_away: share that the gate turns away.
    """

    cases: int
    patients: int
    auc: dict[str, Estimate | NotEnough]
    accuracy: Estimate | None
    turned_away: Estimate


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Which ways of making the model were tried, and which was taken.

    Attributes:
        choice: by the rule of one standard error, on all cases, each tested once by every way.
        inside: what the same rule took in each training part, without the cases tested there.
        nested: mean loss of the whole procedure, its choices made inside.
        rounds: over the cases, of the fine-tuning of the final model; 0 where the encoder stays as it is.
    """

    choice: Choice
    inside: tuple[str, ...]
    nested: float
    rounds: int


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Everything that is said about a model. A part is None where it does not apply or there are not enough cases.

    Attributes:
        task: what was learnt.
        labels: names of the classes; of two, the second is looked for.
        counts: how much there is.
        ledger: how it was dealt out; None where it could not be.
        not_enough: what is not given for want of cases.
        figures: one a label; of a binary task the second alone.
        macro_auc: mean over the labels.
        accuracy: share of right answers, and of the prevalence baseline (`accuracy_of_majority`).
        brier_of_prevalence: of always telling the prevalence.
        regression: in place of figures.
        conformal, abstention: sets of labels, leaving doubtful cases out (binary, multiclass).
        gate: what is unlike the training cases.
        baselines, shortcut: other ways to the same labels.
        checks: nearest cases and nearest mean.
        subgroups: parts of the patients.
        learning_curve: whether more cases would help.
        label_issues: labels to look at again.
        permutation: against chance.
        strengths: C of the final model.
        predicted: one row a cross-validated case (see the ledger): (n, k) out-of-fold probabilities, or (n, 1) values;
            logits were averaged over the repetitions.
        external: cases that were set aside.
        ways: of making the model; None where there was but one.
        seed: of everything.
    """

    task: Task
    labels: tuple[str, ...]
    counts: Counts
    ledger: Ledger | None
    not_enough: tuple[NotEnough, ...]
    figures: tuple[LabelFigures, ...] = ()
    macro_auc: Estimate | None = None
    accuracy: Estimate | None = None
    accuracy_of_majority: float | None = None
    brier_of_prevalence: float | None = None
    regression: RegressionFigures | None = None
    conformal: Conformal | None = None
    abstention: tuple[Abstention, ...] = ()
    gate: GateReport | None = None
    baselines: tuple[Baseline, ...] = ()
    shortcut: Shortcut | None = None
    checks: dict[str, Estimate] | None = None
    subgroups: tuple[Subgroup, ...] = ()
    learning_curve: LearningCurve | None = None
    label_issues: tuple[LabelIssue, ...] = ()
    permutation: PermutationTest | None = None
    strengths: tuple[float, ...] = ()
    predicted: tuple[tuple[float, ...], ...] = ()
    external: External | None = None
    ways: Ways | None = None
    seed: int = 0


def as_document(validation: DataclassInstance) -> dict[str, Any]:
    """A validation, of whatever task, as JSON values; what is not a finite number becomes null."""
    found = _plain(asdict(validation))
    assert isinstance(found, dict)
    return found


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
