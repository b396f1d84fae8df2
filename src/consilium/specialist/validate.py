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

from consilium.errors import UnusableDataset
from consilium.specialist.baselines import Baseline, baseline, metadata_features, shortcut
from consilium.specialist.calibration import calibration
from consilium.specialist.conformal import abstention, conformal, realised_coverage
from consilium.specialist.dataset import Task
from consilium.specialist.discrimination import cross_validated_auc, interval_of, mean_of, ranking_scores
from consilium.specialist.duplicates import Duplicate, contradictions, merged, same_features
from consilium.specialist.enough import FEWEST, NotEnough
from consilium.specialist.gate import Gate, fit_gate
from consilium.specialist.head import Features, Head, OutOfFold, fit_head, out_of_fold
from consilium.specialist.intervals import Estimate, Influence, auc_interval, bootstrap, proportion
from consilium.specialist.label_issues import label_issues
from consilium.specialist.learning_curve import learning_curve
from consilium.specialist.neighbours import checks
from consilium.specialist.operating_point import Rule, operating_point
from consilium.specialist.penalised import STRENGTHS, Array, Loss, probabilities
from consilium.specialist.permutation import SHUFFLES, permutation_test
from consilium.specialist.splits import FOLDS, REPEATS, Codes, Folds, codes_of, grouped_folds, refuse_crossing, too_few
from consilium.specialist.subgroups import Subgroup, subgroups
from consilium.specialist.validation import Counts, External, LabelFigures, Ledger, RegressionFigures, Validation

_LOSS: dict[Task, Loss] = {
    "binary": "logistic",
    "multilabel": "logistic",
    "multiclass": "softmax",
    "regress": "squares",
}
_FEWEST_OF_A_REGRESSION = 30
_BANDS = 5


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
    """What is shipped: the head, trained on all cases, and the gate before it."""

    head: Head
    gate: Gate


@dataclass(frozen=True, kw_only=True)
class _Cases:
    """The cases of the cross-validation, in the form that everything below works on."""

    features: Features
    targets: Array
    truth: Codes
    groups: Codes
    strata: Codes
    labels: tuple[str, ...]
    loss: Loss

    @property
    def columns(self) -> list[tuple[int, int]]:
        """(problem, column) of every label that has figures of its own."""
        return [(p, c) for p in range(self.targets.shape[1]) for c in range(self.targets.shape[2])]

    def positive(self, problem: int, column: int) -> NDArray[np.bool_]:
        """(n,) cases of one label."""
        return np.asarray(self.targets[:, problem, column] > 0.5)


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
        plan: what is decided beforehand.

    Returns:
        The validation, and the final model; None where there are not enough cases for one.

    Raises:
        UnusableDataset: shapes that do not fit, features that are not finite, a group in and outside the cases that
            are set aside, or a task without labels.
    """
    plan = plan or Plan()
    features = np.asarray(features, np.float32)
    wanted = np.asarray(labels, np.float64)
    told = np.arange(len(features)) if groups is None else codes_of(np.asarray(groups))
    _refuse_misfits(features, wanted, told, task, names)
    aside = np.zeros(len(features), np.bool_) if set_aside is None else np.asarray(set_aside, np.bool_)
    refuse_crossing(aside.astype(np.intp), told if groups is None else np.asarray(groups))
    found = [*duplicates, *same_features(features)]
    joined = merged(told, found)
    # A copy of a test case must not be trained on, whatever the table says.
    used = ~aside & ~np.isin(joined, np.unique(joined[aside]))
    cases = _cases(features[used], wanted[used], joined[used], task, names)
    counts, not_enough = _counts(cases, task), _enough(cases, task)
    empty = Validation(
        task=task, labels=cases.labels, counts=counts, ledger=None, not_enough=not_enough, seed=plan.seed
    )
    if not_enough and task != "multilabel":
        return empty, None
    if task == "multilabel":
        cases = _only(cases, [n for n in range(len(cases.labels)) if _label_is_enough(cases, n)])
        if not cases.labels:
            return empty, None
    folds = grouped_folds(cases.strata, cases.groups, folds=plan.folds, repeats=plan.repeats, seed=plan.seed)
    if isinstance(folds, NotEnough):
        return replace(empty, not_enough=(*not_enough, folds)), None
    numbers = np.flatnonzero(used).tolist()
    ledger = Ledger(
        folds=folds.count,
        repeats=folds.repeats,
        assigned=tuple(tuple(row) for row in folds.assigned.tolist()),
        duplicates=tuple(found),
        contradictions=tuple(contradictions(found, [tuple(np.atleast_1d(label).tolist()) for label in wanted])),
        patients_told=len(np.unique(told)),
        seed=plan.seed,
    )
    validation = replace(empty, labels=cases.labels, ledger=ledger)
    repeated = [
        out_of_fold(cases.features, cases.targets, fold, cases.loss, roles=cases.loss != "squares")
        for fold in folds.assigned
    ]
    chosen = np.asarray(np.sum([out.loss_of_strength for out in repeated], axis=0).argmin(0), np.intp)
    head = fit_head(cases.features, cases.targets, cases.loss, chosen)
    gate, gate_report = fit_gate(cases.features, cases.groups, folds.assigned)
    logits = np.mean([out.logits for out in repeated], axis=0)
    predicted = _probabilities_of_labels(logits, cases)
    validation = replace(
        validation,
        gate=gate_report,
        strengths=tuple(STRENGTHS[index] for index in chosen),
        predicted=tuple(tuple(row) for row in predicted.tolist()),
    )
    if task == "regress":
        validation = _regression(validation, cases, predicted[:, 0], folds, plan)
    else:
        validation = _classification(validation, cases, repeated, logits, predicted, folds, plan)
        columns = {name: [values[n] for n in numbers] for name, values in (described or {}).items()}
        known = {name: [values[n] for n in numbers] for name, values in (metadata or {}).items()}
        further = {name: np.asarray(values, np.float32)[used] for name, values in (others or {}).items()}
        validation = _beside(validation, cases, repeated, logits, predicted, folds, columns, known, further)
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
    if plan.curve and task != "regress":
        curve = learning_curve(
            cases.features, cases.targets, cases.strata, cases.groups, folds, cases.loss, seed=plan.seed
        )
        validation = replace(validation, learning_curve=curve)
    fitted = Fitted(head=head, gate=gate)
    if aside.any() and task != "regress":
        outside = _cases(features[aside], wanted[aside], joined[aside], task, names)
        validation = replace(validation, external=_external(outside, cases, fitted))
    return validation, fitted


def _refuse_misfits(features: Features, labels: Array, groups: Codes, task: Task, names: Sequence[str]) -> None:
    way_out = "Give one row of features, one label and one group a case."
    if task not in _LOSS:
        raise UnusableDataset(
            f"a {task} task has no labels that a head of features learns", way_out="Use its own head."
        )
    if features.ndim != 2 or labels.ndim != (2 if task == "multilabel" else 1):
        raise UnusableDataset(f"features {features.shape} and labels {labels.shape} do not fit {task}", way_out=way_out)
    if not len(features) == len(labels) == len(groups) or not features.size:
        numbers = f"{len(features)} features, {len(labels)} labels, {len(groups)} groups"
        raise UnusableDataset(f"numbers of cases differ or are 0: {numbers}", way_out=way_out)
    if not np.isfinite(features).all():
        case = int(np.flatnonzero(~np.isfinite(features).all(1))[0])
        raise UnusableDataset(
            "features are not finite numbers", where=f"case {case}", way_out="Leave the case out, or read it again."
        )
    if not np.isfinite(labels).all():
        raise UnusableDataset("a label is not a finite number", way_out="Leave the case out.")
    if task == "regress":
        return
    if task == "multilabel":
        wrong = not np.isin(labels, (0, 1)).all() or (bool(names) and len(names) != labels.shape[1])
    else:
        most = 2 if task == "binary" else len(names) or int(labels.max()) + 1
        wrong = bool((labels != np.floor(labels)).any() or labels.min() < 0 or labels.max() >= most)
    if wrong:
        raise UnusableDataset(
            f"labels do not fit a {task} task of {len(names) or 'unnamed'} classes",
            way_out="Number the classes 0, 1, ... as they are named.",
        )


def _cases(features: Features, labels: Array, groups: Codes, task: Task, names: Sequence[str]) -> _Cases:
    loss = _LOSS[task]
    groups = codes_of(groups)
    if task == "regress":
        edges = np.quantile(labels, np.linspace(0, 1, _BANDS + 1)[1:-1]) if len(labels) else np.zeros(0)
        strata = codes_of(np.searchsorted(edges, labels))
        return _Cases(
            features=features,
            targets=labels[:, None, None],
            truth=strata,
            groups=groups,
            strata=strata,
            labels=(),
            loss=loss,
        )
    if task == "multilabel":
        frequency = labels.sum(0)
        rarest = np.where(labels > 0.5, frequency, np.inf)
        # A case stands in the stratum of the rarest of its labels, so that this one is spread evenly.
        strata = np.where(labels.any(1), rarest.argmin(1), labels.shape[1])
        return _Cases(
            features=features,
            targets=labels[:, :, None],
            truth=strata,
            groups=groups,
            strata=_joined_strata(strata, groups),
            labels=tuple(names) or tuple(str(n) for n in range(labels.shape[1])),
            loss=loss,
        )
    truth = labels.astype(np.intp)
    count = 2 if task == "binary" else len(names) or int(truth.max(initial=0)) + 1
    one_hot = np.eye(count)[truth]
    return _Cases(
        features=features,
        targets=one_hot[:, None, 1:] if task == "binary" else one_hot[:, None],
        truth=truth,
        groups=groups,
        strata=truth,
        labels=tuple(names) or tuple(str(n) for n in range(count)),
        loss=loss,
    )


def _joined_strata(strata: Codes, groups: Codes) -> Codes:
    """Strata of a multilabel task that have too few patients for the folds, put together."""
    joined = strata.copy()
    for stratum in np.unique(strata):
        if len(np.unique(groups[strata == stratum])) < FOLDS:
            joined[strata == stratum] = -1
    if 0 < len(np.unique(groups[joined == -1])) < FOLDS:
        joined[joined == -1] = joined[joined != -1][0] if (joined != -1).any() else 0
    return codes_of(joined)


def _counts(cases: _Cases, task: Task) -> Counts:
    members = {} if task == "regress" else {name: _members(cases, n) for n, name in enumerate(cases.labels)}
    return Counts(
        cases=len(cases.features),
        patients=len(np.unique(cases.groups)),
        cases_of_label={name: int(own.sum()) for name, own in members.items()},
        patients_of_label={name: len(np.unique(cases.groups[own])) for name, own in members.items()},
    )


def _members(cases: _Cases, label: int) -> NDArray[np.bool_]:
    if cases.targets.shape[1] == len(cases.labels):
        return cases.positive(label, 0)
    return np.asarray(cases.truth == label)


def _enough(cases: _Cases, task: Task) -> tuple[NotEnough, ...]:
    if task == "regress":
        found = len(np.unique(cases.groups))
        if found < _FEWEST_OF_A_REGRESSION:
            return (NotEnough(figure="any figure", counted="patients", found=found, needed=_FEWEST_OF_A_REGRESSION),)
        return ()
    if task == "multilabel":
        return tuple(
            NotEnough(
                figure=f"any figure of {name}",
                counted=f"patients with or without {name}",
                found=_rarer(cases, number),
                needed=FEWEST,
            )
            for number, name in enumerate(cases.labels)
            if not _label_is_enough(cases, number)
        )
    short = too_few(cases.truth, cases.groups, cases.labels)
    return (short,) if short else ()


def _rarer(cases: _Cases, label: int) -> int:
    own = _members(cases, label)
    return min(len(np.unique(cases.groups[own])), len(np.unique(cases.groups[~own])))


def _label_is_enough(cases: _Cases, label: int) -> bool:
    return _rarer(cases, label) >= FEWEST


def _only(cases: _Cases, kept: list[int]) -> _Cases:
    """The labels of a multilabel task that have enough cases."""
    return replace(cases, targets=cases.targets[:, kept], labels=tuple(cases.labels[n] for n in kept))


def _probabilities_of_labels(logits: Array, cases: _Cases) -> Array:
    """(n, labels) from (n, problems, columns): of a binary task both labels."""
    found = probabilities(logits, cases.loss).reshape(len(logits), -1)
    binary = cases.loss == "logistic" and len(cases.labels) == 2 and found.shape[1] == 1
    return np.column_stack([1 - found, found]) if binary else found


def _classification(
    validation: Validation,
    cases: _Cases,
    repeated: Sequence[OutOfFold],
    logits: Array,
    predicted: Array,
    folds: Folds,
    plan: Plan,
) -> Validation:
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
            point = operating_point(alone, folds, positive, cases.groups, plan.rule, prevalence=plan.prevalence)
        figures.append(
            LabelFigures(
                label=label,
                auc=interval_of(influence, positive, cases.groups),
                average_precision=_average_precision(scores, positive, cases.groups, plan.seed),
                prevalence=float(positive.mean()),
                calibration=calibration(probability, positive, cases.groups, seed=plan.seed),
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


def _beside(
    validation: Validation,
    cases: _Cases,
    repeated: Sequence[OutOfFold],
    logits: Array,
    predicted: Array,
    folds: Folds,
    described: Mapping[str, Sequence[str]],
    metadata: Mapping[str, Sequence[str | float]],
    others: Mapping[str, Features],
) -> Validation:
    """Baselines, checks and subgroups."""
    model: Influence = mean_of(
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
        parts = subgroups(described, logits[:, 0, 0], predicted[:, 1], positive, cases.groups)
    flat = cases.targets.reshape(len(cases.targets), -1)
    return replace(
        validation,
        baselines=tuple(found),
        shortcut=alarm,
        checks=checks(cases.features, flat, cases.groups, folds),
        subgroups=parts,
    )


def _regression(validation: Validation, cases: _Cases, predicted: Array, folds: Folds, plan: Plan) -> Validation:
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
        r_squared=bootstrap(r_squared, cases.groups, seed=plan.seed),
        mean_absolute_error=bootstrap(lambda w: float(w @ wrong / w.sum()), cases.groups, seed=plan.seed),
        correlation=bootstrap(correlation, cases.groups, seed=plan.seed),
        absolute_error_of_mean=float(np.abs(truth - np.median(truth)).mean()),
        half_width=float(np.sort(wrong)[rank - 1]),
        realised=realised_coverage(patients),
    )
    return replace(validation, regression=figures)


def _external(outside: _Cases, trained: _Cases, fitted: Fitted) -> External:
    logits = fitted.head.logits(outside.features)
    auc: dict[str, Estimate | NotEnough] = {}
    names = trained.labels[1:] if outside.targets.shape[1:] == (1, 1) else trained.labels
    for number, name in enumerate(names):
        label = outside.labels.index(name)
        positive = _members(outside, label)
        found = _rarer(outside, label)
        softmax = outside.loss == "softmax"
        scores = ranking_scores(logits, number) if softmax else logits[:, number]
        auc[name] = (
            auc_interval(scores, positive, outside.groups)
            if found >= FEWEST
            else NotEnough(figure="auc", counted=f"patients with or without {name}", found=found, needed=FEWEST)
        )
    accuracy = None
    if outside.targets.shape[1] == 1:
        answer = logits.argmax(1) if outside.loss == "softmax" else (logits[:, 0] >= 0).astype(np.intp)
        accuracy = proportion((answer == outside.truth).astype(np.float64), outside.groups)
    return External(
        cases=len(outside.features),
        patients=len(np.unique(outside.groups)),
        auc=auc,
        accuracy=accuracy,
        turned_away=proportion(fitted.gate.turned_away(outside.features).astype(np.float64), outside.groups),
    )
