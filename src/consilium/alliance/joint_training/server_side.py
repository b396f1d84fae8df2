"""The server's side of a study: asks, judges what comes, adds, keeps, goes on. It knows nothing of the network."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from consilium.alliance.joint_training.course import Content, Course, Step
from consilium.alliance.joint_training.encryption import Cipher
from consilium.alliance.joint_training.membership import write_private
from consilium.alliance.joint_training.messages import size_of, step_document
from consilium.alliance.joint_training.progress import (
    COUNTS,
    PROGRESS,
    Progress,
    SiteState,
    read_counts,
    read_progress,
)
from consilium.alliance.joint_training.public_scaling import public_scaling
from consilium.alliance.joint_training.refusal import counts_from, out_of_line, refuse_counts, refuse_vector
from consilium.alliance.joint_training.site_cases import Counts
from consilium.alliance.joint_training.study import Study
from consilium.alliance.joint_training.training import Ask, Training, following
from consilium.errors import EngineError

RESULT, COURSE = "result.npz", "course"
_STRIKES = 3
"""Bad answers after which a hospital is not asked any more."""

Answers = dict[str, dict[str, Any]]
AskSites = Callable[[dict[str, Any], list[str], bool], Answers]
"""Sends a task to hospitals and gives back the answers that came; the last says whether all of them must answer."""


class ServerSide:
    """The server's side.

    Args:
        folder: of the study at the server.
        study: what was agreed.
        cipher: without the secret key, where sums are encrypted.
        note: leaves an entry in the ledger.
    """

    def __init__(
        self, folder: Path, study: Study, cipher: Cipher | None, note: Callable[[str, dict[str, Any]], None]
    ) -> None:
        self._folder, self._study, self._cipher, self._note = folder, study, cipher, note
        self._course = Course(folder / COURSE)
        self._counts = read_counts(folder)
        before = read_progress(folder)
        self.progress = Progress(
            sites={site: before.sites.get(site, SiteState()) for site in study.pseudonyms.values()},
            refusals=before.refusals, round_seconds=before.round_seconds,
        )  # fmt: skip
        self._fresh = True
        self._training: Training | None = None

    def run(self, ask_sites: AskSites, stopped: Callable[[], bool] = lambda: False) -> None:
        """Go through the study, from where it stands.

        Args:
            ask_sites: the way to the hospitals.
            stopped: whether to end after the question that is being asked.

        Raises:
            EngineError: too few hospitals answer; what was reached is kept.
        """
        self._write()
        if not self._counts:
            self._ask_counts(ask_sites)
        last: Ask | None = None
        arrived = False
        if len(self._course):
            last = self._course.step(len(self._course) - 1).ask
            arrived = self._kept_arrived()
        while (ask := following(self._study, last, arrived=arrived)) is not None:
            if stopped():
                return
            arrived = self._ask_one(ask, ask_sites)
            last = ask
        self._conclude(ask_sites)
        self.progress.phase, self.progress.ask = "done", ""
        self._write()

    def _ask_counts(self, ask_sites: AskSites) -> None:
        answers = ask_sites({"study": self._study.digest, "ask": ["counts", 0]}, self._asked(), True)
        found: dict[str, Counts] = {}
        for site, answer in answers.items():
            if self._said_no(site, answer, "counts"):
                continue
            if reason := refuse_counts(answer.get("counts"), self._study):
                self._refuse(site, "counts", reason, at_once=True)
                continue
            found[site] = counts_from(answer["counts"])
        self._away(answers, "counts")
        # Who has not told its counts cannot be weighed, and comes in when the study is started anew.
        self._enough(len(found))
        told = {site: asdict(one) for site, one in sorted(found.items())}
        write_private(self._folder / COUNTS, json.dumps(told).encode())
        self._counts = found

    def _ask_one(self, ask: Ask, ask_sites: AskSites) -> bool:
        """Ask one question until enough have answered; whether the heads have arrived."""
        name = f"{ask.kind} {ask.round}"
        self.progress.ask = name
        self._write()
        began = time.monotonic()
        sites = [site for site in self._asked() if site in self._counts]
        answers = self._with_catching_up([ask.kind, ask.round], sites, ask_sites)
        good = self._judged(ask, answers)
        self._away(answers, name)
        self._enough(len(good))
        content = self._added([good[site]["vector"] for site in sorted(good)])
        self._course.add(Step(ask=ask, sites=tuple(sorted(good)), content=content))
        arrived = sum(bool(one.get("arrived")) for one in good.values()) * 2 > len(good)
        # The flag tells of the sums before this one, so rounds end one later than the heads arrive.
        write_private(
            self._folder / "arrived.json", json.dumps({"steps": len(self._course), "arrived": arrived}).encode()
        )
        self.progress.round_seconds.append(round(time.monotonic() - began, 3))
        self._write()
        return arrived

    def _with_catching_up(self, ask: list[Any], sites: list[str], ask_sites: AskSites) -> Answers:
        known = len(self._course)
        # After a start everybody is waited for, those too who were away before it.
        answers = ask_sites(self._task(ask, max(known - 1, 0)), sites, self._fresh)
        self._fresh = False
        lacking = {site: one for site, one in answers.items() if one.get("state") == "lacks"}
        for _ in range(2):
            if not lacking:
                break
            first = min(min(max(int(one.get("from", 0)), 0), known) for one in lacking.values())
            later = ask_sites(self._task(ask, first), list(lacking), False)
            answers = {site: one for site, one in answers.items() if site not in lacking} | later
            lacking = {site: one for site, one in later.items() if one.get("state") == "lacks"}
        for site in lacking:
            answers[site] = {"state": "broken", "reason": "it cannot be brought up to date"}
        return answers

    def _task(self, ask: list[Any], first: int) -> dict[str, Any]:
        known = len(self._course)
        return {
            "study": self._study.digest, "ask": ask, "known": known, "from": first, "head": self._course.head,
            "chain": self._course.chain(first),
            "counts": {site: {**asdict(one), "trained": list(one.trained), "tested": list(one.tested)}
                       for site, one in sorted(self._counts.items())},
            "steps": [step_document(self._course.step(number)) for number in range(first, known)],
        }  # fmt: skip

    def _judged(self, ask: Ask, answers: Answers) -> Answers:
        """The answers that can be added; the others are refused and named."""
        name, length = f"{ask.kind} {ask.round}", self._length(ask)
        self._stop_where_all_are_stuck(answers)
        good: Answers = {}
        for site, answer in answers.items():
            self._weigh(site, answer)
            if self._said_no(site, answer, name):
                continue
            if answer.get("study") != self._study.digest or list(answer.get("ask", [])) != [ask.kind, ask.round]:
                reason = "an answer to another question"
            elif self._cipher is not None:
                reason = self._cipher.refuse(answer.get("vector"), length)
            else:
                reason = refuse_vector(answer.get("vector"), ask, length, self._study, self._counts[site])
            if reason:
                self._refuse(site, name, reason)
            else:
                good[site] = answer
        if self._cipher is None and ask.kind not in ("evaluate", "judge"):
            for site, reason in out_of_line({site: one["vector"] for site, one in good.items()}, self._counts).items():
                self._refuse(site, name, reason)
                del good[site]
        for site in good:
            one = self.progress.sites[site]
            one.answers += 1
            if one.state != "there":
                self._note("study.site_back", {"site": site, "at": name})
                one.state, one.reason, one.since = "there", "", name
        return good

    def _added(self, vectors: list[Any]) -> Content:
        if self._cipher is not None:
            return self._cipher.add(vectors)
        return np.asarray(np.sum([np.asarray(one, np.float64) for one in vectors], axis=0), np.float64)

    def _conclude(self, ask_sites: AskSites) -> None:
        """Get the result from the hospitals, each of which has all of it, and hold their words against each other."""
        sites = [site for site in self._asked() if site in self._counts]
        answers = self._with_catching_up(["result", 0], sites, ask_sites)
        told = {
            site: one["result"]
            for site, one in answers.items()
            if not self._said_no(site, one, "result") and isinstance(one.get("result"), dict)
        }
        self._enough(len(told))
        for site in unlike(told):
            self._refuse(site, "result", "its result is not that of the others", at_once=True)
            del told[site]
        self._enough(len(told))
        from consilium.alliance.joint_training.results import write_result

        write_result(next(iter(told.values())), self._folder / RESULT)

    def _length(self, ask: Ask) -> int:
        if self._training is None:
            private = self._study.privacy.epsilon is not None
            public = public_scaling(self._study.contract.encoder) if private else None
            self._training = Training(study=self._study, counts=self._counts, public=public)
        return self._training.length(ask)

    def _asked(self) -> list[str]:
        return [site for site, one in self.progress.sites.items() if one.state in ("there", "away")]

    def _said_no(self, site: str, answer: Mapping[str, Any], name: str) -> bool:
        """Whether a hospital does not answer: by its own policy, or because something there is broken."""
        state = answer.get("state")
        if state == "ok":
            return False
        reason = str(answer.get("reason", "no answer in the form that was agreed"))
        if state == "veto":
            one = self.progress.sites[site]
            one.state, one.reason, one.since = "vetoed", reason, name
            self._note("study.veto", {"site": site, "at": name, "reason": reason})
        else:
            self._refuse(site, name, reason)
        return True

    def _refuse(self, site: str, name: str, reason: str, *, at_once: bool = False) -> None:
        one = self.progress.sites[site]
        one.strikes += 1
        one.reason, one.since = reason, name
        if at_once or one.strikes >= _STRIKES:
            one.state = "refused"
        self.progress.refusals.append([site, name, reason])
        self._note("study.refused", {"site": site, "at": name, "reason": reason})

    def _weigh(self, site: str, answer: Mapping[str, Any]) -> None:
        one = self.progress.sites[site]
        seconds = answer.get("seconds", 0.0)
        if isinstance(seconds, (int, float)) and 0 <= seconds < 1e7:
            one.seconds += float(seconds)
        one.sent += size_of(dict(answer))

    def received(self, site: str, task: Mapping[str, Any]) -> None:
        """Count what was sent to a hospital."""
        self.progress.sites[site].received += size_of(dict(task))

    def _away(self, answers: Answers, name: str) -> None:
        for site in self._asked():
            one = self.progress.sites[site]
            if site not in answers and one.state == "there" and (name == "counts" or site in self._counts):
                one.state, one.reason, one.since = "away", "", name
                self._note("study.site_away", {"site": site, "at": name})

    def _stop_where_all_are_stuck(self, answers: Answers) -> None:
        """Stop where every hospital says the same is broken: then it is the sum, and none of them is to blame for it.

        Raises:
            EngineError: it is so.
        """
        reasons = {str(one.get("reason", "")) for one in answers.values() if one.get("state") == "broken"}
        if len(answers) < 2 or len(reasons) != 1 or any(one.get("state") != "broken" for one in answers.values()):
            return
        self.progress.phase, self.progress.why = "stopped", f"all hospitals say: {reasons.pop()}"
        self._note("study.stuck", {"why": self.progress.why})
        self._write()
        raise EngineError(
            self.progress.why, where=f"study {self._study.id}",
            way_out="Under encryption nobody can tell whose answer spoilt a sum. Make the study anew in the clear, or "
            "without a hospital that is not trusted.",
        )  # fmt: skip

    def _enough(self, found: int) -> None:
        if found >= self._study.least_hospitals:
            return
        self.progress.phase = "stopped"
        self.progress.why = f"{found} hospital(s) answered, {self._study.least_hospitals} are needed"
        self._write()
        raise EngineError(
            self.progress.why, where=f"study {self._study.id}", way_out="`consilium study resume` goes on from here."
        )

    def _kept_arrived(self) -> bool:
        try:
            told = json.loads((self._folder / "arrived.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(told["arrived"]) and told["steps"] == len(self._course)

    def _write(self) -> None:
        write_private(self._folder / PROGRESS, json.dumps(asdict(self.progress), indent=1).encode())


def unlike(told: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Sites whose result is not that of most."""
    names = sorted(told)

    def same(one: str, other: str) -> bool:
        try:
            first, second = (np.asarray(told[name]["weights"], np.float64) for name in (one, other))
            return (
                first.shape == second.shape
                and bool(np.linalg.norm(first - second) <= 1e-4 * max(float(np.linalg.norm(first)), 1e-12))
                and told[one]["pooled"] == told[other]["pooled"]
            )
        except (KeyError, TypeError, ValueError):
            return False

    agreeing = {name: sum(same(name, other) for other in names) for name in names}
    return [name for name in names if agreeing[name] * 2 <= len(names)]
