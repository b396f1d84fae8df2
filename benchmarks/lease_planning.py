"""How well planned leases do on weeks that they were not made from: `python -m benchmarks.lease_planning`.

A plan is made from the first weeks of a history and judged on the four after them: how often a hospital needs more than
its lease against the stated risk, and what that costs in cores against what people do without a plan. The hospitals are
simulated (`benchmarks/simulated_hospitals.py`); what is measured on them says how the rule behaves, and nothing of real
hospitals. `--trace FILE` judges on a real history in the Standard Workload Format instead and writes
`lease_planning_trace.json`.

Constants of the forecast were chosen on seeds below 100; the figures are of seeds from 100 on. About ten minutes. The
figures go to `benchmarks/results/lease_planning.json` and, as a table, to `lease_planning.md` beside it.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.results import machine
from benchmarks.simulated_hospitals import WORLDS, jobs_of
from benchmarks.workload_trace import read_trace
from consilium.alliance.compute.forecast import HORIZON, forecast
from consilium.alliance.compute.lease_backtest import judged, plan_levels, simple_ways
from consilium.alliance.compute.lease_plan import propose
from consilium.alliance.compute.need import Need, need_of

RESULTS = Path(__file__).parent / "results" / "lease_planning.json"
HISTORIES = (2, 4, 8, 12)
RISKS = (0.01, 0.05, 0.1, 0.2)
RISK = 0.05
FIRST_SEED = 100
PLENTY = 100_000
"""Cores: so many that nobody has to share."""

_ZONE = ZoneInfo("Asia/Shanghai")
_BEGIN = datetime(2026, 1, 5)
_STARTS = 4
_LONG = 168
"""Weeks from which the true quantile is taken."""

Row = dict[str, Any]


def simulated(world: str, weeks: int, seed: int) -> Need:
    """Needs of ten hospitals that do not exist; the week before is drawn too, so that jobs run into the first."""
    begin = _BEGIN - timedelta(weeks=1)
    jobs = jobs_of(world, weeks=weeks + 1, begin=begin, zone=_ZONE, seed=seed)
    now = (_BEGIN + timedelta(weeks=weeks)).replace(tzinfo=_ZONE).timestamp()
    return need_of(jobs, zone=_ZONE, now=now)


def one_split(need: Need, weeks: int, risk: float) -> dict[str, Row]:
    """Every way to give cores, made from the last `weeks` before the judged ones."""
    cut = len(need.weeks) - HORIZON
    first, later = need.between(cut - weeks, cut), need.between(cut, None)
    plain = propose(first, capacity=PLENTY, risk=risk, draws=0)
    exact = propose(first, capacity=PLENTY, risk=risk, levels=168, switch=0, draws=0)
    ways = {
        "plan": plan_levels(plain, later), "plan, each hour by itself": plan_levels(exact, later), **simple_ways(first),
    }  # fmt: skip
    peak = float(ways["own peak"].sum())
    found = {}
    for name, cores in ways.items():
        told = judged(cores, later)
        found[name] = {
            "shortage": told.shortage, "unmet": told.unmet, "cores": told.cores, "cost": told.cores / peak,
        }  # fmt: skip
    return found


def scarce(need: Need, weeks: int) -> Row:
    """With 80 % of the cores that all want together in their busiest hour, and a tenth of them owned by each half."""
    cut = len(need.weeks) - HORIZON
    first, later = need.between(cut - weeks, cut), need.between(cut, None)
    free = propose(first, capacity=PLENTY, risk=RISK, levels=168, switch=0, draws=0)
    busiest = int(np.sum([one.wanted for one in free.hospitals], axis=0).max())
    owned = {name: max(busiest // 20, 1) for name in need.hospitals[::2]}
    plan = propose(first, capacity=int(busiest * 0.8), risk=RISK, owned=owned, draws=0)
    told = judged(plan_levels(plan, later), later)
    together = np.sum([one.cores for one in plan.hospitals], axis=0)
    return {
        "shortage": told.shortage, "scarce_hours": len(plan.scarce), "most": int(together.max()),
        "capacity": plan.capacity, "below_owned": sum(int((one.cores < one.owned).sum()) for one in plan.hospitals),
    }  # fmt: skip


def coverage(seed: int, weeks: int) -> Row:
    """How often the interval of a quantile holds the true one, which a long history of the same hospitals tells."""
    need = simulated("steady", _LONG, seed)
    truth = np.quantile(need.cores, 1 - RISK, axis=1)
    held, width = [], []
    for place in range(len(need.hospitals)):
        for start in range(0, _LONG - weeks + 1, _LONG // _STARTS):
            told = forecast(need.cores[place, start : start + weeks], risk=RISK, seed=start)
            # The true one is a whole number; the interval holds it if it does after rounding.
            low, high = np.floor(told.low + 0.5), np.floor(told.high + 0.5)
            held.append(((truth[place] >= low) & (truth[place] <= high)).mean())
            width.append(float((told.high - told.low).mean() / truth[place].mean()))
    return {"weeks": weeks, "covered": _interval(held), "relative_width": _interval(width), "forecasts": len(held)}


def _interval(values: Sequence[float]) -> dict[str, float]:
    """Mean, and its 95 % interval from drawing the values with replacement."""
    told = np.asarray(values, np.float64)
    rng = np.random.default_rng(0)
    means: NDArray[np.float64] = told[rng.integers(0, len(told), (2000, len(told)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {"value": float(told.mean()), "low": float(low), "high": float(high)}


def _together(rows: Sequence[Mapping[str, Row]]) -> dict[str, Row]:
    """Means over seeds with intervals, by way."""
    return {
        name: {key: _interval([float(row[name][key]) for row in rows]) for key in rows[0][name]} for name in rows[0]
    }  # fmt: skip


def measured(seeds: int) -> dict[str, Any]:
    """Everything on simulated hospitals."""
    found: dict[str, Any] = {"worlds": {}, "risks": {}, "scarce": {}, "coverage": []}
    needs = {
        world: [simulated(world, max(HISTORIES) + HORIZON, FIRST_SEED + seed) for seed in range(seeds)]
        for world in WORLDS
    }  # fmt: skip
    for world, every in needs.items():
        for weeks in HISTORIES:
            rows = [one_split(need, weeks, RISK) for need in every]
            found["worlds"].setdefault(world, {})[str(weeks)] = _together(rows)
            click.echo(f"{world}, {weeks} weeks: {_shown(found['worlds'][world][str(weeks)]['plan']['shortage'])}")
        short = [scarce(need, 8) for need in every]
        found["scarce"][world] = {key: _interval([float(row[key]) for row in short]) for key in short[0]}
    for risk in RISKS:
        rows = [one_split(need, 8, risk) for need in needs["uneven"]]
        found["risks"][str(risk)] = _together(rows)
    found["coverage"] = [coverage(FIRST_SEED, weeks) for weeks in (4, 8, 12)]
    return found


def traced(path: Path, zone: str) -> dict[str, Any]:
    """On a real history, rolling: a plan every four weeks, judged on the four after it."""
    jobs = read_trace(path)
    clock = ZoneInfo(zone)
    need = need_of(jobs, zone=clock, now=max(one.submitted for one in jobs))
    found: dict[str, Any] = {
        "trace": path.name,
        "weeks": len(need.weeks),
        "groups": len(need.hospitals),
        "histories": {},
    }
    for weeks in HISTORIES:
        rows = [
            one_split(need.between(0, end), weeks, RISK)
            for end in range(weeks + HORIZON, len(need.weeks) + 1, HORIZON)
            if _planned(need.between(end - HORIZON - weeks, end - HORIZON))
        ]  # fmt: skip
        if rows:
            found["histories"][str(weeks)] = _together(rows) | {"plans": len(rows)}
    return found


def _planned(first: Need) -> bool:
    """Whether some hospital has history enough."""
    return bool(((~np.isnan(first.cores).all(2)).sum(1) >= 2).any())


def _shown(told: Mapping[str, float]) -> str:
    return f"{told['value']:.1%} ({told['low']:.1%} to {told['high']:.1%})"


def _ways(rows: Mapping[str, Row], head: str) -> Iterator[str]:
    for name, told in rows.items():
        if name != "plans":
            figures = " | ".join(_shown(told[key]) for key in ("shortage", "unmet", "cost"))
            yield f"| {head} | {name} | {figures} |"


def table_of(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    seeds = document["seeds"]
    heads = ["| short in so many hours | needed core-hours not met | cores, of own peaks |", "|---|---|---|---|---|"]
    lines = [
        "# Planned leases on weeks they were not made from", "",
        "Written by `python -m benchmarks.lease_planning`; do not edit.", "",
        f"**Simulated hospitals**: ten that do not exist, drawn {seeds} times; no estimate for real ones. A plan at a",
        f"stated risk of {RISK:.0%} is made from some weeks and judged on the {HORIZON} after them. Means with 95 %",
        "intervals over the draws. *Own peaks*: each hospital has what it needed in its busiest hour, all week.", "",
        "## Eight weeks of history", "", f"| world | way {heads[0]}", heads[1],
    ]  # fmt: skip
    for world, by_weeks in document["worlds"].items():
        lines += _ways(by_weeks["8"], world)
    lines += ["", *(f"- *{world}*: {told}" for world, told in WORLDS.items())]
    lines += ["", "## By length of history (the plan)", ""]
    lines += ["| world | weeks | short in so many hours | cores, of own peaks |", "|---|---|---|---|"]
    for world, by_weeks in document["worlds"].items():
        for weeks, rows in by_weeks.items():
            note = " (provisional)" if int(weeks) < 4 else ""
            lines.append(
                f"| {world} | {weeks}{note} | {_shown(rows['plan']['shortage'])} | {_shown(rows['plan']['cost'])} |"
            )
    lines += ["", "## By stated risk (uneven, eight weeks)", ""]
    lines += ["| stated | plan, short | plan, each hour by itself, short | cores, of own peaks |", "|---|---|---|---|"]
    for risk, rows in document["risks"].items():
        exact = rows["plan, each hour by itself"]
        lines.append(
            f"| {float(risk):.0%} | {_shown(rows['plan']['shortage'])} | {_shown(exact['shortage'])} | "
            f"{_shown(rows['plan']['cost'])} |"
        )
    lines += ["", "## With fewer cores than all want", ""]
    lines += ["80 % of what all want together in the busiest hour; every other hospital owns a twentieth of that.", ""]
    lines += ["| world | scarce hours a week | short in so many hours | hours in which somebody had less than owned |"]
    lines += ["|---|---|---|---|"]
    for world, told in document["scarce"].items():
        lines.append(
            f"| {world} | {told['scarce_hours']['value']:.0f} | {_shown(told['shortage'])} | "
            f"{told['below_owned']['value']:.0f} |"
        )
    lines += ["", "## How often the 95 % interval of the quantile holds the true one (steady)", ""]
    lines += ["| weeks | holds it | width, of the quantile | forecasts |", "|---|---|---|---|"]
    for told in document["coverage"]:
        lines.append(
            f"| {told['weeks']} | {_shown(told['covered'])} | {_shown(told['relative_width'])} | {told['forecasts']} |"
        )
    lines += ["", "No real history of several weeks and groups is at hand; with one, `--trace FILE` judges on it.", ""]
    lines += [f"Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


@click.command(help=__doc__)
@click.option(
    "--seeds", type=click.IntRange(min=2), default=8, show_default=True, help="How often hospitals are drawn."
)
@click.option("--trace", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A real history, SWF.")
@click.option("--zone", default="UTC", show_default=True, help="Of the trace.")
def main(seeds: int, trace: Path | None, zone: str) -> None:
    """Measure and write."""
    about = {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "risk": RISK, "judged_weeks": HORIZON,
        "versions": {"python": platform.python_version()}
        | {one: version(one) for one in ("consilium", "numpy", "scipy")},
    }  # fmt: skip
    if trace is not None:
        told = traced(trace, zone)
        path = RESULTS.with_name("lease_planning_trace.json")
        path.write_text(json.dumps(about | told, indent=1) + "\n", encoding="utf-8")
        for length, ways in told["histories"].items():
            click.echo("\n".join(_ways(ways, f"{length} weeks")))
        return
    document = about | {"seeds": seeds, "simulated": True} | measured(seeds)
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table_of(document), encoding="utf-8")
    click.echo(f"Written: {RESULTS}")


if __name__ == "__main__":
    main()
