"""The embedded engine: the contract, and what no crash may do to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("hyperqueue", reason="jobs are run by HyperQueue (extra compute)")

from consilium.alliance.compute.embedded import EmbeddedEngine
from consilium.alliance.compute.engine import Engine, Lease
from consilium.alliance.compute.job import LIVE
from consilium.alliance.compute.job_folder import MOST_TRIES
from consilium.errors import EngineError
from tests.alliance.compute.contract import EngineContract, asked, over, python, until


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    made = EmbeddedEngine(tmp_path_factory.mktemp("engine"))
    yield made
    for one in made.jobs(live=True):
        made.cancel(one.number)
    made.stop()


class TestContract(EngineContract):
    """The embedded engine is an engine."""


def test_it_is_an_engine(engine: EmbeddedEngine) -> None:
    typed: Engine = engine
    assert typed.name == "embedded"


def test_it_has_no_leases_and_says_so(engine: EmbeddedEngine) -> None:
    with pytest.raises(EngineError, match="lease") as refused:
        engine.set_lease(Lease(hospital="hospital_a", cores=1))
    assert "slurm" in refused.value.way_out


def test_a_killed_engine_loses_no_job(engine: EmbeddedEngine, tmp_path: Path) -> None:
    code = (
        "import os, time, pathlib\n"
        "pathlib.Path(f'try-{os.environ[\"CONSILIUM_TRY\"]}').touch()\n"
        "time.sleep(60 if os.environ['CONSILIUM_TRY'] == '1' else 0)\n"
    )
    running = engine.submit(asked(tmp_path, *python(code), cores=engine.capacity().cores)).number
    waiting = engine.submit(asked(tmp_path, *python("print('late but whole')"))).number
    until((tmp_path / "try-1").exists)
    server = engine.server()
    assert server is not None
    os.kill(server, signal.SIGKILL)
    until(lambda: engine.job(running).state != "running")
    assert engine.job(running).reason  # says that it starts again
    assert engine.server() is None
    engine.start()
    first = over(engine, running)
    assert (first.state, first.tries) == ("done", 2)
    assert (tmp_path / "try-2").exists()
    second = over(engine, waiting)
    assert (second.state, second.tries) == ("done", 1)
    assert "".join(engine.output(waiting)) == "late but whole\n"


def test_a_killed_runner_takes_its_command_along_and_the_job_starts_again(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    code = (
        "import os, time; print(os.getpid(), os.getppid(), flush=True)\n"
        "time.sleep(60 if os.environ['CONSILIUM_TRY'] == '1' else 0)\n"
    )
    number = engine.submit(asked(tmp_path, *python(code))).number
    until(lambda: len("".join(engine.output(number)).split()) == 2)
    command, runner = map(int, "".join(engine.output(number)).split())
    os.kill(runner, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{command}").exists())
    job = over(engine, number)
    assert (job.state, job.tries) == ("done", 2)


def test_what_brings_its_machine_down_again_and_again_is_given_up(engine: EmbeddedEngine, tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getppid(), signal.SIGKILL); import time; time.sleep(60)"
    job = over(engine, engine.submit(asked(tmp_path, *python(code))).number)
    assert job.state == "failed"
    assert job.tries == MOST_TRIES + 1
    assert f"lost {MOST_TRIES} times" in job.reason


def test_it_ends_when_there_is_nothing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIUM_IDLE", "0.5")
    engine = EmbeddedEngine(tmp_path / "engine")
    job = over(engine, engine.submit(asked(tmp_path, "true")).number)
    assert job.state == "done"
    until(lambda: engine.server() is None)
    again = over(engine, engine.submit(asked(tmp_path, "true")).number)  # and starts again by itself
    assert again.number == job.number + 1


def test_two_engines_on_one_folder_run_a_job_once(engine: EmbeddedEngine, tmp_path: Path) -> None:
    other = EmbeddedEngine(engine._home)
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('x').close()"
    numbers = [
        one.submit(asked(tmp_path, *python(code), f"r{k}-{n}")).number
        for k in range(4)
        for n, one in enumerate((engine, other))
    ]
    assert all(over(engine, number).state == "done" for number in numbers)
    assert engine.server() == other.server()


def test_a_damaged_request_is_named_and_stops_nobody_else(engine: EmbeddedEngine, tmp_path: Path) -> None:
    number = over(engine, engine.submit(asked(tmp_path, "true")).number).number
    damaged = engine._home / "jobs" / str(number)
    (damaged / "request.json").write_text("{")
    with pytest.raises(EngineError, match=f"job {number}"):
        engine.job(number)


def test_memory_is_not_given_twice(engine: EmbeddedEngine, tmp_path: Path) -> None:
    much = engine.capacity().memory_mb * 2 // 3
    code = "import time; print(time.time()); time.sleep(0.4); print(time.time())"
    numbers = [engine.submit(asked(tmp_path, *python(code), memory_mb=much)).number for _ in range(2)]
    times = []
    for number in numbers:
        over(engine, number)
        times.append([float(word) for word in "".join(engine.output(number)).split()])
    times.sort()
    assert times[0][1] <= times[1][0]


def _verb(home: Path, *words: str, check: bool = True, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CONSILIUM_HOME": str(home), "CONSILIUM_IDLE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "consilium", "compute", *words], env=environment, capture_output=True, text=True,
        check=check, cwd=cwd, timeout=100,
    )  # fmt: skip


def test_the_verb_waits_shows_and_ends_with_the_exit_status(tmp_path: Path) -> None:
    home = tmp_path / "home"
    good = _verb(home, "submit", "--wait", "--", "consilium", "iscn", "check", "47,XX,+21", cwd=tmp_path)
    assert "47,XX,+21" in good.stdout
    bad = _verb(home, "submit", "--wait", "--", "consilium", "iscn", "check", "46,XX,+21", check=False)
    assert bad.returncode == 1
    assert "failed" in bad.stderr
    listed = [json.loads(line) for line in _verb(home, "list", "--all", "--json").stdout.splitlines()]
    assert [one["state"] for one in listed] == ["done", "failed"]
    assert "no job 9" in _verb(home, "state", "9", check=False).stderr
    assert "core_hours" in _verb(home, "usage", "--csv").stdout
    ledger = subprocess.run(
        [sys.executable, "-m", "consilium", "ledger", "verify"], env={**os.environ, "CONSILIUM_HOME": str(home)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ledger.stdout.startswith("2 entries, unbroken")


def test_the_verb_makes_a_job_of_each_line(tmp_path: Path) -> None:
    home, listed = tmp_path / "home", tmp_path / "listed.txt"
    listed.write_text("case 1\n\n  病例 2\n$HOME\n")
    code = "import sys; print(sys.argv[1:])"
    words = ("--each", str(listed), "--", sys.executable, "-c", code, "{}", "out/{}")
    done = _verb(home, "submit", "--wait", *words)
    for line in ("case 1", "病例 2", "$HOME"):
        assert f"['{line}', 'out/{line}']" in done.stdout
    assert _verb(home, "submit", *words).stdout.split() == ["4", "5", "6"]
    for lines, command, said in (("\n\n", ("echo", "{}"), "no line"), ("one\n", ("echo",), "no place")):
        listed.write_text(lines)
        refused = _verb(home, "submit", "--each", str(listed), "--", *command, check=False)
        assert refused.returncode == 4 and said in refused.stderr


def test_the_verb_takes_no_job_of_a_hospital_that_fills_its_disk(tmp_path: Path) -> None:
    home, full = tmp_path / "home", tmp_path / "full"
    full.mkdir()
    (full / "results").write_bytes(b"x" * 20_000)
    (home / "compute").mkdir(parents=True)
    (home / "compute" / "quotas.json").write_text(json.dumps({"own": {"size": "10k", "folders": [str(full)]}}))
    refused = _verb(home, "submit", "--", "true", check=False)
    assert refused.returncode == 4 and "storage" in refused.stderr
    assert not (home / "compute" / "jobs").exists()


def test_an_interrupted_wait_leaves_the_job_alone(tmp_path: Path) -> None:
    environment = {**os.environ, "CONSILIUM_HOME": str(tmp_path / "home"), "CONSILIUM_IDLE": "1"}
    code = "import time; print('begun', flush=True); time.sleep(3); print('whole')"
    waiting = subprocess.Popen(
        [sys.executable, "-m", "consilium", "compute", "submit", "--wait", "--", sys.executable, "-c", code],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )  # fmt: skip
    assert waiting.stdout is not None and waiting.stderr is not None
    assert waiting.stdout.readline() == "begun\n"
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(timeout=20) == 130
    assert "goes on" in waiting.stderr.read()
    engine = EmbeddedEngine(tmp_path / "home" / "compute")
    assert over(engine, 1).state == "done"
    assert "".join(engine.output(1)) == "begun\nwhole\n"
    waiting.stdout.close()
    waiting.stderr.close()
    until(lambda: engine.server() is None)
    assert not [one for one in engine.jobs() if one.state in LIVE]
    assert time.time() - (engine.job(1).ended or 0) < 60
