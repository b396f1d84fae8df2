"""`consilium storage`: studies kept encrypted under their hospital's keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from consilium.alliance.permissions import Act
    from consilium.alliance.storage import StudyStore

_hospital = click.option("--hospital", default="", metavar="ID", help="Whose.  [default: that of whoever calls]")


@click.group()
def storage() -> None:
    """Keep studies encrypted under their hospital's keys.

    The keys are encrypted under a master key, which CONSILIUM_MASTER_KEY names (a file) or CONSILIUM_PASSPHRASE gives.
    """


@storage.command("new-key")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
def new_key(path: Path) -> None:
    """Make a master key in a new file, to be kept apart from the studies."""
    from consilium.alliance.hospital_keys import MASTER_VARIABLE, new_master_key

    new_master_key(path)
    click.echo(f"written: {path}. Keep a copy where nobody else gets at it: without it all studies are lost.", err=True)
    click.echo(f"export {MASTER_VARIABLE}={path.resolve()}")


@storage.command()
@click.argument("study")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_hospital
def put(study: str, files: tuple[Path, ...], hospital: str) -> None:
    """Store FILES as parts of STUDY, under their names; of the same name, the new one stays."""
    from consilium.cli.identity import note

    whose, store = _allowed("storage.open", hospital), _store()
    for path in files:
        with path.open("rb") as source:
            stored = store.put(whose, study, path.name, source)
        # A name may tell who the patient is: the ledger has only where it lies.
        note("storage.put", f"{whose}/{stored.path.name}", bytes=path.stat().st_size)
    click.echo(f"stored: {len(files)}")


@storage.command()
@click.argument("study")
@click.argument("name")
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Where to.")
@_hospital
def get(study: str, name: str, out: Path, hospital: str) -> None:
    """Write a stored file in plain, whole or not at all."""
    from consilium.cli.identity import note

    whose, store = _allowed("storage.open", hospital), _store()
    store.copy_out(whose, study, name, out)
    note("storage.get", f"{whose}/{store.place(whose, study, name)}")
    click.echo(f"written: {out}")


@storage.command("list")
@_hospital
def list_(hospital: str) -> None:
    """List what is stored, study and name; each is opened for that, and a changed one ends the list with an error."""
    whose = _allowed("storage.open", hospital)
    for one in sorted(_store().stored(whose), key=lambda stored: (stored.study, stored.name)):
        click.echo(f"{one.study}\t{one.name}")


@storage.command()
@_hospital
def rotate(hospital: str) -> None:
    """Put all studies under a new key and give up the old one; goes on where it was cut short."""
    from consilium.cli.identity import note

    whose = _allowed("storage.keys", hospital)
    moved = _store().rotate(whose)
    note("storage.rotate", whose, files=moved)
    click.echo(f"under a new key: {moved}")


@storage.command()
@click.option("--hospital", required=True, metavar="ID", help="Whose.")
@click.option("--yes", is_flag=True, help="Without it nothing is done.")
def shred(hospital: str, yes: bool) -> None:
    """Destroy a hospital's keys and studies, for good; copies of its key file elsewhere are to be destroyed too."""
    from consilium.cli.identity import note

    whose = _allowed("storage.keys", hospital)
    if not yes:
        raise click.UsageError(f"nobody will ever read again what {whose} stored: call again with --yes")
    # The entry comes first: a deed of this kind without a trace is worse than a trace of what failed.
    note("storage.shred", whose)
    _store().shred(whose)
    click.echo(f"{whose}: keys and studies destroyed")


def _allowed(act: Act, hospital: str) -> str:
    """The hospital, if the caller may."""
    from consilium.alliance.permissions import require
    from consilium.cli.identity import who

    person = who()
    whose = hospital or person.hospital
    require(person, act, of=whose)
    return whose


def _store() -> StudyStore:
    from consilium.alliance.hospital_keys import KeyFolder, master_key
    from consilium.alliance.storage import StudyStore
    from consilium.settings import home_folder

    folder = home_folder() / "storage"
    return StudyStore(folder / "studies", KeyFolder(folder / "keys", master_key(os.environ, folder / "salt")))
