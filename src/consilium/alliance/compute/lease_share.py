"""Who gets how much when all together want more than there is, and how few levels and switches do.

The rule: each hospital keeps what it owns; the rest goes up evenly to all who still lack (max-min fairness, progressive
filling; Bertsekas and Gallager 1992, section 6.5.2), so that nobody's lack grows to make a smaller one smaller.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError

Whole = NDArray[np.int64]

_OPENINGS = 8


def shared(wanted: Sequence[int], owned: Sequence[int], capacity: int) -> tuple[int, ...]:
    """Whole cores of one hour.

    Args:
        wanted: by each hospital.
        owned: what each brought in and never goes below, whether it wants it or not.
        capacity: of all together.

    Returns:
        For each hospital its wish, or what it owns where that is more; where these are too much together, what it owns
        and an even share of the rest, up to its wish.

    Raises:
        InputError: they own more than there is.
    """
    if sum(owned) > capacity:
        raise InputError(
            f"the hospitals own {sum(owned)} cores and there are {capacity}",
            way_out="Correct what they own, or bring the missing nodes back.",
        )
    given = list(owned)
    left = capacity - sum(given)
    lacking = [place for place, (want, have) in enumerate(zip(wanted, given, strict=True)) if want > have]
    while left and lacking:
        # Who has got least beyond its own is next; whole cores, so the order of names breaks ties.
        place = min(lacking, key=lambda one: (given[one] - owned[one], one))
        given[place] += 1
        left -= 1
        if given[place] >= wanted[place]:
            lacking.remove(place)
    return tuple(given)


def levelled(levels: Whole, room: Whole, *, most: int) -> Whole:
    """Raise hours so that there are few different levels, with the least sum of core-hours.

    Args:
        levels: (168,) cores of one hospital.
        room: (168,) cores that it may have at most; at least `levels`.
        most: different levels, as long as there is room for the raised hours.

    Returns:
        (168,) at least `levels`, at most `room`; an hour without room for its level stays as it is.
    """
    values, counts = np.unique(levels, return_counts=True)
    if len(values) <= most:
        return levels
    # cost[k, j]: of the lowest j values with k levels; each goes up to the highest of its group.
    before = np.concatenate([[0], np.cumsum(counts)])
    cost = np.full((most + 1, len(values) + 1), np.inf)
    cut = np.zeros((most + 1, len(values) + 1), np.int64)
    cost[0, 0] = 0.0
    for level in range(1, most + 1):
        for end in range(1, len(values) + 1):
            total = cost[level - 1, :end] + values[end - 1] * (before[end] - before[:end])
            cut[level, end] = int(np.argmin(total))
            cost[level, end] = total[cut[level, end]]
    raised, end = values.copy(), len(values)
    for level in range(most, 0, -1):
        raised[cut[level, end] : end] = values[end - 1]
        end = int(cut[level, end])
    found = raised[np.searchsorted(values, levels)]
    return np.asarray(np.where(found <= room, found, levels))


def merged(levels: Whole, room: Whole, *, switch: float) -> Whole:
    """Raise hours to the level of those beside them where a switch would cost more than the raised hours.

    Args:
        levels: (168,) cores of one hospital.
        room: (168,) cores that it may have at most; at least `levels`.
        switch: what a change of leases costs, in core-hours.

    Returns:
        (168,) at least `levels`, at most `room`, with the least sum of core-hours and switches over all ways to cut the
        week into blocks (dynamic programming, Bellman 1961). The week is a circle: it is opened at each of its largest
        steps in turn.
    """
    openings = np.argsort(-np.abs(levels - np.roll(levels, 1)), kind="stable")[:_OPENINGS]
    found = [
        np.roll(_in_blocks(np.roll(levels, -one), np.roll(room, -one), switch), one) for one in openings.tolist()
    ]  # fmt: skip
    return min(found, key=lambda cores: cores.sum() + switch * (cores != np.roll(cores, 1)).sum())


def _in_blocks(levels: Whole, room: Whole, switch: float) -> Whole:
    """`merged` for hours in a row."""
    count = len(levels)
    best = np.full(count + 1, np.inf)
    best[0] = 0.0
    cut = np.zeros(count + 1, np.int64)
    for end in range(1, count + 1):
        # Blocks that end here, by where they begin, from the last hour backwards.
        highest = np.maximum.accumulate(levels[end - 1 :: -1])
        lowest = np.minimum.accumulate(room[end - 1 :: -1])
        total = best[:end][::-1] + highest * np.arange(1, end + 1) + switch
        total = np.where(highest <= lowest, total, np.inf)
        chosen = int(np.argmin(total))
        best[end], cut[end] = total[chosen], end - 1 - chosen
    found, end = np.empty(count, np.int64), count
    while end:
        found[cut[end] : end] = levels[cut[end] : end].max()
        end = int(cut[end])
    return found
