"""Who works here, what each may do, who gets in; and what the laboratory settled. For an administrator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from consilium.laboratory.laboratory import change_profile, checked_roles, put_staff
from consilium.laboratory.permissions import ROLES
from consilium.web.context import Asking, People, Records, Signed, address_of
from consilium.web.page import page
from consilium.web.pages.forms import BLANK, Clock, Entered, Form, acted
from consilium.web.security.accounts import Accounts, disable, reset_password
from consilium.web.security.audit import events
from consilium.web.security.staff import everybody

router = APIRouter()

SHOWN = 50
"""Newest acts on accounts."""

RULES = ("flagged_reviewed", "blind", "iscn_valid", "guideline_reasons")
"""What a laboratory may want before a report is signed; see `ReleaseRules`."""


@router.get("/people")
def people_page(request: Request, asking: Asking, records: Records, people: People) -> Response:
    """Everybody, and the settings."""
    return _page(request, asking, records, people)


def _administrator(asking: Asking, records: Records) -> Signed:
    with records.looking(asking.person) as look:
        look.require("staff.change")
    return asking


Administrator = Annotated[Signed, Depends(_administrator)]


@router.post("/people")
def put(request: Request, asking: Asking, records: Records, people: People, given: Form) -> Response:
    """Add a person, or change what one may do."""

    def act() -> str:
        chosen = checked_roles(given.several.get("roles", ()))
        roles = [one for one in ROLES if one in chosen]
        with records.changing(asking.person) as change:
            put_staff(change, given.get("person"), roles)
        return "/people"

    return acted(given.get("form") or "add", given, act, _again(request, asking, records, people), done="people")


@router.post("/people/password")
def password(request: Request, asking: Administrator, records: Records, people: People, given: Form) -> Response:
    """Give somebody an account, or a new password; it is shown on this one answer and never again."""
    person = given.get("person")
    made = reset_password(people, person, by=asking.person, address=address_of(request))
    return _page(request, asking, records, people, shown=(person, made))


@router.post("/people/disabled")
def shut(request: Request, asking: Administrator, records: Records, people: People, given: Form) -> Response:
    """Let nobody in by an account, or let the person in again."""

    def act() -> str:
        closed = given.get("disabled") == "yes"
        disable(people, given.get("person"), closed, by=asking.person, address=address_of(request))
        return "/people"

    return acted("shut", given, act, _again(request, asking, records, people), done="people")


@router.post("/people/settings")
def settle(request: Request, asking: Asking, records: Records, people: People, given: Form) -> Response:
    """Settle what has to be done before a report is signed."""

    def act() -> str:
        from consilium.laboratory.profile import days_to_keep

        wanted = set(given.several.get("rules", ()))
        with records.changing(asking.person) as change:
            rules = replace(
                change.profile.release, flagged_reviewed="flagged_reviewed" in wanted, blind="blind" in wanted,
                iscn_valid="iscn_valid" in wanted, guideline_reasons="guideline_reasons" in wanted,
            )  # fmt: skip
            profile = replace(
                change.profile, second_reader="second_reader" in wanted, keep_days=days_to_keep(given.get("keep_days")),
                release=rules,
            )  # fmt: skip
            change_profile(change, profile, reason=given.get("reason"))
        return "/people#settings"

    return acted("settings", given, act, _again(request, asking, records, people), done="settled")


def _again(request: Request, asking: Signed, records: Records, people: Accounts) -> Callable[[Entered], Response]:
    return lambda entered: _page(request, asking, records, people, entered)


def _page(
    request: Request, asking: Signed, records: Records, people: Accounts, entered: Entered = BLANK, *,
    shown: tuple[str, str] | None = None,
) -> Response:  # fmt: skip
    with records.looking(asking.person) as look:
        found = everybody(look, people)
        newest = events(look.session, person=None, newest=SHOWN)
        profile = look.profile
    return page(
        request, "people.html.j2", signed=asking, status=entered.status, entered=entered, everybody=found,
        events=newest, all_roles=ROLES, shown=shown, profile=profile, rules=RULES, local=Clock(profile),
    )  # fmt: skip
