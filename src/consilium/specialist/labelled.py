"""Features with labels, in the one form that heads, figures and tests work on, and whether there are enough of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilium.errors import UnusableDataset
from consilium.specialist.dataset import Task
from consilium.specialist.evidence.enough import FEWEST, NotEnough
from consilium.specialist.evidence.validation import Counts
from consilium.specialist.head import Features
from consilium.specialist.penalised import Array, Loss, probabilities
from consilium.specialist.splits import FOLDS, Codes, codes_of, too_few

_LOSS: dict[Task, Loss] = {
    "binary": "logistic",
    "multilabel": "logistic",
    "multiclass": "softmax",
    "regress": "squares",
}
_FEWEST_OF_A_REGRESSION = 30
_BANDS = 5


@dataclass(frozen=True, kw_only=True)
class LabelledFeatures:
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


def refuse_misfits(features: Features, labels: Array, groups: Codes, task: Task, names: Sequence[str]) -> None:
    """Hold features, labels and groups to each other and to the task.

    Raises:
        UnusableDataset: they do not fit, or are not finite.
    """
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


def labelled(features: Features, labels: Array, groups: Codes, task: Task, names: Sequence[str]) -> LabelledFeatures:
    """Bring features (n, d), labels and groups (n,) into the one form; see `validate.validated` for what they are."""
    loss = _LOSS[task]
    groups = codes_of(groups)
    if task == "regress":
        edges = np.quantile(labels, np.linspace(0, 1, _BANDS + 1)[1:-1]) if len(labels) else np.zeros(0)
        strata = codes_of(np.searchsorted(edges, labels))
        return LabelledFeatures(
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
        return LabelledFeatures(
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
    return LabelledFeatures(
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


def counts_of(cases: LabelledFeatures, task: Task) -> Counts:
    """Count cases and patients."""
    of_label = {} if task == "regress" else {name: members(cases, n) for n, name in enumerate(cases.labels)}
    return Counts(
        cases=len(cases.features),
        patients=len(np.unique(cases.groups)),
        cases_of_label={name: int(own.sum()) for name, own in of_label.items()},
        patients_of_label={name: len(np.unique(cases.groups[own])) for name, own in of_label.items()},
    )


def members(cases: LabelledFeatures, label: int) -> NDArray[np.bool_]:
    """Cases (n,) of one label."""
    if cases.targets.shape[1] == len(cases.labels):
        return cases.positive(label, 0)
    return np.asarray(cases.truth == label)


def not_enough(cases: LabelledFeatures, task: Task) -> tuple[NotEnough, ...]:
    """What cannot be given; of a multilabel task label by label, else the whole."""
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
                found=rarer_kind(cases, number),
                needed=FEWEST,
            )
            for number, name in enumerate(cases.labels)
            if not is_enough(cases, number)
        )
    return too_few(cases.truth, cases.groups, cases.labels)


def rarer_kind(cases: LabelledFeatures, label: int) -> int:
    """Patients with a label or without it, whichever are fewer."""
    own = members(cases, label)
    return min(len(np.unique(cases.groups[own])), len(np.unique(cases.groups[~own])))


def is_enough(cases: LabelledFeatures, label: int) -> bool:
    """Whether a label has the patients, with and without it, that figures need."""
    return rarer_kind(cases, label) >= FEWEST


def enough_labels(cases: LabelledFeatures) -> LabelledFeatures:
    """The labels of a multilabel task that have enough cases."""
    kept = [number for number in range(len(cases.labels)) if is_enough(cases, number)]
    return replace(cases, targets=cases.targets[:, kept], labels=tuple(cases.labels[n] for n in kept))


def probabilities_of_labels(logits: Array, cases: LabelledFeatures) -> Array:
    """(n, labels) from (n, problems, columns): of a binary task both labels."""
    found = probabilities(logits, cases.loss).reshape(len(logits), -1)
    binary = cases.loss == "logistic" and len(cases.labels) == 2 and found.shape[1] == 1
    return np.column_stack([1 - found, found]) if binary else found
