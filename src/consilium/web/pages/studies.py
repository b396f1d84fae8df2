"""Joint studies: what is agreed, who has approved, how far the rounds are, what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from consilium.alliance.permissions import Person, allowed, require
from consilium.alliance.workshop.roots import listed_below
from consilium.errors import ConsiliumError, InputError
from consilium.web.alliance import Member, engine_of, note_of, register, roster
from consilium.web.api.studies import Asked, found_for
from consilium.web.context import Asking, Run, Signed
from consilium.web.drawing.bars import bars
from consilium.web.drawing.intervals import Measured, intervals
from consilium.web.drawing.svg import Figure
from consilium.web.page import page
from consilium.web.problems import status_of
from consilium.web.studies_asked import Verb, approved, begun, job_of
from consilium.web.wording.words import say

router = APIRouter()


@router.get("/studies")
def studies(request: Request, signed: Asking, person: Member) -> Response:
    """Those that one's hospital is in or leads, and the form for a new one."""
    return _listed(request, signed, person)


@router.post("/studies")
async def create(request: Request, signed: Asking, person: Member) -> Response:
    """Make a study."""
    from starlette.concurrency import run_in_threadpool

    form = await request.form()
    fields = {key: value for key, value in form.multi_items() if isinstance(value, str)}
    hospitals = [value for value in form.getlist("hospital") if isinstance(value, str)]
    return await run_in_threadpool(_create, request, signed, person, fields, hospitals)


@router.get("/studies/{name}")
def study(request: Request, run: Run, signed: Asking, person: Member, name: str) -> Response:
    """One of them."""
    return _shown(request, run, signed, person, name)


@router.post("/studies/{name}/approve")
def approve(request: Request, run: Run, signed: Asking, person: Member, name: str, digest: str = Form()) -> Response:
    """Let the cases of one's hospital be used."""
    return _done(request, run, signed, person, name, lambda: approved(person, name, digest))


@router.post("/studies/{name}/join")
def join(
    request: Request, run: Run, signed: Asking, person: Member, name: str, place: str = Form(""),
    group: str = Form("group"),
) -> Response:  # fmt: skip
    """Bring cases in, by a job."""
    return _done(
        request, run, signed, person, name,
        lambda: job_of(person, name, "join", roots=run.datasets, place=place, group=group),
    )  # fmt: skip


@router.post("/studies/{name}/{verb}")
def conduct(request: Request, run: Run, signed: Asking, person: Member, name: str, verb: Verb) -> Response:
    """Start, resume or stop the training, by a job."""
    return _done(request, run, signed, person, name, lambda: job_of(person, name, verb))


def _create(request: Request, signed: Signed, person: Person, fields: dict[str, str], hospitals: list[str]) -> Response:
    from pydantic import ValidationError

    labels = [one.strip() for one in re.split(r"[,;，；]", fields.get("labels", "")) if one.strip()]
    try:
        asked = Asked(
            id=fields.get("id", "").strip(), disease=fields.get("disease", "").strip(), hospitals=hospitals,
            labels=labels, modality=fields.get("modality") or None,
            least_cases=int(fields.get("least_cases") or 20), rounds=int(fields.get("rounds") or 60),
            encrypted="encrypted" in fields, site_figures="site_figures" in fields,
            epsilon=float(fields["epsilon"]) if fields.get("epsilon", "").strip() else None,
        )  # fmt: skip
        made = begun(person, **asked.model_dump())
    except (ValidationError, ValueError) as fault:
        first = fault.errors()[0] if isinstance(fault, ValidationError) else None
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else "an entry is no number"
        return _listed(request, signed, person, problem=InputError(what, way_out="Correct the form."), given=fields)
    except ConsiliumError as problem:
        return _listed(request, signed, person, problem=problem, given=fields)
    return RedirectResponse(f"/studies/{made.id}", status_code=303)


def _done(request: Request, run: Run, signed: Signed, person: Person, name: str, act: Callable[[], object]) -> Response:
    try:
        act()
    except ConsiliumError as problem:
        return _shown(request, run, signed, person, name, problem=problem)
    return RedirectResponse(f"/studies/{name}", status_code=303)


def _listed(
    request: Request, signed: Signed, person: Person, *, problem: ConsiliumError | None = None,
    given: dict[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    from consilium.alliance.joint_training.told import status_of as told_of
    from consilium.alliance.joint_training.told import studies_of
    from consilium.imaging.modalities import modalities

    require(person, "study.see", of=person.hospital)
    places = register()
    found = [(one, told_of(places, one, person.hospital)) for one in studies_of(places, person.hospital)]
    return page(
        request, "studies.html.j2", signed=signed, status=200 if problem is None else status_of(problem), found=found,
        hospitals=roster().hospitals(), may_create=allowed(person, "study.create", of=person.hospital),
        modalities=[(one.id, one.name_zh if signed.lang == "zh" else one.name_en) for one in modalities()],
        lacking=_lacking(), problem=problem, given=given or {},
    )  # fmt: skip


def _lacking() -> bool:
    """Whether NVIDIA FLARE, by which hospitals train, has to be installed first."""
    from importlib.util import find_spec

    return find_spec("nvflare") is None


def _shown(
    request: Request, run: Run, signed: Signed, person: Person, name: str, *, problem: ConsiliumError | None = None
) -> HTMLResponse:
    from consilium.alliance.joint_training.joint_model import privacy_in_words
    from consilium.alliance.joint_training.progress import read_progress
    from consilium.alliance.joint_training.told import status_of as told_of

    found = found_for(name, person)
    places, hospital = register(), person.hospital
    standing, progress = places.standing(found.id), read_progress(places.folder(found.id))
    outcome, figures = _outcome(person, found, signed.lang)
    return page(
        request, "study.html.j2", signed=signed, status=200 if problem is None else status_of(problem), study=found,
        told=told_of(places, found, hospital), standing=standing, progress=progress,
        privacy=privacy_in_words(found), outcome=outcome, figures=figures, lacking=_lacking(), problem=problem,
        jobs=_jobs(person, found.id), datasets=listed_below(run.datasets),
        in_it=hospital in found.hospitals, leads=hospital == found.lead,
        may_join=standing.state == "draft" and allowed(person, "study.join", of=hospital),
        may_approve=standing.state == "draft" and hospital in standing.joined
        and allowed(person, "study.approve", of=hospital),
        may_start=hospital == found.lead and allowed(person, "study.start", of=hospital),
        may_stop=allowed(person, "study.stop", of=hospital),
        ready=sum(one == found.digest for one in standing.approved.values()) >= found.least_hospitals,
    )  # fmt: skip


def _jobs(person: Person, study: str) -> list[Any]:
    """Jobs of a study that the person may see, newest first."""
    try:
        every = engine_of(person).jobs(hospital=person.hospital)
    except ConsiliumError:
        return []  # no engine here; what was agreed can be read all the same
    wanted = f"study {study}: "
    return [one for one in reversed(every) if one.request.name.startswith(wanted)][:10]


def _outcome(person: Person, found: Any, lang: Any) -> tuple[Any, list[Figure]]:
    """What came of it, and its drawings; nothing before there is a result."""
    from consilium.alliance.joint_training.results import RESULT
    from consilium.alliance.joint_training.told import outcome_of

    places = register()
    folders = (places.folder(found.id), places.site_folder(person.hospital, found.id))
    if not any((one / RESULT).is_file() for one in folders):
        return None, []
    if not allowed(person, "study.results", of=person.hospital):
        return None, []
    outcome = outcome_of(places, found, person.hospital)
    note_of(person.name)("study.results", f"study {found.id}")
    columns = (
        say("models.metric", lang), say("models.value", lang), say("models.interval", lang), say("models.cases", lang)
    )  # fmt: skip
    beside = say("models.of_cases", lang, n=sum(outcome.figures.cases))
    told = (("AUC", outcome.figures.macro_auc), (say("studies.accuracy", lang), outcome.figures.accuracy))
    measured = [
        Measured(name=name, value=one.value, low=one.low, high=one.high, beside=beside)
        for name, one in told
        if one is not None
    ]
    drawn = [intervals("result", measured, title=say("studies.result", lang), columns=columns)]
    given = {one.site: (one.contribution,) for one in outcome.shares if one.contribution is not None}
    if given and min(value for (value,) in given.values()) >= 0:
        drawn.append(
            bars(
                "contributions", given, (say("studies.brought_in", lang),), title=say("studies.contributions", lang),
                unit="AUC", what=say("studies.site", lang),
            )
        )  # fmt: skip
    return outcome, drawn
