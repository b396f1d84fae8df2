"""The library for programs: find models, let them in, take them back, hear of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from consilium.web.alliance import Member, library_for
from consilium.web.context import Asking

router = APIRouter(tags=["models"])


class Version(BaseModel):
    """A version of a model, as `consilium library show --json` tells it."""

    name: str
    version: str
    channel: Literal["candidate", "approved", "retired"]
    current: bool
    kind: str
    task: str
    licence: str
    hospital: str
    publisher: str | None
    published: str
    approver: str | None
    approver_hospital: str | None
    approved: str | None
    reason: str | None
    digest: str
    key: str
    key_revoked: str | None
    size: int
    files: dict[str, str]
    cards: list[dict[str, Any]]


class Reason(BaseModel):
    """Why; everybody who uses the model reads it."""

    reason: str = Field(min_length=1, max_length=2000)


class Notice(BaseModel):
    """What somebody is told of a model."""

    number: int
    name: str
    version: str
    what: str
    reason: str
    instead: str
    at: str
    used: bool


class Numbers(BaseModel):
    """Of notices that were read."""

    numbers: list[int] = Field(max_length=1000)


class Use(BaseModel):
    """How much a version is used; `hospital` is empty where several are counted together."""

    name: str
    version: str
    hospital: str
    hospitals: int
    pulls: int
    runs: int
    last: str


class Done(BaseModel):
    """How many things an act changed."""

    changed: int


@router.get("/models")
def search(
    request: Request, signed: Asking, person: Member, words: str = "", modality: str = "",
    channel: Literal["candidate", "approved", "retired"] | None = None,
) -> list[Version]:  # fmt: skip
    """Find models: one version of each, the approved one where there is one."""
    from consilium.alliance.library import search as library_search

    found = library_search.search(
        library_for(request, signed), person, *words.split(), modality=modality, channel=channel
    )
    return [Version.model_validate(library_search.as_document(one, person)) for one in found]


@router.get("/models/{name}")
def versions(name: str, request: Request, signed: Asking, person: Member) -> list[Version]:
    """All versions of a model, newest first."""
    from consilium.alliance.library import search as library_search

    found = library_search.versions(library_for(request, signed), person, name)
    return [Version.model_validate(library_search.as_document(one, person)) for one in found]


@router.post("/models/{name}/{version}/approve")
def approve(name: str, version: str, request: Request, signed: Asking, person: Member) -> Version:
    """Let a candidate in; a second person does, not the one who published it."""
    from consilium.alliance.library import channels
    from consilium.alliance.library.reference import reference_of
    from consilium.alliance.library.search import as_document

    release = channels.approve(library_for(request, signed), person, reference_of(f"{name}@{version}"))
    return Version.model_validate(as_document(release, person))


@router.post("/models/{name}/{version}/retire")
def retire(name: str, version: str, why: Reason, request: Request, signed: Asking, person: Member) -> Version:
    """Take a version back for good."""
    from consilium.alliance.library import channels
    from consilium.alliance.library.reference import reference_of
    from consilium.alliance.library.search import as_document

    library = library_for(request, signed)
    release = channels.retire(library, person, reference_of(f"{name}@{version}"), reason=why.reason)
    return Version.model_validate(as_document(release, person))


@router.post("/models/{name}/rollback")
def roll_back(name: str, why: Reason, request: Request, signed: Asking, person: Member) -> Version:
    """Go back to the version that was approved before."""
    from consilium.alliance.library import channels
    from consilium.alliance.library.search import as_document

    release = channels.roll_back(library_for(request, signed), person, name, reason=why.reason)
    return Version.model_validate(as_document(release, person))


@router.put("/models/{name}/subscription")
def subscribe(name: str, request: Request, signed: Asking, person: Member) -> Done:
    """Hear of a model."""
    from consilium.alliance.library.notices import subscribe as subscribed

    return Done(changed=int(subscribed(library_for(request, signed), person, name)))


@router.delete("/models/{name}/subscription")
def unsubscribe(name: str, request: Request, signed: Asking, person: Member) -> Done:
    """Hear of a model no longer."""
    from consilium.alliance.library.notices import subscribe as subscribed

    return Done(changed=int(subscribed(library_for(request, signed), person, name, wanted=False)))


@router.get("/model-notices")
def notices(request: Request, signed: Asking, person: Member, every: bool = False) -> list[Notice]:
    """What happened to models that one's hospital uses or that one subscribed to, until it is acknowledged."""
    from consilium.alliance.library.notices import notices as told

    return [Notice(**asdict(one)) for one in told(library_for(request, signed), person, every=every)]


@router.post("/model-notices/acknowledge")
def acknowledge(numbers: Numbers, request: Request, signed: Asking, person: Member) -> Done:
    """Say that notices were read."""
    from consilium.alliance.library.notices import acknowledge as read

    return Done(changed=read(library_for(request, signed), person, tuple(numbers.numbers)))


@router.get("/model-usage")
def usage(request: Request, signed: Asking, person: Member) -> list[Use]:
    """How much which version is used, as far as one may know it."""
    from consilium.alliance.library.use import usage as used

    return [Use(**asdict(one)) for one in used(library_for(request, signed), person)]
