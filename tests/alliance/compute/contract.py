"""What every engine must do; each engine's test module makes an `engine` and takes this in."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from consilium.alliance.compute.engine import Engine
from consilium.alliance.compute.job import LIVE, Job, Request
from consilium.errors import EngineError, InputError

WITHIN = 100.0


def asked(folder: Path, *command: str, **more: object) -> Request:
    """A small request."""
    known: dict[str, object] = {"hospital": "hospital_a", "person": "tester", "memory_mb": 64}
    return Request(command=command, folder=str(folder), **{**known, **more})  # type: ignore[arg-type]


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def until(true: Callable[[], bool], within: float = WITHIN) -> None:
    """Wait for something that comes soon.

    Raises:
        AssertionError: it does not.
    """
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def over(engine: Engine, number: int, within: float = WITHIN) -> Job:
    """The job when it has ended."""
    until(lambda: engine.job(number).state not in LIVE, within)
    return engine.job(number)


class EngineContract:
    """Tests of `Engine`; a subclass is handed `engine`, a fixture."""

    def test_a_job_runs_where_it_was_asked_for_and_is_told_of(self, engine: Engine, tmp_path: Path) -> None:
        before = time.time()
        taken = engine.submit(asked(tmp_path, *python("import os; print('在', os.getcwd())"), name="first"))
        job = over(engine, taken.number)
        assert (job.state, job.exit_status, job.reason, job.tries) == ("done", 0, "", 1)
        assert job.request == taken.request
        assert job.started is not None and job.ended is not None
        assert before - 1 <= job.submitted <= job.started + 1 <= job.ended + 2
        assert "".join(engine.output(taken.number)) == f"在 {tmp_path}\n"
        assert job.number in [one.number for one in engine.jobs(hospital="hospital_a")]
        assert job.number not in [one.number for one in engine.jobs(live=True)]
        assert engine.jobs(hospital="hospital_b") == []

    def test_a_job_acts_in_the_name_of_whoever_asked_for_it(self, engine: Engine, tmp_path: Path) -> None:
        asks = python("import os; print(os.environ['CONSILIUM_PERSON'])")
        jobs = [engine.submit(asked(tmp_path, *asks, person=name)) for name in ("tang", "李")]
        assert ["".join(engine.output(over(engine, one.number).number)).strip() for one in jobs] == ["tang", "李"]

    @pytest.mark.parametrize("status", [1, 3, 77])
    def test_a_failure_keeps_its_exit_status_and_what_it_wrote(
        self, engine: Engine, tmp_path: Path, status: int
    ) -> None:
        code = f"import sys; print('so far'); sys.stderr.write('broken'); sys.exit({status})"
        job = over(engine, engine.submit(asked(tmp_path, *python(code))).number)
        assert (job.state, job.exit_status) == ("failed", status)
        assert str(status) in job.reason
        assert sorted("".join(engine.output(job.number)).split()) == ["broken", "far", "so"]

    def test_a_program_that_is_not_there(self, engine: Engine, tmp_path: Path) -> None:
        job = over(engine, engine.submit(asked(tmp_path, "no-such-program-anywhere")).number)
        assert (job.state, job.exit_status) == ("failed", 127)

    def test_words_reach_the_command_as_they_are(self, engine: Engine, tmp_path: Path) -> None:
        words = ["a b", "$HOME", "'; echo hacked", "*", "", "--x=%{TASK_ID}", "病例 7"]
        code = "import sys, json; print(json.dumps(sys.argv[1:], ensure_ascii=False))"
        job = over(engine, engine.submit(asked(tmp_path, *python(code), *words)).number)
        import json

        assert json.loads("".join(engine.output(job.number))) == words

    def test_what_runs_is_cancelled_and_may_tidy_up(self, engine: Engine, tmp_path: Path) -> None:
        code = (
            "import time, pathlib\n"
            "pathlib.Path('half').touch()\n"
            "try:\n    time.sleep(120)\n"
            "except KeyboardInterrupt:\n    pathlib.Path('half').unlink(); raise SystemExit(130)\n"
        )
        number = engine.submit(asked(tmp_path, *python(code))).number
        until((tmp_path / "half").exists)
        assert engine.job(number).state == "running"
        engine.cancel(number)
        job = over(engine, number)
        assert job.state == "cancelled"
        assert not (tmp_path / "half").exists()
        assert engine.cancel(number) == job  # it stays as it is

    def test_what_waits_never_starts_once_cancelled(self, engine: Engine, tmp_path: Path) -> None:
        every = engine.capacity().cores
        blocker = engine.submit(asked(tmp_path, *python("import time; time.sleep(120)"), cores=every)).number
        until(lambda: engine.job(blocker).state == "running")
        number = engine.submit(asked(tmp_path, *python("open('started', 'w')"))).number
        assert engine.job(number).state == "waiting"
        engine.cancel(number)
        engine.cancel(blocker)
        assert over(engine, number).state == "cancelled"
        assert over(engine, blocker).state == "cancelled"
        assert not (tmp_path / "started").exists()

    def test_the_urgent_goes_first(self, engine: Engine, tmp_path: Path) -> None:
        every = engine.capacity().cores
        blocker = engine.submit(asked(tmp_path, *python("import time; time.sleep(2)"), cores=every)).number
        until(lambda: engine.job(blocker).state == "running")
        numbers = {
            urgency: engine.submit(
                asked(tmp_path, *python("pass"), cores=every, urgency=urgency)
            ).number
            for urgency in ("idle", "research", "clinical", "emergency")
        }  # fmt: skip
        started = {urgency: over(engine, number).started or 0.0 for urgency, number in numbers.items()}
        assert sorted(started, key=lambda one: started[one]) == ["emergency", "clinical", "research", "idle"]

    def test_cores_are_not_given_twice(self, engine: Engine, tmp_path: Path) -> None:
        every = engine.capacity().cores
        code = "import time; print(time.time()); time.sleep(0.4); print(time.time())"
        numbers = [engine.submit(asked(tmp_path, *python(code), cores=every)).number for _ in range(3)]
        times = []
        for number in numbers:
            over(engine, number)
            first, last = "".join(engine.output(number)).split()
            times.append((float(first), float(last)))
        times.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(times))

    def test_what_can_never_run_is_refused_at_once(self, engine: Engine, tmp_path: Path) -> None:
        much = engine.capacity()
        for more in ({"cores": much.cores + 1}, {"memory_mb": much.memory_mb + 1}, {"gpus": much.gpus + 1}):
            with pytest.raises(EngineError) as refused:
                engine.submit(asked(tmp_path, "true", **more))
            assert refused.value.way_out

    def test_capacity_and_usage_are_those_of_the_jobs(self, engine: Engine, tmp_path: Path) -> None:
        free = engine.capacity()
        assert (free.running, free.waiting, free.cores_held) == (0, 0, 0)
        number = engine.submit(asked(tmp_path, *python("import time; time.sleep(1.5)"), hospital="hospital_b")).number
        until(lambda: engine.capacity().running == 1)
        assert engine.capacity().cores_held == 1
        job = over(engine, number)
        failed = over(engine, engine.submit(asked(tmp_path, "false", hospital="hospital_b")).number)
        (row,) = [one for one in engine.usage() if one.hospital == "hospital_b"]
        assert (row.jobs, row.failed) == (2, 1)
        assert row.core_hours == pytest.approx((job.core_seconds + failed.core_seconds) / 3600)
        assert 1.4 < job.core_seconds < 60

    def test_a_job_that_is_not_there(self, engine: Engine) -> None:
        for call in (engine.job, engine.cancel, lambda number: next(engine.output(number))):
            with pytest.raises(InputError, match="no job 4711"):
                call(4711)

    def test_many_jobs_of_ten_hospitals_all_run_once(self, engine: Engine, tmp_path: Path) -> None:
        code = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('x').close()"
        numbers = [
            engine.submit(
                asked(tmp_path, *python(code), f"ran-{number}", hospital=f"hospital_{number % 10}")
            ).number
            for number in range(40)
        ]  # fmt: skip
        assert len(set(numbers)) == 40
        assert [over(engine, number).state for number in numbers] == ["done"] * 40
        assert len(list(tmp_path.glob("ran-*"))) == 40
