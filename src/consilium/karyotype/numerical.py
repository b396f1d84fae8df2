"""Does a case have a chromosome too many or too few? All of its cells weighed together, names and count at once.

A cell is explained by a set of chromosomes: each object stands for one of them or is none, each chromosome of the set
is found or was missed, and every doubt costs what it is unlikely, in nats. The evidence for a change is how much
cheaper the cells are explained with it than by 46,XX or 46,XY, summed over the cells: a ratio of likelihoods. In a
mosaic a share of the cells has it. One doubtful name says little, since the count has to fit too; what cells lost by
chance is another chromosome in each. The cheapest explanation is a linear assignment (Jonker and Volgenant 1987),
solved exactly.

The votes of `count.modal_karyotype` follow ISCN and look at the names alone, as a person would write them down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import logit

from consilium.karyotype.assign import NO_CLASS_FITS, USUAL_COPIES
from consilium.karyotype.count import changes_of
from consilium.karyotype.metaphase import CLASSES, Metaphase

MISSED = 3.0
"""Nats that a chromosome of the set costs which was not found (one in twenty); higher was worse on validation cases."""

SUREST = 4.0
"""Log-odds (0.98) of being a chromosome beyond which none is believed: some that look sure are of another cell."""

LOSS = 2.0
"""Nats that a loss has to show more than a gain: cells lose chromosomes when they are spread, and do not win any."""

SHARES = (0.25, 0.5, 0.75)
"""Shares of the cells that may have a change which the others have not: a mosaic."""

MOSAIC = 2.0
"""Nats that a mosaic has to show more than a change of every cell: a share can be fitted to what few cells have by
chance."""

SUSPECTED = 0.5
"""Evidence, in nats, from which a reader is told; with it 2 of 52 normal validation cases are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NumericalEvidence:
    """What the cells of a case together say of one gain or loss.

    Attributes:
        change: "+21", "-X"; of sex chromosomes compared with XY where there is a Y, as in `count.changes_of`.
        nats: logarithm of how much likelier the cells are with the change than without any, in all of them or in a
            share, less `LOSS` for a loss and `MOSAIC` for a mosaic.
        cells: how many of them are likelier with it by themselves.
    """

    change: str
    nats: float
    cells: int


def numerical_evidence(cells: Sequence[Metaphase]) -> tuple[NumericalEvidence, ...]:
    """Weigh every gain and loss of one chromosome.

    Args:
        cells: of one case; those in which nothing was found say nothing.

    Returns:
        The evidence for each change, the strongest first; empty for no cells.
    """
    cells = [cell for cell in cells if cell.chromosomes]
    if not cells:
        return ()
    normal = np.asarray([[cost(cell, copies) for copies in USUAL_COPIES] for cell in cells])
    usual = normal[:, normal.sum(0).argmin()]
    found: dict[str, NumericalEvidence] = {}
    for copies in dict.fromkeys(_one_changed()):
        saved = usual - [cost(cell, copies) for cell in cells]
        change = _written(copies)
        weighed = NumericalEvidence(
            change=change,
            nats=_together(saved) - (LOSS if change.startswith("-") else 0.0),
            cells=int((saved > 0).sum()),
        )
        found[change] = max(found.get(change, weighed), weighed, key=lambda one: one.nats)
    return tuple(sorted(found.values(), key=lambda one: -one.nats))


def cost(cell: Metaphase, copies: Sequence[int]) -> float:
    """What it costs, in nats, to explain a cell by a set of chromosomes.

    Args:
        cell: its objects, with their class probabilities and how likely each is a chromosome.
        copies: (24,) of the set, in the order of `CLASSES`.
    """
    wanted = np.repeat(np.arange(len(CLASSES)), copies)
    objects = cell.chromosomes
    named = np.asarray([one.probabilities for one in objects], np.float64).reshape(-1, len(CLASSES))
    presence = np.asarray([one.instance.score for one in objects], np.float64)
    surprise = np.minimum(-np.log(np.maximum(named, 1e-9)), NO_CLASS_FITS)
    none = np.clip(logit(np.clip(presence, 1e-3, 1 - 1e-3)), None, SUREST)
    # Objects and places that were missed, by places and objects that are none.
    costs = np.zeros((len(objects) + len(wanted), len(wanted) + len(objects)))
    costs[: len(objects), : len(wanted)] = surprise[:, wanted]
    costs[: len(objects), len(wanted) :] = none[:, None]
    costs[len(objects) :, : len(wanted)] = MISSED
    rows, columns = linear_sum_assignment(costs)
    return float(costs[rows, columns].sum())


def _together(saved: NDArray[np.float64]) -> float:
    """The cells' evidence as one: all of them changed, or each with the chance of the share that fits best."""
    mixed = [np.logaddexp(np.log1p(-share), np.log(share) + saved).sum() - MOSAIC for share in SHARES]
    return float(max(saved.sum(), *mixed))


def _one_changed() -> Iterator[tuple[int, ...]]:
    """The sets that differ from a usual one by one chromosome."""
    for usual in USUAL_COPIES:
        for index, copies in enumerate(usual):
            for changed in (copies + 1, copies - 1):
                if changed >= 0:
                    yield (*usual[:index], changed, *usual[index + 1 :])


def _written(copies: tuple[int, ...]) -> str:
    """A set with one change as `count.changes_of` has it: compared with XY where there is a Y."""
    gains, losses = changes_of(dict(zip(CLASSES, copies, strict=True)))
    return "".join([*("+" + label for label in gains), *("-" + label for label in losses)])
