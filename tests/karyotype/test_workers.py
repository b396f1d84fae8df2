"""Worker processes: what they give back, and what happens when one is killed or nobody waits for them."""

from __future__ import annotations

import math
import multiprocessing
import operator
import os
import signal
import threading
import time
from functools import partial
from typing import Any

import pytest

from consilium.errors import WorkerDied
from consilium.karyotype.workers import available_cores, map_in_processes

DEADLY = 3


def _all(function: Any, items: list[Any], workers: int = 2) -> dict[int, Any]:
    return dict(map_in_processes(function, items, workers=workers))


def test_every_item_comes_back_under_its_index() -> None:
    assert _all(math.sqrt, [4.0, 9.0, 16.0, 25.0, 36.0]) == {0: 2.0, 1: 3.0, 2: 4.0, 3: 5.0, 4: 6.0}
    assert multiprocessing.active_children() == []


def test_an_exception_takes_the_place_of_its_own_item_only() -> None:
    results = _all(partial(operator.truediv, 6), [2, 0, 3])
    assert isinstance(results[1], ZeroDivisionError)
    assert (results[0], results[2]) == (3.0, 2.0)


def test_a_worker_that_ends_loses_only_its_item() -> None:
    # os._exit ends the process as an out-of-memory kill does: nothing is sent back.
    results = _all(os._exit, [DEADLY, DEADLY, DEADLY])
    assert [type(results[index]) for index in range(3)] == [WorkerDied] * 3
    assert "ended with status 3" in str(results[0])
    assert "fewer workers" in results[0].way_out


def test_a_killed_worker_names_the_signal() -> None:
    results = _all(signal.raise_signal, [signal.SIGKILL], workers=1)
    assert "killed by signal 9" in str(results[0])


def test_results_that_cannot_be_sent_become_an_error_with_their_text() -> None:
    unsendable = _all(memoryview, [b"x"], workers=1)[0]
    assert isinstance(unsendable, RuntimeError)
    assert "memoryview" in str(unsendable)


def test_stopping_early_ends_the_workers() -> None:
    outcomes = map_in_processes(math.sqrt, [1.0] * 6, workers=2)
    next(outcomes)
    assert len(multiprocessing.active_children()) == 2
    outcomes.close()
    assert multiprocessing.active_children() == []


def test_an_interruption_while_waiting_ends_the_workers() -> None:
    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(KeyboardInterrupt):
            list(map_in_processes(time.sleep, [60.0, 60.0], workers=2))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert multiprocessing.active_children() == []


def test_ctrl_c_is_held_from_workers_from_their_first_moment_and_not_from_the_caller() -> None:
    blocked = partial(signal.pthread_sigmask, signal.SIG_BLOCK)
    before = blocked(())
    assert _all(blocked, [()], workers=1) == {0: {signal.SIGINT}}
    assert blocked(()) == before == set()


def test_workers_can_be_started_from_another_thread() -> None:
    results: dict[int, Any] = {}
    thread = threading.Thread(target=lambda: results.update(_all(math.sqrt, [4.0], workers=1)))
    thread.start()
    thread.join()
    assert results == {0: 2.0}


def test_cores_are_counted() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
