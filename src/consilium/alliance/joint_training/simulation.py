"""A study in one process: the same questions, answers and sums as between hospitals, without the network.

The tests hold real processes against this, and the benchmark repeats it over many splits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from consilium.alliance.joint_training.answer import Answerer
from consilium.alliance.joint_training.descent import Array
from consilium.alliance.joint_training.site_cases import SiteCases, hold_contract
from consilium.alliance.joint_training.study import Study
from consilium.alliance.joint_training.training import Ask, Scaling, Sum, Training, following

Adding = Callable[[list[Array]], Array]


def as_sent(vector: Array) -> Array:
    """A vector as it is after the way over the network, where it travels in single precision."""
    return np.asarray(np.asarray(vector, np.float32), np.float64)


def plainly(vectors: list[Array]) -> Array:
    """The sum of vectors as they are sent."""
    return np.asarray(np.sum([as_sent(one) for one in vectors], axis=0), np.float64)


def train(
    study: Study,
    cases: Mapping[str, SiteCases],
    *,
    public: Scaling | None = None,
    seed: int | None = None,
    add: Adding = plainly,
    away: Callable[[str, Ask], bool] = lambda _site, _ask: False,
) -> Training:
    """Go through a study.

    Args:
        study: what was agreed.
        cases: of each hospital, by pseudonym.
        public: scaling, for differential privacy.
        seed: of its noise; None draws one that nobody knows.
        add: how answers are added.
        away: which hospital does not answer which question.

    Raises:
        UnusableDataset: the cases of a hospital are not what was agreed.
    """
    counts = {site: hold_contract(study.contract, one) for site, one in cases.items()}
    training = Training(study=study, counts=counts, public=public)
    seeds = np.random.SeedSequence(seed).spawn(len(cases))
    hospitals = [
        Answerer(site=site, cases=one, noise=np.random.default_rng(own))
        for (site, one), own in zip(cases.items(), seeds, strict=True)
    ]
    ask: Ask | None = None
    arrived = False
    while (ask := following(study, ask, arrived=arrived)) is not None:
        # Known to the hospitals when they answer, and so to the server one round later.
        arrived = training.arrived
        there = [one for one in hospitals if not away(one.site, ask)]
        total = add([one.answer(training, ask) for one in there])
        training.take(Sum(ask=ask, sites=tuple(one.site for one in there), vector=total))
    return training
