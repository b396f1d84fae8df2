"""What a karyogram costs people: interactions per karyogram, the figure by which editors are compared.

A clinical test of a semi-automatic system counted a median of 36 (25 to 61) for a karyotype. What counts here is in
`log.counts_as_interaction`; mouse paths that end in no command are not counted, so figures of other systems that count
them are not quite the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """Interactions over some karyograms.

    Attributes:
        karyograms: how many.
        median: of the interactions of each.
        low, high: first and third quartile; the median where there are fewer than four.
        most: of any.
    """

    karyograms: int
    median: float
    low: float
    high: float
    most: int


def effort(interactions: Sequence[int]) -> Effort | None:
    """Sum up the interactions of karyograms; None for none."""
    if not interactions:
        return None
    middle = float(median(interactions))
    few = len(interactions) < 4
    low, _, high = (middle,) * 3 if few else quantiles(interactions, n=4, method="inclusive")
    return Effort(karyograms=len(interactions), median=middle, low=low, high=high, most=max(interactions))
