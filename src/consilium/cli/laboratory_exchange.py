"""`consilium laboratory order|result|listen|send|messages|partners|pacs`: orders in, signed reports out, archives."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.identity import caller
from consilium.errors import InputError, OutputError

if TYPE_CHECKING:
    from consilium.laboratory.analysis.files import Files
    from consilium.laboratory.laboratory import Laboratory

_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_archive = click.option("--archive", required=True, metavar="NAME", help="As settled: consilium laboratory partners.")
_revision = click.option("--revision", type=click.IntRange(min=1), help="[default: the newest]")


def add_to(group: click.Group) -> None:
    """Add the verbs of the exchange to those of the laboratory."""
    for one in (order, result, listen, send, messages, partners, pacs):
        group.add_command(one)


@click.command()
@click.argument("path", metavar="FILE", type=_file)
@click.pass_context
def order(context: click.Context, path: Path) -> None:
    """Take in an order: a message of HL7 v2, or a Bundle of FHIR R4B as JSON."""
    from consilium.laboratory.exchange.fhir import inbox as fhir
    from consilium.laboratory.exchange.hl7v2 import inbox as hl7v2

    data, peer = path.read_bytes(), f"file {path.name}"[:255]
    with _opened() as records:
        if data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{":
            answer = fhir.receive(records, caller(), data, peer=peer)
            taken, right = answer.taken, answer.status == 200
            why = "" if right else answer.document["issue"][0]["diagnostics"]
        else:
            reply = hl7v2.receive(records, caller(), data, peer=peer)
            taken, right, why = reply.taken, reply.answer == "AA", f"{reply.answer} {reply.why}"
    for one in taken:
        click.echo("\t".join((one.case, one.what, *one.labels)))
    if not right:
        click.echo(f"refused: {why}", err=True)
        context.exit(ExitCode.UNUSABLE_INPUT)


@click.command()
@click.argument("case", metavar="CASE")
@click.option("--hl7", "form", flag_value="hl7", default="hl7", help="A message ORU^R01.  [default]")
@click.option("--fhir", "form", flag_value="fhir", help="A Bundle of FHIR R4B.")
@click.option("--sr", "form", flag_value="sr", help="DICOM: a structured report, and karyograms as secondary captures.")
@click.option("--to", "receiver", metavar="NAME", help="HL7: have it sent to a receiver that is settled.")
@click.option("--out", type=click.Path(path_type=Path), help="A file; of DICOM a folder.  [default: printed]")
@click.option("--identity", is_flag=True, help="With who the patient is. A receiver that is settled has its own rule.")
@click.option("--pdf", default="", type=click.Choice(("", "en", "zh")), help="With the report as PDF.")
@_revision
def result(
    case: str, form: str, receiver: str | None, out: Path | None, identity: bool, pdf: str, revision: int | None
) -> None:
    """Have a signed report sent, or write it as another system reads it."""
    if receiver is not None:
        if form != "hl7" or out is not None or identity or pdf:
            raise click.UsageError("With --to there is nothing else to say but --hl7 and --revision.")
        _queue(case, receiver, revision)
        return
    if form == "sr" and out is None:
        raise click.UsageError("Say with --out into which folder.")
    made = _written(case, form, identity, pdf, revision)
    if out is None:
        click.echo(next(iter(made.values())).decode("utf-8").replace("\r", "\n").rstrip("\n"))
        return
    try:
        if form == "sr":
            out.mkdir(parents=True, exist_ok=True)
        for name, data in made.items():
            (out / name if form == "sr" else out).write_bytes(data)
    except OSError as problem:
        raise OutputError(f"it cannot be written ({problem.strerror})", where=str(out)) from problem
    click.echo(f"written: {out}")


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen; anything else opens it to others."
)
@click.option("--port", default=2575, show_default=True, type=click.IntRange(0, 65535))
def listen(host: str, port: int) -> None:
    """Take orders by HL7 v2 over MLLP, and send results that wait, until it is ended.

    Whoever reaches the port can order: there is no login in this protocol.
    """
    import asyncio

    from consilium.laboratory.exchange.hl7v2.listen import listen as run

    with _opened() as records:
        asyncio.run(run(records, caller(), host=host, port=port, tell=click.echo))


@click.command()
@click.option("--to", "receiver", metavar="NAME", help="Only to this receiver.")
@click.option("--again", type=int, metavar="MESSAGE", help="First have this message sent once more.")
@click.pass_context
def send(context: click.Context, receiver: str | None, again: int | None) -> None:
    """Try all messages that wait, once each."""
    from consilium.laboratory.exchange.hl7v2.outbox import send_waiting
    from consilium.laboratory.exchange.messages import send_again

    with _opened() as records:
        if again is not None:
            with records.changing(caller()) as change:
                send_again(change, again)
        tried = send_waiting(records, caller(), only=receiver)
    for one in tried:
        click.echo("\t".join((str(one.message), one.peer, one.state, one.told)))
    if any(one.state != "sent" for one in tried):
        context.exit(ExitCode.PARTLY_DONE)


@click.command()
@click.option("--case", metavar="CASE", help="Only about this case.")
@click.option("--state", type=click.Choice(("taken", "waiting", "sending", "sent", "refused")))
@click.option("--body", type=int, metavar="MESSAGE", help="Print one to the byte; it may tell who a patient is.")
def messages(case: str | None, state: Any, body: int | None) -> None:
    """List messages, newest first, and what became of each."""
    from consilium.laboratory.exchange.messages import body_of, listed
    from consilium.laboratory.found import case_called

    if body is not None:
        with _opened() as records, records.changing(caller()) as change:
            data = body_of(change, body)
        sys.stdout.buffer.write(data)
        return
    with _opened() as records, records.looking(caller()) as look:
        found = None if case is None else case_called(look.session, case).id
        for one in listed(look, case_id=found, state=state):
            step = one.steps[-1]
            told = (str(one.id), one.at, one.direction, one.protocol, one.kind, one.peer, one.case or "-", one.state)
            click.echo("\t".join((*told, step.told)))


@click.command()
@click.option(
    "--set", "path", type=_file, metavar="FILE", help="Settle it anew, as JSON; what is not in it is default."
)
@click.option("--reason", default="", help="Why; stands in its history.")
def partners(path: Path | None, reason: str) -> None:
    """Print with whom the laboratory exchanges, and what their codes mean here."""
    from consilium.laboratory.exchange.partners import from_json, partners_in, settle, to_json

    with _opened() as records:
        if path is None:
            with records.looking(caller()) as look:
                look.require("record.see")
                click.echo(json.dumps(json.loads(to_json(partners_in(look))), ensure_ascii=False, indent=1))
            return
        try:
            told = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as problem:
            raise InputError("the settings are no text in UTF-8", where=str(path)) from problem
        with records.changing(caller()) as change:
            settle(change, from_json(told), reason=reason)
    click.echo("settled")


@click.group()
def pacs() -> None:
    """Pictures from an archive (PACS), signed reports to one."""


@pacs.command()
@_archive
def echo(archive: str) -> None:
    """See whether an archive answers."""
    from consilium.laboratory.exchange.dicom.archive import spoken
    from consilium.laboratory.exchange.dicom.case import archive_called

    with _opened() as records:
        spoken(archive_called(records, caller(), archive)).echo()
    click.echo(f"{archive} answers")


@pacs.command()
@_archive
@click.option("--patient", default="", metavar="NUMBER")
@click.option("--accession", default="", metavar="NUMBER")
@click.option("--study", default="", metavar="UID")
@click.option("--day", default="", metavar="YYYYMMDD[-YYYYMMDD]")
def find(archive: str, **told: str) -> None:
    """List studies that an archive has: UID, patient, accession number, day, modalities, pictures, description."""
    from consilium.laboratory.exchange.dicom.archive import Wanted
    from consilium.laboratory.exchange.dicom.case import find as look_for

    with _opened() as records:
        for one in look_for(records, caller(), archive, Wanted(**told)):
            parts = (one.uid, one.patient, one.accession, one.day, one.modalities, str(one.instances), one.description)
            click.echo("\t".join(parts))


@pacs.command()
@_archive
@click.argument("case", metavar="CASE")
@click.option("--study", required=True, metavar="UID", help="As `find` lists them.")
def fetch(archive: str, case: str, study: str) -> None:
    """Take the pictures of a study into a case: all of them or none. What broke off goes on when called again."""
    from consilium.laboratory.exchange.dicom.case import fetch_for
    from consilium.settings import home_folder

    with _opened() as records:
        came, new = fetch_for(
            records, caller(), _files(), archive, case=case, study=study,
            scratch=home_folder() / "laboratory" / "fetched",
        )  # fmt: skip
    left = f", {came.left_out} that are no pictures left out" if came.left_out else ""
    click.echo(f"{case}: {new} pictures taken in, {len(came.files) - new} were there{left}")


@pacs.command()
@_archive
@click.argument("case", metavar="CASE")
@_revision
def store(archive: str, case: str, revision: int | None) -> None:
    """Store a signed report: its karyograms and a structured report. Storing it again stores the same objects."""
    from consilium.laboratory.exchange.dicom.case import store_report

    with _opened() as records:
        made = store_report(records, caller(), _files(), archive, case=case, revision=revision)
    click.echo(f"{case}: {len(made)} objects stored in {archive}")


def _queue(case: str, receiver: str, revision: int | None) -> None:
    from consilium.laboratory.exchange.outgoing import outgoing
    from consilium.laboratory.exchange.partners import partners_in
    from consilium.laboratory.exchange.send import queue_result
    from consilium.laboratory.found import case_called

    with _opened() as records, records.changing(caller()) as change:
        row, told = case_called(change.session, case), partners_in(change).receiver(receiver)
        report = outgoing(change, _files(), row, revision=revision, identity=told.identity, pdf=told.pdf)
        message = queue_result(change, row, report, receiver)
    click.echo(f"message {message.id} waits for {receiver}; `consilium laboratory send` or `listen` sends it")


def _written(case: str, form: str, identity: bool, pdf: str, revision: int | None) -> dict[str, bytes]:
    from consilium.database.database import now
    from consilium.laboratory.exchange.outgoing import outgoing
    from consilium.laboratory.exchange.partners import Receiver, partners_in
    from consilium.laboratory.found import case_called

    with _opened() as records, (records.changing if identity else records.looking)(caller()) as change:
        row, settled = case_called(change.session, case), partners_in(change)
        report = outgoing(
            change, _files(), row, revision=revision, identity=identity, pdf="" if form == "sr" else pdf,
            pictures=form == "sr",
        )  # fmt: skip
    if form == "hl7":
        from consilium.laboratory.exchange.hl7v2.result import result as message

        receiver = Receiver(host="localhost", port=2575)
        return {"result.hl7": message(report, receiver, name="file", partners=settled, at=now())}
    if form == "fhir":
        from consilium.laboratory.exchange.fhir.report import report_bundle

        return {"result.json": json.dumps(report_bundle(report, settled), ensure_ascii=False, indent=1).encode()}
    from consilium.laboratory.exchange.dicom.objects import as_files

    return as_files(report)


def _files() -> Files:
    from consilium.laboratory.analysis.files import Files
    from consilium.settings import home_folder

    return Files(home_folder() / "laboratory" / "files")


@contextmanager
def _opened() -> Iterator[Laboratory]:
    from consilium.laboratory.laboratory import Laboratory
    from consilium.settings import LABORATORY_VARIABLE, home_folder

    url = os.environ.get(LABORATORY_VARIABLE, "").strip()
    records = Laboratory(url or f"sqlite:///{home_folder() / 'laboratory' / 'records.db'}")
    try:
        yield records
    finally:
        records.close()
