"""A workstation as its own process where people sign in with their passwords."""

from __future__ import annotations

import sys
from pathlib import Path

from consilium.web.app import create_app
from consilium.web.settings import Settings
from tests.web.live_server import serve


def main(database: str, files: str, port_file: str, port: str = "0") -> None:
    """Serve on a port of loopback, 0 for any free one, and write into `port_file` which."""
    serve(create_app(Settings(database=database, files=Path(files), hosts=("127.0.0.1",))), port_file, port)


if __name__ == "__main__":
    main(*sys.argv[1:])
