"""Who may do what: one table, and one question that every verb and page asks before it acts.

Roles are of a hospital. *Own* in the table is what belongs to the hospital of the person who asks; *any* is what
belongs to whichever hospital. What is not in the table is not allowed. The operator keeps the work flowing and sees
figures of every hospital; what a job is called, who asked for it and what it wrote is its hospital's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from consilium.errors import NotAllowed

Role = Literal["member", "publisher", "approver", "lead", "data_officer", "operator"]
"""Works there; hands models out; lets models in; begins studies; lets data be used; keeps the alliance running."""

Act = Literal[
    "job.submit", "job.see", "job.queue", "job.output", "job.cancel",
    "capacity.see", "health.see", "usage.see", "cost.see", "lease.see", "lease.set",
    "library.search", "library.pull", "library.run", "library.subscribe", "library.publish", "library.approve",
    "library.retire", "library.rollback", "library.share_cases", "library.accept_key", "library.trust", "library.usage",
    "study.create", "study.see", "study.join", "study.approve", "study.start", "study.stop", "study.results",
    "storage.open", "storage.keys",
    "alliance.run", "roster.see", "roster.change", "ledger.see",
]  # fmt: skip

Scope = Literal["own", "any"]

ROLES: tuple[Role, ...] = get_args(Role)
ACTS: tuple[Act, ...] = get_args(Act)

TABLE: Mapping[Act, Mapping[Role, Scope]] = {
    "job.submit": {"member": "own"},
    "job.see": {"member": "own"},
    "job.queue": {"member": "own", "operator": "any"},
    "job.output": {"member": "own"},
    "job.cancel": {"member": "own", "operator": "any"},
    "capacity.see": {"member": "any", "operator": "any"},
    "health.see": {"operator": "any"},
    "usage.see": {"member": "own", "operator": "any"},
    "cost.see": {"member": "own", "operator": "any"},
    "lease.see": {"member": "own", "operator": "any"},
    "lease.set": {"operator": "any"},
    "library.search": {"member": "any", "operator": "any"},
    "library.pull": {"member": "own"},
    "library.run": {"member": "own"},
    "library.subscribe": {"member": "own"},
    "library.publish": {"publisher": "own"},
    "library.approve": {"approver": "any"},
    "library.retire": {"publisher": "own", "approver": "any"},
    "library.rollback": {"approver": "any"},
    "library.share_cases": {"data_officer": "own"},
    "library.accept_key": {"approver": "own"},
    "library.trust": {"operator": "any"},
    "library.usage": {"member": "own", "operator": "any"},
    "study.create": {"lead": "own"},
    "study.see": {"member": "own"},
    "study.join": {"data_officer": "own"},
    "study.approve": {"data_officer": "own"},
    "study.start": {"lead": "own"},
    "study.stop": {"lead": "own", "data_officer": "own"},
    "study.results": {"member": "own"},
    "storage.open": {"member": "own"},
    "storage.keys": {"data_officer": "own"},
    "alliance.run": {"operator": "any"},
    "roster.see": {"member": "own", "operator": "any"},
    "roster.change": {"operator": "any"},
    "ledger.see": {"operator": "any"},
}


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody of a hospital.

    Attributes:
        name: by which the machine knows who asks.
        hospital: its id.
        roles: what the person is there.
    """

    name: str
    hospital: str
    roles: frozenset[Role] = field(default_factory=frozenset)


def allowed(person: Person, act: Act, *, of: str) -> bool:
    """Whether a person may do something to what belongs to a hospital.

    Args:
        person: who asks.
        act: what is to be done.
        of: id of the hospital that it belongs to.
    """
    scopes = {TABLE[act].get(role) for role in person.roles}
    return "any" in scopes or ("own" in scopes and of == person.hospital)


def require(person: Person, act: Act, *, of: str) -> None:
    """See that a person may do something.

    Raises:
        NotAllowed: he may not; the message names the roles that may, and nothing of the other hospital.
    """
    if allowed(person, act, of=of):
        return
    may = sorted(role for role in TABLE[act] if TABLE[act][role] == "any" or of == person.hospital)
    raise NotAllowed(
        f"{person.name} of {person.hospital} may not do this ({act})",
        way_out=f"It takes the role {' or '.join(may)}: the operator of the alliance gives it."
        if may
        else "It belongs to another hospital.",
    )
