"""The alliance as whoever keeps it running looks at it: capacity, leases, queue, usage, cost, alarms.

A member sees the same of its own hospital, and of the others nothing but what there is in all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from consilium.alliance.compute.permitted import PermittedEngine
from consilium.alliance.compute.snapshot import Snapshot
from consilium.alliance.permissions import Person, allowed, require
from consilium.alliance.roster import ALONE, Hospital
from consilium.errors import ConsiliumError
from consilium.web.alliance import Member, compute_folder, engine, roster
from consilium.web.api.compute import cancelled, shares_for
from consilium.web.context import Asking
from consilium.web.drawing.bars import bars
from consilium.web.drawing.svg import Figure
from consilium.web.drawing.week import week
from consilium.web.page import page
from consilium.web.wording.language import Language
from consilium.web.wording.words import say

if TYPE_CHECKING:
    from consilium.alliance.compute.engine import Capacity, Usage
    from consilium.alliance.compute.health import Alarm
    from consilium.alliance.compute.job import Job
    from consilium.alliance.compute.storage_quota import Filled

router = APIRouter()

_FAILED_SECONDS = 7 * 86400.0
_MOST = 20
"""Jobs of a list that are shown."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the page, or the reason why it is not there.

    Attributes:
        figures: of it.
        problem: why it cannot be shown.
    """

    figures: tuple[Figure, ...] = ()
    problem: ConsiliumError | None = None


@router.get("/alliance")
def alliance(request: Request, signed: Asking, person: Member) -> Response:
    """All of it."""
    lang = signed.lang
    whole = Snapshot(engine())
    mine = PermittedEngine(whole, person)
    jobs: Sequence[Job] = []
    usage: Sequence[Usage] = []
    unreached = None
    try:
        jobs, usage = mine.jobs(), mine.usage()
    except ConsiliumError as problem:
        unreached = problem
    there, capacity = _capacity(mine, lang)
    alarms, storage, unseen = _health(person, whole, jobs)
    months = sorted({one.month for one in usage}, reverse=True)
    return page(
        request, "operator.html.j2", signed=signed, person=person, alone=person.hospital == ALONE,
        hospitals=roster().hospitals(), unreached=unreached, without_engine=find_spec("hyperqueue") is None,
        capacity=there, capacity_figure=capacity, alarms=alarms, sees_health=allowed(person, "health.see", of=""),
        unseen=unseen, storage=storage, queue=_queue(jobs, lang),
        week=_week(person, whole if unreached is None else None, lang),
        running=[one for one in jobs if one.state == "running"][:_MOST],
        failed=_failed(jobs), used=_used(usage, lang), cost=_cost(person, whole, lang), months=months,
        cancels={one.number for one in jobs if allowed(person, "job.cancel", of=one.request.hospital)},
        now=time.time(), rules=_RULES,
    )  # fmt: skip


@router.post("/alliance/jobs/{number}/cancel")
def cancel(person: Member, number: int) -> RedirectResponse:
    """End a job."""
    cancelled(person, number)
    return RedirectResponse("/alliance#jobs", status_code=303)


@router.get("/alliance/cost/{month}.pdf")
def bill(signed: Asking, person: Member, month: str) -> Response:
    """The bill of a month, of the hospitals that one may know of."""
    from consilium.alliance.compute.billing_report import bill_pdf
    from consilium.alliance.compute.rates import read_rates
    from consilium.typesetting.fonts import find_chinese_font, usual_font_folders

    require(person, "cost.see", of=person.hospital)
    rates = read_rates(compute_folder() / "rates.json")
    content = bill_pdf(
        shares_for(person), rates, month=month, lang=signed.lang, chinese=find_chinese_font(usual_font_folders())
    )
    name = "".join(one for one in month if one.isdigit() or one == "-")[:7]
    headers = {"Content-Disposition": f"attachment; filename=consilium-{name}.pdf"}
    return Response(content, media_type="application/pdf", headers=headers)


def _capacity(mine: PermittedEngine, lang: Language) -> tuple[Part, Capacity | None]:
    try:
        found = mine.capacity()
    except ConsiliumError as problem:
        return Part(problem=problem), None
    total = (max(found.cores, 1), max(found.memory_mb, 1))
    held = [
        min(100 * one / whole, 100.0)
        for one, whole in zip((found.cores_held, found.memory_held_mb), total, strict=True)
    ]
    names = (
        f"{say('operator.cores', lang)}: {found.cores_held} / {found.cores}",
        f"{say('operator.memory', lang)}: {found.memory_held_mb / 1024:.1f} / {found.memory_mb / 1024:.1f} GiB",
    )
    drawn = bars(
        "capacity", {name: (share, 100 - share) for name, share in zip(names, held, strict=True)},
        (say("operator.held", lang), say("operator.free", lang)), title=say("operator.capacity", lang), unit="%",
        what="", colours=("series-0", "free"), beside=[f"{share:.0f} %" for share in held],
    )  # fmt: skip
    return Part(figures=(drawn,)), found


def _health(
    person: Person, whole: Snapshot, jobs: Sequence[Job]
) -> tuple[Sequence[Alarm], Sequence[Filled], ConsiliumError | None]:
    """Alarms and storage: all of them for whoever may see that, else what concerns one's own hospital."""
    from consilium.alliance.compute.health import failing_alarms, stuck_alarms
    from consilium.alliance.compute.look import look
    from consilium.alliance.compute.storage_quota import filled, read_quotas

    quotas = compute_folder() / "quotas.json"
    try:
        if allowed(person, "health.see", of=person.hospital):
            seen = look(whole, quotas)
            return seen.alarms, seen.storage, None
        own = [one for one in jobs if one.request.hospital == person.hospital]
        mine = [
            filled(one)
            for one in read_quotas(quotas)
            if one.hospital == person.hospital and allowed(person, "usage.see", of=one.hospital)
        ]
        return [*stuck_alarms(own, now=time.time()), *failing_alarms(own)], mine, None
    except ConsiliumError as problem:
        return (), (), problem


def _queue(jobs: Sequence[Job], lang: Language) -> Figure | None:
    from consilium.alliance.compute.job import URGENCIES
    from consilium.alliance.compute.week import by_class

    counted = by_class(jobs)
    if not counted:
        return None
    rows = {
        f"{say(_URGENCY[urgency], lang)} · {hospital}": counted[hospital, urgency]
        for urgency in URGENCIES
        for hospital in sorted({name for name, _ in counted})
        if (hospital, urgency) in counted
    }
    return bars(
        "queue", rows, (say("jobs.waiting", lang), say("jobs.running", lang)), title=say("operator.queue", lang),
        unit=say("operator.jobs_unit", lang), what=say("operator.class", lang), colours=("series-1", "series-0"),
    )  # fmt: skip


_RULES = {
    rule: f"operator.{rule.replace('.', '_')}"
    for rule in (
        "node.down", "node.drained", "node.none", "queue.waits", "queue.never", "job.stuck", "job.fails",
        "job.restarts", "storage.filling", "storage.over", "storage.unread",
    )
}  # fmt: skip
"""Key of the words for each rule of `health.py`."""

_URGENCY = {
    "emergency": "operator.emergency", "clinical": "operator.clinical", "research": "operator.research",
    "idle": "operator.idle",
}  # fmt: skip


def _week(person: Person, whole: Snapshot | None, lang: Language) -> Part:
    from consilium.alliance.compute.lease_file import NAME, LeaseFile
    from consilium.alliance.compute.machine import machine_cores
    from consilium.alliance.compute.week import WEEKS, sure_by_hour, used_by_hour

    try:
        agreed = LeaseFile(compute_folder() / NAME).agreed()
        jobs = [] if whole is None else whole.jobs()
    except ConsiliumError as problem:
        return Part(problem=problem)
    members = roster().hospitals() or (Hospital(id=ALONE, cores=machine_cores()),)
    shown = [one for one in members if allowed(person, "lease.see", of=one.id)]
    sure = sure_by_hour(shown, agreed.leases)
    used = used_by_hour(jobs, zone=agreed.clock(), now=time.time())
    rows: Mapping[str, Sequence[Sequence[float]]] = {
        (one.name or _hospital(one.id, lang)): (
            [float(value) for value in sure[one.id]],
            [round(float(value), 3) for value in used[one.id]] if one.id in used else [0.0] * 168,
        )
        for one in shown
    }
    if not rows:
        return Part()
    drawn = week(
        "week", rows, (say("operator.sure", lang), say("operator.used", lang)),
        title=say("operator.week_title", lang, zone=agreed.zone, n=WEEKS),
        days=say("operator.days", lang).split(), unit=say("operator.cores_unit", lang),
        what=(say("models.hospital", lang), ""),
    )  # fmt: skip
    return Part(figures=(drawn,))


def _failed(jobs: Sequence[Job]) -> list[Job]:
    since = time.time() - _FAILED_SECONDS
    return [one for one in reversed(jobs) if one.state == "failed" and (one.ended or 0) > since][:_MOST]


def _used(rows: Sequence[Usage], lang: Language) -> Figure | None:
    return _by_month(
        [(one.month, one.hospital, one.core_hours) for one in rows], "usage", say("operator.used_title", lang),
        say("operator.core_hours", lang), lang,
    )  # fmt: skip


def _cost(person: Person, whole: Snapshot, lang: Language) -> Part:
    from consilium.alliance.compute.rates import read_rates

    try:
        shares = shares_for(person, whole)
        rates = read_rates(compute_folder() / "rates.json")
    except ConsiliumError as problem:
        return Part(problem=problem)
    told = [(one.month, one.hospital, float(one.cost)) for one in shares]
    drawn = _by_month(told, "cost", say("operator.cost_title", lang), rates.currency, lang)
    return Part(figures=() if drawn is None else (drawn,))


def _by_month(
    rows: Sequence[tuple[str, str, float]], key: str, title: str, unit: str, lang: Language
) -> Figure | None:  # fmt: skip
    """Amounts by month, each with a part for every hospital; the newest month first, a year of them."""
    hospitals = sorted({hospital for _, hospital, _ in rows})
    months = sorted({month for month, _, _ in rows}, reverse=True)[:12]
    if not months:
        return None
    amounts = {(month, hospital): amount for month, hospital, amount in rows}
    table = {month: [amounts.get((month, one), 0.0) for one in hospitals] for month in months}
    names = [_hospital(one, lang) for one in hospitals]
    return bars(key, table, names, title=title, unit=unit, what=say("operator.month", lang))


def _hospital(id_: str, lang: Language) -> str:
    return say("operator.own", lang) if id_ == ALONE else id_
