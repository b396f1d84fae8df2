"""What is shown on standard error while a case is karyotyped: a bar on a terminal, lines anywhere else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from consilium.karyotype.metaphase import Failure

if TYPE_CHECKING:
    from consilium.karyotype.case import Progress

Show = Callable[["Progress"], None]


@contextlib.contextmanager
def case_progress(total: int) -> Iterator[Show]:
    """Show the progress of a case of `total` images.

    Yields:
        What is to be called after each image.
    """
    if not sys.stderr.isatty():
        yield lambda progress: click.echo(f"[{progress.done}/{progress.total}] {_line(progress)}", err=True)
        return
    # rich takes a tenth of a second to import, which lines do not need.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("Karyotyping"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def show(progress: Progress) -> None:
            bar.update(task, completed=progress.done)
            if isinstance(progress.outcome, Failure):
                bar.console.print(escape(_line(progress)), style="yellow", highlight=False)

        yield show


def _line(progress: Progress) -> str:
    outcome = progress.outcome
    if isinstance(outcome, Failure):
        return f"{outcome.image}: not used: {outcome.message}"
    return f"{outcome.image}: {outcome.karyotype}"
