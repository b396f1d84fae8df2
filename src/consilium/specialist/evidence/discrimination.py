"""The AUC of a cross-validated model, and how sure it is.

**What is estimated**: the AUC, on new patients, that this way of making a model reaches from this number of cases
(less a fifth, so it is rather too low than too high).

**Only scores of the same model are compared.** Scores of different folds have different offsets, and a fold's offset
leans against its own cases, as their mean is what the training cases lack; pooling them makes the AUC too low, the more
so the fewer the cases. So pairs are formed within folds, and five repetitions bring most pairs together.

**Each case plays two parts**: it is tested, and it trains the models that test others. DeLong's variance knows the
first only, and an interval made of it holds the truth too rarely. So what a little more weight of a case in training
would change is added to what it adds as a test case, and the squares of the sums are the variance (the infinitesimal
jackknife of the whole procedure; Efron 2014, JASA 109:991). Where features tell little the two parts are nearly the
same number, their interaction is counted twice too often (Efron and Stein 1981, Annals of Statistics 9:586), and the
interval is somewhat too wide. A patient with several images leaves the more behind in the models, the more alike they
are; `head.py` corrects for that. How often intervals hold the truth is measured by `benchmarks/coverage.py`.

The choice of the penalty is held fixed in this, and of several classes each is taken for itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from consilium.specialist.evidence.intervals import Estimate, Influence, logit_interval
from consilium.specialist.head import OutOfFold
from consilium.specialist.penalised import ranking_scores
from consilium.specialist.splits import Folds

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


def mean_of(parts: Sequence[Influence]) -> Influence:
    """The mean of several figures of the same cases: repetitions, or the labels of a macro average."""
    return Influence(
        value=float(np.mean([part.value for part in parts])), cases=np.mean([part.cases for part in parts], axis=0)
    )


def interval_of(influence: Influence, positive: NDArray[np.bool_], groups: Codes) -> Estimate:
    """95 % interval of a cross-validated AUC on the logit scale; patients (n,) may have several images.

    The variance is estimated from the patients of both kinds, so the quantile is Student's.
    """
    fewest = min(len(np.unique(groups[positive])), len(np.unique(groups[~positive])))
    return logit_interval(
        influence.value,
        influence.variance(groups),
        fewest,
        "logit-DeLong within folds, with the part in training",
        quantile=float(stdtrit(max(len(np.unique(groups)) - 2, 1), 0.975)),
    )


def within_folds(scores: Array, positive: NDArray[np.bool_], fold: NDArray[np.integer], groups: Codes) -> Influence:
    """The AUC over pairs of a positive and a negative case of the same fold.

    Args:
        scores: (n,) higher for positive.
        positive: (n,), both kinds in one fold at least.
        fold: (n,).
        groups: (n,) patients; their number gives the small-sample factor.
    """
    won, pairs = np.zeros(len(scores)), np.zeros(len(scores))
    for part in np.unique(fold):
        above, below = np.flatnonzero((fold == part) & positive), np.flatnonzero((fold == part) & ~positive)
        ordered = np.sort(scores[below])
        worse = np.searchsorted(ordered, scores[above], "left"), np.searchsorted(ordered, scores[above], "right")
        won[above], pairs[above] = (worse[0] + worse[1]) / 2, len(below)
        ordered = np.sort(scores[above])
        lower = np.searchsorted(ordered, scores[below], "left"), np.searchsorted(ordered, scores[below], "right")
        won[below], pairs[below] = len(above) - (lower[0] + lower[1]) / 2, len(above)
    total = float(pairs[positive].sum())
    value = float(won[positive].sum()) / total
    cases = (won - value * pairs) / total
    for kind in (positive, ~positive):
        patients = len(np.unique(groups[kind]))
        cases[kind] *= np.sqrt(patients / (patients - 1)) if patients > 1 else np.nan
    return Influence(value=value, cases=cases)


def pairs_within(positive: NDArray[np.bool_], fold: NDArray[np.integer]) -> int:
    """Number of pairs that `within_folds` compares."""
    return sum(int((positive & (fold == part)).sum() * (~positive & (fold == part)).sum()) for part in np.unique(fold))


def cross_validated_auc(
    repeated: Sequence[OutOfFold],
    folds: Folds,
    positive: NDArray[np.bool_],
    groups: Codes,
    *,
    problem: int,
    column: int,
) -> Influence:
    """The AUC of one class over all repetitions.

    Args:
        repeated: one a repetition, with `training_role` where the interval is to be honest.
        folds: the folds they come from.
        positive: (n,) cases of the class.
        groups: (n,) patients, 0 to g - 1.
        problem: whose logits.
        column: whose logits.
    """
    parts = []
    for out, fold in zip(repeated, folds.assigned, strict=True):
        tested = within_folds(ranking_scores(out.logits[:, problem], column), positive, fold, groups)
        cases = tested.cases
        if len(out.training_role):
            trained = out.training_role[:, problem, column] / pairs_within(positive, fold)
            cases = cases + trained - trained.mean()
        parts.append(Influence(value=tested.value, cases=cases))
    return mean_of(parts)
