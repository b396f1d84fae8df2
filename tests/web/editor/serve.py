"""Serve a workstation's folder: `python -m tests.web.editor.serve FOLDER PORT`, a process that tests kill."""

from __future__ import annotations

import sys
from pathlib import Path

from consilium.web.app import create_app
from consilium.web.settings import Settings
from tests.web.live_server import slowed


def settings_in(folder: Path) -> Settings:
    """Of the workstation that lies in a folder."""
    return Settings(
        database=f"sqlite:///{folder / 'records.db'}", files=folder / "files", hosts=("127.0.0.1",)
    )  # fmt: skip


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(
        slowed(create_app(settings_in(Path(sys.argv[1])))), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning"
    )
