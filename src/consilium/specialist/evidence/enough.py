"""Saying that there are not enough cases: a result, not a failure."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST = 10
"""Patients (groups) of each kind below which no figure is given: with 9 patients the Wilson interval of a sensitivity
of 8/9 already spans .57 to .98."""


@dataclass(frozen=True, kw_only=True)
class NotEnough:
    """A figure that is not given, because too few cases carry it.

    Attributes:
        figure: what is not given, e.g. "auc".
        counted: what was counted, e.g. "patients with label malignant".
        found: how many there are.
        needed: how many there would have to be.
    """

    figure: str
    counted: str
    found: int
    needed: int

    def __str__(self) -> str:
        return f"not enough cases for {self.figure}: {self.found} {self.counted}, at least {self.needed} are needed"
