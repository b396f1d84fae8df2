"""Rearrangements drawn by lot: which chromosome breaks where, for the recipe and for the benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from consilium.karyotype.metaphase import CLASSES, FAMILIES
from consilium.karyotype.rearranged import KINDS, Built, End, Kind, Lying, band_edges, centromere, rearranged

FAMILY_OF: dict[Kind, int] = {"del": 0, "del_terminal": 0, "dup": 1, "inv": 2, "add": 3}
"""Index into `FAMILIES`."""

SMALLEST = {"loss": 1, "gain": 1, "inversion": 2, "exchange": 1}
"""Bands at 550 bphs from which a change is drawn: the inversion of one band shows nothing."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is done to a chromosome.

    Attributes:
        label: the chromosome, an index into CLASSES.
        kind: what is done.
        places: where it breaks, fractions from pter.
        end: which end is lost or replaced.
        bands: how many bands are lost, doubled, turned or replaced.
        donor: of "add", which chromosome gives a piece; -1 otherwise.
        donor_place, donor_end: where that one breaks, and which of its ends is taken.
    """

    label: int
    kind: Kind
    places: tuple[float, ...]
    end: End
    bands: int
    donor: int = -1
    donor_place: float = 0.0
    donor_end: End = "q"

    @property
    def family(self) -> int:
        """Index into `FAMILIES`."""
        return FAMILY_OF[self.kind]


def drawn(
    label: int, rng: np.random.Generator, *, kinds: Sequence[Kind] = KINDS[1:], donors: Sequence[int] = ()
) -> Plan | None:
    """Draw a rearrangement of a chromosome; None where the lot gives none that is possible."""
    edges, middle = band_edges(CLASSES[label]), centromere(CLASSES[label])
    kind: Kind = kinds[int(rng.integers(len(kinds)))]
    if kind in ("add", "del_terminal", "sham"):
        end: End = "q" if rng.random() < max(1 - middle, 0.35) else "p"
        arm = [float(e) for e in edges if (middle < e < 1 if end == "q" else 0 < e < middle)]
        if not arm:
            return None
        place = arm[int(rng.integers(len(arm)))]
        bands = int(((edges[:-1] >= place - 1e-9) if end == "q" else (edges[1:] <= place + 1e-9)).sum())
        if kind != "add":
            return Plan(label=label, kind=kind, places=(place,), end=end, bands=bands)
        return _with_donor(Plan(label=label, kind=kind, places=(place,), end=end, bands=bands), donors, rng)
    if kind == "inv" and rng.random() < 0.5:
        inner = [float(e) for e in edges if 0 < e < 1]
    elif rng.random() < middle:
        inner = [float(e) for e in edges if 0 < e <= middle]
    else:
        inner = [float(e) for e in edges if middle <= e < 1]
    if len(inner) < 2:
        return None
    first, last = sorted(rng.choice(len(inner), 2, replace=False))
    places = (inner[first], inner[last])
    bands = int(((edges[:-1] >= places[0] - 1e-9) & (edges[1:] <= places[1] + 1e-9)).sum())
    if bands < SMALLEST[FAMILIES[FAMILY_OF[kind]]]:
        return None
    return Plan(label=label, kind=kind, places=places, end="q", bands=bands)


def _with_donor(plan: Plan, donors: Sequence[int], rng: np.random.Generator) -> Plan | None:
    if not len(donors):
        return None
    donor = int(donors[int(rng.integers(len(donors)))])
    donor_end: End = "p" if rng.random() < 0.4 else "q"
    inner, middle = band_edges(CLASSES[donor])[1:-1], centromere(CLASSES[donor])
    arm = inner[inner > middle] if donor_end == "q" else inner[inner < middle]
    if not len(arm):
        return None
    return Plan(
        label=plan.label, kind="add", places=plan.places, end=plan.end, bands=plan.bands, donor=donor,
        donor_place=float(arm[int(rng.integers(len(arm)))]), donor_end=donor_end,
    )  # fmt: skip


def built(plan: Plan, own: Lying, donor: Lying | None = None) -> Built:
    """Carry a plan out on one chromosome."""
    return rearranged(
        plan.kind, own, plan.places, end=plan.end, other=donor, other_break=plan.donor_place, other_end=plan.donor_end
    )
