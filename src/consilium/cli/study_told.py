"""`consilium study status|results`: how far a study is, and what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from consilium.cli.identity import note, who
from consilium.cli.study_here import path_type, register_here, study_argument
from consilium.errors import InputError


@click.command()
@click.argument("name", metavar="[STUDY]", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a study.")
def status(name: str | None, as_json: bool) -> None:
    """Tell how far studies are; a hospital sees itself, the lead who is there and who was refused."""
    from consilium.alliance.joint_training.told import status_of, studies_of

    register, person = register_here(), who()
    mine = studies_of(register, person.hospital)
    if name is not None:
        mine = [one for one in mine if one.id == name]
        if not mine:
            raise InputError(f"there is no study {name!r}", way_out="`consilium study status` names those of yours.")
    for one in mine:
        told = status_of(register, one, person.hospital)
        click.echo(json.dumps(told, ensure_ascii=False) if as_json else _in_words(told))
    if not mine:
        click.echo("no studies", err=True)


@click.command()
@study_argument
@click.option("--out", metavar="MODEL", type=path_type, help="Write the model there.")
@click.option("--overwrite", is_flag=True, help="Replace a model that is at --out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def results(name: str, out: Path | None, overwrite: bool, as_json: bool) -> None:
    """Tell how good the model is and what each hospital gave, and write the model."""
    from dataclasses import asdict

    from consilium.alliance.joint_training.told import outcome_of
    from consilium.alliance.permissions import require

    person = who()
    require(person, "study.results", of=person.hospital)
    register = register_here()
    found = register.study(name)
    outcome = outcome_of(register, found, person.hospital)
    figures = outcome.figures
    if out is not None:
        from consilium.alliance.joint_training.joint_model import bundle_files_of
        from consilium.artefact.bundle import write_bundle

        write_bundle(
            bundle_files_of(found, outcome.result, outcome.counts, out.resolve().name), out, overwrite=overwrite
        )
    note("study.results", f"study {name}", **({"model": str(out)} if out else {}))
    if as_json:
        told = {"pooled": asdict(figures), "shares": [asdict(one) for one in outcome.shares]}
        told["strength"] = outcome.result["strength"]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for what, estimate in (("AUC", figures.macro_auc), ("accuracy", figures.accuracy)):
        if estimate is not None:
            click.echo(f"{what} {estimate.value:.3f} ({estimate.low:.3f} - {estimate.high:.3f})")
    click.echo(f"held-out cases of all hospitals: {sum(figures.cases)}")
    for one in outcome.shares:
        brought = "not measured" if one.contribution is None else f"{one.contribution:+.3f} of AUC"
        mine = " (you)" if one.site == outcome.own else ""
        gave = "" if outcome.apart else f"{one.seconds:.1f} s, {one.sent / 1e6:.1f} MB sent, "
        click.echo(
            f"{one.site}{mine}: {one.cases} cases, {gave}brought in {brought}, share of the common cost {one.cost:.0%}"
        )
    if out is not None:
        click.echo(f"-> {out}")


def _in_words(told: dict[str, Any]) -> str:
    if told["here"] is not None:
        return _apart_in_words(told)
    lines = [
        f"{told['study']}: {told['state']}" + (f", asking {told['question']}" if told["question"] else "")
        + f"; {told['joined']} of {told['hospitals']} hospitals joined, {told['approved']} approved"
    ]  # fmt: skip
    for name, one in told["invited"].items():
        lines.append(f"  {name}: " + ("admitted" if one["admitted"] else f"invited until {one['expires']}"))
    for name, one in told["sites"].items():
        lines.append(f"  {name}: {one['state']}" + (f" ({one['reason']}, {one['since']})" if one["reason"] else ""))
    lines += [f"  refused: {site}, {question}: {reason}" for site, question, reason in told["refused"]]
    if told["why"]:
        lines.append(f"  {told['why']}")
    return "\n".join(lines)


def _apart_in_words(told: dict[str, Any]) -> str:
    """Of a hospital on an installation of its own: its part; of the others nothing is known here."""
    you, here = told["you"], told["here"]
    step = "take" if not you["joined"] else "approved" if you["approved"] else "joined"
    steps = {
        "take": "invited; next: join", "joined": "joined; next: approve",
        "approved": "approved; next: request, and take the admission that comes back",
    }  # fmt: skip
    client = f"client runs (process {here['process']})" if here["process"] else "client does not run; next: site"
    lines = [f"{told['study']}: {you['site']}, " + (f"admitted, {client}" if here["admitted"] else steps[step])]
    lines.append(f"  server {here['server']} " + ("answers" if here["answers"] else "does not answer"))
    if here["done"]:
        lines.append("  the model is here: results")
    if here["last"]:
        lines.append(f"  last answer: {here['last']}")
    return "\n".join(lines)
