"""One's own account: password, language, open sessions, tokens of other systems, what was done with it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from consilium.errors import ConsiliumError
from consilium.web.api.sessions import Herself
from consilium.web.context import People, Records, Run, Signed, address_of
from consilium.web.page import page
from consilium.web.problems import status_of
from consilium.web.security import sessions, tokens
from consilium.web.security.accounts import Accounts, choose_language
from consilium.web.security.audit import events
from consilium.web.security.passwords import SHORTEST
from consilium.web.security.sign_in import change_own_password
from consilium.web.security.signed import LANGUAGE_COOKIE, give_cookie
from consilium.web.wording.language import LANGUAGES
from consilium.web.wording.words import say

router = APIRouter()
Secret = Annotated[str, Form(max_length=1024)]


@router.get("/account")
def account(request: Request, people: People, records: Records, signed: Herself) -> Response:
    """Show it."""
    return _page(request, people, records, signed)


@router.post("/account/password")
def password(
    request: Request, people: People, records: Records, run: Run, signed: Herself, old: Secret, new: Secret,
    again: Secret,
) -> Response:  # fmt: skip
    """Choose a new password."""
    if new != again:
        return _page(request, people, records, signed, status=422, told=say("account.not_the_same", signed.lang))
    try:
        made = change_own_password(people, person=signed.person, old=old, new=new, address=address_of(request))
    except ConsiliumError as problem:
        return _page(request, people, records, signed, status=status_of(problem), problem=problem)
    answer = RedirectResponse("/account?done=password", status_code=303)
    give_cookie(answer, made.token, secure=run.secure)
    return answer


@router.post("/account/language")
def language(request: Request, people: People, run: Run, signed: Herself, lang: Annotated[str, Form()]) -> Response:
    """Choose the language for wherever one signs in."""
    answer = RedirectResponse("/account", status_code=303)
    if lang in LANGUAGES:
        choose_language(people, signed.person, lang, address=address_of(request))
        answer.delete_cookie(LANGUAGE_COOKIE, path="/", secure=run.secure, httponly=True, samesite="strict")
    return answer


@router.post("/account/sessions/{number}/end")
def end(request: Request, people: People, signed: Herself, number: int) -> Response:
    """End a session that is open elsewhere."""
    sessions.end_one(people, signed.person, number, address=address_of(request))
    return RedirectResponse("/account#sessions", status_code=303)


@router.post("/account/tokens")
def make(
    request: Request, people: People, records: Records, signed: Herself, name: Annotated[str, Form(max_length=200)],
    days: Annotated[int, Form()], roles: Annotated[list[str] | None, Form()] = None,
) -> Response:  # fmt: skip
    """Make a token for another system, and show it this once."""
    try:
        shown, _ = tokens.make_token(
            people, signed.person, name=name, roles=roles or (), days=days, address=address_of(request)
        )
    except ConsiliumError as problem:
        return _page(request, people, records, signed, status=status_of(problem), problem=problem)
    return _page(request, people, records, signed, shown=shown)


@router.post("/account/tokens/revoke")
def revoke(request: Request, people: People, signed: Herself, name: Annotated[str, Form(max_length=200)]) -> Response:
    """Let a token count no longer."""
    tokens.revoke_token(people, signed.person, name, address=address_of(request))
    return RedirectResponse("/account#tokens", status_code=303)


def _page(
    request: Request, people: Accounts, records: Records, signed: Signed, *, status: int = 200, told: str = "",
    shown: str = "", problem: ConsiliumError | None = None,
) -> Response:  # fmt: skip
    values: dict[str, Any] = {
        "told": str(problem) if problem is not None else told, "shown": shown, "shortest": SHORTEST,
        "done": request.query_params.get("done") == "password", "must_change": signed.must_change,
        "by_password": signed.method != "oidc", "sessions": (), "tokens": (), "events": (), "local": None,
        "languages": LANGUAGES, "longest": people.policy.token_days,
    }  # fmt: skip
    with records.looking(signed.person) as look:
        profile = look.profile
        if not signed.must_change:
            values["events"] = events(look.session, person=signed.person, newest=20)
    if not signed.must_change:
        values["sessions"] = sessions.open_sessions(people, signed.person)
        values["tokens"] = tokens.tokens(people, signed.person)
    values["local"] = lambda moment: profile.local(moment).strftime("%Y-%m-%d %H:%M")
    return page(request, "account.html.j2", signed=signed, status=status, **values)
