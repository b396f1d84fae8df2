"""The head of a specialist: a linear model on frozen features, its penalty chosen by nested cross-validation.

The inner folds of an outer fold are the other outer folds. So a model that leaves out folds i and j serves twice, for
testing on i when j is the outer fold and the other way round: ten paths and five, where separate inner folds would
need twenty-five; and every inner training set is as stratified and as grouped as the outer ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from consilium.specialist.evidence.intervals import pairs_by_score
from consilium.specialist.penalised import (
    STRENGTHS,
    Array,
    Basis,
    Loss,
    basis_of,
    losses,
    path,
    probabilities,
    ranking_scores,
)

Features = NDArray[np.float32]
Codes = NDArray[np.intp]

_LEAST = 1e-3
"""Of an error that is left after fitting; less is taken for this."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """A fitted linear head.

    Attributes:
        mean, scale: (d,) standardisation.
        weights: (d, k) on standardised features.
        intercepts: (k,).
        strengths: C of each problem: (k,), or (1,) for a softmax.
        loss: what turns the k logits into probabilities.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    strengths: tuple[float, ...]
    loss: Loss

    def logits(self, features: NDArray[np.floating]) -> Array:
        """Logits, or values of a regression: features (m, d) to (m, k)."""
        standardised = np.asarray((features - self.mean) / self.scale, np.float32)
        return np.asarray(standardised @ self.weights + self.intercepts, np.float64)

    def predict(self, features: NDArray[np.floating]) -> Array:
        """Probabilities, or values of a regression: features (m, d) to (m, k)."""
        logits = self.logits(features)
        return (
            probabilities(logits[:, None, :], self.loss)[:, 0]
            if self.loss == "softmax"
            else probabilities(logits, self.loss)
        )


@dataclass(frozen=True, kw_only=True)
class OutOfFold:
    """What models say about cases that they, and the choice of their penalty, have not seen.

    Attributes:
        logits: (n, problems, columns).
        inner: (folds, n, problems, columns): of outer fold f, the logits of its training cases from its inner
            models; NaN for its test cases. Thresholds are chosen on these.
        chosen: (folds, problems) index of the strength that each outer fold chose.
        loss_of_strength: (strengths, problems), sum over the outer test cases; for the choice of the final model.
        training_role: (n, problems, columns): by how much a little more weight of a case in training would raise the
            number of pairs of one fold that are ranked right, over all folds (see `within_folds`); empty where it was
            not asked for.
    """

    logits: Array
    inner: Array
    chosen: NDArray[np.intp]
    loss_of_strength: Array
    training_role: Array


def out_of_fold(
    features: Features,
    targets: Array,
    fold: NDArray[np.integer],
    loss: Loss,
    *,
    strengths: tuple[float, ...] = STRENGTHS,
    used: NDArray[np.bool_] | None = None,
    roles: Codes | None = None,
) -> OutOfFold:
    """Cross-validate a head with nested choice of its penalty.

    Args:
        features: (n, d).
        targets: (n, problems, columns).
        fold: (n,) in which fold a case is tested.
        loss: of the head.
        strengths: to choose from, rising.
        used: (n,) cases that may be trained on; None: all. Every case is tested.
        roles: (n,) patients, where the cases' part in training is wanted, for intervals (logistic and softmax).

    Returns:
        Predictions for every case.
    """
    may_train = np.ones(len(fold), np.bool_) if used is None else used
    parts = np.unique(fold)
    shape = (len(strengths), *targets.shape)
    inner_all = np.full((len(parts), *shape), np.nan)
    for first, second in combinations(range(len(parts)), 2):
        for_first, for_second = fold == parts[first], fold == parts[second]
        tested = for_first | for_second
        logits, _, _ = _path_logits(features, targets, may_train & ~tested, tested, loss, strengths)
        inner_all[second][:, for_first] = logits[:, for_first[tested]]
        inner_all[first][:, for_second] = logits[:, for_second[tested]]
    outer = np.empty(shape)
    chosen = np.empty((len(parts), targets.shape[1]), np.intp)
    logits, inner = np.empty(targets.shape), np.full((len(parts), *targets.shape), np.nan)
    training_role = np.zeros((0, *targets.shape[1:]) if roles is None else targets.shape)
    problems = np.arange(targets.shape[1])
    for number, part in enumerate(parts):
        tested = fold == part
        seen = may_train & ~tested
        worth = np.stack([losses(one[seen], targets[seen], loss).sum(0) for one in inner_all[number]])
        chosen[number] = worth.argmin(0)
        outer[:, tested], basis, fits = _path_logits(features, targets, seen, tested, loss, strengths)
        logits[tested] = outer[chosen[number], :, problems][:, tested].swapaxes(0, 1)
        if roles is not None:
            components = basis.project(features[tested])
            for problem, index in zip(problems, chosen[number], strict=True):
                intercept, coefficients = fits[index][0][problem], fits[index][1][:, problem]
                training_role[seen, problem] += _training_role(
                    components,
                    basis.scores,
                    intercept,
                    coefficients,
                    targets[tested, problem],
                    targets[seen, problem],
                    roles[seen],
                    loss,
                    strengths[index],
                )
        inner[number] = inner_all[number][chosen[number], :, problems].swapaxes(0, 1)
    return OutOfFold(
        logits=logits,
        inner=inner,
        chosen=chosen,
        loss_of_strength=np.stack([losses(one, targets, loss).sum(0) for one in outer]),
        training_role=training_role,
    )


Fits = tuple[tuple[Array, Array], ...]


def _path_logits(
    features: Features,
    targets: Array,
    trained: NDArray[np.bool_],
    tested: NDArray[np.bool_],
    loss: Loss,
    strengths: tuple[float, ...],
) -> tuple[Array, Basis, Fits]:
    basis = basis_of(features[trained])
    components = basis.project(features[tested])
    shape = (len(components), *targets.shape[1:])
    fits = path(basis, targets[trained], loss, strengths)
    logits = [
        (components @ coefficients.reshape(len(coefficients), -1)).reshape(shape) + intercept
        for intercept, coefficients in fits
    ]
    return np.stack(logits), basis, fits


def _training_role(
    tested: Array,
    trained: Array,
    intercept: Array,
    coefficients: Array,
    targets_tested: Array,
    targets_trained: Array,
    patients: Codes,
    loss: Loss,
    strength: float,
) -> Array:
    """What a little more weight of a training case does to the pairs of the test fold that are ranked right.

    Two derivatives are chained: of the pairs by the test scores (the step of a pair smoothed by a normal density), and
    of the test scores by the weight of a training case, -x H^-1 g (Cook and Weisberg 1982, section 5.2). Of a softmax
    each class is taken for itself, its odds against the others being those of a logistic model: of k weights that sum
    to 0 the odds' weight u costs (k - 1) u²/2kC at least. For two classes that is exact.

    What a model says of cases that it was trained on is too near to the truth, the more so where a patient has several
    pictures that are alike; `_unfitted` undoes that.

    Returns:
        (trained, columns).
    """
    logits = trained @ coefficients + intercept
    guessed = probabilities(logits[:, None], loss)[:, 0]
    scores = tested @ coefficients + intercept
    design = np.concatenate([np.ones((len(trained), 1)), trained], axis=1)
    columns = scores.shape[1]
    cost = (columns - 1) / columns if loss == "softmax" else 1.0
    penalty = np.concatenate([[0.0], np.full(trained.shape[1], cost / strength)])
    found = np.empty_like(targets_trained)
    for column in range(columns):
        weights = np.maximum(guessed[:, column] * (1 - guessed[:, column]), 1e-12)
        curvature = (design.T * weights) @ design
        curvature[np.diag_indices_from(curvature)] += penalty + 1e-9
        root = np.linalg.cholesky(curvature)
        halved = solve_triangular(root, design.T, lower=True)
        pull = pairs_by_score(ranking_scores(scores, column), targets_tested[:, column] > 0.5, len(trained))
        moved = halved.T @ solve_triangular(root, np.concatenate([[pull.sum()], tested.T @ pull]), lower=True)
        found[:, column] = moved * _unfitted(targets_trained[:, column] - guessed[:, column], weights, halved, patients)
    return found


def _unfitted(wrong: Array, weights: Array, halved: Array, patients: Codes) -> Array:
    """What a model is wrong by, where a patient has several pictures as much larger as fitting them made it smaller.

    Their errors are multiplied by (1 - H)^-1/2, H being their block of the hat matrix (Bell and McCaffrey 2002, Survey
    Methodology 28:169). With one picture a patient the interaction that is counted twice (`discrimination.py`) makes up
    for what is missing here, as the simulation shows.

    Args:
        wrong: (n,) truth less probability.
        weights: (n,) variance of the outcome by the model.
        halved: (r, n) whose products, weighted, are the hat matrix.
        patients: (n,).
    """
    found = wrong.copy()
    order = np.argsort(patients, kind="stable")
    starts = np.flatnonzero(np.diff(patients[order], prepend=-1))
    for members in np.split(order, starts[1:]):
        if len(members) == 1:
            continue
        root = np.sqrt(weights[members])
        scaled = halved[:, members] * root
        left, axes = np.linalg.eigh(np.eye(len(members)) - scaled.T @ scaled)
        found[members] = root * (axes @ (axes.T @ (wrong[members] / root) / np.sqrt(np.maximum(left, _LEAST))))
    return found


def fit_head(
    features: Features, targets: Array, loss: Loss, chosen: NDArray[np.intp], strengths: tuple[float, ...] = STRENGTHS
) -> Head:
    """Fit the final head on all cases.

    Args:
        features: (n, d).
        targets: (n, problems, columns), one of the last two of length 1.
        loss: of the head.
        chosen: (problems,) index of each problem's strength.
        strengths: those it indexes.
    """
    basis = basis_of(features)
    fits = path(basis, targets, loss, strengths)
    problems = np.arange(targets.shape[1])
    intercepts = np.stack([fits[index][0][problem] for problem, index in zip(problems, chosen, strict=True)])
    coefficients = np.stack([fits[index][1][:, problem] for problem, index in zip(problems, chosen, strict=True)], 1)
    return Head(
        mean=basis.mean,
        scale=basis.scale,
        weights=np.asarray(basis.weights(coefficients.reshape(len(coefficients), -1)), np.float32),
        intercepts=np.asarray(intercepts.reshape(-1), np.float32),
        strengths=tuple(strengths[index] for index in chosen),
        loss=loss,
    )
