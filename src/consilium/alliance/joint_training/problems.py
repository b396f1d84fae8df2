"""Which heads are trained side by side, in the same rounds.

First one for each penalty, without the cases on which it is chosen; then the head that counts and, where contributions
are measured, one for each group of hospitals that is needed for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from consilium.alliance.joint_training.study import Study


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One head.

    Attributes:
        strength: C of its penalty.
        sites: pseudonyms of the hospitals whose cases train it.
    """

    strength: float
    sites: tuple[str, ...]


def choices(study: Study) -> tuple[Problem, ...]:
    """A problem for each penalty."""
    sites = tuple(study.pseudonyms.values())
    return tuple(Problem(strength=strength, sites=sites) for strength in study.strengths)


def final(study: Study, strength: float) -> tuple[Problem, ...]:
    """The head of all hospitals first, then those of the groups that the contribution asks for."""
    sites = tuple(study.pseudonyms.values())
    if study.contribution == "none":
        return (Problem(strength=strength, sites=sites),)
    fewest = 1 if study.contribution == "shapley" else len(sites) - 1
    sizes = range(len(sites), fewest - 1, -1)
    return tuple(Problem(strength=strength, sites=group) for size in sizes for group in combinations(sites, size))


def number_of_final(study: Study) -> int:
    """How many problems `final` has."""
    return len(final(study, study.strengths[0]))
