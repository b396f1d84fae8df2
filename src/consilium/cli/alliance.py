"""`consilium alliance`: who is in it, and the cluster that its jobs run on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.identity import note, roster, who

if TYPE_CHECKING:
    from consilium.alliance.compute.slurm_cluster import SlurmCluster
    from consilium.alliance.permissions import Act

_ROLES = ("member", "publisher", "approver", "lead", "data_officer", "operator")


@click.group()
def alliance() -> None:
    """Keep the list of hospitals and people, and the cluster that runs their jobs.

    Where no hospital is on the list, this machine is one hospital on its own, and whoever calls may do everything.
    """


@alliance.command()
@click.option("--dev", is_flag=True, help="A private Slurm on this machine, for trying; all of its nodes share it.")
@click.option("--conf", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="The slurm.conf of a cluster that is there.")  # fmt: skip
@click.option("--partition", default="alliance", show_default=True, help="Where jobs go.")
@click.option("--cloud-partition", default="", help="Nodes that cost money, for jobs that a patient waits for.")
@click.option("--nodes", type=click.IntRange(1, 64), default=4, show_default=True, help="Of a private Slurm.")
@click.option("--cores", type=click.IntRange(min=1), default=8, show_default=True, help="Of each of them.")
@click.option("--memory", type=click.IntRange(min=500), default=8000, show_default=True, metavar="MB", help="Of each.")
@click.option("--gpus", type=click.IntRange(0, 16), default=0, show_default=True, help="Of each; none is real.")
@click.option("--cloud", type=click.IntRange(0, 16), default=0, show_default=True, help="Nodes that come and go.")
@click.option("--no-lending", is_flag=True, help="Each hospital has what it brings in, and no more.")
def up(
    dev: bool, conf: Path | None, partition: str, cloud_partition: str, nodes: int, cores: int, memory: int, gpus: int,
    cloud: int, no_lending: bool,
) -> None:  # fmt: skip
    """Let jobs run on Slurm from now on.

    Jobs keep their numbers; those that wait go there. What each hospital is sure of is on the list of members, and
    leases change it by the hour (`consilium compute leases`).
    """
    from consilium.alliance.compute.agreement import Agreement
    from consilium.alliance.compute.slurm_files import Layout
    from consilium.settings import home_folder

    _may("alliance.run")
    if dev == (conf is not None):
        raise click.UsageError("Say either --dev or --conf FILE.")
    if dev:
        cluster = _cluster()
        layout = Layout(nodes=nodes, cores=cores, memory_mb=memory, gpus=gpus, cloud=cloud)
        cluster.up(layout, told=lambda step: click.echo(f"{step} ...", err=True))
        if (made := cluster.layout()) != layout:
            click.echo(
                f"It was made before, with {made.nodes} nodes of {made.cores} cores, and stays as it was.", err=True
            )
        conf, cloud_partition = cluster.conf, "cloud" if made.cloud else ""
    home = home_folder() / "compute"
    _stop_engine()
    found = Agreement(
        engine="slurm", conf=str(conf), partition=partition, cloud=cloud_partition, lending=not no_lending,
        roster=str(home_folder() / "roster.json"), leases=str(home / "leases.json"),
    )  # fmt: skip
    found.keep(home)
    _start_engine()
    note("alliance.up", "engine", conf=str(conf), lending=not no_lending)
    click.echo("Jobs run on Slurm from now on: consilium compute submit -- ...")


@alliance.command()
def down() -> None:
    """Let jobs run on this machine again, and end a private Slurm. What ran there starts again here."""
    from consilium.alliance.compute.agreement import Agreement
    from consilium.settings import home_folder

    _may("alliance.run")
    _stop_engine()
    home = home_folder() / "compute"
    if Agreement.of(home).engine == "slurm":
        Agreement().keep(home)
    _cluster().down()
    note("alliance.down", "engine")
    click.echo("Jobs run on this machine from now on.")


@alliance.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(as_json: bool) -> ExitCode:
    """Tell which engine runs the jobs, what of it is alive, and how its nodes are."""
    from dataclasses import asdict

    from consilium.alliance.compute.slurm import SlurmEngine
    from consilium.cli.compute import _engine

    _may("health.see")
    engine = _engine()
    nodes = engine.nodes() if isinstance(engine, SlurmEngine) else []
    daemons = _cluster().running()
    lost = [one.name for one in nodes if one.lost]
    if as_json:
        told = {
            "engine": engine.name, "process": engine.server(), "daemons": daemons,
            "nodes": [asdict(one) for one in nodes],
        }  # fmt: skip
        click.echo(json.dumps(told))
        return ExitCode.PARTLY_DONE if lost else ExitCode.DONE
    click.echo(f"engine {engine.name}, " + (f"process {engine.server()}" if engine.server() else "asleep"))
    if daemons:
        click.echo("private Slurm: " + ", ".join(f"{name} ({pid})" for name, pid in daemons.items()))
    for one in nodes:
        cards = f", {one.gpus} graphics cards" if one.gpus else ""
        click.echo(f"{one.name}: {one.state}, {one.cores_held} of {one.cores} cores, {one.memory_mb} MB{cards}")
    return ExitCode.PARTLY_DONE if lost else ExitCode.DONE


@alliance.command()
@click.argument("id_", metavar="ID")
@click.option("--name", default="", help="What people call it.")
@click.option("--cores", type=click.IntRange(min=0), default=0, show_default=True, help="It brings in.")
@click.option("--memory", type=click.IntRange(min=0), default=0, show_default=True, metavar="MB", help="It brings in.")
@click.option("--gpus", type=click.IntRange(min=0), default=0, show_default=True, help="It brings in.")
def member(id_: str, name: str, cores: int, memory: int, gpus: int) -> None:
    """Take a hospital in, or change what is known of it. What it brings in, it is sure of at any hour."""
    from consilium.alliance.permissions import Person
    from consilium.alliance.roster import Hospital

    _may("roster.change")
    first = not roster().hospitals()
    caller = who()
    hospital = Hospital(id=id_, name=name, cores=cores, memory_mb=memory, gpus=gpus)
    roster().put_hospital(hospital)
    if first:
        # Or nobody could go on: from the first hospital on, only people on the list may do anything.
        roster().put_person(Person(name=caller.name, hospital=id_, roles=frozenset({"operator", "member"})))
        click.echo(f"{caller.name} is the operator of this alliance, and a member of {id_}.", err=True)
    note("roster.hospital", id_, cores=cores, memory_mb=memory, gpus=gpus)


@alliance.command()
@click.argument("name")
@click.option("--hospital", required=True, metavar="ID", help="Where the person works.")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice(_ROLES), help="May be repeated; none lets him do nothing."
)
def person(name: str, hospital: str, roles: tuple[str, ...]) -> None:
    """Add a person, or change where he works and what he is there (docs/reference/permissions.md)."""
    from consilium.alliance.permissions import Person

    _may("roster.change")
    roster().put_person(Person(name=name, hospital=hospital, roles=frozenset(roles)))  # type: ignore[arg-type]
    note("roster.person", name, hospital=hospital, roles=sorted(roles))


@alliance.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def members(as_json: bool) -> None:
    """List hospitals, what they bring in and who works there; of other hospitals than one's own, for the operator."""
    from dataclasses import asdict

    from consilium.alliance.permissions import allowed

    caller = who()
    for hospital in roster().hospitals():
        if not allowed(caller, "roster.see", of=hospital.id):
            continue
        people = roster().people(hospital.id)
        if as_json:
            rows = [{"name": one.name, "roles": sorted(one.roles)} for one in people]
            click.echo(json.dumps({**asdict(hospital), "people": rows}, ensure_ascii=False))
            continue
        click.echo(
            f"{hospital.id} {hospital.name}".rstrip() + f": {hospital.cores} cores, {hospital.gpus} graphics cards"
        )
        for one in people:
            click.echo(f"  {one.name}: {', '.join(sorted(one.roles)) or 'no role'}")


def _may(act: Act) -> None:
    from consilium.alliance.permissions import require

    caller = who()
    require(caller, act, of=caller.hospital)


def _cluster() -> SlurmCluster:
    from consilium.alliance.compute.slurm_cluster import SlurmCluster
    from consilium.settings import home_folder

    return SlurmCluster(home_folder() / "slurm")


def _stop_engine() -> None:
    from consilium.cli.compute import _engine

    _engine().stop()


def _start_engine() -> None:
    from consilium.cli.compute import _engine

    _engine().start()
