"""Which engine runs the jobs of an installation, as its hospitals agreed."""

from __future__ import annotations

from pathlib import Path

from consilium.alliance.compute.agreement import Agreement
from consilium.alliance.compute.folder_engine import FolderEngine

FOLDER = "compute"
"""Of jobs, leases, prices and quotas, in the home of an installation."""


def engine_in(home: Path) -> FolderEngine:
    """The engine itself, for what looks at all hospitals together; `permitted.py` has it as one person may use it.

    Args:
        home: `CONSILIUM_HOME`.

    Raises:
        InputError: which engine it is cannot be read.
    """
    folder = home / FOLDER
    if Agreement.of(folder).engine == "slurm":
        from consilium.alliance.compute.slurm import SlurmEngine

        return SlurmEngine(folder)
    from consilium.alliance.compute.embedded import EmbeddedEngine

    return EmbeddedEngine(folder)
