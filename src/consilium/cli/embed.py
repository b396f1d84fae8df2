"""`consilium embed`: image files of any modality in, a table of features out."""

from __future__ import annotations

from pathlib import Path

import click

from consilium.cli.embedding_progress import embedding_progress, encoder_called
from consilium.cli.exit_codes import ExitCode
from consilium.errors import NothingToDo


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

    encoder = encoder_called(spec)
    with embedding_progress(len(entries)) as show:
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
