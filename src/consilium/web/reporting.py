"""What signing needs of a workstation: the laboratory's seal, and proof of who sits there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from consilium.errors import NotAllowed
from consilium.laboratory.review.seal import Seal
from consilium.laboratory.review.signature import Method
from consilium.web.context import Signed, address_of, settings_of
from consilium.web.security.accounts import Accounts
from consilium.web.security.sign_in import confirm

FRESH_SECONDS = 300
"""For so long somebody who came by single sign-on may sign without coming by it again."""


def seal_of(request: Request) -> Seal:
    """The laboratory's seal; its key lies beside the folder of files, and is made when it is first needed.

    Raises:
        OutputError: the key cannot be kept.
        StorageLocked: it is none, or others may read it.
    """
    found: Seal | None = getattr(request.app.state, "seal", None)
    if found is None:
        found = Seal(settings_of(request).files.parent)
        request.app.state.seal = found
    return found


def proven(request: Request, asking: Signed, people: Accounts, password: str) -> Method:
    """See, at the moment of signing, that it is she who sits there.

    Args:
        request: what was asked.
        asking: who is signed in.
        people: the accounts.
        password: as typed; not looked at where she came by single sign-on just now.

    Raises:
        WrongPassword: it does not fit.
        TooManyAttempts: one has to wait first.
        NotAllowed: a program asks, or single sign-on was too long ago.
    """
    if asking.session is None:
        raise NotAllowed("no program signs a report", way_out="The director signs it on its page.")
    if asking.method == "oidc" and not password:
        age = (people.clock() - datetime.fromisoformat(asking.began)).total_seconds() if asking.began else FRESH_SECONDS
        if age >= FRESH_SECONDS:
            raise NotAllowed(
                "single sign-on was too long ago for a signature",
                way_out=f"Sign out and come by it again: it holds for {FRESH_SECONDS // 60} minutes.",
            )
        return "oidc"
    confirm(people, person=asking.person, password=password, address=address_of(request))
    return "password"


SealKept = Annotated[Seal, Depends(seal_of)]
