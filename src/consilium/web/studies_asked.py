"""What people ask of joint studies, for pages and interface alike; each is a call of a service or a job of a verb."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from consilium.alliance.permissions import Act, Person, require
from consilium.alliance.workshop.roots import place_below
from consilium.errors import InputError, RecordChanged
from consilium.settings import home_folder
from consilium.web.alliance import compute_folder, engine_of, note_of, register

if TYPE_CHECKING:
    from consilium.alliance.compute.job import Job
    from consilium.alliance.joint_training.study import Study

Verb = Literal["join", "start", "resume", "stop"]
_ACTS: dict[Verb, Act] = {"join": "study.join", "start": "study.start", "resume": "study.start", "stop": "study.stop"}
_MEMORY_MB = 1500


def begun(person: Person, **asked: Any) -> Study:
    """Make a study.

    Raises:
        NotAllowed: the person leads none.
        InputError: it cannot be done, or there is one of that id.
    """
    from consilium.alliance.joint_training.proposing import Proposal, proposed
    from consilium.alliance.joint_training.server_place import ServerPlace, free_port, write_place
    from consilium.generalist.shipped import shipped_encoder

    require(person, "study.create", of=person.hospital)
    made = proposed(Proposal(**asked), lead=person.hospital, encoder=shipped_encoder())
    places, server = register(), ServerPlace(host="localhost", port=free_port())
    places.create(made)
    write_place(server, places.folder(made.id))
    note_of(person.name)(
        "study.create", f"study {made.id}", digest=made.digest, hospitals=list(made.hospitals), server=str(server)
    )
    return made


def approved(person: Person, name: str, digest: str) -> None:
    """Let the cases of a person's hospital be used for a study.

    Args:
        person: data officer.
        name: of the study.
        digest: of the study as the person saw it.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: the study is another than was seen.
        InputError: the hospital has not joined.
    """
    from consilium.alliance.joint_training.told import refuse_stranger

    require(person, "study.approve", of=person.hospital)
    places = register()
    found = places.study(name)
    refuse_stranger(found, person.hospital)
    if digest != found.digest:
        raise RecordChanged("the study is another than the one that was shown", way_out="Read it again.")
    membership = places.approve(found, person.hospital, who=person.name)
    note_of(person.name)(
        "study.approve", f"study {name}", hospital=person.hospital, digest=found.digest, cases=membership.cases
    )


def job_of(
    person: Person, name: str, verb: Verb, *, roots: tuple[Path, ...] = (), place: str = "", group: str = "group"
) -> Job:
    """Have a verb of `consilium study` done, by a job in the person's name; the verb keeps its own rules.

    Args:
        person: who asks.
        name: of the study.
        verb: what is done.
        roots: that a folder may lie below.
        place: of the cases that are brought in.
        group: column that names the patient.

    Raises:
        NotAllowed: the person may not, or the hospital is not in the study.
        InputError: there is no such study, or the folder may not be named.
    """
    from consilium.alliance.compute.job import Request
    from consilium.alliance.compute.storage_quota import refuse_without_room
    from consilium.alliance.joint_training.told import refuse_stranger

    require(person, _ACTS[verb], of=person.hospital)
    found = register().study(name)
    refuse_stranger(found, person.hospital, lead=verb != "join")
    words: tuple[str, ...] = (found.id,)
    if verb == "join":
        if not group.strip() or "\0" in group:
            raise InputError("the column that names patients needs a name", way_out="It is usually called group.")
        words = (*words, f"--data={place_below(roots, place)}", f"--group={group}")
    refuse_without_room(person.hospital, compute_folder() / "quotas.json")
    request = Request(
        command=(sys.executable, "-m", "consilium", "study", verb, *words), folder=str(home_folder()),
        hospital=person.hospital, person=person.name, name=f"study {found.id}: {verb}", memory_mb=_MEMORY_MB,
        urgency="clinical" if verb == "stop" else "research",
    )  # fmt: skip
    return engine_of(person).submit(request)
