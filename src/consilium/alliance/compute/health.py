"""What is wrong, or soon will be: alarms from a look at the jobs, the nodes and the disks.

Every rule is a function of what was seen and of nothing else. "Like jobs" are those of the same hospital with the same
program and verb; a rule that compares with them is silent until there are enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from statistics import median
from typing import Literal

from consilium.alliance.compute.engine import Capacity
from consilium.alliance.compute.job import Job, Urgency
from consilium.alliance.compute.storage_quota import Filled

Severity = Literal["critical", "warning"]

ENOUGH_LIKE = 5
"""Like jobs that ended well, below which nothing is called unusual."""

FAR_BEYOND = 4.0
"""Times the longest of like jobs, beyond which one that runs is called stuck."""

LEAST_SECONDS = 600.0
"""A job that has run or waited for less is not called stuck."""

_GROUPS = frozenset({"iscn", "library", "specialist", "study"})
"""Verbs of Consilium that have verbs of their own."""

FAILURES = 3
"""Like jobs that failed one after the other."""

PATIENCE: Mapping[Urgency, float] = {"emergency": 60.0, "clinical": 900.0, "research": 8 * 3600.0, "idle": 7 * 86400.0}
"""Seconds that a job of an urgency may wait before somebody is told; the alliance's own rule."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A machine of a cluster.

    Attributes:
        name: its name.
        state: "up"; "drained" takes no new jobs; "down" answers nobody; "off" is a cloud node that nobody needs now.
        reason: why, in words; empty where there is nothing to say.
        cores: that it has.
    """

    name: str
    state: Literal["up", "drained", "down", "off"]
    reason: str = ""
    cores: int = 0


def state_of(word: str) -> Literal["up", "drained", "down", "off"]:
    """The state of a node from Slurm's word for it, lower case with its marks (`sinfo`, "NODE STATE CODES")."""
    if "~" in word:
        return "off"
    if "down" in word or "fail" in word or word.endswith("*"):
        return "down"
    return "drained" if "drain" in word else "up"


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Something for somebody to do.

    Attributes:
        severity: "critical" needs somebody now.
        rule: which rule saw it, e.g. "node.down".
        what: the matter in a sentence, without a full stop; no names of jobs or people.
        where: a node, a job's number, a hospital.
        hospital: whose it is; empty where it is everybody's.
        way_out: what to do.
    """

    severity: Severity
    rule: str
    what: str
    where: str
    way_out: str
    hospital: str = ""


def alarms(
    jobs: Sequence[Job], capacity: Capacity, *, now: float, nodes: Sequence[Node] = (), storage: Sequence[Filled] = ()
) -> tuple[Alarm, ...]:
    """All alarms, critical ones first.

    Args:
        jobs: of any state, with some weeks of those that ended.
        capacity: what there is.
        now: seconds since 1970.
        nodes: of a cluster; none for an engine of one machine.
        storage: what hospitals have filled.
    """
    found = [
        *node_alarms(nodes), *queue_alarms(jobs, capacity, now=now), *stuck_alarms(jobs, now=now),
        *failing_alarms(jobs), *storage_alarms(storage),
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.severity != "critical", one.rule, one.where)))


def node_alarms(nodes: Iterable[Node]) -> list[Alarm]:
    """Nodes that are down or take no jobs, and a cluster without any that does."""
    every = list(nodes)
    found = []
    for one in every:
        if one.state in ("down", "drained"):
            why = f" ({one.reason})" if one.reason else ""
            found.append(
                Alarm(
                    severity="warning", rule=f"node.{one.state}", where=one.name,
                    what=f"the node is down{why}" if one.state == "down" else f"the node takes no new jobs{why}",
                    way_out="See whether the machine runs and is reached; what ran on it starts again elsewhere."
                    if one.state == "down"
                    else "Resume it when what it was drained for is done.",
                )
            )  # fmt: skip
    if every and not any(one.state in ("up", "off") for one in every):
        found.append(
            Alarm(
                severity="critical", rule="node.none", where="cluster", what="no node takes jobs",
                way_out="Bring a node back; jobs wait until then and are not lost.",
            )
        )  # fmt: skip
    return found


def queue_alarms(jobs: Iterable[Job], capacity: Capacity, *, now: float) -> list[Alarm]:
    """Jobs that wait far longer than their urgency may, and those that can never run."""
    found = []
    for one in jobs:
        if one.state != "waiting":
            continue
        waits, hospital, urgency = now - one.submitted, one.request.hospital, one.request.urgency
        if one.request.cores > capacity.cores or one.request.gpus > capacity.gpus:
            found.append(
                Alarm(
                    severity="critical", rule="queue.never", where=f"job {one.number}", hospital=hospital,
                    what="it asks for more than there is now and can never start",
                    way_out="Bring the missing nodes back, or cancel it and ask for less.",
                )
            )  # fmt: skip
        elif waits > PATIENCE[urgency]:
            found.append(
                Alarm(
                    severity="critical" if urgency in ("emergency", "clinical") else "warning", rule="queue.waits",
                    where=f"job {one.number}", hospital=hospital,
                    what=f"it waits for {duration(waits)}, and {urgency} jobs are to start within "
                    f"{duration(PATIENCE[urgency])}",
                    way_out="See what holds the cores (`consilium compute list`); a lease or a node is missing.",
                )
            )  # fmt: skip
    return found


def stuck_alarms(jobs: Sequence[Job], *, now: float) -> list[Alarm]:
    """Jobs that run far beyond the longest of their like."""
    runs: dict[tuple[str, str], list[float]] = {}
    for one in jobs:
        if one.state == "done" and one.started is not None and one.ended is not None:
            runs.setdefault(_like(one), []).append(one.ended - one.started)
    found = []
    for one in jobs:
        like = runs.get(_like(one), [])
        if one.state != "running" or one.started is None or len(like) < ENOUGH_LIKE:
            continue
        lasted = now - one.started
        if lasted > max(FAR_BEYOND * max(like), LEAST_SECONDS):
            found.append(
                Alarm(
                    severity="warning", rule="job.stuck", where=f"job {one.number}", hospital=one.request.hospital,
                    what=f"it runs for {duration(lasted)}; {len(like)} like it took {duration(median(like))}, "
                    f"{duration(max(like))} at most",
                    way_out="Look at what it writes (`consilium compute logs`); if it does nothing, cancel it.",
                )
            )  # fmt: skip
    return found


def failing_alarms(jobs: Sequence[Job]) -> list[Alarm]:
    """Like jobs of which the last ones all failed, and jobs whose machine is lost again and again."""
    ended: dict[tuple[str, str], list[Job]] = {}
    for one in sorted(jobs, key=lambda job: (job.ended or 0.0, job.number)):
        if one.state in ("done", "failed") and one.ended is not None:
            ended.setdefault(_like(one), []).append(one)
    found = []
    for (hospital, _), like in ended.items():
        count = next((place for place, one in enumerate(reversed(like)) if one.state == "done"), len(like))
        if count >= FAILURES:
            found.append(
                Alarm(
                    severity="warning", rule="job.fails", where=f"job {like[-1].number}", hospital=hospital,
                    what=f"the last {count} jobs of its kind all failed",
                    way_out="Read what the newest one wrote (`consilium compute logs`) before more are submitted.",
                )
            )  # fmt: skip
    for one in jobs:
        if one.tries >= FAILURES and one.state in ("waiting", "running"):
            found.append(
                Alarm(
                    severity="warning", rule="job.restarts", where=f"job {one.number}", hospital=one.request.hospital,
                    what=f"it is in its {one.tries}. try",
                    way_out="Its machine is lost each time: it may need more memory than it asks for.",
                )
            )  # fmt: skip
    return found


def storage_alarms(storage: Iterable[Filled]) -> list[Alarm]:
    """Quotas that are nearly full or over, and folders that cannot be looked at."""
    found = []
    for one in storage:
        hospital = one.quota.hospital
        if one.fill != "free":
            over = one.fill == "over"
            found.append(
                Alarm(
                    severity="warning" if one.fill == "filling" else "critical", hospital=hospital,
                    rule="storage.over" if over else "storage.filling", where=hospital,
                    what=f"{one.share:.0%} of its storage is filled: {one.told}",
                    way_out="Its jobs are refused until results are deleted or the quota is raised."
                    if over
                    else "Delete or move results, or raise the quota; above 100 % its jobs are refused.",
                )
            )  # fmt: skip
        if one.unread:
            found.append(
                Alarm(
                    severity="warning", rule="storage.unread", where=hospital, hospital=hospital,
                    what=f"{one.unread} files or folders of its quota cannot be looked at and are not counted",
                    way_out="Give whoever runs this the right to list them.",
                )
            )  # fmt: skip
    return found


def duration(seconds: float) -> str:
    """A time for people, e.g. "3 h 20 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{minutes / 1440:.1f} days"


def _like(job: Job) -> tuple[str, str]:
    """Hospital and what is run: the program, of Consilium's own the verb, and the cores."""
    words = list(job.request.command)
    if words[1:3] == ["-m", "consilium"]:
        words = words[2:]
    program = PurePath(words[0]).name
    if program == "consilium":
        program = " ".join(words[: 3 if words[1:2] and words[1] in _GROUPS else 2])
    return job.request.hospital, f"{program} {job.request.cores}"
