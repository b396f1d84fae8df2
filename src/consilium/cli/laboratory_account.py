"""`consilium laboratory account`: for whoever administers the machine, when nobody can sign in."""

from __future__ import annotations

import os

import click

from consilium.cli.identity import caller


@click.command()
@click.argument("person", metavar="NAME")
@click.option("--disable", is_flag=True, help="Let nobody in by it, at once.")
@click.option("--enable", is_flag=True, help="Let the person in again.")
def account(person: str, disable: bool, enable: bool) -> None:
    """Give a person of the laboratory an account, or a new password: one for the next sign-in, shown this once."""
    from consilium.settings import LABORATORY_VARIABLE, home_folder
    from consilium.web.security.accounts import Accounts, reset_password
    from consilium.web.security.accounts import disable as let_in

    if disable and enable:
        raise click.UsageError("Say one of --disable and --enable.")
    named = os.environ.get(LABORATORY_VARIABLE, "").strip()
    accounts = Accounts(named or f"sqlite:///{home_folder() / 'laboratory' / 'records.db'}")
    # Who may open the database is of the operating system; what is done is noted with whoever calls.
    by = f"{caller()} at the machine"
    try:
        if disable or enable:
            let_in(accounts, person, disable, by=by)
            click.echo(f"{person}: {'disabled' if disable else 'enabled'}")
        else:
            click.echo(f"{person}: {reset_password(accounts, person, by=by)}")
    finally:
        accounts.close()
