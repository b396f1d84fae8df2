"""The verbs that plan, bill and watch, over a history of real job folders."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from consilium.alliance.compute.engine import Capacity
from consilium.alliance.compute.job import Job
from consilium.alliance.ledger import entries
from consilium.alliance.permissions import Person
from consilium.alliance.roster import Hospital, Roster
from consilium.cli import compute_planning
from consilium.errors import InputError, MissingExtra, NotAllowed
from consilium.settings import HOME_VARIABLE
from tests.alliance.compute.histories import job

MONDAY = (datetime.now(UTC) - timedelta(days=datetime.now(UTC).weekday())).replace(hour=0, minute=0, second=0)


def history(weeks: int, until: datetime = MONDAY) -> list[Job]:
    """Two hospitals, one by day and one by night, up to last Monday or the one that is told."""
    rng = np.random.default_rng(0)
    jobs: list[Job] = []
    for hour in range(-168 * (weeks + 1), 0):
        clock = hour % 24
        for hospital, busy in (("day", 8 <= clock < 18), ("night", not 8 <= clock < 18)):
            for _ in range(rng.poisson(3.0 if busy else 0.3)):
                at = (until + timedelta(hours=hour, minutes=int(rng.integers(60)))).timestamp()
                told = {"submitted": at, "started": at + 30, "ended": at + 1200, "cores": int(rng.integers(1, 4))}
                jobs.append(job(len(jobs) + 1, hospital=hospital, **told))
    return jobs


class History:
    """What the verbs ask of an engine, for a history that is told."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = jobs

    def jobs(self) -> list[Job]:
        return self._jobs

    def capacity(self) -> Capacity:
        return Capacity(
            cores=40, memory_mb=1000, gpus=0, cores_held=0, memory_held_mb=0, gpus_held=0, running=0, waiting=0
        )


Call = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv("CONSILIUM_PERSON", "tester")
    return tmp_path


@pytest.fixture
def call(home: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    jobs = history(8)
    monkeypatch.setattr(compute_planning, "_engine", lambda: History(jobs))

    def called(*words: str) -> Result:
        group = click.Group("compute")
        compute_planning.add_to(group)
        return CliRunner().invoke(group, list(words), standalone_mode=False)

    return called


def acts(home: Path) -> list[tuple[str, str]]:
    path = home / "ledger.jsonl"
    return [(one.what, one.on) for one in entries(path)] if path.exists() else []


def test_leases_are_set_listed_and_removed_with_an_entry_each(home: Path, call: Call) -> None:
    assert "there are no leases" in call("leases", "list").output
    assert call("leases", "set", "day", "--cores", "8", "--hours", "Mon-Fri 08-18").exit_code == 0
    assert call("leases", "set", "night", "--cores", "36", "--gpus", "1").exit_code == 0
    listed = call("leases", "list").output
    assert "Mon-Fri 08-18" in listed and "Asia/Shanghai" in listed
    told = [json.loads(line) for line in call("leases", "list", "--json").output.splitlines()]
    assert [(one["hospital"], one["cores"], one["gpus"]) for one in told] == [("day", 8, 0), ("night", 36, 1)]
    assert "44 cores in some hours, and there are 40" in call("leases", "set", "day", "--cores", "8").output
    assert call("leases", "remove", "day").exit_code == 0
    assert isinstance(call("leases", "remove", "day").exception, InputError)
    assert isinstance(call("leases", "set", "day", "--cores", "1", "--hours", "noon").exception, InputError)
    assert acts(home) == [("lease.set", "day"), ("lease.set", "night"), ("lease.set", "day"), ("lease.remove", "day")]


@pytest.mark.parametrize(
    ("moment", "holding"),
    [
        ("2026-11-26T02:30:00+00:00", {"day", "night"}),  # Thursday, 10:30 in Shanghai
        ("2026-11-26T20:30:00+00:00", {"night"}),  # Friday, 04:30
        ("2026-11-28T02:30:00+00:00", {"night"}),  # Saturday, 10:30
    ],
)
def test_leases_of_this_hour_are_those_that_hold_in_it(
    home: Path, call: Call, monkeypatch: pytest.MonkeyPatch, moment: str, holding: set[str]
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.fromisoformat(moment).astimezone(tz)

    monkeypatch.setattr(compute_planning, "datetime", Clock)
    call("leases", "set", "day", "--cores", "8", "--hours", "Mon-Fri 08-18")
    call("leases", "set", "night", "--cores", "36")
    now = [json.loads(line) for line in call("leases", "list", "--now", "--json").output.splitlines()]
    assert {one["hospital"] for one in now} == holding


def test_only_the_operator_sets_leases_and_nobody_sees_anothers(
    home: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("leases", "set", "day", "--cores", "8")
    call("leases", "set", "night", "--cores", "4")
    (home / "compute" / "rates.json").write_text('{"core_hour": 1, "gpu_hour": 1}')
    roster = Roster(home / "roster.json")
    for name in ("day", "night"):
        roster.put_hospital(Hospital(id=name, cores=2))
    roster.put_person(Person(name="tester", hospital="day", roles=frozenset({"operator"})))
    roster.put_person(Person(name="li", hospital="day", roles=frozenset({"member"})))
    monkeypatch.setenv("CONSILIUM_PERSON", "li")
    listed = call("leases", "list").output
    assert "day" in listed and "night" not in listed
    bill = call("cost", "--csv").output
    assert "day" in bill and "night" not in bill
    for words in (
        ("leases", "set", "day", "--cores", "9"),
        ("leases", "remove", "day"),
        ("plan",),
        ("health",),
        ("metrics",),
    ):
        assert isinstance(call(*words).exception, NotAllowed), words
    monkeypatch.setenv("CONSILIUM_PERSON", "tester")
    assert "night" in call("leases", "list").output
    assert isinstance(call("leases", "set", "nobody", "--cores", "9").exception, InputError)


def test_a_plan_says_how_it_would_have_done_and_is_agreed_on(home: Path, call: Call) -> None:
    call("leases", "set", "day", "--cores", "8")
    shown = call("plan", "--zone", "UTC")
    assert shown.exit_code == 0, shown.output
    assert "in 95% of the hours" in shown.output
    assert "Made from the first 6 weeks and judged on the last 2" in shown.output
    assert "own peak" in shown.output and "such a plan" in shown.output
    assert json.loads(call("leases", "list", "--json").output)["cores"] == 8  # nothing was agreed on
    done = call("plan", "--zone", "UTC", "--lease-price", "1", "--shortage-price", "10", "--apply")
    assert "in 90% of the hours" in done.output and "take the place of 1" in done.output
    kept = [json.loads(line) for line in call("leases", "list", "--json").output.splitlines()]
    assert {one["hospital"] for one in kept} == {"day", "night"} and {one["zone"] for one in kept} == {"UTC"}
    assert acts(home)[-1] == ("lease.plan", "leases")
    assert isinstance(call("plan", "--risk", "0.1", "--lease-price", "1").exception, click.UsageError)
    assert isinstance(call("plan", "--lease-price", "2", "--shortage-price", "1").exception, InputError)


def test_a_plan_on_paper(call: Call, tmp_path: Path) -> None:
    done = call("plan", "--zone", "UTC", "--out", str(tmp_path / "plan"), "--lang", "en")
    if isinstance(done.exception, MissingExtra):
        pytest.skip(str(done.exception))
    assert done.exit_code == 0, done.output
    names = {one.name for one in (tmp_path / "plan").iterdir()}
    assert names == {"plan.json", "plan-1.svg", "plan.pdf"}
    assert (tmp_path / "plan" / "plan.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((tmp_path / "plan" / "plan.json").read_text())["risk"] == 0.05


def test_too_short_a_history_is_no_plan(home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute_planning, "_engine", lambda: History(history(1)))
    refused = call("plan", "--zone", "UTC")
    assert isinstance(refused.exception, InputError) and "made up" in refused.exception.way_out
    monkeypatch.setattr(compute_planning, "_engine", lambda: History(history(3)))
    shown = call("plan", "--zone", "UTC").output
    assert "provisional" in shown and "too few to hold some back" in shown


def test_a_bill(home: Path, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = history(8, until=datetime(2026, 11, 16, tzinfo=UTC))
    monkeypatch.setattr(compute_planning, "_engine", lambda: History(jobs))
    assert isinstance(call("cost").exception, InputError)  # nobody makes prices up
    (home / "compute").mkdir(exist_ok=True)
    (home / "compute" / "rates.json").write_text('{"core_hour": "0.5", "gpu_hour": 1, "currency": "CNY"}')
    rows = call("cost", "--csv", "--zone", "UTC").output.splitlines()
    months = {row.split(",")[1] for row in rows[1:]}
    assert months == {"2026-09", "2026-10", "2026-11"} and len(rows) == 1 + 2 * 3
    assert "own core hours" in call("cost", "--month", max(months)).output
    done = call("cost", "--pdf", str(tmp_path / "bill.pdf"), "--total", "100", "--lang", "en", "--zone", "UTC")
    if isinstance(done.exception, MissingExtra):
        pytest.skip(str(done.exception))
    assert (tmp_path / "bill.pdf").read_bytes().startswith(b"%PDF")
    for bad in ("-1", "much", "NaN"):
        assert isinstance(call("cost", "--pdf", str(tmp_path / "b.pdf"), "--total", bad).exception, click.BadParameter)


def test_health_ends_with_a_status_that_a_script_can_use(
    home: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = call("health")
    assert (well.return_value, well.output) == (0, "all is well\n")
    late = replace(job(9, state="waiting", urgency="emergency", started=None, ended=None), submitted=time.time() - 600)
    monkeypatch.setattr(compute_planning, "_engine", lambda: History([late]))
    ill = call("health")
    assert ill.return_value == 1 and ill.output.startswith("critical: job 9 (hospital_a): it waits for 10 min")
    assert json.loads(call("health", "--json").output)["rule"] == "queue.waits"
    monkeypatch.setattr(compute_planning, "_engine", lambda: History([]))
    full = home / "data"
    full.mkdir()
    (full / "x").write_bytes(b"x" * 100_000)
    (home / "compute").mkdir(exist_ok=True)
    (home / "compute" / "quotas.json").write_text(json.dumps({"day": {"size": "60k", "folders": [str(full)]}}))
    over = call("health")
    assert over.return_value == 1 and over.output.startswith("critical: day: 1")


def test_metrics(call: Call) -> None:
    pytest.importorskip("prometheus_client", reason="prometheus-client (extra `metrics`) is not installed")
    shown = call("metrics")
    assert shown.return_value == 0
    assert "consilium_cores 40.0" in shown.output
    assert 'consilium_jobs{hospital="night",state="done",urgency="research"}' in shown.output
