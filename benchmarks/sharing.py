"""What sharing one cluster does for ten hospitals, on a real Slurm: `python -m benchmarks.sharing`.

Two days of ten hospitals are played in compressed time, once where each has what it brings in and no more, once as
the alliance shares (`consilium.alliance.compute.terms`): the same jobs, at the same moments, on two clusters of the
same nodes at the same time. Jobs sleep instead of computing; all else is the product: its engine, its process, Slurm
with its accounting. The load is made up (`days`), with imaging by day and training by night: it shows what the rules
do, it is no estimate for real hospitals. What is judged is each hospital against itself alone.

Apart from that: how soon an owner has his cores back, how soon an emergency starts on a full cluster, and how long
thousands of jobs take to be taken and run.

The figures go to `benchmarks/results/sharing.json`, `sharing.md` and `sharing.png`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.results import machine
from consilium.alliance.compute.agreement import Agreement
from consilium.alliance.compute.job import Job, Request, Urgency
from consilium.alliance.compute.slurm import SlurmEngine
from consilium.alliance.compute.slurm_cluster import SlurmCluster
from consilium.alliance.compute.slurm_files import Layout
from consilium.alliance.roster import Hospital, Roster

RESULTS = Path(__file__).parent / "results" / "sharing.json"
DAYS = 2
NODES, CORES = 5, 8
RIGHTS: Mapping[str, int] = {
    "imaging_1": 6, "imaging_2": 5, "imaging_3": 4, "imaging_4": 3, "support_1": 4, "support_2": 3, "support_3": 3,
    "training_1": 5, "training_2": 4, "training_3": 3,
}  # fmt: skip
"""Hospitals, by what they mostly do, and the cores that each brings in: forty together."""

WORSE = 0.01
"""Share of its turnaround alone within which a hospital counts as served no worse: jobs are told to a tenth of a
second."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A job of the load.

    Attributes:
        hospital, urgency, cores: see `Request`.
        at: hours after the first midnight.
        hours: that it needs.
    """

    hospital: str
    urgency: Urgency
    cores: int
    at: float
    hours: float


def days(seed: int) -> list[Asked]:
    """Two days of ten hospitals, made up.

    Imaging comes by day in waves, each job a few minutes on one core; decision support is steadier and shorter;
    training comes in the evening, hours on several cores, more of it than its hospitals could run alone by the
    morning. Every hospital has now and then an emergency and some research.
    """
    rng = np.random.default_rng(seed)
    found: list[Asked] = []
    for hospital, right in RIGHTS.items():
        kind = hospital.partition("_")[0]
        for day in range(DAYS):
            start = 24.0 * day
            if kind == "imaging":
                found += _jobs(rng, hospital, "clinical", 1, _waves(rng, start, right * 8), (0.3, 1.0))
                found += _jobs(rng, hospital, "research", 1, start + rng.uniform(9, 17, right), (0.5, 2.0))
            elif kind == "support":
                found += _jobs(rng, hospital, "clinical", 1, start + rng.uniform(9, 17, right * 5), (0.2, 0.8))
                found += _jobs(rng, hospital, "research", 1, start + rng.uniform(9, 20, right), (0.5, 2.0))
            else:
                found += _jobs(rng, hospital, "research", 2, start + rng.uniform(17, 22, right * 5 // 2), (2.0, 6.0))
                found += _jobs(rng, hospital, "idle", 1, start + rng.uniform(8, 20, 3), (1.0, 3.0))
            found += _jobs(rng, hospital, "emergency", 1, start + rng.uniform(0, 24, 2), (0.1, 0.3))
    return sorted(found, key=lambda one: one.at)


def _waves(rng: np.random.Generator, start: float, count: int) -> NDArray[np.float64]:
    """Moments of a working day, most of them mid-morning and in the afternoon."""
    centre = rng.choice([9.5, 14.5], count)
    return np.asarray(start + np.clip(rng.normal(centre, 1.3), 8, 18), np.float64)


def _jobs(
    rng: np.random.Generator, hospital: str, urgency: Urgency, cores: int, moments: Iterable[float],
    hours: tuple[float, float],
) -> list[Asked]:  # fmt: skip
    return [
        Asked(hospital=hospital, urgency=urgency, cores=cores, at=float(at), hours=float(rng.uniform(*hours)))
        for at in moments
    ]


@dataclass(frozen=True, kw_only=True)
class Served:
    """What became of a job, in hours of the load.

    Attributes:
        asked: the job.
        turnaround: from its submission to its end.
        wait: of that, all but the run that came to an end.
        first: from its submission to its first start.
        preempted: how often it gave its cores back.
        lost: core-hours of the runs that did.
    """

    asked: Asked
    turnaround: float
    wait: float
    first: float
    preempted: int
    lost: float


def engine_on(cluster: SlurmCluster, home: Path, *, lending: bool) -> SlurmEngine:
    """An engine for the ten hospitals."""
    roster = Roster(home / "roster.json")
    for hospital, cores in RIGHTS.items():
        roster.put_hospital(Hospital(id=hospital, cores=cores))
    Agreement(engine="slurm", conf=str(cluster.conf), lending=lending, roster=str(home / "roster.json")).keep(home)
    return SlurmEngine(home)


def warmed(engine: SlurmEngine) -> None:
    """Have the accounts made before anything is measured."""
    for hospital in RIGHTS:
        engine.submit(_request(Asked(hospital=hospital, urgency="clinical", cores=1, at=0, hours=0), 1.0))
    while engine.jobs(live=True):
        time.sleep(0.5)


def played(engine: SlurmEngine, load: Sequence[Asked], hour: float, began: float) -> list[Served]:
    """Hand the jobs in at their moments and wait for all of them.

    Args:
        engine: that runs them.
        load: in order of time.
        hour: seconds that an hour is played in.
        began: monotonic clock at the first midnight.
    """
    numbers = []
    for one in load:
        time.sleep(max(0.0, began + one.at * hour - time.monotonic()))
        numbers.append(engine.submit(_request(one, hour)).number)
    while engine.jobs(live=True):
        time.sleep(0.5)
    return [_served(one, engine.job(number), engine, hour) for one, number in zip(load, numbers, strict=True)]


def _request(one: Asked, hour: float) -> Request:
    return Request(
        command=("sleep", f"{one.hours * hour:.3f}"), folder="/", hospital=one.hospital, person="benchmark",
        cores=one.cores, memory_mb=32, urgency=one.urgency,
    )  # fmt: skip


def _served(one: Asked, job: Job, engine: SlurmEngine, hour: float) -> Served:
    if job.state != "done" or job.ended is None or job.started is None:
        raise RuntimeError(f"job {job.number} is {job.state}: {job.reason}")
    first = engine.folder(job.number).tries()[0]["started"]
    return Served(
        asked=one, turnaround=(job.ended - job.submitted) / hour, wait=(job.started - job.submitted) / hour,
        first=(first - job.submitted) / hour, preempted=job.preempted,
        lost=job.lost_core_seconds / hour,
    )  # fmt: skip


def both(load: Sequence[Asked], hour: float, alone: SlurmEngine, shared: SlurmEngine) -> tuple[list[Served], ...]:
    """The load played on both clusters at once."""
    found: dict[str, list[Served]] = {}
    began = time.monotonic() + 1.0
    threads = [
        threading.Thread(target=lambda name=name, engine=engine: found.update({name: played(engine, load, hour,
        began)})) for name, engine in (("alone", alone), ("shared", shared))
    ]  # fmt: skip
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return found["alone"], found["shared"]


def utilisation(served: Sequence[Served], *, until: float = 24.0 * DAYS) -> float:
    """Share of all core-hours up to a moment in which work was done that came to its end."""
    done = sum(
        one.asked.cores * max(0.0, min(until, one.asked.at + one.turnaround) - max(one.asked.at + one.wait, 0.0))
        for one in served
    )
    return done / (NODES * CORES * until)


def by_hospital(alone: Sequence[Served], shared: Sequence[Served]) -> dict[str, dict[str, float]]:
    """Mean turnaround of each hospital, alone and in the alliance, with an interval of the difference over its jobs."""
    rng = np.random.default_rng(0)
    found = {}
    for hospital in RIGHTS:
        pairs = [(a, s) for a, s in zip(alone, shared, strict=True) if a.asked.hospital == hospital]
        before = np.array([a.turnaround for a, _ in pairs])
        after = np.array([s.turnaround for _, s in pairs])
        drawn = rng.integers(0, len(pairs), (2000, len(pairs)))
        low, high = np.percentile((after - before)[drawn].mean(1), [2.5, 97.5])
        found[hospital] = {
            "jobs": len(pairs), "alone": float(before.mean()), "shared": float(after.mean()),
            "difference": float((after - before).mean()), "low": float(low), "high": float(high),
            "alone_wait": float(np.mean([a.wait for a, _ in pairs])),
            "shared_wait": float(np.mean([s.wait for _, s in pairs])),
            "preempted": float(sum(s.preempted for _, s in pairs)),
        }  # fmt: skip
    return found


def by_urgency(served: Sequence[Served]) -> dict[str, dict[str, float]]:
    """Wait of each class, hours: mean and 95th percentile."""
    found = {}
    for urgency in ("emergency", "clinical", "research", "idle"):
        waits = np.array([one.wait for one in served if one.asked.urgency == urgency])
        found[urgency] = {"jobs": len(waits), "mean": float(waits.mean()), "p95": float(np.percentile(waits, 95))}
    return found


def up_time(cluster: SlurmCluster) -> float:
    """Seconds until a private Slurm is up."""
    began = time.monotonic()
    cluster.up(Layout(nodes=NODES, cores=CORES, memory_mb=CORES * 500))
    return time.monotonic() - began


def owners_time(engine: SlurmEngine, times: int) -> list[float]:
    """Seconds from an owner's submission until all of his cores are his, on a cluster full of borrowed ones."""
    found = []
    owner, borrower = "imaging_1", "training_1"
    for _ in range(times):
        full = _asleep(engine, borrower, NODES * CORES)
        _all(engine, full, "running")
        time.sleep(2.0)
        began = time.time()
        own = _asleep(engine, owner, RIGHTS[owner])
        _all(engine, own, "running")
        found.append(max(engine.job(number).started or 0.0 for number in own) - began)
        _ended(engine)
    return found


def urgent_start(engine: SlurmEngine, times: int) -> list[float]:
    """Seconds from an emergency's submission to its start, on a cluster that is full of what is each hospital's own."""
    found = []
    for _ in range(times):
        full = [number for hospital, cores in RIGHTS.items() for number in _asleep(engine, hospital, cores)]
        _all(engine, full, "running")
        (urgent,) = _asleep(engine, "support_1", 1, urgency="emergency")
        _all(engine, [urgent], "running")
        job = engine.job(urgent)
        found.append((job.started or 0.0) - job.submitted)
        _ended(engine)
    return found


def many(engine: SlurmEngine, count: int) -> dict[str, float]:
    """How long so many jobs of ten hospitals take: to be taken, and to be done."""
    began = time.monotonic()
    names = list(RIGHTS)
    numbers = [
        engine.submit(_request(Asked(hospital=names[k % 10], urgency="research", cores=1, at=0, hours=0), 1.0)).number
        for k in range(count)
    ]
    taken = time.monotonic() - began
    while engine.jobs(live=True):
        time.sleep(1.0)
    done = time.monotonic() - began
    ended = sum(engine.job(number).state == "done" for number in numbers)
    return {"jobs": count, "taken_s": taken, "done_s": done, "done": ended}


def _asleep(engine: SlurmEngine, hospital: str, count: int, *, urgency: Urgency = "research") -> list[int]:
    asked = Asked(hospital=hospital, urgency=urgency, cores=1, at=0.0, hours=600.0)
    return [engine.submit(_request(asked, 1.0)).number for _ in range(count)]


def _all(engine: SlurmEngine, numbers: Sequence[int], state: str) -> None:
    deadline = time.monotonic() + 120
    while any(engine.job(number).state != state for number in numbers):
        if time.monotonic() > deadline:
            raise RuntimeError(f"jobs {list(numbers)} are not all {state} after two minutes")
        time.sleep(0.1)


def _ended(engine: SlurmEngine) -> None:
    for one in engine.jobs(live=True):
        engine.cancel(one.number)
    while engine.jobs(live=True):
        time.sleep(0.2)


@click.command(help=__doc__)
@click.option("--hour", type=float, default=24.0, show_default=True, help="Seconds that an hour is played in.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(100,), show_default=True)
@click.option("--replay/--no-replay", default=True, help="Whether the two days are played.")
@click.option("--times", type=int, default=10, show_default=True, help="Of the two short measurements; 0 for none.")
@click.option("--many", "count", type=int, default=0, help="So many jobs at once, too.")
@click.option("--write/--print-only", default=True, help="What is not measured this time stays as it was written.")
def main(hour: float, seeds: tuple[int, ...], replay: bool, times: int, count: int, write: bool) -> None:
    """Measure and write."""
    new: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        clusters = [SlurmCluster(Path(folder) / name) for name in ("alone", "shared")]
        engines: list[SlurmEngine] = []
        try:
            for cluster, lending in zip(clusters, (False, True), strict=True):
                new.setdefault("up_s", []).append(up_time(cluster))
                engines.append(engine_on(cluster, Path(folder) / f"jobs_{lending}", lending=lending))
                warmed(engines[-1])
            if replay:
                new |= {"hour_s": hour, "rounds": [round_of(seed, *both(days(seed), hour, *engines)) for seed in seeds]}
            if times:
                new |= {"owner_s": owners_time(engines[1], times), "urgent_s": urgent_start(engines[1], times)}
            if count:
                new["many"] = many(engines[1], count)
            for engine, cluster in zip(engines, clusters, strict=True):
                engine.stop()
                cluster.down()
                new.setdefault("again_s", []).append(up_time(cluster))
        finally:
            for engine in engines:
                engine.stop()
            for cluster in clusters:
                cluster.down()
    click.echo(json.dumps(new, indent=1))
    if write:
        before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"many": {}}
        document = before | {"date": datetime.now(UTC).date().isoformat(), "machine": machine()} | new
        RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        written(document)


def round_of(seed: int, alone: Sequence[Served], shared: Sequence[Served]) -> dict[str, Any]:
    """The figures of one round."""
    last = [max(one.asked.at + one.turnaround for one in served) for served in (alone, shared)]
    return {
        "seed": seed, "jobs": len(alone),
        "utilisation": {"alone": utilisation(alone), "shared": utilisation(shared)},
        "useful_until_the_last_end": {
            "alone": utilisation(alone, until=last[0]), "shared": utilisation(shared, until=last[1])
        },
        "last_end_h": {"alone": last[0], "shared": last[1]},
        "wait": {"alone": by_urgency(alone), "shared": by_urgency(shared)},
        "mean_wait": {
            "alone": float(np.mean([one.wait for one in alone])), "shared": float(np.mean([one.wait for one in shared]))
        },
        "hospitals": by_hospital(alone, shared),
        "preempted": sum(one.preempted for one in shared),
        "lost_core_hours": sum(one.lost for one in shared),
    }  # fmt: skip


def written(document: Mapping[str, Any]) -> None:
    """The table for people and the drawing."""
    RESULTS.with_suffix(".md").write_text(table(document), encoding="utf-8")
    drawn(document, RESULTS.with_suffix(".png"))


def table(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    told = f"a real Slurm of {NODES * CORES} cores, an hour in {document['hour_s']:g} s"
    lines = [
        "# Sharing one cluster: measured", "", "Written by `python -m benchmarks.sharing`; do not edit.", "",
        f"Two days of ten hospitals on {told}, each alone and all together at the same time. The load is made up;",
        "jobs sleep instead of computing. Times of the load are in hours.", "",
        "| round | | alone | alliance | |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for one in document["rounds"]:
        lines += _round_rows(one)
    lines += ["", "## Turnaround of each hospital, h", ""]
    lines += ["| round | hospital | jobs | alone | alliance | difference (95 % interval over its jobs) | gave back |"]
    lines += ["|---" * 7 + "|"]
    for one in document["rounds"]:
        for name, told in one["hospitals"].items():
            change = f"{told['difference']:+.3f} ({told['low']:+.3f} to {told['high']:+.3f})"
            cells = [one["seed"], name, told["jobs"], f"{told['alone']:.3f}", f"{told['shared']:.3f}", change]
            lines += ["| " + " | ".join(str(cell) for cell in [*cells, int(told["preempted"])]) + " |"]
    lines += ["", "## How fast", "", "| | n | median | least to most, s |", "|---|---|---|---|"]
    for name, meaning in (
        ("owner_s", "an owner has all of his cores back, from a cluster full of borrowed jobs"),
        ("urgent_s", "an emergency starts on a cluster full of what is each hospital's own"),
        ("up_s", "a private Slurm is up, from nothing"),
        ("again_s", "the same Slurm is up again"),
    ):
        times = document[name]
        lines += [f"| {meaning} | {len(times)} | {np.median(times):.2f} | {min(times):.2f} to {max(times):.2f} |"]
    if crowd := document["many"]:
        done = f"all done ({crowd['done']}) within {crowd['done_s']:.0f} s"
        lines += ["", f"{crowd['jobs']} jobs of ten hospitals: handed in within {crowd['taken_s']:.0f} s, {done}."]
    lines += [
        "", f"A hospital counts as served worse where its mean turnaround is more than {WORSE:.0%} longer than alone;",
        "surely so, where the interval of the difference over its jobs is above zero. Peers report waits 1.5 times",
        "lower and a quarter more use (Lyra, EuroSys 2023).", "",
        f"Measured on {document['date']}, {document['machine']}.", "", "![Waits and turnarounds](sharing.png)", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _round_rows(one: Mapping[str, Any]) -> list[str]:
    seed = one["seed"]
    rows = [
        _row(seed, "useful share of all core-hours, two days", one["utilisation"]),
        _row(seed, "the same until the last job ended", one["useful_until_the_last_end"]),
        _row(seed, "last job ended, h", one["last_end_h"]),
        _row(seed, "mean wait of all jobs, h", one["mean_wait"]),
    ]
    for urgency in one["wait"]["alone"]:
        for what, name in (("mean", "mean"), ("p95", "95th percentile of the")):
            both_ways = {way: one["wait"][way][urgency][what] for way in ("alone", "shared")}
            rows += [_row(seed, f"{name} wait, {urgency}, h", both_ways)]
    worse = [name for name, told in one["hospitals"].items() if told["difference"] > WORSE * told["alone"]]
    surely = [name for name in worse if one["hospitals"][name]["low"] > 0]
    count = f"{len(worse)} ({len(surely)})"
    rows += [f"| {seed} | hospitals served worse than alone (surely so) | | {count} | {', '.join(worse)} |"]
    lost = f"{one['lost_core_hours']:.1f}"
    return [*rows, f"| {seed} | runs that gave cores back; core-hours lost | | {one['preempted']} | {lost} |"]


def _row(seed: int, meaning: str, values: Mapping[str, float]) -> str:
    alone, shared = values["alone"], values["shared"]
    change = f"{shared / alone:.2f} times more" if shared >= alone else f"{alone / shared:.2f} times less"
    return f"| {seed} | {meaning} | {alone:.3f} | {shared:.3f} | {change} |"


def drawn(document: Mapping[str, Any], path: Path) -> None:
    """Turnaround of each hospital alone and in the alliance, and the waits by urgency."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), width_ratios=(3, 2))
    names = list(RIGHTS)
    places = np.arange(len(names))
    for offset, way, colour in ((-0.2, "alone", "#9aa5b1"), (0.2, "shared", "#1f77b4")):
        means = [float(np.mean([one["hospitals"][name][way] for one in document["rounds"]])) for name in names]
        label = {"alone": "alone", "shared": "in the alliance"}[way]
        left.bar(places + offset, means, 0.4, color=colour, label=label)
    left.set_yscale("log")
    left.set_xticks(places, names, rotation=40, ha="right")
    left.set_ylabel("mean turnaround, hours (logarithmic)")
    left.legend(frameon=False)
    classes = list(document["rounds"][0]["wait"]["alone"])
    places = np.arange(len(classes))
    for offset, way, colour in ((-0.2, "alone", "#9aa5b1"), (0.2, "shared", "#1f77b4")):
        for what, width in (("p95", 0.4), ("mean", 0.2)):
            heights = [float(np.mean([one["wait"][way][name][what] for one in document["rounds"]])) for name in classes]
            right.bar(places + offset, heights, width, color=colour, alpha=0.5 if what == "p95" else 1.0)
    right.set_yscale("log")
    right.set_xticks(places, classes)
    right.set_ylabel("wait, hours: mean (narrow), 95th percentile (wide)")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
