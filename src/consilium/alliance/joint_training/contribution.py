"""What each hospital brought in, and its share of the cost.

The worth of a group of hospitals is how much the head of their cases alone finds out about the test cases of all: its
mean area under the curve less 0.5. A hospital's contribution is its Shapley value (Shapley 1953, "A value for n-person
games"): what it adds to a group, on average over all orders in which the hospitals could have come. These add up to the
worth of the whole. With `leave_one_out` it is what the whole loses without the hospital; those need not add up.

The rule of the cost (docs/explanation/joint-training.md): everybody pays for the seconds of computing at its own place;
of what the server and the study cost, half is shared evenly and half in proportion to what a hospital *gains*, the area
that the joint head has over its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import factorial

Group = frozenset[str]


def shapley(worth: Mapping[Group, float], sites: Sequence[str]) -> dict[str, float]:
    """The Shapley value of each site.

    Args:
        worth: of every group that is not empty; the empty one is worth 0.
        sites: all of them.

    Examples:
        >>> shapley({frozenset("a"): 1.0, frozenset("b"): 2.0, frozenset("ab"): 4.0}, "ab")
        {'a': 1.5, 'b': 2.5}
    """
    count = len(sites)
    found = dict.fromkeys(sites, 0.0)
    for site in sites:
        others = [one for one in sites if one != site]
        for size in range(count):
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            for group in combinations(others, size):
                without = worth[Group(group)] if group else 0.0
                found[site] += weight * (worth[Group((*group, site))] - without)
    return found


def leave_one_out(worth: Mapping[Group, float], sites: Sequence[str]) -> dict[str, float]:
    """What the whole loses without each site."""
    every = Group(sites)
    return {site: worth[every] - worth[every - {site}] for site in sites}


def cost_shares(gains: Mapping[str, float]) -> dict[str, float]:
    """Share of each hospital in the common cost, from what it gains; they add up to 1.

    Args:
        gains: area under the curve of the joint head less that of the hospital's own; a loss counts as 0.
    """
    kept = {site: max(gain, 0.0) for site, gain in gains.items()}
    whole = sum(kept.values())
    even = 1 / len(kept)
    return {site: 0.5 * even + 0.5 * (gain / whole if whole > 0 else even) for site, gain in kept.items()}
