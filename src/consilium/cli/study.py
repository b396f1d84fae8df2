"""`consilium study`: hospitals train one model together; cases stay where they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from consilium.cli.identity import note, who
from consilium.cli.study_apart import admit, invite, request, take
from consilium.cli.study_here import hospital_option, path_type, refuse_stranger, register_here, study_argument
from consilium.cli.study_run import resume, site, start, stop
from consilium.cli.study_told import results, status
from consilium.errors import InputError

if TYPE_CHECKING:
    from consilium.alliance.joint_training.study import Contribution


@click.group()
def study() -> None:
    """Train one model with other hospitals; no case leaves its hospital, sums over cases do.

    A lead makes a study; each hospital joins with its cases, and its data officer approves; the lead starts it. The
    result is a model that `consilium specialist predict` uses. Hospitals on installations of their own are invited,
    ask to be admitted, and run their clients themselves: invite, take, request, admit, site.
    """


@study.command()
@study_argument
@click.option("--disease", required=True, help="What it is about, in words.")
@click.option("--hospital", "hospitals", multiple=True, required=True, metavar="ID", help="Who is asked; repeat it.")
@click.option("--label", "labels", multiple=True, required=True, help="The classes, in order; repeat it.")
@click.option("--modality", metavar="ID", help="How images are made; see `consilium modalities`.")
@click.option("--least-cases", type=click.IntRange(min=4), default=20, show_default=True, help="Of a hospital.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=60, show_default=True, help="At most.")
@click.option("--tune", is_flag=True, help="Train the encoder's last stage too: refused, since it did not pay.")
@click.option(
    "--encrypted", is_flag=True, help="Sums are added under encryption; the server sees none of one hospital."
)
@click.option("--epsilon", type=float, help="Differential privacy for each patient.")
@click.option("--delta", type=float, default=1e-3, show_default=True, help="Chance that epsilon may not hold.")
@click.option(
    "--contribution", type=click.Choice(("shapley", "leave_one_out", "none")), help="How it is measured.",
)  # fmt: skip
@click.option("--least-hospitals", type=click.IntRange(min=2), default=2, show_default=True, help="For a round.")
@click.option("--wait-for", type=click.IntRange(min=1), default=60, show_default=True, help="Seconds, for a hospital.")
@click.option("--budget", type=click.IntRange(min=1), default=3600, show_default=True, help="Seconds of a hospital.")
@click.option("--show-sites", is_flag=True, help="Figures of single hospitals may be shown to the others.")
@click.option("--mirror/--no-mirror", "mirrored", default=True, help="Look at mirror images too.  [default: --mirror]")
@click.option("--finer/--no-finer", default=True, help="Look in a finer size too.  [default: --finer]")
@click.option(
    "--server",
    default="localhost",
    show_default=True,
    metavar="HOST",
    help="This machine, as hospitals on installations of their own reach it; localhost listens on loopback alone.",
)
@click.option("--port", type=click.IntRange(1024, 65535), help="Of the server.  [default: one that is free]")
def create(
    name: str,
    disease: str,
    hospitals: tuple[str, ...],
    labels: tuple[str, ...],
    modality: str | None,
    least_cases: int,
    rounds: int,
    tune: bool,
    encrypted: bool,
    epsilon: float | None,
    delta: float,
    contribution: Contribution | None,
    least_hospitals: int,
    wait_for: int,
    budget: int,
    show_sites: bool,
    mirrored: bool,
    finer: bool,
    server: str,
    port: int | None,
) -> None:
    """Make a study and ask hospitals to take part.

    What it says is settled: every approval names its digest.
    """
    from consilium.alliance.joint_training.proposing import Proposal, proposed
    from consilium.alliance.joint_training.server_place import ServerPlace, free_port, write_place
    from consilium.alliance.permissions import require
    from consilium.generalist.shipped import shipped_encoder

    person = who()
    require(person, "study.create", of=person.hospital)
    if tune:
        raise InputError(
            "hospitals do not tune the encoder together: on the sets measured the model was none the better for it",
            where="--tune", way_out="Leave it out; docs/explanation/joint-training.md tells what was measured.",
        )  # fmt: skip
    if server != "localhost" and port is None:
        raise InputError("--server needs --port", way_out="Name the port that your firewall lets hospitals reach.")
    place = ServerPlace(host=server, port=port or free_port())
    asked = Proposal(
        id=name, disease=disease, hospitals=hospitals, labels=labels, modality=modality, least_cases=least_cases,
        rounds=rounds, encrypted=encrypted, epsilon=epsilon, delta=delta, contribution=contribution,
        least_hospitals=least_hospitals, round_seconds=wait_for, budget_seconds=budget, site_figures=show_sites,
        mirrored=mirrored, finer=finer,
    )  # fmt: skip
    made = proposed(asked, lead=person.hospital, encoder=shipped_encoder())
    register = register_here()
    register.create(made)
    write_place(place, register.folder(name))
    note("study.create", f"study {name}", digest=made.digest, hospitals=list(hospitals), server=str(place))
    click.echo(f"study {name} made for {len(hospitals)} hospitals, digest {made.digest}")


@study.command()
@study_argument
@hospital_option
@click.option("--data", "table", required=True, metavar="DATASET", type=path_type, help="As of `specialist fit`.")
@click.option("--group", default="group", show_default=True, metavar="COLUMN", help="Column that names the patient.")
def join(name: str, hospital: str, table: Path, group: str) -> None:
    """Bring a hospital's cases in: they are read, held against what was agreed, and stay here."""
    from consilium.alliance.joint_training import joining
    from consilium.alliance.permissions import require
    from consilium.cli.embedding_progress import encoder_called, work_progress
    from consilium.generalist.cache import FeatureCache
    from consilium.specialist.dataset import read_dataset
    from consilium.specialist.specialty import problem_of

    person = who()
    hospital = hospital or person.hospital
    require(person, "study.join", of=hospital)
    register = register_here()
    found = register.study(name)
    refuse_stranger(found, hospital)
    dataset = read_dataset(table, task="classify", group=group)
    with work_progress(len(dataset.cases), "Reading cases") as show:
        counts = joining.join(
            register, found, hospital, dataset, encoder_called("shipped"), cache=FeatureCache(),
            on_outcome=lambda outcome: show(1, problem_of(outcome)),
        )  # fmt: skip
    note("study.join", f"study {name}", hospital=hospital, cases=counts.cases)
    for label, trained, tested in zip(found.contract.labels, counts.trained, counts.tested, strict=True):
        click.echo(f"{label}: {trained} to train on, {tested} for the test")
    click.echo(f"joined as {found.pseudonyms[hospital]}; nothing is used before `consilium study approve {name}`")


@study.command()
@study_argument
@hospital_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def approve(name: str, hospital: str, yes: bool) -> None:
    """Let the cases that a hospital brought in be used for this study, and for no other."""
    from consilium.alliance.joint_training.joint_model import privacy_in_words
    from consilium.alliance.joint_training.membership import read_membership
    from consilium.alliance.permissions import require

    person = who()
    hospital = hospital or person.hospital
    require(person, "study.approve", of=hospital)
    register = register_here()
    found = register.study(name)
    refuse_stranger(found, hospital)
    membership = read_membership(register.site_folder(hospital, name))
    click.echo(f"study {name} of {found.lead}: {found.disease}")
    click.echo(f"hospitals: {', '.join(found.hospitals)}; privacy: {privacy_in_words(found)}")
    click.echo(f"cases of {hospital}: {sum(membership.counts['trained'])} to train on; digest {found.digest}")
    if not yes:
        click.confirm("May they be used for it?", abort=True)
    register.approve(found, hospital, who=person.name)
    note("study.approve", f"study {name}", hospital=hospital, digest=found.digest, cases=membership.cases)
    click.echo(f"approved by {person.name}")


for _command in (invite, take, request, admit, start, resume, stop, site, status, results):
    study.add_command(_command)
