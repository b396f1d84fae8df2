"""The library: what there is, how good it is, who uses it; letting models in and taking them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from consilium.alliance.permissions import Person, allowed
from consilium.errors import ConsiliumError, MissingExtra
from consilium.web.alliance import Member, library_for
from consilium.web.context import Asking, Signed
from consilium.web.drawing.bars import bars
from consilium.web.drawing.intervals import Measured, intervals
from consilium.web.drawing.svg import Figure
from consilium.web.page import page
from consilium.web.problems import status_of
from consilium.web.wording.words import say

if TYPE_CHECKING:
    from consilium.alliance.library.library import Library, Release

router = APIRouter()
Channel = Literal["candidate", "approved", "retired"]


@router.get("/models")
def models(
    request: Request, signed: Asking, person: Member, words: str = "", modality: str = "", channel: str = ""
) -> Response:
    """What there is."""
    from consilium.alliance.library.notices import notices
    from consilium.alliance.library.search import search
    from consilium.imaging.modalities import modalities

    try:
        library = library_for(request, signed)
    except MissingExtra as problem:
        return _without(request, signed, problem)
    where: Any = channel if channel in ("candidate", "approved", "retired") else None
    found = search(library, person, *words.split(), modality=modality, channel=where)
    told = notices(library, person) if allowed(person, "library.subscribe", of=person.hospital) else ()
    return page(
        request, "models.html.j2", signed=signed, found=[_listed(one) for one in found], notices=told, words=words,
        modality=modality, channel=channel, filtered=bool(words or modality or channel),
        modalities=[(one.id, one.name_zh if signed.lang == "zh" else one.name_en) for one in modalities()],
    )  # fmt: skip


@router.post("/models/notices")
def read_notices(
    request: Request, signed: Asking, person: Member, number: Annotated[list[int], Form()]
) -> RedirectResponse:
    """Say that notices were read."""
    from consilium.alliance.library.notices import acknowledge

    acknowledge(library_for(request, signed), person, tuple(number))
    return RedirectResponse("/models", status_code=303)


@router.get("/models/{name}")
def model(request: Request, signed: Asking, person: Member, name: str, version: str = "") -> Response:
    """One model."""
    try:
        library = library_for(request, signed)
    except MissingExtra as problem:
        return _without(request, signed, problem)
    return _shown(request, signed, person, library, name, version)


@router.post("/models/{name}/approve")
def approve(request: Request, signed: Asking, person: Member, name: str, version: str = Form()) -> Response:
    """Let a version in."""
    from consilium.alliance.library.channels import approve as let_in
    from consilium.alliance.library.reference import reference_of

    return _done(
        request,
        signed,
        person,
        name,
        version,
        lambda library: let_in(library, person, reference_of(f"{name}@{version}")),
    )


@router.post("/models/{name}/retire")
def retire(
    request: Request, signed: Asking, person: Member, name: str, version: str = Form(), reason: str = Form("")
) -> Response:
    """Take a version back for good."""
    from consilium.alliance.library.channels import retire as take_back
    from consilium.alliance.library.reference import reference_of

    return _done(
        request, signed, person, name, version,
        lambda library: take_back(library, person, reference_of(f"{name}@{version}"), reason=reason),
    )  # fmt: skip


@router.post("/models/{name}/rollback")
def roll_back(request: Request, signed: Asking, person: Member, name: str, reason: str = Form("")) -> Response:
    """Go back to the version that was approved before."""
    from consilium.alliance.library.channels import roll_back as go_back

    return _done(request, signed, person, name, "", lambda library: go_back(library, person, name, reason=reason))


@router.post("/models/{name}/subscription")
def subscription(request: Request, signed: Asking, person: Member, name: str, wanted: str = Form("yes")) -> Response:
    """Begin or cease to hear of a model."""
    from consilium.alliance.library.notices import subscribe

    return _done(
        request, signed, person, name, "", lambda library: subscribe(library, person, name, wanted=wanted == "yes")
    )


@router.post("/models/{name}/verify")
def verify(request: Request, signed: Asking, person: Member, name: str, version: str = Form()) -> Response:
    """Hold the copy that is here, or the one in the store, against what was published."""
    from consilium.alliance.library.pull import verify_copy
    from consilium.alliance.library.reference import reference_of

    library = library_for(request, signed)
    try:
        found = verify_copy(library, person, reference_of(f"{name}@{version}"))
    except ConsiliumError as problem:
        return _shown(request, signed, person, library, name, version, problem=problem)
    return _shown(request, signed, person, library, name, version, verified=len(found.contents.files()))


def _done(
    request: Request, signed: Signed, person: Person, name: str, version: str, act: Callable[[Library], object]
) -> Response:
    """Do something and show the model; what cannot be done is said there."""
    library = library_for(request, signed)
    try:
        act(library)
    except MissingExtra:
        raise
    except ConsiliumError as problem:
        return _shown(request, signed, person, library, name, version, problem=problem)
    return RedirectResponse(f"/models/{name}" + (f"?version={version}" if version else ""), status_code=303)


def _shown(
    request: Request, signed: Signed, person: Person, library: Library, name: str, version: str, *,
    problem: ConsiliumError | None = None, verified: int = 0,
) -> HTMLResponse:  # fmt: skip
    from consilium.alliance.library.search import as_document, versions
    from consilium.alliance.library.use import usage

    every = versions(library, person, name)
    shown = next((one for one in every if str(one.version) == version), None)
    if shown is None:
        shown = next((one for one in every if one.current), every[0])
    used = [one for one in usage(library, person) if one.name == name] if _may(person, "library.usage") else []
    return page(
        request, "model.html.j2", signed=signed, status=200 if problem is None else status_of(problem),
        release=shown, told=as_document(shown, person), versions=every,
        cards=[_card(one, place, signed.lang) for place, one in enumerate(shown.cards)],
        used=_used(used, signed.lang), acts=_acts(person, shown, every), problem=problem, verified=verified,
    )  # fmt: skip


def _acts(person: Person, shown: Release, every: Sequence[Release]) -> Mapping[str, bool]:
    """What the page offers; the services ask again."""
    own = person.name.casefold() == shown.publisher.casefold()
    may_approve = shown.channel == "candidate" and allowed(person, "library.approve", of=shown.hospital)
    return {
        "approve": may_approve and not own,
        "own": may_approve and own,
        "retire": shown.channel != "retired" and allowed(person, "library.retire", of=shown.hospital),
        "rollback": shown.current
        and sum(one.channel == "approved" for one in every) > 1
        and allowed(person, "library.rollback", of=shown.hospital),
        "subscribe": _may(person, "library.subscribe"),
    }


def _may(person: Person, act: Any) -> bool:
    return allowed(person, act, of=person.hospital)


def _listed(release: Release) -> Mapping[str, Any]:
    metrics = [one for card in release.cards for one in card.get("metrics", ())]
    return {"release": release, "metric": metrics[0] if metrics else None}


def _card(card: Mapping[str, Any], place: int, lang: Any) -> Mapping[str, Any]:
    """A card and the drawing of its figures; figures beyond 1 are of another kind and stay text."""
    metrics = card.get("metrics", ())
    shares = [one for one in metrics if one["low"] >= -1 and one["high"] <= 1]
    figure: Figure | None = None
    if shares:
        figure = intervals(
            f"card-{place}",
            [
                Measured(
                    name=one["name"], value=one["value"], low=one["low"], high=one["high"],
                    beside=say("models.of_cases", lang, n=one["n"]),
                )
                for one in shares
            ],
            title=say("models.metrics_of", lang, name=card["name"]),
            columns=(
                say("models.metric", lang), say("models.value", lang), say("models.interval", lang),
                say("models.cases", lang),
            ),
        )  # fmt: skip
    return {
        "card": card, "figure": figure, "others": [one for one in metrics if one not in shares],
        "data": sorted({one["data"] for one in metrics}),
    }  # fmt: skip


def _used(rows: Sequence[Any], lang: Any) -> Figure | None:
    if not rows:
        return None
    return bars(
        "usage",
        {
            f"{one.version} · {one.hospital or say('models.hospitals', lang, n=one.hospitals)}": (one.runs, one.pulls)
            for one in rows
        },
        (say("models.runs", lang), say("models.pulls", lang)),
        title=say("models.used_by", lang), unit="", what=say("models.version", lang),
    )  # fmt: skip


def _without(request: Request, signed: Signed, problem: ConsiliumError) -> HTMLResponse:
    return page(
        request, "without.html.j2", signed=signed, status=status_of(problem), room="nav.models",
        sentence="models.without", problem=problem,
    )  # fmt: skip
