"""On which terms a job has its cores: what is its hospital's right, and what is only lent. Pure rules, no scheduler.

A hospital has a right to so many cores at any hour (`Right`). What it runs within that right nobody takes from it;
what it runs beyond is borrowed from those who have no use for their own just now, and goes back, youngest first, as
soon as one of them does. The words are those of Kueue's cohorts: nominal quota, borrowing, reclaim (Kueue
documentation, "Preemption").

What a scheduler cannot do, and these rules make up for: it labels a job once, when it is submitted, although whether
the job is within its hospital's right changes with every job that ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from consilium.alliance.compute.job import URGENCIES, Urgency

Terms = Literal["urgent", "own", "borrow", "idle"]
"""A patient waits now, on what is the hospital's; what is the hospital's; what others lend; what nobody wants."""


@dataclass(frozen=True, kw_only=True)
class Right:
    """What a hospital is sure of.

    Attributes:
        cores, gpus: at this hour.
    """

    cores: int
    gpus: int = 0

    def less(self, cores: int, gpus: int) -> Right:
        """What is left of it."""
        return Right(cores=self.cores - cores, gpus=self.gpus - gpus)

    def holds(self, cores: int, gpus: int) -> bool:
        """Whether so much fits in it."""
        return cores <= self.cores and gpus <= self.gpus


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A job that is not over.

    Attributes:
        number: of the job; earlier ones have lower numbers.
        hospital: whose.
        urgency: how urgent.
        cores, gpus: that it holds or asks for.
        running: the terms on which it runs; None while it waits.
    """

    number: int
    hospital: str
    urgency: Urgency
    cores: int
    gpus: int = 0
    running: Terms | None = None


NOTHING = Right(cores=0)


def terms_of(claims: Iterable[Claim], rights: Mapping[str, Right], *, lending: bool = True) -> dict[int, Terms]:
    """The terms for each job that waits, as things are now.

    The most urgent and oldest jobs of a hospital come first in its right; once one does not fit, those behind it do not
    pass it there, but all of them may start on what others lend.

    Args:
        claims: every job that is not over.
        rights: of each hospital; none where it is not named.
        lending: whether hospitals lend to each other. Where they do not, each has its own right and no more.
    """
    claims = list(claims)
    left: dict[str, Right] = defaultdict(lambda: NOTHING, rights)
    urgent_left = dict(left)
    for one in claims:
        if one.running in ("urgent", "own", "borrow"):
            left[one.hospital] = left[one.hospital].less(one.cores, one.gpus)
        if one.running == "urgent":
            urgent_left[one.hospital] = urgent_left.get(one.hospital, NOTHING).less(one.cores, one.gpus)
    full: set[str] = set()
    found: dict[int, Terms] = {}
    waiting = (one for one in claims if one.running is None)
    for one in sorted(waiting, key=lambda one: (URGENCIES.index(one.urgency), one.number)):
        rest = urgent_left.get(one.hospital, NOTHING)
        if one.urgency == "emergency" and rest.holds(one.cores, one.gpus):
            found[one.number] = "urgent"
            urgent_left[one.hospital] = rest.less(one.cores, one.gpus)
            left[one.hospital] = left[one.hospital].less(one.cores, one.gpus)
        elif not lending:
            found[one.number] = "own"
        elif one.urgency == "idle":
            found[one.number] = "idle"
        elif one.hospital not in full and left[one.hospital].holds(one.cores, one.gpus):
            found[one.number] = "own"
            left[one.hospital] = left[one.hospital].less(one.cores, one.gpus)
        else:
            full.add(one.hospital)
            found[one.number] = "borrow"
    return found


def beyond_their_right(claims: Iterable[Claim], rights: Mapping[str, Right]) -> frozenset[str]:
    """Hospitals that now run more than their right: only their borrowed jobs may be taken back.

    A hospital within its right keeps what it runs, although a job of it that started as borrowed may bear that label
    still.
    """
    left: dict[str, Right] = defaultdict(lambda: NOTHING, rights)
    for one in claims:
        if one.running in ("urgent", "own", "borrow"):
            left[one.hospital] = left[one.hospital].less(one.cores, one.gpus)
    return frozenset(hospital for hospital, rest in left.items() if rest.cores < 0 or rest.gpus < 0)
