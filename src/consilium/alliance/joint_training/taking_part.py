"""A hospital on an installation of its own takes part: takes an invitation, asks, takes the admission.

Its private key is made here and stays here; its kit is made here too, by the FLARE that is installed here.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from consilium.alliance.joint_training import authority, flare_processes
from consilium.alliance.joint_training.authority import fingerprint, refuse_foreign, refuse_forged
from consilium.alliance.joint_training.conduct import install_kit
from consilium.alliance.joint_training.hospital_side import LEDGER
from consilium.alliance.joint_training.letter_contents import (
    Admission,
    Invitation,
    Request,
    admission_from,
    invitation_from,
    is_over,
    written,
)
from consilium.alliance.joint_training.letters import Letter, read_letter, written_again
from consilium.alliance.joint_training.membership import read_membership, write_private
from consilium.alliance.joint_training.provisioning import provision_apart
from consilium.alliance.joint_training.register import Register
from consilium.alliance.joint_training.results import RESULT
from consilium.alliance.joint_training.study import Study
from consilium.alliance.ledger import entries
from consilium.errors import InputError, NotAllowed

INVITATION, KEY = "invitation.json", "client.key"
Agreed = Callable[[str], None]
"""Is shown a fingerprint, and raises where whoever sees it does not agree."""


@dataclass(frozen=True, kw_only=True)
class Apart:
    """How far a hospital on an installation of its own is.

    Attributes:
        server: host and port.
        answers: whether anybody listens there.
        admitted: whether it has its kit.
        process: id of the client that runs; None where none does.
        last: when it answered what, as its own record says; empty before that.
        done: whether the model is here.
    """

    server: str
    answers: bool
    admitted: bool
    process: int | None
    last: str
    done: bool


def take_invitation(register: Register, letter: Letter, hospital: str, agreed: Agreed) -> Invitation:
    """Take an invitation in, at the hospital.

    Args:
        register: of the hospital's installation.
        letter: the file.
        hospital: whose installation it is.
        agreed: is shown the fingerprint of the study's authority.

    Raises:
        InputError: it is damaged, or there is another study of that id.
        NotTrusted: it was changed, or is of another authority than before.
        NotAllowed: it is for another hospital, or out of date.
    """
    found = invitation_from(letter)
    refuse_forged(found.authority, letter.signed, letter.signature, what="the invitation")
    study = found.study
    if found.hospital != hospital:
        raise NotAllowed(
            f"the invitation is for {found.hospital}, and this is {hospital}",
            way_out="The lead makes one for each hospital (`consilium study invite`), by the id in its roster.",
        )
    _refuse_over(found)
    known = register.folder(study.id)
    if (known / "study.json").exists():
        if register.study(study.id).digest != study.digest:
            raise InputError(f"there is another study {study.id} here", way_out="Let the lead give his another id.")
        if not was_taken(register, study.id):
            raise InputError(
                f"study {study.id} is led on this installation",
                way_out="Hospitals that share it join without an invitation.",
            )
        if invitation_of(register, study.id).authority != found.authority:
            raise InputError(
                f"the invitation to {study.id} is of another authority than the one before",
                way_out="Do not take it before the lead told you why; he may make a study of another id.",
            )
    agreed(fingerprint(found.authority))
    if not (known / "study.json").exists():
        register.create(study)
    write_private(known / INVITATION, written_again(letter))
    return found


def invitation_of(register: Register, study: str) -> Invitation:
    """The invitation to a study that was taken here.

    Raises:
        InputError: none was.
    """
    path = register.folder(study) / INVITATION
    if not path.is_file():
        raise InputError(
            f"no invitation to {study} was taken here", way_out="`consilium study take FILE`; the lead makes the file."
        )
    return invitation_from(read_letter(path))


def request(register: Register, study: Study, hospital: str) -> tuple[bytes, str]:
    """A request to be admitted, with the approval of the cases that were joined; and its key's fingerprint.

    A new key is made each time, so that a certificate for an earlier one is of no use.

    Raises:
        InputError: no invitation was taken, or the hospital has not joined.
        NotAllowed: the data officer has not approved these cases, or the invitation is out of date.
    """
    invitation = invitation_of(register, study.id)
    folder = register.site_folder(hospital, study.id)
    membership = read_membership(folder)
    _refuse_over(invitation)
    approval = membership.approved
    if approval is None or approval.study != study.digest or approval.cases != membership.cases:
        raise NotAllowed(
            f"nobody of {hospital} has approved the study",
            way_out=f"The data officer does: `consilium study approve {study.id}`.",
        )
    key = authority.new_key()
    public = authority.public_key_of(key)
    made = Request(
        id=study.id, study=study.digest, hospital=hospital, key=public, counts=membership.counts,
        cases=approval.cases, who=approval.who, when=approval.when,
    )  # fmt: skip
    content = written(made, lambda signed: authority.sign(key, signed), token=invitation.token)
    write_private(folder / KEY, key.encode())
    return content, fingerprint(public)


def take_admission(register: Register, letter: Letter, hospital: str) -> Admission:
    """Take an admission in, at the hospital, and make the kit around the key that lies there.

    Raises:
        InputError: it is damaged, or not of what was asked for.
        NotTrusted: it was changed, or its certificate is not for this hospital's key.
        NotAllowed: it is for another hospital, or of other cases than were approved.
    """
    found = admission_from(letter)
    study = register.study(found.id)
    invitation = invitation_of(register, found.id)
    refuse_forged(invitation.authority, letter.signed, letter.signature, what="the admission")
    if found.hospital != hospital:
        raise NotAllowed(f"the admission is for {found.hospital}, and this is {hospital}")
    folder = register.site_folder(hospital, found.id)
    membership = read_membership(folder)
    approval = membership.approved
    if (
        found.study != study.digest
        or approval is None
        or (approval.study, approval.cases) != (found.study, found.cases)
    ):
        raise NotAllowed(
            "the admission is of another study or of other cases than were approved here",
            way_out=f"`consilium study request {found.id}` makes a new request.",
        )
    if not (folder / KEY).is_file():
        raise InputError("the key that was asked for is not here", way_out=f"`consilium study request {found.id}`.")
    key, site = (folder / KEY).read_text(encoding="ascii"), study.pseudonyms[hospital]
    refuse_foreign(
        found.certificate, authority=invitation.authority, site=site, public_key=authority.public_key_of(key)
    )
    if membership.kit and flare_processes.alive(Path(membership.kit)) is not None:
        raise InputError("the client of the study runs", way_out=f"First `consilium study stop {found.id}`.")
    kit = provision_apart(
        study, site, folder, found.server, key=key, certificate=found.certificate, authority=invitation.authority
    )
    install_kit(kit, folder)
    shutil.rmtree(kit.parent)
    return found


def was_taken(register: Register, study: str) -> bool:
    """Whether a study came here by an invitation, and so is led on another installation."""
    return (register.folder(study) / INVITATION).is_file()


def standing_apart(register: Register, study: str, hospital: str) -> Apart | None:
    """How far a hospital is here, in a study that it was invited to; None in one that is led here."""
    if not was_taken(register, study):
        return None
    server = invitation_of(register, study).server
    try:
        kit = read_membership(register.site_folder(hospital, study)).kit
    except InputError:
        kit = ""
    return Apart(
        server=str(server), answers=server.answers(), admitted=bool(kit),
        process=flare_processes.alive(Path(kit)) if kit else None,
        last=_last_answer(register.site_folder(hospital, study)),
        done=(register.site_folder(hospital, study) / RESULT).is_file(),
    )  # fmt: skip


def _refuse_over(invitation: Invitation) -> None:
    if is_over(invitation.expires):
        raise NotAllowed(
            f"the invitation is out of date since {invitation.expires}", way_out="Ask the lead for a new one."
        )


def _last_answer(folder: Path) -> str:
    found = ""
    if (folder / LEDGER).is_file():
        for one in entries(folder / LEDGER):
            if one.what == "study.answer":
                asked = " ".join(map(str, one.details.get("ask", [])))
                found = f"{one.time} {asked}: {one.details.get('state', '')} {one.details.get('reason', '')}".rstrip()
    return found
