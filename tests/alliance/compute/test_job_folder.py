"""The folder of a job: what is told of it whatever happened to those who wrote it, to the disk and to the clock."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.alliance.compute.job import Request
from consilium.alliance.compute.job_folder import HANDED_BACK, LOST, JobFolder, Unfinished, folders, new_folder
from consilium.errors import OutputError
from tests.alliance.compute.contract import asked
from tests.alliance.compute.test_embedded import EmbeddedEngine


def request_for(folder: Path, **more: object) -> Request:
    return asked(folder, "true", cores=2, **more)


def tries_of(folder: JobFolder, *told: dict[str, object]) -> None:
    folder.write("tries.json", [{"started": 0.0, "ended": None, "how": "", "terms": "", **one} for one in told])


def test_seconds_are_parted_by_their_terms(tmp_path: Path) -> None:
    folder = new_folder(tmp_path, request_for(tmp_path))
    tries_of(
        folder,
        {"started": 100.0, "ended": 110.0, "how": HANDED_BACK, "terms": "borrow"},
        {"started": 200.0, "how": LOST, "terms": "own"},  # nobody knows when it ended
        {"started": 300.0, "ended": 304.0, "how": HANDED_BACK, "terms": "own"},
        {"started": 400.0, "terms": "borrow"},
    )
    folder.write("ended.json", {"state": "done", "time": 420.0, "exit_status": 0, "reason": ""})
    job = folder.job()
    assert (job.tries, job.preempted, job.started, job.ended) == (4, 2, 400.0, 420.0)
    assert (job.core_seconds, job.lost_core_seconds, job.borrowed_core_seconds) == (68.0, 28.0, 40.0)
    assert folder.lost_tries() == 1


def test_a_clock_that_went_back_makes_no_negative_bill(tmp_path: Path) -> None:
    folder = new_folder(tmp_path, request_for(tmp_path))
    tries_of(folder, {"started": time.time() + 3600})
    folder.tell_ended("done", exit_status=0)
    assert folder.job().core_seconds == 0.0


def test_what_was_open_is_lost_when_the_next_try_starts(tmp_path: Path) -> None:
    folder = new_folder(tmp_path, request_for(tmp_path))
    assert folder.tell_started(terms="own") == 1
    assert "lost" in folder.job().reason  # nobody holds its lock
    assert folder.tell_started(terms="borrow") == 2
    folder.tell_handed_back()
    assert [one["how"] for one in folder.tries()] == [LOST, HANDED_BACK]
    assert "gave" in folder.job().reason


@pytest.mark.parametrize("hint", [None, "", "7", "x", "-3", "2"])
def test_a_number_is_given_once_whatever_the_hint_says(tmp_path: Path, hint: str | None) -> None:
    numbers = [new_folder(tmp_path, request_for(tmp_path)).number for _ in range(3)]
    (tmp_path / ".newest").unlink()
    if hint is not None:
        (tmp_path / ".newest").write_text(hint)
    numbers += [new_folder(tmp_path, request_for(tmp_path)).number for _ in range(2)]
    assert len(set(numbers)) == 5 and numbers[:3] == [1, 2, 3]
    assert [one.number for one in folders(tmp_path)] == sorted(numbers)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "how", "x"]), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(max_size=60) | ANY_JSON.map(lambda told: json.dumps(told).encode()))
def test_any_bytes_in_the_place_of_its_files_leave_it_waiting(content: bytes) -> None:
    with TemporaryDirectory() as place:
        folder = new_folder(Path(place), request_for(Path(place)))
        for name in ("tries.json", "ended.json", "scheduler.json", "submitted.json"):
            (folder.path / name).write_bytes(content)
        assert folder.job().state == "waiting"
        assert folder.job().tries == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted by this user")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_refuses_a_job_in_words_and_keeps_the_others(small_disk: Path) -> None:
    engine = EmbeddedEngine(small_disk / "compute")
    kept = engine.taken(request_for(small_disk))
    filling = (small_disk / "filling").open("wb", buffering=0)
    with filling, suppress(OSError):
        while True:
            filling.write(b"\0" * 512)
    with pytest.raises(OutputError, match="cannot be written") as refused:
        engine.taken(request_for(small_disk))
    assert refused.value.way_out
    assert [one.number for one in folders(small_disk / "compute" / "jobs")] == [kept.number]
    assert not list((small_disk / "compute" / "jobs").glob(".new-*"))
    (small_disk / "filling").unlink()
    assert engine.taken(request_for(small_disk)).number == kept.number + 1


def test_jobs_that_are_not_over_are_seen_whenever_they_come_and_go(tmp_path: Path) -> None:
    unfinished = Unfinished(tmp_path / "jobs")
    assert unfinished.now() == []
    first = new_folder(tmp_path / "jobs", request_for(tmp_path))
    assert [one.number for one in unfinished.now()] == [1]
    os.utime(tmp_path / "jobs", (1, 1))  # as if nothing had come for long
    assert [one.number for one in unfinished.now()] == [1]
    second = new_folder(tmp_path / "jobs", request_for(tmp_path))
    assert [one.number for one in unfinished.now()] == [1, 2]
    first.tell_ended("done")
    assert [one.number for one in unfinished.now()] == [2]
    second.tell_ended("done")
    os.utime(tmp_path / "jobs", (1, 1))
    assert unfinished.now() == [] and unfinished.now() == []
