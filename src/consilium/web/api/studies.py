"""Joint studies for programs: what is agreed, how far each is, what came of it; join, approve, start."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from consilium.alliance.permissions import Person, require
from consilium.web.alliance import Member, note_of, register
from consilium.web.context import Run
from consilium.web.studies_asked import approved, begun, job_of

router = APIRouter(tags=["studies"])


class Agreed(BaseModel):
    """What is agreed in a study, and how far it is for one's hospital."""

    document: dict[str, Any] = Field(description="The study; every approval names its digest.")
    digest: str
    status: dict[str, Any]


class Asked(BaseModel):
    """What a lead asks for."""

    id: str = Field(max_length=41)
    disease: str = Field(max_length=500)
    hospitals: list[str] = Field(max_length=64)
    labels: list[str] = Field(max_length=100)
    modality: str | None = None
    least_cases: int = Field(default=20, ge=4, le=1_000_000)
    rounds: int = Field(default=60, ge=1, le=1000)
    encrypted: bool = False
    epsilon: float | None = Field(default=None, gt=0, le=1000)
    delta: float = Field(default=1e-3, gt=0, lt=0.1)
    contribution: Literal["shapley", "leave_one_out", "none"] | None = None
    least_hospitals: int = Field(default=2, ge=2, le=64)
    site_figures: bool = False


class Seen(BaseModel):
    """The study that a data officer looked at."""

    digest: str


class Cases(BaseModel):
    """Cases that a hospital brings in: a folder or table, as /datasets names it."""

    place: str = Field(max_length=1000)
    group: str = Field(default="group", max_length=200)


class Started(BaseModel):
    """The job that does it."""

    job: int


class Outcome(BaseModel):
    """What came of a study, as one's hospital may know it."""

    auc: dict[str, Any] | None
    accuracy: dict[str, Any]
    held_out: int
    shares: list[dict[str, Any]]


@router.get("/studies")
def studies(person: Member) -> list[Agreed]:
    """Studies that one's hospital is in or leads."""
    from consilium.alliance.joint_training.told import studies_of

    require(person, "study.see", of=person.hospital)
    return [_agreed(one, person) for one in studies_of(register(), person.hospital)]


@router.post("/studies", status_code=201)
def create(asked: Asked, person: Member) -> Agreed:
    """Make a study and ask hospitals to take part."""
    return _agreed(begun(person, **asked.model_dump()), person)


@router.get("/studies/{name}")
def study(name: str, person: Member) -> Agreed:
    """One study."""
    return _agreed(found_for(name, person), person)


@router.post("/studies/{name}/join", status_code=202)
def join(name: str, cases: Cases, run: Run, person: Member) -> Started:
    """Bring cases in, by a job: they are read, held against what was agreed, and stay here."""
    job = job_of(person, name, "join", roots=run.datasets, place=cases.place, group=cases.group)
    return Started(job=job.number)


@router.post("/studies/{name}/approve")
def approve(name: str, seen: Seen, person: Member) -> Agreed:
    """Let the cases that one's hospital brought in be used for this study, and for no other."""
    approved(person, name, seen.digest)
    return _agreed(found_for(name, person), person)


@router.post("/studies/{name}/{act}", status_code=202)
def conduct(name: str, act: Literal["start", "resume", "stop"], person: Member) -> Started:
    """Start, go on with or stop the training, by a job."""
    return Started(job=job_of(person, name, act).number)


@router.get("/studies/{name}/results")
def results(name: str, person: Member) -> Outcome:
    """How good the model is, and what each hospital gave."""
    from consilium.alliance.joint_training.told import outcome_of

    require(person, "study.results", of=person.hospital)
    places = register()
    outcome = outcome_of(places, places.study(name), person.hospital)
    note_of(person.name)("study.results", f"study {name}")
    figures = outcome.figures
    return Outcome(
        auc=None if figures.macro_auc is None else asdict(figures.macro_auc), accuracy=asdict(figures.accuracy),
        held_out=sum(figures.cases), shares=[asdict(one) for one in outcome.shares],
    )  # fmt: skip


def found_for(name: str, person: Person) -> Any:
    """A study as somebody of a hospital may see it.

    Raises:
        InputError: there is none.
        NotAllowed: the hospital is not in it.
    """
    from consilium.alliance.joint_training.told import refuse_stranger

    require(person, "study.see", of=person.hospital)
    found = register().study(name)
    refuse_stranger(found, person.hospital, lead=True)
    return found


def _agreed(found: Any, person: Person) -> Agreed:
    from consilium.alliance.joint_training.told import status_of

    return Agreed(
        document=found.as_document(), digest=found.digest, status=status_of(register(), found, person.hospital)
    )
