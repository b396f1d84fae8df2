"""Alarms: each where it is due, none where it is not, and never a name of a job or person."""

from __future__ import annotations

import pytest

from consilium.alliance.compute.engine import Capacity
from consilium.alliance.compute.health import Node, alarms, duration, state_of
from consilium.alliance.compute.job import Job
from consilium.alliance.compute.storage_quota import Filled, Quota
from tests.alliance.compute.histories import job

NOW = 1_800_000_000.0
THERE = Capacity(cores=16, memory_mb=1000, gpus=1, cores_held=4, memory_held_mb=10, gpus_held=0, running=1, waiting=1)
UP = Node(name="n1", state="up", cores=8)


def seen(*jobs: Job, nodes: tuple[Node, ...] = (), storage: tuple[Filled, ...] = ()) -> list[tuple[str, str, str]]:
    found = alarms(jobs, THERE, now=NOW, nodes=nodes, storage=storage)
    assert all(one.what and one.way_out and one.where for one in found)
    return [(one.severity, one.rule, one.where) for one in found]


def waiting(seconds: float, **told: object) -> Job:
    return job(7, state="waiting", submitted=NOW - seconds, started=None, ended=None, **told)


def done(number: int, seconds: float = 600.0, **told: object) -> Job:
    return job(number, submitted=NOW - 9e5, started=NOW - 9e5, ended=NOW - 9e5 + seconds, **told)


def test_all_is_well() -> None:
    assert seen(*[done(n) for n in range(9)], waiting(10), nodes=(UP, Node(name="c1", state="off"))) == []


def test_nodes() -> None:
    down = Node(name="n2", state="down", reason="Not responding")
    assert seen(nodes=(UP, down, Node(name="n3", state="drained"))) == [
        ("warning", "node.down", "n2"),
        ("warning", "node.drained", "n3"),
    ]
    assert seen(nodes=(down,)) == [("critical", "node.none", "cluster"), ("warning", "node.down", "n2")]
    assert seen(nodes=(down, Node(name="c1", state="off"))) == [("warning", "node.down", "n2")]


@pytest.mark.parametrize(
    ("urgency", "patience", "severity"),
    [
        ("emergency", 60, "critical"),
        ("clinical", 900, "critical"),
        ("research", 28800, "warning"),
        ("idle", 604800, "warning"),
    ],
)
def test_who_waits_too_long(urgency: str, patience: float, severity: str) -> None:
    assert seen(waiting(patience - 1, urgency=urgency)) == []
    assert seen(waiting(patience + 1, urgency=urgency)) == [(severity, "queue.waits", "job 7")]


def test_what_can_never_start() -> None:
    assert seen(waiting(1, cores=17)) == [("critical", "queue.never", "job 7")]
    assert seen(waiting(1, gpus=2)) == [("critical", "queue.never", "job 7")]
    assert seen(waiting(1, cores=16, gpus=1)) == []


def test_what_runs_far_beyond_its_like() -> None:
    like = [done(n, 600.0 + 10 * n) for n in range(5)]
    limit = 4 * 640.0

    def running(seconds: float, **told: object) -> Job:
        return job(50, state="running", submitted=0.0, started=NOW - seconds, ended=None, **told)

    assert seen(*like, running(limit - 1)) == []
    assert seen(*like, running(limit + 1)) == [("warning", "job.stuck", "job 50")]
    assert seen(*like[:4], running(limit + 1)) == []  # too few to tell
    assert seen(*like, running(limit + 1, hospital="hospital_b")) == []
    assert seen(*like, running(limit + 1, command=("consilium", "embed", "x"))) == []
    assert seen(*like, running(limit + 1, cores=2)) == []
    short = [done(n, 1.0) for n in range(9)]
    assert seen(*short, running(599.0)) == [] and seen(*short, running(601.0)) == [("warning", "job.stuck", "job 50")]
    installed = [done(n, 600.0, command=("/usr/bin/python", "-m", "consilium", "karyotype", str(n))) for n in range(5)]
    mine = running(9999.0, command=("/usr/bin/python", "-m", "consilium", "karyotype", "y"))
    assert seen(*installed, mine) == [("warning", "job.stuck", "job 50")]
    fits = [done(n, 600.0, command=("consilium", "specialist", "fit", str(n))) for n in range(5)]
    assert seen(*fits, running(9999.0, command=("consilium", "specialist", "fit", "y"))) != []
    assert seen(*fits, running(9999.0, command=("consilium", "specialist", "predict", "y"))) == []


def test_what_fails_again_and_again() -> None:
    failed = [done(n, state="failed") for n in (10, 11, 12)]
    assert seen(*failed) == [("warning", "job.fails", "job 12")]
    assert seen(*failed[:2]) == []
    assert seen(*failed, done(13)) == []
    later = job(13, submitted=NOW, started=NOW, ended=NOW + 1)
    assert seen(*failed, later) == []
    other = [done(n, state="failed", hospital=f"h{n}") for n in range(3)]
    assert seen(*other) == []
    lost = job(5, state="running", started=NOW - 1, ended=None, tries=3)
    assert seen(lost) == [("warning", "job.restarts", "job 5")]


def test_storage() -> None:
    quota = Quota(hospital="hospital_a", bytes=1000, folders=())

    def at(used: int, unread: int = 0) -> list[tuple[str, str, str]]:
        return seen(storage=(Filled(quota=quota, used=used, unread=unread),))

    assert at(799) == []
    assert at(800) == [("warning", "storage.filling", "hospital_a")]
    assert at(950) == [("critical", "storage.filling", "hospital_a")]
    assert at(1001) == [("critical", "storage.over", "hospital_a")]
    assert at(1, unread=2) == [("warning", "storage.unread", "hospital_a")]


def test_no_alarm_tells_what_a_job_or_person_is_called() -> None:
    secret = {
        "name": "zhang san",
        "person": "dr-li",
        "command": ("consilium", "karyotype", "zhang-san"),
        "folder": "/zhang",
    }
    jobs = [waiting(1e7, **secret), job(8, state="running", started=1.0, ended=None, tries=9, **secret)]
    jobs += [done(n, state="failed", **secret) for n in range(20, 25)]
    for one in alarms(jobs, THERE, now=NOW):
        told = f"{one.what} {one.where} {one.way_out}"
        assert not any(word in told for word in ("zhang", "dr-li", "karyotype"))


@pytest.mark.parametrize(
    ("word", "state"),
    [("idle", "up"), ("mixed", "up"), ("allocated", "up"), ("idle~", "off"), ("idle*", "down"), ("down", "down"),
     ("drained", "drained"), ("draining", "drained"), ("drained*", "down"), ("failing", "down")],
)  # fmt: skip
def test_slurms_words_for_nodes(word: str, state: str) -> None:
    assert state_of(word) == state


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(5, "5 s"), (89, "89 s"), (600, "10 min"), (7200, "2 h"), (9000, "2 h 30 min"), (3 * 86400, "3.0 days")],
)
def test_durations(seconds: float, told: str) -> None:
    assert duration(seconds) == told
