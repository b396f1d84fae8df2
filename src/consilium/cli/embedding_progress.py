"""Which encoder a verb works with, and how far it is with the files."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from consilium.generalist.embedding import Outcome
    from consilium.generalist.encoder import Encoder

_WATCHED_SECONDS = 2.0


def encoder_called(spec: str) -> Encoder:
    """The encoder of a name: `shipped`, or what the extra `hub` finds."""
    if spec == "shipped":
        from consilium.generalist.shipped import shipped_encoder

        return shipped_encoder()
    from consilium.generalist.hub import hub_encoder

    return hub_encoder(spec)


@contextlib.contextmanager
def embedding_progress(total: int) -> Iterator[Callable[[Outcome], None]]:
    """A bar on a terminal; elsewhere a line for each image that could not be used, and now and then how far it is."""
    from consilium.generalist.embedding import NotEmbedded

    with work_progress(total, "Embedding") as work:
        yield lambda outcome: work(
            1, f"{outcome.entry.file}: not used: {outcome.message}" if isinstance(outcome, NotEmbedded) else ""
        )


@contextlib.contextmanager
def work_progress(total: float, title: str) -> Iterator[Callable[[float, str], None]]:
    """As `embedding_progress`, of work in steps of any size; the second argument is what went wrong, or empty."""
    if not sys.stderr.isatty():
        done, told = 0.0, 0
        # Somebody watches a job: in one, a line now and then whatever the number.
        every = _WATCHED_SECONDS if "CONSILIUM_JOB" in os.environ else math.inf
        last = time.monotonic()

        def tell(amount: float, problem: str) -> None:
            nonlocal done, told, last
            done += amount
            so_far = f"[{round(done)}/{round(total)}]"
            if problem:
                click.echo(f"{so_far} {problem}", err=True)
            elif done > total - 0.5 > done - amount or done // 500 > told or time.monotonic() - last > every:
                click.echo(so_far, err=True)
                last = time.monotonic()
            told = int(done // 500)

        yield tell
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def show(amount: float, problem: str) -> None:
            bar.advance(task, amount)
            if problem:
                bar.console.print(escape(problem), style="yellow", highlight=False)

        yield show
