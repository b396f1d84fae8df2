"""Worker processes that lose one item, not the case, when one of them dies.

The pool of `concurrent.futures` gives up everything when a process is killed and cannot say what that process was
working on. Here each worker has a pipe of its own and one item at a time, so the item is known and the others go
on. Processes are spawned: a fork would copy the locks of threads that do not exist in the child.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import TypeVar

from consilium.errors import WorkerDied

Item = TypeVar("Item")
Result = TypeVar("Result")

_SECONDS_TO_END = 3.0


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection


def available_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], *, workers: int
) -> Generator[tuple[int, Result | Exception], None, None]:
    """Apply a function to every item in worker processes.

    Closing the iterator early, or an exception such as KeyboardInterrupt in whoever reads it, ends the workers.

    Args:
        function: must be picklable, as must its results.
        items: each is sent to a worker when it is that worker's turn.
        workers: processes at work at once, at least 1.

    Yields:
        (index, result) in the order in which items are done; the exception in place of the result where the
        function raised one, `WorkerDied` where its process did not survive the item.
    """
    context = multiprocessing.get_context("spawn")
    waiting = list(range(len(items)))[::-1]
    busy: dict[Connection, tuple[_Worker, int]] = {}
    idle: list[_Worker] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                worker = idle.pop() if idle else _start(context, function)
                index = waiting.pop()
                busy[worker.pipe] = worker, index
                # A worker that died at once is noticed below, when its pipe has ended.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    worker.pipe.send(items[index])
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                worker, index = busy.pop(pipe)
                try:
                    outcome = pipe.recv()
                except (EOFError, OSError):
                    yield index, _death_of(worker)
                else:
                    idle.append(worker)
                    yield index, outcome
    finally:
        _end([*idle, *(worker for worker, _ in busy.values())])


def _start(context: multiprocessing.context.SpawnContext, function: Callable[[Item], Result]) -> _Worker:
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(function, theirs), daemon=True)
    with _interrupts_held_back():
        process.start()
    # Only the worker holds its end now, so that its death ends the pipe.
    theirs.close()
    return _Worker(process, ours)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C goes to every process of the terminal; a worker inherits that it is none of its business.

    Said in the worker itself it would come too late for the seconds in which its modules are imported. In this
    process a Ctrl-C only waits until the worker has started.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Started by the first worker, the tracker would end the holding back before that worker exists.
    resource_tracker.ensure_running()
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _work(function: Callable[[Item], Result], pipe: Connection) -> None:
    """What a worker does until its pipe ends, which it also does when the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            item = pipe.recv()
            outcome: Result | Exception
            try:
                outcome = function(item)
            except Exception as problem:
                outcome = problem
            try:
                pipe.send(outcome)
            except (EOFError, BrokenPipeError, ConnectionResetError):
                raise
            except Exception as problem:
                # An exception of somebody else's library need not survive pickling; its text does.
                pipe.send(RuntimeError(f"{type(outcome).__name__}: {outcome} ({problem})"))


def _death_of(worker: _Worker) -> WorkerDied:
    worker.process.join(_SECONDS_TO_END)
    code = worker.process.exitcode
    manner = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with status {code}"
    worker.pipe.close()
    return WorkerDied(
        f"the process that worked on it {manner}",
        way_out="If memory ran out, close other programs or use fewer workers.",
    )


def _end(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.pipe.close()
        worker.process.terminate()
    for worker in workers:
        worker.process.join(_SECONDS_TO_END)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.process.close()
