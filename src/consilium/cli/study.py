"""`consilium study`: hospitals train one model together; cases stay where they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.identity import note, who
from consilium.errors import InputError, NotAllowed

if TYPE_CHECKING:
    from consilium.alliance.joint_training.conduct import Conductor
    from consilium.alliance.joint_training.progress import Progress
    from consilium.alliance.joint_training.register import Register
    from consilium.alliance.joint_training.study import Study

_study = click.argument("name", metavar="STUDY")
_hospital = click.option("--hospital", default="", metavar="ID", help="Which hospital.  [default: the caller's]")
_path = click.Path(path_type=Path)


@click.group()
def study() -> None:
    """Train one model with other hospitals; no case leaves its hospital, sums over cases do.

    A lead makes a study; each hospital joins with its cases, and its data officer approves; the lead starts it. The
    result is a model that `consilium specialist predict` uses.
    """


@study.command()
@_study
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
    contribution: str | None,
    least_hospitals: int,
    wait_for: int,
    budget: int,
    show_sites: bool,
    mirrored: bool,
    finer: bool,
) -> None:
    """Make a study and ask hospitals to take part.

    What it says is settled: every approval names its digest.
    """
    from consilium.alliance.joint_training.joining import contract_for
    from consilium.alliance.joint_training.study import study_of
    from consilium.alliance.permissions import require
    from consilium.generalist.shipped import shipped_encoder

    person = who()
    require(person, "study.create", of=person.hospital)
    if tune:
        raise InputError(
            "hospitals do not tune the encoder together: on the sets measured the model was none the better for it",
            where="--tune", way_out="Leave it out; docs/explanation/joint-training.md tells what was measured.",
        )  # fmt: skip
    contract = contract_for(
        shipped_encoder(), labels, modality, mirrored=mirrored, finer=finer, least_cases=least_cases
    )
    usual = "none" if epsilon is not None or encrypted else "shapley" if len(hospitals) <= 5 else "leave_one_out"
    from dataclasses import asdict

    made = study_of(
        {
            "id": name, "disease": disease, "hospitals": list(hospitals), "contract": asdict(contract),
            "lead": person.hospital, "privacy": {"encrypted": encrypted, "epsilon": epsilon, "delta": delta},
            "rounds": _private_rounds(rounds, epsilon), "contribution": contribution or usual,
            "strengths": [1.0] if epsilon is not None else [0.1, 1.0, 10.0], "least_hospitals": least_hospitals,
            "round_seconds": wait_for, "budget_seconds": budget, "site_figures": show_sites,
        }
    )  # fmt: skip
    _register().create(made)
    note("study.create", f"study {name}", digest=made.digest, hospitals=list(hospitals))
    click.echo(f"study {name} made for {len(hospitals)} hospitals, digest {made.digest}")


def _private_rounds(rounds: int, epsilon: float | None) -> int:
    from consilium.alliance.joint_training.differential_privacy import ROUNDS

    return min(rounds, ROUNDS) if epsilon is not None else rounds


@study.command()
@_study
@_hospital
@click.option("--data", "table", required=True, metavar="DATASET", type=_path, help="As of `specialist fit`.")
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
    register = _register()
    found = register.study(name)
    _refuse_stranger(found, hospital)
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
@_study
@_hospital
@click.option("--yes", is_flag=True, help="Do not ask.")
def approve(name: str, hospital: str, yes: bool) -> None:
    """Let the cases that a hospital brought in be used for this study, and for no other."""
    from consilium.alliance.joint_training.joint_model import privacy_in_words
    from consilium.alliance.joint_training.membership import read_membership
    from consilium.alliance.permissions import require

    person = who()
    hospital = hospital or person.hospital
    require(person, "study.approve", of=hospital)
    register = _register()
    found = register.study(name)
    _refuse_stranger(found, hospital)
    membership = read_membership(register.site_folder(hospital, name))
    click.echo(f"study {name} of {found.lead}: {found.disease}")
    click.echo(f"hospitals: {', '.join(found.hospitals)}; privacy: {privacy_in_words(found)}")
    click.echo(f"cases of {hospital}: {sum(membership.counts['trained'])} to train on; digest {found.digest}")
    if not yes:
        click.confirm("May they be used for it?", abort=True)
    register.approve(found, hospital, who=person.name)
    note("study.approve", f"study {name}", hospital=hospital, digest=found.digest, cases=membership.cases)
    click.echo(f"approved by {person.name}")


@study.command()
@_study
@click.option("--detach", is_flag=True, help="Come back as soon as it runs.")
@click.option("--seconds", type=click.IntRange(min=1), default=7200, show_default=True, help="Longest to wait.")
def start(name: str, detach: bool, seconds: int) -> ExitCode | None:
    """Start the training with the hospitals that have approved, and see it through."""
    from consilium.alliance.joint_training.provisioning import need_flare, provision

    register, found = _led(name)
    need_flare()
    if register.standing(name).state != "draft":
        raise InputError(f"study {name} was started already", way_out=f"`consilium study resume {name}` goes on.")
    hospitals = register.ready(found)
    provision(found, register.folder(name))
    note("study.start", f"study {name}", hospitals=list(hospitals), digest=found.digest)
    register.mark(name, "running")
    return _conducted(register, found, detach=detach, seconds=seconds, fresh=True)


@study.command()
@_study
@click.option("--detach", is_flag=True, help="Come back as soon as it runs.")
@click.option("--seconds", type=click.IntRange(min=1), default=7200, show_default=True, help="Longest to wait.")
def resume(name: str, detach: bool, seconds: int) -> ExitCode | None:
    """Go on with a study that was stopped or whose server was lost, from the last round that was whole."""
    register, found = _led(name)
    state = register.standing(name).state
    if state in ("draft", "done"):
        raise InputError(f"study {name} is {state}", way_out="`start` begins one, `results` hands out what it made.")
    note("study.resume", f"study {name}")
    register.mark(name, "running")
    return _conducted(register, found, detach=detach, seconds=seconds, fresh=False)


@study.command()
@_study
@_hospital
def stop(name: str, hospital: str) -> None:
    """End processes of a study on this machine: the lead's call all, a data officer's those of his hospital."""
    from consilium.alliance.joint_training import flare_processes
    from consilium.alliance.joint_training.membership import read_membership
    from consilium.alliance.permissions import allowed, require

    person = who()
    register = _register()
    found = register.study(name)
    hospital = hospital or person.hospital
    require(person, "study.stop", of=hospital)
    _refuse_stranger(found, hospital, lead=True)
    if hospital == found.lead and allowed(person, "study.start", of=found.lead):
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


@study.command()
@_study
@_hospital
def site(name: str, hospital: str) -> None:
    """Start the client of one hospital on this machine, after it was stopped or lost."""
    from consilium.alliance.joint_training.conduct import start_site
    from consilium.alliance.permissions import require

    person = who()
    hospital = hospital or person.hospital
    require(person, "study.join", of=hospital)
    register = _register()
    _refuse_stranger(register.study(name), hospital)
    pid = start_site(register.site_folder(hospital, name))
    note("study.site", f"study {name}", hospital=hospital)
    click.echo(f"the client of {hospital} runs (process {pid})")


@study.command()
@click.argument("name", metavar="[STUDY]", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a study.")
def status(name: str | None, as_json: bool) -> None:
    """Tell how far studies are; a hospital sees itself, the lead who is there and who was refused."""
    register, person = _register(), who()
    mine = [one for one in register.studies() if person.hospital in (*one.hospitals, one.lead)]
    if name is not None:
        mine = [one for one in mine if one.id == name]
        if not mine:
            raise InputError(f"there is no study {name!r}", way_out="`consilium study status` names those of yours.")
    for one in mine:
        told = _status_of(register, one, person.hospital)
        click.echo(json.dumps(told, ensure_ascii=False) if as_json else _in_words(told))
    if not mine:
        click.echo("no studies", err=True)


@study.command()
@_study
@click.option("--out", metavar="MODEL", type=_path, help="Write the model there.")
@click.option("--overwrite", is_flag=True, help="Replace a model that is at --out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def results(name: str, out: Path | None, overwrite: bool, as_json: bool) -> None:
    """Tell how good the model is and what each hospital gave, and write the model."""
    from dataclasses import asdict

    from consilium.alliance.joint_training.progress import read_counts, read_progress
    from consilium.alliance.joint_training.results import RESULT, read_result
    from consilium.alliance.joint_training.shares import shares
    from consilium.alliance.permissions import require

    person = who()
    require(person, "study.results", of=person.hospital)
    register = _register()
    found = register.study(name)
    _refuse_stranger(found, person.hospital, lead=True)
    folder = register.folder(name)
    result, counts = read_result(folder / RESULT), read_counts(folder)
    own = found.pseudonyms.get(person.hospital, "")
    every = shares(found, result, read_progress(folder), counts)
    shown = [one for one in every if found.site_figures or one.site == own]
    figures = result["pooled"]
    if out is not None:
        from consilium.alliance.joint_training.joint_model import bundle_files_of
        from consilium.artefact.bundle import write_bundle

        write_bundle(bundle_files_of(found, result, counts, out.resolve().name), out, overwrite=overwrite)
    note("study.results", f"study {name}", **({"model": str(out)} if out else {}))
    if as_json:
        told = {"pooled": asdict(figures), "shares": [asdict(one) for one in shown], "strength": result["strength"]}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for what, estimate in (("AUC", figures.macro_auc), ("accuracy", figures.accuracy)):
        if estimate is not None:
            click.echo(f"{what} {estimate.value:.3f} ({estimate.low:.3f} - {estimate.high:.3f})")
    click.echo(f"held-out cases of all hospitals: {sum(figures.cases)}")
    for one in shown:
        brought = "not measured" if one.contribution is None else f"{one.contribution:+.3f} of AUC"
        mine = " (you)" if one.site == own else ""
        click.echo(
            f"{one.site}{mine}: {one.cases} cases, {one.seconds:.1f} s, {one.sent / 1e6:.1f} MB sent, brought in "
            f"{brought}, share of the common cost {one.cost:.0%}"
        )
    if out is not None:
        click.echo(f"-> {out}")


def _register() -> Register:
    from consilium.alliance.joint_training.register import Register
    from consilium.settings import home_folder

    return Register(home_folder())


def _led(name: str) -> tuple[Register, Study]:
    """A study of which the caller is the lead."""
    from consilium.alliance.permissions import require

    register = _register()
    found = register.study(name)
    require(who(), "study.start", of=found.lead)
    return register, found


def _refuse_stranger(found: Study, hospital: str, *, lead: bool = False) -> None:
    """A hospital that is not in a study does not learn that there is one."""
    if hospital in found.hospitals or (lead and hospital == found.lead):
        return
    raise NotAllowed(f"there is no study {found.id!r} of {hospital}", way_out="Ask its lead to take you in.")


def _conductor(register: Register, found: Study) -> Conductor:
    from consilium.alliance.joint_training.conduct import Conductor, Places

    folder, sites = register.folder(found.id), {}
    approvals = register.standing(found.id).approved
    for hospital, pseudonym in found.pseudonyms.items():
        if approvals.get(hospital) == found.digest:
            sites[pseudonym] = register.site_folder(hospital, found.id)
    kits = {one: folder / "kits" / one for one in ("server", "lead")}
    places = Places(folder=folder, kits=kits, sites=sites, ledger=register.home / "ledger.jsonl")
    return Conductor(found, places, lambda what, details: note(what, f"study {found.id}", **details))


def _conducted(register: Register, found: Study, *, detach: bool, seconds: int, fresh: bool) -> ExitCode | None:
    from consilium.alliance.joint_training.conduct import install_kit

    conductor = _conductor(register, found)
    if fresh:
        for pseudonym, folder in conductor.places.sites.items():
            install_kit(register.folder(found.id) / "kits" / pseudonym, folder)
    conductor.up()
    job = conductor.submit()
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


def _shown(progress: Progress) -> None:
    away = [f"{name} {one.state}" for name, one in progress.sites.items() if one.state != "there"]
    click.echo(f"{progress.ask or progress.phase}" + (f" ({', '.join(away)})" if away else ""), err=True)


def _status_of(register: Register, found: Study, hospital: str) -> dict[str, Any]:
    from consilium.alliance.joint_training.progress import read_progress

    standing, progress = register.standing(found.id), read_progress(register.folder(found.id))
    own = found.pseudonyms.get(hospital, "")
    lead = hospital == found.lead
    sites = {
        name: {"state": one.state, "reason": one.reason, "since": one.since}
        for name, one in progress.sites.items()
        if lead or name == own
    }
    return {
        "study": found.id, "disease": found.disease, "state": standing.state, "question": progress.ask,
        "hospitals": len(found.hospitals), "joined": len(standing.joined), "approved": len(standing.approved),
        "you": {"site": own, "joined": hospital in standing.joined, "approved": hospital in standing.approved},
        "sites": sites, "refused": [one for one in progress.refusals if lead or one[0] == own], "why": progress.why,
    }  # fmt: skip


def _in_words(told: dict[str, Any]) -> str:
    lines = [
        f"{told['study']}: {told['state']}" + (f", asking {told['question']}" if told["question"] else "")
        + f"; {told['joined']} of {told['hospitals']} hospitals joined, {told['approved']} approved"
    ]  # fmt: skip
    for name, one in told["sites"].items():
        lines.append(f"  {name}: {one['state']}" + (f" ({one['reason']}, {one['since']})" if one["reason"] else ""))
    lines += [f"  refused: {site}, {question}: {reason}" for site, question, reason in told["refused"]]
    if told["why"]:
        lines.append(f"  {told['why']}")
    return "\n".join(lines)
