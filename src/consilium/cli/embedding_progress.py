"""Which encoder a verb works with, and how far it is with the files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from consilium.generalist.embedding import Outcome
    from consilium.generalist.encoder import Encoder


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

    if not sys.stderr.isatty():
        done = 0

        def tell(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            if isinstance(outcome, NotEmbedded):
                click.echo(f"[{done}/{total}] {outcome.entry.file}: not used: {outcome.message}", err=True)
            elif done == total or done % 500 == 0:
                click.echo(f"[{done}/{total}]", err=True)

        yield tell
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Embedding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def show(outcome: Outcome) -> None:
            bar.advance(task)
            if isinstance(outcome, NotEmbedded):
                line = f"{outcome.entry.file}: not used: {outcome.message}"
                bar.console.print(escape(line), style="yellow", highlight=False)

        yield show
