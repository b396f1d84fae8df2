"""Single sign-on by OpenID Connect: the hospital's own service says who somebody is, the laboratory what she may do.

Authorisation code flow (OpenID Connect Core 1.0, section 3.1) with PKCE (RFC 7636), a state that is bound to the
browser and good for one return, and a nonce in the signed token. What is believed of an answer is the signed token
alone; it is checked by joserfc and by the claims of Authlib.
"""

from __future__ import annotations

import hmac
import json
import secrets
import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit

from consilium.database.database import stamp
from consilium.errors import EngineError, InputError, NotAllowed
from consilium.web.security.accounts import Accounts, account_in, made_in, roles_of
from consilium.web.security.audit import note
from consilium.web.security.sessions import Begun, begin, digest

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures of whoever has a private key; none with a shared secret, and never "none"."""

_WITHIN = timedelta(minutes=10)
_KEPT_SECONDS = 600.0
_LARGEST = 1024 * 1024
_LEEWAY = 60
"""Seconds by which two clocks may differ."""


@dataclass(frozen=True, kw_only=True)
class SingleSignOn:
    """The service that says who somebody is.

    Attributes:
        issuer: its address, as its tokens say it.
        client_id: by which it knows this workstation.
        client_secret_file: file with the secret that it gave; None where it gave none.
        claim: that is the name of the laboratory's staff.
        certificates: file with the hospital's own authorities (PEM); None: those of the machine.
        title: how the service is called on the sign-in page.
    """

    issuer: str
    client_id: str
    client_secret_file: Path | None = None
    claim: str = "preferred_username"
    certificates: Path | None = None
    title: str = ""

    def __post_init__(self) -> None:
        if not self.client_id or not self.claim:
            raise InputError("single sign-on needs a client_id and a claim")
        _checked_address("the issuer", self.issuer)


class SignOnRefused(NotAllowed):
    """The service's answer does not show who somebody is, or the laboratory does not know the person."""


class Provider:
    """The service, asked.

    Args:
        settings: which.
    """

    def __init__(self, settings: SingleSignOn) -> None:
        self.settings = settings
        self._lock, self._kept = Lock(), dict[str, tuple[float, dict[str, Any]]]()

    def start(self, accounts: Accounts, *, redirect: str, back: str) -> tuple[str, str]:
        """Send somebody there: (the address, the state that the browser has to bring back).

        Raises:
            EngineError: the service does not answer.
        """
        from authlib.common.urls import add_params_to_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge
        from sqlalchemy import delete

        from consilium.web.security.tables import FlowRow

        where = self._endpoint("authorization_endpoint")
        state, nonce, verifier = (secrets.token_urlsafe(size) for size in (32, 32, 64))
        with accounts.writing() as session:
            moment = accounts.clock()
            session.execute(delete(FlowRow).where(FlowRow.created < stamp(moment - _WITHIN)))
            session.add(FlowRow(state_hash=digest(state), nonce=nonce, verifier=verifier, back=back[:500],
                                created=stamp(moment)))  # fmt: skip
        asked = {
            "response_type": "code", "client_id": self.settings.client_id, "redirect_uri": redirect,
            "scope": "openid profile email", "state": state, "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        return str(add_params_to_uri(where, list(asked.items()))), state

    def finish(
        self, accounts: Accounts, *, state: str, browser_state: str, code: str, redirect: str, address: str,
        replaces: str = "",
    ) -> tuple[Begun, str]:  # fmt: skip
        """Take somebody who came back: (a session, where she wanted to go).

        Raises:
            SignOnRefused: it does not show who she is, or she does not work here.
            EngineError: the service does not answer.
        """
        try:
            nonce, verifier, back = self._flow(accounts, state, browser_state)
            name = self._name(self._token(code, verifier, redirect), nonce)
            with accounts.writing() as session:
                roles, at = roles_of(session, name), stamp(accounts.clock())
                if roles is None:
                    raise _refused("nobody of this name works here")
                row = account_in(session, name) or made_in(session, name, by=name, at=at, address=address)
                if row.disabled is not None:
                    raise _refused("account disabled")
                return begin(accounts, session, row, roles, method="oidc", address=address, replaces=replaces), back
        except SignOnRefused as problem:
            with accounts.writing() as session:
                note(session, at=stamp(accounts.clock()), what="sign-in failed", who="", person="", address=address,
                     detail=f"single sign-on: {problem.where}")  # fmt: skip
            raise

    def _flow(self, accounts: Accounts, state: str, browser_state: str) -> tuple[str, str, str]:
        from sqlalchemy import delete

        from consilium.web.security.tables import FlowRow

        shown, kept = (text.encode("utf-8", "replace") for text in (state, browser_state))
        if not shown or not hmac.compare_digest(shown, kept):
            raise _refused("another browser began this")
        with accounts.writing() as session:
            # Whoever takes it out has it: a second return finds nothing.
            asked = delete(FlowRow).where(FlowRow.state_hash == digest(state)).returning(
                FlowRow.nonce, FlowRow.verifier, FlowRow.back, FlowRow.created
            )  # fmt: skip
            row = session.execute(asked).first()
            if row is None or row.created < stamp(accounts.clock() - _WITHIN):
                raise _refused("this was not begun here, or too long ago")
            return row.nonce, row.verifier, row.back

    def _token(self, code: str, verifier: str, redirect: str) -> dict[str, Any]:
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        secret, login = self._secret(), None
        if secret is None:
            given["client_id"] = self.settings.client_id
        else:
            login = (quote(self.settings.client_id, safe=""), quote(secret, safe=""))  # RFC 6749, 2.3.1
        return self._ask("POST", self._endpoint("token_endpoint"), given, login)

    def _name(self, answer: dict[str, Any], nonce: str) -> str:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        shown = answer.get("id_token")
        if not isinstance(shown, str):
            raise _refused("no signed token")
        try:
            try:
                found = jwt.decode(shown, KeySet.import_key_set(self._keys()), algorithms=list(_ALGORITHMS))
            except (JoseError, ValueError):
                # The service may have taken a new key since.
                found = jwt.decode(shown, KeySet.import_key_set(self._keys(anew=True)), algorithms=list(_ALGORITHMS))
            options = {
                "iss": {"essential": True, "value": self.settings.issuer},
                "aud": {"essential": True, "value": self.settings.client_id},
            }
            params = {"nonce": nonce, "client_id": self.settings.client_id, "access_token": answer.get("access_token")}
            claims = CodeIDToken(found.claims, found.header, options, params)
            claims.validate(leeway=_LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as problem:
            told = f"{getattr(problem, 'error', type(problem).__name__)} {getattr(problem, 'claim', '') or ''}"
            raise _refused(f"the signed token does not hold ({told.strip()})") from problem
        name = claims.get(self.settings.claim)
        if not isinstance(name, str) or not name or not name.isprintable():
            raise _refused("the token has no name in it")
        if self.settings.claim == "email" and claims.get("email_verified") is not True:
            raise _refused("the address was not verified")
        return name

    def _secret(self) -> str | None:
        if self.settings.client_secret_file is None:
            return None
        try:
            return self.settings.client_secret_file.read_text(encoding="utf-8").strip()
        except OSError as problem:
            raise EngineError(
                "the secret of single sign-on cannot be read", where=str(self.settings.client_secret_file)
            ) from problem

    def _keys(self, *, anew: bool = False) -> Any:
        return self._kept_document(self._endpoint("jwks_uri"), anew=anew)

    def _endpoint(self, name: str) -> str:
        where = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = self._kept_document(where)
        if found.get("issuer") != self.settings.issuer:
            raise EngineError(
                "single sign-on is of another issuer than was settled", where=where,
                way_out="The issuer stands in the settings exactly as the service says it.",
            )  # fmt: skip
        return _checked_address(f"the {name} of single sign-on", found.get(name))

    def _kept_document(self, where: str, *, anew: bool = False) -> dict[str, Any]:
        with self._lock:
            got = self._kept.get(where)
        # A wrong token is no reason to ask the service again and again.
        if got is not None and monotonic() - got[0] < (10.0 if anew else _KEPT_SECONDS):
            return got[1]
        found = self._ask("GET", where, None, None)
        with self._lock:
            self._kept[where] = (monotonic(), found)
        return found

    def _ask(
        self, method: str, where: str, given: dict[str, str] | None, login: tuple[str, str] | None
    ) -> dict[str, Any]:
        import httpx

        trust: ssl.SSLContext | bool = True
        if self.settings.certificates is not None:
            trust = ssl.create_default_context(cafile=str(self.settings.certificates))
        try:
            with (
                httpx.Client(timeout=10, verify=trust, trust_env=False) as client,
                client.stream(method, where, data=given, auth=login, headers={"accept": "application/json"}) as answer,
            ):
                if 400 <= answer.status_code < 500 and method == "POST":
                    raise _refused("the service takes the code for none of its own")
                if answer.status_code != 200:
                    raise EngineError(f"single sign-on answers {answer.status_code}", where=where)
                content = b""
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > _LARGEST:
                        raise EngineError("single sign-on answers too much", where=where)
            found = json.loads(content)
        except (httpx.HTTPError, OSError, ValueError, RecursionError) as problem:
            raise EngineError(
                f"single sign-on does not answer ({type(problem).__name__})", where=where,
                way_out="Sign in with a password meanwhile, if you have one.",
            ) from problem  # fmt: skip
        if not isinstance(found, dict):
            raise EngineError("single sign-on answers something else than was asked", where=where)
        return found


def _checked_address(what: str, address: Any) -> str:
    """An address that nobody can read along: TLS, but for this very machine."""
    parts = urlsplit(address) if isinstance(address, str) else None
    if parts is None or not parts.hostname:
        raise InputError(f"{what} is no address")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")):
        raise InputError(f"{what} has to begin with https://")
    return str(address)


def _refused(why: str) -> SignOnRefused:
    # `where` goes into the audit; none of them tells a name.
    return SignOnRefused("single sign-on did not let you in", where=why, way_out="Try again, or ask an administrator.")
