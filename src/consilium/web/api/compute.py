"""Jobs and the alliance for programs: capacity, jobs, leases, usage, cost, alarms."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel

from consilium.alliance.compute.snapshot import Snapshot
from consilium.alliance.permissions import Person, allowed, require
from consilium.web.alliance import Member, compute_folder, engine, engine_of, note_of

router = APIRouter(tags=["compute"], prefix="/compute")


class Capacity(BaseModel):
    """What there is, of all hospitals together, and what is taken."""

    cores: int
    memory_mb: int
    gpus: int
    cores_held: int
    memory_held_mb: int
    gpus_held: int
    running: int
    waiting: int


class Job(BaseModel):
    """A job; of another hospital's, the operator sees how large, how urgent and how old it is."""

    number: int
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    name: str
    hospital: str
    person: str
    urgency: str
    cores: int
    submitted: float
    started: float | None
    ended: float | None
    exit_status: int | None
    reason: str
    tries: int
    late: bool


class Usage(BaseModel):
    """What a hospital used in a month."""

    hospital: str
    month: str
    jobs: int
    failed: int
    core_hours: float
    gpu_hours: float


class Lease(BaseModel):
    """Cores that a hospital is sure of in some hours of the week."""

    hospital: str
    cores: int
    memory_mb: int
    gpus: int
    hours: str
    zone: str


class Alarm(BaseModel):
    """Something for somebody to do."""

    severity: Literal["critical", "warning"]
    rule: str
    what: str
    where: str
    way_out: str
    hospital: str


@router.get("/capacity")
def capacity(person: Member) -> Capacity:
    """What there is, and what is taken."""
    return Capacity(**asdict(engine_of(person).capacity()))


@router.get("/jobs")
def jobs(person: Member, live: bool = True, newest: int = Query(default=200, ge=1, le=2000)) -> list[Job]:
    """Jobs that wait or run, or all; the newest of them, newest first."""
    found = engine_of(person).jobs(live=live)
    return [_told(one) for one in reversed(found[-newest:])]


@router.get("/jobs/{number}")
def job(number: int, person: Member) -> Job:
    """One job."""
    return _told(engine_of(person).job(number))


@router.post("/jobs/{number}/cancel")
def cancel(number: int, person: Member) -> Job:
    """End a job; one that is over stays as it is."""
    return _told(cancelled(person, number))


@router.get("/usage")
def usage(person: Member) -> list[Usage]:
    """What hospitals used, by month, as far as one may know it."""
    return [Usage(**asdict(one)) for one in engine_of(person).usage()]


TABLE: dict[int | str, dict[str, Any]] = {200: {"description": "A table.", "content": {"text/csv": {}}}}


@router.get("/usage.csv", response_class=Response, responses=TABLE)
def usage_table(person: Member) -> Response:
    """The same as a table."""
    from consilium.alliance.compute.usage import usage_csv

    return _csv(usage_csv(engine_of(person).usage()), "consilium-usage.csv")


@router.get("/cost.csv", response_class=Response, responses=TABLE)
def cost(person: Member, month: str = "") -> Response:
    """What hospitals used and owe, by month, as a table."""
    from consilium.alliance.compute.billing_report import bill_csv
    from consilium.alliance.compute.rates import read_rates

    rates = read_rates(compute_folder() / "rates.json")
    text = bill_csv([one for one in shares_for(person) if month in ("", one.month)], rates)
    return _csv(text, "consilium-cost.csv")


@router.get("/leases")
def leases(person: Member) -> list[Lease]:
    """Leases that are agreed on, as far as one may know them."""
    from consilium.alliance.compute.lease_file import NAME, LeaseFile
    from consilium.alliance.compute.lease_hours import hours_in_words

    agreed = LeaseFile(compute_folder() / NAME).agreed()
    return [
        Lease(
            hospital=one.hospital, cores=one.cores, memory_mb=one.memory_mb, gpus=one.gpus,
            hours=hours_in_words(one.hours), zone=agreed.zone,
        )
        for one in agreed.leases
        if allowed(person, "lease.see", of=one.hospital)
    ]  # fmt: skip


@router.get("/health")
def health(person: Member) -> list[Alarm]:
    """What is wrong; for the operator."""
    from consilium.alliance.compute.look import look

    require(person, "health.see", of=person.hospital)
    return [Alarm(**asdict(one)) for one in look(engine(), compute_folder() / "quotas.json").alarms]


def cancelled(person: Person, number: int) -> Any:
    """End a job in a person's name, and note it.

    Raises:
        InputError: there is no such job.
        NotAllowed: the person may not.
    """
    mine = engine_of(person)
    before = mine.job(number)
    job = mine.cancel(number)
    if before.ended is None:
        note_of(person.name)("job.cancel", f"job {number}", hospital=job.request.hospital, cores=job.request.cores)
    return job


def shares_for(person: Person, whole: Snapshot | None = None) -> list[Any]:
    """What each hospital that a person may know of used and owes, by month.

    Args:
        person: who asks.
        whole: the engine, where it was looked at already.

    Raises:
        InputError: there are no prices, or they cannot be read.
    """
    from consilium.alliance.compute.billing import shares
    from consilium.alliance.compute.lease_file import NAME, LeaseFile
    from consilium.alliance.compute.rates import read_rates

    rates = read_rates(compute_folder() / "rates.json")
    clock = LeaseFile(compute_folder() / NAME).agreed().clock()
    every = shares((whole or engine()).jobs(), rates, zone=clock)
    return [one for one in every if allowed(person, "cost.see", of=one.hospital)]


def _csv(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _told(one: Any) -> Job:
    asked = one.request
    return Job(
        number=one.number, state=one.state, name=asked.name or " ".join(asked.command)[:80], hospital=asked.hospital,
        person=asked.person, urgency=asked.urgency, cores=asked.cores, submitted=one.submitted, started=one.started,
        ended=one.ended, exit_status=one.exit_status, reason=one.reason, tries=one.tries, late=one.late,
    )  # fmt: skip
