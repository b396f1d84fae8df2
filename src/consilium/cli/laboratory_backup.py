"""`consilium laboratory backup` and `restore`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consilium.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from consilium.laboratory.backup.contents import Part

_files = click.option(
    "--files", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
    help="Pictures and readings.  [default: as the workstation has them, in CONSILIUM_HOME]",
)  # fmt: skip


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@_files
@click.pass_context
def backup(context: click.Context, path: Path, files: Path | None) -> None:
    """Write everything that the laboratory has into FILE, while people go on working.

    Names of patients are in it, and hashes of passwords: keep it as carefully as the records.
    """
    from consilium.database.database import Database
    from consilium.laboratory.backup.backup import make_backup

    url = _url()
    for part in _parts():
        Database(url, part.schema).close()
    made = make_backup(url, files or _folder(), _parts(), path)
    click.echo(f"written: {path}, {sum(one.rows for one in made.tables)} rows, {len(made.files)} files")
    if made.missing:
        click.echo(f"missing in {files or _folder()}: {', '.join(made.missing[:20])}", err=True)
        context.exit(ExitCode.PARTLY_DONE)


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--into", "url", required=True, metavar="URL", help="Of an empty database, SQLite or PostgreSQL.")
@_files
def restore(path: Path, url: str, files: Path | None) -> None:
    """Bring the backup FILE back into an empty database, and hold all of it against its hashes."""
    from consilium.laboratory.backup.restore import restore as bring_back

    made = bring_back(path, url, files or _folder(), _parts())
    click.echo(f"restored: {sum(one.rows for one in made.tables)} rows, {len(made.files)} files of {made.made}")
    click.echo("Everybody signs in again. Passwords and tokens are those of that day: revoke what was revoked since.")


def _url() -> str:
    from consilium.settings import LABORATORY_VARIABLE, home_folder

    named = os.environ.get(LABORATORY_VARIABLE, "").strip()
    return named or f"sqlite:///{home_folder() / 'laboratory' / 'records.db'}"


def _folder() -> Path:
    from consilium.settings import home_folder

    return Path(os.environ.get("CONSILIUM_WEB_FILES", "").strip() or home_folder() / "laboratory" / "files")


def _parts() -> tuple[Part, ...]:
    from consilium.laboratory.backup.contents import Part
    from consilium.laboratory.laboratory import SCHEMA as RECORDS
    from consilium.web.security.accounts import SCHEMA as ACCOUNTS
    from consilium.web.security.tables import PASSING

    return (
        Part(schema=RECORDS, prefix="laboratory_"),
        Part(schema=ACCOUNTS, prefix="web_", left_out=PASSING),
    )  # fmt: skip
