"""Which engine runs the jobs of an installation, as its hospitals agreed."""

from __future__ import annotations

from functools import lru_cache
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
    return _engine(home / FOLDER, Agreement.of(home / FOLDER))


@lru_cache(maxsize=4)
def _engine(folder: Path, agreement: Agreement) -> FolderEngine:
    """One for each agreement, so that a process that stays reads jobs that are over but once."""
    if agreement.engine == "slurm":
        from consilium.alliance.compute.slurm import SlurmEngine

        return SlurmEngine(folder)
    from consilium.alliance.compute.embedded import EmbeddedEngine

    return EmbeddedEngine(folder)
