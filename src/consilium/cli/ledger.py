"""`consilium ledger`: who did what, and whether anybody changed the record of it."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path

import click

from consilium.errors import InputError

_path = click.option(
    "--file", "path", type=click.Path(path_type=Path), help="The ledger.  [default: that of this installation]"
)


@click.group()
def ledger() -> None:
    """Read the record of who did what, and hold it against its own hashes."""


@ledger.command()
@_path
@click.option("--head", default="", metavar="DIGEST", help="A digest that was kept elsewhere; it must be in the chain.")
def verify(path: Path | None, head: str) -> None:
    """Go over the whole chain; prints the newest digest, to be kept elsewhere."""
    from consilium.alliance.ledger import verify as verified

    found = verified(_there(path), head=head)
    click.echo(f"{found.entries} entries, unbroken; newest {found.head}")
    if found.clock_went_back:
        click.echo(f"the clock went back before entries {', '.join(map(str, found.clock_went_back[:20]))}", err=True)
    if found.unfinished:
        click.echo(f"{found.unfinished} bytes of an unfinished line at the end: a crash, or being written", err=True)


@ledger.command()
@_path
@click.option("--last", type=click.IntRange(min=1), help="Only so many of the newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def show(path: Path | None, last: int | None, as_json: bool) -> None:
    """Print the entries, oldest first."""
    from dataclasses import asdict

    from consilium.alliance.ledger import entries

    for one in deque(entries(_there(path)), maxlen=last):
        if as_json:
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
        else:
            told = f" {json.dumps(one.details, ensure_ascii=False)}" if one.details else ""
            click.echo(f"{one.number}  {one.time}  {one.who}  {one.what}  {one.on}{told}")


def _there(path: Path | None) -> Path:
    from consilium.settings import home_folder

    found = home_folder() / "ledger.jsonl" if path is None else path
    if not found.is_file():
        raise InputError("there is no ledger", where=str(found), way_out="It begins with the first job, or use --file.")
    return found
