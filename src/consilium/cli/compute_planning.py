"""`consilium compute plan|leases|cost|health|metrics`: leases planned and agreed on, bills, and what is wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.language import language_option

if TYPE_CHECKING:
    from decimal import Decimal

    from consilium.alliance.compute.engine import Engine, Lease
    from consilium.alliance.compute.lease_file import LeaseFile
    from consilium.alliance.compute.lease_plan import LeasePlan
    from consilium.alliance.compute.metrics import Seen
    from consilium.alliance.compute.need import Need
    from consilium.alliance.permissions import Act

_HELD_BACK = 4
"""One week in so many is held back to see how plans would have done."""

_JUDGED_FROM = 6
"""Weeks of history from which on that is told."""


def add_to(group: click.Group) -> None:
    """Let a group have these verbs."""
    for one in (plan, leases, cost, health, metrics):
        group.add_command(one)


@click.command()
@click.option("--risk", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="Of a shortage in an hour.")
@click.option("--lease-price", type=float, metavar="PRICE", help="Of a leased core-hour; instead of --risk.")
@click.option("--shortage-price", type=float, metavar="PRICE", help="What a lacking core-hour costs.")
@click.option("--salvage", type=float, default=0.0, metavar="PRICE", help="What an unused leased core-hour brings.")
@click.option("--capacity", type=click.IntRange(min=1), metavar="CORES", help="Of all.  [default: of the engine]")
@click.option("--urgency", "urgencies", multiple=True, type=click.Choice(("emergency", "clinical", "research", "idle")),
              help="Jobs that count; may be repeated.  [default: all but idle]")  # fmt: skip
@click.option("--measure", type=click.Choice(("peak", "mean")), default="peak", show_default=True,
              help="Of an hour: nobody waits, or work gets done within it.")  # fmt: skip
@click.option("--levels", type=click.IntRange(min=1), default=4, show_default=True, help="Levels of cores a week.")
@click.option("--zone", default="", metavar="ZONE", help="Whose clock, e.g. Asia/Shanghai.  [default: of the leases]")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write plan.json, the drawings and plan.pdf there.")  # fmt: skip
@language_option
@click.option("--apply", "applied", is_flag=True, help="Agree on the proposal: it takes the place of all leases.")
def plan(
    risk: float | None, lease_price: float | None, shortage_price: float | None, salvage: float, capacity: int | None,
    urgencies: tuple[str, ...], measure: Literal["peak", "mean"], levels: int, zone: str, out: Path | None,
    lang: Literal["zh", "en"], applied: bool,
) -> None:  # fmt: skip
    """Propose leases from what hospitals needed so far.

    Each hospital gets as many cores as it needs but for the stated risk, hour by hour of the week; what it owns is
    never taken from it. Says how such a plan would have done on weeks it was not made from.
    """
    from consilium.alliance.compute.lease_file import Agreed, zone_named
    from consilium.alliance.compute.lease_plan import propose
    from consilium.alliance.compute.lease_report import explained, lease_table
    from consilium.alliance.compute.need import LEASED, need_of
    from consilium.cli.identity import note, roster

    _may("lease.set")
    stated = _risk(risk, lease_price, shortage_price, salvage)
    file, engine = _lease_file(), _engine()
    name = zone or file.agreed().zone
    counted: Any = urgencies or LEASED
    need = need_of(engine.jobs(), zone=zone_named(name), now=time.time(), measure=measure, urgencies=counted)
    cores = capacity or engine.capacity().cores
    owned = {one.id: one.cores for one in roster().hospitals()}
    found = propose(need, capacity=cores, risk=stated, owned=owned, levels=levels)
    for _, sentence in explained(found, lang="en"):
        click.echo(sentence)
    _tell_how_it_would_have_done(need, cores, stated, levels, owned)
    table = lease_table(found, lang="en")
    _print([table.columns, *table.rows])
    if out is not None:
        _write_plan(found, out, lang)
    if applied:
        before = file.replace(Agreed(zone=name, leases=found.leases()))
        note("lease.plan", "leases", risk=stated, leases=len(found.leases()), before=len(before.leases))
        click.echo(f"agreed: {len(found.leases())} leases take the place of {len(before.leases)}")


@click.group()
def leases() -> None:
    """Show and change the leases that are agreed on."""


@leases.command("list")
@click.option("--now", is_flag=True, help="Only what holds in this hour.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(now: bool, as_json: bool) -> None:
    """List leases by hospital."""
    from consilium.alliance.compute.lease_hours import held_at, hours_in_words
    from consilium.alliance.permissions import allowed
    from consilium.cli.identity import who

    agreed, person = _lease_file().agreed(), who()
    every = held_at(agreed.leases, datetime.now(UTC), agreed.clock()) if now else agreed.leases
    found = [one for one in every if allowed(person, "lease.see", of=one.hospital)]
    if as_json:
        for one in found:
            click.echo(json.dumps(asdict(one) | {"hours": hours_in_words(one.hours), "zone": agreed.zone}))
        return
    if not found:
        click.echo("there are no leases", err=True)
        return
    rows = [("HOSPITAL", "CORES", "MEMORY MB", "GPUS", f"HOURS ({agreed.zone})")]
    rows += [
        (one.hospital, str(one.cores), str(one.memory_mb), str(one.gpus), hours_in_words(one.hours)) for one in found
    ]
    _print(rows)


@leases.command("set")
@click.argument("hospital")
@click.option("--cores", type=click.IntRange(min=0), required=True, help="That it is sure of.")
@click.option("--memory", type=click.IntRange(min=0), default=0, metavar="MB", help="Memory.")
@click.option("--gpus", type=click.IntRange(min=0), default=0, help="Graphics cards.")
@click.option("--hours", default="always", show_default=True, help="E.g. 'Mon-Fri 08-18, Sat 09-12+14-16'.")
def set_(hospital: str, cores: int, memory: int, gpus: int, hours: str) -> None:
    """Give a hospital a lease; in these hours it takes the place of what the hospital had."""
    from consilium.alliance.compute.engine import Lease
    from consilium.alliance.compute.lease_hours import hours_of
    from consilium.cli.identity import note, roster

    _may("lease.set", hospital)
    if roster().hospitals():
        roster().hospital(hospital)
    lease = Lease(hospital=hospital, cores=cores, memory_mb=memory, gpus=gpus, hours=hours_of(hours))
    _warn_of_too_much(_lease_file().set(lease).leases)
    note("lease.set", hospital, cores=cores, memory_mb=memory, gpus=gpus, hours=hours)
    click.echo(f"{hospital}: {cores} cores, {hours}")


@leases.command()
@click.argument("hospital")
@click.option("--hours", default="always", show_default=True, help="Only in these.")
def remove(hospital: str, hours: str) -> None:
    """Take a hospital's leases away."""
    from consilium.alliance.compute.lease_hours import hours_of
    from consilium.cli.identity import note

    _may("lease.set", hospital)
    _lease_file().remove(hospital, hours_of(hours))
    note("lease.remove", hospital, hours=hours)
    click.echo(f"{hospital}: no lease, {hours}")


@click.command()
@click.option("--month", default="", metavar="YYYY-MM", help="Only this one; for --pdf.  [default: the newest]")
@click.option("--rates", "rates_path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Prices.  [default: compute/rates.json in CONSILIUM_HOME]")  # fmt: skip
@click.option("--csv", "as_csv", is_flag=True, help="As a table for other programs.")
@click.option(
    "--pdf", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the bill of a month."
)
@click.option("--total", metavar="SUM", help="A bill for all, shared in proportion; for --pdf.")
@click.option("--zone", default="", metavar="ZONE", help="Whose months.  [default: of the leases]")
@language_option
def cost(
    month: str, rates_path: Path | None, as_csv: bool, pdf: Path | None, total: str | None, zone: str,
    lang: Literal["zh", "en"],
) -> None:  # fmt: skip
    """Tell what each hospital used and owes, by month."""
    from consilium.alliance.compute.billing import shares
    from consilium.alliance.compute.billing_report import COLUMNS, bill_csv, bill_pdf
    from consilium.alliance.compute.lease_file import zone_named
    from consilium.alliance.compute.rates import read_rates
    from consilium.alliance.permissions import allowed
    from consilium.cli.identity import who

    person = who()
    rates = read_rates(rates_path or _folder() / "rates.json")
    clock = zone_named(zone or _lease_file().agreed().zone)
    used = [
        one for one in shares(_engine().jobs(), rates, zone=clock) if allowed(person, "cost.see", of=one.hospital)
    ]  # fmt: skip
    newest = max((one.month for one in used), default="")
    if pdf is not None:
        content = bill_pdf(
            used, rates, month=month or newest, lang=lang, chinese=_chinese(), total=_sum(total, rates.digits)
        )
        _write(pdf, content)
        click.echo(f"written: {pdf}")
        return
    used = [one for one in used if month in ("", one.month)]
    text = bill_csv(used, rates)
    if as_csv:
        click.echo(text, nl=False)
    elif not used:
        click.echo("nothing was used yet", err=True)
    else:
        _print([[name.replace("_", " ") for name in COLUMNS], *(line.split(",") for line in text.splitlines()[1:])])


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def health(as_json: bool) -> ExitCode:
    """Tell what is wrong; the exit status is 1 if something needs somebody now."""
    _may("health.see")
    found = _look(_engine()).alarms
    for one in found:
        if as_json:
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
        else:
            whose = f" ({one.hospital})" if one.hospital and one.hospital != one.where else ""
            click.echo(f"{one.severity}: {one.where}{whose}: {one.what}. {one.way_out}")
    if not found:
        click.echo("all is well", err=True)
    return ExitCode.NOT_VALID if any(one.severity == "critical" for one in found) else ExitCode.DONE


@click.command()
@click.option("--serve", "port", type=click.IntRange(0, 65535), metavar="PORT", help="On 127.0.0.1, until interrupted.")
def metrics(port: int | None) -> ExitCode:
    """Print figures for Prometheus, or serve them to it on this machine."""
    import threading

    from consilium.alliance.compute.metrics import exposition, serve

    _may("health.see")
    engine = _engine()
    if port is None:
        click.echo(exposition(_look(engine)), nl=False)
        return ExitCode.DONE
    opened, end = serve(lambda: _look(engine), port)
    click.echo(f"http://127.0.0.1:{opened}/metrics", err=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        end()
    return ExitCode.DONE


def _look(engine: Engine) -> Seen:
    from consilium.alliance.compute.look import look

    return look(engine, _folder() / "quotas.json")


def _tell_how_it_would_have_done(
    need: Need, capacity: int, risk: float, levels: int, owned: dict[str, int]
) -> None:  # fmt: skip
    from consilium.alliance.compute.lease_backtest import judged, plan_levels, simple_ways
    from consilium.alliance.compute.lease_plan import propose
    from consilium.errors import InputError

    weeks = len(need.weeks)
    if weeks < _JUDGED_FROM:
        click.echo(f"{weeks} weeks are too few to hold some back and see how such a plan would have done.")
        return
    cut = weeks - max(weeks // _HELD_BACK, 1)
    first, later = need.between(0, cut), need.between(cut, None)
    try:
        earlier = propose(first, capacity=capacity, risk=risk, owned=owned, levels=levels, draws=0)
        ways = {"such a plan": plan_levels(earlier, later), **simple_ways(first)}
        told = {name: judged(cores, later) for name, cores in ways.items()}
    except InputError:
        click.echo("No hospital was there long enough to hold weeks back and see how such a plan would have done.")
        return
    click.echo(f"Made from the first {cut} weeks and judged on the last {weeks - cut}, short in so many of all hours:")
    _print([
        ("", "SHORT", "95 % INTERVAL", "CORES ON AVERAGE"),
        *(
            (name, f"{one.shortage:.1%}", f"{one.low:.1%} to {one.high:.1%}", f"{one.cores:.0f}")
            for name, one in told.items()
        ),
    ])  # fmt: skip


def _write_plan(found: LeasePlan, out: Path, lang: Literal["zh", "en"]) -> None:
    from consilium.alliance.compute.lease_report import drawings, lease_pdf

    chinese = _chinese()
    files: dict[str, bytes] = {"plan.json": (json.dumps(found.as_document(), indent=1) + "\n").encode()}
    for number, svg in enumerate(drawings(found, lang=lang, chinese=chinese), 1):
        files[f"plan-{number}.svg"] = svg.encode()
    files["plan.pdf"] = lease_pdf(found, lang=lang, chinese=chinese)
    for name, content in files.items():
        _write(out / name, content)
    click.echo(f"written: {', '.join(files)} in {out}")


def _risk(risk: float | None, lease: float | None, shortage: float | None, salvage: float) -> float:
    from consilium.alliance.compute.lease_plan import risk_of

    if lease is None and shortage is None:
        return 0.05 if risk is None else risk
    if risk is not None or lease is None or shortage is None:
        raise click.UsageError("give either --risk, or --lease-price and --shortage-price")
    return risk_of(lease=lease, shortage=shortage, salvage=salvage)


def _warn_of_too_much(agreed: tuple[Lease, ...]) -> None:
    import numpy as np

    hours = np.zeros(168, np.int64)
    for one in agreed:
        hours[list(one.hours)] += one.cores
    there = _engine().capacity().cores
    if hours.max() > there:
        click.echo(f"all leases together are {hours.max()} cores in some hours, and there are {there}", err=True)


def _sum(text: str | None, digits: int) -> Decimal | None:
    from decimal import Decimal, InvalidOperation

    if text is None:
        return None
    try:
        told = Decimal(text)
        if told.is_finite() and told >= 0:
            return told.quantize(Decimal(1).scaleb(-digits))
    except InvalidOperation:
        pass
    raise click.BadParameter(f"{text!r} is no sum of money", param_hint="--total")


def _print(rows: Any) -> None:
    told = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in told) for column in range(len(told[0]))]
    for row in told:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    from consilium.errors import OutputError

    half = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(content)
        half.replace(path)
    except OSError as problem:
        half.unlink(missing_ok=True)
        raise OutputError(
            f"it cannot be written ({problem.strerror})", where=str(path), way_out="Choose another place."
        ) from problem


def _chinese() -> Path | None:
    from consilium.typesetting.fonts import find_chinese_font, usual_font_folders

    return find_chinese_font(usual_font_folders())


def _may(act: Act, hospital: str = "") -> None:
    from consilium.alliance.permissions import require
    from consilium.cli.identity import who

    require(who(), act, of=hospital)


def _lease_file() -> LeaseFile:
    from consilium.alliance.compute.lease_file import NAME, LeaseFile

    return LeaseFile(_folder() / NAME)


def _folder() -> Path:
    from consilium.settings import home_folder

    return home_folder() / "compute"


def _engine() -> Engine:
    """The engine of the other verbs of `consilium compute`."""
    from consilium.cli import compute as jobs

    make: Callable[[], Engine] = jobs._engine
    return make()
