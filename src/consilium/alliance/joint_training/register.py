"""Studies on this machine: how far each is, and where its parts lie.

    studies/ID/                the lead's side: study.json, standing.json, authority, start-up kits, the server's work
    hospitals/HOSPITAL/        a hospital's side: policy.json, and a folder for each study it joined

Everything is for its owner's eyes alone. A hospital on an installation of its own has of the first what it was invited
to: study.json, invitation.json, and its own standing.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from consilium.alliance.joint_training.invited import Invited, read_invited, write_invited
from consilium.alliance.joint_training.membership import (
    Membership,
    approved,
    private_folder,
    read_membership,
    write_membership,
)
from consilium.alliance.joint_training.membership import write_private as _write
from consilium.alliance.joint_training.progress import read_progress
from consilium.alliance.joint_training.study import Study, study_of
from consilium.errors import InputError, NotAllowed

State = Literal["draft", "running", "stopped", "done"]
STUDY, STANDING = "study.json", "standing.json"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a study is.

    Attributes:
        state: "draft" until it is started.
        joined: hospitals that have brought in cases.
        approved: hospitals whose data officer agreed to this very study, with the digest of it.
        job: FLARE's name of the present try.
    """

    state: State = "draft"
    joined: tuple[str, ...] = ()
    approved: dict[str, str] = field(default_factory=dict)
    job: str = ""


class Register:
    """The studies under a folder.

    Args:
        home: what `settings.home_folder` says.
    """

    def __init__(self, home: Path) -> None:
        self.home = home

    def folder(self, study: str) -> Path:
        """The lead's side of a study."""
        return self.home / "studies" / study

    def site_folder(self, hospital: str, study: str) -> Path:
        """A hospital's side of a study."""
        return self.home / "hospitals" / hospital / study

    def policy(self, hospital: str) -> Path:
        """The policy of a hospital."""
        return self.home / "hospitals" / hospital / "policy.json"

    def studies(self) -> list[Study]:
        """All studies, by id."""
        return [self.study(path.parent.name) for path in sorted((self.home / "studies").glob(f"*/{STUDY}"))]

    def create(self, study: Study) -> None:
        """Take a new study in.

        Raises:
            InputError: there is one of that id.
        """
        folder = self.folder(study.id)
        if (folder / STUDY).exists():
            raise InputError(f"there is a study {study.id} already", way_out="Give it another id.")
        private_folder(folder)
        _write(folder / STUDY, json.dumps(study.as_document(), indent=1, ensure_ascii=False).encode())
        with self._changing(study.id):
            self._keep(study.id, Standing())

    def study(self, id_: str) -> Study:
        """One study.

        Raises:
            InputError: there is none of that id, or it is damaged.
        """
        path = self.folder(id_) / STUDY
        try:
            return study_of(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as problem:
            raise InputError(
                f"there is no study {id_!r}", way_out="`consilium study status` names those of your hospital."
            ) from problem
        except ValueError as problem:
            raise InputError(
                "the study is damaged", where=str(path), way_out="Bring back a copy of the file."
            ) from problem

    def standing(self, id_: str) -> Standing:
        """How far a study is."""
        path = self.folder(id_) / STANDING
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            found = Standing(**{**told, "joined": tuple(told["joined"])})
        except (OSError, ValueError, TypeError, KeyError) as problem:
            raise InputError("the state of the study is damaged", where=str(path)) from problem
        if found.state == "running" and read_progress(self.folder(id_)).phase == "done":
            return Standing(**{**asdict(found), "state": "done"})
        return found

    def join(self, study: Study, membership: Membership) -> None:
        """Note that a hospital has brought in cases; an earlier approval of other cases is void.

        Raises:
            InputError: the hospital is not asked or was invited elsewhere, or the study runs already.
        """
        hospital = membership.hospital
        _refuse_unasked(study, hospital)
        with self._changing(study.id) as before:
            _refuse_begun(study, before)
            if hospital in read_invited(self.folder(study.id)):
                raise InputError(
                    f"{hospital} was invited to join from an installation of its own", where=f"study {study.id}",
                    way_out="It joins there, with the file of `consilium study invite`.",
                )  # fmt: skip
            write_membership(membership, self.site_folder(hospital, study.id))
            left = {name: digest for name, digest in before.approved.items() if name != hospital}
            joined = tuple(sorted({*before.joined, hospital}))
            self._keep(study.id, Standing(joined=joined, approved=left))

    def approve(self, study: Study, hospital: str, *, who: str) -> Membership:
        """Let the cases that a hospital brought in be used for the study as it is.

        Raises:
            InputError: the hospital has not joined, or the study runs already.
        """
        folder = self.site_folder(hospital, study.id)
        with self._changing(study.id) as before:
            _refuse_begun(study, before)
            membership = read_membership(folder)
            if study_of(membership.study).digest != study.digest:
                raise InputError(
                    "the study is another than the one that was joined", where=f"study {study.id}",
                    way_out="Join again, and look at what has changed.",
                )  # fmt: skip
            now = approved(membership, study=study.digest, who=who)
            write_membership(now, folder)
            self._keep(study.id, Standing(joined=before.joined, approved={**before.approved, hospital: study.digest}))
        return now

    def invite(self, study: Study, hospital: str, invited: Invited) -> None:
        """Note that a hospital was invited to join from an installation of its own; an earlier invitation is void.

        Raises:
            InputError: it is not asked or joined here, or the study runs already.
        """
        _refuse_unasked(study, hospital)
        with self._changing(study.id) as before:
            _refuse_begun(study, before)
            known = read_invited(self.folder(study.id))
            if hospital in before.joined and hospital not in known:
                raise InputError(
                    f"{hospital} has joined on this installation", where=f"study {study.id}",
                    way_out="Nothing more is needed of it but its approval.",
                )  # fmt: skip
            write_invited({**known, hospital: invited}, self.folder(study.id))
            left = {name: digest for name, digest in before.approved.items() if name != hospital}
            self._keep(study.id, Standing(joined=tuple(h for h in before.joined if h != hospital), approved=left))

    def admit(self, study: Study, hospital: str, invited: Invited) -> None:
        """Note that a hospital on an installation of its own has joined and approved.

        Raises:
            InputError: the study runs already.
        """
        with self._changing(study.id) as before:
            _refuse_begun(study, before)
            write_invited({**read_invited(self.folder(study.id)), hospital: invited}, self.folder(study.id))
            joined = tuple(sorted({*before.joined, hospital}))
            self._keep(study.id, Standing(joined=joined, approved={**before.approved, hospital: study.digest}))

    def apart(self, study: Study) -> frozenset[str]:
        """Pseudonyms of the hospitals that were invited to join from installations of their own."""
        return frozenset(study.pseudonyms[one] for one in read_invited(self.folder(study.id)))

    def ready(self, study: Study) -> tuple[str, ...]:
        """The hospitals whose approval is of this very study.

        Raises:
            NotAllowed: they are too few.
        """
        approvals = self.standing(study.id).approved
        found = tuple(one for one in study.hospitals if approvals.get(one) == study.digest)
        if len(found) < study.least_hospitals:
            raise NotAllowed(
                f"{len(found)} hospital(s) have approved, {study.least_hospitals} are needed",
                where=f"study {study.id}",
                way_out="Their data officers do that: `consilium study approve`.",
            )
        return found

    def mark(self, id_: str, state: State, *, job: str = "") -> None:
        """Note how far a study is."""
        with self._changing(id_) as before:
            self._keep(
                id_, Standing(state=state, joined=before.joined, approved=before.approved, job=job or before.job)
            )

    def _keep(self, id_: str, standing: Standing) -> None:
        _write(self.folder(id_) / STANDING, json.dumps(asdict(standing), indent=1).encode())

    @contextmanager
    def _changing(self, id_: str) -> Iterator[Standing]:
        folder = self.folder(id_)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.standing(id_) if (folder / STANDING).exists() else Standing()
        finally:
            os.close(lock)


def _refuse_unasked(study: Study, hospital: str) -> None:
    if hospital not in study.hospitals:
        raise InputError(
            f"the study does not ask {hospital}", where=f"study {study.id}",
            way_out=f"It asks {', '.join(study.hospitals)}.",
        )  # fmt: skip


def _refuse_begun(study: Study, standing: Standing) -> None:
    if standing.state != "draft":
        raise InputError(
            f"the study is {standing.state}: who takes part is settled", where=f"study {study.id}",
            way_out="Make a new study.",
        )  # fmt: skip
