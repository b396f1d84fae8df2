"""Specialists: cases are handed in or pointed to, a job fits, people watch, read the report, ask, and publish."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, get_args

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from consilium.alliance.permissions import Person, allowed
from consilium.alliance.workshop.build import Build, Language
from consilium.alliance.workshop.roots import listed_below
from consilium.alliance.workshop.workshop import Workshop
from consilium.errors import ConsiliumError, InputError, MissingExtra
from consilium.specialist.dataset import Asked
from consilium.web.alliance import Member, workshop_of
from consilium.web.api.specialists import LANGS, Terms, answered, begun, published, report_file, told
from consilium.web.context import Asking, Run, Signed
from consilium.web.drawing.bars import bars
from consilium.web.drawing.intervals import Measured, intervals
from consilium.web.drawing.svg import Figure
from consilium.web.handed_in import Handed
from consilium.web.page import page
from consilium.web.problems import status_of
from consilium.web.wording.words import say

router = APIRouter()

REPORT_POLICY = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"
)
"""Of a report, which has its style within and its pictures as data. It runs no script and is of no origin."""


@router.get("/specialists")
def specialists(request: Request, run: Run, signed: Asking, person: Member, below: str = "") -> Response:
    """What there is, and the form for a new one."""
    return _listed(request, run, signed, person, below=below)


@router.post("/specialists")
def build(request: Request, run: Run, signed: Asking, person: Member, handed: Handed) -> Response:
    """Have one built."""
    try:
        made = begun(workshop_of(person), handed, run.datasets, signed)
    except MissingExtra:
        raise
    except ConsiliumError as problem:
        return _listed(request, run, signed, person, problem=problem, given=handed.fields)
    return RedirectResponse(f"/specialists/{made.name}", status_code=303)


@router.get("/specialists/{name}")
def specialist(request: Request, signed: Asking, person: Member, name: str) -> Response:
    """One of them."""
    return _shown(request, signed, person, name)


@router.post("/specialists/{name}/cancel")
def cancel(request: Request, signed: Asking, person: Member, name: str) -> Response:
    """End its fit."""
    return _done(request, signed, person, name, lambda workshop: workshop.cancel(name))


@router.post("/specialists/{name}/remove")
def remove(request: Request, signed: Asking, person: Member, name: str, sure: str = Form("")) -> Response:
    """Take it away."""

    def act(workshop: Workshop) -> None:
        if sure != name:
            raise InputError("its name was not repeated", way_out="Write the name of what is to go.")
        workshop.remove(name)

    return _done(request, signed, person, name, act, then="/specialists")


@router.post("/specialists/{name}/report")
def ask_for_report(
    request: Request, signed: Asking, person: Member, name: str, lang: Annotated[Language, Form()]
) -> Response:
    """Have its report written in a language."""
    return _done(request, signed, person, name, lambda workshop: workshop.ask_for_report(name, lang))


@router.get("/specialists/{name}/report/{lang}")
def report(person: Member, name: str, lang: Language) -> HTMLResponse:
    """Its report, as it was written: a document that may run nothing."""
    workshop = workshop_of(person)
    path = workshop.report(workshop.build(name), lang)
    if path is None:
        raise InputError("the report is not there yet", way_out="Have it written in this language first.")
    headers = {
        "Content-Security-Policy": REPORT_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(path.read_bytes(), headers=headers)


@router.get("/specialists/{name}/report/{lang}/pdf")
def report_pdf(person: Member, name: str, lang: Language) -> FileResponse:
    """Its report to print."""
    workshop = workshop_of(person)
    return report_file(workshop, workshop.build(name), lang)


@router.post("/specialists/{name}/answers")
def answer(
    request: Request, run: Run, signed: Asking, person: Member, name: str, picture: Annotated[UploadFile, File()]
) -> Response:
    """Ask it about a picture."""
    try:
        found = answered(workshop_of(person), name, picture, run.largest_upload)
    except ConsiliumError as problem:
        return _shown(request, signed, person, name, problem=problem)
    return _shown(request, signed, person, name, answer=found)


@router.post("/specialists/{name}/publish")
def publish(
    request: Request, signed: Asking, person: Member, name: str, version: str = Form(""), licence: str = Form(""),
    data_licence: str = Form(""), licence_text: str = Form(""), case_features_may_leave: str = Form(""),
) -> Response:  # fmt: skip
    """Hand it to the library."""
    terms = Terms(
        version=version.strip(), licence=licence.strip(), data_licence=data_licence.strip(), licence_text=licence_text,
        case_features_may_leave=bool(case_features_may_leave),
    )  # fmt: skip

    def act(workshop: Workshop) -> None:
        published(workshop.finished(name), name, terms, request, signed, person)

    return _done(request, signed, person, name, act, then=f"/models/{name}")


def _done(
    request: Request, signed: Signed, person: Person, name: str, act: Callable[[Workshop], object], *, then: str = ""
) -> Response:
    try:
        act(workshop_of(person))
    except ConsiliumError as problem:
        return _shown(request, signed, person, name, problem=problem)
    return RedirectResponse(then or f"/specialists/{name}", status_code=303)


def _listed(
    request: Request, run: Run, signed: Signed, person: Person, *, below: str = "",
    problem: ConsiliumError | None = None, given: dict[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    from consilium.imaging.modalities import modalities

    workshop = workshop_of(person)
    builds = workshop.builds()
    try:
        places = listed_below(run.datasets, below)
    except InputError as hidden:
        places, problem = listed_below(run.datasets), problem or hidden
    return page(
        request, "specialists.html.j2", signed=signed, status=200 if problem is None else status_of(problem),
        builds=[(one, workshop.standing(one)) for one in builds], places=places, tasks=get_args(Asked),
        modalities=[(one.id, one.name_zh if signed.lang == "zh" else one.name_en) for one in modalities()],
        may_build=allowed(person, "job.submit", of=person.hospital), lacking=_lacking(), problem=problem,
        given=given or {}, largest=run.largest_dataset >> 20,
    )  # fmt: skip


def _lacking() -> str:
    """What has to be installed before anything can be built; empty where all is there."""
    from importlib.util import find_spec

    needed = {"onnx": "specialist", "matplotlib": "specialist", "hyperqueue": "compute", "typst": "pdf"}
    return next((extra for module, extra in needed.items() if find_spec(module) is None), "")


def _shown(
    request: Request, signed: Signed, person: Person, name: str, *, problem: ConsiliumError | None = None,
    answer: dict[str, Any] | None = None,
) -> HTMLResponse:  # fmt: skip
    workshop = workshop_of(person)
    build = workshop.build(name)
    standing = workshop.standing(build)
    hospital = person.hospital
    return page(
        request, "specialist.html.j2", signed=signed, status=200 if problem is None else status_of(problem),
        build=build, standing=standing, told=told(workshop, build), answer=answer, problem=problem,
        probabilities=_probabilities(answer, signed.lang), figures=_figures(workshop, build, signed.lang),
        reports=[(lang, workshop.report(build, lang), workshop.report(build, lang, "pdf")) for lang in LANGS],
        verdict=workshop.verdict(build, signed.lang), may_publish=allowed(person, "library.publish", of=hospital),
        may_share=allowed(person, "library.share_cases", of=hospital),
        may_build=allowed(person, "job.submit", of=hospital),
    )  # fmt: skip


def _figures(workshop: Workshop, build: Build, lang: Any) -> Figure | None:
    """The figures of its card; None before there is a model."""
    from consilium.artefact.card import read_card

    cards = sorted((workshop.model(build.name) / "models").glob("*.json"))
    found = []
    for path in cards:
        try:
            found += [one for one in read_card(path).metrics if one.low >= -1 and one.high <= 1]
        except ConsiliumError:
            continue  # not every JSON file beside a network is a card
    if not found:
        return None
    measured = [
        Measured(
            name=one.name, value=one.value, low=one.low, high=one.high, beside=say("models.of_cases", lang, n=one.n)
        )
        for one in found
    ]
    return intervals(
        "figures", measured, title=say("models.metrics_of", lang, name=build.name),
        columns=(
            say("models.metric", lang), say("models.value", lang), say("models.interval", lang),
            say("models.cases", lang),
        ),
    )  # fmt: skip


def _probabilities(answer: dict[str, Any] | None, lang: Any) -> Figure | None:
    told_ = (answer or {}).get("probabilities")
    if not isinstance(told_, dict) or not told_:
        return None
    return bars(
        "probabilities", {str(label): (float(value),) for label, value in told_.items()},
        (say("specialists.probability", lang),), title=say("specialists.probabilities", lang), unit="", what="",
        most=1.0,
    )  # fmt: skip
