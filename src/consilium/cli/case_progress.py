"""What is shown on standard error while a case is karyotyped: a bar on a terminal, lines anywhere else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from consilium.karyotype.metaphase import Failure
from consilium.karyotype.withheld_sex import undisclosed

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from consilium.karyotype.case import Progress

Show = Callable[["Progress"], None]


@contextlib.contextmanager
def case_progress(total: int, *, sex_withheld: bool = False) -> Iterator[Show]:
    """Show the progress of a case of `total` images.

    Args:
        total: images of the case.
        sex_withheld: the karyotypes shown are not to tell the sex.

    Yields:
        What is to be called after each image.
    """
    if not sys.stderr.isatty():
        yield lambda progress: click.echo(
            f"[{progress.done}/{progress.total}] {_line(progress, sex_withheld)}", err=True
        )
        return
    # rich takes a tenth of a second to import, which lines do not need.
    from rich.markup import escape

    with _bar("Karyotyping", total) as (bar, task):

        def show(progress: Progress) -> None:
            bar.update(task, completed=progress.done)
            if isinstance(progress.outcome, Failure):
                bar.console.print(escape(_line(progress, sex_withheld)), style="yellow", highlight=False)

        yield show


@contextlib.contextmanager
def writing_progress(total: int) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how many of the `total` karyograms are drawn; it is too quick to fill a log with.

    Yields:
        What is to be called after each, with (done, total).
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with _bar("Writing", total) as (bar, task):
        yield lambda done, _total: bar.update(task, completed=done)


@contextlib.contextmanager
def _bar(what: str, total: int) -> Iterator[tuple[Bar, TaskID]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield bar, bar.add_task("", total=total)


def _line(progress: Progress, sex_withheld: bool) -> str:
    outcome = progress.outcome
    if isinstance(outcome, Failure):
        return f"{outcome.image}: not used: {outcome.message}"
    written = undisclosed(outcome.karyotype) if sex_withheld else outcome.karyotype
    return f"{outcome.image}: {written}"
