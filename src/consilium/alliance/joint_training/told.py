"""What somebody of a hospital may know of a study: how far it is, what came of it, what each hospital gave.

A hospital sees itself. The lead also sees who is there and who was refused; figures of the others are shown where the
study says that they may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from consilium.alliance.joint_training.evaluation import Pooled
from consilium.alliance.joint_training.invited import read_invited
from consilium.alliance.joint_training.progress import read_counts, read_progress
from consilium.alliance.joint_training.register import Register
from consilium.alliance.joint_training.results import RESULT, read_result
from consilium.alliance.joint_training.shares import Share, shares
from consilium.alliance.joint_training.site_cases import Counts
from consilium.alliance.joint_training.study import Study
from consilium.alliance.joint_training.taking_part import standing_apart
from consilium.errors import NotAllowed


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a study, as a hospital may know it.

    Attributes:
        figures: on the held-out cases of all hospitals.
        shares: of this hospital, or of all where the study allows that.
        own: pseudonym of this hospital; empty of a lead that brings in no cases.
        apart: whether the hospital takes part from an installation of its own.
        result, counts: from which the model is written.
    """

    figures: Pooled
    shares: tuple[Share, ...]
    own: str
    apart: bool
    result: Mapping[str, Any]
    counts: Mapping[str, Counts]


def refuse_stranger(found: Study, hospital: str, *, lead: bool = False) -> None:
    """See that a hospital is in a study; one that is not does not learn that there is one.

    Raises:
        NotAllowed: it is not.
    """
    if hospital in found.hospitals or (lead and hospital == found.lead):
        return
    raise NotAllowed(f"there is no study {found.id!r} of {hospital}", way_out="Ask its lead to take you in.")


def studies_of(register: Register, hospital: str) -> list[Study]:
    """The studies that a hospital is in or leads."""
    return [one for one in register.studies() if hospital in (*one.hospitals, one.lead)]


def status_of(register: Register, found: Study, hospital: str) -> dict[str, Any]:
    """How far a study is, as JSON values."""
    here = standing_apart(register, found.id, hospital)
    known = read_invited(register.folder(found.id)) if hospital == found.lead else {}
    invited = {name: {"expires": one.expires, "admitted": bool(one.request)} for name, one in known.items()}
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
        "invited": invited, "here": None if here is None else asdict(here), "sites": sites,
        "refused": [one for one in progress.refusals if lead or one[0] == own], "why": progress.why,
    }  # fmt: skip


def outcome_of(register: Register, found: Study, hospital: str) -> Outcome:
    """What came of a study.

    Raises:
        NotAllowed: the hospital is not in it.
        InputError: there is no result yet, or it is damaged.
    """
    refuse_stranger(found, hospital, lead=True)
    apart = standing_apart(register, found.id, hospital) is not None
    folder = register.site_folder(hospital, found.id) if apart else register.folder(found.id)
    result, counts = read_result(folder / RESULT), read_counts(folder)
    own = found.pseudonyms.get(hospital, "")
    every = shares(found, result, read_progress(folder), counts)
    return Outcome(
        figures=result["pooled"], shares=tuple(one for one in every if found.site_figures or one.site == own), own=own,
        apart=apart, result=result, counts=counts,
    )  # fmt: skip
