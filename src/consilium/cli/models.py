"""`consilium models`: the shipped models and what their cards say."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from consilium.artefact.card import ModelCard, read_card, shipped_cards
from consilium.artefact.runtime import sha256_of
from consilium.errors import ModelError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the cards as one JSON list.")
@click.option(
    "--bundle", metavar="DIR", type=click.Path(path_type=Path),
    help="Write the karyotyping models as one bundle, for `consilium library publish`.",
)  # fmt: skip
def models(as_json: bool, bundle: Path | None) -> None:
    """List the shipped models with what their cards say.

    Each file is compared with the hash on its card; a model that was altered is an error (exit status 5).
    """
    if bundle is not None:
        _write_karyotyping(bundle)
        return
    cards = [(path, read_card(path)) for path in shipped_cards()]
    if not cards:
        raise ModelError("no model comes with this installation", way_out="Install consilium again.")
    if as_json:
        click.echo(json.dumps([asdict(card) for _, card in cards], indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(describe(card) for _, card in cards))
    for path, card in cards:
        _verify(path.parent / card.file, card)


def _write_karyotyping(out: Path) -> None:
    from consilium.artefact.bundle import refuse_place, write_bundle
    from consilium.karyotype.bundle import bundle_files
    from consilium.karyotype.models import NAMES, card_path

    refuse_place(out, overwrite=False)
    for path in map(card_path, NAMES):
        card = read_card(path)
        _verify(path.parent / card.file, card)
    write_bundle(bundle_files(), out)
    click.echo(f"-> {out}")


def describe(card: ModelCard) -> str:
    """One card as a paragraph of plain lines."""
    lines = [f"{card.name} {card.version}: {card.task}", f"  use       {card.intended_use}"]
    lines += [f"  licence   {card.licence}", f"  file      {card.file}, SHA-256 {card.sha256}"]
    lines += [f"  learnt    {data.name} ({data.part}): {data.use}; {data.licence}" for data in card.trained_on]
    lines += [f"  sees      {', '.join(card.modalities)}"] if card.modalities else []
    lines += [f"  started   from {source}" for source in card.initialised_from]
    lines += [
        f"  measured  {metric.name} {metric.value:g} (95 % interval {metric.low:g} to {metric.high:g}, n = {metric.n}),"
        f" {metric.data}, {metric.date}"
        for metric in card.metrics
    ]
    lines += [f"  fails     {failure}" for failure in card.known_failures]
    lines += [f"  recipe    {card.recipe}"]
    return "\n".join(lines)


def _verify(path: Path, card: ModelCard) -> None:
    way_out = "Install consilium again."
    if not path.is_file():
        raise ModelError("the model file is missing", where=str(path), way_out=way_out)
    if sha256_of(path) != card.sha256:
        raise ModelError("the model file is not the one its card describes", where=str(path), way_out=way_out)
