"""The lead lets hospitals on installations of their own in: an invitation goes out, a request comes, an admission goes.

The authority certifies the key of a request without seeing its private half, and the server lets in who has such a
certificate.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from consilium.alliance.joint_training import authority
from consilium.alliance.joint_training.authority import authority_in, fingerprint, refuse_forged
from consilium.alliance.joint_training.invited import Invited, read_invited
from consilium.alliance.joint_training.letter_contents import (
    Admission,
    Invitation,
    Request,
    is_over,
    request_from,
    written,
)
from consilium.alliance.joint_training.letters import Letter
from consilium.alliance.joint_training.refusal import refuse_counts
from consilium.alliance.joint_training.register import Register
from consilium.alliance.joint_training.server_place import place_in
from consilium.alliance.joint_training.study import Study
from consilium.errors import InputError, NotAllowed


def invite(register: Register, study: Study, hospital: str, *, days: int) -> bytes:
    """An invitation for a hospital; an earlier one is void, and so is what was admitted by it.

    Args:
        register: of the lead's installation.
        study: which.
        hospital: who is asked.
        days: for how many it holds.

    Raises:
        InputError: the hospital is not asked, joined on this installation, or the study runs.
        NotAllowed: the study is encrypted.
        MissingExtra: NVIDIA FLARE is not installed.
    """
    if study.privacy.encrypted:
        raise NotAllowed(
            "the hospitals of an encrypted study share one key, and no file may carry it", where=f"study {study.id}",
            way_out="Hospitals on installations of their own take part in studies without --encrypted.",
        )  # fmt: skip
    folder = register.folder(study.id)
    own = authority_in(folder)
    expires = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
    made = Invitation(
        study=study, hospital=hospital, server=place_in(folder), authority=own.certificate,
        token=secrets.token_hex(32), expires=expires,
    )  # fmt: skip
    register.invite(study, hospital, Invited(token=made.token, expires=expires))
    return written(made, lambda content: authority.sign(own.key, content))


def admit(register: Register, letter: Letter, agreed: Callable[[Request, str], None]) -> bytes:
    """Let a hospital in that asked for it, at the lead; its admission.

    Args:
        register: of the lead's installation.
        letter: the request.
        agreed: is shown the request and the fingerprint of its key.

    Raises:
        InputError: it is damaged, is of another study than the one here, or the study runs.
        NotTrusted: it was changed.
        NotAllowed: it is not of the invited hospital, out of date, or was used already.
    """
    asked = request_from(letter)
    refuse_forged(asked.key, letter.signed, letter.signature, what="the request")
    study = register.study(asked.id)
    folder = register.folder(study.id)
    if asked.study != study.digest:
        raise InputError(
            f"the request is of another study {study.id} than the one here", way_out="Invite the hospital again."
        )
    invited = read_invited(folder).get(asked.hospital)
    if invited is None or not letter.is_of_token(invited.token):
        raise NotAllowed(
            f"the request does not come from the last invitation of {asked.hospital}",
            way_out="Invite the hospital (again), and have it take that file and make a new request.",
        )
    if is_over(invited.expires):
        raise NotAllowed("the invitation is out of date", way_out="Invite the hospital again.")
    if invited.request:
        raise NotAllowed(
            f"{asked.hospital} was admitted with this invitation already",
            way_out="Invite it again, if its admission was lost or its cases are others now.",
        )
    if why := refuse_counts(asked.counts, study):
        raise InputError(f"the cases of {asked.hospital} are not what was agreed: {why}")
    agreed(asked, fingerprint(asked.key))
    own = authority_in(folder)
    made = Admission(
        id=study.id, study=study.digest, hospital=asked.hospital, cases=asked.cases, server=place_in(folder),
        certificate=own.certify(study.pseudonyms[asked.hospital], asked.key),
    )  # fmt: skip
    register.admit(
        study, asked.hospital,
        Invited(
            token=invited.token, expires=invited.expires, request=letter.digest, counts=asked.counts,
            cases=asked.cases, who=asked.who, when=asked.when,
        ),
    )  # fmt: skip
    return written(made, lambda content: authority.sign(own.key, content))
