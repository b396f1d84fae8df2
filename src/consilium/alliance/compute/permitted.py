"""An engine as one person may use it: every verb and page goes through here.

What belongs to another hospital is as if it were not there: asking for its number is answered as for a number that
was never given. Whoever runs the alliance sees of other hospitals' jobs how large, how urgent and how old they are,
since he has to keep the queue moving, but not what they are, who asked, or what they wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from consilium.alliance.compute.engine import Capacity, Engine, Lease, Usage
from consilium.alliance.compute.job import Job, Request
from consilium.alliance.permissions import Person, allowed, require
from consilium.errors import InputError

_HIDDEN = "(hidden)"


class PermittedEngine:
    """See `Engine`.

    Args:
        engine: that does the work.
        person: for whom.
    """

    def __init__(self, engine: Engine, person: Person) -> None:
        self._engine = engine
        self._person = person

    @property
    def name(self) -> str:
        """What people call it."""
        return self._engine.name

    def submit(self, request: Request) -> Job:
        """See `Engine.submit`; only on the account of the person's own hospital, and in his name.

        Raises:
            NotAllowed: it is another's.
        """
        require(self._person, "job.submit", of=request.hospital)
        return self._engine.submit(replace(request, person=self._person.name))

    def cancel(self, number: int) -> Job:
        """See `Engine.cancel`."""
        job = self._seen(number)
        require(self._person, "job.cancel", of=job.request.hospital)
        return self._shown(self._engine.cancel(number))

    def job(self, number: int) -> Job:
        """See `Engine.job`."""
        return self._shown(self._seen(number))

    def jobs(self, *, hospital: str | None = None, live: bool = False) -> Sequence[Job]:
        """See `Engine.jobs`; those that the person may see."""
        found = self._engine.jobs(hospital=hospital, live=live)
        return [self._shown(one) for one in found if self._may_see(one)]

    def output(self, number: int, *, follow: bool = False) -> Iterator[str]:
        """See `Engine.output`."""
        require(self._person, "job.output", of=self._seen(number).request.hospital)
        return self._engine.output(number, follow=follow)

    def usage(self) -> Sequence[Usage]:
        """See `Engine.usage`; of the hospitals whose usage the person may see."""
        return [one for one in self._engine.usage() if allowed(self._person, "usage.see", of=one.hospital)]

    def set_lease(self, lease: Lease) -> None:
        """See `Engine.set_lease`."""
        require(self._person, "lease.set", of=lease.hospital)
        self._engine.set_lease(lease)

    def capacity(self) -> Capacity:
        """See `Engine.capacity`: sums over all hospitals."""
        require(self._person, "capacity.see", of=self._person.hospital)
        return self._engine.capacity()

    def _seen(self, number: int) -> Job:
        job = self._engine.job(number)
        if not self._may_see(job):
            raise InputError(f"there is no job {number}", way_out="`consilium compute list` names them.")
        return job

    def _may_see(self, job: Job) -> bool:
        hospital = job.request.hospital
        return allowed(self._person, "job.see", of=hospital) or allowed(self._person, "job.queue", of=hospital)

    def _shown(self, job: Job) -> Job:
        if allowed(self._person, "job.see", of=job.request.hospital):
            return job
        hidden = replace(job.request, command=(_HIDDEN,), folder=_HIDDEN, person=_HIDDEN, name=_HIDDEN)
        return replace(job, request=hidden, reason="")
