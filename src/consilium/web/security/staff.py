"""People of the laboratory beside their accounts."""

from __future__ import annotations

from dataclasses import dataclass

from consilium.laboratory.journal import Change
from consilium.web.security.accounts import Account, Accounts, all_accounts


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody of the laboratory; she may have no account."""

    person: str
    roles: tuple[str, ...]
    account: Account | None


def everybody(look: Change, accounts: Accounts) -> tuple[Person, ...]:
    """Everybody who works here, by name.

    Raises:
        NotAllowed: who asks does not keep people.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import StaffRow

    look.require("staff.change")
    known = {one.person: one for one in all_accounts(accounts)}
    found = look.session.scalars(select(StaffRow).where(StaffRow.withdrawn.is_(None)).order_by(StaffRow.name))
    return tuple(Person(person=row.name, roles=tuple(row.roles), account=known.get(row.name)) for row in found)
