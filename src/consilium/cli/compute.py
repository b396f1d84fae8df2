"""`consilium compute`: run verbs and other commands as jobs, see them, end them, see what they used."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from consilium.cli.compute_planning import add_to
from consilium.cli.exit_codes import ExitCode
from consilium.cli.identity import note, who

if TYPE_CHECKING:
    from consilium.alliance.compute.folder_engine import FolderEngine
    from consilium.alliance.compute.job import Job, Request
    from consilium.alliance.compute.permitted import PermittedEngine

_URGENCIES = ("emergency", "clinical", "research", "idle")
_number = click.argument("number", metavar="JOB", type=click.IntRange(min=1))


@click.group()
def compute() -> None:
    """Run commands as jobs: now if there is room, else as soon as there is.

    Jobs outlive the call that submitted them, wait for room by urgency, and start again where their machine was lost.
    """


@compute.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED)
@click.option("--wait", is_flag=True, help="Show what it writes and end with its exit status.")
@click.option("--name", default="", help="What to call it.")
@click.option("--hospital", help="On whose account.  [default: that of whoever calls]")
@click.option("--cores", type=click.IntRange(min=1), default=1, show_default=True, help="Processor cores.")
@click.option("--memory", type=click.IntRange(min=1), default=1024, show_default=True, metavar="MB", help="Memory.")
@click.option("--gpus", type=click.IntRange(min=0), default=0, show_default=True, help="Graphics cards.")
@click.option("--urgency", type=click.Choice(_URGENCIES), default="research", show_default=True, help="Who waits.")
@click.option("--deadline", default="", metavar="TIME", help="Until when, e.g. 2026-11-30T18:00+08:00; told only.")
@click.option("--each", type=click.File(encoding="utf-8"), metavar="FILE",
              help="A job for each line, which takes the place of {} in COMMAND; - for standard input.")  # fmt: skip
def submit(
    command: tuple[str, ...], wait: bool, name: str, hospital: str | None, cores: int, memory: int, gpus: int,
    urgency: str, deadline: str, each: IO[str] | None,
) -> int | None:  # fmt: skip
    """Take a command as a job and print its number.

    COMMAND is run where the call was made, as it is, without a shell; `consilium` is this installation.
    """
    from consilium.alliance.compute.job import Request, request_of
    from consilium.alliance.compute.storage_quota import refuse_without_room
    from consilium.settings import home_folder

    words = [*_this_installation(command[0]), *command[1:]]
    person = who()
    account = hospital or person.hospital
    bare = Request(command=tuple(words), folder=str(Path.cwd()), hospital=account, person=person.name)
    request = request_of(
        bare.as_document()
        | {"name": name, "cores": cores, "memory_mb": memory, "gpus": gpus, "urgency": urgency, "deadline": deadline}
    )
    refuse_without_room(account, home_folder() / "compute" / "quotas.json")
    engine = _permitted()
    numbers = []
    for one in [request] if each is None else _for_each(request, each.read().splitlines()):
        job = engine.submit(one)
        _note("job.submit", job)
        numbers.append(job.number)
        if not wait:
            click.echo(job.number)
    return max(_waited(engine, number) for number in numbers) if wait else None


def _for_each(request: Request, lines: Iterable[str]) -> list[Request]:
    """The request once for each line that is not empty."""
    from dataclasses import replace

    from consilium.errors import InputError

    given = [line.strip() for line in lines if line.strip()]
    if not given:
        raise InputError("there is no line to make a job of", way_out="Give a file with one input a line to --each.")
    if not any("{}" in word for word in request.command):
        raise InputError("the command has no place for the line", way_out="Write {} where each line belongs.")
    return [
        replace(request, command=tuple(word.replace("{}", line) for word in request.command), name=request.name or line)
        for line in given
    ]


@compute.command()
@_number
def wait(number: int) -> int:
    """Show what a job writes until it is over, and end with its exit status."""
    return _waited(_permitted(), number)


@compute.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are over too.")
@click.option("--hospital", help="Only those of one account.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(every: bool, hospital: str | None, as_json: bool) -> None:
    """List jobs that wait or run."""
    found = _permitted().jobs(hospital=hospital, live=not every)
    if as_json:
        for one in found:
            click.echo(json.dumps(one.as_document(), ensure_ascii=False))
        return
    if not found:
        click.echo("no jobs" if every else "no jobs wait or run", err=True)
        return
    rows = [("JOB", "STATE", "URGENCY", "HOSPITAL", "CORES", "SUBMITTED", "WHAT")]
    rows += [
        (
            str(one.number), one.state + (" (late)" if one.late else ""), one.request.urgency, one.request.hospital,
            str(one.request.cores), _clock(one.submitted), one.request.name or " ".join(one.request.command)[:60],
        )
        for one in found
    ]  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@compute.command()
@_number
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def state(number: int, as_json: bool) -> None:
    """Tell how far a job is."""
    job = _permitted().job(number)
    if as_json:
        click.echo(json.dumps(job.as_document(), ensure_ascii=False))
        return
    click.echo(f"job {job.number}: {job.state}" + (f" ({job.reason})" if job.reason else ""))
    for what, when in (("submitted", job.submitted), ("started", job.started), ("ended", job.ended)):
        if when is not None:
            click.echo(
                f"{what}: {_clock(when)}" + (f", try {job.tries}" if what == "started" and job.tries > 1 else "")
            )
    if job.late:
        click.echo(f"late: its deadline was {job.request.deadline}")


@compute.command()
@_number
@click.option("--follow", "-f", is_flag=True, help="Go on until it is over.")
def logs(number: int, follow: bool) -> None:
    """Print what a job wrote."""
    for piece in _permitted().output(number, follow=follow):
        click.echo(piece, nl=False)


@compute.command()
@click.argument("numbers", nargs=-1, required=True, metavar="JOB...", type=click.IntRange(min=1))
def cancel(numbers: tuple[int, ...]) -> None:
    """End jobs; what has not started never does. A verb of consilium leaves no half-written result."""
    engine = _permitted()
    for number in numbers:
        before = engine.job(number)
        job = engine.cancel(number)
        if before.ended is not None:
            click.echo(f"job {number} is over already ({before.state})")
            continue
        _note("job.cancel", job)
        click.echo(f"job {number} is being cancelled")


@compute.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def capacity(as_json: bool) -> None:
    """Tell what there is, of all hospitals together, and what is taken."""
    from dataclasses import asdict

    found = _permitted().capacity()
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo(f"cores {found.cores_held} of {found.cores}, memory {found.memory_held_mb} of {found.memory_mb} MB")
    click.echo(f"{found.running} jobs run, {found.waiting} wait")


@compute.command()
@click.option("--csv", "as_csv", is_flag=True, help="As a table for other programs.")
def usage(as_csv: bool) -> None:
    """Tell what each hospital used, by month."""
    from consilium.alliance.compute.usage import USAGE_COLUMNS, usage_csv, usage_table

    rows = _permitted().usage()
    if as_csv:
        click.echo(usage_csv(rows), nl=False)
    if not rows:
        click.echo("nothing was used yet", err=True)
    for row in [USAGE_COLUMNS, *usage_table(rows)] if rows and not as_csv else []:
        click.echo("  ".join(cell.ljust(12) for cell in row).rstrip())


@compute.command()
def stop() -> None:
    """End the process behind the jobs.

    What runs on this machine ends and starts again with the next call; what runs on a cluster goes on.
    """
    from consilium.alliance.permissions import require

    person = who()
    require(person, "alliance.run", of=person.hospital)
    click.echo("stopped" if _engine().stop() else "nothing ran")


add_to(compute)


def _engine() -> FolderEngine:
    """The engine itself, for what looks at all hospitals together."""
    from consilium.alliance.compute.engines import engine_in
    from consilium.settings import home_folder

    return engine_in(home_folder())


def _permitted() -> PermittedEngine:
    """The engine as whoever calls may use it."""
    from consilium.alliance.compute.permitted import PermittedEngine

    return PermittedEngine(_engine(), who())


def _waited(engine: PermittedEngine, number: int) -> int:
    """Show the output of a job; its exit status."""
    job = engine.job(number)
    if job.state == "waiting":
        before = sum(one.state == "waiting" and one.number < number for one in engine.jobs(live=True))
        click.echo(f"job {number} waits; {before} before it", err=True)
    try:
        for piece in engine.output(number, follow=True):
            click.echo(piece, nl=False)
    except KeyboardInterrupt:
        click.echo(f"\njob {number} goes on; to end it: consilium compute cancel {number}", err=True)
        return int(ExitCode.INTERRUPTED)
    job = engine.job(number)
    if job.state != "done":
        click.echo(f"job {number} {job.state}: {job.reason}", err=True)
    if job.exit_status is not None:
        return job.exit_status
    return int(ExitCode.DONE if job.state == "done" else ExitCode.INTERRUPTED)


def _this_installation(program: str) -> list[str]:
    return [sys.executable, "-m", "consilium"] if program == "consilium" else [program]


def _note(what: str, job: Job) -> None:
    asked = job.request
    note(what, f"job {job.number}", hospital=asked.hospital, urgency=asked.urgency, cores=asked.cores)


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
