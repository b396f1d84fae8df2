"""What each hospital gave to a study and what its share of the common cost is, from the study's own records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consilium.alliance.joint_training.contribution import Group, cost_shares, leave_one_out, shapley
from consilium.alliance.joint_training.progress import Progress, SiteState
from consilium.alliance.joint_training.site_cases import Counts
from consilium.alliance.joint_training.study import Study


@dataclass(frozen=True, kw_only=True)
class Share:
    """One hospital's.

    Attributes:
        site: pseudonym.
        cases: trained on.
        seconds: of computing at its place.
        sent, received: bytes.
        contribution: what it brought in; None where that was not measured.
        alone: area under the curve of a head of its cases alone; None where that was not measured.
        cost: share of the common cost, 0 to 1.
    """

    site: str
    cases: int
    seconds: float
    sent: int
    received: int
    contribution: float | None
    alone: float | None
    cost: float


def shares(
    study: Study, result: Mapping[str, Any], progress: Progress, counts: Mapping[str, Counts]
) -> tuple[Share, ...]:
    """The shares of all hospitals that took part; without measured contributions, cost goes by cases."""
    sites = sorted(counts)
    worth = {
        Group(group): value - 0.5
        for group, value in zip(result["groups"], result["worth"], strict=True)
        if set(group) <= set(sites)
    }
    for group, value in zip(result["groups"], result["worth"], strict=True):
        # Of a hospital that was asked and did not come, a group with it is the group without it.
        worth.setdefault(Group(group) & Group(sites), value - 0.5)
    contribution: dict[str, float] = {}
    if study.contribution == "shapley":
        contribution = shapley(worth, sites)
    elif study.contribution == "leave_one_out":
        contribution = leave_one_out(worth, sites)
    alone = {site: worth[Group({site})] + 0.5 for site in sites if Group({site}) in worth}
    if len(alone) == len(sites):
        costs = cost_shares({site: worth[Group(sites)] + 0.5 - alone[site] for site in sites})
    else:
        whole = sum(one.cases for one in counts.values())
        costs = {site: 0.5 / len(sites) + 0.5 * counts[site].cases / whole for site in sites}
    # A hospital on an installation of its own does not know how the server fared with each.
    fared = {site: progress.sites.get(site, SiteState()) for site in sites}
    return tuple(
        Share(
            site=site, cases=counts[site].cases, seconds=fared[site].seconds, sent=fared[site].sent,
            received=fared[site].received, contribution=contribution.get(site), alone=alone.get(site),
            cost=costs[site],
        )
        for site in sites
    )  # fmt: skip
