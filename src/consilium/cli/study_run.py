"""`consilium study start|resume|stop|site`: the processes of a study on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.identity import note, who
from consilium.cli.study_here import hospital_option, led, refuse_stranger, register_here, study_argument
from consilium.errors import InputError

if TYPE_CHECKING:
    from consilium.alliance.joint_training.conduct import Conductor
    from consilium.alliance.joint_training.progress import Progress
    from consilium.alliance.joint_training.register import Register
    from consilium.alliance.joint_training.study import Study


@click.command()
@study_argument
@click.option("--detach", is_flag=True, help="Come back as soon as it runs.")
@click.option("--seconds", type=click.IntRange(min=1), default=7200, show_default=True, help="Longest to wait.")
def start(name: str, detach: bool, seconds: int) -> ExitCode | None:
    """Start the training with the hospitals that have approved, and see it through."""
    from consilium.alliance.joint_training.authority import need_flare
    from consilium.alliance.joint_training.provisioning import provision

    register, found = led(name)
    need_flare()
    if register.standing(name).state != "draft":
        raise InputError(f"study {name} was started already", way_out=f"`consilium study resume {name}` goes on.")
    hospitals = register.ready(found)
    provision(found, register.folder(name), apart=register.apart(found))
    note("study.start", f"study {name}", hospitals=list(hospitals), digest=found.digest)
    register.mark(name, "running")
    return _conducted(register, found, detach=detach, seconds=seconds, fresh=True)


@click.command()
@study_argument
@click.option("--detach", is_flag=True, help="Come back as soon as it runs.")
@click.option("--seconds", type=click.IntRange(min=1), default=7200, show_default=True, help="Longest to wait.")
def resume(name: str, detach: bool, seconds: int) -> ExitCode | None:
    """Go on with a study that was stopped or whose server was lost, from the last round that was whole."""
    register, found = led(name)
    state = register.standing(name).state
    if state in ("draft", "done"):
        raise InputError(f"study {name} is {state}", way_out="`start` begins one, `results` hands out what it made.")
    note("study.resume", f"study {name}")
    register.mark(name, "running")
    return _conducted(register, found, detach=detach, seconds=seconds, fresh=False)


@click.command()
@study_argument
@hospital_option
def stop(name: str, hospital: str) -> None:
    """End processes of a study on this machine: the lead's call all, a data officer's those of his hospital."""
    from consilium.alliance.joint_training import flare_processes
    from consilium.alliance.joint_training.membership import read_membership
    from consilium.alliance.joint_training.taking_part import standing_apart
    from consilium.alliance.permissions import allowed, require

    person = who()
    register = register_here()
    found = register.study(name)
    hospital = hospital or person.hospital
    require(person, "study.stop", of=hospital)
    refuse_stranger(found, hospital, lead=True)
    leads = standing_apart(register, name, hospital) is None
    if leads and hospital == found.lead and allowed(person, "study.start", of=found.lead):
        conductor = _conductor(register, found)
        conductor.stop()
        if register.standing(name).state == "running":
            register.mark(name, "stopped")
        click.echo(f"study {name} stopped; what was reached is kept")
    else:
        kit = read_membership(register.site_folder(hospital, name)).kit
        if kit:
            flare_processes.stop(Path(kit))
        click.echo(f"{hospital} takes no part in study {name} until its client is started again")
    note("study.stop", f"study {name}", hospital=hospital)


@click.command()
@study_argument
@hospital_option
def site(name: str, hospital: str) -> None:
    """Start the client of one hospital on this machine: on an installation of its own, or after it was lost."""
    from consilium.alliance.joint_training.conduct import start_site
    from consilium.alliance.joint_training.taking_part import standing_apart
    from consilium.alliance.permissions import require

    person = who()
    hospital = hospital or person.hospital
    require(person, "study.join", of=hospital)
    register = register_here()
    refuse_stranger(register.study(name), hospital)
    apart = standing_apart(register, name, hospital)
    if apart is not None and not apart.admitted:
        raise InputError(
            f"{hospital} is not admitted to study {name} yet",
            way_out=f"`consilium study request {name}` goes to the lead; `study take` takes what comes back.",
        )
    pid = start_site(register.site_folder(hospital, name))
    note("study.site", f"study {name}", hospital=hospital)
    click.echo(f"the client of {hospital} runs (process {pid})")
    if apart is not None and not apart.answers:
        click.echo(f"the server {apart.server} does not answer yet: the client goes on trying", err=True)


def _conductor(register: Register, found: Study) -> Conductor:
    from consilium.alliance.joint_training.conduct import Conductor, Places

    folder, sites = register.folder(found.id), {}
    ready = {one for one, digest in register.standing(found.id).approved.items() if digest == found.digest}
    invited = register.apart(found)
    for hospital, pseudonym in found.pseudonyms.items():
        if hospital in ready and pseudonym not in invited:
            sites[pseudonym] = register.site_folder(hospital, found.id)
    apart = frozenset(one for one in invited if found.hospital_of(one) in ready)
    kits = {one: folder / "kits" / one for one in ("server", "lead")}
    places = Places(folder=folder, kits=kits, sites=sites, ledger=register.home / "ledger.jsonl", apart=apart)
    return Conductor(found, places, lambda what, details: note(what, f"study {found.id}", **details))


def _conducted(register: Register, found: Study, *, detach: bool, seconds: int, fresh: bool) -> ExitCode | None:
    from consilium.alliance.joint_training.conduct import install_kit

    conductor = _conductor(register, found)
    if fresh:
        for pseudonym, folder in conductor.places.sites.items():
            install_kit(register.folder(found.id) / "kits" / pseudonym, folder)
    try:
        job = _begun(register, found, conductor)
    except BaseException:
        register.mark(found.id, "stopped")
        conductor.stop()
        raise
    register.mark(found.id, "running", job=job)
    if detach:
        click.echo(f"study {found.id} runs; `consilium study status {found.id}`, `study stop {found.id}` at its end")
        return None
    try:
        conductor.wait(job, _shown, seconds=seconds)
        register.mark(found.id, "done")
    except BaseException:
        register.mark(found.id, "stopped")
        raise
    finally:
        conductor.stop()
    note("study.done", f"study {found.id}")
    click.echo(f"done; `consilium study results {found.id} --out MODEL`")
    return ExitCode.DONE


def _begun(register: Register, found: Study, conductor: Conductor) -> str:
    """The job, as soon as the hospitals are there."""
    conductor.up()
    if conductor.places.apart:
        from consilium.alliance.joint_training.server_place import place_in

        awaited = ", ".join(found.hospital_of(one) for one in sorted(conductor.places.apart))
        click.echo(
            f"the server is at {place_in(register.folder(found.id))}, waiting for {awaited}: "
            f"`consilium study site {found.id}` there", err=True,
        )  # fmt: skip
    return conductor.submit()


def _shown(progress: Progress) -> None:
    away = [f"{name} {one.state}" for name, one in progress.sites.items() if one.state != "there"]
    click.echo(f"{progress.ask or progress.phase}" + (f" ({', '.join(away)})" if away else ""), err=True)
