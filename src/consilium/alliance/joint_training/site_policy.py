"""What a hospital lets happen to its cases: its own file, asked before every answer, stronger than any study.

It is enforced twice: by the client here, and by NVIDIA FLARE at the site, whose `authorization.json` says who may run
anything at all, whose list of classes lets nothing but this client in, and whose privacy scope passes every result
through `flare_site.OnlySums`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from consilium.alliance.joint_training.flare_names import EXECUTOR, FILTER
from consilium.alliance.joint_training.membership import write_private
from consilium.alliance.joint_training.site_cases import Counts
from consilium.alliance.joint_training.study import Study
from consilium.alliance.joint_training.training import Kind
from consilium.errors import InputError, NotAllowed


@dataclass(frozen=True, kw_only=True)
class SitePolicy:
    """What a hospital allows.

    Attributes:
        leads: hospitals whose studies may be joined; empty for all of the alliance.
        outputs: kinds of sums that may leave.
        encryption_required: whether sums leave under encryption only.
        epsilon_at_most: differential privacy of at most so much is required; None where it is not.
        least_cases: below which not even sums leave.
        contribution: whether heads of groups of hospitals, which tell of single ones, may be trained.
        budget_seconds: processor seconds a study may take here.
    """

    leads: tuple[str, ...] = ()
    outputs: tuple[Kind, ...] = get_args(Kind)
    encryption_required: bool = False
    epsilon_at_most: float | None = None
    least_cases: int = 20
    contribution: bool = True
    budget_seconds: int = 3600


def read_policy(path: Path) -> SitePolicy:
    """The policy of a hospital; the usual one where there is no file.

    Raises:
        InputError: it is damaged; nothing is allowed then.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return SitePolicy()
    except OSError as problem:
        raise InputError("the policy cannot be read", where=str(path), way_out="Check its rights.") from problem
    try:
        told = json.loads(text)
        if unknown := set(told) - {one.name for one in fields(SitePolicy)}:
            raise ValueError(f"there is no {sorted(unknown)[0]!r} in it")
        for name in ("leads", "outputs"):
            if name in told:
                if not isinstance(told[name], list):
                    raise TypeError(f"{name} must be a list")
                told[name] = tuple(told[name])
        policy = SitePolicy(**told)
        _refuse_unfit(policy)
    except (ValueError, TypeError) as problem:
        raise InputError(
            f"the policy of this hospital is damaged ({problem})",
            where=str(path),
            way_out="Until it is put right, nothing is allowed.",
        ) from problem
    return policy


def _refuse_unfit(policy: SitePolicy) -> None:
    if unknown := set(policy.outputs) - set(get_args(Kind)):
        raise ValueError(f"there is no output {sorted(unknown)[0]!r}")
    for name in ("encryption_required", "contribution"):
        if not isinstance(getattr(policy, name), bool):
            raise TypeError(f"{name} must be true or false")
    numbers = {"least_cases": policy.least_cases, "budget_seconds": policy.budget_seconds}
    if policy.epsilon_at_most is not None:
        numbers["epsilon_at_most"] = policy.epsilon_at_most  # type: ignore[assignment]
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise TypeError(f"{name} must be a positive number")


def write_policy(policy: SitePolicy, path: Path) -> None:
    """Keep a policy."""
    write_private(path, json.dumps(asdict(policy), indent=1).encode() + b"\n")


def hold(policy: SitePolicy, study: Study, counts: Counts) -> None:
    """Hold a study against the policy.

    Raises:
        NotAllowed: the hospital does not take part in such a study; the message says why.
    """
    epsilon, most = study.privacy.epsilon, policy.epsilon_at_most
    vetoes = {
        f"studies of {study.lead} are not joined": bool(policy.leads) and study.lead not in policy.leads,
        "sums may leave under encryption only": policy.encryption_required and not study.privacy.encrypted,
        f"differential privacy with epsilon {most:g} at most is required" if most is not None else "": (
            most is not None and (epsilon is None or epsilon > most)
        ),
        f"{policy.least_cases} cases at least are required, there are {counts.cases}": counts.cases
        < policy.least_cases,
        "heads that tell of single hospitals are not trained": not policy.contribution and study.contribution != "none",
    }
    for what, is_so in vetoes.items():
        if is_so:
            raise NotAllowed(f"the policy of this hospital forbids it: {what}", where=f"study {study.id}")


def hold_output(policy: SitePolicy, kind: Kind, spent: float) -> None:
    """Hold one answer against the policy.

    Raises:
        NotAllowed: it may not leave, or the study has used up its time here.
    """
    if kind not in policy.outputs:
        raise NotAllowed(f"the policy of this hospital forbids it: {kind} may not leave")
    if spent > policy.budget_seconds:
        raise NotAllowed(f"the policy of this hospital forbids it: {policy.budget_seconds} s of computing are used up")


def flare_authorization(lead: str) -> dict[str, Any]:
    """FLARE's `authorization.json` at a site: only people of the lead's hospital, and no code but what is installed."""
    return {
        "format_version": "1.0",
        "permissions": {
            "project_admin": "none",
            "org_admin": "none",
            "lead": {
                "submit_job": f"o:{lead}",
                "clone_job": "none",
                "manage_job": "n:submitter",
                "download_job": "n:submitter",
                "view": "any",
                "operate": "none",
                "shell_commands": "none",
                "byoc": "none",
                "server-predeployed-flwr": "none",
            },
            "member": "none",
        },
    }


def flare_privacy() -> dict[str, Any]:
    """FLARE's `privacy.json` at a site: every result goes through our filter, whatever the job says."""
    scope = {"name": "study", "properties": {}, "task_result_filters": [{"path": FILTER, "args": {}}]}
    return {"scopes": [scope], "default_scope": "study"}


def flare_classes() -> list[str]:
    """The only classes that a job may have built at a site."""
    return [EXECUTOR, FILTER]
