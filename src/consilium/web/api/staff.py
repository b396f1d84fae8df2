"""The people of the laboratory, their roles and their accounts, for an administrator."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from consilium.laboratory.laboratory import put_staff
from consilium.laboratory.permissions import Role
from consilium.web.context import Asking, People, Records, address_of
from consilium.web.security.accounts import disable as disable_account
from consilium.web.security.accounts import reset_password
from consilium.web.security.audit import events as newest_events
from consilium.web.security.staff import Person, everybody

router = APIRouter(prefix="/staff", tags=["staff"])

Name = Annotated[str, Field(min_length=1, max_length=255)]


class PersonTold(BaseModel):
    """Somebody of the laboratory; the last four are null where the person has no account."""

    person: str
    roles: list[str]
    made: str | None = None
    must_change: bool | None = None
    disabled: bool | None = None
    password: bool | None = None


class RolesWish(BaseModel):
    """What a person is to be; no role: may do nothing any more."""

    person: Name
    roles: list[Role] = Field(max_length=4)


class PersonNamed(BaseModel):
    """Whose account it is about."""

    person: Name


class DisabledWish(PersonNamed):
    """Whether nobody gets in by an account."""

    disabled: bool


class OneTimePassword(BaseModel):
    """A password for one sign-in; it is told now and never again."""

    person: str
    one_time_password: str


class EventTold(BaseModel):
    """What was done with an account."""

    at: str
    what: str
    who: str
    person: str
    address: str
    detail: str


@router.get("")
def people(people: People, records: Records, signed: Asking) -> list[PersonTold]:
    """Everybody who works here, by name."""
    with records.looking(signed.person) as look:
        look.require("staff.change")
        return [_told(one) for one in everybody(look, people)]


@router.put("")
def roles(people: People, records: Records, signed: Asking, wish: RolesWish) -> PersonTold:
    """Add a person, or change what one may do; her sessions are over then."""
    with records.changing(signed.person) as change:
        put_staff(change, wish.person, wish.roles)
    return _one(people, records, signed.person, wish.person)


@router.post("/password")
def password(request: Request, people: People, records: Records, signed: Asking, named: PersonNamed) -> OneTimePassword:
    """Give a person an account, or a new password: one that has to be changed at the first sign-in."""
    with records.looking(signed.person) as look:
        look.require("staff.change")
    made = reset_password(people, named.person, by=signed.person, address=address_of(request))
    return OneTimePassword(person=named.person, one_time_password=made)


@router.post("/disabled")
def disable(request: Request, people: People, records: Records, signed: Asking, wish: DisabledWish) -> PersonTold:
    """Let nobody in by an account, at once; or let the person in again."""
    with records.looking(signed.person) as look:
        look.require("staff.change")
    disable_account(people, wish.person, wish.disabled, by=signed.person, address=address_of(request))
    return _one(people, records, signed.person, wish.person)


@router.get("/events")
def events(
    people: People, records: Records, signed: Asking, person: Annotated[str | None, Query(max_length=255)] = None,
    newest: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[EventTold]:  # fmt: skip
    """What was done with accounts, sessions and tokens, newest first."""
    with records.looking(signed.person) as look:
        look.require("staff.change")
        if person is not None and not person.isprintable():
            return []
        return [EventTold(**vars(one)) for one in newest_events(look.session, person=person, newest=newest)]


def _one(people: People, records: Records, asking: str, name: str) -> PersonTold:
    with records.looking(asking) as look:
        return next(_told(one) for one in everybody(look, people) if one.person == name.strip())


def _told(person: Person) -> PersonTold:
    account = person.account
    if account is None:
        return PersonTold(person=person.person, roles=list(person.roles))
    return PersonTold(
        person=person.person, roles=list(person.roles), made=account.made, must_change=account.must_change,
        disabled=account.disabled, password=account.password,
    )  # fmt: skip
