"""What is said about each label, about a quantity, and about cases that were set aside; baselines beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.baselines import Baseline, baseline, metadata_features, shortcut
from consilium.specialist.evidence.calibration import calibration
from consilium.specialist.evidence.conformal import abstention, conformal, realised_coverage
from consilium.specialist.evidence.discrimination import cross_validated_auc, interval_of, mean_of
from consilium.specialist.evidence.enough import FEWEST, NotEnough
from consilium.specialist.evidence.gate import Gate
from consilium.specialist.evidence.intervals import Estimate, auc_interval, bootstrap, proportion
from consilium.specialist.evidence.label_issues import label_issues
from consilium.specialist.evidence.neighbours import checks
from consilium.specialist.evidence.operating_point import Rule, operating_point
from consilium.specialist.evidence.subgroups import Subgroup, subgroups
from consilium.specialist.evidence.validation import External, LabelFigures, RegressionFigures, Validation
from consilium.specialist.head import Features, Head, OutOfFold
from consilium.specialist.labelled import LabelledFeatures, members, rarer_kind
from consilium.specialist.penalised import Array, ranking_scores
from consilium.specialist.splits import Codes, Folds


def with_label_figures(
    validation: Validation,
    cases: LabelledFeatures,
    repeated: Sequence[OutOfFold],
    logits: Array,
    predicted: Array,
    folds: Folds,
    *,
    rule: Rule,
    prevalence: float | None,
    seed: int,
) -> Validation:
    """Add what is said about each label, and about all of them.

    Args:
        validation: to add to.
        cases: of the cross-validation.
        repeated: predictions, one a repetition.
        logits: (n, problems, columns), their mean.
        predicted: (n, labels) the probabilities of that.
        folds: of the cross-validation.
        rule: of the operating point.
        prevalence: at which predictive values are told; None: that of the data.
        seed: of simulations and bootstraps.
    """
    shown = cases.labels[1:] if validation.task == "binary" else cases.labels
    figures, influences = [], []
    for label, (problem, column) in zip(shown, cases.columns, strict=True):
        positive = cases.positive(problem, column)
        influence = cross_validated_auc(repeated, folds, positive, cases.groups, problem=problem, column=column)
        influences.append(influence)
        scores = ranking_scores(logits[:, problem], column)
        probability = predicted[:, list(cases.labels).index(label)]
        point = None
        if cases.loss == "logistic":
            alone = [_problem(out, problem) for out in repeated]
            point = operating_point(alone, folds, positive, cases.groups, rule, prevalence=prevalence)
        figures.append(
            LabelFigures(
                label=label,
                auc=interval_of(influence, positive, cases.groups),
                average_precision=_average_precision(scores, positive, cases.groups, seed),
                prevalence=float(positive.mean()),
                calibration=calibration(probability, positive, cases.groups, seed=seed),
                operating_point=point,
            )
        )
    macro = mean_of(influences)
    rarest = min((cases.positive(*place) for place in cases.columns), key=lambda own: int(own.sum()))
    validation = replace(validation, figures=tuple(figures), macro_auc=interval_of(macro, rarest, cases.groups))
    if validation.task == "multilabel":
        return validation
    share = np.bincount(cases.truth, minlength=len(cases.labels)) / len(cases.truth)
    right = predicted.argmax(1) == cases.truth
    one_hot = np.eye(len(cases.labels))[cases.truth]
    halved = 2 if validation.task == "binary" else 1
    return replace(
        validation,
        accuracy=proportion(right.astype(np.float64), cases.groups),
        accuracy_of_majority=float(share.max()),
        brier_of_prevalence=float(np.square(one_hot - share).sum(1).mean()) / halved,
        conformal=conformal(predicted, cases.truth, cases.groups, folds.assigned[0]),
        abstention=abstention(predicted, cases.truth),
        label_issues=label_issues(predicted, cases.truth),
    )


def _problem(out: OutOfFold, problem: int) -> OutOfFold:
    one = slice(problem, problem + 1)
    return replace(out, logits=out.logits[:, one], inner=out.inner[:, :, one])


def _average_precision(scores: Array, positive: NDArray[np.bool_], groups: Codes, seed: int) -> Estimate:
    order = np.argsort(-scores, kind="stable")
    ordered, truth = scores[order], positive[order]
    # Cases of the same score are taken together, as any order among them would be arbitrary.
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))

    def precision(weights: Array) -> float:
        drawn = weights[order]
        hits, all_cases = np.cumsum(drawn * truth)[last], np.cumsum(drawn)[last]
        if not hits[-1] > 0:
            return float("nan")
        return float((np.diff(hits, prepend=0.0) * hits / np.maximum(all_cases, 1e-12)).sum() / hits[-1])

    return bootstrap(precision, groups, draws=1000, seed=seed)


def with_baselines(
    validation: Validation,
    cases: LabelledFeatures,
    repeated: Sequence[OutOfFold],
    predicted: Array,
    folds: Folds,
    *,
    described: Mapping[str, Sequence[str]],
    metadata: Mapping[str, Sequence[str | float]],
    others: Mapping[str, Features],
) -> Validation:
    """Add baselines, checks and subgroups; arguments as above, and columns of n values each."""
    model = mean_of(
        [
            cross_validated_auc(repeated, folds, cases.positive(p, c), cases.groups, problem=p, column=c)
            for p, c in cases.columns
        ]
    )
    found: list[Baseline] = []
    alarm = None
    if metadata:
        by_metadata = baseline(
            "metadata", metadata_features(metadata), model, cases.targets, cases.groups, folds, cases.loss
        )
        alarm = shortcut(by_metadata, list(metadata))
        found.append(by_metadata)
    for name, features in others.items():
        found.append(baseline(name, features, model, cases.targets, cases.groups, folds, cases.loss))
    parts: tuple[Subgroup, ...] = ()
    if validation.task == "binary":
        positive = cases.positive(0, 0)
        scores = np.stack([out.logits[:, 0, 0] for out in repeated])
        parts = subgroups(described, scores, folds, predicted[:, 1], positive, cases.groups)
    flat = cases.targets.reshape(len(cases.targets), -1)
    return replace(
        validation,
        baselines=tuple(found),
        shortcut=alarm,
        checks=checks(cases.features, flat, cases.groups, folds),
        subgroups=parts,
    )


def with_regression_figures(
    validation: Validation, cases: LabelledFeatures, predicted: Array, *, seed: int
) -> Validation:
    """Add what is said about a quantity; (n,) out-of-fold values."""
    truth = cases.targets[:, 0, 0]
    wrong = np.abs(truth - predicted)

    def r_squared(weights: Array) -> float:
        middle = float(weights @ truth / weights.sum())
        spread = float(weights @ np.square(truth - middle))
        return 1 - float(weights @ np.square(wrong)) / spread if spread > 0 else float("nan")

    def correlation(weights: Array) -> float:
        share = weights / weights.sum()
        one, other = truth - share @ truth, predicted - share @ predicted
        scale = np.sqrt((share @ np.square(one)) * (share @ np.square(other)))
        return float(share @ (one * other) / scale) if scale > 0 else float("nan")

    patients = len(np.unique(cases.groups))
    rank = min(int(np.ceil((len(wrong) + 1) * 0.9)), len(wrong))
    figures = RegressionFigures(
        r_squared=bootstrap(r_squared, cases.groups, seed=seed),
        mean_absolute_error=bootstrap(lambda w: float(w @ wrong / w.sum()), cases.groups, seed=seed),
        correlation=bootstrap(correlation, cases.groups, seed=seed),
        absolute_error_of_mean=float(np.abs(truth - np.median(truth)).mean()),
        half_width=float(np.sort(wrong)[rank - 1]),
        realised=realised_coverage(patients),
    )
    return replace(validation, regression=figures)


def external_test(outside: LabelledFeatures, trained: LabelledFeatures, head: Head, gate: Gate) -> External:
    """Judge the final model on cases that were set aside; labels are those of the trained cases."""
    logits = head.logits(outside.features)
    auc: dict[str, Estimate | NotEnough] = {}
    one_of_them = len(trained.labels) > 1 and trained.targets.shape[1] == 1
    names = trained.labels[1:] if one_of_them and trained.loss == "logistic" else trained.labels
    for number, name in enumerate(names):
        label = outside.labels.index(name)
        positive = members(outside, label)
        found = rarer_kind(outside, label)
        softmax = outside.loss == "softmax"
        scores = ranking_scores(logits, number) if softmax else logits[:, number]
        auc[name] = (
            auc_interval(scores, positive, outside.groups)
            if found >= FEWEST
            else NotEnough(figure="auc", counted=f"patients with or without {name}", found=found, needed=FEWEST)
        )
    accuracy = None
    if one_of_them:
        answer = logits.argmax(1) if outside.loss == "softmax" else (logits[:, 0] >= 0).astype(np.intp)
        accuracy = proportion((answer == outside.truth).astype(np.float64), outside.groups)
    return External(
        cases=len(outside.features),
        patients=len(np.unique(outside.groups)),
        auc=auc,
        accuracy=accuracy,
        turned_away=proportion(gate.turned_away(outside.features).astype(np.float64), outside.groups),
    )
