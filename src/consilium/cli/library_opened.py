"""What the verbs of `consilium library` share: the library of the call, the key of this hospital, a reason."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from consilium.alliance.library.library import Library

reason_option = click.option("--reason", required=True, metavar="TEXT", help="Everybody who uses it reads it.")


def opened() -> Library:
    """The library that the options or the environment name."""
    from consilium.alliance.library.library import open_library
    from consilium.cli.identity import note
    from consilium.settings import home_folder

    context = click.get_current_context()
    catalogue, store = context.meta["consilium.library"]
    library = open_library(home_folder(), catalogue=catalogue, store=store, note=note)
    context.call_on_close(library.catalogue.close)
    return library


def own_key_file() -> Path:
    """Where the private key of this hospital lies."""
    from consilium.alliance.library import trust
    from consilium.settings import home_folder

    return trust.own_key_file(home_folder())
