"""Signing in, by password or by the hospital's own service, and signing out."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from consilium.errors import ConsiliumError, InputError
from consilium.web.context import People, Run, address_of, lang_of
from consilium.web.page import page
from consilium.web.pages.language import own_address
from consilium.web.security.attempts import TooManyAttempts
from consilium.web.security.sessions import csrf_of, sign_out
from consilium.web.security.sign_in import WrongPassword, sign_in
from consilium.web.security.signed import COOKIE, give_cookie, take_cookie
from consilium.web.security.single_sign_on import Provider
from consilium.web.settings import Settings
from consilium.web.wording.words import say

router = APIRouter()
_BEGINS = "consilium_begins"
"""A cookie that a browser has before a session, so that no other site signs it in as somebody else."""
_LEAVES = "consilium_leaves"
"""A cookie of a browser that is at single sign-on; it comes back from another site, and has to have it then."""


@router.get("/sign-in")
def form(request: Request, run: Run, next: str = "/") -> Response:  # noqa: A002
    """Ask who it is."""
    if request.state.signed is not None:
        return RedirectResponse(own_address(next), status_code=303)
    return _form(request, run, back=next)


@router.post("/sign-in")
def enter(
    request: Request, people: People, run: Run, person: str = Form("", max_length=255),
    password: str = Form("", max_length=1024), back: str = Form("/", max_length=500),
    csrf: str = Form("", max_length=100),
) -> Response:  # fmt: skip
    """Begin a session."""
    begins = request.cookies.get(_BEGINS, "")
    if not begins or not hmac.compare_digest(csrf.encode("utf-8", "replace"), csrf_of(begins).encode("ascii")):
        return _form(request, run, back=back, person=person, problem="sign_in.again", status=403)
    try:
        made = sign_in(
            people, person=person, password=password, address=address_of(request),
            replaces=request.cookies.get(COOKIE, ""),
        )  # fmt: skip
    except WrongPassword:
        return _form(request, run, back=back, person=person, problem="sign_in.wrong", status=401)
    except TooManyAttempts as problem:
        refused = _form(
            request, run, back=back, person=person, problem="sign_in.wait", status=429, seconds=problem.seconds
        )
        refused.headers["Retry-After"] = str(problem.seconds)
        return refused
    target = "/account" if made.present.must_change else own_address(back)
    answer = RedirectResponse(target, status_code=303)
    give_cookie(answer, made.token, secure=run.secure)
    answer.delete_cookie(_BEGINS, path="/sign-in", secure=run.secure, httponly=True, samesite="strict")
    return answer


@router.get("/sign-in/oidc")
def leave(request: Request, people: People, run: Run, next: str = "/") -> Response:  # noqa: A002
    """Send the browser to single sign-on."""
    provider = _provider(request)
    where, state = provider.start(people, redirect=_redirect(request, run), back=own_address(next)[:500])
    answer = RedirectResponse(where, status_code=303)
    answer.set_cookie(
        _LEAVES, state, max_age=600, httponly=True, samesite="lax", secure=run.secure, path="/sign-in/oidc"
    )
    return answer


@router.get("/sign-in/oidc/back")
def return_(request: Request, people: People, run: Run, state: str = "", code: str = "") -> Response:
    """Take whoever comes back from single sign-on."""
    try:
        made, back = _provider(request).finish(
            people, state=state, browser_state=request.cookies.get(_LEAVES, ""), code=code,
            redirect=_redirect(request, run), address=address_of(request), replaces=request.cookies.get(COOKIE, ""),
        )  # fmt: skip
    except ConsiliumError as problem:
        answer: Response = page(request, "problem.html.j2", signed=None, status=403, problem=problem)
    else:
        # A redirect would still count as the other site's, which the session's cookie does not travel with.
        answer = page(request, "signed_in.html.j2", signed=None, target=own_address(back))
        give_cookie(answer, made.token, secure=run.secure)
    answer.delete_cookie(_LEAVES, path="/sign-in/oidc", secure=run.secure, httponly=True, samesite="lax")
    return answer


@router.post("/sign-out")
def leave_for_good(request: Request, people: People, run: Run) -> Response:
    """End the session."""
    sign_out(people, request.cookies.get(COOKIE, ""), address=address_of(request))
    answer = RedirectResponse("/sign-in", status_code=303)
    take_cookie(answer, secure=run.secure)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _form(
    request: Request,
    run: Settings,
    *,
    back: str,
    person: str = "",
    problem: str = "",
    status: int = 200,
    seconds: int = 0,
) -> HTMLResponse:
    begins = request.cookies.get(_BEGINS, "") or secrets.token_urlsafe(32)
    told = say(problem, lang_of(request), **({"seconds": seconds} if seconds else {})) if problem else ""
    back = own_address(back)[:500]
    sso = run.single_sign_on
    answer = page(
        request, "sign_in.html.j2", signed=None, status=status, back=back, person=person, problem=told,
        begins=csrf_of(begins), service=None if sso is None else sso.title or sso.issuer,
        service_address="/sign-in/oidc?" + urlencode({"next": back}),
    )  # fmt: skip
    answer.set_cookie(_BEGINS, begins, httponly=True, samesite="strict", secure=run.secure, path="/sign-in")
    return answer


def _provider(request: Request) -> Provider:
    found: Provider | None = request.app.state.provider
    if found is None:
        raise InputError("there is no single sign-on here", way_out="Sign in with a password.")
    return found


def _redirect(request: Request, run: Settings) -> str:
    # The name was looked at before: it is one of those that the settings list.
    return f"{'https' if run.secure else 'http'}://{request.headers['host']}/sign-in/oidc/back"
