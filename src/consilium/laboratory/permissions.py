"""Who may do what in a laboratory: one table, and one question that every act asks before it changes anything.

Roles are added up: whoever is reviewer and director may do what either may. What is not in the table is not allowed.
Names of patients are an act of their own, since most of the day's work needs none. The table is of one laboratory:
what hospitals may do to each other is a table of the alliance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from consilium.errors import NotAllowed

Role = Literal["technologist", "reviewer", "director", "administrator"]
"""Works at the bench; reads a second time; signs; keeps people, places and settings."""

Act = Literal[
    "record.see", "record.export", "record.import", "history.see",
    "patient.identify", "patient.register", "consent.record", "consent.withdraw",
    "specimen.receive", "specimen.change", "specimen.withdraw", "specimen.dispose",
    "preparation.make", "preparation.change", "preparation.withdraw",
    "place.make", "place.withdraw", "thing.store", "custody.hand_over",
    "case.open", "case.change", "case.withdraw",
    "case.culture", "case.harvest", "case.analyse", "case.return", "case.review", "case.sign", "case.amend",
    "image.add", "image.withdraw", "run.start", "run.cancel", "cell.edit", "cell.record", "cell.withdraw",
    "review.read", "review.decide", "report.write",
    "exchange.receive", "exchange.cancel", "exchange.send", "exchange.fetch", "exchange.settle",
    "profile.change", "staff.change",
]  # fmt: skip

ROLES: tuple[Role, ...] = get_args(Role)
ACTS: tuple[Act, ...] = get_args(Act)

_BENCH: frozenset[Role] = frozenset({"technologist", "reviewer", "director"})
_READERS: frozenset[Role] = frozenset({"reviewer", "director"})
_DIRECTOR: frozenset[Role] = frozenset({"director"})
_ADMINISTRATOR: frozenset[Role] = frozenset({"administrator"})

TABLE: Mapping[Act, frozenset[Role]] = {
    "record.see": frozenset(ROLES),
    "record.export": _READERS,
    "record.import": frozenset({"technologist", "director"}),
    "history.see": frozenset(ROLES),
    "patient.identify": _BENCH,
    "patient.register": _BENCH,
    "consent.record": _BENCH,
    "consent.withdraw": _BENCH,
    "specimen.receive": _BENCH,
    "specimen.change": _BENCH,
    "specimen.withdraw": _READERS,
    "specimen.dispose": _DIRECTOR,
    "preparation.make": _BENCH,
    "preparation.change": _BENCH,
    "preparation.withdraw": _BENCH,
    "place.make": _ADMINISTRATOR,
    "place.withdraw": _ADMINISTRATOR,
    "thing.store": _BENCH,
    "custody.hand_over": _BENCH,
    "case.open": _BENCH,
    "case.change": _BENCH,
    "case.withdraw": _DIRECTOR,
    "case.culture": _BENCH,
    "case.harvest": _BENCH,
    "case.analyse": _BENCH,
    "case.return": _READERS,
    "case.review": _READERS,
    "case.sign": _DIRECTOR,
    "case.amend": _DIRECTOR,
    "image.add": _BENCH,
    "image.withdraw": _BENCH,
    "run.start": _BENCH,
    "run.cancel": _BENCH,
    "cell.edit": _BENCH,
    "cell.record": _BENCH,
    "cell.withdraw": _BENCH,
    "review.read": _READERS,
    "review.decide": _READERS,
    "report.write": _BENCH,
    "exchange.receive": _BENCH,
    "exchange.cancel": _BENCH,
    "exchange.send": _BENCH,
    "exchange.fetch": _BENCH,
    "exchange.settle": _ADMINISTRATOR,
    "profile.change": _ADMINISTRATOR,
    "staff.change": _ADMINISTRATOR,
}


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Somebody of the laboratory.

    Attributes:
        name: by which the machine knows who asks.
        roles: what the person is there.
    """

    name: str
    roles: frozenset[Role] = field(default_factory=frozenset)


def allowed(worker: Worker, act: Act) -> bool:
    """Whether a person may do something."""
    return bool(worker.roles & TABLE[act])


def require(worker: Worker, act: Act) -> None:
    """See that a person may do something.

    Raises:
        NotAllowed: she may not; the message names the roles that may.
    """
    if not allowed(worker, act):
        raise NotAllowed(
            f"{worker.name} may not do this ({act})",
            way_out=f"It takes the role {' or '.join(one for one in ROLES if one in TABLE[act])}: "
            "an administrator of the laboratory gives it.",
        )
