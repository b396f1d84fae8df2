"""The course of a study: what is asked of the hospitals in turn, and what their sums make of it.

    moments    mean and spread of every feature over all cases
    extent     a bound on the curvature; the mean of each class
    choose     rounds of gradients: a head for each penalty
    judge      what each of them loses on the cases kept for that
    fit        rounds of gradients: the head that counts
    evaluate   counts of the test cases by what the head says of them

Under differential privacy only `fit` and `evaluate` take place: features are scaled by public figures, the penalty is
the first of the study.

A `Training` hangs on the study, the counts and the sums so far alone. Each hospital has its own and feeds it the sums
that the server hands out, so all of them hold the same heads without anybody sending one, and a hospital that was
away has caught up as soon as it has the sums it missed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from consilium.alliance.joint_training.descent import BOUND, Array, Descent, start, step
from consilium.alliance.joint_training.evaluation import GATE_BINS, tally_length
from consilium.alliance.joint_training.problems import Problem, choices, final, number_of_final
from consilium.alliance.joint_training.site_cases import Counts
from consilium.alliance.joint_training.study import Study
from consilium.errors import InputError
from consilium.specialist.evidence.gate import Gate
from consilium.specialist.head import Head
from consilium.specialist.penalised import Loss

Kind = Literal["moments", "extent", "choose", "judge", "fit", "evaluate"]

INTERCEPT = {False: 1.0, True: 0.3}
"""Of the column of ones, without and with differential privacy, where it takes its part of a row's length."""
LONGEST_ROW = 20.0
"""Of a case in scaled features, 1 being typical; more than any image should be."""
_PUBLIC_EXTENT = 0.3
"""Largest curvature by the number of cases and the bound, under differential privacy, where it is not asked for: of
rows of length 1, most of whose common part the intercept carries. Chosen on validation cases."""
_PARTIAL = 2.0
"""By how much the bound grows for a group of hospitals, whose features have not mean 0: rows and intercept together
curve at most twice as much as each alone."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One question to all hospitals.

    Attributes:
        kind: of it.
        round: from 0, within its kind.
    """

    kind: Kind
    round: int = 0


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How features are brought to one scale.

    Attributes:
        mean: (d,).
        scale: (d,), with the root of d in it, so that the mean squared length of a row is about 1.
    """

    mean: Array
    scale: Array


@dataclass(frozen=True, kw_only=True)
class Sum:
    """What the hospitals that answered said together.

    Attributes:
        ask: what was asked.
        sites: who answered.
        vector: the sum of their answers.
    """

    ask: Ask
    sites: tuple[str, ...]
    vector: Array


def schedule(study: Study) -> tuple[Ask, ...]:
    """Everything that is asked, in order; rounds of a kind may end early."""
    rounds = tuple(Ask(kind="fit", round=number) for number in range(study.rounds))
    if study.privacy.epsilon is not None:
        return (*rounds, Ask(kind="evaluate"))
    chosen: tuple[Ask, ...] = ()
    if len(study.strengths) > 1:
        chosen = (*(Ask(kind="choose", round=number) for number in range(study.choice_rounds)), Ask(kind="judge"))
    return (Ask(kind="moments"), Ask(kind="extent"), *chosen, *rounds, Ask(kind="evaluate"))


def following(study: Study, ask: Ask | None, *, arrived: bool) -> Ask | None:
    """What is asked next; where the heads have arrived, the rounds of that kind are over. None: nothing is left."""
    plan = schedule(study)
    at = 0 if ask is None else plan.index(ask) + 1
    while arrived and ask is not None and at < len(plan) and plan[at].kind == ask.kind:
        at += 1
    return plan[at] if at < len(plan) else None


@dataclass
class Training:
    """What is known after some sums.

    Attributes:
        study: what was agreed.
        counts: of every hospital that takes part, by pseudonym.
        public: scaling by public figures, for differential privacy.
    """

    study: Study
    counts: Mapping[str, Counts]
    public: Scaling | None = None
    scaling: Scaling | None = None
    extent: float = 0.0
    means: Array | None = None
    strength: float = 0.0
    problems: tuple[Problem, ...] = ()
    descent: Descent | None = None
    tally: Array | None = None
    taken: int = 0
    chain: str = field(default="0" * 64)

    def __post_init__(self) -> None:
        if not self.private:
            return
        if self.public is None:
            raise InputError(
                "differential privacy needs public figures of the features, and there are none for this encoder",
                way_out="Take the encoder that comes with Consilium, in a size it has figures of.",
            )
        self.scaling = self.public
        self.extent = _PUBLIC_EXTENT * self.cases_of(tuple(self.counts))
        self.strength = self.study.strengths[0]
        self._begin(final(self.study, self.strength))

    @property
    def private(self) -> bool:
        """Whether privacy is differential."""
        return self.study.privacy.epsilon is not None

    @property
    def loss(self) -> Loss:
        """Of the head."""
        return "logistic" if len(self.study.contract.labels) == 2 else "softmax"

    @property
    def columns(self) -> int:
        """K: logits of a case."""
        return 1 if self.loss == "logistic" else len(self.study.contract.labels)

    @property
    def arrived(self) -> bool:
        """Whether the heads of these rounds do not move any more; under differential privacy all rounds are taken."""
        return not self.private and self.descent is not None and self.descent.arrived

    def length(self, ask: Ask) -> int:
        """How many numbers answer a question."""
        width, labels = self.study.contract.dimensions, len(self.study.contract.labels)
        head = (width + 1) * self.columns
        return {
            "moments": 2 * width,
            "extent": 1 + labels * width,
            "choose": len(self.study.strengths) * head,
            "judge": len(self.study.strengths),
            "fit": number_of_final(self.study) * head,
            "evaluate": number_of_final(self.study) * tally_length(labels) + labels * labels + GATE_BINS,
        }[ask.kind]

    def take(self, total: Sum) -> None:
        """Go on by one sum.

        Raises:
            InputError: it is not one of this study, or no sum of finite numbers.
        """
        vector = np.asarray(total.vector, np.float64)
        broken = vector.shape != (self.length(total.ask),) or not np.isfinite(vector).all()
        if not broken and not self.private and total.ask.kind in ("choose", "fit"):
            most = self.cases_of(total.sites) * np.sqrt(2.0 * len(self.problems)) * LONGEST_ROW
            broken = bool(np.linalg.norm(vector) > most)
        if broken:
            raise InputError(
                f"the sum of {total.ask.kind} {total.ask.round} is broken",
                where=f"study {self.study.id}",
                way_out="A hospital sent what cannot be added; the study stops before it does harm.",
            )
        width, labels = self.study.contract.dimensions, len(self.study.contract.labels)
        match total.ask.kind:
            case "moments":
                self._scale(vector.reshape(2, width), total.sites)
            case "extent":
                grown = self.cases_of(tuple(self.counts)) / self.cases_of(total.sites)
                self.extent = max(float(vector[0]) * grown, 1e-9)
                per_class = np.sum([self.counts[site].trained for site in total.sites], axis=0)
                self.means = vector[1:].reshape(labels, width) / np.maximum(per_class, 1)[:, None]
                self._begin(choices(self.study))
                if len(self.study.strengths) == 1:
                    self._choose(0)
            case "judge":
                self._choose(int(vector.argmin()))
            case "choose" | "fit":
                self._step(vector, total)
            case "evaluate":
                # Under encryption counts come back a millionth off.
                self.tally = np.rint(vector)
        self.taken += 1
        told = f"{self.chain} {total.ask.kind} {total.ask.round} {' '.join(total.sites)} ".encode()
        self.chain = hashlib.sha256(told + vector.tobytes()).hexdigest()

    def cases_of(self, sites: tuple[str, ...], *, choosing: bool = False) -> float:
        """Weight of what some hospitals train on: cases, or patients under differential privacy."""
        if self.private:
            return float(sum(self.counts[site].patients for site in sites))
        return float(sum(self.counts[site].cases - (self.counts[site].chosen_on if choosing else 0) for site in sites))

    def head(self, problem: int = 0) -> Head:
        """A head as specialists have it."""
        assert self.scaling is not None and self.descent is not None
        weights = self.descent.weights[problem]
        return Head(
            mean=np.asarray(self.scaling.mean, np.float32),
            scale=np.asarray(self.scaling.scale, np.float32),
            weights=np.asarray(weights[:-1], np.float32),
            intercepts=np.asarray(weights[-1] * INTERCEPT[self.private], np.float32),
            strengths=(self.problems[problem].strength,),
            loss=self.loss,
        )

    def gate(self) -> Gate:
        """Distance to the nearest mean of a class; under differential privacy, to what is common to all images.

        The gate of a model from one place keeps its training cases, which may not leave here.
        """
        assert self.scaling is not None
        width = self.study.contract.dimensions
        present = np.sum([one.trained for one in self.counts.values()], axis=0) > 0
        known = np.zeros((1, width)) if self.means is None else self.means[present]
        return Gate(
            mean=np.asarray(self.scaling.mean, np.float32),
            scale=np.asarray(self.scaling.scale, np.float32),
            known=np.asarray(known, np.float32),
            threshold=np.inf,
            neighbours=1,
        )

    def _scale(self, moments: Array, sites: tuple[str, ...]) -> None:
        cases = self.cases_of(sites)
        mean = moments[0] / cases
        deviation = np.sqrt(np.maximum(moments[1] / cases - np.square(mean), 0))
        constant = deviation <= 1e-4 * np.maximum(np.abs(mean), 1e-30)
        self.scaling = Scaling(mean=mean, scale=np.where(constant, np.inf, deviation * np.sqrt(len(mean))))

    def _choose(self, number: int) -> None:
        self.strength = self.study.strengths[number]
        self._begin(final(self.study, self.strength))

    def _begin(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        self.descent = start(len(problems), self.study.contract.dimensions + 1, self.columns)

    def _step(self, vector: Array, total: Sum) -> None:
        assert self.descent is not None
        choosing = total.ask.kind == "choose"
        shape = self.descent.weights.shape
        every = tuple(self.counts)
        intercept = INTERCEPT[self.private]
        # Of those who are away it is assumed that their gradients are as those of the others, case by case.
        whole = [self.cases_of(_both(one.sites, every), choosing=choosing) for one in self.problems]
        there = [self.cases_of(_both(one.sites, total.sites), choosing=choosing) for one in self.problems]
        grown = np.array([a / b if b else 0.0 for a, b in zip(whole, there, strict=True)])
        partial = np.array([set(one.sites) != set(total.sites) or choosing for one in self.problems])
        growth = np.where(partial, _PARTIAL, 1.0) * np.maximum(grown, 1.0)
        penalty = np.array([1 / one.strength for one in self.problems])
        gradient = vector.reshape(shape) * grown[:, None, None]
        gradient[:, :-1] += penalty[:, None, None] * self.descent.ahead[:, :-1]
        curvature = np.empty(shape[:2])
        curvature[:, :-1] = (BOUND[self.loss] * self.extent * growth + penalty)[:, None]
        curvature[:, -1] = BOUND[self.loss] * intercept**2 * np.maximum(np.array(whole), 1.0) * growth
        gradient[grown == 0] = 0.0
        self.descent = step(self.descent, gradient, curvature, accelerated=not self.private)


def _both(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(site for site in one if site in other)
