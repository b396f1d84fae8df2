"""The last stage of the encoder, trained by several hospitals in rounds; in one process, without a network.

In every round each hospital takes a few steps from the common weights on its own cases, and the weights become the
mean of what comes back (`joint_tuning_averaging.py`). Unlike the head of a study this is not what one place with all
cases would do: the mean of steps taken apart is not the step of all. What it brought is measured
(`benchmarks/results/joint_tuning.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.joint_tuning_averaging import Limits, Update, averaged, screened
from consilium.errors import EngineError, InputError
from consilium.specialist.penalised import Array
from consilium.specialist.tuning.rung import need_train

if TYPE_CHECKING:
    from benchmarks.joint_tuning_hospital import Ground

Vector = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class TunedOn:
    """What a hospital learns from.

    Attributes:
        maps: (n, views, 96, h, w) of stride 16.
        below: (n, views, BELOW) the beginning of the image vector, which the trained stage has no part in.
        targets: (n, problems, columns).
    """

    maps: NDArray[np.float32]
    below: NDArray[np.float32]
    targets: Array


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An update that was not taken.

    Attributes:
        round: from 0.
        site: pseudonym of the hospital.
        why: in words.
    """

    round: int
    site: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What came of it.

    Attributes:
        vector: (length,) the common weights; `joint_tuning_hospital.py` makes features and a file of them.
        refused: updates that were not taken.
        took_part: pseudonyms of those whose updates were taken, by round.
    """

    vector: Vector
    refused: tuple[Refusal, ...]
    took_part: tuple[tuple[str, ...], ...]


def tune(
    ground: Ground,
    hospitals: Mapping[str, TunedOn],
    *,
    rounds: int,
    seed: int = 0,
    least: int = 1,
    away: Callable[[str, int], bool] = lambda _site, _round: False,
    sent: Callable[[str, int, Update], Update] = lambda _site, _round, update: update,
) -> Tuned:
    """Train the last stage together.

    Args:
        ground: encoder, head and settings that all have alike.
        hospitals: what each learns from, by pseudonym.
        rounds: how often the weights become one.
        seed: of order and views; each round has its own, the same for all hospitals.
        least: hospitals without whose updates no round counts.
        away: which hospital does not answer in which round.
        sent: what becomes of an update on its way.

    Raises:
        MissingExtra: PyTorch is not there.
        InputError: there are no rounds, or a hospital has no cases.
        EngineError: fewer hospitals than agreed gave an update that could be taken.
    """
    need_train()
    from benchmarks.joint_tuning_hospital import moved

    if rounds < 1 or not hospitals or any(not len(one.targets) for one in hospitals.values()):
        raise InputError(
            "tuning needs a round and a case of each hospital", way_out="Leave hospitals without cases out."
        )
    cases = {site: len(one.targets) for site, one in hospitals.items()}
    limits = limits_of(ground)
    common = start = ground.start()
    refused: list[Refusal] = []
    took_part: list[tuple[str, ...]] = []
    for number in range(rounds):
        updates = {}
        for site, one in hospitals.items():
            if away(site, number):
                continue
            vector = moved(ground, common, one.maps, one.below, one.targets, seed=seed + number)
            updates[site] = sent(site, number, Update(vector=vector, cases=cases[site]))
        taken, bad = screened(updates, common, start, cases, limits)
        refused += [Refusal(round=number, site=site, why=why) for site, why in bad.items()]
        if len(taken) < max(least, 1):
            told = "".join(f"; {site} was refused: {why}" for site, why in bad.items())
            raise EngineError(
                f"{len(taken)} hospital(s) gave weights that can be taken, {max(least, 1)} are needed{told}",
                where=f"round {number} of tuning",
                way_out="Begin again when more hospitals are there, or without the one that was refused.",
            )
        took_part.append(tuple(sorted(taken)))
        common = averaged(taken, cases)
    return Tuned(vector=common, refused=tuple(refused), took_part=tuple(took_part))


def limits_of(ground: Ground) -> Limits:
    """How far a round can move a weight."""
    how = ground.settings
    return Limits(rate=max(how.rate * max(how.affine, 1.0), how.head_rate), passes=how.rounds[-1], batch=how.batch)
