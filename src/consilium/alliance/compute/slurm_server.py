"""The process behind the Slurm engine: it keeps what the hospitals agreed on.

`python -m consilium.alliance.compute.slurm_server HOME`. It hands new jobs over, says on which terms each waits
(`terms.py`), sees that nothing is taken from a hospital within its right, changes rights at the hour, and hands over
again what a lost machine lost. When and where a job runs is Slurm's business, and goes on without this process: then
new jobs wait, and those that Slurm has keep the terms they had.
"""

from __future__ import annotations

import getpass
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from consilium.alliance.compute import server_process
from consilium.alliance.compute.agreement import Agreement
from consilium.alliance.compute.job import Request, Urgency
from consilium.alliance.compute.job_folder import JOBS, MOST_TRIES, JobFolder, Unfinished
from consilium.alliance.compute.slurm_commands import Queued, Slurm, qos_name
from consilium.alliance.compute.terms import Claim, Right, Terms, beyond_their_right, terms_of
from consilium.errors import ConsiliumError, EngineError

_LOOK = 0.2
_AS_LONG_AGAIN = 2.0
"""Between two looks, this many times as long as a look took passes at least: a long queue is asked for less often."""

_RIGHTS_EVERY = 5.0
_GONE_FOR = 3.0
"""Seconds that a job which is not over has to be missing from the queue before it is handed over again."""

_ASK_AGAIN = 10.0
_SUBMITTED_TOGETHER = 5000
_BATCHES = "batches"


@dataclass
class _Live:
    """A job that is not over.

    Attributes:
        folder, request: of the job.
        id, name: that Slurm has it by; "" before.
        missing: since when it is not in the queue; 0 where it is.
        lost: how often it went missing before it started.
        again: when Slurm, which refused it, is asked again.
    """

    folder: JobFolder
    request: Request
    id: str = ""
    name: str = ""
    missing: float = 0.0
    lost: int = 0
    again: float = 0.0


@dataclass
class Steward:
    """Keeps the agreement on one cluster.

    Attributes:
        home: folder of the engine.
        slurm: the cluster.
        agreement: what the hospitals agreed on.
    """

    home: Path
    slurm: Slurm
    agreement: Agreement
    _unfinished: Unfinished = field(init=False)
    _live: dict[int, _Live] = field(default_factory=dict)
    _rights: dict[str, Right] = field(default_factory=dict)
    _beyond: frozenset[str] | None = None
    _aside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=1))
    _protecting: Future[None] | None = None
    _looked: float = float("-inf")

    def __post_init__(self) -> None:
        self._unfinished = Unfinished(self.home / JOBS)

    def look(self) -> None:
        """Put right whatever is not as it should be now.

        Raises:
            EngineError: Slurm cannot be reached.
        """
        self._take_notice()
        try:
            self._keep_rights()
        except EngineError as problem:
            if not self._rights:
                raise
            # Accounting is down. What was agreed on before holds, and nobody else's jobs wait for a new hospital's.
            self._looked = time.monotonic()
            _say(str(problem))
        queue = self.slurm.queue() if self._live else {}
        self._see_who_is_gone(queue)
        self._end_cancelled(queue)
        claims = [self._claim(number, one, queue) for number, one in self._live.items()]
        terms = terms_of(claims, self._rights, lending=self.agreement.lending)
        self._relabel(queue, terms)
        self._hand_over(terms)
        self._protect(claims)

    def _take_notice(self) -> None:
        """Of new jobs, and of those that are over."""
        before, self._live = self._live, {}
        for folder in self._unfinished.now():
            known = before.pop(folder.number, None)
            if known is None:
                try:
                    request = folder.request()
                except EngineError:
                    continue  # who asks for this job is told
                there = {"id": "", "name": "", **folder.scheduler()}
                known = _Live(folder, request, id=str(there["id"]), name=str(there["name"]))
            self._live[folder.number] = known
        needed = {one.name for one in self._live.values()}
        for name in {one.name for one in before.values()} - needed - {""}:
            (self.home / _BATCHES / name).unlink(missing_ok=True)  # nobody of this submission starts again

    def _keep_rights(self) -> None:
        """Accounts for hospitals that are new, and the rights of this hour."""
        wanted = {one.request.hospital for one in self._live.values()}
        if time.monotonic() - self._looked < _RIGHTS_EVERY and wanted <= set(self._rights):
            return
        if not self._rights:
            self._rights = self.slurm.rights()  # of an earlier process
        rights = self.agreement.rights(self.slurm.nodes(), datetime.now(UTC))
        rights |= {hospital: Right(cores=0) for hospital in (wanted | set(self._rights)) - set(rights)}
        if new := set(rights) - set(self._rights):
            self.slurm.set_up(rights, new, getpass.getuser())
            self._beyond = None
        if changed := {one: right for one, right in rights.items() if one in new or self._rights[one] != right}:
            self.slurm.set_rights(changed)
        self._rights, self._looked = rights, time.monotonic()

    def _see_who_is_gone(self, queue: Mapping[str, Queued]) -> None:
        """What Slurm lost or does not start, or a killed runner left, is handed over again."""
        now = time.monotonic()
        for one in self._live.values():
            there = _there(one, queue)
            if not one.id or (there and not there.held):
                one.missing = 0.0
            elif not one.missing:
                one.missing = now
            elif now - one.missing > _GONE_FOR and not one.folder.held() and not one.folder.over():
                if there:
                    self.slurm.cancel([one.id])
                one.id, one.name, one.missing, one.lost = "", "", 0.0, one.lost + 1
                if one.lost > MOST_TRIES and not one.folder.tries():
                    one.folder.tell_ended("failed", reason=f"it could not be run: see {one.folder.path / 'runner.log'}")

    def _end_cancelled(self, queue: Mapping[str, Queued]) -> None:
        gone = []
        for one in self._live.values():
            if not one.folder.cancelled() or one.folder.held():
                continue  # the runner ends what runs, and tells
            there = _there(one, queue)
            if there and not there.waits:
                continue
            if there:
                gone.append(one.id)
            one.folder.tell_ended("cancelled", reason="cancelled before it started")
        self.slurm.cancel(gone)

    def _claim(self, number: int, one: _Live, queue: Mapping[str, Queued]) -> Claim:
        there = _there(one, queue)
        running: Terms | None = None
        if there is not None and not there.waits:
            running = next(
                (terms for terms in ("urgent", "own", "borrow", "idle") if there.qos.startswith(terms)), None
            )
        request = one.request
        return Claim(
            number=number, hospital=request.hospital, urgency=request.urgency, cores=request.cores, gpus=request.gpus,
            running=running,
        )  # fmt: skip

    def _relabel(self, queue: Mapping[str, Queued], terms: Mapping[int, Terms]) -> None:
        wrong: dict[str, list[str]] = {}
        for number, one in self._live.items():
            there = _there(one, queue)
            if there is None or number not in terms or not there.waits:
                continue
            name = qos_name(terms[number], one.request.hospital)
            if there.qos != name:
                wrong.setdefault(name, []).append(one.id)
        for name, ids in wrong.items():
            self.slurm.relabel(ids, name)

    def _hand_over(self, terms: Mapping[int, Terms]) -> None:
        """New jobs, those of one shape together; the most urgent first."""
        alike: dict[tuple[Terms, str, Urgency, int, int, int], list[_Live]] = {}
        for number, one in self._live.items():
            if one.id or number not in terms or time.monotonic() < one.again or one.folder.held() or one.folder.over():
                continue
            asked = one.request
            shape = (terms[number], asked.hospital, asked.urgency, asked.cores, asked.memory_mb, asked.gpus)
            alike.setdefault(shape, []).append(one)
        order: dict[Terms, int] = {"urgent": 0, "own": 1, "borrow": 2, "idle": 3}
        for shape, jobs in sorted(alike.items(), key=lambda item: order[item[0][0]]):
            for start in range(0, len(jobs), _SUBMITTED_TOGETHER):
                self._submit(jobs[start : start + _SUBMITTED_TOGETHER], shape[0])

    def _submit(self, jobs: Sequence[_Live], terms: Terms) -> None:
        request = jobs[0].request
        batches = self.home / _BATCHES
        batches.mkdir(exist_ok=True, mode=0o700)
        listed = batches / f"consilium-{jobs[0].folder.number}-{time.time_ns()}"
        paths = [one.folder.path for one in jobs]
        try:
            ids = self.slurm.submit(paths, request, terms, listed, self.agreement.partition_for(request))
        except EngineError as problem:
            # Whether Slurm will never take them or only not now (a new account, a controller that starts) cannot be
            # told for certain, so none is given up; who asks for one is told why it waits, and alarms tell the rest.
            listed.unlink(missing_ok=True)
            _say(f"jobs {[one.folder.number for one in jobs][:5]}: {problem}")
            for one in jobs:
                one.again = time.monotonic() + _ASK_AGAIN
                one.folder.write("scheduler.json", {"refused": f"the cluster does not take it yet: {problem.what}"})
            return
        for one, id_ in zip(jobs, ids, strict=True):
            one.id, one.name = id_, listed.name
            # Two runners of one job do no harm: the second finds it locked or over.
            one.folder.write("scheduler.json", {"id": id_, "name": listed.name})

    def _protect(self, claims: Sequence[Claim]) -> None:
        """Say whose borrowed jobs may be taken; aside, since it takes a while and new jobs should not wait for it."""
        if self._protecting is not None:
            if not self._protecting.done():
                return
            protecting, self._protecting = self._protecting, None
            if protecting.exception() is not None:
                self._beyond = None  # nobody knows what is said now
                protecting.result()
        beyond = beyond_their_right(claims, self._rights)
        if self._rights and beyond != self._beyond:
            self._protecting = self._aside.submit(self.slurm.set_lenders, list(self._rights), beyond)
            self._beyond = beyond


def _there(one: _Live, queue: Mapping[str, Queued]) -> Queued | None:
    """A job as Slurm has it; None where it has not, or has another one by the same number."""
    found = queue.get(one.id)
    return found if found and found.name == one.name else None


def serve(home: Path) -> None:
    """Keep the agreement until told to stop.

    Args:
        home: folder of the engine, with its `engine.json`.
    """
    with server_process.only_one(home) as mine:
        if not mine:
            return
        agreement = Agreement.of(home)
        steward = Steward(home=home, slurm=Slurm(agreement.environment()), agreement=agreement)
        server_process.tell(home, {})
        silent = 0.0
        while not server_process.told_to_stop(home):
            began = time.monotonic()
            try:
                steward.look()
                silent = 0.0
            except (ConsiliumError, OSError) as problem:
                # The controller may be down, or the disk full, for a while; jobs are in their folders and wait.
                if not silent or began - silent > 60:
                    _say(str(problem))
                    silent = began
                time.sleep(1.0)
            time.sleep(max(_LOOK, _AS_LONG_AGAIN * (time.monotonic() - began)))


def _say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Serve the folder named on the command line, in a process apart."""
    server_process.leave()
    os.umask(0o077)
    serve(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
