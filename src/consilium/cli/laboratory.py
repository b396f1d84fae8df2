"""`consilium laboratory`: the records of a laboratory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.identity import caller
from consilium.cli.laboratory_account import account
from consilium.cli.laboratory_backup import backup, restore
from consilium.cli.laboratory_exchange import add_to
from consilium.errors import InputError

if TYPE_CHECKING:
    from consilium.laboratory.journal import Change
    from consilium.laboratory.laboratory import Laboratory
    from consilium.laboratory.tables import Thing

_ROLES = ("technologist", "reviewer", "director", "administrator")
_STATES = ("in culture", "harvested", "analysed", "reviewed", "signed", "reopened", "amended")
_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_seen = click.option("--seen", type=click.IntRange(min=1), metavar="VERSION", help="Refuse if it was changed since.")
_why = click.option("--reason", default="", help="Why; stands in its history.")


@click.group()
def laboratory() -> None:
    """Keep a laboratory's records: specimens, what is made of them, where they are, cases, consents.

    They are in CONSILIUM_HOME, or in the database whose URL CONSILIUM_LABORATORY gives. Nothing is deleted, and every
    change has a history.
    """


@laboratory.command()
@click.argument("name", required=False)
@click.option("--zone", default="UTC", show_default=True, help="Time zone, as Asia/Shanghai.")
@click.option("--profile", type=_file, metavar="FILE", help="All settings as JSON, instead of NAME and --zone.")
@click.option("--role", "roles", multiple=True, type=click.Choice(_ROLES), help="Of whoever calls.  [default: all]")
def init(name: str | None, zone: str, profile: Path | None, roles: tuple[Any, ...]) -> None:
    """Found a laboratory called NAME; whoever calls is its first person."""
    from consilium.laboratory.profile import Profile, from_json

    if (name is None) == (profile is None):
        raise click.UsageError("Say either NAME or --profile FILE.")
    made = Profile(name=name or "", zone=zone) if profile is None else from_json(profile.read_text(encoding="utf-8"))
    with _opened() as records:
        records.begin(caller(), made, roles or _ROLES)
        click.echo(f"founded: {made.name}, times in {made.zone}")


@laboratory.command()
@click.option(
    "--set", "path", type=_file, metavar="FILE", help="Settle it anew, as JSON; what is not in it is default."
)
@_why
def profile(path: Path | None, reason: str) -> None:
    """Print what the laboratory settled: zone, numbers, working days, second reader, how long specimens are kept."""
    from consilium.laboratory.laboratory import change_profile
    from consilium.laboratory.profile import from_json, to_json

    if path is None:
        with _looking() as look:
            click.echo(to_json(look.profile))
        return
    with _changing() as change:
        change_profile(change, from_json(path.read_text(encoding="utf-8")), reason=reason)
    click.echo("settled; days that were computed stay as they are")


@laboratory.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, type=click.Choice(_ROLES), help="None: may do nothing any more.")
def staff(name: str, roles: tuple[Any, ...]) -> None:
    """Let a person work here, or change what she may do."""
    from consilium.laboratory.laboratory import put_staff

    with _changing() as change:
        put_staff(change, name, roles)
    click.echo(f"{name}: {', '.join(roles) or 'no role'}")


@laboratory.command()
@click.argument("places", nargs=-1, required=True, metavar="FREEZER/BOX/POSITION...")
def place(places: tuple[str, ...]) -> None:
    """Record places where things can be kept."""
    from consilium.laboratory.storage import make_place

    with _changing() as change:
        for one in places:
            make_place(change, one)
    click.echo(f"recorded: {len(places)}")


@laboratory.command()
@click.option("--specimen", required=True, metavar="KIND", help="As in the guidelines, e.g. bone_marrow.")
@click.option("--case", default="", metavar="NUMBER", help="A further specimen of this case.")
@click.option("--patient", default="", metavar="NUMBER", help="A further case of this patient.")
@click.option("--identity", type=click.File(encoding="utf-8"), metavar="FILE",
              help="A new patient: JSON with name, birth_date, hospital_number, sex; - is the input.")  # fmt: skip
@click.option("--collected", default="", metavar="TIME", help="As 2026-03-01T08:30, the laboratory's time.")
@click.option("--received", default="", metavar="TIME", help="[default: now]")
@click.option("--condition", default="good", show_default=True, help="How it came.")
@click.option("--note", default="", help="On the specimen.")
@click.option("--indication", default="", help="Why it is asked for.")
@click.option("--referrer", default="", help="Who asks.")
@click.option("--urgency", default="routine", show_default=True, type=click.Choice(("routine", "urgent")))
@click.option("--order-number", default="", help="Of whoever asks; the same order is not recorded twice.")
def receive(case: str, patient: str, identity: Any, **told: str) -> None:
    """Record a specimen that came in, and its case.

    Who the patient is comes in a file, since a command line is seen by others on the machine.
    """
    from consilium.laboratory.found import case_called, patient_called
    from consilium.laboratory.reception import Order, open_case, receive_specimen, register

    if sum(map(bool, (case, patient, identity))) > 1:
        raise click.UsageError("Say one of --case, --patient and --identity.")
    order = Order(**told)
    with _changing() as change:
        if case:
            found = case_called(change.session, case)
        else:
            who = patient_called(change.session, patient) if patient else register(change, **_identity(identity))
            found = open_case(change, who, order)
        specimen = receive_specimen(change, found, order)
    due = "no day" if found.due is None else found.due
    click.echo(f"{specimen.label}\t{found.number}\t{found.patient.number}\tdue: {due} ({found.due_reason})")


@laboratory.command()
@click.argument("kind", type=click.Choice(("culture", "harvest", "slide")))
@click.argument("of", metavar="LABEL")
@click.option("--how", default="", help="Medium of a culture, method of a harvest, banding of a slide.")
@click.option("--note", default="")
@click.option("--at", default="", metavar="TIME", help="[default: now]")
def prepare(kind: str, of: str, how: str, note: str, at: str) -> None:
    """Record a culture, harvest or slide of what has LABEL; prints its own label."""
    from consilium.laboratory.preparation import harvest, make_slide, start_culture

    with _changing() as change:
        if kind == "culture":
            made = start_culture(change, of, medium=how, note=note, at=at).label
        elif kind == "harvest":
            made = harvest(change, of, method=how, note=note, at=at).label
        else:
            made = make_slide(change, of, banding=how or "GTG", note=note, at=at).label
    click.echo(made)


@laboratory.command()
@click.argument("patient", metavar="NUMBER")
@click.option(
    "--purpose", "purposes", multiple=True, required=True, help="As storage or research; several may be said."
)
@click.option("--given", required=True, metavar="DAY")
@click.option("--until", default="", metavar="DAY", help="[default: no end]")
@click.option("--document", default="", help="Where the signed paper is kept.")
def consent(patient: str, purposes: tuple[str, ...], given: str, until: str, document: str) -> None:
    """Record what a patient agreed to."""
    from consilium.laboratory.consent import record_consent
    from consilium.laboratory.found import patient_called

    with _changing() as change:
        who = patient_called(change.session, patient)
        made = record_consent(change, who, purposes, given=given, until=until, document=document)
    click.echo(f"{made.title}: {', '.join(made.purposes)}")


@laboratory.command("list")
@click.argument("what", type=click.Choice(("cases", "specimens", "places", "staff", "disposal")))
def list_(what: Any) -> None:
    """List records, those that were withdrawn too; `disposal`: specimens that are due for it, with why."""
    from consilium.laboratory.consent import due_for_disposal
    from consilium.laboratory.found import every

    with _looking() as look:
        look.require("record.see")
        if what == "disposal":
            for specimen, answer in due_for_disposal(look):
                click.echo(f"{specimen.label}\t{answer.reason}")
            return
        for row in every(look.session, what):
            gone = "\twithdrawn" if row.withdrawn else ""
            click.echo(f"{row.title}\t{_line(row)}{gone}")


@laboratory.command()
@click.argument("what", metavar="NUMBER|LABEL|PLACE")
@click.option("--identity", is_flag=True, help="Of a patient: with name, birth date and the hospital's number.")
def show(what: str, identity: bool) -> None:
    """Print a record as JSON: its entries, where it is, through whose hands it went, everything that was changed."""
    from dataclasses import asdict

    from consilium.laboratory.found import anything
    from consilium.laboratory.journal import history
    from consilium.laboratory.reception import identity_of
    from consilium.laboratory.storage import custody, place_of
    from consilium.laboratory.tables import Labelled, PatientRow

    with _looking() as look:
        look.require("history.see")
        thing = anything(look.session, what)
        told: dict[str, Any] = {"title": thing.title, "version": thing.version, "entries": _entries(thing)}
        if isinstance(thing, Labelled):
            where = place_of(look.session, thing.label)
            told["place"] = None if where is None else where.title
            told["custody"] = [_columns(one) for one in custody(look.session, thing)]
        if identity and isinstance(thing, PatientRow):
            told["identity"] = _columns(identity_of(look, thing))
        told["history"] = [
            {**asdict(one), "local": look.profile.local(one.at).isoformat(timespec="seconds")}
            for one in history(look.session, thing)
        ]
    click.echo(json.dumps(told, ensure_ascii=False, indent=1))


@laboratory.command()
@click.argument("what", metavar="NUMBER|LABEL")
@click.option("--state", type=click.Choice(_STATES), help="Bring a case there.")
@click.option("--place", "place_", metavar="FREEZER/BOX/POSITION", help="Put a thing there.")
@click.option("--out", is_flag=True, help="Take a thing out of its place.")
@click.option("--to", "receiver", metavar="PERSON", help="Hand a thing to somebody.")
@click.option("--assign", metavar="PERSON", help="Say who works on a case.")
@_why
@_seen
def move(
    what: str, state: Any, place_: str | None, out: bool, receiver: str | None, assign: str | None, reason: str,
    seen: int | None,
) -> None:  # fmt: skip
    """Bring a case on, or a thing to another place or person."""
    from consilium.laboratory import casework, storage
    from consilium.laboratory.found import case_called

    if sum(one is not None for one in (state, place_, receiver, assign)) + out != 1:
        raise click.UsageError("Say one of --state, --place, --out, --to and --assign.")
    with _changing() as change:
        if state is not None:
            casework.move(change, case_called(change.session, what), state, reason=reason, seen=seen)
        elif assign is not None:
            casework.assign(change, case_called(change.session, what), assign, seen=seen)
        elif place_ is not None:
            storage.put(change, what, place_)
        elif receiver is not None:
            storage.hand_over(change, what, receiver, note=reason)
        else:
            storage.take_out(change, what)
    click.echo(f"{what}: {state or place_ or receiver or assign or 'out of its place'}")


@laboratory.command()
@click.argument("what", metavar="NUMBER|LABEL|PLACE")
@click.option("--disposed", is_flag=True, help="A specimen that was due was disposed of.")
@_why
@_seen
def withdraw(what: str, disposed: bool, reason: str, seen: int | None) -> None:
    """Let a record count no longer, with a reason; it stays, and its history tells why."""
    from consilium.laboratory.casework import withdraw_case, withdraw_thing
    from consilium.laboratory.consent import dispose
    from consilium.laboratory.found import anything
    from consilium.laboratory.storage import withdraw_place
    from consilium.laboratory.tables import CaseRow, Labelled, PlaceRow, SpecimenRow

    with _changing() as change:
        thing = anything(change.session, what)
        if disposed and isinstance(thing, SpecimenRow):
            dispose(change, thing, reason=reason, seen=seen)
        elif disposed:
            raise InputError(f"{thing.title} is no specimen", way_out="Withdraw it without --disposed.")
        elif isinstance(thing, CaseRow):
            withdraw_case(change, thing, reason=reason, seen=seen)
        elif isinstance(thing, PlaceRow):
            withdraw_place(change, thing, reason=reason, seen=seen)
        elif isinstance(thing, Labelled):
            withdraw_thing(change, thing, reason=reason, seen=seen)
        else:
            raise InputError(f"{thing.title} is not withdrawn", way_out="Cases, things and places are.")
    click.echo(f"{thing.title}: {'disposed of' if disposed else 'withdrawn'}")


@laboratory.command("import")
@click.argument("table", type=_file)
@click.option("--encoding", default="", help="As gb18030.  [default: UTF-8, or what the file says]")
@click.pass_context
def import_(context: click.Context, table: Path, encoding: str) -> None:
    """Record the specimens of a CSV table, and say of every line that was refused why."""
    from consilium.laboratory.csv_import import import_table

    with _opened() as records:
        report = import_table(records, caller(), table.read_bytes(), encoding=encoding)
    for number, label in report.taken:
        click.echo(f"{number}\t{label}")
    for refused in report.refused:
        click.echo(f"line {refused.line}: {refused.why}", err=True)
    click.echo(f"recorded: {len(report.taken)}, refused: {len(report.refused)}", err=True)
    if report.refused:
        context.exit(ExitCode.PARTLY_DONE if report.taken else ExitCode.UNUSABLE_INPUT)


@laboratory.command()
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Where to.")
@click.option("--identity", is_flag=True, help="With names, birth dates and the hospital's numbers.")
def export(out: Path, identity: bool) -> None:
    """Write all specimens with their cases as CSV; no cell of it is a formula."""
    from consilium.laboratory.csv_export import export_table
    from consilium.laboratory.spreadsheet import keep

    with _looking() as look:
        text = export_table(look, with_identity=identity)
    keep(out, text)
    click.echo(f"written: {out}")


@laboratory.command()
@click.option("--for", "waits_for", type=click.Choice(_ROLES[:3]), help="Only what waits for this role.")
@click.option("--mine", is_flag=True, help="Only what is assigned to whoever calls.")
@click.option("--late", is_flag=True, help="Only what is late.")
@click.option("--within", type=click.IntRange(min=0), metavar="DAYS", help="Only what is due in so many working days.")
def worklist(waits_for: Any, mine: bool, late: bool, within: int | None) -> None:
    """Print the cases that wait, what is most urgent first."""
    from consilium.laboratory.worklist import worklist as waiting

    with _looking() as look:
        for one in waiting(look, waits_for=waits_for, assigned=caller() if mine else "", late=late, within=within):
            left = "no day" if one.days_left is None else f"{'LATE ' if one.late else ''}{one.days_left} working days"
            told = (one.number, one.specimen, one.state, one.urgency, str(one.due or "-"), left, one.waits_for or "-")
            click.echo("\t".join((*told, one.assigned or "-")))


add_to(laboratory)
for _verb in (account, backup, restore):
    laboratory.add_command(_verb)


@contextmanager
def _opened() -> Iterator[Laboratory]:
    import os

    from consilium.laboratory.laboratory import Laboratory
    from consilium.settings import LABORATORY_VARIABLE, home_folder

    url = os.environ.get(LABORATORY_VARIABLE, "").strip()
    records = Laboratory(url or f"sqlite:///{home_folder() / 'laboratory' / 'records.db'}")
    try:
        yield records
    finally:
        records.close()


@contextmanager
def _changing() -> Iterator[Change]:
    with _opened() as records, records.changing(caller()) as change:
        yield change


@contextmanager
def _looking() -> Iterator[Change]:
    with _opened() as records, records.looking(caller()) as look:
        yield look


def _identity(stream: Any) -> dict[str, str]:
    if stream is None:
        return {}
    try:
        told = json.load(stream)
    except (ValueError, RecursionError) as problem:
        raise InputError("the file of the identity is no JSON") from problem
    known = ("name", "birth_date", "hospital_number", "sex")
    if not isinstance(told, dict) or set(told) - set(known) or not all(isinstance(one, str) for one in told.values()):
        raise InputError("the identity has entries that are not known", way_out=f"Texts called {', '.join(known)}.")
    return told


def _line(row: Any) -> str:
    if hasattr(row, "state"):
        return f"{row.state}\t{row.specimen}\t{row.urgency}\tdue: {row.due or '-'}"
    if hasattr(row, "condition"):
        return f"{row.case.number}\t{row.kind}\t{row.condition}"
    return ", ".join(row.roles) if hasattr(row, "roles") else row.holds or "free"


def _entries(thing: Thing) -> dict[str, Any]:
    return {name: value for name, value in _columns(thing).items() if name not in ("id", "version")}


def _columns(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}
