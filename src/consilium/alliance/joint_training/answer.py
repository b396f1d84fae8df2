"""What one hospital answers: a sum over its own cases, as one vector. This and the counts are all that leaves.

With differential privacy, rows longer than 1 are cut to 1, the cases of one patient weigh 1 together, and noise is
added here, before anything leaves; see `differential_privacy.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.alliance.joint_training.descent import Array
from consilium.alliance.joint_training.differential_privacy import sigma_of
from consilium.alliance.joint_training.evaluation import distances, tally
from consilium.alliance.joint_training.site_cases import SiteCases
from consilium.alliance.joint_training.training import INTERCEPT, Ask, Training
from consilium.specialist.penalised import losses, probabilities

_MOST = 512
"""Cases of which the largest curvature is found exactly; of more, by steps of the power method."""


@dataclass
class Answerer:
    """One hospital's side of a training.

    Attributes:
        site: its pseudonym.
        cases: its own.
        noise: a generator that nobody else can guess, for differential privacy.
    """

    site: str
    cases: SiteCases
    noise: np.random.Generator
    _rows: NDArray[np.float32] | None = None

    def answer(self, training: Training, ask: Ask) -> Array:
        """The vector that answers a question at this point of the training.

        Raises:
            KeyError: there is no such question.
        """
        match ask.kind:
            case "moments":
                return self._moments()
            case "extent":
                return self._extent(training)
            case "choose" | "fit":
                return self._gradient(training, ask)
            case "judge":
                return self._losses(training)
            case "evaluate":
                return self._tally(training)

    @property
    def _trained(self) -> NDArray[np.bool_]:
        return np.asarray(~self.cases.tested, np.bool_)

    def _moments(self) -> Array:
        features = np.asarray(self.cases.features[self._trained], np.float64)
        return np.concatenate([features.sum(0), np.square(features).sum(0)])

    def _extent(self, training: Training) -> Array:
        rows = np.asarray(self._scaled(training)[self._trained, :-1], np.float64)
        classes = self.cases.classes[self._trained]
        means = np.stack([rows[classes == label].sum(0) for label in range(len(training.study.contract.labels))])
        return np.concatenate([[_largest(rows)], means.ravel()])

    def _gradient(self, training: Training, ask: Ask) -> Array:
        assert training.descent is not None
        used = self._trained & ~self.cases.chosen_on if ask.kind == "choose" else self._trained
        rows, truth = self._scaled(training)[used], self._targets(training)[used]
        found = np.zeros(training.descent.ahead.shape)
        mine = [number for number, one in enumerate(training.problems) if self.site in one.sites]
        ahead = np.asarray(training.descent.ahead[mine], np.float64)
        logits = np.moveaxis(np.tensordot(np.asarray(rows, np.float64), ahead, (1, 1)), 1, 0)
        wrong = probabilities(logits, training.loss) - truth[None]
        if training.private:
            wrong = wrong * self.cases.shares[used][None, :, None]
        found[mine] = np.tensordot(wrong, np.asarray(rows, np.float64), (1, 0)).swapaxes(1, 2)
        if training.private:
            privacy = training.study.privacy
            assert privacy.epsilon is not None
            sigma = sigma_of(privacy.epsilon, privacy.delta, training.study.rounds)
            found = found + self.noise.normal(0.0, sigma, found.shape)
        return found.ravel()

    def _losses(self, training: Training) -> Array:
        assert training.descent is not None
        own = self.cases.chosen_on
        rows, truth = np.asarray(self._scaled(training)[own], np.float64), self._targets(training)[own]
        heads = np.asarray(training.descent.weights, np.float64)
        logits = np.moveaxis(np.tensordot(rows, heads, (1, 1)), 1, 0)
        return np.array([losses(one[:, None], truth[:, None], training.loss).sum() for one in logits])

    def _tally(self, training: Training) -> Array:
        tested = self.cases.tested
        features, classes = self.cases.features[tested], self.cases.classes[tested]
        labels = len(training.study.contract.labels)
        parts = []
        confusion = np.zeros((labels, labels))
        for number in range(len(training.problems)):
            told = training.head(number).predict(features)
            told = np.column_stack([1 - told[:, 0], told[:, 0]]) if training.loss == "logistic" else told
            parts.append(tally(told, classes).ravel())
            if number == 0:
                np.add.at(confusion, (classes, told.argmax(1)), 1)
        return np.concatenate([*parts, confusion.ravel(), distances(training.gate().distance(features))])

    def _targets(self, training: Training) -> Array:
        one_hot = np.eye(len(training.study.contract.labels))[self.cases.classes]
        return np.asarray(one_hot[:, 1:] if training.loss == "logistic" else one_hot, np.float64)

    def _scaled(self, training: Training) -> NDArray[np.float32]:
        """(n, d + 1) rows of the shared problem, the last column the intercept's."""
        if self._rows is None:
            scaling = training.scaling
            assert scaling is not None
            rows = np.empty((len(self.cases.features), self.cases.features.shape[1] + 1), np.float32)
            rows[:, :-1] = (self.cases.features - scaling.mean) / scaling.scale
            rows[:, -1] = INTERCEPT[training.private]
            if training.private:
                # In float64 and a hair below 1, so that no rounding makes a row longer than the noise allows for.
                length = np.sqrt(np.square(np.asarray(rows, np.float64)).sum(1, keepdims=True)) * (1 + 1e-6)
                rows /= np.maximum(length, 1.0)
            self._rows = rows
        return self._rows


def _largest(rows: Array) -> float:
    """At least the largest eigenvalue of rows' rows, and hardly more."""
    if not len(rows):
        return 0.0
    small = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
    if len(small) <= _MOST:
        return float(np.linalg.eigvalsh(small)[-1])
    vector = np.ones(len(small)) / np.sqrt(len(small))
    for _ in range(50):
        following = small @ vector
        vector = following / max(float(np.linalg.norm(following)), 1e-30)
    # The power method comes from below; a tenth more is above.
    return float(vector @ small @ vector) * 1.1
