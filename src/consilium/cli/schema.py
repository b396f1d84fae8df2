"""`consilium schema`: the published JSON schema of case.json."""

from __future__ import annotations

from importlib.resources import files

import click

from consilium.errors import OutputError


@click.command()
def schema() -> None:
    """Print the JSON schema of case.json."""
    # The file is read by its place: importing the room would import the whole pipeline for nothing.
    resource = files("consilium") / "karyotype" / "case.schema.json"
    try:
        text = resource.read_text(encoding="utf-8")
    except OSError as problem:
        raise OutputError(
            "the schema is missing from this installation",
            where=str(resource),
            way_out="Install consilium again.",
        ) from problem
    click.echo(text.rstrip("\n"))
