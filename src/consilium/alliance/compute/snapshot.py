"""An engine as it was at one moment: its jobs are read once, however many questions are asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from consilium.alliance.compute.engine import Capacity, Engine, Lease, Usage
from consilium.alliance.compute.job import LIVE, Job, Request
from consilium.alliance.compute.usage import usage_of


class Snapshot:
    """See `Engine`; what changes something goes to the engine itself.

    Args:
        engine: that is looked at.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: Sequence[Job] | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self._engine.name

    def nodes(self) -> Sequence[object]:
        """Machines of a cluster; none of an engine of one machine."""
        found: Sequence[object] = getattr(self._engine, "nodes", tuple)()
        return found

    def jobs(self, *, hospital: str | None = None, live: bool = False) -> Sequence[Job]:
        """See `Engine.jobs`; as they were when they were first asked for."""
        if self._jobs is None:
            self._jobs = self._engine.jobs()
        return [
            one
            for one in self._jobs
            if (hospital is None or one.request.hospital == hospital) and (not live or one.state in LIVE)
        ]

    def usage(self) -> Sequence[Usage]:
        """See `Engine.usage`."""
        return usage_of(self.jobs())

    def capacity(self) -> Capacity:
        """See `Engine.capacity`."""
        return self._engine.capacity()

    def job(self, number: int) -> Job:
        """See `Engine.job`."""
        return self._engine.job(number)

    def output(self, number: int, *, follow: bool = False) -> Iterator[str]:
        """See `Engine.output`."""
        return self._engine.output(number, follow=follow)

    def submit(self, request: Request) -> Job:
        """See `Engine.submit`."""
        return self._engine.submit(request)

    def cancel(self, number: int) -> Job:
        """See `Engine.cancel`."""
        return self._engine.cancel(number)

    def set_lease(self, lease: Lease) -> None:
        """See `Engine.set_lease`."""
        self._engine.set_lease(lease)
