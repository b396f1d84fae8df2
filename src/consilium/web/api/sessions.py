"""Signing in and out, for programs; and what a person sees and changes of her own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from consilium.errors import NotAllowed
from consilium.web.context import Asking, People, Run, Signed, address_of, signed_in
from consilium.web.security import sessions, tokens
from consilium.web.security.sign_in import change_own_password, sign_in
from consilium.web.security.signed import COOKIE, give_cookie, signed_of, take_cookie

router = APIRouter(tags=["session"])


def at_browser(signed: Annotated[Signed, Depends(signed_in)]) -> Signed:
    """Whoever signed in herself.

    Raises:
        NotAllowed: a program asks in her name.
    """
    if signed.method == "token":
        raise NotAllowed("a program may not do this", way_out="Sign in yourself.")
    return signed


Herself = Annotated[Signed, Depends(at_browser)]


class Credentials(BaseModel):
    """A name and a password."""

    person: str = Field(min_length=1, max_length=255)
    password: str = Field(min_length=1, max_length=1024)


class NewPassword(BaseModel):
    """The password so far, and the one from now on."""

    old: str = Field(min_length=1, max_length=1024)
    new: str = Field(min_length=1, max_length=1024)


class SessionTold(BaseModel):
    """Who is signed in. `csrf` is the header X-CSRF-Token of every request that changes something."""

    person: str
    roles: list[str]
    csrf: str
    language: str
    must_change: bool


class OpenTold(BaseModel):
    """A session that is open somewhere; times are ISO 8601 in UTC."""

    id: int
    began: str
    seen: str
    address: str
    method: str


class TokenTold(BaseModel):
    """A token of another system."""

    name: str
    roles: list[str]
    made: str
    expires: str
    used: str | None
    revoked: bool
    expired: bool


class TokenWish(BaseModel):
    """What a token is to be."""

    name: str = Field(min_length=1, max_length=100)
    roles: list[str] = Field(min_length=1, max_length=4)
    days: int = Field(ge=1, le=100_000)


class TokenMade(TokenTold):
    """A new token; `token` is told now and never again."""

    token: str


@router.post("/session", status_code=201)
def begin(request: Request, answer: Response, people: People, run: Run, told: Credentials) -> SessionTold:
    """Sign in; the session is in a cookie."""
    made = sign_in(
        people, person=told.person, password=told.password, address=address_of(request),
        replaces=request.cookies.get(COOKIE, ""),
    )  # fmt: skip
    give_cookie(answer, made.token, secure=run.secure)
    return _told(signed_of(request, made.present))


@router.get("/session")
def who(signed: Asking) -> SessionTold:
    """Who asks."""
    return _told(signed)


@router.delete("/session", status_code=204)
def end(request: Request, people: People, run: Run, _signed: Herself) -> Response:
    """Sign out."""
    sessions.sign_out(people, request.cookies.get(COOKIE, ""), address=address_of(request))
    answer = Response(status_code=204)
    take_cookie(answer, secure=run.secure)
    return answer


@router.put("/session/password")
def password(
    request: Request, answer: Response, people: People, run: Run, signed: Herself, told: NewPassword
) -> SessionTold:
    """Choose a new password. Every session of the person is over, and a new one begins."""
    made = change_own_password(
        people, person=signed.person, old=told.old, new=told.new, address=address_of(request)
    )  # fmt: skip
    give_cookie(answer, made.token, secure=run.secure)
    return _told(signed_of(request, made.present))


@router.get("/sessions")
def opened(people: People, signed: Herself) -> list[OpenTold]:
    """The person's sessions that are open."""
    return [OpenTold(**vars(one)) for one in sessions.open_sessions(people, signed.person)]


@router.delete("/sessions/{number}", status_code=204)
def end_one(request: Request, people: People, signed: Herself, number: int) -> Response:
    """End one of them, e.g. on a machine that was left."""
    sessions.end_one(people, signed.person, number, address=address_of(request))
    return Response(status_code=204)


@router.get("/tokens")
def listed(people: People, signed: Herself) -> list[TokenTold]:
    """The tokens that the person made for other systems."""
    return [TokenTold(**vars(one)) for one in tokens.tokens(people, signed.person)]


@router.post("/tokens", status_code=201)
def make(request: Request, people: People, signed: Herself, wish: TokenWish) -> TokenMade:
    """Make a token for another system, for some of the person's roles."""
    shown, made = tokens.make_token(
        people, signed.person, name=wish.name, roles=wish.roles, days=wish.days, address=address_of(request)
    )
    return TokenMade(token=shown, **vars(made))


@router.delete("/tokens/{name}", status_code=204)
def revoke(request: Request, people: People, signed: Herself, name: str) -> Response:
    """Let a token count no longer, at once."""
    tokens.revoke_token(people, signed.person, name, address=address_of(request))
    return Response(status_code=204)


def _told(signed: Signed) -> SessionTold:
    return SessionTold(
        person=signed.person, roles=sorted(signed.roles), csrf=signed.csrf, language=signed.lang,
        must_change=signed.must_change,
    )  # fmt: skip
