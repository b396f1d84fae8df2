"""`consilium study invite|take|request|admit`: a hospital on an installation of its own takes part.

Three files are handed over, by mail or on a stick. None holds a private key or a case.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from consilium.cli.identity import note, who
from consilium.cli.study_here import hospital_option, led, path_type, refuse_stranger, register_here, study_argument
from consilium.errors import InputError, NotTrusted

if TYPE_CHECKING:
    from consilium.alliance.joint_training.letter_contents import Request
    from consilium.alliance.joint_training.taking_part import Agreed

_out = click.option("--out", required=True, metavar="FILE", type=path_type, help="Write it there, to hand it over.")
_file = click.argument("file", type=path_type)
_yes = click.option("--yes", is_flag=True, help="Do not ask; only where the file came by a way that nobody can change.")
_fingerprint = click.option("--fingerprint", default="", metavar="HEX", help="Refuse any other; told by another way.")


@click.command()
@study_argument
@click.argument("hospital")
@_out
@click.option("--days", type=click.IntRange(1, 360), default=30, show_default=True, help="For how long it holds.")
def invite(name: str, hospital: str, out: Path, days: int) -> None:
    """Lead: write the file that lets a hospital join from an installation of its own.

    It is for that hospital alone: whoever has it can ask in its name. A new one voids the one before.
    """
    from consilium.alliance.joint_training.admitting import invite as invited
    from consilium.alliance.joint_training.authority import authority_in, fingerprint

    register, found = led(name)
    _refuse_there(out)
    content = invited(register, found, hospital, days=days)
    _hand_over(content, out)
    note("study.invite", f"study {name}", hospital=hospital, days=days)
    click.echo(f"fingerprint of the study's authority: {fingerprint(authority_in(register.folder(name)).certificate)}")
    click.echo(f"-> {out}; {hospital} takes it with `consilium study take`; tell the fingerprint by another way")


@click.command()
@_file
@hospital_option
@_fingerprint
@_yes
def take(file: Path, hospital: str, fingerprint: str, yes: bool) -> None:
    """Hospital: take in an invitation, or the admission that answers a request."""
    from consilium.alliance.joint_training.authority import need_flare
    from consilium.alliance.joint_training.joint_model import privacy_in_words
    from consilium.alliance.joint_training.letter_contents import invitation_from
    from consilium.alliance.joint_training.letters import read_letter
    from consilium.alliance.joint_training.taking_part import take_admission, take_invitation
    from consilium.alliance.permissions import require

    person = who()
    hospital = hospital or person.hospital
    require(person, "study.join", of=hospital)
    need_flare()
    register, letter = register_here(), read_letter(file)
    if letter.kind == "invitation":
        asked = invitation_from(letter).study
        click.echo(f"study {asked.id} of {asked.lead}: {asked.disease}; digest {asked.digest}")
        click.echo(f"hospitals: {', '.join(asked.hospitals)}; privacy: {privacy_in_words(asked)}")
        invitation = take_invitation(register, letter, hospital, _asking("the study's authority", fingerprint, yes))
        note("study.take", f"study {asked.id}", hospital=hospital, digest=asked.digest, server=str(invitation.server))
        click.echo(f"taken; now `consilium study join {asked.id}`, `approve`, and `request`")
        return
    admission = take_admission(register, letter, hospital)
    note("study.take", f"study {admission.id}", hospital=hospital, digest=admission.study, certificate=letter.digest)
    click.echo(f"admitted; `consilium study site {admission.id}` starts the client of {hospital}")


@click.command()
@study_argument
@hospital_option
@_out
def request(name: str, hospital: str, out: Path) -> None:
    """Hospital: ask to be admitted, with the data officer's approval; the private key stays here."""
    from consilium.alliance.joint_training.taking_part import request as asked
    from consilium.alliance.permissions import require

    person = who()
    hospital = hospital or person.hospital
    require(person, "study.approve", of=hospital)
    register = register_here()
    found = register.study(name)
    refuse_stranger(found, hospital)
    _refuse_there(out)
    content, fingerprint = asked(register, found, hospital)
    _hand_over(content, out)
    note("study.request", f"study {name}", hospital=hospital, digest=found.digest)
    click.echo(f"fingerprint of the key of {hospital}: {fingerprint}")
    click.echo(f"-> {out}; it holds counts of cases and who approved; the lead takes it with `consilium study admit`")


@click.command()
@_file
@_out
@_fingerprint
@_yes
def admit(file: Path, out: Path, fingerprint: str, yes: bool) -> None:
    """Lead: let in a hospital that sent a request, and write its admission."""
    from consilium.alliance.joint_training.admitting import admit as admitted
    from consilium.alliance.joint_training.authority import need_flare
    from consilium.alliance.joint_training.letter_contents import request_from
    from consilium.alliance.joint_training.letters import read_letter

    need_flare()
    letter = read_letter(file)
    told = request_from(letter)
    register, found = led(told.id)
    _refuse_there(out)
    asking = _asking(f"the key of {told.hospital}", fingerprint, yes)

    def agreed(asked: Request, shown: str) -> None:
        counts = asked.counts
        click.echo(f"study {asked.id}: {asked.hospital}, approved by {asked.who} on {asked.when}")
        for label, trained, tested in zip(found.contract.labels, counts["trained"], counts["tested"], strict=True):
            click.echo(f"{label}: {trained} to train on, {tested} for the test")
        asking(shown)

    content = admitted(register, letter, agreed)
    _hand_over(content, out)
    note(
        "study.admit", f"study {told.id}", hospital=told.hospital, digest=told.study, request=letter.digest,
        approved_by=told.who,
    )  # fmt: skip
    click.echo(f"-> {out}; {told.hospital} takes it with `consilium study take`")


def _asking(whose: str, expected: str, yes: bool) -> Agreed:
    """See that a fingerprint is the one that was told by another way."""

    def asked(shown: str) -> None:
        click.echo(f"fingerprint of {whose}: {shown}")
        if expected:
            if "".join(expected.split()).lower() != shown.replace(" ", ""):
                raise NotTrusted(
                    f"the fingerprint of {whose} is another than was told",
                    way_out="Somebody may have exchanged the file: have it sent again, by another way.",
                )
        elif not yes:
            click.confirm("Is it the one that you were told by another way?", abort=True)

    return asked


def _refuse_there(out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise InputError("there is a file already", where=str(out), way_out="Name another --out.")


def _hand_over(content: bytes, out: Path) -> None:
    from consilium.alliance.joint_training.membership import write_private

    write_private(out, content)
