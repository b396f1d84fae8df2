"""`consilium embed`: image files of any modality in, a table of features out."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consilium.cli.exit_codes import ExitCode
from consilium.errors import NothingToDo

if TYPE_CHECKING:
    from consilium.generalist.embedding import Outcome
    from consilium.generalist.encoder import Encoder


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Table of features: .parquet (extra 'specialist'), .npz or .csv.",
)
@click.option("--modality", metavar="ID", help="How the images were made, e.g. us; a manifest may say it row by row.")
@click.option(
    "--side", type=click.IntRange(min=32), metavar="PIXELS", help="Multiple of 32.  [default: the encoder's own]"
)
@click.option("--batch", type=click.IntRange(min=1), default=32, show_default=True, help="Pictures at once.")
@click.option(
    "--encoder",
    "spec",
    default="shipped",
    show_default=True,
    metavar="NAME",
    help="Or timm:NAME or hf:NAME of a public one (extra 'hub').",
)
@click.option("--cache/--no-cache", default=True, help="Keep features for the next time.  [default: --cache]")
def embed(
    inputs: tuple[Path, ...],
    out: Path,
    modality: str | None,
    side: int | None,
    batch: int,
    spec: str,
    cache: bool,
) -> ExitCode:
    """Turn images into features for a model of your own.

    INPUT is images, folders of them, or manifests: CSV files with a column "file" and, if known, "label", "group" and
    "modality". FILE receives one row an image. What was embedded before is taken from the cache, so that a call that
    was interrupted goes on where it stopped.
    """
    # Found before anything heavy is imported, so that a wrong name is answered at once.
    from consilium.generalist.feature_table import refuse_table
    from consilium.generalist.inputs import find_entries

    refuse_table(out)
    entries = find_entries(inputs)
    from consilium.generalist.cache import FeatureCache
    from consilium.generalist.embedding import Embedded, NotEmbedded, embed_files
    from consilium.generalist.feature_table import FeatureTable, write_table

    encoder = _encoder(spec)
    with _progress(len(entries)) as show:
        outcomes = embed_files(
            entries, encoder, modality=modality, side=side, batch=batch, cache=FeatureCache() if cache else None,
            on_outcome=show,
        )  # fmt: skip
    rows = [one for one in outcomes if isinstance(one, Embedded)]
    failed = [one for one in outcomes if isinstance(one, NotEmbedded)]
    if not rows:
        raise NothingToDo(
            "none of the images could be used", where=", ".join(str(one) for one in inputs), way_out=failed[0].message
        )
    write_table(
        FeatureTable(
            rows=rows, encoder=encoder.name, fingerprint=encoder.fingerprint, modality=modality or "",
            side=side or encoder.side,
        ),
        out,
    )  # fmt: skip
    known = sum(one.cached for one in rows)
    left_out = f", {len(failed)} not used" if failed else ""
    click.echo(f"{out}: {len(rows)} images, {encoder.dimensions} features each ({known} from the cache{left_out})")
    return ExitCode.PARTLY_DONE if failed else ExitCode.DONE


def _encoder(spec: str) -> Encoder:
    if spec == "shipped":
        from consilium.generalist.shipped import shipped_encoder

        return shipped_encoder()
    from consilium.generalist.hub import hub_encoder

    return hub_encoder(spec)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[Outcome], None]]:
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
