"""From features and labels to a model and everything that can be said about it.

The order is that of the trust report: who is whose copy, how cases are dealt out, nested cross-validation, then every
figure from predictions for cases that neither a model nor the choice of its penalty has seen. The final model is
trained on all cases at the end. That there are not enough cases is a result: a validation with the reason in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.dataset import Task
from consilium.specialist.duplicates import Duplicate, contradictions, merged, same_features
from consilium.specialist.evidence.enough import NotEnough
from consilium.specialist.evidence.figures import (
    external_test,
    with_baselines,
    with_label_figures,
    with_regression_figures,
)
from consilium.specialist.evidence.gate import Gate, GateReport, fit_gate, gate_of
from consilium.specialist.evidence.learning_curve import learning_curve
from consilium.specialist.evidence.operating_point import Rule
from consilium.specialist.evidence.permutation import SHUFFLES, permutation_test
from consilium.specialist.evidence.validation import Ledger, Validation, Ways
from consilium.specialist.head import Head, OutOfFold, fit_head, out_of_fold
from consilium.specialist.labelled import (
    LabelledFeatures,
    counts_of,
    enough_labels,
    labelled,
    not_enough,
    probabilities_of_labels,
    refuse_misfits,
)
from consilium.specialist.penalised import STRENGTHS
from consilium.specialist.splits import FOLDS, REPEATS, Folds, codes_of, grouped_folds, refuse_crossing
from consilium.specialist.tuning.nested import FROZEN, TUNED, Climbed, Finished, Second


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is decided before anything is measured.

    Attributes:
        rule: of the operating point.
        prevalence: where the model is to be used; None: that of the data.
        folds, repeats: of the cross-validation.
        shuffles: of the permutation test; 0: none.
        curve: whether the learning curve is drawn.
        seed: of everything.
    """

    rule: Rule = field(default_factory=Rule)
    prevalence: float | None = None
    folds: int = FOLDS
    repeats: int = REPEATS
    shuffles: int = SHUFFLES
    curve: bool = True
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What is shipped.

    Attributes:
        head: trained on all cases.
        gate: before it.
        tuned: the encoder's last stage, where it was trained too; None where the encoder is as it came.
    """

    head: Head
    gate: Gate
    tuned: Finished | None = None


def validated(
    features: NDArray[np.floating],
    labels: NDArray[np.generic],
    groups: NDArray[np.generic] | None = None,
    *,
    task: Task,
    names: Sequence[str] = (),
    set_aside: NDArray[np.bool_] | None = None,
    described: Mapping[str, Sequence[str]] | None = None,
    metadata: Mapping[str, Sequence[str | float]] | None = None,
    others: Mapping[str, NDArray[np.floating]] | None = None,
    duplicates: Sequence[Duplicate] = (),
    second: Second | None = None,
    plan: Plan | None = None,
) -> tuple[Validation, Fitted | None]:
    """Train a specialist's head on features and find out how good it is.

    Args:
        features: (n, d) of frozen encoders, finite.
        labels: (n,) class numbers or values, or (n, k) 0 and 1 for multilabel; as `Dataset.targets` gives them.
        groups: (n,) patients; None: every case is one.
        task: binary, multiclass, multilabel or regress.
        names: of the classes; of two, the second is looked for. Numbers where none are given.
        set_aside: (n,) cases for a test at the very end; they take no part in anything else.
        described: columns for subgroups, n values each, "" where not known.
        metadata: columns for the shortcut alarm: size, brightness, file kind, site, numbers or words.
        others: features of further baselines by name, e.g. {"classic features": (n, 52)}.
        duplicates: pairs found in the pictures; those found in the features are added.
        second: fine-tuning, to be held against frozen features; None leaves it out.
        plan: what is decided beforehand.

    Returns:
        The validation, and the final model; None where there are not enough cases for one.

    Raises:
        UnusableDataset: shapes that do not fit, features that are not finite, a group in and outside the cases that
            are set aside, or a task without labels.
    """
    plan = plan or Plan()
    features, wanted = np.asarray(features, np.float32), np.asarray(labels, np.float64)
    told = np.arange(len(features)) if groups is None else codes_of(np.asarray(groups))
    refuse_misfits(features, wanted, told, task, names)
    aside = np.zeros(len(features), np.bool_) if set_aside is None else np.asarray(set_aside, np.bool_)
    refuse_crossing(aside.astype(np.intp), told if groups is None else np.asarray(groups))
    found = [*duplicates, *same_features(features)]
    joined = merged(told, found)
    # A copy of a test case must not be trained on, whatever the table says.
    used = ~aside & ~np.isin(joined, np.unique(joined[aside]))
    cases = labelled(features[used], wanted[used], joined[used], task, names)
    short = not_enough(cases, task)
    empty = Validation(
        task=task, labels=cases.labels, counts=counts_of(cases, task), ledger=None, not_enough=short, seed=plan.seed
    )
    if task == "multilabel":
        cases = enough_labels(cases)
    if short and not (task == "multilabel" and cases.labels):
        return empty, None
    folds = grouped_folds(cases.strata, cases.groups, folds=plan.folds, repeats=plan.repeats, seed=plan.seed)
    if isinstance(folds, NotEnough):
        return replace(empty, not_enough=(*short, folds)), None
    numbers = np.flatnonzero(used).tolist()
    ledger = Ledger(
        folds=folds.count,
        repeats=folds.repeats,
        cases=tuple(numbers),
        assigned=tuple(tuple(row) for row in folds.assigned.tolist()),
        duplicates=tuple(found),
        contradictions=tuple(contradictions(found, [tuple(np.atleast_1d(label).tolist()) for label in wanted])),
        patients_told=len(np.unique(told)),
        seed=plan.seed,
    )
    beside = _Beside(
        described={name: [values[n] for n in numbers] for name, values in (described or {}).items()},
        metadata={name: [values[n] for n in numbers] for name, values in (metadata or {}).items()},
        others={name: np.asarray(values, np.float32)[used] for name, values in (others or {}).items()},
    )
    validation, fitted = _cross_validated(
        replace(empty, labels=cases.labels, ledger=ledger), cases, folds, beside, plan, second, used
    )
    issues = tuple(replace(issue, case=numbers[issue.case]) for issue in validation.label_issues)
    validation = _against_chance(replace(validation, label_issues=issues), cases, folds, plan)
    if aside.any() and task != "regress":
        seen = features if fitted.tuned is None else fitted.tuned.images
        outside = labelled(seen[aside], wanted[aside], joined[aside], task, names)
        validation = replace(validation, external=external_test(outside, cases, fitted.head, fitted.gate))
    return validation, fitted


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """What is known of the cases besides their features, of those that are cross-validated."""

    described: Mapping[str, Sequence[str]]
    metadata: Mapping[str, Sequence[str | float]]
    others: Mapping[str, NDArray[np.float32]]


def _cross_validated(
    validation: Validation,
    cases: LabelledFeatures,
    folds: Folds,
    beside: _Beside,
    plan: Plan,
    second: Second | None,
    used: NDArray[np.bool_],
) -> tuple[Validation, Fitted]:
    repeated = [
        out_of_fold(
            cases.features, cases.targets, fold, cases.loss, roles=None if cases.loss == "squares" else cases.groups
        )
        for fold in folds.assigned
    ]
    chosen = np.asarray(np.sum([out.loss_of_strength for out in repeated], axis=0).argmin(0), np.intp)
    fitted, gate_report, of_its_own = None, None, None
    if second is not None:
        climbed = second.climb(used, cases.targets, cases.groups, folds.assigned[0], cases.loss, repeated[0])
        if set(climbed.inside) != {climbed.choice.taken}:
            of_its_own = _figures(validation, cases, [climbed.tuned] if climbed.is_tuned else repeated, folds, plan)
        if climbed.is_tuned:
            fitted, gate_report = _tuned(second, climbed, cases, folds, used)
            chosen = climbed.strengths
            beside = replace(beside, others={**beside.others, FROZEN: cases.features})
        if climbed.is_tuned or TUNED in climbed.inside:
            # Figures of the procedure that made the model, choice included; it was gone through once.
            repeated, folds = [climbed.out], Folds(assigned=folds.assigned[:1], count=folds.count)
            validation = replace(validation, ledger=_once(validation.ledger))
        rounds = second.rounds[climbed.candidate] if climbed.is_tuned else 0
        ways = Ways(choice=climbed.choice, inside=climbed.inside, nested=climbed.nested, rounds=rounds)
        validation = replace(validation, ways=ways)
    if fitted is None:
        gate, gate_report = fit_gate(cases.features, cases.groups, folds.assigned)
        fitted = Fitted(head=fit_head(cases.features, cases.targets, cases.loss, chosen), gate=gate)
    validation = _figures(validation, cases, repeated, folds, plan)
    if of_its_own is not None:
        validation = _with_thresholds(validation, of_its_own)
    validation = replace(validation, gate=gate_report, strengths=tuple(STRENGTHS[index] for index in chosen))
    if validation.task != "regress":
        validation = with_baselines(
            validation,
            cases,
            repeated,
            np.array(validation.predicted),
            folds,
            described=beside.described,
            metadata=beside.metadata,
            others=beside.others,
        )
    return validation, fitted


def _figures(
    validation: Validation, cases: LabelledFeatures, repeated: list[OutOfFold], folds: Folds, plan: Plan
) -> Validation:
    """What out-of-fold predictions say, one a repetition."""
    used = Folds(assigned=folds.assigned[: len(repeated)], count=folds.count)
    logits = np.mean([out.logits for out in repeated], axis=0)
    predicted = probabilities_of_labels(logits, cases)
    validation = replace(validation, predicted=tuple(tuple(row) for row in predicted.tolist()))
    if validation.task == "regress":
        return with_regression_figures(validation, cases, predicted[:, 0], seed=plan.seed)
    return with_label_figures(
        validation,
        cases,
        repeated,
        logits,
        predicted,
        used,
        rule=plan.rule,
        prevalence=plan.prevalence,
        seed=plan.seed,
    )


def _with_thresholds(validation: Validation, of_its_own: Validation) -> Validation:
    """Thresholds of the rung that was taken, where the figures are of a procedure that now and then took the other.

    A threshold belongs to the scores of one way of making a model; how good that way is, with the choice of it, is the
    procedure's to say.
    """
    figures = tuple(
        one
        if one.operating_point is None or other.operating_point is None
        else replace(one, operating_point=replace(one.operating_point, threshold=other.operating_point.threshold))
        for one, other in zip(validation.figures, of_its_own.figures, strict=True)
    )
    regression = validation.regression
    if regression is not None and of_its_own.regression is not None:
        regression = replace(regression, half_width=of_its_own.regression.half_width)
    return replace(validation, figures=figures, conformal=of_its_own.conformal, regression=regression)


def _tuned(
    second: Second, climbed: Climbed, cases: LabelledFeatures, folds: Folds, used: NDArray[np.bool_]
) -> tuple[Fitted, GateReport]:
    """The final network, its head and its gate; what the gate lets through is known from the networks of the folds."""
    finished = second.finish(used, cases.targets, cases.loss, climbed.candidate)
    features = finished.images[used]
    head = fit_head(features, cases.targets, cases.loss, climbed.strengths)
    gate, report = gate_of(features, cases.groups, folds.assigned[0], climbed.distances[None])
    return Fitted(head=head, gate=gate, tuned=finished), report


def _once(ledger: Ledger | None) -> Ledger | None:
    return None if ledger is None else replace(ledger, repeats=1, assigned=ledger.assigned[:1])


def _against_chance(validation: Validation, cases: LabelledFeatures, folds: Folds, plan: Plan) -> Validation:
    """The permutation test, of frozen features whatever rung was taken, and the learning curve; both train anew."""
    if plan.shuffles:
        test = permutation_test(
            cases.features,
            cases.targets,
            cases.groups,
            folds.assigned[0],
            cases.loss,
            shuffles=plan.shuffles,
            seed=plan.seed,
        )
        validation = replace(validation, permutation=test)
    tuned = validation.ways is not None and validation.ways.rounds > 0
    # Every point of the curve would be a fine-tuning of its own; that of frozen features would be another model's.
    if plan.curve and validation.task != "regress" and not tuned:
        curve = learning_curve(
            cases.features, cases.targets, cases.strata, cases.groups, folds, cases.loss, seed=plan.seed
        )
        validation = replace(validation, learning_curve=curve)
    return validation
