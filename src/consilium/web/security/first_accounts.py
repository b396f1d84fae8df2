"""The first accounts of a laboratory, and a laboratory for whoever only wants to see one."""

from __future__ import annotations

from consilium.laboratory.laboratory import Laboratory, put_staff
from consilium.laboratory.permissions import ROLES
from consilium.laboratory.profile import Profile
from consilium.web.security.accounts import Accounts, all_accounts, reset_password

DEMO = "Demo laboratory"


def found_demo(records: Laboratory, *, zone: str = "UTC") -> bool:
    """Found a laboratory with a person for each role, where there is none yet; whether it did."""
    from sqlalchemy import select

    from consilium.laboratory.tables import ProfileRow, StaffRow

    with records.reading() as session:
        founded = session.scalar(select(ProfileRow.id).limit(1)) is not None
        people = set(session.scalars(select(StaffRow.name)))
    if not founded:
        records.begin("administrator", Profile(name=DEMO, zone=zone), ["administrator"])
    # One that was killed in between is finished.
    elif not _is_demo(records) or people != {"administrator"}:
        return False
    with records.changing("administrator") as change:
        for role in ROLES:
            put_staff(change, role, [role])
    return True


def first_passwords(records: Laboratory, accounts: Accounts) -> tuple[tuple[str, str], ...]:
    """Passwords for one sign-in where nobody could sign in yet: (person, password).

    They are of the administrators, and of everybody in a demo laboratory. A second call gives none.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import StaffRow

    if all_accounts(accounts):
        return ()
    demo = _is_demo(records)
    with records.reading() as session:
        asked = select(StaffRow).where(StaffRow.withdrawn.is_(None)).order_by(StaffRow.id)
        people = [row.name for row in session.scalars(asked) if demo or "administrator" in row.roles]
    return tuple((person, reset_password(accounts, person, by="consilium serve")) for person in people)


def _is_demo(records: Laboratory) -> bool:
    from consilium.laboratory.laboratory import profile_in

    with records.reading() as session:
        return profile_in(session).name == DEMO
