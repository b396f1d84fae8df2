"""Who asks, from what a request shows: the session's cookie, or the token of another system."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from fastapi import Request, Response

from consilium.laboratory.permissions import Role
from consilium.web.context import Signed
from consilium.web.security.accounts import Accounts
from consilium.web.security.sessions import Present, present
from consilium.web.security.tokens import present_by_token
from consilium.web.wording.language import language_of

COOKIE = "consilium_session"
LANGUAGE_COOKIE = "consilium_lang"


def signed_by(accounts: Accounts) -> Callable[[Request], Signed | None]:
    """What tells who asks, over these accounts. A wrong token is nobody, whatever cookie comes with it."""

    def signed(request: Request) -> Signed | None:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme:
            found = present_by_token(accounts, shown.strip()) if scheme.lower() == "bearer" else None
        else:
            token = request.cookies.get(COOKIE, "")
            found = present(accounts, token) if token else None
        return None if found is None else signed_of(request, found)

    return signed


def signed_of(request: Request, found: Present) -> Signed:
    """Whoever asks, as pages and services know her."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "") or found.language
    return Signed(
        person=found.person, roles=cast("frozenset[Role]", found.roles), csrf=found.csrf,
        lang=language_of(chosen, request.headers.get("accept-language", "")), must_change=found.must_change,
        session=found.session, by_browser=found.method != "token", began=found.began, method=found.method,
    )  # fmt: skip


def give_cookie(answer: Response, token: str, *, secure: bool) -> None:
    """Have a browser keep a session's token: for this site alone, out of reach of scripts, until it is closed."""
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/")


def take_cookie(answer: Response, *, secure: bool) -> None:
    """Have a browser forget it."""
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=secure, path="/")
