"""The Slurm engine on a real Slurm: the contract, whose cores are whose, and what no fault may do to a job."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from consilium.alliance.compute.agreement import Agreement
from consilium.alliance.compute.engine import Engine, Lease
from consilium.alliance.compute.slurm import SlurmEngine
from consilium.alliance.compute.slurm_cluster import PACKAGES, SlurmCluster, missing_programs
from consilium.alliance.compute.slurm_files import Layout
from consilium.alliance.compute.terms import Right
from consilium.alliance.roster import Hospital, Roster
from consilium.errors import EngineError
from tests.alliance.compute.contract import EngineContract, asked, over, python, until

if missing_programs():
    pytest.skip(f"Slurm is not installed: apt-get install {PACKAGES}", allow_module_level=True)

pytestmark = pytest.mark.timeout(400)


def engine_on(cluster: SlurmCluster, home: Path, hospitals: dict[str, int], *, lending: bool = True) -> SlurmEngine:
    """An engine of its own jobs on a cluster.

    Args:
        hospitals: and the cores that each is sure of.
    """
    roster = Roster(home / "roster.json")
    for hospital, cores in hospitals.items():
        roster.put_hospital(Hospital(id=hospital, cores=cores))
    Agreement(
        engine="slurm", conf=str(cluster.conf), lending=lending, roster=str(home / "roster.json"),
        leases=str(home / "leases.json"),
    ).keep(home)  # fmt: skip
    return SlurmEngine(home)


def ended(engine: SlurmEngine) -> None:
    for one in engine.jobs(live=True):
        engine.cancel(one.number)
    if engine.jobs(live=True):
        until(lambda: not engine.jobs(live=True))
    engine.stop()


@pytest.fixture(scope="module")
def one_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    cluster = SlurmCluster(tmp_path_factory.mktemp("one_node"))
    cluster.up(Layout(nodes=1, cores=8, memory_mb=4000))
    yield cluster
    cluster.down()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    made = SlurmCluster(tmp_path_factory.mktemp("cluster"))
    made.up(Layout(nodes=3, cores=4, memory_mb=4000, gpus=1, cloud=1))
    yield made
    made.down()


@pytest.fixture
def engine(cluster: SlurmCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmEngine]:
    """Twelve cores: six are hospital_a's, four hospital_b's, two hospital_c's."""
    made = engine_on(cluster, tmp_path_factory.mktemp("engine"), {"hospital_a": 6, "hospital_b": 4, "hospital_c": 2})
    yield made
    ended(made)
    cluster.up(cluster.layout())  # whatever a test brought down


SLEEP = "import time; time.sleep({})"
WAIT = "import os, time\nwhile not os.path.exists({!r}): time.sleep(0.05)"


def asleep(engine: SlurmEngine, folder: Path, count: int, *, seconds: float = 100, **more: object) -> list[int]:
    """So many jobs of one core that sleep."""
    return [engine.submit(asked(folder, *python(SLEEP.format(seconds)), **more)).number for _ in range(count)]


def at_work(engine: SlurmEngine, folder: Path, count: int, until_there_is: str, **more: object) -> list[int]:
    """So many jobs of one core that run until there is a file of that name."""
    code = python(WAIT.format(until_there_is))
    return [engine.submit(asked(folder, *code, **more)).number for _ in range(count)]


def state_of(engine: SlurmEngine, numbers: list[int]) -> list[str]:
    return [engine.job(number).state for number in numbers]


def all_run(engine: SlurmEngine, numbers: list[int]) -> None:
    until(lambda: state_of(engine, numbers) == ["running"] * len(numbers))


class TestContract(EngineContract):
    """The Slurm engine is an engine."""

    @pytest.fixture
    def engine(self, one_node: SlurmCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmEngine]:
        others = {f"hospital_{name}": 0 for name in ("b", *range(10))}
        made = engine_on(one_node, tmp_path_factory.mktemp("engine"), {"hospital_a": 8, **others})
        yield made
        ended(made)


def test_it_is_an_engine(cluster: SlurmCluster, tmp_path: Path) -> None:
    typed: Engine = engine_on(cluster, tmp_path, {"hospital_a": 8})
    assert typed.name == "slurm"
    capacity = typed.capacity()
    assert (capacity.cores, capacity.gpus) == (12, 3)


def test_it_listens_on_loopback_alone_and_its_secrets_are_its_owners(cluster: SlurmCluster) -> None:
    home = cluster.conf.parents[1]
    ports = {int(port) for port in json.loads((home / "cluster.json").read_text())["place"]["ports"]}
    listening = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, port = line.split()[1].split(":")
        if line.split()[3] == "0A" and int(port, 16) in ports:
            listening[int(port, 16)] = address
    assert len(listening) >= 5 and set(listening.values()) == {"0100007F"}
    assert home.stat().st_mode & 0o077 == 0
    for secret in ("munge/munge.key", "etc/slurmdbd.conf", "etc/slurm.conf"):
        assert (home / secret).stat().st_mode & 0o077 == 0


def test_a_hospital_uses_what_others_have_no_use_for_and_they_get_it_back_at_once(
    engine: SlurmEngine, tmp_path: Path
) -> None:
    borrowed = asleep(engine, tmp_path, 12, hospital="hospital_b")
    all_run(engine, borrowed)  # three times its right
    until(lambda: engine.server() is not None)
    time.sleep(1.0)
    began = time.time()
    back = asleep(engine, tmp_path, 6, hospital="hospital_a", seconds=20)
    all_run(engine, back)
    assert max(engine.job(number).started or 0 for number in back) - began < 10
    states = [engine.job(number) for number in borrowed]
    gave_back = [one for one in states if one.preempted]
    # Slurm looks for room again while the first are still ending, and may take one or two more than it needs.
    assert 6 <= len(gave_back) <= 8
    assert all(one.preempted == 1 and "gave" in one.reason for one in gave_back)
    assert all(one.lost_core_seconds > 0.5 for one in gave_back)
    # The oldest are kept: those in the right of the hospital, then those that would lose most.
    assert [one.preempted for one in states[:4]] == [0] * 4


def test_a_hospital_within_its_right_loses_nothing(engine: SlurmEngine, tmp_path: Path) -> None:
    """Borrowed jobs become its right when its own end, although Slurm cannot change the label of what runs."""
    own = at_work(engine, tmp_path, 4, "own_ends", hospital="hospital_b")
    all_run(engine, own)
    borrowed = at_work(engine, tmp_path, 4, "borrowed_ends", hospital="hospital_b")
    all_run(engine, borrowed)
    (tmp_path / "own_ends").touch()
    for number in own:
        over(engine, number)
    others = asleep(engine, tmp_path, 4, hospital="hospital_c")  # two of them borrowed
    all_run(engine, others)
    time.sleep(1.5)  # the label of what may be taken follows
    back = at_work(engine, tmp_path, 6, "borrowed_ends", hospital="hospital_a")
    all_run(engine, back)
    (tmp_path / "borrowed_ends").touch()
    assert [over(engine, number).preempted for number in borrowed] == [0] * 4
    assert [engine.job(number).preempted for number in others[:2]] == [0] * 2
    assert [engine.job(number).preempted for number in others[2:]] == [1] * 2


def test_an_emergency_starts_at_once_on_a_full_cluster(engine: SlurmEngine, tmp_path: Path) -> None:
    full = [
        *asleep(engine, tmp_path, 6, hospital="hospital_a"), *asleep(engine, tmp_path, 4, hospital="hospital_b"),
        *asleep(engine, tmp_path, 2, hospital="hospital_c"),
    ]  # fmt: skip
    all_run(engine, full)
    (waits,) = asleep(engine, tmp_path, 1, hospital="hospital_b", urgency="clinical")
    began = time.time()
    (urgent,) = asleep(engine, tmp_path, 1, hospital="hospital_b", urgency="emergency", seconds=1)
    job = over(engine, urgent)
    assert (job.started or 0) - began < 10
    # It is its own hospital that makes room, not the others.
    assert [one.request.hospital for one in engine.jobs() if one.preempted] == ["hospital_b"]
    assert engine.job(waits).tries == 0


def test_what_would_lie_idle_gives_way_to_everybody(engine: SlurmEngine, tmp_path: Path) -> None:
    idle = asleep(engine, tmp_path, 12, hospital="hospital_a", urgency="idle")
    all_run(engine, idle)
    borrowed = asleep(engine, tmp_path, 6, hospital="hospital_c")
    all_run(engine, borrowed)
    assert sum(engine.job(number).preempted > 0 for number in idle) >= 6


def test_where_nothing_is_lent_each_has_its_own_and_no_more(
    cluster: SlurmCluster, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    engine = engine_on(cluster, tmp_path_factory.mktemp("alone"), {"hospital_a": 6, "hospital_b": 4}, lending=False)
    try:
        numbers = asleep(engine, tmp_path, 6, hospital="hospital_b")
        until(lambda: state_of(engine, numbers).count("running") == 4)
        time.sleep(2.0)
        assert state_of(engine, numbers).count("running") == 4
        with pytest.raises(EngineError, match="hospital_c"):
            engine.submit(asked(tmp_path, "true", hospital="hospital_c"))
    finally:
        ended(engine)


def test_a_lease_changes_whose_cores_are_whose(engine: SlurmEngine, tmp_path: Path) -> None:
    asleep(engine, tmp_path, 1, hospital="hospital_c", seconds=0)
    rights = engine._slurm.rights
    until(lambda: rights().get("hospital_c") == Right(cores=2))
    engine.set_lease(Lease(hospital="hospital_c", cores=7))
    engine.set_lease(Lease(hospital="hospital_a", cores=1))
    until(lambda: rights()["hospital_c"] == Right(cores=7) and rights()["hospital_a"] == Right(cores=1))
    borrowed = asleep(engine, tmp_path, 12, hospital="hospital_a")
    all_run(engine, borrowed)
    back = asleep(engine, tmp_path, 7, hospital="hospital_c", seconds=20)
    all_run(engine, back)


def test_cards_are_counted(engine: SlurmEngine, tmp_path: Path) -> None:
    with_card = asleep(engine, tmp_path, 4, hospital="hospital_a", gpus=1)
    until(lambda: state_of(engine, with_card).count("running") == 3)
    time.sleep(1.0)
    assert state_of(engine, with_card).count("running") == 3
    assert engine.capacity().gpus_held == 3


def test_a_node_is_started_for_a_patient_and_for_nobody_else(cluster: SlurmCluster, tmp_path: Path) -> None:
    home = tmp_path / "engine"
    roster = Roster(home / "roster.json")
    roster.put_hospital(Hospital(id="hospital_a", cores=12))
    Agreement(engine="slurm", conf=str(cluster.conf), cloud="cloud", roster=str(home / "roster.json")).keep(home)
    engine = SlurmEngine(home)
    try:
        all_run(engine, asleep(engine, tmp_path, 12, hospital="hospital_a"))
        (research,) = asleep(engine, tmp_path, 1, hospital="hospital_a", seconds=1)
        (clinical,) = asleep(engine, tmp_path, 1, hospital="hospital_a", seconds=1, urgency="clinical")
        assert over(engine, clinical).state == "done"
        assert engine.job(research).state == "waiting"
        assert "slurmd-c1" in cluster.running()
    finally:
        ended(engine)


def test_what_the_cluster_refuses_waits_with_the_reason_and_is_not_given_up(
    cluster: SlurmCluster, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("refused")
    engine = engine_on(cluster, home, {"hospital_a": 6})
    agreed = Agreement.of(home)
    replace(agreed, partition="nowhere").keep(home)
    engine = SlurmEngine(home)
    try:
        first, second = asleep(engine, tmp_path, 2, hospital="hospital_a", seconds=0)
        until(lambda: "does not take it" in engine.job(first).reason)
        assert engine.job(first).state == "waiting"
        engine.cancel(second)
        assert over(engine, second).state == "cancelled"
        engine.stop()
        agreed.keep(home)
        engine = SlurmEngine(home)
        engine.start()
        job = over(engine, first)
        assert (job.state, job.reason, job.tries) == ("done", "", 1)
        until(lambda: not list((home / "batches").iterdir()))  # nothing is left of what was handed over
    finally:
        ended(engine)


class TestFaults:
    """Nothing is lost, whatever dies."""

    def test_the_process_behind_it(self, engine: SlurmEngine, tmp_path: Path) -> None:
        numbers = at_work(engine, tmp_path, 3, "they_end", hospital="hospital_a")
        all_run(engine, numbers)
        server = engine.server()
        assert server is not None
        os.kill(server, signal.SIGKILL)
        until(lambda: engine.server() is None)
        (tmp_path / "they_end").touch()
        assert [over(engine, number).tries for number in numbers] == [1, 1, 1]  # Slurm goes on
        new = asleep(engine, tmp_path, 1, hospital="hospital_a", seconds=0)  # starts it again
        assert over(engine, new[0]).state == "done"

    def test_a_runner(self, engine: SlurmEngine, tmp_path: Path) -> None:
        code = (
            "import os, time; print(os.getppid(), flush=True)\n"
            "time.sleep(60 if os.environ['CONSILIUM_TRY'] == '1' else 0)"
        )
        number = engine.submit(asked(tmp_path, *python(code))).number
        until(lambda: "\n" in "".join(engine.output(number)))
        os.kill(int("".join(engine.output(number))), signal.SIGKILL)
        job = over(engine, number)
        assert (job.state, job.tries, job.preempted) == ("done", 2, 0)

    def test_a_node(self, engine: SlurmEngine, cluster: SlurmCluster, tmp_path: Path) -> None:
        """Its daemon and what ran there are gone; the job runs again, on whichever node, and its output is whole."""
        code = (
            "import os, sys, time, pathlib\n"
            "pathlib.Path(f'try-{os.environ[\"CONSILIUM_TRY\"]}').touch()\n"
            "time.sleep(60 if os.environ['CONSILIUM_TRY'] == '1' else 0)\n"
            "print('whole')"
        )
        number = engine.submit(asked(tmp_path, *python(code), cores=4)).number
        until((tmp_path / "try-1").exists)
        id_ = engine.folder(number).scheduler()["id"]
        until(lambda: engine._slurm.queue()[id_].state == "RUNNING")
        node = engine._slurm._run(["squeue", "-h", "-j", id_, "-o", "%N"]).strip()
        os.kill(cluster.running()[f"slurmd-{node}"], signal.SIGKILL)
        for process in processes_with(str(engine.folder(number).path)):
            os.kill(process, signal.SIGKILL)
        job = over(engine, number, within=110)
        assert (job.state, job.tries) == ("done", 2)
        assert "".join(engine.output(number)) == "whole\n"

    def test_the_controller(self, engine: SlurmEngine, cluster: SlurmCluster, tmp_path: Path) -> None:
        running = at_work(engine, tmp_path, 2, "they_end", hospital="hospital_a")
        waiting = asleep(engine, tmp_path, 1, hospital="hospital_a", seconds=0, cores=4)
        all_run(engine, running)
        os.kill(cluster.running()["slurmctld"], signal.SIGKILL)
        until(lambda: "slurmctld" not in cluster.running())
        meanwhile = engine.taken(asked(tmp_path, "true")).number
        (tmp_path / "they_end").touch()
        cluster.up(cluster.layout())
        every = [over(engine, number, within=90) for number in [*running, *waiting, meanwhile]]
        assert [one.state for one in every] == ["done"] * 4
        assert [one.tries for one in every] == [1] * 4

    def test_the_accounting(self, engine: SlurmEngine, cluster: SlurmCluster, tmp_path: Path) -> None:
        over(engine, asleep(engine, tmp_path, 1, hospital="hospital_a", seconds=0)[0])
        for daemon in ("slurmdbd", "mariadbd"):
            os.kill(cluster.running()[daemon], signal.SIGKILL)
        numbers = asleep(engine, tmp_path, 3, hospital="hospital_a", seconds=0.5)
        assert [over(engine, number).state for number in numbers] == ["done"] * 3
        cluster.up(cluster.layout())
        numbers = asleep(engine, tmp_path, 1, hospital="hospital_c", seconds=0.5)
        assert over(engine, numbers[0]).state == "done"


def processes_with(word: str) -> list[int]:
    """Processes that have a word on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if word in (entry / "cmdline").read_bytes().decode(errors="replace"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_a_hundred_jobs_of_ten_hospitals_are_handed_over_together(
    cluster: SlurmCluster, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    engine = engine_on(cluster, tmp_path_factory.mktemp("many"), {f"hospital_{number}": 1 for number in range(10)})
    try:
        code = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write('.')"
        numbers = [
            engine.submit(asked(tmp_path, *python(code), f"ran-{number}", hospital=f"hospital_{number % 10}")).number
            for number in range(100)
        ]
        assert [over(engine, number, within=110).state for number in numbers] == ["done"] * 100
        for place, number in enumerate(numbers):
            # One whose cores were wanted back after it had written is run again, and no other one is.
            ran = len((tmp_path / f"ran-{place}").read_text())
            assert 1 <= ran <= len(json.loads((engine.folder(number).path / "tries.json").read_text()))
        assert len({engine.folder(number).scheduler()["id"].partition("_")[0] for number in numbers}) < 60
        assert {one.hospital: one.jobs for one in engine.usage()} == {f"hospital_{n}": 10 for n in range(10)}
    finally:
        ended(engine)
