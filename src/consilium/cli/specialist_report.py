"""`consilium specialist report`: what can honestly be said about a model, as HTML, PDF and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.language import language_option


@click.command("report")
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path, exists=True, file_okay=False))
@language_option
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Folder of the report.  [default: MODEL-report]"
)
@click.option(
    "--images",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where the names of the cases lead to pictures, for the galleries.  [default: the current folder]",
)
@click.option("--pdf/--no-pdf", default=True, help="Whether report.pdf is written.  [default: --pdf]")
def report(model: Path, lang: Literal["zh", "en"], out: Path | None, images: Path | None, pdf: bool) -> ExitCode:
    """Write the report of MODEL, the folder that `consilium specialist fit` made.

    It says first how good the model is, how sure that is, and what it may not be used for. It is written only if every
    mandatory item can be told. Which cases they were, `fit` has written into MODEL-report, not into MODEL, which may be
    handed on.
    """
    from consilium.specialist.report.of_model import write_report_of

    files = write_report_of(
        model, lang, out=out, images=[images] if images else (), pdf=pdf,
        on_note=lambda note: click.echo(f"consilium: note: {note}", err=True),
    )  # fmt: skip
    for file in files:
        click.echo(str(file))
    return ExitCode.DONE
