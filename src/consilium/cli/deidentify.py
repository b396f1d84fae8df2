"""`consilium deidentify`: images in, images without names out, and a report of what was done."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.language import language_option

if TYPE_CHECKING:
    from consilium.imaging.deidentify.policy import Box
    from consilium.imaging.deidentify.report import Outcome
    from consilium.imaging.deidentify.site_key import SiteKey


def _box(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Box, ...]:
    boxes = []
    for value in values:
        parts = value.split(",")
        if len(parts) != 4 or not all(part.strip().isdecimal() and len(part.strip()) < 7 for part in parts):
            raise click.BadParameter(f"'{value}' is not x0,y0,x1,y1 in whole pixels")
        x0, y0, x1, y1 = (int(part) for part in parts)
        if x0 >= x1 or y0 >= y1:
            raise click.BadParameter(f"'{value}' is empty: x1 and y1 are the first pixels outside")
        boxes.append((x0, y0, x1, y1))
    return tuple(boxes)


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(path_type=Path))
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Folder for the result.")
@click.option(
    "--key",
    "key_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The site's secret key; made when it is missing.  [default: deidentify.key in CONSILIUM_HOME]",
)
@click.option(
    "--profile", type=click.Choice(("basic",)), default="basic", show_default=True, help="Of DICOM PS3.15 Annex E."
)
@click.option(
    "--retain",
    "retained",
    multiple=True,
    metavar="WHAT",
    help="Keep more than the profile: dates (moved, intervals stay), device, patient (age, sex, size), descriptors "
    "(made of words of imaging alone). Several times for several.",
)
@click.option(
    "--mask", "masks", multiple=True, metavar="X0,Y0,X1,Y1", callback=_box, help="Blank this box in every picture."
)
@click.option(
    "--reviewed",
    is_flag=True,
    help="You have looked at every picture and found nothing written in it; this is told in the report.",
)
@click.option(
    "--faces",
    type=click.Choice(("flag", "refuse")),
    default="flag",
    show_default=True,
    help="What is done with photographs and with head scans, from which a face can be drawn.",
)
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path), help="Write what was done as JSON.")
@click.option("--dry-run", is_flag=True, help="Do all but write files.")
@language_option
def deidentify(
    inputs: tuple[Path, ...],
    out: Path,
    key_file: Path | None,
    profile: str,
    retained: tuple[str, ...],
    masks: tuple[Box, ...],
    reviewed: bool,
    faces: Literal["flag", "refuse"],
    report: Path | None,
    dry_run: bool,
    lang: Literal["zh", "en"],
) -> ExitCode:
    """Write copies of images that do not tell who the patient is.

    INPUT is files (DICOM, NIfTI, PNG, JPEG, TIFF, BMP, WebP) or folders of them. Whatever might still tell a name is
    refused with the reason, and is not written. The same patient gets the same pseudonym in every run with the same
    key; whoever has the key can link them, so keep it where only you can read it.
    """
    from consilium.imaging.deidentify.policy import Policy, chosen
    from consilium.imaging.deidentify.run import deidentify as run
    from consilium.imaging.deidentify.run import refuse_places, write_report
    from consilium.imaging.deidentify.site_key import usual_key_file
    from consilium.imaging.deidentify.sources import source_files

    policy = Policy(retain=chosen(retained), masks=masks, reviewed=reviewed, faces=faces)
    key_file = key_file or usual_key_file()
    refuse_places(inputs, out, key_file, report)
    paths = source_files(inputs)
    key = _key(key_file, dry_run=dry_run)
    with _progress(len(paths)) as show:
        done = run(
            paths, out, policy=policy, key=key, created=datetime.now().astimezone(), dry_run=dry_run, on_progress=show
        )
    if report is not None:
        write_report(done, report)
    click.echo(done.as_text(lang))
    if not done.refused:
        return ExitCode.DONE
    return ExitCode.PARTLY_DONE if done.written else ExitCode.UNUSABLE_INPUT


def _key(path: Path, *, dry_run: bool) -> SiteKey:
    from consilium.imaging.deidentify.site_key import create_key, passing_key, read_key

    if path.exists():
        return read_key(path)
    if dry_run:
        return passing_key()
    key = create_key(path)
    click.echo(
        f"consilium: note: a new site key was made: {path}. Keep a copy where only you can read it; without it a "
        "patient gets another pseudonym",
        err=True,
    )
    return key


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[Path, Outcome], None]]:
    """A bar on a terminal, lines for what was refused anywhere."""
    from consilium.imaging.deidentify.refusal import WORDING

    def line(path: Path, outcome: Outcome) -> str:
        what, way_out = WORDING[outcome.reason]["en"] if outcome.reason is not None else ("", "")
        return f"{path}: refused: {what}. {way_out}"

    if not sys.stderr.isatty():

        def tell(path: Path, outcome: Outcome) -> None:
            if outcome.reason is not None:
                click.echo(line(path, outcome), err=True)

        yield tell
        return
    # rich takes a tenth of a second to import, which lines do not need.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("De-identifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def show(path: Path, outcome: Outcome) -> None:
            bar.advance(task)
            if outcome.reason is not None:
                bar.console.print(escape(line(path, outcome)), style="yellow", highlight=False)

        yield show
