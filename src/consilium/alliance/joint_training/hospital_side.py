"""A hospital's client: asks its own policy, checks, answers, and keeps a record of what left.

It knows nothing of the network; `flare_site.py` puts it into NVIDIA FLARE.
"""

from __future__ import annotations

import io
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from consilium.alliance.joint_training.answer import Answerer
from consilium.alliance.joint_training.course import Course
from consilium.alliance.joint_training.descent import Array
from consilium.alliance.joint_training.encryption import Cipher, cipher_in
from consilium.alliance.joint_training.evaluation import pooled
from consilium.alliance.joint_training.membership import Membership, read_membership, write_private
from consilium.alliance.joint_training.messages import LONGEST_REASON, ask_from, step_from
from consilium.alliance.joint_training.progress import COUNTS
from consilium.alliance.joint_training.public_scaling import public_scaling
from consilium.alliance.joint_training.refusal import counts_from
from consilium.alliance.joint_training.results import RESULT, write_result
from consilium.alliance.joint_training.site_cases import hold_contract, read_cases
from consilium.alliance.joint_training.site_policy import hold, hold_output, read_policy
from consilium.alliance.joint_training.study import Study, study_of
from consilium.alliance.joint_training.training import Ask, Sum, Training
from consilium.alliance.ledger import append
from consilium.errors import ConsiliumError, InputError, NotAllowed

CASES, COURSE, LEDGER, SPENT = "cases.npz", "course", "ledger.jsonl", "spent.json"


class HospitalSide:
    """One hospital in one study.

    Args:
        folder: of the study at the hospital (`membership.py`).

    Raises:
        InputError: the hospital has not joined, or what it approved is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._membership: Membership = read_membership(folder)
        self._study: Study = study_of(self._membership.study)
        self._course = Course(folder / COURSE)
        self._training: Training | None = None
        self._answerer: Answerer | None = None
        self._cipher: Cipher | None = None
        self._encrypted = self._study.privacy.encrypted

    def answer(self, task: dict[str, Any]) -> dict[str, Any]:
        """The answer to a task; never an exception, since a message of one could tell of a patient."""
        began = time.process_time()
        told: dict[str, Any] = {"study": self._study.digest, "ask": task.get("ask", [])}
        try:
            found = self._answered(task)
        except NotAllowed as veto:
            found = {"state": "veto", "reason": veto.what[:LONGEST_REASON]}
        except ConsiliumError as problem:
            self._note("study.problem", {"what": str(problem)})
            found = {"state": "broken", "reason": problem.what[:LONGEST_REASON]}
        except Exception as problem:  # whatever a task is, FLARE must not put a traceback of it into an answer
            self._note("study.problem", {"what": repr(problem)})
            found = {"state": "broken", "reason": "the task cannot be understood"}
        seconds = time.process_time() - began
        self._spend(seconds)
        answer = {**told, **found, "seconds": seconds}
        left = {"state": found["state"], **({"reason": found["reason"]} if "reason" in found else {})}
        self._note("study.answer", {"ask": told["ask"], **left})
        return answer

    def _answered(self, task: dict[str, Any]) -> dict[str, Any]:
        approved = self._membership.approved
        if task["study"] != self._study.digest or approved is None or approved.study != self._study.digest:
            raise NotAllowed("the policy of this hospital forbids it: nobody here has approved this study")
        policy = read_policy(Path(self._membership.policy))
        cases = read_cases(self._folder / CASES, approved.cases)
        counts = hold_contract(self._study.contract, cases)
        hold(policy, self._study, counts)
        if task["ask"][0] == "counts":
            return {"state": "ok", "counts": json.loads(json.dumps(asdict(counts)))}
        every = {site: counts_from(told) for site, told in task["counts"].items()}
        if every.get(self._membership.site) != counts:
            raise InputError("the server has other counts of this hospital than it told")
        if (lacking := self._caught_up(task)) is not None:
            return {"state": "lacks", "from": lacking}
        training = self._trained(every)
        if task["ask"][0] == "result":
            found = outcome(training)
            write_private(self._folder / COUNTS, json.dumps(task["counts"]).encode())
            write_result(found, self._folder / RESULT)
            return {"state": "ok", "result": found}
        ask = ask_from(task["ask"])
        hold_output(policy, ask.kind, self._spent())
        arrived = training.arrived
        if self._answerer is None:
            # Seeded by the system's own source: who could guess it could take the noise away.
            self._answerer = Answerer(site=self._membership.site, cases=cases, noise=np.random.default_rng())
        vector = self._released(training, ask) if training.private else self._answerer.answer(training, ask)
        sent = self._key().encrypt(vector) if self._encrypted else np.asarray(vector, np.float32)
        return {"state": "ok", "vector": sent, "arrived": arrived}

    def _caught_up(self, task: dict[str, Any]) -> int | None:
        """Take the steps that came; how many there are here, where some are lacking."""
        known, first = int(task["known"]), int(task["from"])
        if len(self._course) > known or (len(self._course) >= first and not self._follows(task, first)):
            # The server began anew, or lost its end: what is here is of another try.
            self._course.begin_again()
            self._training = None
        if len(self._course) < first:
            return len(self._course)
        for told in task["steps"][len(self._course) - first :]:
            self._course.add(step_from(told))
        if self._course.head == task["head"]:
            return None
        self._course.begin_again()
        self._training = None
        if first > 0:
            return 0
        for told in task["steps"]:
            self._course.add(step_from(told))
        if self._course.head != task["head"]:
            self._course.begin_again()
            raise InputError("the steps of the server do not fit its digest of them")
        return None

    def _follows(self, task: dict[str, Any], first: int) -> bool:
        return bool(self._course.chain(first) == task["chain"])

    def _trained(self, counts: dict[str, Any]) -> Training:
        if self._training is None or self._training.counts != counts:
            public = public_scaling(self._study.contract.encoder) if self._study.privacy.epsilon is not None else None
            self._training = Training(study=self._study, counts=counts, public=public)
        while self._training.taken < len(self._course):
            step = self._course.step(self._training.taken)
            length = self._training.length(step.ask)
            vector = self._key().decrypt(step.content, length) if isinstance(step.content, list) else step.content
            self._training.take(Sum(ask=step.ask, sites=step.sites, vector=vector))
        return self._training

    def _key(self) -> Cipher:
        if self._cipher is None:
            self._cipher = cipher_in(Path(self._membership.kit), server=False)
        return self._cipher

    def _spent(self) -> float:
        try:
            return float(json.loads((self._folder / SPENT).read_text(encoding="utf-8"))["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0

    def _spend(self, seconds: float) -> None:
        write_private(self._folder / SPENT, json.dumps({"seconds": self._spent() + seconds}).encode())

    def _released(self, training: Training, ask: Ask) -> Array:
        """An answer under differential privacy, which is made once for each place in the course.

        Asked again at the same place, as after a crash, the hospital sends what it sent; elsewhere it sends no more
        than the rounds its noise was made for.
        """
        assert self._answerer is not None
        if ask.kind != "fit":
            return self._answerer.answer(training, ask)
        listed, last = self._folder / "releases.json", self._folder / "release.npy"
        places: list[str] = json.loads(listed.read_text(encoding="utf-8")) if listed.is_file() else []
        if places and places[-1] == self._course.head and last.is_file():
            return np.asarray(np.load(last, allow_pickle=False), np.float64)
        if len(places) >= self._study.rounds:
            raise NotAllowed(
                "the policy of this hospital forbids it: as many sums have left as the patients' privacy allows"
            )
        vector = self._answerer.answer(training, ask)
        write_private(listed, json.dumps([*places, self._course.head]).encode())
        buffer = io.BytesIO()
        np.save(buffer, vector)
        write_private(last, buffer.getvalue())
        return vector

    def _note(self, what: str, details: dict[str, Any]) -> None:
        append(
            self._folder / LEDGER, who=self._membership.site, what=what, on=f"study {self._study.id}", details=details
        )


def outcome(training: Training) -> dict[str, Any]:
    """What comes out of a study: the head, its gate, what the test cases of all say; as plain arrays and numbers."""
    assert training.tally is not None
    labels = len(training.study.contract.labels)
    head, gate = training.head(), training.gate()
    figures, worth = pooled(training.tally, labels, len(training.problems))
    return {
        "mean": head.mean, "scale": head.scale, "weights": head.weights, "intercepts": head.intercepts,
        "known": gate.known, "strength": training.strength, "rounds": training.taken,
        "pooled": json.loads(json.dumps(asdict(figures))),
        "groups": [list(one.sites) for one in training.problems], "worth": list(worth),
    }  # fmt: skip
