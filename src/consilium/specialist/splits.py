"""Folds that no patient crosses, with the classes spread evenly, several times over.

What is dealt out are groups (patients, or whatever else must stay together), within strata of their labels: a model
that has seen one slice of a patient knows the others (leakage inflates accuracy by 4 to 26 points: Tampu et al. 2022,
Scientific Data 9:580).

Groups of the same stratum and size are exchangeable under `grouped_folds`, which is what makes the permutation test
of `permutation.py` exact.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.errors import UnusableDataset
from consilium.specialist.evidence.enough import FEWEST, NotEnough

FOLDS = 5
REPEATS = 5

Codes = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Folds:
    """Repeated folds.

    Attributes:
        assigned: (repeats, n), the fold in which a case is tested, 0 to `count` - 1.
        count: number of folds.
    """

    assigned: NDArray[np.int8]
    count: int

    @property
    def repeats(self) -> int:
        """How often the cases are dealt out anew."""
        return len(self.assigned)


def codes_of(names: NDArray[np.generic]) -> Codes:
    """Number names 0 to k - 1 in sorted order; shape (n,) in and out."""
    return np.asarray(np.unique(names, return_inverse=True)[1], np.intp).reshape(-1)


def strata_of_groups(strata: Codes, groups: Codes) -> Codes:
    """Give every group one stratum: that of its cases, or one of its own for each mixture of them.

    Args:
        strata: (n,) class of each case.
        groups: (n,) group of each case, 0 to g - 1.

    Returns:
        (g,) stratum of each group. Mixtures that are rarer than there are folds join the stratum of their rarest class.
    """
    count = int(groups.max(initial=-1)) + 1
    sets: list[set[int]] = [set() for _ in range(count)]
    for group, stratum in zip(groups.tolist(), strata.tolist(), strict=True):
        sets[group].add(stratum)
    mixtures: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for group, members in enumerate(sets):
        mixtures[tuple(sorted(members))].append(group)
    frequency = np.bincount(strata)
    found = np.empty(count, np.intp)
    number = len(frequency)
    for mixture, members_of in mixtures.items():
        if len(mixture) > 1 and len(members_of) >= FOLDS:
            found[members_of] = number
            number += 1
        else:
            found[members_of] = min(mixture, key=lambda stratum: frequency[stratum])
    return found


def grouped_folds(
    strata: Codes, groups: Codes, *, folds: int = FOLDS, repeats: int = REPEATS, seed: int = 0
) -> Folds | NotEnough:
    """Deal the groups out into folds, stratum by stratum, each time in a new order.

    Larger groups are dealt first, each to the fold that has the fewest cases of its stratum, then the fewest cases at
    all, then by lot.

    Args:
        strata: (n,) class of each case, 0 to k - 1; for regression a band of the target.
        groups: (n,) what must stay together.
        folds: how many parts.
        repeats: how many times.
        seed: of the lots.

    Returns:
        The folds; `NotEnough` where a class has fewer groups than there are folds.
    """
    groups = codes_of(groups)
    for stratum in np.unique(strata):
        found = len(np.unique(groups[strata == stratum]))
        if found < folds:
            return NotEnough(figure="cross-validation", counted=f"groups in class {stratum}", found=found, needed=folds)
    of_group, sizes = strata_of_groups(strata, groups), np.bincount(groups)
    rng = np.random.default_rng(seed)
    assigned = np.empty((repeats, len(groups)), np.int8)
    for repeat in range(repeats):
        assigned[repeat] = _deal(of_group, sizes, folds, rng)[groups]
    return Folds(assigned=assigned, count=folds)


def _deal(of_group: Codes, sizes: Codes, folds: int, rng: np.random.Generator) -> NDArray[np.int8]:
    dealt = np.empty(len(of_group), np.int8)
    in_all = np.zeros(folds)
    for stratum in np.unique(of_group):
        members = rng.permutation(np.flatnonzero(of_group == stratum))
        in_stratum = np.zeros(folds)
        for group in members[np.argsort(-sizes[members], kind="stable")]:
            lot = rng.permutation(folds)
            fold = lot[np.lexsort((in_all[lot], in_stratum[lot]))[0]]
            dealt[group] = fold
            in_stratum[fold] += sizes[group]
            in_all[fold] += sizes[group]
    return dealt


def refuse_crossing(assigned: NDArray[np.integer], groups: NDArray[np.generic]) -> None:
    """Hold given folds, or a given division into train and test, to the rule that no group crosses.

    Args:
        assigned: (n,) part of each case.
        groups: (n,) group of each case.

    Raises:
        UnusableDataset: a group lies in two parts; the message names some.
    """
    names, numbers = np.unique(groups, return_inverse=True)
    lowest = np.full(len(names), np.iinfo(np.int64).max)
    highest = np.full(len(names), np.iinfo(np.int64).min)
    np.minimum.at(lowest, numbers, assigned)
    np.maximum.at(highest, numbers, assigned)
    crossing = names[lowest != highest]
    if len(crossing):
        some = ", ".join(str(name) for name in crossing[:5])
        raise UnusableDataset(
            f"{len(crossing)} group(s) lie in more than one part of the data ({some})",
            way_out="Put all images of a patient into the same part; otherwise the figures are too good.",
        )


def too_few(strata: Codes, groups: Codes, names: tuple[str, ...], *, needed: int = FEWEST) -> tuple[NotEnough, ...]:
    """Tell the classes that do not have the groups without which no figure is given."""
    found = [len(np.unique(groups[strata == code])) for code in range(len(names))]
    return tuple(
        NotEnough(figure="any figure", counted=f"patients with label {name}", found=number, needed=needed)
        for name, number in zip(names, found, strict=True)
        if number < needed
    )
