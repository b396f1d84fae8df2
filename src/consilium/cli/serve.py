"""`consilium serve`: the workstation, in a browser."""

from __future__ import annotations

import gc
import signal
import socket
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from consilium.web.settings import Settings
    from consilium.web.settings_file import Serving

GARBAGE = (5000, 20, 50)
"""How many new things there are before Python looks through the young ones, and how many such looks go before one at
the older and the oldest: seven, two and five times as many as it has itself."""

_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="0: any that is free.  [default: 8080]")
@click.option("--host", metavar="ADDR", help="Where to listen.  [default: 127.0.0.1, this machine alone]")
@click.option("--tls-certificate", type=_file, metavar="FILE", help="Certificate with its chain, PEM.")
@click.option("--tls-key", type=_file, metavar="FILE", help="Its key, PEM.")
@click.option("--settings", "file", type=_file, metavar="FILE", help="All settings, TOML.")
def serve(
    port: int | None, host: str | None, tls_certificate: Path | None, tls_key: Path | None, file: Path | None
) -> None:
    """Serve the workstation of the laboratory to browsers, until it is told to stop (Ctrl-C).

    The records are in CONSILIUM_HOME, or in the database whose URL CONSILIUM_LABORATORY gives. Where no laboratory
    was founded, a demo laboratory is, and passwords for one sign-in are printed once.
    """
    _need()
    from consilium.web.settings_file import read_settings

    said: dict[str, Any] = {
        "serve.port": port, "serve.host": host,
        "serve.tls_certificate": None if tls_certificate is None else str(tls_certificate),
        "serve.tls_key": None if tls_key is None else str(tls_key),
    }  # fmt: skip
    serving = read_settings(said, file=file)
    with _listening(serving) as listening:
        _prepare(serving)
        _run(serving, listening)


def _need() -> None:
    from importlib.util import find_spec

    from consilium.errors import MissingExtra

    for module in ("fastapi", "uvicorn", "argon2", "python_multipart", "sqlalchemy", "alembic"):
        if find_spec(module) is None:
            raise MissingExtra(
                f"{module} is needed for the workstation", way_out="Install it: pip install 'consilium[web]'."
            )


def _prepare(serving: Serving) -> None:
    """Make sure that there is a laboratory in which somebody can sign in."""
    from consilium.laboratory.laboratory import Laboratory
    from consilium.web.demo import fill
    from consilium.web.security.accounts import Accounts
    from consilium.web.security.first_accounts import DEMO, first_passwords, found_demo

    records = Laboratory(serving.settings.database)
    accounts = Accounts(serving.settings.database, serving.settings.sign_in)
    try:
        if found_demo(records):
            click.echo(f"founded: {DEMO}, in {records.place}; its patients and pictures are synthetic")
            fill(records)
        made = first_passwords(records, accounts)
    finally:
        accounts.close()
        records.close()
    if made:
        click.echo("Accounts, each with a password for the first sign-in. They are shown this once:")
        for person, password in made:
            click.echo(f"  {person:<16}{password}")


def _listening(serving: Serving) -> socket.socket:
    from consilium.errors import OutputError

    family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((serving.host, serving.port))
    except OSError as problem:
        made.close()
        raise OutputError(
            f"nothing can be served there ({problem.strerror})", where=f"{serving.host}:{serving.port}",
            way_out="Another program may listen there already: say another --port.",
        ) from problem  # fmt: skip
    return made


def _run(serving: Serving, listening: socket.socket) -> None:
    import uvicorn

    from consilium.web.app import create_app
    from consilium.web.page import load_templates

    app = create_app(serving.settings)
    stopped = Event()
    drawing = Thread(target=_draw_demo, args=(serving.settings, stopped.is_set), name="consilium-demo")
    # An access log would have names that somebody searched for, and codes of single sign-on.
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, ws="none", timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
        ssl_certfile=serving.tls_certificate, ssl_keyfile=serving.tls_key, proxy_headers=bool(serving.proxies),
        forwarded_allow_ips=list(serving.proxies),
    )  # fmt: skip
    scheme = "http" if serving.tls_certificate is None else "https"
    name = f"[{serving.host}]" if ":" in serving.host else serving.host
    server = uvicorn.Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # Everybody waits while Python looks for garbage, a sixth of a second where it goes through all that was ever
    # loaded: what is there now stays, and the rest is gone through more seldom.
    load_templates()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    # It ends by itself when it is told to, and passes the signal on; that it was told to is no failure.
    former = {one: signal.signal(one, stop) for one in (signal.SIGTERM, signal.SIGINT)}
    click.echo(f"Consilium is at {scheme}://{name}:{listening.getsockname()[1]} (Ctrl-C stops it)")
    drawing.start()
    try:
        server.run(sockets=[listening])
    finally:
        # A thread that draws while the interpreter ends would tear it down; it goes on at the next start.
        stopped.set()
        drawing.join()
        for one, handler in former.items():
            signal.signal(one, handler)
    click.echo("stopped")


def _draw_demo(settings: Settings, stopped: Callable[[], bool]) -> None:
    """Draw the cells of a demo laboratory while its first page is read; in any other nothing is done."""
    import logging

    from consilium.errors import ConsiliumError
    from consilium.laboratory.laboratory import Laboratory
    from consilium.web.demo import draw

    try:
        records = Laboratory(settings.database)
        try:
            draw(records, settings, stopped=stopped)
        finally:
            records.close()
    except ConsiliumError as problem:
        logging.getLogger("consilium.cli.serve").warning("the demo cells were not drawn: %s", problem)
