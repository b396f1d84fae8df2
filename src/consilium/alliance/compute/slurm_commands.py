"""What is said to Slurm, and what it answers, through its own command line tools: they change least between releases.

Every text that goes into an option was checked before (ids of hospitals, whole numbers); commands of jobs never get
into a batch script, only the path of a job's folder, quoted.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from consilium.alliance.compute.health import state_of
from consilium.alliance.compute.job import Request, Urgency
from consilium.alliance.compute.terms import Right, Terms
from consilium.errors import EngineError

_WITHIN = 60.0

QOS_PRIORITY: Mapping[Terms, int] = {"urgent": 1000, "own": 500, "borrow": 100, "idle": 0}

_NICE: Mapping[Urgency, int] = {"emergency": 0, "clinical": 0, "research": 50_000, "idle": 50_000}
"""Taken off the priority of a job. Between two terms lie 100,000 and more, fair share and age give 11,000 at most: so
among jobs of the same terms urgency decides, then who had less of late, then who came first."""

SHARE_OF_BORROWED = 0.25
"""How much a borrowed core-second counts towards fair share: nobody else had a use for it."""


@dataclass(frozen=True, kw_only=True)
class Queued:
    """A job as Slurm has it.

    Attributes:
        id: there; "12_3" for the fourth of an array.
        name: of the submission, each its own: a controller that was killed may give an id twice.
        state: Slurm's word.
        qos: on which terms and whose: "own_hospital_a".
        reason: why it waits, Slurm's word.
    """

    id: str
    name: str
    state: str
    qos: str
    reason: str

    @property
    def held(self) -> bool:
        """Whether Slurm will not start it, after it could not be launched."""
        return self.waits and "held" in self.reason.lower()

    @property
    def waits(self) -> bool:
        """Whether it holds no cores."""
        return self.state not in ("RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STAGE_OUT", "SIGNALING")


@dataclass(frozen=True, kw_only=True)
class Node:
    """A machine of the cluster.

    Attributes:
        name: there.
        cores, memory_mb, gpus: it has.
        cores_held: by jobs.
        state: Slurm's word, lower case, with its marks ("idle~" is switched off).
    """

    name: str
    cores: int
    memory_mb: int
    gpus: int
    cores_held: int
    state: str

    @property
    def lost(self) -> bool:
        """Whether it should work and does not."""
        return state_of(self.state) in ("down", "drained")

    @property
    def works(self) -> bool:
        """Whether it runs jobs, or could now."""
        return state_of(self.state) == "up"


def qos_name(terms: Terms, hospital: str) -> str:
    """The quality of service that stands for terms."""
    return "idle" if terms == "idle" else f"{terms}_{hospital}"


class Slurm:
    """A cluster, spoken to through `sbatch`, `squeue`, `scontrol`, `scancel`, `sinfo` and `sacctmgr`.

    Args:
        environment: in which these find it (`SLURM_CONF`).
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._has_cards: bool | None = None

    def submit(
        self, folders: Sequence[Path], request: Request, terms: Terms, listed: Path, partition: str
    ) -> list[str]:
        """Hand jobs of one shape over, several as an array; their ids.

        Args:
            folders: of the jobs.
            request: whose account, cores, memory, cards and urgency all of them have.
            terms: on which they wait.
            listed: file that the batch script reads its folders from, written here; its name is that of the submission.
            partition: where they may run.

        Raises:
            EngineError: Slurm does not take them.
        """
        listed.write_text("".join(f"{one}\n" for one in folders), encoding="utf-8")
        options = [
            "--parsable", f"--account={request.hospital}", f"--qos={qos_name(terms, request.hospital)}",
            f"--nice={_NICE[request.urgency]}", f"--partition={partition}", "--nodes=1", "--ntasks=1",
            f"--cpus-per-task={request.cores}", f"--mem={request.memory_mb}", "--requeue", "--export=ALL",
            "--output=/dev/null", f"--job-name={listed.name}", f"--chdir={listed.parent}",
        ]  # fmt: skip
        options += [f"--gres=gpu:{request.gpus}"] if request.gpus else []
        options += [f"--array=0-{len(folders) - 1}"] if len(folders) > 1 else []
        answer = self._run(["sbatch", *options], given=_script(listed)).strip().partition(";")[0]
        return [answer] if len(folders) == 1 else [f"{answer}_{place}" for place in range(len(folders))]

    def queue(self) -> dict[str, Queued]:
        """Every job that Slurm has not done with, by id."""
        told = self._run(["squeue", "--noheader", "--array", "--format=%i|%j|%T|%q|%r"])
        rows = (line.split("|") for line in told.splitlines())
        return {
            row[0]: Queued(id=row[0], name=row[1], state=row[2], qos=row[3], reason=row[4])
            for row in rows
            if len(row) == 5
        }

    def relabel(self, ids: Iterable[str], qos: str) -> None:
        """Let waiting jobs wait on other terms. One that has started meanwhile stays as it is."""
        for some in _batches(ids):
            self._run(["scontrol", "update", f"jobid={','.join(some)}", f"qos={qos}"], may_fail=True)

    def cancel(self, ids: Iterable[str]) -> None:
        """Take jobs out."""
        for some in _batches(ids):
            self._run(["scancel", *some], may_fail=True)

    def nodes(self) -> list[Node]:
        """The machines."""
        told = self._run(
            ["sinfo", "--noheader", "--Node", "--Format=NodeList:40,CPUsState:40,Memory:20,Gres:60,StateLong:40"]
        )
        found = {}
        for row in (line.split() for line in told.splitlines()):
            held, _, _, cores = (int(one) for one in row[1].split("/"))
            gpus = sum(int(one.split(":")[-1].partition("(")[0]) for one in row[3].split(",") if one.startswith("gpu"))
            found[row[0]] = Node(
                name=row[0], cores=cores, memory_mb=int(row[2]), gpus=gpus, cores_held=held, state=row[4].lower()
            )
        return list(found.values())

    def administer(self, lines: Sequence[str]) -> None:
        """Give commands to `sacctmgr`, all in one call; what is there already stays.

        Raises:
            EngineError: it cannot be reached, or does not understand one.
        """
        if not lines:
            return
        # Its status is 1 where one of many had nothing to add, so what it says is what counts.
        done = self._call(["sacctmgr", "--immediate"], "".join(f"{line}\n" for line in [*lines, "quit"]))
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
        if wrong := [line for line in said if "error:" in line or line.startswith(("Unknown", "Bad"))]:
            raise EngineError(f"Slurm refuses: {' | '.join(wrong[:3])}", where="sacctmgr", way_out=_WAY_OUT)

    def rights(self) -> dict[str, Right]:
        """The hospitals that have accounts, with what each is sure of."""
        told = self._run(["sacctmgr", "--noheader", "--parsable2", "list", "qos", "format=name,grptres"])
        found = {}
        for name, most in (line.split("|") for line in told.splitlines()):
            if name.startswith("own_"):
                limits = dict(one.split("=") for one in most.split(",") if one)
                cores, gpus = int(limits.get("cpu", 0)), int(limits.get("gres/gpu", 0))
                found[name.removeprefix("own_")] = Right(cores=cores, gpus=gpus)
        return found

    def set_up(self, hospitals: Iterable[str], new: Iterable[str], user: str) -> None:
        """Make accounts and terms of hospitals, without rights yet.

        Args:
            hospitals: all of them, by id.
            new: those that have none.
            user: of the operating system, who submits for all of them.
        """
        # A line costs a third of a second, whatever it does; so one line does the same for all hospitals where it can.
        names, new = sorted(hospitals), sorted(new)
        lines = [f"add qos idle priority={QOS_PRIORITY['idle']} preemptmode=requeue usagefactor=0"]
        more_of: Mapping[Terms, str] = {
            "borrow": f"usagefactor={SHARE_OF_BORROWED} preempt=idle", "urgent": "", "own": ""
        }  # fmt: skip
        for terms, more in more_of.items():
            every = ",".join(qos_name(terms, one) for one in new)
            lines += [f"add qos {every} priority={QOS_PRIORITY[terms]} preemptmode=requeue {more}".rstrip()]
        lines += [f"add account {','.join(new)} organization=alliance"]
        lines += [f"add user {user} account={','.join(new)}"]
        known = ["idle", *(qos_name(terms, one) for one in names for terms in more_of)]
        lines += [f"modify user {user} where account={','.join(names)} set qos={','.join(known)}"]
        borrowed = ",".join(qos_name("borrow", one) for one in names)
        for one in new:
            lines += [f"modify qos {qos_name('urgent', one)} set preempt=idle,{borrowed},{qos_name('own', one)}"]
        if old := [qos_name("urgent", one) for one in names if one not in new]:
            added = ",".join(qos_name("borrow", one) for one in new)
            lines += [f"modify qos where name={','.join(old)} set preempt+={added}"]
        self.administer(lines)

    def set_rights(self, hospitals: Mapping[str, Right]) -> None:
        """Change what hospitals are sure of."""
        self.administer(self._limits(hospitals))

    def set_lenders(self, hospitals: Iterable[str], beyond: Iterable[str]) -> None:
        """Say whose borrowed jobs may be taken back by those who have a right to the cores.

        Args:
            hospitals: all of them.
            beyond: those that run more than their right.
        """
        own = ",".join(qos_name("own", one) for one in sorted(hospitals))
        taken = ",".join(["idle", *(qos_name("borrow", one) for one in sorted(beyond))])
        self.administer([f"modify qos where name={own} set preempt={taken}"])

    def _limits(self, hospitals: Mapping[str, Right]) -> list[str]:
        if self._has_cards is None:  # a cluster without cards does not know the word
            self._has_cards = any(one.gpus for one in self.nodes())
        alike: dict[Right, list[str]] = {}
        for hospital, right in hospitals.items():
            alike.setdefault(right, []).append(hospital)
        lines = []
        for right, some in alike.items():
            most = f"GrpTRES=cpu={right.cores}" + (f",gres/gpu={right.gpus}" if self._has_cards else "")
            qos = ",".join(qos_name(terms, one) for one in some for terms in ("own", "urgent"))
            lines += [f"modify qos where name={qos} set {most}"]
            lines += [f"modify account where name={','.join(some)} set fairshare={max(right.cores, 1)}"]
        return lines

    def _run(self, command: Sequence[str], *, given: str = "", may_fail: bool = False) -> str:
        done = self._call(command, given)
        if done.returncode and not may_fail:
            said = " | ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-2:])
            raise EngineError(f"Slurm refuses: {said}", where=command[0], way_out=_WAY_OUT)
        return done.stdout

    def _call(self, command: Sequence[str], given: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                command, input=given, env=self._environment, capture_output=True, text=True, check=False,
                timeout=_WITHIN,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise EngineError(f"Slurm cannot be reached ({problem})", where=command[0], way_out=_WAY_OUT) from problem


_WAY_OUT = "`consilium alliance status` tells what runs of it."


def _script(listed: Path) -> str:
    place = "$((${SLURM_ARRAY_TASK_ID:-0} + 1))p"
    return (
        f'#!/bin/sh\nfolder=$(sed -n "{place}" {shlex.quote(str(listed))})\n'
        'exec >>"$folder/runner.log" 2>&1\n'
        f'exec {shlex.quote(sys.executable)} -m consilium.alliance.compute.run_job "$folder"\n'
    )


def _batches(ids: Iterable[str], size: int = 200) -> Iterable[list[str]]:
    every = list(ids)
    return (every[start : start + size] for start in range(0, len(every), size))
