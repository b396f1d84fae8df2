"""`consilium library key`: make the key of a hospital, enter, list, accept and revoke keys."""

from __future__ import annotations

import json
from pathlib import Path

import click

from consilium.cli.library_opened import opened, own_key_file, reason_option
from consilium.errors import InputError

_fingerprint = click.argument("fingerprint", metavar="FINGERPRINT")


@click.group()
def key() -> None:
    """Keys that models are signed with."""


@key.command()
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="The private key.  [default: in the home]")
def make(out: Path | None) -> None:
    """Make the key of this hospital.

    Prints the public one, for the operator.

    The private key stays on this machine, readable by you alone. Where this is no alliance, it is entered at once.
    """
    from consilium.alliance.library.keys import trust_key
    from consilium.alliance.library.trust import make_key
    from consilium.alliance.permissions import allowed
    from consilium.cli.identity import note, who

    person, path = who(), out or own_key_file()
    made = make_key(path)
    note("library.key", f"key {made.fingerprint[:16]}", hospital=person.hospital)
    click.echo(made.pem, nl=False)
    click.echo(f"private key: {path}\nfingerprint: {made.fingerprint}", err=True)
    if allowed(person, "library.trust", of=person.hospital):
        trust_key(opened(), person, made, hospital=person.hospital)
        click.echo(f"entered as the key of {person.hospital}", err=True)
    else:
        click.echo(f"the operator enters it: consilium library key trust FILE --hospital {person.hospital}", err=True)


@key.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--hospital", required=True, metavar="ID", help="Whose key it is.")
def trust(file: Path, hospital: str) -> None:
    """Enter the public key of a hospital.

    The operator does, after he has asked that hospital.
    """
    from consilium.alliance.library.keys import trust_key
    from consilium.alliance.library.trust import public_key_of
    from consilium.cli.identity import roster, who

    person = who()
    if roster().hospitals():
        roster().hospital(hospital)
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise InputError(f"it cannot be read ({problem.strerror})", where=str(file)) from problem
    found = public_key_of(content, where=str(file))
    trust_key(opened(), person, found, hospital=hospital)
    click.echo(f"{found.fingerprint} is a key of {hospital}")


@key.command()
@_fingerprint
def accept(fingerprint: str) -> None:
    """Take models that a new key signed.

    Of a publisher whom this hospital knows by another; ask him first.
    """
    from consilium.alliance.library.keys import accept_key
    from consilium.cli.identity import who

    found = accept_key(opened(), who(), fingerprint)
    click.echo(f"models signed with {found.fingerprint[:16]} of {found.hospital} are taken")


@key.command()
@_fingerprint
@reason_option
def revoke(fingerprint: str, reason: str) -> None:
    """Say that a key counts no longer.

    Nothing that it signed runs any more.
    """
    from consilium.alliance.library.keys import revoke_key
    from consilium.cli.identity import who

    found = revoke_key(opened(), who(), fingerprint, reason=reason)
    click.echo(f"{found.fingerprint[:16]} of {found.hospital} is revoked")


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the keys of the catalogue."""
    from dataclasses import asdict

    from consilium.alliance.library.keys import keys

    for one in keys(opened()):
        if as_json:
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
            continue
        state = f"revoked {one.revoked[:10]}: {one.reason}" if one.revoked else "counts"
        click.echo(
            f"{one.fingerprint[:16]}  {one.hospital}  {one.added[:10]}  {state}" + (", met here" if one.met else "")
        )
